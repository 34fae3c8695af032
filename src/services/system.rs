//! What a server is made of and stands on: for administrators who want to know whether it is set up well.

use std::time::{Duration, SystemTime};

use crate::clock::UtcTime;
use crate::db::models::jobs::listing;
use crate::db::{MigrationStatus, version};
use crate::error::AppError;
use crate::services::Services;
use crate::services::statistics::MANY;

/// A clock that is off by more makes policies end early, or begin late.
pub const TOLERABLE: Duration = Duration::from_secs(30);

/// What was found.
#[derive(Debug)]
pub struct System {
    /// Which database, and which version of it.
    pub database: String,
    /// Its migrations.
    pub migrations: Vec<MigrationStatus>,
    /// By how many seconds this clock is ahead of Filestack's; `None` when Filestack does not answer.
    pub ahead_seconds: Option<i64>,
    /// Jobs that wait, up to [`MANY`].
    pub waiting: i64,
    /// Who runs jobs just now, and how many.
    pub workers: Vec<(String, i64)>,
    /// When the job was due that has been due longest.
    pub oldest_due: Option<UtcTime>,
}

/// Looks at everything, Filestack's clock included.
pub async fn look(services: &Services) -> Result<System, AppError> {
    let now = services.clock.now();
    let db = services.db.clone();
    let read = services.db.run(move |c| {
        Ok((
            format!("{} {}", db.backend(), version(c)?),
            listing::count_waiting(c, MANY)?,
            listing::list_workers(c)?,
            listing::oldest_due(c, now)?,
            db.migration_status()?,
        ))
    });
    let (database, waiting, workers, oldest_due, migrations) = read.await?;
    let theirs = services.filestack.time().await.ok();
    Ok(System {
        database,
        migrations,
        ahead_seconds: theirs.map(|theirs| seconds_between(theirs, services.clock.now())),
        waiting,
        workers,
        oldest_due,
    })
}

fn seconds_between(theirs: SystemTime, ours: UtcTime) -> i64 {
    ours.seconds() - UtcTime::of_system(theirs).seconds()
}
