//! Policies: what a purpose may do, written down and signed.
//!
//! There is no default policy and no way to sign an arbitrary one. A [`Purpose`] names the one thing that is going to be
//! done; it decides the calls, the file or path, and the sizes. Time comes from the caller, so a grant's end can be tested.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;
use url::Url;

use super::credentials::AppSecret;
use super::encode::hex;
use super::handle::Handle;

/// The one thing a [`Grant`] is for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose<'a> {
    /// The server stores one file below (or, without a slash at the end, exactly at) a storage path.
    Upload {
        /// The path; one that ends in `/` is a folder.
        path: &'a str,
        /// The largest file that may be stored.
        max_size: u64,
    },
    /// A browser stores one file: like [`Upload`](Self::Upload), and tied to a bucket when there is one.
    PickerUpload {
        /// The path; one that ends in `/` is a folder.
        path: &'a str,
        /// The largest file that may be stored.
        max_size: u64,
        /// The only bucket that may be used.
        container: Option<&'a str>,
    },
    /// Download one file.
    Read {
        /// The file.
        handle: &'a Handle,
    },
    /// See transformations of one file.
    Convert {
        /// The file.
        handle: &'a Handle,
    },
    /// See transformations of a file elsewhere.
    ConvertUrl {
        /// The file's address.
        url: &'a Url,
    },
    /// Read one file's metadata.
    Stat {
        /// The file.
        handle: &'a Handle,
    },
    /// Read one file's metadata including EXIF, which Filestack never grants by implication.
    StatExif {
        /// The file.
        handle: &'a Handle,
    },
    /// Replace one file's content.
    Overwrite {
        /// The file.
        handle: &'a Handle,
        /// The largest content that may replace it.
        max_size: u64,
    },
    /// Replace one file's content by what is at an address.
    OverwriteFromUrl {
        /// The file.
        handle: &'a Handle,
        /// The only address that may be read.
        url: &'a Url,
    },
    /// Delete one file.
    Remove {
        /// The file.
        handle: &'a Handle,
    },
    /// Run a workflow on one file.
    RunWorkflow {
        /// The file.
        handle: &'a Handle,
    },
    /// See how far runs of workflows are: a run cannot be named in a policy.
    WatchWorkflow,
    /// Store what is at an address.
    StoreUrl {
        /// The only address that may be read.
        url: &'a Url,
        /// The path; one that ends in `/` is a folder.
        path: &'a str,
        /// The largest file that may be stored.
        max_size: u64,
    },
}

/// The policy object; absent fields restrict nothing, so each purpose must set those that matter.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Policy<'a> {
    call: &'static [&'static str],
    expiry: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    handle: Option<&'a Handle>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_size: Option<u64>,
}

impl<'a> Policy<'a> {
    fn of(purpose: Purpose<'a>, expiry: u64) -> Self {
        let bare = || Self {
            call: &[],
            expiry,
            handle: None,
            path: None,
            container: None,
            url: None,
            max_size: None,
        };
        let file = |call, handle| Self {
            call,
            handle: Some(handle),
            ..bare()
        };
        match purpose {
            Purpose::Upload { path, max_size } => Self::upload(expiry, path, max_size, None),
            Purpose::PickerUpload {
                path,
                max_size,
                container,
            } => Self::upload(expiry, path, max_size, container),
            Purpose::Read { handle } => file(&["read"], handle),
            Purpose::Convert { handle } => file(&["read", "convert"], handle),
            Purpose::ConvertUrl { url } => Self {
                call: &["read", "convert"],
                url: Some(exactly(url.as_str())),
                ..bare()
            },
            Purpose::Stat { handle } => file(&["stat"], handle),
            Purpose::StatExif { handle } => file(&["stat", "exif"], handle),
            Purpose::Overwrite { handle, max_size } => Self {
                call: &["write"],
                handle: Some(handle),
                max_size: Some(max_size.max(1)),
                ..bare()
            },
            Purpose::OverwriteFromUrl { handle, url } => Self {
                call: &["writeUrl"],
                handle: Some(handle),
                url: Some(exactly(url.as_str())),
                ..bare()
            },
            Purpose::Remove { handle } => file(&["remove"], handle),
            Purpose::RunWorkflow { handle } => file(&["convert", "runWorkflow"], handle),
            Purpose::WatchWorkflow => Self {
                call: &["convert", "runWorkflow"],
                ..bare()
            },
            Purpose::StoreUrl { url, path, max_size } => Self {
                call: &["store"],
                url: Some(exactly(url.as_str())),
                path: Some(below(path)),
                max_size: Some(max_size.max(1)),
                ..bare()
            },
        }
    }

    fn upload(expiry: u64, path: &str, max_size: u64, container: Option<&str>) -> Self {
        Self {
            call: &["pick", "store"],
            expiry,
            handle: None,
            path: Some(below(path)),
            container: container.map(exactly),
            url: None,
            // Nobody says whether 0 means "nothing" or "no limit".
            max_size: Some(max_size.max(1)),
        }
    }
}

fn exactly(text: &str) -> String {
    format!("^{}$", escape(text))
}

/// A path, and for a folder the file directly in it. Filestack does not say whether it matches the path that was asked for
/// or the key that comes of it, nor whether that starts with a slash: this holds for all of them, and lets nobody climb out
/// or into a folder below.
fn below(path: &str) -> String {
    let path = path.trim_start_matches('/');
    let rest = if path.ends_with('/') { "[^/]*" } else { "" };
    format!("^/?{}{rest}$", escape(path))
}

/// Only what every regular-expression dialect knows as special; escaping more means something else in some of them.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A signed policy: the right to one [`Purpose`] until a moment.
///
/// It is neither `Clone` nor built from parts, and calls take it by value: a grant kept for reuse does not compile.
///
/// ```compile_fail,E0382
/// # use satchel::filestack::*;
/// # async fn p6(fs: Filestack, handle: Handle, grant: Grant) -> Result<(), FilestackError> {
/// fs.delete(&handle, grant).await?;
/// fs.delete(&handle, grant).await
/// # }
/// ```
pub struct Grant {
    policy: String,
    signature: String,
    expires_at: SystemTime,
}

impl Grant {
    pub(super) fn sign(secret: &AppSecret, purpose: Purpose<'_>, now: SystemTime, ttl: Duration) -> Self {
        let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let expiry = since_epoch.as_secs().saturating_add(ttl.as_secs());
        let json =
            serde_json::to_vec(&Policy::of(purpose, expiry)).expect("a policy holds only text and numbers");
        let policy = URL_SAFE.encode(json);
        let signature = signature(secret, &policy);
        let expires_at = UNIX_EPOCH.checked_add(Duration::from_secs(expiry)).unwrap_or(now);
        Self {
            policy,
            signature,
            expires_at,
        }
    }

    /// The policy as Filestack wants it: URL-safe base64 with its padding.
    pub fn policy(&self) -> &str {
        &self.policy
    }

    /// The policy's signature in hex.
    pub fn signature(&self) -> &str {
        &self.signature
    }

    /// The first moment at which it is worth nothing.
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

fn signature(secret: &AppSecret, encoded_policy: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(encoded_policy.as_bytes());
    hex(&mac.finalize().into_bytes())
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
