//! The control surface: webhooks as JSON and on the page.
