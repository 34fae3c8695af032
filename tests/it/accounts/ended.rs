//! A3: every way in which a session or a token ends, and what was being sent at that moment: it ends too.

use std::time::Duration;

use reqwest::{Method, Response};
use satchel::clock::UtcTime;
use satchel::db::models::sessions;
use satchel::db::models::users::Role;
use satchel::emulator::{Fault, Route};
use satchel::services::audit::Actor;
use satchel::services::sign_in::{SignInRefused, sign_in};
use satchel::services::{accounts, passwords, people};
use serde_json::json;

use crate::support::app::{PASSWORD, TestApp, email};
use crate::support::client::Client;
use crate::support::content;

/// Longer than anything waits here.
const PATIENCE: Duration = Duration::from_secs(30);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Ways to end a session that is open elsewhere.
#[derive(Clone, Copy, Debug)]
enum End {
    SignOut,
    NewPassword,
    EndedByOwner,
    EndedByAdmin,
    NewRole,
    ChosenByLink,
    Disabled,
    Unused,
}

const ENDS: [End; 8] = [
    End::SignOut,
    End::NewPassword,
    End::EndedByOwner,
    End::EndedByAdmin,
    End::NewRole,
    End::ChosenByLink,
    End::Disabled,
    End::Unused,
];

/// Answers that are under way: the events of a document whose steps have not ended, and an archive that comes slowly.
struct UnderWay {
    events: Option<Response>,
    archive: Response,
}

impl UnderWay {
    async fn begin(app: &TestApp, client: &Client, large: &str, processed: Option<&str>) -> Self {
        let slow = Fault::SlowBody {
            bytes_per_second: 400_000,
        };
        app.emulator.faults().next(Route::Delivery, slow);
        let request = client.changing(Method::POST, "/api/archive").await;
        let mut archive = request
            .json(&json!({"ids": [large]}))
            .send()
            .await
            .expect("an archive");
        assert_eq!(archive.status(), 200);
        assert!(archive.chunk().await.expect("a piece").is_some());
        let events = match processed {
            None => None,
            Some(id) => {
                let request = client.request(Method::GET, &format!("/documents/{id}/events"));
                let mut events = request.send().await.expect("events");
                assert_eq!(events.status(), 200);
                assert!(events.chunk().await.expect("an event").is_some());
                Some(events)
            }
        };
        UnderWay { events, archive }
    }

    /// Reads on: the events end, and the archive breaks off, so that nobody takes it for whole.
    async fn ends(mut self, what: &str) {
        if let Some(mut events) = self.events.take() {
            let rest = async { while let Ok(Some(_)) = events.chunk().await {} };
            assert!(
                tokio::time::timeout(PATIENCE, rest).await.is_ok(),
                "{what}: the events go on"
            );
        }
        let rest = async {
            loop {
                match self.archive.chunk().await {
                    Ok(Some(_)) => {}
                    Ok(None) => return false,
                    Err(_) => return true,
                }
            }
        };
        let broken_off = tokio::time::timeout(PATIENCE, rest).await;
        assert_eq!(broken_off.ok(), Some(true), "{what}: the archive came to its end");
    }
}

async fn signed_in_again(app: &TestApp, password: &str) -> Client {
    let client = app.anon();
    assert_eq!(client.sign_in(&email("ana"), password).await.status, 303);
    client
}

#[actix_web::test]
async fn a3_whatever_ends_a_session_ends_what_is_being_sent_to_it() {
    let app = TestApp::sqlite().await;
    let by = Actor::command();
    app.account("ana").await;
    let id = app.owner("ana").await.id;
    let owner = signed_in_again(&app, PASSWORD).await;
    let large = owner.document("large.bin", &content(6_000_000)).await;
    let processed = owner.process("a.txt", b"a").await.field("id");
    let mut password = PASSWORD.to_owned();
    for (number, end) in ENDS.into_iter().enumerate() {
        let (elsewhere, here) = (
            signed_in_again(&app, &password).await,
            signed_in_again(&app, &password).await,
        );
        let cookie = elsewhere.cookie("__Host-satchel").expect("a session");
        let under_way = UnderWay::begin(&app, &elsewhere, &large, Some(&processed)).await;
        let new = format!("four plain words number {number}");
        match end {
            End::SignOut => {
                assert_eq!(elsewhere.post_form("/sign-out", &[]).await.status, 303);
            }
            End::NewPassword => {
                let fields = [("current_password", password.as_str()), ("password", &new)];
                assert_eq!(here.post_form("/account/password", &fields).await.status, 303);
                password = new;
            }
            End::EndedByOwner => {
                let ended = here.post_form("/account/sessions/deletion", &[]).await;
                assert_eq!(ended.status, 303);
            }
            End::EndedByAdmin => {
                let admin = app.admin().await;
                let ended = admin.post_form(&format!("/admin/users/{id}/sessions"), &[]).await;
                assert_eq!(ended.status, 303);
            }
            End::NewRole => {
                people::set_role(&app.services, &by, id, Role::Admin)
                    .await
                    .expect("a role");
                people::set_role(&app.services, &by, id, Role::Member)
                    .await
                    .expect("a role");
            }
            End::ChosenByLink => {
                let link = passwords::reset(&app.services, &by, id).await.expect("a link");
                let fields = [("token", link.token.as_str()), ("password", &new)];
                assert_eq!(app.anon().post_form("/password", &fields).await.status, 303);
                password = new;
            }
            End::Disabled => {
                people::set_enabled(&app.services, &by, id, false)
                    .await
                    .expect("disabled");
            }
            End::Unused => app.advance(8 * DAY),
        }
        under_way.ends(&format!("{end:?}")).await;
        for path in [
            "/api/account",
            "/api/documents",
            &format!("/documents/{processed}/events"),
        ] {
            let request = app.anon().request(Method::GET, path);
            let request = request.header("Cookie", format!("__Host-satchel={cookie}"));
            let refused = app.anon().send(request).await;
            assert_ne!(refused.status, 200, "{end:?} {path}");
        }
        if matches!(end, End::Disabled) {
            people::set_enabled(&app.services, &by, id, true)
                .await
                .expect("enabled");
        }
    }
}

