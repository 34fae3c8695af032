//! Every change is recorded by whoever makes it: accounts, documents and their files, events.

use std::time::Duration;

use satchel::db::keyset::Part;
use satchel::db::models::audit_entries::{AuditEntry, EntryFilter};
use satchel::queue::Progress;
use satchel::services::audit::{self, Action};
use satchel::services::reconcile::{self, Plan};
use satchel::services::removals;

use crate::support::app::{PASSWORD, TestApp};

impl TestApp {
    /// Everything of this kind that is written, the oldest first.
    pub async fn trail(&self, action: Action) -> Vec<AuditEntry> {
        let filter = EntryFilter {
            action: Some(action.as_str().to_owned()),
            oldest_first: true,
            ..EntryFilter::default()
        };
        let slice = audit::list(&self.services, filter, Part::First, 1_000).await;
        slice.expect("entries").rows
    }
}

/// Who did it, how they had shown it, and to what.
fn told(entries: &[AuditEntry]) -> Vec<(&str, &str, &str)> {
    entries
        .iter()
        .map(|entry| {
            (
                entry.actor.as_str(),
                entry.means.as_str(),
                entry.subject_name.as_str(),
            )
        })
        .collect()
}

async fn accounts_and_documents_leave_a_trail(app: TestApp) {
    let ana = app.user("ana").await;
    let wrong = app.anon().sign_in("Ana@Example.org", "not the password").await;
    assert_eq!(wrong.status, 422);
    let nobody = app.anon().sign_in("nobody@example.org", PASSWORD).await;
    assert_eq!(nobody.status, 422);
    let failed = app.trail(Action::SignInFailed).await;
    let mut failed = told(&failed);
    // Of one moment: in no order.
    failed.sort_unstable();
    assert_eq!(
        failed,
        [
            ("ana@example.org", "nobody", ""),
            ("nobody@example.org", "nobody", "")
        ]
    );
    assert_eq!(
        told(&app.trail(Action::SignedIn).await),
        [("ana@example.org", "session", "ana@example.org")]
    );
    assert_eq!(
        told(&app.trail(Action::UserCreated).await),
        [("the command line", "command", "ana@example.org")]
    );

    let id = ana.document("a.txt", b"abc").await;
    let program = app.token("ana").await;
    assert_eq!(
        told(&app.trail(Action::TokenMade).await),
        [("the command line", "command", "ana@example.org")]
    );
    // The clock stands still, and entries of one moment have no order.
    app.advance(Duration::from_secs(1));
    program.document("b.txt", b"abcd").await;
    let added = app.trail(Action::DocumentAdded).await;
    assert_eq!(
        told(&added),
        [
            ("ana@example.org", "session", "a.txt"),
            ("ana@example.org", "token", "b.txt")
        ]
    );
    assert!(added[1].after.contains("\"size_bytes\":4"), "{}", added[1].after);
    assert!(added.iter().all(|entry| entry.ip == "127.0.0.1"));

    let entries = app.trail_of(&id).await;
    assert_eq!(entries.len(), 1);
    ana.post_form("/sign-out", &[]).await;
    assert_eq!(
        told(&app.trail(Action::SignedOut).await),
        [("ana@example.org", "session", "ana@example.org")]
    );
    let secrets = app.trail(Action::TokenMade).await;
    assert!(secrets.iter().all(|entry| !entry.after.contains("satchel_")));
}

#[actix_web::test]
async fn accounts_and_documents_leave_a_trail_on_sqlite() {
    accounts_and_documents_leave_a_trail(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn accounts_and_documents_leave_a_trail_on_postgres() {
    accounts_and_documents_leave_a_trail(TestApp::postgres().await).await;
}

#[actix_web::test]
async fn the_server_records_what_it_does_by_itself() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let id = ana.document("a.txt", b"abc").await;
    let handle = app.documents().await[0].handle.clone();
    assert!(app.emulator.store().delete(&handle).is_ok());
    let plan = Plan {
        dry_run: false,
        after: None,
        pause: Some(Duration::ZERO),
    };
    let report = reconcile::run(&app.services, plan, &Progress::default()).await;
    report.expect("a report");
    assert_eq!(
        told(&app.trail(Action::FileGone).await),
        [("the server", "server", "a.txt")]
    );
    let page = ana.page(&format!("/documents/{id}")).await;
    assert!(
        page.texts(".history li")
            .concat()
            .contains("File gone at Filestack")
    );

    let now = app.services.clock.now();
    let enter = app
        .services
        .db
        .write(move |c| removals::enter(c, "NobodysFile123456789", "a-test", now));
    enter.await.expect("a removal");
    for _ in 0..2 {
        // What is removed already is not written down again.
        let removed = removals::attempt(&app.services, "NobodysFile123456789").await;
        assert!(removed.expect("an answer"));
    }
    let gone = app.trail(Action::FileRemoved).await;
    assert_eq!(gone.len(), 1);
    assert_eq!(
        (gone[0].subject.as_str(), gone[0].reason.as_str()),
        ("NobodysFile123456789", "a-test")
    );
}

#[actix_web::test]
async fn whoever_sends_samples_and_replays_is_recorded() {
    let app = TestApp::sqlite().await;
    let admin = app.admin().await;
    let sent = admin
        .post_form("/admin/webhooks/samples", &[("action", "fp.unknown")])
        .await;
    let path = sent.location().to_owned();
    app.run_jobs().await;
    let replayed = admin.post_form(&format!("{path}/replay"), &[]).await;
    assert_eq!(replayed.status, 303);
    assert_eq!(
        told(&app.trail(Action::SampleSent).await),
        [("admin@example.org", "session", "fp.unknown")]
    );
    let replays = app.trail(Action::EventReplayed).await;
    assert_eq!(replays.len(), 1);
    assert!(path.ends_with(&replays[0].subject));
}
