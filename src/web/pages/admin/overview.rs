//! `/admin`: is it healthy, what failed, what is filling up, since when.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::clock::UtcTime;
use crate::db::models::statistics::Figure;
use crate::error::AppError;
use crate::services::statistics::{self, DAYS, MANY, Overview};
use crate::web::AppState;
use crate::web::extract::Admin;
use crate::web::pages::shell::dress;
use crate::web::pages::{page, with_cookies};
use crate::web::views::{
    Bar, BigFigure, Chart, Check, Failures, OverviewPage, dress_ago, dress_day, dress_number, dress_size,
};

/// A job that has been due for longer waits too long.
const LATE_SECONDS: u64 = 300;

/// `GET /admin`.
pub async fn show(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
) -> Result<HttpResponse, AppError> {
    let now = state.services.clock.now();
    let seen = statistics::overview(&state.services).await?;
    let days = Days::of(&seen);
    let dressed = dress(&request, &state, Some(admin.user()));
    let mut checks = checks(&state, &seen, now);
    checks.sort_by_key(|check| check.good);
    let show = OverviewPage {
        shell: dressed.shell,
        now: now.calendar(),
        counted_until: seen.counted_until.map(UtcTime::calendar),
        checks,
        figures: figures(&seen, &days),
        charts: charts(&days),
        failures: failures(&seen.figures),
    };
    Ok(with_cookies(page(StatusCode::OK, &show)?, dressed.cookies))
}

fn checks(state: &AppState, seen: &Overview, now: UtcTime) -> Vec<Check> {
    let ago = |at: UtcTime| dress_ago(at.calendar(), now.calendar());
    let filestack = match state.services.breaker.opened() {
        Some(open) => (
            format!("Cannot be reached: {} Work waits for it.", open.reason),
            false,
        ),
        None => ("No failures in a row.".to_owned(), true),
    };
    let jobs = match seen.dead_jobs {
        (0, _) => ("No job has failed.".to_owned(), true),
        (count, last) => {
            let last = last
                .map(|at| format!(", the last one made {}", ago(at)))
                .unwrap_or_default();
            (format!("{} failed for good{last}.", many(count)), false)
        }
    };
    let queue = match seen.oldest_due {
        Some(due) if now.since(due).as_secs() > LATE_SECONDS => (
            format!(
                "{} wait, the longest due {}. Are workers running?",
                many(seen.waiting_jobs),
                ago(due)
            ),
            false,
        ),
        _ => (
            format!("{} wait, none of them late.", many(seen.waiting_jobs)),
            true,
        ),
    };
    let webhooks = match seen.troubled_events {
        0 => ("Every event is understood.".to_owned(), true),
        count => (format!("{} need a look.", many(count)), false),
    };
    let check = |label, href: &str, (says, good): (String, bool)| Check {
        label,
        says,
        href: href.to_owned(),
        good,
    };
    vec![
        check("Filestack", "/admin/jobs?state=waiting", filestack),
        check("Failed jobs", "/admin/jobs?state=dead", jobs),
        check("Waiting jobs", "/admin/jobs?state=waiting", queue),
        check("Webhooks", "/admin/webhooks?state=failed", webhooks),
    ]
}

fn many(count: i64) -> String {
    if count >= MANY {
        format!("{} or more", dress_number(MANY))
    } else {
        dress_number(count)
    }
}

fn figures(seen: &Overview, days: &Days) -> Vec<BigFigure> {
    let bytes = days.kept("bytes");
    let begun = days.begun("bytes");
    let grown = bytes.last().copied().unwrap_or(0) - bytes.get(begun).copied().unwrap_or(0);
    let then = match begun {
        0 => format!("{DAYS} days ago"),
        _ => format!("on {}, when counting began", days.name(begun)),
    };
    let uploads = days.each("uploads");
    vec![
        BigFigure {
            label: "Storage",
            value: dress_size(bytes.last().copied().unwrap_or(0)),
            note: if grown >= 0 {
                format!("{} more than {then}", dress_size(grown))
            } else {
                format!("{} less than {then}", dress_size(-grown))
            },
            href: "/admin/documents",
        },
        BigFigure {
            label: "Documents",
            value: dress_number(days.kept("documents").last().copied().unwrap_or(0)),
            note: "of everybody".to_owned(),
            href: "/admin/documents",
        },
        BigFigure {
            label: "Uploads today",
            value: dress_number(uploads.last().copied().unwrap_or(0)),
            note: match begun {
                0 => format!("{} in {DAYS} days", dress_number(uploads.iter().sum())),
                _ => format!(
                    "{} since {}",
                    dress_number(uploads.iter().sum()),
                    days.name(begun)
                ),
            },
            href: "/admin/audit?action=document.add&since=1d",
        },
        BigFigure {
            label: "Failed jobs",
            value: many(seen.dead_jobs.0),
            note: "to be tried again or called off".to_owned(),
            href: "/admin/jobs?state=dead",
        },
    ]
}

