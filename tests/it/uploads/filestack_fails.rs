//! Filestack down, slow, refusing, lying, cut off: what it means for the uploader, and that nothing is left behind.
//!
//! The client waits between its tries; each case has an application of its own so that all of them wait at the same time.

use std::time::Duration;

use actix_web::web::Bytes;
use futures_util::future::join_all;
use futures_util::stream;
use reqwest::Body;
use satchel::emulator::{Fault, Route};

use super::{MIB, PART};
use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::client::Client;
use crate::support::content;
use crate::support::form::Form;

/// An upload of 20 MiB while the emulator misbehaves like this; `streamed` without telling its size.
async fn upload_while(faults: &[(Route, usize, Fault)], streamed: bool) -> (TestApp, Client, Answer) {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    for (route, times, fault) in faults {
        app.emulator.faults().next_times(*route, *times, fault.clone());
    }
    let answer = if streamed {
        let form = Form::new().file("a.bin", "application/octet-stream", &content(20 * MIB));
        let bytes = Bytes::from(form.bytes());
        let chunks: Vec<_> = (0..bytes.len())
            .step_by(MIB)
            .map(|at| Ok::<_, std::io::Error>(bytes.slice(at..bytes.len().min(at + MIB))))
            .collect();
        let body = Body::wrap_stream(stream::iter(chunks));
        ana.upload_body("/api/uploads", &form.content_type(), body).await
    } else {
        ana.upload("a.bin", &content(20 * MIB)).await
    };
    (app, ana, answer)
}

fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Fault {
    Fault::Reply {
        status,
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: body.to_owned(),
    }
}

#[actix_web::test]
async fn failures_that_pass_are_not_noticed_by_the_uploader() {
    let cases = [
        ("start fails once", vec![(Route::Start, 1, Fault::Status(500))]),
        ("slow down, once", vec![(Route::Start, 1, Fault::Status(429))]),
        (
            "a place cannot be had once",
            vec![(Route::PartUrl, 1, Fault::Status(503))],
        ),
        ("a part fails once", vec![(Route::Put, 1, Fault::Status(500))]),
        (
            "a part is cut half-way",
            vec![(
                Route::Put,
                1,
                Fault::CutRequest {
                    after: PART as u64 / 2,
                },
            )],
        ),
        (
            "a part's answer is lost",
            vec![(Route::Put, 1, Fault::CutBeforeReply)],
        ),
        ("commit fails once", vec![(Route::Commit, 1, Fault::Status(502))]),
        (
            "not merged yet, twice",
            vec![(Route::Complete, 2, Fault::Status(202))],
        ),
        (
            "slow everywhere",
            vec![
                (Route::Start, 1, Fault::Delay(Duration::from_millis(50))),
                (Route::Put, 3, Fault::Delay(Duration::from_millis(50))),
                (Route::Complete, 1, Fault::Delay(Duration::from_millis(50))),
            ],
        ),
    ];
    let tried = cases
        .iter()
        .map(async |(what, faults)| (*what, upload_while(faults, false).await));
    for (what, (app, _, answer)) in join_all(tried).await {
        assert_eq!(answer.status, 201, "{what}: {}", answer.text());
        let stored = app.emulator.store().read(&answer.field("handle")).unwrap();
        assert!(
            stored.as_deref() == Some(&content(20 * MIB)[..]),
            "{what}: other bytes"
        );
        assert_eq!(app.stored_files(), 1, "{what}");
    }
}

