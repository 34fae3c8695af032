//! A Filestack of our own.

pub mod transform;
