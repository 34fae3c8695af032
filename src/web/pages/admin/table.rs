//! Where the rows of an administrators' table come from: a page of them, or all of them as a file.
//!
//! A list implements [`Listing`]; [`answer`] shows a page of it, or streams all that its filters find, a part at a time, so that a million
//! rows take the memory of five hundred.

use std::fmt::Display;
use std::str::FromStr;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::clock::UtcTime;
use crate::db::keyset::{Part, Slice, TimePlace};
use crate::error::AppError;
use crate::services::Services;
use crate::services::events::inbox;
use crate::services::identity::Recipient;
use crate::web::AppState;
use crate::web::extract::Admin;
use crate::web::pages::shell::dress;
use crate::web::pages::{page, with_cookies};
use crate::web::views::{Shell, Table, TableColumn, TableFilter, TableRow};

/// Rows on a page.
const PAGE: i64 = 50;
/// Rows of a file that are read at once.
const PORTION: i64 = 500;

/// How a list looks on its page.
pub(in crate::web) struct Look {
    /// Where it is: `/admin/jobs`.
    pub path: &'static str,
    /// What its rows are called: `jobs`.
    pub noun: &'static str,
    /// Its columns, and with them the orders that it has.
    pub columns: &'static [TableColumn],
    /// The usual order.
    pub usual_sort: &'static str,
    /// What is said when there is nothing yet.
    pub nothing_yet: &'static str,
}

/// A list that administrators look at.
pub(in crate::web) trait Listing: 'static {
    /// A row of it.
    type Row: 'static;
    /// A place in it.
    type Place: 'static;
    /// What a file with it is called.
    const NAME: &'static str;
    /// What is known of a row in a file, by name.
    const FIELDS: &'static [&'static str];

    /// How it looks.
    const LOOK: Look;

    /// A part of it.
    async fn read(
        &self,
        services: &Services,
        part: Part<Self::Place>,
        limit: i64,
    ) -> Result<Slice<Self::Row>, AppError>;

    /// Where a row stands, as text.
    fn cursor(&self, row: &Self::Row) -> String;

    /// Reads such a text; `None` when this list did not write it.
    fn place(&self, text: &str) -> Option<Self::Place>;

    /// A row in a file: a value for each of [`Listing::FIELDS`].
    fn record(&self, row: &Self::Row) -> Vec<Value>;

    /// A row on the page: a cell for each column.
    fn row(&self, row: &Self::Row, now: UtcTime) -> TableRow;
}

/// What the address of every table may say besides its filters.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Turn {
    /// The order; the usual one when empty.
    #[serde(default)]
    pub sort: String,
    /// After this row.
    after: Option<String>,
    /// Before this row.
    before: Option<String>,
    /// All rows as a file of this kind.
    format: Option<String>,
}

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Csv,
    Json,
}

impl Turn {
    /// The kind of file that is asked for; none when it is a page.
    fn format(&self) -> Result<Option<Format>, AppError> {
        match self.format.as_deref() {
            None => Ok(None),
            Some("csv") => Ok(Some(Format::Csv)),
            Some("json") => Ok(Some(Format::Json)),
            Some(_) => Err(AppError::invalid(
                "invalid-format",
                "A table can be had as csv or as json. Choose one of the two.",
            )),
        }
    }

    /// The order that is wanted, of those that the columns have.
    pub(in crate::web) fn order(&self, look: &Look) -> Result<&str, AppError> {
        let sort = Some(self.sort.as_str())
            .filter(|sort| !sort.is_empty())
            .unwrap_or(look.usual_sort);
        let name = sort.strip_prefix('-').unwrap_or(sort);
        let is_known = look
            .columns
            .iter()
            .filter_map(|column| column.sort)
            .any(|key| key.trim_start_matches('-') == name);
        if !is_known {
            return Err(AppError::invalid(
                "invalid-sort",
                "The list cannot be sorted by that. Choose an order from the headings.",
            ));
        }
        Ok(sort)
    }

    /// Whether a list that has one order alone is wanted the other way round than is usual.
    pub(in crate::web) fn is_turned(&self, look: &Look) -> Result<bool, AppError> {
        Ok(self.order(look)? != look.usual_sort)
    }
}

/// What the address asks for: all of the list as a file, or the page that `page_of` makes of its table. Where a filter was filled in wrong
/// the page has no rows, and says so beside the field.
pub(in crate::web) async fn answer<L: Listing, P: Template>(
    state: &web::Data<AppState>,
    request: &HttpRequest,
    admin: &Admin,
    list: Result<L, AppError>,
    turn: Turn,
    filters: Vec<TableFilter>,
    page_of: impl AsyncFnOnce(Shell, Table) -> Result<P, AppError>,
) -> Result<HttpResponse, AppError> {
    if let Some(format) = turn.format()? {
        return Ok(export(state, admin, list?, format));
    }
    let dressed = dress(request, state, Some(admin.user()));
    let is_wrong = filters.iter().any(|filter| filter.error.is_some());
    let (status, table) = if is_wrong {
        let now = state.services.clock.now();
        let nothing = empty::<L>(turn, filters, &dressed.shell, now);
        (StatusCode::BAD_REQUEST, nothing)
    } else {
        let table = table(&state.services, &list?, turn, filters, &dressed.shell).await?;
        (StatusCode::OK, table)
    };
    let shown = page_of(dressed.shell, table).await?;
    Ok(with_cookies(page(status, &shown)?, dressed.cookies))
}

