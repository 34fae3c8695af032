//! Uploads: one way in for every kind of request, from the first byte to the document.
//!
//! `started → recorded`, or `failed`, or `abandoned` (see `db::models::uploads`). The intent is written before Filestack hears of
//! the file, and its id is part of the storage path, so that whatever happens a stray file can be traced to what it was meant
//! to be. Bytes go on while they come in: part after part, each held in memory that is set aside for it, never on disk.
//!
//! Filestack wants to know a file's exact size before its first byte. How that is found is in [`receive`](receive()).

mod blocks;
mod body;
mod budget;
mod intent;
mod receive;

pub use body::{Size, Source, too_large};
pub use budget::Budget;
pub use intent::By;
pub(in crate::services) use intent::adopt;
pub use intent::named;
pub use receive::{LOOKAHEAD, NewFile, Received, fingerprint, receive, receive_once};