fn charts(days: &Days) -> Vec<Chart> {
    let millis = |value: i64| format!("{} ms", dress_number(value));
    let last = |values: &[i64]| values.last().copied().unwrap_or(0);
    let bytes = days.kept("bytes");
    let uploads = days.each("uploads");
    let webhooks = days.mean_millis("event-micros", "events");
    let jobs = days.mean_millis("job-micros", "jobs");
    vec![
        Chart {
            id: "storage",
            title: "Storage",
            summary: format!("{} now", dress_size(last(&bytes))),
            href: "/admin/documents",
            bars: days.bars(&bytes, dress_size),
        },
        Chart {
            id: "uploads",
            title: "Uploads a day",
            summary: format!("{} today", dress_number(last(&uploads))),
            href: "/admin/audit?action=document.add",
            bars: days.bars(&uploads, dress_number),
        },
        Chart {
            id: "webhooks",
            title: "Webhook latency",
            summary: format!(
                "from arrival to its end: {} today, on average",
                millis(last(&webhooks))
            ),
            href: "/admin/webhooks",
            bars: days.bars(&webhooks, millis),
        },
        Chart {
            id: "jobs",
            title: "Job latency",
            summary: format!("from due to done: {} today, on average", millis(last(&jobs))),
            href: "/admin/jobs?state=done",
            bars: days.bars(&jobs, millis),
        },
    ]
}

fn failures(figures: &[Figure]) -> Vec<Failures> {
    let mut kinds: BTreeMap<&str, i64> = BTreeMap::new();
    for figure in figures {
        if let Some(kind) = figure.name.strip_prefix("failed ") {
            *kinds.entry(kind).or_default() += figure.value;
        }
    }
    let top = kinds.values().copied().max().unwrap_or(0).max(1);
    let mut rows: Vec<Failures> = kinds
        .into_iter()
        .map(|(kind, count)| Failures {
            kind: kind.to_owned(),
            count,
            share: (count * 100 / top).max(1),
        })
        .collect();
    rows.sort_by_key(|row| -row.count);
    rows
}

/// The figures, day by day.
struct Days<'a> {
    first: i32,
    by_name: BTreeMap<(&'a str, i32), i64>,
}

impl<'a> Days<'a> {
    fn of(seen: &'a Overview) -> Self {
        Days {
            first: seen.today - DAYS + 1,
            by_name: seen
                .figures
                .iter()
                .map(|figure| ((figure.name.as_str(), figure.day), figure.value))
                .collect(),
        }
    }

    /// A figure of what happens on a day.
    fn each(&self, name: &str) -> Vec<i64> {
        (0..DAYS)
            .map(|at| self.by_name.get(&(name, self.first + at)).copied().unwrap_or(0))
            .collect()
    }

    /// A figure of what is there: without news it is as it was.
    fn kept(&self, name: &str) -> Vec<i64> {
        let mut last = 0;
        (0..DAYS)
            .map(|at| {
                last = self
                    .by_name
                    .get(&(name, self.first + at))
                    .copied()
                    .unwrap_or(last);
                last
            })
            .collect()
    }

    /// From which of the days on a figure of what is there is known: what was before was not counted.
    fn begun(&self, name: &str) -> usize {
        let known = (0..DAYS).find(|at| self.by_name.contains_key(&(name, self.first + at)));
        known.map_or(0, |at| at as usize)
    }

    fn name(&self, at: usize) -> String {
        let day = self.first + i32::try_from(at).unwrap_or(0);
        dress_day(statistics::start_of(day).calendar())
    }

    /// The mean of a sum of microseconds, in milliseconds.
    fn mean_millis(&self, micros: &str, count: &str) -> Vec<i64> {
        self.each(micros)
            .into_iter()
            .zip(self.each(count))
            .map(|(micros, count)| micros / count.max(1) / 1_000)
            .collect()
    }

    fn bars(&self, values: &[i64], shown: impl Fn(i64) -> String) -> Vec<Bar> {
        values
            .iter()
            .zip(self.first..)
            .map(|(value, day)| Bar {
                day: dress_day(statistics::start_of(day).calendar()),
                value: *value,
                shown: shown(*value),
            })
            .collect()
    }
}
