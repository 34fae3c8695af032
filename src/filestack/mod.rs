//! A client for the Filestack API: policies, streamed uploads, file calls, delivery and transformation URLs, webhooks.
//!
//! It uses nothing else of this project, so that it could be a crate by itself. The way in is [`Filestack`]: a cheap
//! handle made once from [`Credentials`], [`Endpoints`] and [`Options`]. Every call to the server takes a [`Grant`], which
//! [`Filestack::grant`] signs for one [`Purpose`] and a few minutes; there is no other way to get one, so nothing is ever
//! sent with more rights than it needs. [`FilestackError`] says what the caller may do about a failure and never holds a
//! secret, a policy, a signature or a signed address.
//!
//! ```no_run
//! # use std::time::{Duration, SystemTime};
//! # use satchel::filestack::*;
//! # async fn example() -> Result<(), FilestackError> {
//! let credentials = Credentials::new("YOUR_API_KEY", "YOUR_APP_SECRET")?;
//! let fs = Filestack::new(credentials, Endpoints::filestack(), Options::default())?;
//! let (now, five_minutes) = (SystemTime::now(), Duration::from_secs(300));
//!
//! let grant = fs.grant(Purpose::Upload { path: "letters/", max_size: 5 }, now, five_minutes);
//! let new = NewUpload {
//!     filename: "hello.txt".into(),
//!     mimetype: "text/plain".into(),
//!     size: 5,
//!     path: Some("letters/".into()),
//!     ..NewUpload::default()
//! };
//! let file = fs.upload_bytes(new, grant, "hello".into()).await?;
//!
//! let grant = fs.grant(Purpose::Read { handle: &file.handle }, now, five_minutes);
//! println!("{}", fs.delivery_url(&file.handle, Some(&grant)));
//! # Ok(()) }
//! ```
//!
//! Where to look next: `policy` (what each purpose may do), `upload` (multipart and intelligent ingestion), `files` and
//! `store` (everything else that talks to the server), `delivery` and [`transform`] (URLs, no traffic), [`webhook`].

mod body;
mod client;
mod credentials;
mod delivery;
mod encode;
mod endpoints;
mod error;
mod files;
mod handle;
mod options;
mod policy;
mod read;
mod reply;
mod retry;
mod store;
mod tasks;
mod transfers;
pub mod transform;
mod upload;
pub mod webhook;

#[cfg(test)]
mod tests;

pub use client::Filestack;
pub use credentials::{ApiKey, AppSecret, Credentials};
pub use endpoints::Endpoints;
pub use error::FilestackError;
pub use files::{Metadata, MetadataField, Overwritten};
pub use handle::Handle;
pub use options::Options;
pub use policy::{Grant, Purpose};
pub use read::Content;
pub use store::{Access, Location, NewStore, StoreOptions, StoredFile};
pub use tasks::{Tags, VideoConversion, WorkflowRun};
pub use transfers::Transfers;
pub use transform::Transform;
pub use upload::{NewUpload, PartBytes, Upload};