#[actix_web::test]
async fn refusals_and_nonsense_are_told_at_once_and_leave_nothing_behind() {
    let later = &[("Retry-After", "120")];
    let cases = [
        (Route::Start, Fault::Status(400), false, 502, "filestack-refused"),
        (Route::Start, Fault::Status(403), false, 502, "filestack-refused"),
        (
            Route::Start,
            reply(200, &[], "no JSON"),
            false,
            502,
            "filestack-failed",
        ),
        (
            Route::Start,
            reply(200, &[], "{}"),
            false,
            502,
            "filestack-failed",
        ),
        (Route::Start, reply(429, later, ""), false, 503, "filestack-busy"),
        (
            Route::Start,
            reply(503, later, ""),
            false,
            503,
            "filestack-unavailable",
        ),
        (
            Route::PartUrl,
            Fault::Status(403),
            false,
            502,
            "filestack-refused",
        ),
        (Route::Put, Fault::Status(403), false, 502, "filestack-refused"),
        (
            Route::Put,
            reply(503, later, ""),
            false,
            503,
            "filestack-unavailable",
        ),
        (Route::Commit, Fault::Status(400), false, 502, "filestack-refused"),
        (
            Route::Complete,
            Fault::Status(403),
            false,
            502,
            "filestack-refused",
        ),
        (
            Route::Complete,
            reply(429, later, ""),
            false,
            503,
            "filestack-busy",
        ),
        (Route::Store, Fault::Status(403), true, 502, "filestack-refused"),
        (
            Route::Store,
            Fault::Status(500),
            true,
            503,
            "filestack-unconfirmed",
        ),
        (
            Route::Store,
            Fault::CutRequest { after: MIB as u64 },
            true,
            503,
            "filestack-unconfirmed",
        ),
        (Route::Store, reply(429, later, ""), true, 503, "filestack-busy"),
        (
            Route::Store,
            reply(200, &[], "no JSON"),
            true,
            502,
            "filestack-failed",
        ),
    ];
    let tried = cases.iter().map(async |case| {
        let (route, fault, streamed, _, _) = case;
        (
            case,
            upload_while(&[(*route, 10, fault.clone())], *streamed).await,
        )
    });
    for ((route, fault, _, status, code), (app, ana, answer)) in join_all(tried).await {
        let what = format!("{route:?} {fault:?}");
        assert_eq!(answer.status, *status, "{what}: {}", answer.text());
        assert_eq!(answer.problem(), *code, "{what}");
        assert_eq!(answer.header("retry-after").is_some(), *status == 503, "{what}");
        if matches!(
            fault,
            Fault::Reply {
                status: 429 | 503,
                ..
            }
        ) {
            assert_eq!(answer.header("retry-after"), Some("120"), "{what}");
        }
        assert_eq!(app.intents().await.len(), 1, "{what}");
        app.assert_nothing_left().await;
        app.emulator.faults().clear();
        assert_eq!(ana.upload("a.bin", b"again").await.status, 201, "{what}");
    }
}

#[actix_web::test]
async fn failures_that_stay_are_told_once_every_try_has_failed() {
    let cases = [
        (Route::Start, Fault::Status(500)),
        (Route::Start, Fault::CutBeforeReply),
        (Route::Put, Fault::Status(500)),
        (Route::Put, Fault::CutRequest { after: 1_000 }),
        (Route::Complete, Fault::Status(500)),
    ];
    let tried = cases.iter().map(async |(route, fault)| {
        (
            route,
            fault,
            upload_while(&[(*route, 1_000, fault.clone())], false).await,
        )
    });
    for (route, fault, (app, _, answer)) in join_all(tried).await {
        let what = format!("{route:?} {fault:?}");
        assert_eq!(answer.status, 503, "{what}: {}", answer.text());
        // After the last part nobody but Filestack knows whether it has the file.
        let code = if *route == Route::Complete {
            "filestack-unconfirmed"
        } else {
            "filestack-unavailable"
        };
        assert_eq!(answer.problem(), code, "{what}");
        assert!(answer.header("retry-after").is_some(), "{what}");
        app.assert_nothing_left().await;
    }
}

#[actix_web::test]
async fn a_file_of_another_size_than_was_sent_is_not_believed() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let lie = format!(
        r#"{{"handle": "{0}", "url": "{1}/{0}", "filename": "a.bin", "size": 11, "mimetype": "text/plain"}}"#,
        "M6oSP15HXVG3CJS1dRxX", app.emulator_url
    );
    let kind = [("Content-Type", "application/json")];
    app.emulator
        .faults()
        .next(Route::Complete, reply(200, &kind, &lie));
    let answer = ana.upload("a.bin", b"the bytes").await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert_eq!(answer.problem(), "filestack-failed");
    app.assert_nothing_left().await;
}

#[actix_web::test]
async fn when_the_last_answer_is_lost_there_is_no_document() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    app.emulator.faults().next(Route::Complete, Fault::CutBeforeReply);
    let answer = ana.upload("a.bin", b"the bytes").await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(answer.problem(), "filestack-unconfirmed");
    assert!(answer.header("retry-after").is_some());
    assert!(app.documents().await.is_empty());
    // Nobody but Filestack knows the file's handle: its path names the intent, which is how a webhook can settle it.
    let intent = app.intents().await.remove(0);
    assert_eq!(intent.state.as_str(), "failed");
    let handle = app.emulator.store().handles().unwrap().remove(0);
    let stray = app.emulator.store().get(&handle).unwrap().unwrap();
    assert!(stray.key.starts_with(&intent.path), "{}", stray.key);
}
