//! Jobs on PostgreSQL: how many a second one and four workers do, what a claim costs when very many wait, and the memory of a worker.
//!
//! The jobs are about documents that are gone: claimed, run and finished like any other, with one look at the database between. The
//! worker is the program as it is shipped.

use std::time::{Duration, Instant};

use satchel::clock::{Clock, UtcTime};
use satchel::db::models::jobs::{self, Job, JobState, listing};
use satchel::db::{Db, Location};
use satchel::ids::{DocumentId, JobId};
use satchel::queue::{self, Kind, LEASE, Priority, Wanted};

use super::Outcome;
use super::database::{Database, SETTING};
use super::install::Installation;
use super::options::Options;
use super::report::{Report, median, mib};

const PART: &str = "jobs";
/// Rows in one statement: PostgreSQL takes 65 535 parameters, and a job has 18.
const BATCH: usize = 3_000;
/// Claims in one round.
const CLAIMS: usize = 200;
/// Rounds, one at each length of the queue in turn.
const ROUNDS: usize = 10;
/// How much dearer a claim may be when very many wait.
const TIMES: f64 = 1.2;
/// How much more a worker may hold at the end than after a tenth of its jobs.
const GROWTH: f64 = 1.1;

pub async fn measure(options: &Options, report: &mut Report) -> Outcome<()> {
    let Some(few) = Database::make("few")? else {
        report.note(PART, "jobs", format!("not measured: {SETTING} is not set"));
        return Ok(());
    };
    let Some(many) = Database::make("many")? else {
        return Ok(());
    };
    claims(options, report, &few, &many).await?;
    drop((few, many));
    for threads in [1, 4] {
        let Some(database) = Database::make("work")? else {
            return Ok(());
        };
        work(options, report, &database, threads).await?;
    }
    Ok(())
}

/// What a claim costs with few and with very many waiting: in turn, so that both see the same machine.
async fn claims(options: &Options, report: &mut Report, few: &Database, many: &Database) -> Outcome<()> {
    let (short, long) = (1_000 + CLAIMS * ROUNDS, options.waiting_jobs());
    let short_queue = filled(few, short)?;
    let long_queue = filled(many, long)?;
    let (mut at_few, mut at_many) = (Vec::new(), Vec::new());
    // The first round warms the caches of both.
    for round in 0..=ROUNDS {
        let (one, other) = (claim_time(&short_queue)?, claim_time(&long_queue)?);
        if round > 0 {
            at_few.push(one);
            at_many.push(other);
        }
    }
    let (at_few, at_many) = (median(&at_few), median(&at_many));
    report.note(PART, "claim with about 1 000 waiting", format!("{at_few:.2} ms"));
    report.target(
        PART,
        format!("claim with {long} waiting"),
        format!("{at_many:.2} ms, {:.2} times", at_many / at_few),
        format!("at most {TIMES} times"),
        at_many / at_few <= TIMES,
    );
    Ok(())
}

/// Milliseconds of one claim, over a round of them.
fn claim_time(db: &Db) -> Outcome<f64> {
    let wanted = Wanted {
        kinds: &Kind::ALL,
        worker: "bench",
        lease: LEASE,
    };
    let clock = Clock::system();
    let mut times = Vec::with_capacity(CLAIMS);
    for _ in 0..CLAIMS {
        let begun = Instant::now();
        let job = db.write_blocking(|c| queue::claim(c, &wanted, clock.now()))?;
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
        let job = job.ok_or("the queue ran dry")?;
        // Between two claims, so that as many wait as before, and the table is used as it is in earnest.
        db.write_blocking(|c| queue::finish(c, job.hold(), None, clock.now()))?;
    }
    Ok(median(&times))
}

/// Jobs per second of a worker with so many threads, and its memory.
async fn work(options: &Options, report: &mut Report, database: &Database, threads: usize) -> Outcome<()> {
    let count = options.jobs();
    let db = filled(database, count)?;
    let installation = Installation::for_webhooks(Some(&database.url))?;
    let worker = installation.worker(threads)?;
    let begun = Instant::now();
    let mut early = None;
    loop {
        let done = done(&db).await?;
        if early.is_none() && done * 10 >= count {
            early = Some(worker.resident()?);
        }
        if done == count {
            break;
        }
        if begun.elapsed() > Duration::from_secs(600) {
            return Err(format!("{done} of {count} jobs were done in ten minutes").into());
        }
        actix_web::rt::time::sleep(Duration::from_millis(100)).await;
    }
    let late = worker.resident()?;
    let (first, last) = span(&db).await?;
    let seconds = last.since(first).as_secs_f64();
    let of = if threads == 1 { "1 worker" } else { "4 workers" };
    report.note(
        PART,
        format!("jobs per second, {of}"),
        format!("{:.0}", count as f64 / seconds),
    );
    let early = early.unwrap_or(late);
    report.target(
        PART,
        format!("memory of {of} after a tenth and after all of {count} jobs"),
        format!("{} and {}", mib(early), mib(late)),
        format!("at most {GROWTH} times"),
        late as f64 <= early as f64 * GROWTH,
    );
    Ok(())
}

async fn done(db: &Db) -> Outcome<usize> {
    let counts = db.run(listing::count_by_state).await?;
    let done = counts.iter().find(|(state, _)| *state == JobState::Done);
    Ok(done.map_or(0, |(_, count)| *count as usize))
}

/// When the first was claimed and the last ended.
async fn span(db: &Db) -> Outcome<(UtcTime, UtcTime)> {
    let span = db.run(listing::span_of_done).await?;
    span.ok_or_else(|| "no job was done".into())
}

/// A database with so many jobs waiting, all of them due.
fn filled(database: &Database, count: usize) -> Outcome<Db> {
    let db = Db::open(Location::Postgres(database.url.clone()))?;
    let now = Clock::system().now();
    let begun = now.minus(Duration::from_micros(count as u64));
    let mut number = 0;
    while number < count {
        let batch: Vec<Job> = (number..count.min(number + BATCH))
            .map(|n| waiting(begun.plus(Duration::from_micros(n as u64))))
            .collect();
        number += batch.len();
        db.write_blocking(|c| jobs::insert_batch(c, &batch))?;
    }
    // As PostgreSQL does by itself after a while.
    database.run("VACUUM ANALYZE jobs")?;
    Ok(db)
}

fn waiting(at: UtcTime) -> Job {
    Job {
        id: JobId::new(at),
        kind: Kind::ReadMetadata.as_str().to_owned(),
        state: JobState::Waiting,
        priority: Priority::Normal.number(),
        payload: "null".to_owned(),
        document_id: Some(DocumentId::new(at)),
        unique_key: None,
        run_at: at,
        attempts: 0,
        max_attempts: 8,
        progress: 0,
        reason: None,
        fence: 0,
        lease_until: None,
        worker: None,
        created_at: at,
        started_at: None,
        finished_at: None,
    }
}
