//! Jobs: the administrators' list of all, and the steps on a document's page.

use askama::Template;
use time::OffsetDateTime;

use super::filters;
use super::shell::Shell;
use super::table::Table;

/// How far a job has come, as a page shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobStatus {
    /// It waits.
    Waiting,
    /// It runs.
    Running,
    /// It is done.
    Done,
    /// It failed for good.
    Dead,
    /// It was called off.
    Cancelled,
}

impl JobStatus {
    /// All of them, in the order of the filter.
    pub const ALL: [JobStatus; 5] = [
        JobStatus::Waiting,
        JobStatus::Running,
        JobStatus::Done,
        JobStatus::Dead,
        JobStatus::Cancelled,
    ];

    /// The word in addresses, for scripts too.
    pub fn word(self) -> &'static str {
        match self {
            JobStatus::Waiting => "waiting",
            JobStatus::Running => "running",
            JobStatus::Done => "done",
            JobStatus::Dead => "dead",
            JobStatus::Cancelled => "cancelled",
        }
    }

    /// The status in words.
    pub fn label(self) -> &'static str {
        match self {
            JobStatus::Waiting => "Waiting",
            JobStatus::Running => "Running",
            JobStatus::Done => "Done",
            JobStatus::Dead => "Failed",
            JobStatus::Cancelled => "Cancelled",
        }
    }

    /// The icon beside the words.
    pub fn icon(self) -> &'static str {
        match self {
            JobStatus::Waiting | JobStatus::Running => "clock",
            JobStatus::Done => "check",
            JobStatus::Dead => "alert",
            JobStatus::Cancelled => "close",
        }
    }

    /// Whether such a job can be called off.
    pub fn can_be_cancelled(self) -> bool {
        matches!(self, JobStatus::Waiting | JobStatus::Running)
    }

    /// What trying it now is called, if it can be tried.
    pub fn attempt(self) -> Option<&'static str> {
        match self {
            JobStatus::Waiting => Some("Run now"),
            JobStatus::Dead | JobStatus::Cancelled => Some("Try again"),
            JobStatus::Running | JobStatus::Done => None,
        }
    }

    /// The class that colours it.
    pub fn class(self) -> &'static str {
        match self {
            JobStatus::Waiting | JobStatus::Running => "status-processing",
            JobStatus::Done => "status-ready",
            JobStatus::Dead => "status-failed",
            JobStatus::Cancelled => "status-off",
        }
    }
}

/// A step of a document's processing, as its page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRow {
    /// What it does, as a word.
    pub kind: String,
    /// How far.
    pub status: JobStatus,
    /// What it found, or why it failed.
    pub says: Option<String>,
}

impl StepRow {
    /// What it does, in words.
    pub fn label(&self) -> &str {
        match self.kind.as_str() {
            "scan-file" => "Look for viruses",
            "read-metadata" => "Read the file's details",
            "verify-file" => "Compare with what was uploaded",
            "prepare-thumbnail" => "Make the thumbnail",
            "tag-image" => "Recognise what is to be seen",
            "rate-image" => "See whether it is safe for work",
            "read-text" => "Read the text on it",
            "transcode-video" => "Convert the video",
            "send-mail" => "Write to you",
            other => other,
        }
    }

    /// Whether there is more to come.
    pub fn is_open(&self) -> bool {
        matches!(self.status, JobStatus::Waiting | JobStatus::Running)
    }
}

/// `GET /admin/jobs`.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/jobs.html")]
pub struct JobIndexPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// Why jobs that need Filestack are left alone just now, and until when.
    pub breaker: Option<(String, OffsetDateTime)>,
    /// Where those that failed are tried again, if some of these can have.
    pub attempts_href: Option<String>,
    /// The jobs.
    pub table: Table,
}

/// A failed job, before it is tried again.
#[derive(Debug, Clone)]
pub struct JobAttemptRow {
    /// Id.
    pub id: String,
    /// Kind.
    pub kind: String,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// Why it failed.
    pub reason: String,
    /// The job that does the same and has not ended, which keeps this one from being tried.
    pub other: Option<String>,
}

