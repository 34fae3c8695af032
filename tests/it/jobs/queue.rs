//! The queue with several workers at once, on both databases.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_query;
use satchel::db::models::jobs::{self, JobState};
use satchel::queue::{self, Enqueued, Failure, Kind, LEASE, NewJob, Revival, Wanted};

use crate::support::app::TestApp;
use crate::support::between::second_waits;

const ALL: Wanted<'static> = Wanted {
    kinds: &Kind::ALL,
    worker: "test",
    lease: LEASE,
};

async fn no_job_is_claimed_twice_or_left(app: &TestApp) {
    for n in 0..200 {
        let new = NewJob {
            run_at: Some(app.services.clock.now().minus(Duration::from_secs(n))),
            ..NewJob::new(Kind::ReadMetadata)
        };
        app.enqueue(new).await;
    }
    let claimed = Arc::new(Mutex::new(BTreeMap::new()));
    let workers = (0..6).map(|_| {
        let (services, claimed) = (app.services.clone(), claimed.clone());
        actix_web::rt::spawn(async move {
            let now = services.clock.now();
            while let Some(job) = services
                .db
                .write(move |c| queue::claim(c, &ALL, now))
                .await
                .expect("a claim")
            {
                *claimed.lock().expect("there").entry(job.id).or_insert(0) += 1;
                let kept = services
                    .db
                    .write(move |c| queue::finish(c, job.hold(), None, now))
                    .await;
                assert!(kept.expect("an end"), "nobody else has it");
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.expect("there");
    }
    let claimed = claimed.lock().expect("there");
    assert_eq!(claimed.len(), 200);
    assert!(claimed.values().all(|times| *times == 1), "{claimed:?}");
}

#[actix_web::test]
async fn six_workers_share_the_queue_and_none_gets_what_another_has() {
    no_job_is_claimed_twice_or_left(&TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn six_workers_share_the_queue_on_postgresql_and_none_gets_what_another_has() {
    no_job_is_claimed_twice_or_left(&TestApp::postgres().await).await;
}

async fn one_unique_key_makes_one_job(app: &TestApp) {
    let new = Arc::new(AtomicUsize::new(0));
    let tries = (0..8).map(|_| {
        let (services, new) = (app.services.clone(), new.clone());
        actix_web::rt::spawn(async move {
            let now = services.clock.now();
            let job = NewJob {
                unique_key: Some("the only one".to_owned()),
                ..NewJob::new(Kind::Reconcile)
            };
            let Enqueued { is_new, .. } = services
                .db
                .write(move |c| queue::enqueue(c, job, now))
                .await
                .expect("a place in the queue");
            new.fetch_add(usize::from(is_new), Ordering::SeqCst);
        })
    });
    for one in tries.collect::<Vec<_>>() {
        one.await.expect("there");
    }
    assert_eq!(new.load(Ordering::SeqCst), 1);
    assert_eq!(app.jobs().await.len(), 1);
}

#[actix_web::test]
async fn eight_at_once_with_one_unique_key_make_one_job() {
    one_unique_key_makes_one_job(&TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn eight_at_once_with_one_unique_key_make_one_job_on_postgresql() {
    one_unique_key_makes_one_job(&TestApp::postgres().await).await;
}

/// The job in the way is seen when another is added, and has ended when it is looked for.
#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn a_job_that_ends_while_another_with_its_key_is_added_is_not_in_the_way() {
    let app = TestApp::postgres().await;
    let new = NewJob {
        unique_key: Some("the only one".to_owned()),
        ..NewJob::new(Kind::Reconcile)
    };
    let first = app.enqueue(new.clone()).await;
    let now = app.services.clock.now();
    let claimed = app.services.db.write(move |c| queue::claim(c, &ALL, now)).await;
    let hold = claimed.expect("a claim").expect("a job").hold();
    // Whoever adds a job waits behind the statement that adds it.
    let waiting = "CREATE FUNCTION wait_here() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NULL; END'";
    let trigger =
        "CREATE TRIGGER wait_here AFTER INSERT ON jobs FOR EACH STATEMENT EXECUTE FUNCTION wait_here()";
    let made = app.services.db.write(move |c| {
        sql_query(waiting).execute(c)?;
        Ok(sql_query(trigger).execute(c)?)
    });
    made.await.expect("a trigger");
    let added = app.services.db.write(move |c| queue::enqueue(c, new, now));
    let added = app.in_between(
        move |c, other| {
            sql_query("SELECT pg_advisory_xact_lock(4711)").execute(c)?;
            other.waits(c)?;
            assert!(queue::finish(c, hold, None, now)?, "it has its job");
            Ok(())
        },
        added,
    );
    let added = added.await.expect("a place in the queue");
    assert!(added.is_new && added.id != first, "{added:?}");
}

async fn a_bounded_kind_keeps_its_bound(app: &TestApp) {
    for _ in 0..10 {
        app.enqueue(NewJob::new(Kind::VerifyFile)).await;
    }
    let claims = (0..8).map(|_| {
        let services = app.services.clone();
        actix_web::rt::spawn(async move {
            let now = services.clock.now();
            let claimed = services.db.write(move |c| queue::claim(c, &ALL, now)).await;
            usize::from(claimed.expect("a claim").is_some())
        })
    });
    let mut running = 0;
    for claim in claims.collect::<Vec<_>>() {
        running += claim.await.expect("there");
    }
    assert_eq!(running, 2, "of so many may run at once");
}

#[actix_web::test]
async fn eight_workers_at_once_keep_to_the_bound_of_a_kind() {
    a_bounded_kind_keeps_its_bound(&TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn eight_workers_at_once_keep_to_the_bound_of_a_kind_on_postgresql() {
    a_bounded_kind_keeps_its_bound(&TestApp::postgres().await).await;
}

/// A worker sleeps past its lease in the middle of a job, and another one takes over.
async fn a_sleeper_is_fenced(app: &TestApp) {
    let id = app.enqueue(NewJob::new(Kind::ReadMetadata)).await;
    let db = &app.services.db;
    let now = app.services.clock.now();
    let slept = db
        .write(move |c| queue::claim(c, &ALL, now))
        .await
        .expect("there")
        .expect("there");
    app.advance(LEASE + Duration::from_secs(1));
    let now = app.services.clock.now();
    assert_eq!(
        db.write(move |c| queue::reclaim(c, now))
            .await
            .expect("there")
            .count,
        1
    );
    let other = db
        .write(move |c| queue::claim(c, &ALL, now))
        .await
        .expect("there")
        .expect("there");
    assert_eq!(other.id, id);

    let effects = Arc::new(AtomicUsize::new(0));
    for (hold, kept) in [(slept.hold(), false), (other.hold(), true), (slept.hold(), false)] {
        let effects = effects.clone();
        let finished = db
            .write(move |c| {
                queue::finish_with(c, hold, None, now, |_| {
                    effects.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                })
            })
            .await;
        assert_eq!(finished.expect("there"), kept);
    }
    assert_eq!(
        effects.load(Ordering::SeqCst),
        1,
        "what a job changes is changed once"
    );
    let job = app.job(id).await;
    assert_eq!((job.state, job.attempts), (JobState::Done, 2));
}

#[actix_web::test]
async fn r5_a_worker_that_slept_past_its_lease_commits_nothing() {
    a_sleeper_is_fenced(&TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn r5_a_worker_that_slept_past_its_lease_commits_nothing_on_postgresql() {
    a_sleeper_is_fenced(&TestApp::postgres().await).await;
}

/// The sweep has read which jobs are old enough to be forgotten when somebody tries one of them again.
#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn a_dead_job_that_is_tried_again_while_it_is_being_forgotten_stays() {
    let app = TestApp::postgres().await;
    let now = app.services.clock.now();
    let tried_again = app.enqueue(NewJob::new(Kind::SendMail)).await;
    let left = app.enqueue(NewJob::new(Kind::SendMail)).await;
    let failed = app.services.db.write(move |c| {
        let failure = Failure {
            reason: "It is for this test.".to_owned(),
            transient: false,
            retry_after: None,
        };
        while let Some(job) = queue::claim(c, &ALL, now)? {
            queue::fail(c, &job, &failure, now)?;
        }
        Ok(())
    });
    failed.await.expect("dead jobs");
    let later = now.plus(Duration::from_secs(1));
    let (retried, forgotten) = second_waits(
        &app.services.db,
        move |c| queue::retry(c, tried_again, now),
        move |c| jobs::delete_ended(c, true, later, 100),
    )
    .await;
    assert_eq!((retried, forgotten), (Revival::Waits, 1));
    assert_eq!(app.job(tried_again).await.state, JobState::Waiting);
    let gone = app.services.db.run(move |c| jobs::find(c, left));
    assert!(gone.await.expect("rows").is_none());
}
