//! Jobs: the administrators' list of all, and the steps on a document's page.

use askama::Template;
use time::OffsetDateTime;
use url::form_urlencoded;

use super::filters;
use super::shell::Shell;

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

/// One job in the list.
#[derive(Debug, Clone)]
pub struct JobRow {
    /// Its id.
    pub id: String,
    /// What it does, as a word.
    pub kind: String,
    /// How far.
    pub status: JobStatus,
    /// Attempts so far, and at most.
    pub attempts: (i32, i32),
    /// Per cent.
    pub progress: i32,
    /// What the last attempt had to say.
    pub reason: Option<String>,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// Not before then.
    pub run_at: OffsetDateTime,
    /// When it ended.
    pub finished_at: Option<OffsetDateTime>,
}

impl JobRow {
    /// Whether it can be called off.
    pub fn can_be_cancelled(&self) -> bool {
        matches!(self.status, JobStatus::Waiting | JobStatus::Running)
    }

    /// What trying it now is called, if it can be tried.
    pub fn attempt(&self) -> Option<&'static str> {
        match self.status {
            JobStatus::Waiting => Some("Run now"),
            JobStatus::Dead | JobStatus::Cancelled => Some("Try again"),
            JobStatus::Running | JobStatus::Done => None,
        }
    }

    /// Whether it waits for a later time.
    pub fn is_delayed(&self, now: &OffsetDateTime) -> bool {
        self.status == JobStatus::Waiting && self.run_at > *now
    }
}

/// `GET /admin/jobs`: one page of the list.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/jobs.html")]
pub struct JobIndexPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The time that "3 hours ago" is counted from.
    pub now: OffsetDateTime,
    /// The state that is shown; all when none.
    pub state: Option<JobStatus>,
    /// The kind that is shown; all when empty.
    pub kind: String,
    /// Every kind there is.
    pub kinds: Vec<&'static str>,
    /// Why jobs that need Filestack are left alone just now, and until when.
    pub breaker: Option<(String, OffsetDateTime)>,
    /// The jobs of this page.
    pub rows: Vec<JobRow>,
    /// The cursor for `before`, if there is a previous page.
    pub previous: Option<String>,
    /// The cursor for `after`, if there is a next page.
    pub next: Option<String>,
}

impl JobIndexPage {
    /// Whether only some are shown.
    pub fn is_filtered(&self) -> bool {
        self.state.is_some() || !self.kind.is_empty()
    }

    /// Whether only this kind is shown.
    pub fn shows(&self, kind: &str) -> bool {
        self.kind == kind
    }

    /// The states of the filter.
    pub fn states(&self) -> [JobStatus; 5] {
        JobStatus::ALL
    }

    /// The page before or after this one: `key` is `before` or `after`.
    pub fn page_href(&self, key: &str, cursor: &str) -> String {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        if let Some(state) = self.state {
            pairs.append_pair("state", state.word());
        }
        if !self.kind.is_empty() {
            pairs.append_pair("kind", &self.kind);
        }
        pairs.append_pair(key, cursor);
        format!("/admin/jobs?{}", pairs.finish())
    }
}

#[cfg(test)]
mod samples {
    use time::macros::datetime;

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

    const NOW: OffsetDateTime = datetime!(2026-03-12 14:05 UTC);

    impl JobRow {
        fn sample(kind: &str, status: JobStatus, reason: Option<&str>) -> Self {
            JobRow {
                id: format!("0195a3c2-sample-{kind}"),
                kind: kind.into(),
                status,
                attempts: (1, 8),
                progress: if status == JobStatus::Done { 100 } else { 0 },
                reason: reason.map(str::to_owned),
                created_at: NOW - time::Duration::minutes(3),
                run_at: NOW + time::Duration::minutes(2),
                finished_at: None,
            }
        }
    }

    impl JobIndexPage {
        pub(in super::super) fn sample() -> Self {
            JobIndexPage {
                shell: Shell::sample("/admin/jobs"),
                now: NOW,
                state: None,
                kind: String::new(),
                kinds: vec!["read-metadata", "verify-file", "send-mail"],
                breaker: Some((
                    "Filestack cannot be reached: no connection.".into(),
                    NOW + time::Duration::seconds(30),
                )),
                rows: vec![
                    JobRow::sample("read-metadata", JobStatus::Waiting, None),
                    JobRow::sample(
                        "transcode-video",
                        JobStatus::Running,
                        Some("The video is being converted."),
                    ),
                    JobRow::sample(
                        "verify-file",
                        JobStatus::Done,
                        Some("Filestack has exactly the bytes."),
                    ),
                    JobRow::sample(
                        "tag-image",
                        JobStatus::Dead,
                        Some("Filestack refused the request (403): <b>no</b>."),
                    ),
                    JobRow::sample(
                        "send-mail",
                        JobStatus::Cancelled,
                        Some("Called off by ana@example.org."),
                    ),
                ],
                previous: None,
                next: Some("c1".into()),
            }
        }

        pub(in super::super) fn sample_empty() -> Self {
            JobIndexPage {
                state: Some(JobStatus::Dead),
                kind: "send-mail".into(),
                breaker: None,
                rows: Vec::new(),
                next: None,
                ..Self::sample()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_other_pages_keep_the_filter() {
        let page = JobIndexPage {
            state: Some(JobStatus::Dead),
            ..JobIndexPage::sample()
        };
        assert_eq!(page.page_href("after", "1-x"), "/admin/jobs?state=dead&after=1-x");
    }

    #[test]
    fn what_can_be_done_with_a_job_follows_from_its_state() {
        let rows = JobIndexPage::sample().rows;
        let of = |status| rows.iter().find(|row| row.status == status).expect("a sample");
        assert_eq!(of(JobStatus::Waiting).attempt(), Some("Run now"));
        assert_eq!(of(JobStatus::Dead).attempt(), Some("Try again"));
        assert_eq!(of(JobStatus::Done).attempt(), None);
        assert!(of(JobStatus::Running).can_be_cancelled() && !of(JobStatus::Dead).can_be_cancelled());
    }
}
