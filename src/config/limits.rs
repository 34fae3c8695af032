//! How large, how many, how long and how slow: `SATCHEL_MAX_UPLOAD_BYTES`, `SATCHEL_UPLOAD_MEMORY_BYTES`, `SATCHEL_TRASH_DAYS`,
//! `SATCHEL_API_RATE`, and patience, which is no setting.

use std::time::Duration;

use super::error::ConfigError;
use super::parse;
use super::vars::Vars;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

const DEFAULT_MAX_UPLOAD_BYTES: u64 = 5 * GIB;
/// Sizes are signed 64-bit numbers in both databases.
const LARGEST_MAX_UPLOAD_BYTES: u64 = i64::MAX as u64;

const DEFAULT_UPLOAD_MEMORY_BYTES: u64 = 256 * MIB;
/// Room for two parts of the usual size: with less, one upload could not read a part while another is on its way.
const LEAST_UPLOAD_MEMORY_BYTES: u64 = 16 * MIB;
const LARGEST_UPLOAD_MEMORY_BYTES: u64 = 1024 * GIB;

const DEFAULT_TRASH_DAYS: u64 = 30;
/// Ten years, after which nobody wants anything back.
const MOST_TRASH_DAYS: u64 = 3_650;
const DAY: u64 = 24 * 3_600;

/// A client that sends nothing for so long has stalled; a slow one sends something.
const STALL: Duration = Duration::from_secs(30);
/// More than a server answers.
const MOST_API_RATE: u64 = 1_000_000;
/// Heads are short.
const HEAD: Duration = Duration::from_secs(15);

/// Bounds on requests, uploads above all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitsConfig {
    /// The size of the largest file that is taken.
    pub max_upload_bytes: u64,
    /// What all uploads in flight may hold in memory together; beyond it they wait.
    pub upload_memory_bytes: u64,
    /// How long a deleted document stays in the trash before it is purged.
    pub trash_kept: Duration,
    /// How many requests a minute each API token may make; unbounded when nobody says so.
    pub api_rate: Option<u32>,
    /// For how long an upload's client may send nothing while we are ready to read. Only tests change it.
    pub stall: Duration,
    /// How long the head of a request may take to arrive. Only tests change it.
    pub head: Duration,
}

impl LimitsConfig {
    pub(super) fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        Ok(Self {
            max_upload_bytes: parse::number(
                vars,
                "SATCHEL_MAX_UPLOAD_BYTES",
                DEFAULT_MAX_UPLOAD_BYTES,
                1..=LARGEST_MAX_UPLOAD_BYTES,
                "bytes",
            )?,
            upload_memory_bytes: parse::number(
                vars,
                "SATCHEL_UPLOAD_MEMORY_BYTES",
                DEFAULT_UPLOAD_MEMORY_BYTES,
                LEAST_UPLOAD_MEMORY_BYTES..=LARGEST_UPLOAD_MEMORY_BYTES,
                "bytes",
            )?,
            trash_kept: Duration::from_secs(
                DAY * parse::number(
                    vars,
                    "SATCHEL_TRASH_DAYS",
                    DEFAULT_TRASH_DAYS,
                    1..=MOST_TRASH_DAYS,
                    "days",
                )?,
            ),
            api_rate: match vars.get("SATCHEL_API_RATE") {
                None => None,
                Some(_) => Some(parse::number(
                    vars,
                    "SATCHEL_API_RATE",
                    600,
                    1..=MOST_API_RATE,
                    "requests a minute",
                )? as u32),
            },
            stall: STALL,
            head: HEAD,
        })
    }
}
