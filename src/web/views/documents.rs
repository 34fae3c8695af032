//! The list of documents, and a document's own page.

mod made;
mod narrowed;

use askama::Template;
use time::OffsetDateTime;
use url::form_urlencoded;

use super::audit::HistoryRow;
use super::filters;
use super::jobs::StepRow;
use super::kind::Kind;
use super::shell::{Field, Shell};

pub use made::{MadeRow, MadeStatus};
pub use narrowed::{Chip, Narrowed};

/// The order of the list when none is asked for.
const DEFAULT_SORT: &str = "-created";
/// What programs declare that do not know what they send.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// How far a document has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentStatus {
    /// It can be opened.
    Ready,
    /// Something is still to be done with it.
    Processing,
    /// Its file could not be deleted at Filestack yet.
    DeleteFailed,
    /// It is not given out until it has been found clean.
    Quarantined,
    /// It was found infected.
    Infected,
    /// Its file was deleted at Filestack.
    Gone,
}

impl DocumentStatus {
    /// Reads the state of a document's row.
    pub fn of_row(status: &str) -> Self {
        match status {
            "quarantined" => DocumentStatus::Quarantined,
            "infected" => DocumentStatus::Infected,
            "gone" => DocumentStatus::Gone,
            _ => DocumentStatus::Ready,
        }
    }

    /// What has to be said beside the status, if anything.
    pub fn sentence(self) -> Option<&'static str> {
        match self {
            DocumentStatus::Quarantined => Some(
                "The document is being looked at for viruses. It can be opened once it has been found clean.",
            ),
            DocumentStatus::Infected => {
                Some("A virus was found in this document, so it cannot be opened. Delete it.")
            }
            DocumentStatus::Gone => Some(
                "The file was deleted at Filestack, so it cannot be opened any more. Delete the document, and upload the file again \
                 if you still have it.",
            ),
            _ => None,
        }
    }

    /// Whether its file can be had.
    pub fn can_be_opened(self) -> bool {
        self.sentence().is_none()
    }

    /// The status in words.
    pub fn label(self) -> &'static str {
        match self {
            DocumentStatus::Ready => "Ready",
            DocumentStatus::Processing => "Processing",
            DocumentStatus::DeleteFailed => "Not deleted",
            DocumentStatus::Quarantined => "Being checked",
            DocumentStatus::Infected => "Infected",
            DocumentStatus::Gone => "File gone",
        }
    }

    /// The icon beside the words.
    pub fn icon(self) -> &'static str {
        match self {
            DocumentStatus::Ready => "check",
            DocumentStatus::Processing | DocumentStatus::Quarantined => "clock",
            DocumentStatus::DeleteFailed | DocumentStatus::Infected | DocumentStatus::Gone => "alert",
        }
    }

    /// Whether it will change without anybody's doing.
    pub fn is_unsettled(self) -> bool {
        matches!(self, DocumentStatus::Processing | DocumentStatus::Quarantined)
    }

    /// The class that colours it.
    pub fn class(self) -> &'static str {
        match self {
            DocumentStatus::Ready => "status-ready",
            DocumentStatus::Processing | DocumentStatus::Quarantined => "status-processing",
            DocumentStatus::DeleteFailed | DocumentStatus::Infected | DocumentStatus::Gone => "status-failed",
        }
    }
}

/// One document in the list.
#[derive(Debug, Clone)]
pub struct DocumentRow {
    /// The id in its URLs.
    pub id: String,
    /// The name shown; any text.
    pub name: String,
    /// The sniffed media type.
    pub content_type: String,
    /// Bytes.
    pub size: i64,
    /// When it was added.
    pub created_at: OffsetDateTime,
    /// How far it has come.
    pub status: DocumentStatus,
    /// Its tags, with commas between them.
    pub tags: String,
    /// An image of at least 96 by 96 pixels; none shows the icon of its type.
    pub thumbnail_url: Option<String>,
}

impl DocumentRow {
    /// What sort of file it is.
    pub fn kind(&self) -> Kind {
        Kind::of(&self.content_type)
    }
}

