//! Kinds of jobs, and what holds for all jobs of a kind.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What a job does. Its word is kept in rows: it never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Reads what Filestack knows about a document's file.
    ReadMetadata,
    /// Compares the size and SHA-256 that Filestack has with those that were seen at the upload.
    VerifyFile,
    /// Has Filestack's CDN make the thumbnail before somebody waits for it.
    PrepareThumbnail,
    /// Names what is to be seen on a picture.
    TagImage,
    /// Tells whether a picture is safe for work.
    RateImage,
    /// Reads the text on a picture, for search.
    ReadText,
    /// Has a video converted.
    TranscodeVideo,
    /// Has a file looked at for viruses.
    ScanFile,
    /// Sends an e-mail.
    SendMail,
    /// Removes a file at Filestack.
    RemoveFile,
    /// Compares the rows with what is at Filestack.
    Reconcile,
    /// Enters webhooks in the ledger that came together.
    RecordEvents,
    /// Does what webhooks said that came together.
    ApplyEvents,
}

/// What a worker must know before it takes a job of a kind.
#[derive(Clone, Copy, Debug)]
pub struct Traits {
    /// Most that run at once, over all workers.
    pub at_once: Option<u32>,
    /// Whether it can do nothing while Filestack cannot be reached.
    pub needs_filestack: bool,
    /// Attempts before it is dead.
    pub max_attempts: i32,
    /// An attempt that takes longer is given up.
    pub time: Duration,
}

impl Kind {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Kind; 13] = [
        Kind::ReadMetadata,
        Kind::VerifyFile,
        Kind::PrepareThumbnail,
        Kind::TagImage,
        Kind::RateImage,
        Kind::ReadText,
        Kind::TranscodeVideo,
        Kind::ScanFile,
        Kind::SendMail,
        Kind::RemoveFile,
        Kind::Reconcile,
        Kind::RecordEvents,
        Kind::ApplyEvents,
    ];

    /// The word kept in rows, and written and read everywhere.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Kind::ReadMetadata => "read-metadata",
            Kind::VerifyFile => "verify-file",
            Kind::PrepareThumbnail => "prepare-thumbnail",
            Kind::TagImage => "tag-image",
            Kind::RateImage => "rate-image",
            Kind::ReadText => "read-text",
            Kind::TranscodeVideo => "transcode-video",
            Kind::ScanFile => "scan-file",
            Kind::SendMail => "send-mail",
            Kind::RemoveFile => "remove-file",
            Kind::Reconcile => "reconcile",
            Kind::RecordEvents => "record-events",
            Kind::ApplyEvents => "apply-events",
        }
    }

    /// What holds for all jobs of this kind.
    pub const fn traits(self) -> Traits {
        const USUAL: Traits = Traits {
            at_once: None,
            needs_filestack: true,
            max_attempts: 8,
            time: Duration::from_secs(120),
        };
        match self {
            // Streams whole files: two of them fill a network that people upload through.
            Kind::VerifyFile => Traits {
                at_once: Some(2),
                time: Duration::from_secs(3_600),
                ..USUAL
            },
            Kind::TranscodeVideo | Kind::ScanFile => Traits {
                at_once: Some(8),
                ..USUAL
            },
            Kind::SendMail => Traits {
                at_once: Some(4),
                needs_filestack: false,
                ..USUAL
            },
            // Whoever asked for a file to be gone was told that it will be.
            Kind::RemoveFile => Traits {
                max_attempts: 1_000,
                ..USUAL
            },
            Kind::Reconcile => Traits {
                at_once: Some(1),
                time: Duration::from_secs(3_600),
                ..USUAL
            },
            // Filestack was told that they are.
            Kind::RecordEvents => Traits {
                needs_filestack: false,
                max_attempts: 1_000,
                ..USUAL
            },
            // Most of them need nothing but rows.
            Kind::ApplyEvents => Traits {
                needs_filestack: false,
                max_attempts: 12,
                ..USUAL
            },
            _ => USUAL,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| {
                let words: Vec<_> = Self::ALL.iter().map(Kind::as_str).collect();
                format!("there is no such kind of job; choose one of {}", words.join(", "))
            })
    }
}

/// What is done first. Few and fixed: the next job is looked for in each of them, one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Somebody waits for it.
    High,
    /// As it comes.
    #[default]
    Normal,
    /// When there is nothing else to do.
    Low,
}

impl Priority {
    /// All of them, the most urgent first.
    pub const ALL: [Priority; 3] = [Priority::High, Priority::Normal, Priority::Low];

    /// The number kept in rows.
    pub const fn number(self) -> i32 {
        match self {
            Priority::High => -1,
            Priority::Normal => 0,
            Priority::Low => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_back_from_its_word() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert!(kind.traits().max_attempts > 0);
        }
        assert!("verify".parse::<Kind>().is_err());
    }
}
