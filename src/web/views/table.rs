//! The one table of the administrators' pages: filters, order, pages, exports and what is said when it is empty.
//!
//! A page fills a [`Table`] and shows it with `{{ table|safe }}`. Where the rows come from, and the exports, are in
//! `pages::admin::table`.

use askama::Template;
use time::OffsetDateTime;
use url::form_urlencoded;

use super::filters;

/// A table with all that is round it.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/table.html")]
pub struct Table {
    /// Where it is: `/admin/jobs`.
    pub path: &'static str,
    /// What its rows are called: `jobs`.
    pub noun: &'static str,
    /// What it can be filtered by, and is.
    pub filters: Vec<TableFilter>,
    /// Its columns.
    pub columns: &'static [TableColumn],
    /// The order, as it stands in the address; empty for the usual one.
    pub sort: String,
    /// The usual order: a column's key, with a `-` for the largest first.
    pub usual_sort: &'static str,
    /// The rows of this page.
    pub rows: Vec<TableRow>,
    /// The cursor for `before`, if there is a previous page.
    pub previous: Option<String>,
    /// The cursor for `after`, if there is a next page.
    pub next: Option<String>,
    /// What is said when there is nothing yet.
    pub nothing_yet: &'static str,
    /// The token of the forms in its rows.
    pub csrf: String,
    /// The time that "3 hours ago" is counted from.
    pub now: OffsetDateTime,
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct TableColumn {
    /// Its heading.
    pub label: &'static str,
    /// What the address calls an order by it: its key, with a `-` when the largest come first at the first press.
    pub sort: Option<&'static str>,
    /// How it is set.
    pub kind: ColumnKind,
}

/// How a column is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// As wide as what is in it, on one line.
    Short,
    /// As wide as there is room.
    Wide,
    /// Numbers, flush right.
    Number,
    /// Buttons; its heading is for screen readers alone.
    Actions,
}

impl TableColumn {
    /// A column of this kind.
    pub const fn new(label: &'static str, kind: ColumnKind) -> Self {
        TableColumn {
            label,
            sort: None,
            kind,
        }
    }

    /// The same, to be sorted by.
    #[must_use]
    pub const fn sorted(self, key: &'static str) -> Self {
        TableColumn {
            sort: Some(key),
            ..self
        }
    }

    /// The class that sets it.
    pub fn class(&self) -> &'static str {
        match self.kind {
            ColumnKind::Short => "col-short",
            ColumnKind::Wide => "col-wide",
            ColumnKind::Number => "col-number",
            ColumnKind::Actions => "col-actions",
        }
    }
}

/// One thing that a table can be filtered by.
#[derive(Debug, Clone)]
pub struct TableFilter {
    /// Its name in the address.
    pub name: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// What is wanted, as it was typed; all when empty.
    pub value: String,
    /// What can be wanted.
    pub field: FilterField,
    /// What is wrong with it: then there are no rows.
    pub error: Option<String>,
}

/// What a filter takes.
#[derive(Debug, Clone)]
pub enum FilterField {
    /// Words, with an example.
    Text(&'static str),
    /// One of these: the word in the address, and what people read.
    Choice(Vec<(&'static str, &'static str)>),
}

impl TableFilter {
    /// A field to type into.
    pub fn text(name: &'static str, label: &'static str, value: &str, example: &'static str) -> Self {
        TableFilter {
            name,
            label,
            value: value.to_owned(),
            field: FilterField::Text(example),
            error: None,
        }
    }

    /// A list to choose from.
    pub fn choice(
        name: &'static str,
        label: &'static str,
        value: &str,
        choices: Vec<(&'static str, &'static str)>,
    ) -> Self {
        TableFilter {
            name,
            label,
            value: value.to_owned(),
            field: FilterField::Choice(choices),
            error: None,
        }
    }

    /// What is wanted, as people read it.
    pub fn shown(&self) -> &str {
        match &self.field {
            FilterField::Text(_) => &self.value,
            FilterField::Choice(choices) => choices
                .iter()
                .find(|(word, _)| *word == self.value)
                .map_or(self.value.as_str(), |(_, label)| label),
        }
    }

    /// Whether this choice is the one.
    pub fn is(&self, word: &str) -> bool {
        self.value == word
    }
}

/// A row.
#[derive(Debug, Clone)]
pub struct TableRow {
    /// Its id on the page.
    pub id: String,
    /// One for each column; the first one names the row.
    pub cells: Vec<Cell>,
}

/// What stands in a cell. Text of every kind is text and nothing else (U3).
#[derive(Debug, Clone)]
pub enum Cell {
    /// Nothing.
    Nothing,
    /// Words.
    Text(String),
    /// Several lines of words, the first the one that counts.
    Lines(Vec<String>),
    /// An id or a word for machines.
    Code(String),
    /// A link, with what is said beside it.
    Link {
        /// What it says.
        text: String,
        /// Where it leads.
        href: String,
        /// Beside it; nothing when empty.
        note: String,
    },
    /// A state, with what is said beside it.
    Mark {
        /// In words.
        label: String,
        /// The icon beside the words.
        icon: &'static str,
        /// The class that colours it.
        class: &'static str,
        /// Beside it; nothing when empty.
        note: String,
    },
    /// A moment, with what is said beside it.
    Time(OffsetDateTime, String),
    /// A number.
    Number(i64),
    /// Bytes.
    Size(i64),
    /// What can be done with the row.
    Actions(Vec<RowAction>),
}

/// Something that can be done with a row: a button that posts, or a link to a page that asks first.
#[derive(Debug, Clone)]
pub struct RowAction {
    /// What it says.
    pub label: &'static str,
    /// Where it goes.
    pub href: String,
    /// Whether it is a form that is posted.
    pub posts: bool,
}

impl Table {
    /// Whether only some rows are shown.
    pub fn is_filtered(&self) -> bool {
        self.wanted().next().is_some()
    }

