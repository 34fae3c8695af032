//! Webhooks that go wrong on demand.

use super::*;
use crate::emulator::{Reason, WebhookFault};

fn told(listener: &Listener) -> Vec<String> {
    names(&listener.received())
}

#[actix_web::test]
async fn webhooks_can_be_lost_by_count() {
    let listener = Listener::new();
    let bench = Bench::telling(&listener);
    let webhooks = bench.controls.webhooks();
    webhooks.next_times(None, 2, WebhookFault::Lost);
    for name in ["1", "2", "3"] {
        bench.happen(name);
    }
    bench.settled().await;
    bench.controls.clock().advance(10_000 * MINUTE);
    bench.settled().await;
    assert_eq!(told(&listener), ["3"]);
    let lost = bench.webhooks().remove(2);
    assert_eq!((lost.state, lost.attempts.len()), (WebhookState::Lost, 0));
    // Found again by hand.
    assert!(webhooks.send_again(&lost.id()).unwrap());
    bench.settled().await;
    assert_eq!(told(&listener), ["3", "1"]);
    assert_eq!(
        webhooks.get(&lost.id()).unwrap().unwrap().state,
        WebhookState::Delivered
    );
}

#[actix_web::test]
async fn webhooks_can_be_doubled_late_and_reordered() {
    let listener = Listener::new();
    let bench = Bench::telling(&listener);
    let webhooks = bench.controls.webhooks();
    for fault in [
        WebhookFault::Doubled,
        WebhookFault::LateMs(90_000),
        WebhookFault::Reordered,
    ] {
        webhooks.next_times(None, 1, fault);
    }
    bench.happen("doubled");
    bench.settled().await;
    assert_eq!(told(&listener), ["doubled", "doubled"]);
    let received = listener.received();
    assert_eq!(received[0].body, received[1].body);
    let reasons: Vec<Reason> = bench.webhooks()[0]
        .attempts
        .iter()
        .map(|attempt| attempt.reason)
        .collect();
    assert_eq!(reasons, [Reason::Scheduled, Reason::Doubled]);
    for name in ["late", "overtaken"] {
        bench.happen(name);
    }
    bench.settled().await;
    assert_eq!(told(&listener).len(), 2);
    bench.happen("overtaking");
    bench.settled().await;
    assert_eq!(told(&listener)[2..], ["overtaking", "overtaken"]);
    bench.controls.clock().advance(Duration::from_secs(90));
    bench.settled().await;
    assert_eq!(told(&listener)[4..], ["late"]);
    // Overtaken by none, it comes after a minute.
    webhooks.next_times(None, 1, WebhookFault::Reordered);
    bench.happen("alone");
    bench.settled().await;
    assert_eq!(told(&listener).len(), 5);
    bench.controls.clock().advance(MINUTE);
    bench.settled().await;
    assert_eq!(told(&listener)[5..], ["alone"]);
}

#[actix_web::test]
async fn a_wrong_signature_and_a_stale_timestamp_are_the_first_attempts_only() {
    let listener = Listener::new();
    listener.always(listener::Answer::Status(400));
    let bench = Bench::telling(&listener);
    let webhooks = bench.controls.webhooks();
    webhooks.next_times(None, 1, WebhookFault::WrongSignature);
    webhooks.next_times(None, 1, WebhookFault::StaleSeconds(600));
    bench.happen("wrong");
    bench.happen("stale");
    bench.settled().await;
    bench.controls.clock().advance(5 * MINUTE);
    bench.settled().await;
    let received = listener.received();
    assert_eq!(names(&received), ["wrong", "stale", "wrong", "stale"]);
    let signed: Vec<bool> = received
        .iter()
        .map(|got| got.is_signed_with(Listener::SECRET))
        .collect();
    assert_eq!(signed, [false, true, true, true]);
    assert_eq!(received[0].header("fs-signature").len(), 64);
    let times: Vec<u64> = received
        .iter()
        .map(|got| got.header("fs-timestamp").parse().unwrap())
        .collect();
    assert_eq!(times, [NOW, NOW - 600, NOW + 300, NOW + 300]);
}

#[actix_web::test]
async fn failures_meet_the_webhooks_of_the_endpoint_they_wait_for() {
    let (one, two) = (Listener::new(), Listener::new());
    let bench = Bench::telling_all(&[one.endpoint(), two.endpoint()]);
    let webhooks = bench.controls.webhooks();
    webhooks.next_times(Some(&two.endpoint().id), 1, WebhookFault::Lost);
    webhooks.next_times(None, 0, WebhookFault::Lost);
    bench.happen("1");
    bench.happen("2");
    bench.settled().await;
    assert_eq!(
        (told(&one), told(&two)),
        (vec!["1".into(), "2".into()], vec!["2".into()])
    );
    webhooks.next_times(None, 5, WebhookFault::Lost);
    webhooks.clear_faults();
    bench.happen("3");
    bench.settled().await;
    assert_eq!((told(&one).len(), told(&two).len()), (3, 2));
}
