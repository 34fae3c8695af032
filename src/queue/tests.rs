//! The queue on SQLite; `tests/it/jobs` has two workers at once on both databases.

use super::*;
use crate::db::{Db, Location};

fn temporary() -> (tempfile::TempDir, Db) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let db = Db::open(Location::Sqlite(directory.path().join("satchel.db"))).expect("a database");
    (directory, db)
}

fn at(seconds: i64) -> UtcTime {
    UtcTime::from_micros(1_700_000_000_000_000 + seconds * 1_000_000)
}

const ALL: Wanted<'static> = Wanted {
    kinds: &Kind::ALL,
    worker: "test",
    lease: LEASE,
};

fn run(work: impl FnOnce(&mut DbConn) -> Result<(), DbError>) {
    let (_directory, db) = temporary();
    db.write_blocking(work).expect("the test's queries");
}

fn state(c: &mut DbConn, id: JobId) -> JobState {
    jobs::find(c, id).expect("a query").expect("a job").state
}

#[test]
fn the_urgent_come_first_then_those_that_have_waited_longest_and_none_before_its_time() {
    run(|c| {
        let low = NewJob {
            priority: Priority::Low,
            ..NewJob::new(Kind::SendMail)
        };
        let low = enqueue(c, low, at(0))?.id;
        let second = enqueue(c, NewJob::new(Kind::ReadMetadata), at(2))?.id;
        let first = enqueue(c, NewJob::new(Kind::TagImage), at(1))?.id;
        let later = NewJob {
            priority: Priority::High,
            run_at: Some(at(100)),
            ..NewJob::new(Kind::RemoveFile)
        };
        let later = enqueue(c, later, at(0))?.id;
        for (now, id) in [(3, first), (3, second), (3, low), (100, later)] {
            assert_eq!(claim(c, &ALL, at(now))?.expect("a job").id, id);
        }
        assert!(claim(c, &ALL, at(1_000))?.is_none());
        Ok(())
    });
}

#[test]
fn an_active_unique_key_is_taken_and_an_ended_one_is_free_again() {
    run(|c| {
        let document = DocumentId::new(at(0));
        let new = || NewJob::about(Kind::VerifyFile, document);
        let first = enqueue(c, new(), at(0))?;
        assert!(first.is_new);
        let again = enqueue(c, new(), at(1))?;
        assert_eq!((again.id, again.is_new), (first.id, false));
        let job = claim(c, &ALL, at(1))?.expect("a job");
        assert!(!enqueue(c, new(), at(1))?.is_new);
        assert!(finish(c, job.hold(), None, at(2))?);
        assert!(enqueue(c, new(), at(3))?.is_new);
        Ok(())
    });
}

#[test]
fn r5_a_worker_that_slept_past_its_lease_changes_nothing() {
    run(|c| {
        let id = enqueue(c, NewJob::new(Kind::ReadMetadata), at(0))?.id;
        let slept = claim(c, &ALL, at(0))?.expect("a job");
        assert_eq!(reclaim(c, at(59))?.count, 0);
        assert_eq!(reclaim(c, at(61))?.count, 1);
        let other = claim(c, &ALL, at(61))?.expect("the same job");
        assert_eq!((other.id, other.attempts), (id, 2));

        let mut touched = false;
        assert!(!finish_with(c, slept.hold(), None, at(62), |_| {
            touched = true;
            Ok(())
        })?);
        assert!(!touched);
        assert!(!heartbeat(c, slept.hold(), LEASE, Some(50), at(62))?);
        assert!(!give_back(c, slept.hold(), at(62), None)?);
        let failure = Failure {
            reason: "late".to_owned(),
            transient: true,
            retry_after: None,
        };
        assert_eq!(fail(c, &slept, &failure, at(62))?, Fate::Lost);

        assert!(heartbeat(c, other.hold(), LEASE, Some(50), at(100))?);
        assert_eq!(
            reclaim(c, at(130))?.count,
            0,
            "a sign of life makes the lease longer"
        );
        assert!(finish(c, other.hold(), Some("found it"), at(131))?);
        let job = jobs::find(c, id)?.expect("a job");
        assert_eq!((job.state, job.progress), (JobState::Done, 100));
        assert_eq!(job.reason.as_deref(), Some("found it"));
        Ok(())
    });
}

