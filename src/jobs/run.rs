//! One step of a worker: claim a job, do it while giving signs of life, and write down how it ended.

use std::time::Duration;

use tokio::task::JoinHandle;

use super::kinds;
use super::verdict::Fault;
use crate::db::DbError;
use crate::db::models::jobs::Job;
use crate::error::AppError;
use crate::failpoints;
use crate::ids::JobId;
use crate::queue::{self, Failure, Fate, Gate, Kind, LEASE, Progress, Wanted};
use crate::services::Services;
use crate::services::processing::Outcome;

/// Between two signs of life, which say how far the job is: eleven may be missed.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// What a step came to.
#[derive(Clone, Debug)]
pub enum Step {
    /// Nothing is due.
    Idle,
    /// A job was run.
    Ran {
        /// Which.
        id: JobId,
        /// Of what kind.
        kind: String,
        /// How that ended.
        ended: Ended,
    },
}

/// How a run of a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It is done.
    Done,
    /// It waits to be looked at again: it goes on elsewhere.
    Waits,
    /// It failed and waits for its next attempt.
    Again(String),
    /// It was put back without counting: Filestack is down, or the worker is to stop.
    PutBack,
    /// It failed for good.
    Dead(String),
    /// Somebody else has it, or it was cancelled: nothing of this run was kept.
    Lost,
}

/// Takes the next job that is due, and does it. Ends early when `stop` does: the job is given back then.
///
/// # Errors
///
/// When the database does not answer; the job's lease ends by itself then.
pub async fn step(
    services: &Services,
    worker: &str,
    stop: impl Future<Output = ()>,
) -> Result<Step, AppError> {
    let Some((job, gate)) = next(services, worker).await? else {
        return Ok(Step::Idle);
    };
    let ended = attempt(services, &job, gate, stop).await?;
    let level = match ended {
        Ended::Dead(_) => log::Level::Error,
        Ended::Again(_) | Ended::Lost => log::Level::Warn,
        _ => log::Level::Info,
    };
    log::log!(level, event = "job", job = job.id.as_str(), kind = job.kind.as_str(), attempt = job.attempts;
        "job {} {}: {ended:?}", job.kind, job.id);
    Ok(Step::Ran {
        id: job.id,
        kind: job.kind,
        ended,
    })
}

/// Claims a job. While the breaker is open, those that need Filestack are left where they are.
async fn next(services: &Services, worker: &str) -> Result<Option<(Job, Gate)>, AppError> {
    let now = services.clock.now();
    let gate = services.breaker.ask(now);
    let kinds: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| gate != Gate::Open || !kind.traits().needs_filestack)
        .collect();
    let worker = worker.to_owned();
    let claimed = services
        .db
        .write(move |c| {
            let wanted = Wanted {
                kinds: &kinds,
                worker: &worker,
                lease: LEASE,
            };
            queue::claim(c, &wanted, now)
        })
        .await;
    let is_probe = |job: &Job| {
        job.kind
            .parse::<Kind>()
            .is_ok_and(|kind| kind.traits().needs_filestack)
    };
    if gate == Gate::Probe && !matches!(&claimed, Ok(Some(job)) if is_probe(job)) {
        services.breaker.not_needed();
    }
    let claimed = claimed?;
    if claimed.is_some() {
        failpoints::reach("job.after-claim");
    }
    Ok(claimed.map(|job| (job, gate)))
}

/// Why an attempt ended without an outcome.
enum Broken {
    Fault(Fault),
    Lost,
    Stopped,
}

async fn attempt(
    services: &Services,
    job: &Job,
    gate: Gate,
    stop: impl Future<Output = ()>,
) -> Result<Ended, AppError> {
    let done = watch(services, job, stop).await;
    let kind = job.kind.parse::<Kind>().ok();
    if kind.is_some_and(|kind| kind.traits().needs_filestack) {
        match &done {
            Ok(_) | Err(Broken::Fault(Fault::Failed(_))) => services.breaker.succeeded(),
            Err(Broken::Fault(Fault::Down(_))) => {}
            Err(Broken::Lost | Broken::Stopped) if gate == Gate::Probe => services.breaker.not_needed(),
            Err(_) => {}
        }
    }
    match done {
        Ok(outcome) => keep(services, job, outcome).await,
        Err(Broken::Lost) => Ok(Ended::Lost),
        Err(Broken::Stopped) => {
            let (hold, now) = (job.hold(), services.clock.now());
            let reason = Some("Its worker was told to stop.");
            let waits = services
                .db
                .write(move |c| queue::give_back(c, hold, now, reason))
                .await?;
            Ok(if waits { Ended::PutBack } else { Ended::Lost })
        }
        Err(Broken::Fault(Fault::Failed(failure))) => fail(services, job, failure).await,
        Err(Broken::Fault(Fault::Down(failure))) => {
            let now = services.clock.now();
            match services.breaker.failed(&failure.reason, now) {
                None => fail(services, job, failure).await,
                Some(until) => {
                    let (hold, reason) = (job.hold(), failure.reason);
                    let waits = services
                        .db
                        .write(move |c| queue::give_back(c, hold, until, Some(&reason)))
                        .await?;
                    Ok(if waits { Ended::PutBack } else { Ended::Lost })
                }
            }
        }
    }
}

