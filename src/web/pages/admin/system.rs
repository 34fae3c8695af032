//! `/admin/settings` and `/admin/system`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::config::{Settings, Vars};
use crate::error::AppError;
use crate::services::system::{self, TOLERABLE};
use crate::web::AppState;
use crate::web::extract::Admin;
use crate::web::pages::shell::dress;
use crate::web::pages::{page, with_cookies};
use crate::web::views::{Fact, SettingRow, SettingsPage, SystemPage, dress_ago, dress_number};

/// `GET /admin/settings`.
pub async fn settings(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
) -> Result<HttpResponse, AppError> {
    let dressed = dress(&request, &state, Some(admin.user()));
    let nothing = Vars::default();
    let defaults = Settings::from_vars(&nothing).and_then(|settings| settings.shown(&nothing));
    let default = |name: &str| {
        let known = defaults
            .as_ref()
            .ok()?
            .settings
            .iter()
            .find(|row| row.name == name)?;
        // What was made up and kept is nobody's default.
        known.value.clone().filter(|_| known.source == "default")
    };
    let show = SettingsPage {
        shell: dressed.shell,
        rows: state
            .settings
            .shown
            .settings
            .iter()
            .map(|row| SettingRow {
                name: row.name,
                value: row.value.clone(),
                source: row.source.clone(),
                default: default(row.name),
            })
            .collect(),
    };
    Ok(with_cookies(page(StatusCode::OK, &show)?, dressed.cookies))
}

/// `GET /admin/system`.
pub async fn show(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
) -> Result<HttpResponse, AppError> {
    let now = state.services.clock.now();
    let seen = system::look(&state.services).await?;
    let missing = seen
        .migrations
        .iter()
        .filter(|migration| !migration.applied)
        .count();
    let fact = |label, says: String, good| Fact { label, says, good };
    let clock = match seen.ahead_seconds {
        None => ("Filestack does not answer, so it is not known.".to_owned(), false),
        Some(0) => ("Agrees with Filestack's.".to_owned(), true),
        Some(off) => {
            let where_to = if off > 0 { "ahead of" } else { "behind" };
            let count = off.unsigned_abs();
            (
                format!("{count} s {where_to} Filestack's."),
                count <= TOLERABLE.as_secs(),
            )
        }
    };
    let breaker = match state.services.breaker.opened() {
        Some(open) => (
            format!(
                "Open since {}: {}",
                dress_ago(open.since.calendar(), now.calendar()),
                open.reason
            ),
            false,
        ),
        None => ("Closed: Filestack answers this server.".to_owned(), true),
    };
    let due = seen.oldest_due.map_or_else(String::new, |due| {
        format!(", the longest due {}", dress_ago(due.calendar(), now.calendar()))
    });
    let mut facts = vec![
        fact("Satchel", env!("CARGO_PKG_VERSION").to_owned(), None),
        fact("Database", seen.database, None),
        fact(
            "Migrations",
            format!("{} applied, {missing} missing", seen.migrations.len() - missing),
            Some(missing == 0),
        ),
        fact("Clock", clock.0, Some(clock.1)),
        fact("Circuit breaker", breaker.0, Some(breaker.1)),
        fact(
            "Queue",
            format!("{} jobs wait{due}", dress_number(seen.waiting)),
            None,
        ),
    ];
    if seen.workers.is_empty() {
        facts.push(fact("Workers", "None has a job just now.".to_owned(), None));
    }
    for (worker, count) in seen.workers {
        facts.push(fact("Worker", format!("{worker} runs {count}"), None));
    }
    let dressed = dress(&request, &state, Some(admin.user()));
    let show = SystemPage {
        shell: dressed.shell,
        facts,
        warnings: state.settings.shown.warnings.clone(),
        reports: state
            .reports
            .list()
            .into_iter()
            .map(|report| {
                let when = dress_ago(report.at.calendar(), now.calendar());
                let what = format!("{} on {} ({})", report.blocked, report.page, report.directive);
                (when, what)
            })
            .collect(),
        migrations: seen
            .migrations
            .into_iter()
            .map(|migration| (migration.name, migration.applied))
            .collect(),
    };
    Ok(with_cookies(page(StatusCode::OK, &show)?, dressed.cookies))
}
