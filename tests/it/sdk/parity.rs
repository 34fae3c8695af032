//! The table of what works (`docs/parity.md`), which no hand writes: each test of the SDKs and of our own client says what it saw,
//! and fails when the table says anything else. `SATCHEL_TEST_PARITY=update` writes the table instead.
//!
//! A column of a section belongs to one test, so the order in which tests run does not matter.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::bench::Sdk;
use super::gaps::GAPS;
use super::report::Report;

const PYTHON: &str = "Python 4.0.0";
const JAVASCRIPT_4: &str = "JavaScript 4.3.8";
const JAVASCRIPT_3: &str = "JavaScript 3.51.6";
const SDKS: &[&str] = &[PYTHON, JAVASCRIPT_4, JAVASCRIPT_3];
const OURS: &[&str] = &["our own"];

/// Every section with its columns.
const SECTIONS: &[(&str, &[&str])] = &[
    ("Uploads (§3, §10)", SDKS),
    ("Files (§4–§6)", SDKS),
    ("Refusals (§2)", SDKS),
    ("Troubles that pass", SDKS),
    ("Troubles that stay", &[JAVASCRIPT_4, JAVASCRIPT_3]),
    ("Troubles of an intelligent upload", SDKS),
    ("Intelligence, film, workflows (§6.7–§8)", SDKS),
    ("Webhook signatures (§7)", SDKS),
    ("Webhooks as the emulator sends them (§7)", SDKS),
    ("In Chromium (§10)", &[JAVASCRIPT_4]),
    ("Our own client: uploads (§3)", OURS),
    ("Our own client: files (§5)", OURS),
    ("Our own client: links (§4, §6)", OURS),
    ("Our own client: refusals (§2)", OURS),
    ("Tasks (§6)", &["the emulator"]),
    ("Sources (§4)", &["the emulator"]),
];

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// It did what it is for.
    Works,
    /// It was refused, as it had to be, with this status.
    Refused(u64),
    /// It failed, as it had to, and this is the SDK's word for it.
    Fails(String),
    /// The emulator does not do it yet.
    NotYet,
    /// Something else that is worth saying.
    Said(String),
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Works => f.write_str("yes"),
            Self::Refused(status) => write!(f, "refused, {status}"),
            Self::Fails(kind) => write!(f, "fails: {kind}"),
            Self::NotYet => f.write_str("**not yet**"),
            Self::Said(text) => f.write_str(text),
        }
    }
}

impl Sdk {
    fn column(self) -> &'static str {
        match self {
            Self::Python => PYTHON,
            Self::JavaScript4 => JAVASCRIPT_4,
            Self::JavaScript3 => JAVASCRIPT_3,
        }
    }
}

/// Compares what a driver did with its column of a section.
#[track_caller]
pub fn of_report(section: &str, sdk: Sdk, report: &Report) {
    let steps = report.steps().map(|step| (step.to_owned(), cell(report, step)));
    record(section, sdk.column(), steps);
}

/// Compares calls that a test collected with the SDK's column of a section.
#[track_caller]
pub fn of_sdk(section: &str, sdk: Sdk, rows: Vec<(String, Cell)>) {
    record(section, sdk.column(), rows);
}

/// What came of a driver's step.
pub fn cell(report: &Report, step: &str) -> Cell {
    if GAPS.iter().any(|(gap, _)| *gap == step) {
        return Cell::NotYet;
    }
    if report.is_result(step) {
        // Some steps ask without the SDK, and say the status.
        return match report.result(step).as_u64() {
            Some(status @ 400..600) => Cell::Refused(status),
            _ => Cell::Works,
        };
    }
    let failure = report.failure(step);
    failure.status.map_or(Cell::Fails(failure.kind), Cell::Refused)
}

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Compares what a test saw with its column of a section.
///
/// # Panics
/// When they differ, unless the table is being written.
#[track_caller]
pub fn record(section: &str, column: &str, rows: impl IntoIterator<Item = (String, Cell)>) {
    let known = SECTIONS.iter().find(|(title, _)| *title == section);
    let (_, columns) = known.unwrap_or_else(|| panic!("the table has no section `{section}`"));
    let at = columns.iter().position(|known| *known == column);
    let at = at.unwrap_or_else(|| panic!("`{section}` has no column `{column}`"));
    let mut order = Vec::new();
    let mut seen = BTreeMap::new();
    for (call, cell) in rows {
        let (call, cell) = (call.replace('|', "/"), cell.to_string().replace('|', "/"));
        match seen.insert(call.clone(), cell.clone()) {
            None => order.push(call),
            Some(before) => assert_eq!(before, cell, "`{call}` came out in two ways"),
        }
    }
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let table = Table::read();
    let written = table.column(section, at);
    if written == seen {
        return;
    }
    if std::env::var_os("SATCHEL_TEST_PARITY").is_none_or(|what| what != "update") {
        let differs = |(call, cell): &(&String, &String)| written.get(*call) != Some(*cell);
        let news: Vec<_> = seen.iter().filter(differs).collect();
        let stale: Vec<_> = written.keys().filter(|call| !seen.contains_key(*call)).collect();
        panic!(
            "docs/parity.md says otherwise of {column} in `{section}`: now {news:?}, no longer {stale:?}.\n\
             SATCHEL_TEST_PARITY=update, set for these tests, writes it anew."
        );
    }
    table.write(section, columns.len(), at, &order, &seen);
}

