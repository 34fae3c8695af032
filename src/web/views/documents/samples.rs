//! Sample values of the document pages, hostile names among them.

use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::*;
use crate::web::views::JobStatus;

const NOW: OffsetDateTime = datetime!(2026-03-12 14:05 UTC);

impl DocumentRow {
    fn sample(number: i64, name: &str, content_type: &str, size: i64, age: Duration) -> Self {
        DocumentRow {
            id: format!("0195-sample-{number}"),
            name: name.into(),
            content_type: content_type.into(),
            size,
            created_at: NOW - age,
            status: DocumentStatus::Ready,
            tags: String::new(),
            thumbnail_url: None,
        }
    }
}

impl MadeRow {
    fn sample(kind: &str, name: &str, status: MadeStatus) -> Self {
        MadeRow {
            id: format!("0195-sample-{kind}"),
            kind: kind.into(),
            name: name.into(),
            content_type: "application/pdf".into(),
            size: (status == MadeStatus::Ready).then_some(381_220),
            status,
        }
    }
}

impl DocumentIndexPage {
    pub(in super::super) fn sample() -> Self {
        const SHEET: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        const SLIDES: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation";
        const WORDS: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
        let long =
            "Minutes of the extraordinary general meeting with all annexes, signed and scanned in colour.pdf";
        let mut rows = vec![
            DocumentRow::sample(
                1,
                "harbour at dawn.jpg",
                "image/jpeg",
                4_817_224,
                Duration::seconds(20),
            ),
            DocumentRow::sample(
                2,
                "Contract Nordlicht 2026.pdf",
                "application/pdf",
                381_220,
                Duration::minutes(9),
            ),
            DocumentRow::sample(3, "Budget Q2.xlsx", SHEET, 48_130, Duration::hours(3)),
            DocumentRow::sample(
                4,
                "Board deck, final (3).pptx",
                SLIDES,
                18_400_992,
                Duration::hours(26),
            ),
            DocumentRow::sample(5, "Letter to the landlord.docx", WORDS, 23_552, Duration::days(3)),
            DocumentRow::sample(
                6,
                "site-backup.tar.gz",
                "application/gzip",
                7_516_192_768,
                Duration::days(5),
            ),
            DocumentRow::sample(7, "interview.m4a", "audio/mp4", 52_400_118, Duration::days(8)),
            DocumentRow::sample(
                8,
                "drone flight.mp4",
                "video/mp4",
                1_288_490_188,
                Duration::days(40),
            ),
            DocumentRow::sample(
                9,
                "<script>alert(1)</script>.json",
                "application/json",
                0,
                Duration::days(80),
            ),
            DocumentRow::sample(10, long, "application/pdf", 9_812_330, Duration::days(500)),
        ];
        rows[0].thumbnail_url = Some("/documents/0195-sample-1/thumbnail".into());
        rows[1].tags = "contract, <b>, tax 2026".into();
        rows[3].status = DocumentStatus::Processing;
        rows[6].status = DocumentStatus::DeleteFailed;
        DocumentIndexPage {
            shell: Shell::sample("/documents"),
            now: NOW,
            total: 1234,
            total_is_exact: true,
            narrowed: Narrowed::default(),
            sort: DEFAULT_SORT.into(),
            rows,
            here: Some(("after", "cursor-here".into())),
            previous: Some("cursor-before".into()),
            next: Some("cursor-after".into()),
            wrong: None,
        }
    }

    pub(in super::super) fn sample_wrong() -> Self {
        let wrong = Some((
            "tag",
            "The filter names a tag that no document can have. Take it away.".into(),
        ));
        DocumentIndexPage {
            wrong,
            narrowed: Narrowed {
                tag: "a,b \"<b>".into(),
                ..Narrowed::default()
            },
            ..DocumentIndexPage::sample_no_match()
        }
    }

    pub(in super::super) fn sample_search() -> Self {
        let mut page = DocumentIndexPage::sample();
        page.rows.truncate(2);
        DocumentIndexPage {
            narrowed: Narrowed {
                query: "\"a\" & <b>".into(),
                tag: "tax 2026".into(),
                family: "pdf".into(),
                status: "stored".into(),
            },
            sort: "name".into(),
            total: 2,
            total_is_exact: true,
            previous: None,
            next: None,
            ..page
        }
    }

    pub(in super::super) fn sample_no_match() -> Self {
        DocumentIndexPage {
            rows: Vec::new(),
            total: 0,
            total_is_exact: true,
            ..DocumentIndexPage::sample_search()
        }
    }

    pub(in super::super) fn sample_empty() -> Self {
        DocumentIndexPage {
            rows: Vec::new(),
            total: 0,
            total_is_exact: true,
            previous: None,
            next: None,
            ..DocumentIndexPage::sample()
        }
    }

    pub(in super::super) fn sample_past_the_end() -> Self {
        DocumentIndexPage {
            rows: Vec::new(),
            next: None,
            ..DocumentIndexPage::sample()
        }
    }
}

impl DocumentShowPage {
    pub(in super::super) fn sample() -> Self {
        DocumentShowPage {
            shell: Shell::sample("/documents/0195-sample-1"),
            now: NOW,
            id: "0195-sample-1".into(),
            handle: "KW9EJhYtS6y48Whm2S6D".into(),
            name: "harbour at dawn.jpg".into(),
            rename: Field::of("harbour at dawn.jpg"),
            tags: vec!["harbour".into(), "<b>".into()],
            tagging: Field::of("harbour, <b>"),
            note: Field::of("Taken by </textarea> the quay.\nTwo lines."),
            recognised: "water, <b>sky</b>".into(),
            text: "HAFEN <b>Nord</b>".into(),
            content_type: "image/jpeg".into(),
            declared_type: Some("image/jpeg".into()),
            size: 4_817_224,
            sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
            created_at: NOW - Duration::hours(3),
            updated_at: NOW - Duration::minutes(4),
            status: DocumentStatus::Ready,
            preview_url: Some("/documents/0195-sample-1/preview".into()),
            steps: vec![
                StepRow::sample("read-metadata", JobStatus::Done, Some("4000 × 3000 pixels.")),
                StepRow::sample("tag-image", JobStatus::Running, None),
                StepRow::sample("read-text", JobStatus::Dead, Some("<b>No</b>.")),
            ],
            made: vec![
                MadeRow::sample("conversion", "harbour <b>at</b> dawn.pdf", MadeStatus::Ready),
                MadeRow::sample("workflow", "store_1", MadeStatus::Gone),
                MadeRow::sample("video", "", MadeStatus::Pending),
                MadeRow::sample("video", "", MadeStatus::Failed),
            ],
            history: vec![HistoryRow::sample()],
        }
    }

    pub(in super::super) fn sample_without_preview() -> Self {
        DocumentShowPage {
            name: "not-a-picture <b>really</b>.png".into(),
            rename: Field {
                value: String::new(),
                error: Some("Enter a name.".into()),
            },
            tags: Vec::new(),
            tagging: Field {
                value: "a, a long one".into(),
                error: Some("A tag has at most 40 characters.".into()),
            },
            note: Field {
                value: "<b>".into(),
                error: Some("A note has at most 2000 characters.".into()),
            },
            recognised: String::new(),
            text: String::new(),
            content_type: "application/zip".into(),
            declared_type: Some("image/png".into()),
            size: 1,
            status: DocumentStatus::DeleteFailed,
            preview_url: None,
            steps: Vec::new(),
            made: Vec::new(),
            ..DocumentShowPage::sample()
        }
    }
}