#[actix_web::test]
async fn a3_a11_a_token_that_is_revoked_or_over_ends_the_archive_that_it_gets() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let large = ana.document("large.bin", &content(6_000_000)).await;
    for over in [false, true] {
        let made = ana
            .post_form("/account/tokens", &[("name", "backup"), ("days", "2")])
            .await;
        assert_eq!(made.status, 201, "{}", made.text());
        let program = Client::with_token(&app.url, &made.texts(".secret").pop().expect("a token"));
        let under_way = UnderWay::begin(&app, &program, &large, None).await;
        if over {
            app.advance(2 * DAY + Duration::from_secs(1));
        } else {
            let page = ana.page("/account").await;
            let revocation = page.attributes("form[action^='/account/tokens/']", "action");
            assert_eq!(ana.post_form(&revocation[0], &[]).await.status, 303);
        }
        under_way.ends(if over { "over" } else { "revoked" }).await;
    }
}

/// A table of many megabytes as a file: it stops when the administrator's session does.
#[actix_web::test]
async fn a3_an_administrator_who_is_signed_out_gets_no_more_of_a_table() {
    use diesel::RunQueryDsl as _;
    let app = TestApp::sqlite().await;
    let admin = app.admin().await;
    let many = app.services.db.write(|c| {
        let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000) \
             INSERT INTO audit_entries (id, at, actor, means, ip, action, subject, subject_name, before, after, reason) \
             SELECT printf('0195a3c2-7b1e-7c3d-8e4f-%012d', i), (SELECT max(at) FROM audit_entries), 'x', 'command', '', 'job.retry', 'j', \
             '', '', '', hex(zeroblob(4000)) FROM n";
        Ok(diesel::sql_query(rows).execute(c)?)
    });
    assert_eq!(many.await.expect("rows"), 6_000);
    for ends in [false, true] {
        let request = admin.request(Method::GET, "/admin/audit?format=json");
        let mut file = request.send().await.expect("a file");
        assert!(file.chunk().await.expect("a piece").is_some());
        if ends {
            assert_eq!(admin.post_form("/sign-out", &[]).await.status, 303);
        }
        // Longer than it goes on without looking again.
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        let (mut bytes, mut broken_off) = (0, false);
        loop {
            match file.chunk().await {
                Ok(Some(piece)) => bytes += piece.len(),
                Ok(None) => break,
                Err(_) => {
                    broken_off = true;
                    break;
                }
            }
        }
        assert_eq!(broken_off, ends, "after {bytes} bytes");
        assert_eq!(bytes < 48_000_000, ends, "{bytes}");
    }
}

/// What ends the sessions may come between the look at the password and the session.
async fn between(app: TestApp) {
    let by = Actor::command();
    app.account("ana").await;
    let id = app.owner("ana").await.id;
    let choose = async |password: &str| {
        let link = passwords::reset(&app.services, &by, id).await.expect("a link");
        passwords::choose(&app.services, &link.token, password.to_owned(), "127.0.0.1")
            .await
            .expect("a password");
    };
    let prove = async |password: &str| {
        sign_in(&app.services, &email("ana"), password.to_owned(), "127.0.0.1")
            .await
            .unwrap_or_else(|refused| panic!("{refused:?}"))
    };
    let begin = async |proven| {
        let (ip, agent) = ("127.0.0.1".to_owned(), "test".to_owned());
        accounts::begin_session(&app.services, &proven, None, ip, agent).await
    };
    let (old, new) = (PASSWORD, "some words of my own");
    begin(prove(old).await).await.expect("nothing came between");

    let proven = prove(old).await;
    choose(new).await;
    let refused = begin(proven).await;
    assert!(matches!(refused, Err(SignInRefused::Wrong)), "{refused:?}");

    let proven = prove(new).await;
    people::set_enabled(&app.services, &by, id, false)
        .await
        .expect("disabled");
    let refused = begin(proven).await;
    assert!(matches!(refused, Err(SignInRefused::Wrong)), "{refused:?}");
    let sessions = app
        .services
        .db
        .run(move |c| sessions::list_of(c, id, UtcTime::from_micros(0), UtcTime::from_micros(0), 10));
    assert_eq!(sessions.await.expect("rows").len(), 0);
}

#[actix_web::test]
async fn a3_a_password_that_was_changed_while_it_was_looked_at_begins_no_session() {
    between(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn a3_a_password_that_was_changed_while_it_was_looked_at_begins_no_session_on_postgres() {
    between(TestApp::postgres().await).await;
}
