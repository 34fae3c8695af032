//! What can be asked of the control surface, checked; JSON and forms both become these.

use std::fmt;
use std::io::{self, ErrorKind};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::task::spawn_blocking;

use crate::emulator::controls::{Controls, Fault, Waiting};
use crate::emulator::store::Meta;

/// Failures that may wait at once.
pub(super) const MAX_WAITING: usize = 200;
/// A call that waits longer than this on demand was not meant.
const MAX_DELAY: Duration = Duration::from_secs(60 * 60);
/// Files and calls in one reply.
pub(super) const MAX_LISTED: usize = 1_000;

pub(super) type Outcome<T> = Result<T, Wrong>;

/// Why nothing was done, in a sentence.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) status: StatusCode,
    pub(super) sentence: String,
}

impl Wrong {
    pub(super) fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self {
            status,
            sentence: sentence.into(),
        }
    }

    pub(super) fn bad(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, sentence)
    }

    pub(super) fn missing(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, sentence)
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl ResponseError for Wrong {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status).json(json!({ "error": self.sentence }))
    }
}

impl From<io::Error> for Wrong {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::InvalidInput => Self::bad(error.to_string()),
            ErrorKind::NotFound => Self::missing(error.to_string()),
            _ => {
                log::error!("emulator: {error}");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "The emulator's directory could not be read or written; its log says why",
                )
            }
        }
    }
}

/// Moves or stops the time.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum SetClock {
    Shift { seconds: f64 },
    Freeze { at: Option<Moment> },
    Resume {},
}

/// A moment, as text or as seconds since 1970.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Moment {
    Seconds(f64),
    Text(String),
}

impl Moment {
    fn read(&self) -> Outcome<SystemTime> {
        let wrong = || {
            Wrong::bad("Write the moment as 2030-01-31T12:00:00Z, or as seconds since 1970; not before that")
        };
        match self {
            Self::Seconds(seconds) => Duration::try_from_secs_f64(*seconds)
                .ok()
                .and_then(|since| UNIX_EPOCH.checked_add(since))
                .ok_or_else(wrong),
            Self::Text(text) => {
                let moment = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| wrong())?;
                let ms = moment.unix_timestamp_nanos() / 1_000_000;
                let ms = u64::try_from(ms).map_err(|_| wrong())?;
                Ok(UNIX_EPOCH + Duration::from_millis(ms))
            }
        }
    }
}

impl SetClock {
    pub(super) fn apply(&self, controls: &Controls) -> Outcome<()> {
        let clock = controls.clock();
        match self {
            // The cast saturates, and so does the clock.
            Self::Shift { seconds } if seconds.is_finite() => clock.shift_ms((seconds * 1000.0) as i64),
            Self::Shift { .. } => return Err(Wrong::bad("The shift is not a number of seconds")),
            Self::Freeze { at } => {
                let at = at.as_ref().map(Moment::read).transpose()?;
                clock.freeze(at.unwrap_or_else(|| clock.now()));
            }
            Self::Resume {} => clock.resume(),
        }
        Ok(())
    }
}

/// Lets a failure wait.
pub(super) fn add_fault(controls: &Controls, waiting: Waiting) -> Outcome<()> {
    if waiting.times == 0 {
        return Err(Wrong::bad(
            "A failure happens at least once: `times` is 1 or more",
        ));
    }
    match &waiting.fault {
        Fault::Status(status) => check_status(*status)?,
        Fault::Reply { status, headers, .. } => {
            check_status(*status)?;
            for (name, value) in headers {
                let is_header = HeaderName::try_from(name.as_str()).is_ok()
                    && HeaderValue::try_from(value.as_str()).is_ok();
                if !is_header {
                    return Err(Wrong::bad(format!("{name:?} is not a header with a value")));
                }
            }
        }
        Fault::Delay(time) if *time > MAX_DELAY => {
            return Err(Wrong::bad("A call may be made to wait an hour at most"));
        }
        Fault::SlowBody { bytes_per_second: 0 } => {
            return Err(Wrong::bad("A slow body moves at least 1 byte each second"));
        }
        _ => {}
    }
    let faults = controls.faults();
    if faults.waiting().len() >= MAX_WAITING {
        return Err(Wrong::bad(format!(
            "{MAX_WAITING} failures wait already: clear them first"
        )));
    }
    faults.next_times(waiting.route, waiting.times, waiting.fault);
    Ok(())
}

fn check_status(status: u16) -> Outcome<()> {
    if (200..=599).contains(&status) {
        Ok(())
    } else {
        Err(Wrong::bad("A status is a number from 200 to 599"))
    }
}

/// Switches an application's security.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetApp {
    pub(super) key: String,
    pub(super) secured: bool,
}

impl SetApp {
    pub(super) fn apply(&self, controls: &Controls) -> Outcome<()> {
        if controls.secure(&self.key, self.secured) {
            Ok(())
        } else {
            Err(Wrong::missing("There is no app with this key"))
        }
    }
}

/// Keeps the emulator's state, brings it back, forgets it.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum ChangeSnapshot {
    Save { name: String },
    Load { name: String },
    Delete { name: String },
}

impl ChangeSnapshot {
    /// Says how many files are in it now.
    pub(super) async fn apply(self, controls: &Controls) -> Outcome<usize> {
        let controls = controls.clone();
        let change = move || match self {
            Self::Save { name } => controls.save(&name),
            Self::Load { name } => controls.load(&name),
            Self::Delete { name } => controls.delete_snapshot(&name).map(|()| 0),
        };
        blocking(change).await
    }
}

pub(super) async fn reset(controls: &Controls) -> Outcome<()> {
    let controls = controls.clone();
    blocking(move || controls.reset()).await
}

/// The newest files, and how many there are.
pub(super) async fn files(controls: &Controls, most: usize) -> Outcome<(Vec<(String, Meta)>, usize)> {
    let store = controls.store().clone();
    let list = move || {
        let handles = store.handles()?;
        let total = handles.len();
        let mut files = Vec::new();
        for handle in handles {
            // One that cannot be read is one that a delivery will complain about.
            if let Ok(Some(meta)) = store.get(&handle) {
                files.push((handle, meta));
            }
            if files.len() >= 2 * most {
                newest(&mut files, most);
            }
        }
        newest(&mut files, most);
        Ok((files, total))
    };
    blocking(list).await
}

fn newest(files: &mut Vec<(String, Meta)>, most: usize) {
    files.sort_by(|(one, a), (other, b)| b.uploaded_ms.cmp(&a.uploaded_ms).then_with(|| one.cmp(other)));
    files.truncate(most);
}

/// A command that was already read as JSON.
pub(super) fn from_json<T: DeserializeOwned>(value: Value) -> Outcome<T> {
    serde_json::from_value(value).map_err(|error| Wrong::bad(format!("That cannot be done: {error}")))
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Outcome<T> {
    Ok(spawn_blocking(work).await.map_err(io::Error::other)??)
}
