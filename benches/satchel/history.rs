//! What an installation has behind it: jobs that are done, events that were applied, and what is in the audit trail.

use std::path::Path;
use std::time::Duration;

use satchel::clock::{Clock, UtcTime};
use satchel::db::models::events::{self, Event, EventState};
use satchel::db::models::jobs::{self, Job, JobState};
use satchel::db::{Db, Location};
use satchel::ids::{DocumentId, EventId, JobId};
use satchel::queue::{Kind, Priority};
use satchel::services::audit::{self, Action, Actor, Entry};

use super::Outcome;

/// Rows in one statement, and in one transaction.
const BATCH: usize = 1_000;
/// Between two of them.
const STEP: Duration = Duration::from_secs(60);

/// Adds so many of each, the last one now.
pub fn fill(database: &Path, count: usize) -> Outcome<()> {
    let db = Db::open(Location::Sqlite(database.to_path_buf()))?;
    let now = Clock::system().now();
    let ages: Vec<u32> = (0..count as u32).rev().collect();
    for batch in ages.chunks(BATCH) {
        let times: Vec<UtcTime> = batch.iter().map(|age| now.minus(STEP * *age)).collect();
        let done: Vec<Job> = times.iter().map(|at| job(*at)).collect();
        let applied: Vec<Event> = times
            .iter()
            .zip(batch)
            .map(|(at, age)| event(*at, *age))
            .collect();
        db.write_blocking(|c| {
            jobs::insert_batch(c, &done)?;
            events::insert_new(c, &applied.iter().collect::<Vec<_>>())?;
            for at in &times {
                let signed_in = Entry::new(Action::SignedIn, "ana@example.com");
                audit::record(c, &Actor::server(), signed_in, *at)?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn job(at: UtcTime) -> Job {
    Job {
        id: JobId::new(at),
        kind: Kind::ReadMetadata.as_str().to_owned(),
        state: JobState::Done,
        priority: Priority::Normal.number(),
        payload: "null".to_owned(),
        document_id: Some(DocumentId::new(at)),
        unique_key: None,
        run_at: at,
        attempts: 1,
        max_attempts: 8,
        progress: 100,
        reason: None,
        fence: 1,
        lease_until: None,
        worker: None,
        created_at: at,
        started_at: Some(at),
        finished_at: Some(at),
    }
}

fn event(at: UtcTime, number: u32) -> Event {
    Event {
        id: EventId::new(at),
        dedupe_key: format!("id:{number}"),
        filestack_id: Some(i64::from(number)),
        action: "fp.upload".to_owned(),
        body: b"{}".to_vec(),
        digest: format!("{number:064x}"),
        state: EventState::Applied,
        reason: None,
        handle: Some(format!("{number:020}")),
        path: None,
        document_id: None,
        late: false,
        sample: false,
        signed_at: at,
        received_at: at,
        settled_at: Some(at),
        deliveries: 1,
        attempts: 1,
        headers: "[]".to_owned(),
        took_micros: 100,
    }
}
