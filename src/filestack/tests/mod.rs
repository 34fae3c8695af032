//! The client against servers on real sockets that behave, and others that do not.

mod failures;
mod fake;
mod files;
mod intelligent;
mod store;
mod uploads;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use self::fake::Fake;
use super::*;

/// Impatient enough for tests: parts of ten bytes, waits of microseconds.
fn options() -> Options {
    Options {
        part_size: 10,
        window: 2,
        retries: 3,
        backoff: Duration::from_micros(50),
        longest_backoff: Duration::from_millis(1),
        complete_attempts: 5,
        ..Options::default()
    }
}

fn client(fake: &Fake, options: Options) -> Filestack {
    let credentials = Credentials::new("AKEYz", "CANARYSECRET").unwrap();
    Filestack::new(credentials, Endpoints::single(fake.url.clone()), options).unwrap()
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn grant(fs: &Filestack, purpose: Purpose<'_>) -> Grant {
    fs.grant(purpose, now(), Duration::from_secs(300))
}

fn upload_grant(fs: &Filestack) -> Grant {
    grant(
        fs,
        Purpose::Upload {
            path: "user-uploads/o/u/",
            max_size: 1000,
        },
    )
}

fn new_upload(size: usize) -> NewUpload {
    NewUpload {
        filename: "cat, the.png".into(),
        mimetype: "image/png".into(),
        size: size as u64,
        path: Some("user-uploads/o/u/".into()),
        ..NewUpload::default()
    }
}

/// Bytes of which no two parts are alike.
fn content(len: usize) -> Bytes {
    (0..len).map(|i| (i % 251) as u8).collect()
}

async fn upload(fake: &Fake, options: Options, len: usize) -> Result<StoredFile, FilestackError> {
    let fs = client(fake, options);
    fs.upload_bytes(new_upload(len), upload_grant(&fs), content(len))
        .await
}
