//! `ocr` (§6.8): text with a box round every area, line and word. A text file has its own text, set in a grid; every other file has a
//! few made-up lines.

use serde_json::{Value, json};

use super::chance::Chance;
use super::words;

/// Text that is read of a file, in bytes and lines.
const MAX_TEXT: usize = 16 * 1024;
const MAX_LINES: usize = 200;
/// The page that a file without a size is set on.
const PAGE: (u32, u32) = (1_000, 1_400);
const COLUMNS: u32 = 80;
const ROWS: u32 = 60;

pub(super) fn read(content: &[u8], mimetype: &str, size: Option<(u32, u32)>, chance: &mut Chance) -> Value {
    let own = own_text(content, mimetype);
    let lines = own.unwrap_or_else(|| words::lines(chance));
    // Paragraphs are areas: they end where a line is empty.
    let mut areas: Vec<Vec<(u32, &str)>> = vec![Vec::new()];
    for (row, line) in (0..).zip(&lines) {
        let is_new = areas.last().is_some_and(|area| !area.is_empty());
        match line.trim() {
            "" if is_new => areas.push(Vec::new()),
            "" => {}
            text => {
                if let Some(area) = areas.last_mut() {
                    area.push((row, text));
                }
            }
        }
    }
    areas.retain(|area| !area.is_empty());
    let grid = Grid::of(size.unwrap_or(PAGE));
    let texts: Vec<String> = areas.iter().map(|area| text_of(area)).collect();
    let covered: u32 = areas.iter().flatten().map(|(_, line)| width_of(line)).sum();
    let percentage = f64::from(covered) * 100.0 / f64::from(COLUMNS * ROWS);
    json!({
        "document": { "text_areas": areas.iter().map(|area| grid.area(area)).collect::<Vec<_>>() },
        "text": texts.join("\n"),
        "text_area_percentage": (percentage.min(100.0) * 10.0).round() / 10.0,
    })
}

/// The lines of a text file.
fn own_text(content: &[u8], mimetype: &str) -> Option<Vec<String>> {
    let start = &content[..content.len().min(MAX_TEXT)];
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        // Cut within a letter, not wrong.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&start[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let is_text = mimetype.starts_with("text/") && !text.contains('\0');
    is_text.then(|| text.lines().take(MAX_LINES).map(str::to_owned).collect())
}

fn text_of(area: &[(u32, &str)]) -> String {
    let lines: Vec<&str> = area.iter().map(|(_, line)| *line).collect();
    lines.join("\n")
}

fn width_of(text: &str) -> u32 {
    u32::try_from(text.chars().count())
        .unwrap_or(COLUMNS)
        .min(COLUMNS)
}

/// Letters of one width in rows of one height.
struct Grid {
    size: (u32, u32),
}

impl Grid {
    fn of(size: (u32, u32)) -> Self {
        Self { size }
    }

    fn area(&self, lines: &[(u32, &str)]) -> Value {
        let widest = lines.iter().map(|(_, line)| width_of(line)).max().unwrap_or(1);
        let first = lines.first().map_or(0, |(row, _)| *row);
        let last = lines.last().map_or(first, |(row, _)| *row);
        json!({
            "bounding_box": self.bounds((0, first), (widest, last + 1)),
            "lines": lines.iter().map(|(row, line)| self.line(*row, line)).collect::<Vec<_>>(),
            "text": text_of(lines),
        })
    }

    fn line(&self, row: u32, line: &str) -> Value {
        let mut column = 0;
        let mut words = Vec::new();
        for word in line.split_whitespace() {
            let width = width_of(word);
            words.push(json!({
                "bounding_box": self.bounds((column, row), (column + width, row + 1)),
                "text": word,
            }));
            column += width + 1;
        }
        json!({
            "bounding_box": self.bounds((0, row), (width_of(line), row + 1)),
            "text": line,
            "words": words,
        })
    }

    /// Four corners, clockwise from the top left, within the page.
    fn bounds(&self, (left, top): (u32, u32), (right, bottom): (u32, u32)) -> Value {
        let at = |place: u32, count: u32, side: u32| {
            let pixels = u64::from(place.min(count)) * u64::from(side) / u64::from(count);
            u32::try_from(pixels).unwrap_or(side)
        };
        let x = |column| at(column, COLUMNS, self.size.0);
        let y = |row| at(row, ROWS, self.size.1);
        json!([
            { "x": x(left), "y": y(top) },
            { "x": x(right), "y": y(top) },
            { "x": x(right), "y": y(bottom) },
            { "x": x(left), "y": y(bottom) },
        ])
    }
}