#[test]
fn the_parity_table_has_the_sections_that_tests_make_and_no_others() {
    let table = Table::read();
    let written: Vec<_> = table
        .sections
        .iter()
        .map(|section| section.title.as_str())
        .collect();
    let made: Vec<_> = SECTIONS.iter().map(|(title, _)| *title).collect();
    assert_eq!(written, made);
}

/// The file, taken apart.
struct Table {
    preface: String,
    sections: Vec<Section>,
}

struct Section {
    title: String,
    /// The call, then a cell for each column.
    rows: Vec<Vec<String>>,
}

impl Table {
    fn read() -> Self {
        let text = std::fs::read_to_string(path()).unwrap_or_default();
        let mut parts = text.split("\n## ");
        let preface = parts.next().unwrap_or_default().trim_end().to_owned();
        let sections = parts.map(|part| {
            let (title, table) = part.split_once('\n').unwrap_or((part, ""));
            let rows = table.lines().filter(|line| line.starts_with("| ")).skip(1);
            let rows = rows.map(|line| {
                let cells = line.trim_matches('|').split('|');
                cells.map(|cell| cell.trim().to_owned()).collect()
            });
            Section {
                title: title.to_owned(),
                rows: rows.collect(),
            }
        });
        Self {
            preface,
            sections: sections.collect(),
        }
    }

    /// The calls of one column, and what is written of them.
    fn column(&self, section: &str, at: usize) -> BTreeMap<String, String> {
        let found = self.sections.iter().find(|found| found.title == section);
        let rows = found.map_or(&[][..], |found| &found.rows);
        let cell = |row: &Vec<String>| Some((row.first()?.clone(), row.get(at + 1)?.clone()));
        let cells = rows.iter().filter_map(cell);
        cells.filter(|(_, cell)| !cell.is_empty()).collect()
    }

    fn write(
        mut self,
        title: &str,
        width: usize,
        at: usize,
        order: &[String],
        seen: &BTreeMap<String, String>,
    ) {
        let before = self.sections.iter().position(|section| section.title == title);
        let mut section = match before {
            Some(found) => self.sections.remove(found),
            None => Section {
                title: title.to_owned(),
                rows: Vec::new(),
            },
        };
        for row in &mut section.rows {
            row.resize(width + 1, String::new());
            row[at + 1].clear();
        }
        for call in order {
            let known = section.rows.iter().position(|row| row[0] == *call);
            let row = known.unwrap_or_else(|| {
                let mut row = vec![String::new(); width + 1];
                row[0].clone_from(call);
                section.rows.push(row);
                section.rows.len() - 1
            });
            section.rows[row][at + 1].clone_from(&seen[call]);
        }
        section
            .rows
            .retain(|row| row[1..].iter().any(|cell| !cell.is_empty()));
        self.sections.push(section);
        let mut text = self.preface;
        for (title, columns) in SECTIONS {
            let Some(section) = self.sections.iter().find(|section| section.title == *title) else {
                continue;
            };
            text += &format!("\n\n## {title}\n\n| Call | {} |\n|---|", columns.join(" | "));
            text += &"---|".repeat(columns.len());
            for row in &section.rows {
                text += &format!("\n| {} |", row.join(" | "));
            }
        }
        std::fs::write(path(), text + "\n").expect("the table can be written");
    }
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/parity.md")
}