/// The part of the list that the address asks for.
pub(in crate::web) async fn table<L: Listing>(
    services: &Services,
    list: &L,
    turn: Turn,
    filters: Vec<TableFilter>,
    shell: &Shell,
) -> Result<Table, AppError> {
    let place = |text: &str| list.place(text).ok_or_else(invalid_cursor);
    let part = match (&turn.after, &turn.before) {
        (Some(text), _) => Part::After(place(text)?),
        (None, Some(text)) => Part::Before(place(text)?),
        (None, None) => Part::First,
    };
    let slice = list.read(services, part, PAGE).await?;
    let cursor = |row: Option<&L::Row>| row.map(|row| list.cursor(row));
    let now = services.clock.now();
    Ok(Table {
        rows: slice.rows.iter().map(|row| list.row(row, now)).collect(),
        previous: slice.has_previous.then(|| cursor(slice.rows.first())).flatten(),
        next: slice.has_next.then(|| cursor(slice.rows.last())).flatten(),
        ..empty::<L>(turn, filters, shell, now)
    })
}

/// The table of such a list without rows.
fn empty<L: Listing>(turn: Turn, filters: Vec<TableFilter>, shell: &Shell, now: UtcTime) -> Table {
    let Look {
        path,
        noun,
        columns,
        usual_sort,
        nothing_yet,
    } = L::LOOK;
    Table {
        path,
        noun,
        filters,
        columns,
        sort: turn.sort,
        usual_sort,
        rows: Vec::new(),
        previous: None,
        next: None,
        nothing_yet,
        csrf: shell.csrf.clone(),
        now: now.calendar(),
    }
}

/// All rows that the list's filters find, as a file. A failure half-way, or the end of the administrator's session, breaks the answer off:
/// half a file never looks like a whole one.
fn export<L: Listing>(state: &web::Data<AppState>, admin: &Admin, list: L, format: Format) -> HttpResponse {
    let (media_type, extension) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
        Format::Json => ("application/json", "json"),
    };
    let file = Export {
        services: state.services.clone(),
        recipient: Recipient::new(&state.services, &admin.0),
        list,
        format,
        next: Some(Part::First),
        begun: false,
    };
    let parts = stream::unfold(file, |mut file| async {
        let part = file.part().await.transpose()?;
        if let Err(error) = &part {
            log::warn!(event = "table-broken-off"; "a table could not be sent to its end: {error:?}");
        }
        Some((part, file))
    });
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, media_type))
        .insert_header((
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"satchel-{}.{extension}\"", L::NAME),
        ))
        .streaming(Box::pin(parts))
}

/// A file that is being written.
struct Export<L: Listing> {
    services: Services,
    recipient: Recipient,
    list: L,
    format: Format,
    /// What is to be read next; nothing when the file is complete.
    next: Option<Part<L::Place>>,
    begun: bool,
}

impl<L: Listing> Export<L> {
    async fn part(&mut self) -> Result<Option<Bytes>, AppError> {
        let Some(part) = self.next.take() else {
            return Ok(None);
        };
        self.recipient.check().await?;
        let slice = self.list.read(&self.services, part, PORTION).await?;
        let mut text = String::new();
        if !self.begun && self.format == Format::Csv {
            text.push_str(&L::FIELDS.join(","));
            text.push_str("\r\n");
        }
        for row in &slice.rows {
            let values = self.list.record(row);
            match self.format {
                Format::Csv => push_csv(&mut text, &values),
                Format::Json => {
                    text.push_str(if self.begun { ",\n" } else { "[\n" });
                    let named: Map<String, Value> = L::FIELDS
                        .iter()
                        .map(|field| (*field).to_owned())
                        .zip(values)
                        .collect();
                    text.push_str(&Value::Object(named).to_string());
                }
            }
            self.begun = true;
        }
        self.next = match slice.rows.last().filter(|_| slice.has_next) {
            Some(row) => Some(Part::After(
                self.list
                    .place(&self.list.cursor(row))
                    .ok_or_else(invalid_cursor)?,
            )),
            None => None,
        };
        if self.next.is_none() && self.format == Format::Json {
            text.push_str(if self.begun { "\n]\n" } else { "[]\n" });
        }
        self.begun = true;
        Ok(Some(Bytes::from(text)))
    }
}

