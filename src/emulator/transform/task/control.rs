//! Tasks that the routes carry out: where a result goes, what is sent when there is none, how long an
//! answer may be kept (§6.6).

use super::lacks;
use crate::emulator::transform::error::GrammarError;
use crate::emulator::transform::spec::CheckedArgs;

/// How long an answer may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// As without the task.
    Default,
    /// Not at all.
    Off,
    /// So many seconds.
    Seconds(u32),
    /// As long as possible.
    Max,
}

/// Where and how a result is kept (§6.6); what is not given is as for an upload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Store {
    /// The new file's name.
    pub filename: Option<String>,
    /// The storage.
    pub location: Option<String>,
    /// The folder, or the key itself.
    pub path: Option<String>,
    /// The bucket.
    pub container: Option<String>,
    /// The storage's region.
    pub region: Option<String>,
    /// Who may read it there.
    pub access: Option<String>,
    /// Whether the content is base64 of what to keep.
    pub base64: Option<bool>,
    /// Ids of workflows to run on it.
    pub workflows: Vec<String>,
}

impl Store {
    /// The options of several tasks in one: a later one adds to those before it and wins where both say something.
    #[must_use]
    pub fn merged(self, later: Self) -> Self {
        let mut workflows = self.workflows;
        workflows.extend(later.workflows);
        Self {
            filename: later.filename.or(self.filename),
            location: later.location.or(self.location),
            path: later.path.or(self.path),
            container: later.container.or(self.container),
            region: later.region.or(self.region),
            access: later.access.or(self.access),
            base64: later.base64.or(self.base64),
            workflows,
        }
    }
}

/// What is sent when the source fails (§6.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// The file that is sent instead.
    pub handle: String,
    /// How many seconds that answer may be kept.
    pub cache: Option<u32>,
}

pub(super) fn store(args: &CheckedArgs) -> Result<Store, GrammarError> {
    // §11.3
    const MAX_WORKFLOWS: usize = 20;
    let text = |name| args.text(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let workflows = args.texts("workflows").to_vec();
    if workflows.len() > MAX_WORKFLOWS {
        return Err(lacks("store", "it runs at most 20 workflows"));
    }
    Ok(Store {
        filename: text("filename"),
        location: text("location"),
        path: text("path"),
        container: text("container"),
        region: text("region"),
        access: text("access"),
        base64: args.flag("base64decode"),
        workflows,
    })
}

/// JS names the file `handle`, Python `file` (§12).
pub(super) fn fallback(args: &CheckedArgs) -> Result<Fallback, GrammarError> {
    let handle = args.text("handle").or(args.text("file")).unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if handle.is_empty() || !handle.bytes().all(plain) {
        return Err(lacks("fallback", "it needs the `handle` of a file"));
    }
    Ok(Fallback {
        handle: handle.to_owned(),
        cache: args.whole("cache"),
    })
}

pub(super) fn cache(args: &CheckedArgs) -> Cache {
    match (args.flag("store"), args.whole("expiry"), args.word("expiry")) {
        (Some(false), _, _) => Cache::Off,
        (_, Some(seconds), _) => Cache::Seconds(seconds),
        (_, None, Some(_)) => Cache::Max,
        (_, None, None) => Cache::Default,
    }
}
