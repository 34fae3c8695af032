//! What is to be told outlives the process.

use super::listener::Answer;
use super::*;
use crate::emulator::webhooks::Proof;

#[actix_web::test]
async fn what_waits_is_sent_after_a_restart_when_its_time_comes() {
    let listener = Listener::new();
    listener.once(Answer::Status(500));
    let bench = Bench::telling(&listener);
    bench.happen("x");
    bench.settled().await;
    let bench = bench.telling_again(&[listener.endpoint()]).await;
    bench.settled().await;
    assert_eq!(listener.received().len(), 1);
    bench.controls.clock().advance(5 * MINUTE);
    bench.settled().await;
    let received = listener.received();
    assert_eq!((received.len(), &received[0].body), (2, &received[1].body));
    let webhook = bench.webhooks().remove(0);
    assert_eq!(
        (webhook.state, webhook.attempts.len()),
        (WebhookState::Delivered, 2)
    );
    let bench = bench.telling_again(&[listener.endpoint()]).await;
    bench.settled().await;
    assert_eq!(bench.webhooks(), [webhook]);
    assert_eq!(listener.received().len(), 2);
}

#[actix_web::test]
async fn an_attempt_that_the_end_cut_short_is_kept_and_made_again() {
    let listener = Listener::new();
    listener.once(Answer::Silence);
    let bench = Bench::telling(&listener);
    bench.happen("x");
    listener.wait_for(1).await;
    let bench = bench.telling_again(&[listener.endpoint()]).await;
    bench.settled().await;
    assert_eq!(names(&listener.received()), ["x", "x"]);
    let attempts = bench.webhooks().remove(0).attempts;
    let statuses: Vec<Option<u16>> = attempts.iter().map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [None, Some(200)]);
    assert!(attempts[0].error.is_none());
}

#[actix_web::test]
async fn after_an_end_in_the_middle_only_what_happened_is_told_of() {
    let listener = Listener::new();
    let bench = Bench::telling(&listener);
    let (there, gone) = (bench.keep(b"x", "a.txt", "text/plain"), "AAAAAAAAAAAAAAAAAAAA");
    let version = bench.controls.store().get(&there).unwrap().unwrap().version;
    for (name, proof) in [
        ("stored", Proof::Stored(there.clone())),
        ("not stored", Proof::Stored(gone.into())),
        ("deleted", Proof::Gone(gone.into())),
        ("not deleted", Proof::Gone(there.clone())),
        ("overwritten", Proof::Version(there.clone(), version)),
        ("not overwritten", Proof::Version(there.clone(), "another".into())),
    ] {
        let event = Event::new("fp.test", None, json!({ "name": name }));
        // As if the process ended right after the event, or right before.
        std::mem::forget(
            bench
                .controls
                .webhooks()
                .prepare("AKeyz", &event, Some(proof))
                .unwrap(),
        );
    }
    let event = Event::new("fp.test", None, json!({ "name": "failed" }));
    drop(
        bench
            .controls
            .webhooks()
            .prepare("AKeyz", &event, Some(Proof::Stored(there)))
            .unwrap(),
    );
    bench.settled().await;
    assert!(listener.received().is_empty() && bench.webhooks().is_empty());
    let records = bench.dir.path().join("webhooks/records");
    std::fs::write(records.join("1700000000000-x.json"), "{ damaged").unwrap();
    let bench = bench.telling_again(&[listener.endpoint()]).await;
    bench.settled().await;
    let mut told = names(&listener.received());
    told.sort();
    assert_eq!(told, ["deleted", "overwritten", "stored"]);
    assert_eq!(std::fs::read_dir(records).unwrap().count(), 3);
}

#[actix_web::test]
async fn endpoints_registered_on_the_way_are_kept_those_of_the_start_are_named_again() {
    let (one, two) = (Listener::new(), Listener::new());
    let bench = Bench::telling(&one);
    bench.controls.webhooks().register(two.endpoint()).unwrap();
    let bench = bench.telling_again(&[]).await;
    assert_eq!(bench.controls.webhooks().endpoints(), [two.endpoint()]);
    bench.happen("x");
    bench.settled().await;
    assert_eq!((one.received().len(), two.received().len()), (0, 1));
}

#[actix_web::test]
async fn two_emulators_on_one_directory_send_their_own_webhooks_once() {
    let listener = Listener::new();
    let one = Bench::telling(&listener);
    let two = Bench::telling_from(one.dir.clone(), &[listener.endpoint()]);
    one.happen("one");
    two.happen("two");
    one.settled().await;
    two.settled().await;
    let mut told = names(&listener.received());
    told.sort();
    assert_eq!(told, ["one", "two"]);
    let numbers = |at: usize| listener.received()[at].json()["id"].clone();
    assert_ne!(numbers(0), numbers(1));
    two.stop().await;
}