/// `GET /documents`: one page of the list.
#[derive(Debug, Clone, Template)]
#[template(path = "documents/index.html")]
pub struct DocumentIndexPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The time that "3 hours ago" is counted from.
    pub now: OffsetDateTime,
    /// How many documents match on all pages.
    pub total: i64,
    /// Whether `total` is all of them, or so many that counting stopped there.
    pub total_is_exact: bool,
    /// What the list is narrowed to.
    pub narrowed: Narrowed,
    /// The order: `created`, `name` or `size`, with `-` in front for descending.
    pub sort: String,
    /// The documents of this page.
    pub rows: Vec<DocumentRow>,
    /// Where this page begins or ends: `after` or `before`, and the cursor.
    pub here: Option<(&'static str, String)>,
    /// The cursor for `before`, if there is a previous page.
    pub previous: Option<String>,
    /// The cursor for `after`, if there is a next page.
    pub next: Option<String>,
    /// The field of the search that was filled in wrong, and what is wrong with it: then there are no rows.
    pub wrong: Option<(&'static str, String)>,
}

impl DocumentIndexPage {
    /// What is wrong with this field.
    pub fn error_of(&self, field: &str) -> Option<&str> {
        let (wrong, sentence) = self.wrong.as_ref()?;
        (*wrong == field).then_some(sentence)
    }

    /// The columns of the table after the boxes to choose by, in order.
    pub fn columns(&self) -> [Column; 7] {
        [
            Column::silent("Preview"),
            self.sortable("Name", "name", "name"),
            Column::plain("Type"),
            self.sortable("Size", "size", "-size"),
            self.sortable("Added", "created", "-created"),
            Column::plain("Status"),
            Column::silent("Actions"),
        ]
    }

    /// This page of the list, to come back to.
    pub fn here_href(&self) -> String {
        let place = self.here.as_ref().map(|(key, cursor)| (*key, cursor.as_str()));
        href(&self.sort, &self.narrowed, place)
    }

    /// Whether a row will change without anybody's doing.
    pub fn is_unsettled(&self) -> bool {
        self.rows.iter().any(|row| row.status.is_unsettled())
    }

    /// The whole list, in the same order.
    pub fn clear_href(&self) -> String {
        href(&self.sort, &Narrowed::default(), None)
    }

    /// The first page of this list.
    pub fn first_href(&self) -> String {
        href(&self.sort, &self.narrowed, None)
    }

    /// The list without this part of what it is narrowed to.
    pub fn without_href(&self, chip: &Chip) -> String {
        href(&self.sort, &self.narrowed.without(chip.name), None)
    }

    /// The page before or after this one: `key` is `before` or `after`.
    pub fn page_href(&self, key: &str, cursor: &str) -> String {
        href(&self.sort, &self.narrowed, Some((key, cursor)))
    }

    /// The order, if it has to travel with the search form.
    pub fn chosen_sort(&self) -> Option<&str> {
        (self.sort != DEFAULT_SORT).then_some(self.sort.as_str())
    }

    fn sortable(&self, label: &'static str, key: &'static str, first: &'static str) -> Column {
        let (direction, other) = match self.sort.strip_prefix('-') {
            Some(by) if by == key => (Some("descending"), key.to_owned()),
            None if self.sort == key => (Some("ascending"), format!("-{key}")),
            _ => (None, first.to_owned()),
        };
        Column {
            label,
            silent: false,
            direction,
            href: Some(href(&other, &self.narrowed, None)),
        }
    }
}

/// A column of the list.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its heading.
    pub label: &'static str,
    /// Whether the heading is for screen readers only.
    pub silent: bool,
    /// The value of `aria-sort`, if the list is ordered by it.
    pub direction: Option<&'static str>,
    /// Where the heading leads, if the list can be ordered by it.
    pub href: Option<String>,
}

impl Column {
    fn plain(label: &'static str) -> Self {
        Column {
            label,
            silent: false,
            direction: None,
            href: None,
        }
    }

    fn silent(label: &'static str) -> Self {
        Column {
            silent: true,
            ..Column::plain(label)
        }
    }

    /// The icon that shows the order.
    pub fn icon(&self) -> &'static str {
        match self.direction {
            Some("ascending") => "arrow-up",
            Some(_) => "arrow-down",
            None => "sort",
        }
    }
}

fn href(sort: &str, narrowed: &Narrowed, cursor: Option<(&str, &str)>) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    if sort != DEFAULT_SORT {
        pairs.append_pair("sort", sort);
    }
    narrowed.append(&mut pairs);
    if let Some((key, value)) = cursor {
        pairs.append_pair(key, value);
    }
    match pairs.finish() {
        none if none.is_empty() => "/documents".into(),
        some => format!("/documents?{some}"),
    }
}