/// Runs the job in a task of its own (a panic ends that and not the worker) and gives signs of life until it ends.
async fn watch(services: &Services, job: &Job, stop: impl Future<Output = ()>) -> Result<Outcome, Broken> {
    let Ok(kind) = job.kind.parse::<Kind>() else {
        let reason = format!("This version knows no jobs of the kind {}.", job.kind);
        return Err(Broken::Fault(Fault::Failed(permanent(reason))));
    };
    let progress = Progress::default();
    let (services_too, job_too, said) = (services.clone(), job.clone(), progress.clone());
    let mut running = AbortOnDrop(tokio::spawn(async move {
        failpoints::reach("job.before-work");
        let outcome = kinds::run(&services_too, kind, &job_too, &said).await;
        failpoints::reach("job.after-work");
        outcome
    }));
    let time_is_up = tokio::time::sleep(kind.traits().time);
    tokio::pin!(stop, time_is_up);
    loop {
        tokio::select! {
            biased;
            ended = &mut running.0 => return match ended {
                Ok(Ok(outcome)) => Ok(outcome),
                Ok(Err(error)) => Err(Broken::Fault(error.into())),
                Err(_) => Err(Broken::Fault(Fault::Failed(Failure {
                    reason: "It broke down in a way that nobody foresaw; the log says where.".to_owned(),
                    transient: true,
                    retry_after: None,
                }))),
            },
            () = &mut stop => return Err(Broken::Stopped),
            () = &mut time_is_up => return Err(Broken::Fault(Fault::Failed(Failure {
                reason: format!("It took longer than {} seconds.", kind.traits().time.as_secs()),
                transient: true,
                retry_after: None,
            }))),
            () = tokio::time::sleep(SIGN_OF_LIFE) => {
                let (hold, now, percent) = (job.hold(), services.clock.now(), progress.percent());
                let held = services.db.write(move |c| queue::heartbeat(c, hold, LEASE, percent, now)).await;
                match held {
                    Ok(true) => {}
                    Ok(false) => return Err(Broken::Lost),
                    // The lease has room for a few of these.
                    Err(error) => log::warn!(event = "job-heartbeat", job = job.id.as_str(); "no sign of life could be given: {error}"),
                }
            }
        }
    }
}

/// A worker that stops waiting for a run stops the run, too.
struct AbortOnDrop(JoinHandle<Result<Outcome, AppError>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Writes an outcome down, with all that it changes.
async fn keep(services: &Services, job: &Job, outcome: Outcome) -> Result<Ended, AppError> {
    let (hold, now) = (job.hold(), services.clock.now());
    failpoints::reach("job.before-finish");
    let kept = services
        .db
        .write(move |c| match outcome {
            Outcome::Done { result, effects } => {
                let kept = queue::finish_with(c, hold, Some(&result), now, effects)?;
                failpoints::reach("job.in-finish");
                Ok(kept.then_some(Ended::Done))
            }
            Outcome::Later { after, note, effects } => {
                let kept = queue::give_back(c, hold, now.plus(after), Some(&note))?;
                if kept {
                    effects(c)?;
                }
                Ok(kept.then_some(Ended::Waits))
            }
        })
        .await;
    failpoints::reach("job.after-finish");
    match kept {
        Ok(ended) => {
            // What it changed may have made other jobs necessary.
            services.bell.ring();
            Ok(ended.unwrap_or(Ended::Lost))
        }
        // A deadlock, or a wait that was too long: nobody has to wait for the lease's end. Where the database is away that cannot be
        // written either, and the lease ends by itself.
        Err(error @ (DbError::Busy(_) | DbError::Unreachable(_))) => {
            log::warn!(event = "job-not-ended", job = job.id.as_str(); "what a job found could not be kept: {error}");
            let failure = Failure {
                reason: "What it found could not be kept: the database was busy.".to_owned(),
                transient: true,
                retry_after: None,
            };
            fail(services, job, failure).await
        }
        // Its effects cannot be written: the database is well, the job is not.
        Err(error @ (DbError::Conflict | DbError::NotFound)) => {
            let failure = Failure {
                reason: format!("What it found could not be kept: {error}."),
                transient: true,
                retry_after: None,
            };
            fail(services, job, failure).await
        }
        Err(error) => {
            fail(
                services,
                job,
                permanent(format!("What it found could not be kept: {error}.")),
            )
            .await
        }
    }
}

async fn fail(services: &Services, job: &Job, failure: Failure) -> Result<Ended, AppError> {
    let (job, now, reason) = (job.clone(), services.clock.now(), failure.reason.clone());
    let mourning = services.clone();
    let fate = services
        .db
        .write(move |c| {
            let fate = queue::fail(c, &job, &failure, now)?;
            if fate == Fate::Dead {
                kinds::mourn(&mourning, c, &job, now)?;
            }
            Ok(fate)
        })
        .await?;
    Ok(match fate {
        Fate::Again(_) => Ended::Again(reason),
        Fate::Dead => Ended::Dead(reason),
        Fate::Lost => Ended::Lost,
    })
}

fn permanent(reason: String) -> Failure {
    Failure {
        reason,
        transient: false,
        retry_after: None,
    }
}

/// Takes jobs back from workers that have died; gives how many.
///
/// # Errors
///
/// When the database does not answer.
pub async fn reclaim(services: &Services) -> Result<usize, AppError> {
    let (mourning, now) = (services.clone(), services.clock.now());
    let taken = services.db.write(move |c| {
        let taken = queue::reclaim(c, now)?;
        for job in &taken.dead {
            kinds::mourn(&mourning, c, job, now)?;
        }
        Ok(taken.count)
    });
    Ok(taken.await?)
}