#[test]
fn transient_failures_are_tried_again_later_and_later_and_permanent_ones_never() {
    run(|c| {
        let new = NewJob {
            max_attempts: Some(2),
            ..NewJob::new(Kind::ReadMetadata)
        };
        let id = enqueue(c, new, at(0))?.id;
        let mut failure = Failure {
            reason: "Filestack cannot be reached.".to_owned(),
            transient: true,
            retry_after: Some(Duration::from_secs(30)),
        };
        let job = claim(c, &ALL, at(0))?.expect("a job");
        assert_eq!(fail(c, &job, &failure, at(0))?, Fate::Again(at(30)));
        assert!(claim(c, &ALL, at(29))?.is_none());
        let job = claim(c, &ALL, at(30))?.expect("the second attempt");
        assert_eq!(fail(c, &job, &failure, at(31))?, Fate::Dead);
        let dead = jobs::find(c, id)?.expect("a job");
        assert_eq!(dead.reason.as_deref(), Some("Filestack cannot be reached."));

        assert_eq!(retry(c, id, at(40))?, Revival::Waits);
        let job = claim(c, &ALL, at(40))?.expect("revived");
        assert_eq!(job.attempts, 1);
        failure.transient = false;
        assert_eq!(fail(c, &job, &failure, at(41))?, Fate::Dead);
        Ok(())
    });
}

#[test]
fn a_job_given_back_keeps_its_attempts() {
    run(|c| {
        let id = enqueue(c, NewJob::new(Kind::ReadMetadata), at(0))?.id;
        let job = claim(c, &ALL, at(0))?.expect("a job");
        assert!(give_back(c, job.hold(), at(10), Some("Filestack is down."))?);
        let job = jobs::find(c, id)?.expect("a job");
        assert_eq!((job.state, job.attempts), (JobState::Waiting, 0));
        Ok(())
    });
}

#[test]
fn a_cancelled_job_is_lost_to_its_worker_and_can_be_revived() {
    run(|c| {
        let id = enqueue(c, NewJob::new(Kind::ReadMetadata), at(0))?.id;
        let job = claim(c, &ALL, at(0))?.expect("a job");
        assert!(cancel(c, id, "called off", at(1))?);
        assert!(!finish(c, job.hold(), None, at(2))?);
        assert_eq!(state(c, id), JobState::Cancelled);
        assert!(!cancel(c, id, "again", at(2))?);
        assert_eq!(retry(c, id, at(3))?, Revival::Waits);
        assert_eq!(retry(c, id, at(3))?, Revival::Waits, "a waiting one runs now");
        let job = claim(c, &ALL, at(3))?.expect("revived");
        assert_eq!(retry(c, id, at(3))?, Revival::Runs);
        assert!(finish(c, job.hold(), None, at(4))?);
        assert_eq!(retry(c, id, at(5))?, Revival::Succeeded);
        assert_eq!(retry(c, JobId::new(at(5)), at(5))?, Revival::Missing);
        Ok(())
    });
}

#[test]
fn reviving_a_job_whose_key_is_taken_names_the_other() {
    run(|c| {
        let new = || NewJob::about(Kind::VerifyFile, DocumentId::with_random(at(0), &[1; 10]));
        let old = enqueue(c, new(), at(0))?.id;
        assert!(cancel(c, old, "called off", at(1))?);
        let other = enqueue(c, new(), at(2))?.id;
        assert_eq!(retry(c, old, at(3))?, Revival::Replaced(other));
        Ok(())
    });
}

#[test]
fn no_more_of_a_kind_run_at_once_than_may_and_others_pass_them() {
    run(|c| {
        for n in 0..5 {
            enqueue(c, NewJob::new(Kind::VerifyFile), at(n))?;
        }
        let other = enqueue(c, NewJob::new(Kind::ReadMetadata), at(9))?.id;
        let mut first = None;
        for _ in 0..2 {
            let job = claim(c, &ALL, at(10))?.expect("a job");
            assert_eq!(job.kind, "verify-file");
            first = Some(job);
        }
        assert_eq!(claim(c, &ALL, at(10))?.expect("a job").id, other);
        assert!(claim(c, &ALL, at(10))?.is_none());
        assert!(finish(c, first.expect("one").hold(), None, at(11))?);
        assert_eq!(claim(c, &ALL, at(11))?.expect("a job").kind, "verify-file");
        Ok(())
    });
}

#[test]
fn a_worker_takes_only_the_kinds_it_wants() {
    run(|c| {
        enqueue(c, NewJob::new(Kind::ReadMetadata), at(0))?;
        let mail = enqueue(c, NewJob::new(Kind::SendMail), at(1))?.id;
        let wanted = Wanted {
            kinds: &[Kind::SendMail],
            ..ALL
        };
        assert_eq!(claim(c, &wanted, at(2))?.expect("a job").id, mail);
        assert!(claim(c, &wanted, at(2))?.is_none());
        Ok(())
    });
}

#[test]
fn a_job_whose_workers_keep_dying_is_dead_in_the_end() {
    run(|c| {
        let new = NewJob {
            max_attempts: Some(2),
            ..NewJob::new(Kind::ReadMetadata)
        };
        let id = enqueue(c, new, at(0))?.id;
        for round in 0..2 {
            claim(c, &ALL, at(round * 100))?.expect("a job");
            assert_eq!(reclaim(c, at(round * 100 + 61))?.count, 1);
        }
        assert_eq!(state(c, id), JobState::Dead);
        Ok(())
    });
}
