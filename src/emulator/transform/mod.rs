//! Transformations: the URL grammar and the image tasks.
