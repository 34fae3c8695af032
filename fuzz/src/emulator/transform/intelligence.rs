//! Of `intelligence`, the questions that paths name.

#[path = "../../../../src/emulator/transform/intelligence/question.rs"]
mod question;

pub use question::{Question, Sentiment};
