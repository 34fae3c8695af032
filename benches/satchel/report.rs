//! The table.

use std::thread::available_parallelism;

use super::options::Options;

const HEADINGS: [&str; 5] = ["part", "what", "measured", "target", ""];

/// What was measured so far.
#[derive(Default)]
pub struct Report {
    rows: Vec<[String; 5]>,
}

impl Report {
    /// A value that stands by itself.
    pub fn note(&mut self, part: &str, what: impl Into<String>, measured: impl Into<String>) {
        self.add(part, what.into(), measured.into(), String::new(), "");
    }

    /// A value that should reach a target.
    pub fn target(
        &mut self,
        part: &str,
        what: impl Into<String>,
        measured: impl Into<String>,
        target: impl Into<String>,
        is_met: bool,
    ) {
        let verdict = if is_met { "met" } else { "missed" };
        self.add(part, what.into(), measured.into(), target.into(), verdict);
    }

    fn add(&mut self, part: &str, what: String, measured: String, target: String, verdict: &str) {
        eprintln!(
            "  {what}: {measured}{}{target} {verdict}",
            if target.is_empty() { "" } else { ", " }
        );
        self.rows
            .push([part.to_owned(), what, measured, target, verdict.to_owned()]);
    }

    /// Prints everything on stdout.
    pub fn print(&self, options: &Options) {
        println!("{}\n", conditions(options));
        let mut widths = HEADINGS.map(|heading| heading.chars().count());
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let print = |cells: [&str; 5]| {
            let cells: Vec<String> = cells
                .iter()
                .zip(widths)
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            println!("| {} |", cells.join(" | "));
        };
        print(HEADINGS);
        println!("|{}|", widths.map(|width| "-".repeat(width + 2)).join("|"));
        for row in &self.rows {
            print(row.each_ref().map(String::as_str));
        }
    }
}

fn conditions(options: &Options) -> String {
    let cores = available_parallelism().map_or(0, usize::from);
    let processor = std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(": ")?.1.to_owned())
        })
        .unwrap_or_else(|| "unknown processor".to_owned());
    let build = if cfg!(debug_assertions) {
        "debug"
    } else {
        "optimised"
    };
    let sizes = if options.quick { ", --quick sizes" } else { "" };
    let way = if options.intelligent {
        ", intelligent ingestion"
    } else {
        ""
    };
    format!(
        "Satchel {} ({build} build), {processor}, {cores} cores for everything{sizes}{way}",
        env!("CARGO_PKG_VERSION")
    )
}

/// Bytes in MiB.
pub fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / (1u64 << 20) as f64)
}

/// The value in the middle.
pub fn median(values: &[f64]) -> f64 {
    percentile(values, 50.0)
}

/// The value that so many per cent do not exceed.
pub fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}
