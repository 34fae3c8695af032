//! What is measured, and how much of it.

use super::Outcome;

pub const HELP: &str = "\
Measures Satchel's speed and memory and prints one table.

Usage: cargo bench --bench satchel -- [PART]... [OPTION]...

Parts (all of them when none is named):
  one      one large upload: memory, disk, speed beside the Filestack client alone
  many     16 uploads at once, and a small request beside them
  slow     500 slow uploads at once
  upload   the three above
  list     pages of the list, requests per second, search
  rows     the dashboard, its tables and searches with very many rows, beside ten times fewer
  pages    the list and the upload page in Chromium: bytes, and when something is to be seen
  picker-config, register
           the right to store a file past the server, and the document made of it, with uploads running and without
  commits  durable commits on SQLite, alone and shared
  emulator the emulator: a file taken in by parts, files delivered
  webhooks signed deliveries, stored before the answer, beside the same server storing nothing; PostgreSQL too, when
           SATCHEL_TEST_POSTGRES_URL names a server
  jobs     jobs of 1 and 4 workers, and a claim when a million wait: on PostgreSQL, when that setting names a server

Options:
  --quick         small sizes: to see that it works, not to compare with the targets
  --large         the list with 1 000 000 documents instead of 100 000
  --intelligent   the sink grants intelligent ingestion (8 MiB parts with a commit each)
  --help          this text
";

const UPLOADS: [&str; 3] = ["one", "many", "slow"];
const PARTS: [&str; 13] = [
    "one",
    "many",
    "slow",
    "upload",
    "list",
    "rows",
    "pages",
    "commits",
    "emulator",
    "webhooks",
    "jobs",
    "picker-config",
    "register",
];
const MIB: u64 = 1 << 20;

/// What is measured, and how much of it.
pub struct Options {
    parts: Vec<String>,
    /// Small sizes.
    pub quick: bool,
    /// A million documents.
    pub large: bool,
    /// Whether the sink grants intelligent ingestion.
    pub intelligent: bool,
}

impl Options {
    /// The options of this command line; `None` when it asks for help.
    pub fn parse(arguments: &[String]) -> Outcome<Option<Self>> {
        let mut options = Options {
            parts: Vec::new(),
            quick: false,
            large: false,
            intelligent: false,
        };
        for argument in arguments {
            match argument.as_str() {
                "--quick" => options.quick = true,
                "--large" => options.large = true,
                "--intelligent" => options.intelligent = true,
                "--help" | "-h" => return Ok(None),
                // `cargo bench` adds this.
                "--bench" => {}
                part if PARTS.contains(&part) => options.parts.push(part.to_owned()),
                other => return Err(format!("{other} is no part and no option; see --help").into()),
            }
        }
        Ok(Some(options))
    }

    /// Whether this part is to be measured.
    pub fn wants(&self, part: &str) -> bool {
        let named = |name: &str| self.parts.iter().any(|wanted| wanted == name);
        self.parts.is_empty() || named(part) || (UPLOADS.contains(&part) && named("upload"))
    }

    /// Repetitions of everything that is compared.
    pub fn rounds(&self) -> usize {
        if self.quick { 1 } else { 3 }
    }

    /// The one large upload.
    pub fn one_bytes(&self) -> u64 {
        if self.quick { 64 * MIB } else { 1_024 * MIB }
    }

    /// Uploads at once, and the size of each.
    pub fn many(&self) -> (usize, u64) {
        if self.quick { (4, 16 * MIB) } else { (16, 64 * MIB) }
    }

    /// Slow uploads at once, the size of each, and the seconds that each takes.
    pub fn trickle(&self) -> (usize, u64, u64) {
        if self.quick {
            (50, MIB / 4, 1)
        } else {
            (500, MIB, 10)
        }
    }

    /// The large file that the emulator delivers.
    pub fn delivered_bytes(&self) -> u64 {
        if self.quick { 16 * MIB } else { 100 * MIB }
    }

    /// Documents in the list's database, and the users they belong to in equal parts.
    pub fn documents(&self) -> (u64, u64) {
        match (self.quick, self.large) {
            (true, _) => (5_000, 5),
            (false, true) => (1_000_000, 100),
            (false, false) => (100_000, 10),
        }
    }

    /// Documents, and their users, where pages with very many rows are compared with those that have ten times fewer.
    pub fn very_many(&self) -> (u64, u64) {
        if self.quick {
            (20_000, 200)
        } else {
            (1_000_000, 10_000)
        }
    }

    /// The page far down the list.
    pub fn deep_page(&self) -> usize {
        if self.quick { 15 } else { 150 }
    }

    /// How often each page is asked for by itself.
    pub fn page_samples(&self) -> usize {
        if self.quick { 50 } else { 500 }
    }

    /// How often a page is looked at in a browser.
    pub fn paints(&self) -> usize {
        if self.quick { 3 } else { 15 }
    }

    /// Jobs that wait while a claim is timed.
    pub fn waiting_jobs(&self) -> usize {
        if self.quick { 50_000 } else { 1_000_000 }
    }

    /// Jobs that a worker does.
    pub fn jobs(&self) -> usize {
        if self.quick { 2_000 } else { 20_000 }
    }

    /// How long requests per second are counted.
    pub fn load_seconds(&self) -> u64 {
        if self.quick { 1 } else { 5 }
    }
}
