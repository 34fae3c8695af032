//! Renders every page from its samples and checks what must hold for all of them.