/// `GET /documents/{id}`: one document.
#[derive(Debug, Clone, Template)]
#[template(path = "documents/show.html")]
pub struct DocumentShowPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The time that "3 hours ago" is counted from.
    pub now: OffsetDateTime,
    /// The id in its URLs.
    pub id: String,
    /// Filestack's id of the file.
    pub handle: String,
    /// The name shown.
    pub name: String,
    /// The field `name` of the rename form; after an error, what was typed.
    pub rename: Field,
    /// Its tags.
    pub tags: Vec<String>,
    /// The field `tags`, with commas between them; after an error, what was typed.
    pub tagging: Field,
    /// The field `note`; after an error, what was typed.
    pub note: Field,
    /// Names of what was recognised in it, with commas between them.
    pub recognised: String,
    /// The beginning of the text that was read on it.
    pub text: String,
    /// The sniffed media type.
    pub content_type: String,
    /// The type that the uploader declared, whether it differs or not.
    pub declared_type: Option<String>,
    /// Bytes.
    pub size: i64,
    /// SHA-256 of the bytes, in hex.
    pub sha256: String,
    /// When it was added.
    pub created_at: OffsetDateTime,
    /// When it was changed last.
    pub updated_at: OffsetDateTime,
    /// How far it has come.
    pub status: DocumentStatus,
    /// A preview of about 960 pixels; none shows the icon of its type.
    pub preview_url: Option<String>,
    /// What is done with it besides storing it.
    pub steps: Vec<StepRow>,
    /// What was made from it, the newest first.
    pub made: Vec<MadeRow>,
    /// What has happened to it, the newest first.
    pub history: Vec<HistoryRow>,
}

impl DocumentShowPage {
    /// The list of what has this tag.
    pub fn tag_href(&self, tag: &str) -> String {
        let narrowed = Narrowed {
            tag: tag.to_owned(),
            ..Narrowed::default()
        };
        href(DEFAULT_SORT, &narrowed, None)
    }

    /// Whether something that was entered is wrong.
    pub fn has_errors(&self) -> bool {
        [&self.rename, &self.tagging, &self.note]
            .iter()
            .any(|field| field.error.is_some())
    }

    /// Whether a step is still to come to its end.
    pub fn is_processed(&self) -> bool {
        !self.steps.iter().any(StepRow::is_open)
    }

    /// What sort of file it is.
    pub fn kind(&self) -> Kind {
        Kind::of(&self.content_type)
    }

    /// The declared type, if it is another one than the bytes show.
    pub fn contradicting_type(&self) -> Option<&str> {
        self.declared_type
            .as_deref()
            .filter(|declared| *declared != self.content_type && *declared != UNKNOWN_TYPE)
    }
}

#[cfg(test)]
mod samples;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_turns_its_own_order_round_and_starts_with_the_useful_one() {
        let mut page = DocumentIndexPage::sample();
        let of = |page: &DocumentIndexPage, label: &str| {
            page.columns()
                .into_iter()
                .find(|column| column.label == label)
                .expect("the column is there")
        };
        assert_eq!(of(&page, "Added").direction, Some("descending"));
        assert_eq!(
            of(&page, "Added").href.as_deref(),
            Some("/documents?sort=created")
        );
        assert_eq!(of(&page, "Size").href.as_deref(), Some("/documents?sort=-size"));
        page.sort = "created".into();
        assert_eq!(of(&page, "Added").direction, Some("ascending"));
        assert_eq!(of(&page, "Added").href.as_deref(), Some("/documents"));
        assert_eq!(of(&page, "Name").direction, None);
    }

    #[test]
    fn links_to_other_pages_keep_the_search_and_the_order() {
        let page = DocumentIndexPage {
            narrowed: Narrowed {
                query: "a&b=ü".into(),
                tag: "tax 2026".into(),
                family: "pdf".into(),
                status: "gone".into(),
            },
            sort: "-size".into(),
            ..DocumentIndexPage::sample()
        };
        let next = page.page_href("after", "c/1");
        let all = "q=a%26b%3D%C3%BC&tag=tax+2026&type=pdf&status=gone";
        assert_eq!(next, format!("/documents?sort=-size&{all}&after=c%2F1"));
        let chips = page.narrowed.chips();
        let shown: Vec<_> = chips
            .iter()
            .map(|chip| (chip.label, chip.value.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                ("Search", "a&b=ü"),
                ("Tag", "tax 2026"),
                ("Type", "PDF"),
                ("Status", "File gone")
            ]
        );
        assert_eq!(
            page.without_href(&chips[1]),
            "/documents?sort=-size&q=a%26b%3D%C3%BC&type=pdf&status=gone"
        );
        assert_eq!(page.clear_href(), "/documents?sort=-size");
    }

    #[test]
    fn a_declared_type_is_mentioned_only_if_the_bytes_say_otherwise() {
        let mut page = DocumentShowPage::sample();
        page.declared_type = Some(page.content_type.clone());
        assert_eq!(page.contradicting_type(), None);
        page.declared_type = Some(UNKNOWN_TYPE.into());
        assert_eq!(
            page.contradicting_type(),
            None,
            "who does not know contradicts nobody"
        );
        page.declared_type = Some("text/html".into());
        assert_eq!(page.contradicting_type(), Some("text/html"));
    }
}