/// `GET /admin/jobs/attempts`: which failed jobs would be tried again, before they are.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/attempts.html")]
pub struct JobAttemptsPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The time that "3 hours ago" is counted from.
    pub now: OffsetDateTime,
    /// Only those of this kind; of any when empty.
    pub kind: String,
    /// How many would be tried.
    pub count: i64,
    /// How many of each kind.
    pub kinds: Vec<(String, i64)>,
    /// How many have failed, those that would not be tried among them.
    pub found: i64,
    /// Whether there are more.
    pub has_more: bool,
    /// The oldest of them.
    pub rows: Vec<JobAttemptRow>,
    /// How many are counted and not named.
    pub unnamed: i64,
}

#[cfg(test)]
mod samples {
    use time::macros::datetime;

    use super::super::table::{Cell, RowAction, TableFilter, TableRow};

    impl StepRow {
        pub(in super::super) fn sample(kind: &str, status: JobStatus, says: Option<&str>) -> Self {
            StepRow {
                kind: kind.into(),
                status,
                says: says.map(str::to_owned),
            }
        }
    }

    use super::*;

    impl JobAttemptsPage {
        pub(in super::super) fn sample() -> Self {
            let row = |id: &str, other: Option<&str>| JobAttemptRow {
                id: id.into(),
                kind: "read-metadata".into(),
                created_at: datetime!(2026-03-12 13:05 UTC),
                reason: "Filestack answered 403 <b>&\" and so on.".into(),
                other: other.map(str::to_owned),
            };
            JobAttemptsPage {
                shell: Shell::sample("/admin/jobs/attempts"),
                now: datetime!(2026-03-12 14:05 UTC),
                kind: "read-metadata".into(),
                count: 999,
                kinds: vec![("read-metadata".into(), 999)],
                found: 1_000,
                has_more: true,
                rows: vec![
                    row("0195-sample-1", None),
                    row("0195-sample-2", Some("0195-sample-3")),
                ],
                unnamed: 998,
            }
        }

        pub(in super::super) fn sample_empty() -> Self {
            JobAttemptsPage {
                kind: String::new(),
                count: 0,
                kinds: Vec::new(),
                found: 0,
                has_more: false,
                rows: Vec::new(),
                unnamed: 0,
                ..Self::sample()
            }
        }
    }

    impl JobIndexPage {
        pub(in super::super) fn sample() -> Self {
            let row = |status: JobStatus| TableRow {
                id: format!("job-{}", status.word()),
                cells: vec![
                    Cell::Mark {
                        label: status.label().to_owned(),
                        icon: status.icon(),
                        class: status.class(),
                        note: "50 %".into(),
                    },
                    Cell::Actions(vec![RowAction {
                        label: "Try again",
                        href: "/admin/jobs/1/attempt".into(),
                        posts: true,
                    }]),
                ],
            };
            JobIndexPage {
                shell: Shell::sample("/admin/jobs"),
                breaker: Some((
                    "Filestack cannot be reached: no connection.".into(),
                    datetime!(2026-03-12 14:05 UTC),
                )),
                attempts_href: Some("/admin/jobs/attempts".into()),
                table: Table {
                    rows: JobStatus::ALL.into_iter().map(row).collect(),
                    next: Some("c1".into()),
                    ..Table::sample("/admin/jobs")
                },
            }
        }

        pub(in super::super) fn sample_empty() -> Self {
            JobIndexPage {
                breaker: None,
                attempts_href: None,
                table: Table {
                    filters: vec![TableFilter::choice(
                        "state",
                        "State",
                        "dead",
                        vec![("dead", "Failed")],
                    )],
                    ..Table::sample("/admin/jobs")
                },
                ..Self::sample()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_done_with_a_job_follows_from_its_state() {
        assert_eq!(JobStatus::Waiting.attempt(), Some("Run now"));
        assert_eq!(JobStatus::Dead.attempt(), Some("Try again"));
        assert_eq!(JobStatus::Done.attempt(), None);
        assert!(JobStatus::Running.can_be_cancelled() && !JobStatus::Done.can_be_cancelled());
    }
}