/// A line of a CSV file (RFC 4180).
fn push_csv(line: &mut String, values: &[Value]) {
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            line.push(',');
        }
        match value {
            Value::Null => {}
            Value::String(text) => push_csv_text(line, text),
            Value::Number(_) | Value::Bool(_) => line.push_str(&value.to_string()),
            Value::Array(_) | Value::Object(_) => push_csv_text(line, &value.to_string()),
        }
    }
    line.push_str("\r\n");
}

/// Text that begins as a formula would is preceded by an apostrophe, which spreadsheets take as "this is text" (U16).
fn push_csv_text(line: &mut String, text: &str) {
    let first = text
        .trim_start_matches([' ', '\u{a0}', '\u{feff}'])
        .chars()
        .next();
    let is_formula = first.is_some_and(|first| "=+-@\t\r\n|%＝＋－＠".contains(first));
    let must_be_quoted = is_formula || text.contains(['"', ',', ';', '\r', '\n', '\t']);
    if !must_be_quoted {
        line.push_str(text);
        return;
    }
    line.push('"');
    if is_formula {
        line.push('\'');
    }
    line.push_str(&text.replace('"', "\"\""));
    line.push('"');
}

/// A place by time as text: microseconds, a dot, the id.
pub(in crate::web) fn time_cursor(at: UtcTime, id: impl Display) -> String {
    format!("{}.{id}", at.micros())
}

/// Reads such a text.
pub(in crate::web) fn time_place<I: FromStr>(text: &str) -> Option<TimePlace<I>> {
    let (micros, id) = text.split_once('.')?;
    Some(TimePlace {
        at: UtcTime::from_micros(micros.parse().ok()?),
        id: id.parse().ok()?,
    })
}

/// A filter by time as people write it; none when nothing is written.
pub(in crate::web) fn time_filter(text: &str, now: UtcTime) -> Result<Option<UtcTime>, AppError> {
    read_time(text, now).map_err(|sentence| AppError::invalid("invalid-filter", sentence))
}

/// The field of such a filter, with what is wrong with what was typed into it.
pub(in crate::web) fn time_field(
    name: &'static str,
    label: &'static str,
    value: &str,
    example: &'static str,
    now: UtcTime,
) -> TableFilter {
    TableFilter {
        error: read_time(value, now).err(),
        ..TableFilter::text(name, label, value, example)
    }
}

fn read_time(text: &str, now: UtcTime) -> Result<Option<UtcTime>, String> {
    match text.trim() {
        "" => Ok(None),
        text => inbox::parse_time(text, now)
            .map(Some)
            .map_err(|wrong| format!("“{text}” cannot be used: {wrong}.")),
    }
}

/// A filter by a word; none when nothing is written.
pub(in crate::web) fn word_filter(text: &str) -> Option<String> {
    // Nothing has a NUL in it, and PostgreSQL takes none: with another character in its place nothing is found.
    Some(text.trim().replace('\0', "\u{fffd}")).filter(|text| !text.is_empty())
}

fn invalid_cursor() -> AppError {
    AppError::invalid(
        "invalid-cursor",
        "The cursor is not one that this list gave out. Begin again without a cursor.",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::web::views::ColumnKind;

    #[test]
    fn u16_no_text_is_a_formula_to_a_spreadsheet() {
        let line = |value: Value| {
            let mut line = String::new();
            push_csv(&mut line, &[value]);
            line.trim_end_matches("\r\n").to_owned()
        };
        for (text, written) in [
            ("=1+2", "\"'=1+2\""),
            ("  =1", "\"'  =1\""),
            ("+49", "\"'+49\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\"'\t=1\""),
            ("\r=1", "\"'\r=1\""),
            ("＝1", "\"'＝1\""),
            (
                "=HYPERLINK(\"http://x\",\"y\")",
                "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"",
            ),
            ("a,b", "\"a,b\""),
            ("a;=1", "\"a;=1\""),
            ("say \"so\"", "\"say \"\"so\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("plain", "plain"),
            ("", ""),
        ] {
            assert_eq!(line(json!(text)), written, "{text:?}");
        }
        assert_eq!(line(json!(-5)), "-5");
        assert_eq!(line(Value::Null), "");
    }

    #[test]
    fn x5_only_an_order_of_the_list_is_taken() {
        const LOOK: Look = Look {
            path: "/admin/audit",
            noun: "entries",
            columns: &[
                TableColumn::new("When", ColumnKind::Short).sorted("-time"),
                TableColumn::new("From", ColumnKind::Short),
            ],
            usual_sort: "-time",
            nothing_yet: "",
        };
        let turned = |sort: &str| {
            Turn {
                sort: sort.to_owned(),
                ..Turn::default()
            }
            .is_turned(&LOOK)
        };
        assert!(matches!(turned(""), Ok(false)));
        assert!(matches!(turned("-time"), Ok(false)));
        assert!(matches!(turned("time"), Ok(true)));
        for bad in ["--time", "id", "time;DROP TABLE users", "-", "ip"] {
            assert!(turned(bad).is_err(), "{bad}");
        }
    }
}
