//! Delivery URLs and what they ask for (§4, §6): the grammar of a transformation path, the tasks it names, and the pictures they make.
//!
//! [`parse_path`] turns the path of a delivery URL into typed [`Task`]s and a [`Source`]; [`run`] carries the tasks out
//! on bytes. Neither knows HTTP, policies or storage: the routes look the source up, check the policy and answer.
//! `spec` holds one table of every documented task, `scan` and `grammar` read paths against it, `task` gives the ones that
//! are carried out their types, `codec`, `geometry`, `enhance` and `join` do the pixels, and `intelligence` makes up what models see. All of it blocks: call it off the
//! async threads.

mod codec;
mod color;
mod enhance;
mod error;
mod format;
mod geometry;
mod grammar;
mod intelligence;
mod join;
mod run;
mod scan;
mod spec;
mod task;

#[cfg(test)]
mod tests;

pub use codec::{MAX_ALLOCATION_BYTES, MAX_INPUT_BYTES, MAX_PIXELS};
pub use color::Color;
pub use error::{GrammarError, TransformError};
pub use format::Format;
pub use grammar::{MAX_PATH_BYTES, MAX_SOURCES, MAX_TASKS, Parsed, Source, parse_json, parse_path};
pub use intelligence::{COPYRIGHT_MARK, Question, Sentiment, UNSAFE_MARK, text_sentiment};
pub use run::{Content, Reply, run};
pub use task::{
    Align, Animate, Cache, Collage, Crop, Enhance, Fallback, Fit, Horizontal, Output, Quality, Resize,
    Rotate, Store, Task, Turn, Vertical, Video,
};
