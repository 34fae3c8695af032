//! The application's jobs, run when a test says so and looked at afterwards.

use std::future::pending;

use satchel::db::keyset::Part;
use satchel::db::models::jobs::{self as rows, Job, listing};
use satchel::ids::JobId;
use satchel::jobs::{Ended, Step, step};
use satchel::queue::{self, NewJob};

use super::app::TestApp;

impl TestApp {
    /// Runs what is due until nothing is, and fails when one of them did not end well.
    pub async fn run_jobs(&self) -> usize {
        let ran = self.run_jobs_however().await;
        for (kind, ended) in &ran {
            assert!(matches!(ended, Ended::Done | Ended::Waits), "{kind}: {ended:?}");
        }
        ran.len()
    }

    /// Runs what is due until nothing is, and gives how each ended.
    pub async fn run_jobs_however(&self) -> Vec<(String, Ended)> {
        let mut ran = Vec::new();
        while let Step::Ran { kind, ended, .. } = self.run_one_job().await {
            ran.push((kind, ended));
            assert!(ran.len() < 1_000, "jobs without end: {:?}", &ran[..20]);
        }
        ran
    }

    /// Runs the next job that is due.
    pub async fn run_one_job(&self) -> Step {
        step(&self.services, "test", pending())
            .await
            .expect("the database answers")
    }

    /// Puts a job into the queue.
    pub async fn enqueue(&self, new: NewJob) -> JobId {
        let now = self.services.clock.now();
        let added = self.services.db.write(move |c| queue::enqueue(c, new, now)).await;
        added.expect("the database answers").id
    }

    /// The job of this id.
    pub async fn job(&self, id: JobId) -> Job {
        let found = self.services.db.run(move |c| rows::find(c, id)).await;
        found.expect("the database answers").expect("the job is there")
    }

    /// All jobs, the newest first.
    pub async fn jobs(&self) -> Vec<Job> {
        let all = listing::JobFilter::default();
        let listed = self
            .services
            .db
            .run(move |c| listing::list(c, &all, &Part::First, 1_000))
            .await;
        listed.expect("the database answers")
    }
}