    /// Whether a filter was filled in wrong.
    pub fn is_wrong(&self) -> bool {
        self.filters.iter().any(|filter| filter.error.is_some())
    }

    /// The filters that are set.
    pub fn wanted(&self) -> impl Iterator<Item = &TableFilter> {
        self.filters.iter().filter(|filter| !filter.value.is_empty())
    }

    /// The table without this filter.
    pub fn without(&self, name: &str) -> String {
        self.href(
            self.wanted().filter(|filter| filter.name != name),
            &self.sort,
            None,
        )
    }

    /// The table without any filter.
    pub fn all_href(&self) -> String {
        self.href(std::iter::empty(), &self.sort, None)
    }

    /// The page before or after this one: `key` is `before` or `after`.
    pub fn page_href(&self, key: &str, cursor: &str) -> String {
        self.href(self.wanted(), &self.sort, Some((key, cursor)))
    }

    /// All rows that the filters find, as a file.
    pub fn export_href(&self, format: &str) -> String {
        self.href(self.wanted(), &self.sort, Some(("format", format)))
    }

    /// The direction a column is sorted in, as a value of `aria-sort`.
    pub fn direction(&self, column: &TableColumn) -> Option<&'static str> {
        let sort = if self.sort.is_empty() {
            self.usual_sort
        } else {
            &self.sort
        };
        let key = column.sort?.trim_start_matches('-');
        match sort.strip_prefix('-') {
            Some(by) if by == key => Some("descending"),
            None if sort == key => Some("ascending"),
            _ => None,
        }
    }

    /// The icon of a heading.
    pub fn sort_icon(&self, column: &TableColumn) -> &'static str {
        match self.direction(column) {
            Some("ascending") => "arrow-up",
            Some(_) => "arrow-down",
            None => "sort",
        }
    }

    /// Where a heading leads: to its own order, or turns it round.
    pub fn sort_href(&self, column: &TableColumn) -> String {
        let first = column.sort.unwrap_or_default();
        let key = first.trim_start_matches('-');
        let sort = match self.direction(column) {
            Some("ascending") => format!("-{key}"),
            Some(_) => key.to_owned(),
            None => first.to_owned(),
        };
        let sort = if sort == self.usual_sort {
            String::new()
        } else {
            sort
        };
        self.href(self.wanted(), &sort, None)
    }

    fn href<'a>(
        &self,
        filters: impl Iterator<Item = &'a TableFilter>,
        sort: &str,
        also: Option<(&str, &str)>,
    ) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(filters.map(|filter| (filter.name, filter.value.as_str())));
        if !sort.is_empty() {
            query.append_pair("sort", sort);
        }
        if let Some((key, value)) = also {
            query.append_pair(key, value);
        }
        match query.finish() {
            none if none.is_empty() => self.path.to_owned(),
            some => format!("{}?{some}", self.path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table {
            filters: vec![
                TableFilter::text("actor", "Who", "a&b", ""),
                TableFilter::choice("action", "What", "x", vec![("x", "Something")]),
                TableFilter::text("since", "Since", "", "2h"),
            ],
            ..Table::sample("/admin/audit")
        }
    }

    #[test]
    fn links_keep_the_filters_and_the_order() {
        let table = Table {
            sort: "time".into(),
            ..table()
        };
        assert_eq!(
            table.page_href("after", "1.x"),
            "/admin/audit?actor=a%26b&action=x&sort=time&after=1.x"
        );
        assert_eq!(table.without("actor"), "/admin/audit?action=x&sort=time");
        assert_eq!(table.all_href(), "/admin/audit?sort=time");
        assert_eq!(
            table.export_href("csv"),
            "/admin/audit?actor=a%26b&action=x&sort=time&format=csv"
        );
        let shown: Vec<_> = table.wanted().map(TableFilter::shown).collect();
        assert_eq!(shown, ["a&b", "Something"]);
    }

    #[test]
    fn a_heading_turns_its_own_order_round() {
        let mut table = Table {
            filters: Vec::new(),
            ..table()
        };
        let column = TableColumn::new("When", ColumnKind::Short).sorted("-time");
        assert_eq!(table.direction(&column), Some("descending"));
        assert_eq!(table.sort_href(&column), "/admin/audit?sort=time");
        table.sort = "time".into();
        assert_eq!(table.direction(&column), Some("ascending"));
        assert_eq!(table.sort_href(&column), "/admin/audit");
        table.sort = "size".into();
        assert_eq!(table.direction(&column), None);
        assert_eq!(table.sort_href(&column), "/admin/audit");
    }
}

#[cfg(test)]
mod samples {
    use time::macros::datetime;

    use super::*;

    const COLUMNS: &[TableColumn] = &[
        TableColumn::new("When", ColumnKind::Short).sorted("-time"),
        TableColumn::new("What it says", ColumnKind::Wide),
    ];

    impl Table {
        /// A table without rows.
        pub(in super::super) fn sample(path: &'static str) -> Self {
            Table {
                path,
                noun: "entries",
                filters: Vec::new(),
                columns: COLUMNS,
                sort: String::new(),
                usual_sort: "-time",
                rows: Vec::new(),
                previous: None,
                next: None,
                nothing_yet: "Nothing has happened yet.",
                csrf: "csrf".into(),
                now: datetime!(2026-03-12 14:05 UTC),
            }
        }
    }
}
