//! How webhooks are delivered, retried and given up.

use super::listener::Answer;
use super::*;
use crate::emulator::Reason;

#[actix_web::test]
async fn webhooks_come_in_the_order_of_their_events() {
    let listener = Listener::new();
    let bench = Bench::telling(&listener);
    let wanted: Vec<String> = (0..50).map(|at| at.to_string()).collect();
    for name in &wanted {
        bench.happen(name);
    }
    bench.settled().await;
    assert_eq!(names(&listener.received()), wanted);
}

#[actix_web::test]
async fn a_refused_webhook_comes_again_after_5_minutes_30_minutes_and_12_hours_of_the_emulators_clock() {
    let listener = Listener::new();
    listener.always(Answer::Status(500));
    let bench = Bench::telling(&listener);
    bench.happen("x");
    bench.settled().await;
    let clock = bench.controls.clock();
    for (count, wait) in [(1, 5 * MINUTE), (2, 30 * MINUTE), (3, 720 * MINUTE)] {
        clock.advance(wait - Duration::from_secs(1));
        bench.settled().await;
        assert_eq!(listener.received().len(), count);
        clock.advance(Duration::from_secs(1));
        bench.settled().await;
        assert_eq!(listener.received().len(), count + 1);
    }
    clock.advance(100_000 * MINUTE);
    bench.settled().await;
    let received = listener.received();
    assert_eq!(received.len(), 4);
    // Signed afresh each time, the body the same.
    let times: Vec<u64> = received
        .iter()
        .map(|got| got.header("fs-timestamp").parse().unwrap())
        .collect();
    assert_eq!(times, [NOW, NOW + 300, NOW + 2_100, NOW + 45_300]);
    assert!(
        received
            .iter()
            .all(|got| got.is_signed_with(Listener::SECRET) && got.body == received[0].body)
    );
    let webhook = &bench.webhooks()[0];
    assert_eq!(
        (webhook.state, webhook.attempts.len()),
        (WebhookState::Undelivered, 4)
    );
    assert!(
        webhook
            .attempts
            .iter()
            .all(|attempt| attempt.status == Some(500) && attempt.answer.as_deref() == Some("heard"))
    );
    assert_eq!(bench.controls.webhooks().waiting(), 0);
}

#[actix_web::test]
async fn only_200_201_and_204_end_the_retries() {
    for status in [200, 201, 202, 204, 301, 400, 404, 410, 500, 503] {
        let listener = Listener::new();
        listener.always(Answer::Status(status));
        let bench = Bench::telling(&listener);
        bench.happen("x");
        bench.settled().await;
        bench.controls.clock().advance(5 * MINUTE);
        bench.settled().await;
        let is_success = matches!(status, 200 | 201 | 204);
        assert_eq!(
            listener.received().len(),
            if is_success { 1 } else { 2 },
            "{status}"
        );
        let state = if is_success {
            WebhookState::Delivered
        } else {
            WebhookState::Waiting
        };
        assert_eq!(bench.webhooks()[0].state, state, "{status}");
    }
}

#[actix_web::test]
async fn a_retry_that_arrives_ends_it() {
    let listener = Listener::new();
    listener.once(Answer::Status(202));
    let bench = Bench::telling(&listener);
    bench.happen("x");
    bench.settled().await;
    for _ in 0..5 {
        bench.controls.clock().advance(720 * MINUTE);
        bench.settled().await;
    }
    assert_eq!(listener.received().len(), 2);
    assert_eq!(bench.webhooks()[0].state, WebhookState::Delivered);
}

#[actix_web::test]
async fn a_redirect_is_not_followed() {
    let (listener, elsewhere) = (Listener::new(), Listener::new());
    listener.once(Answer::Raw(format!(
        "HTTP/1.1 307 Go\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n",
        elsewhere.url()
    )));
    let bench = Bench::telling(&listener);
    bench.happen("x");
    bench.settled().await;
    assert!(elsewhere.received().is_empty());
    assert_eq!(bench.webhooks()[0].attempts[0].status, Some(307));
}

#[actix_web::test]
async fn of_a_long_answer_the_beginning_is_kept_and_an_endless_one_is_left() {
    let listener = Listener::new();
    listener.once(Answer::Large(10 << 20));
    listener.once(Answer::Stuck);
    listener.once(Answer::Raw(
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\u{fffd}".into(),
    ));
    let bench = Bench::telling(&listener);
    for name in ["large", "stuck", "odd"] {
        bench.happen(name);
    }
    bench.settled().await;
    let webhooks = bench.webhooks();
    assert!(
        webhooks
            .iter()
            .all(|webhook| webhook.state == WebhookState::Delivered),
        "{webhooks:?}"
    );
    let answer = |at: usize| webhooks[at].attempts[0].answer.clone().unwrap();
    assert_eq!((answer(2).len(), answer(1).as_str()), (2_048, "half"));
}

#[actix_web::test]
async fn what_hangs_breaks_off_or_talks_nonsense_is_a_failure_with_a_reason() {
    let listener = Listener::new();
    let dir = Arc::new(TempDir::new().unwrap());
    let endpoint = listener.endpoint();
    let bench = Bench::start("AKeyz:SECRET:open", dir, |config| {
        config.webhooks = vec![endpoint];
        config.webhook_timeout = Duration::from_millis(100);
    });
    for (answer, reason) in [
        (Answer::Silence, "No answer within 0.1 s"),
        (Answer::Cut, "The connection broke off"),
        (
            Answer::Raw("HTTP/9 what\r\n\r\n".into()),
            "The connection broke off",
        ),
    ] {
        listener.once(answer.clone());
        bench.happen("x");
        bench.settled().await;
        let webhook = bench.webhooks().remove(0);
        let error = webhook.attempts[0].error.clone().unwrap();
        assert!(error.starts_with(reason), "{answer:?}: {error}");
        assert_eq!(webhook.state, WebhookState::Waiting);
    }
    drop(listener);
    let nobody = Listener::new();
    let gone = nobody.endpoint();
    drop(nobody);
    bench.controls.webhooks().register(gone.clone()).unwrap();
    bench.happen("x");
    bench.settled().await;
    let webhook = bench
        .webhooks()
        .into_iter()
        .find(|webhook| webhook.endpoint == gone.id)
        .unwrap();
    assert!(webhook.attempts[0].status.is_none() && webhook.attempts[0].error.is_some());
}

#[actix_web::test]
async fn an_endpoint_that_does_not_answer_holds_up_neither_others_nor_for_long_itself() {
    let (silent, other) = (Listener::new(), Listener::new());
    silent.once(Answer::Silence);
    let bench = Bench::telling_all(&[silent.endpoint(), other.endpoint()]);
    for name in ["1", "2", "3"] {
        bench.happen(name);
    }
    assert_eq!(names(&other.wait_for(3).await), ["1", "2", "3"]);
    // The first is still unanswered when the rest come.
    assert_eq!(names(&silent.wait_for(3).await), ["1", "2", "3"]);
    until(|| bench.controls.webhooks().waiting() == 1).await;
}

#[actix_web::test]
async fn what_is_sent_again_comes_once_more_with_the_same_body() {
    let listener = Listener::new();
    let bench = Bench::telling(&listener);
    bench.happen("x");
    bench.settled().await;
    let webhooks = bench.controls.webhooks();
    let id = bench.webhooks()[0].id();
    bench.controls.clock().advance(MINUTE);
    assert!(webhooks.send_again(&id).unwrap());
    bench.settled().await;
    let received = listener.received();
    assert_eq!((received.len(), &received[0].body), (2, &received[1].body));
    assert_eq!(received[1].header("fs-timestamp"), (NOW + 60).to_string());
    let webhook = webhooks.get(&id).unwrap().unwrap();
    let reasons: Vec<Reason> = webhook.attempts.iter().map(|attempt| attempt.reason).collect();
    assert_eq!(reasons, [Reason::Scheduled, Reason::SentAgain]);
    for unknown in ["", "1-x", "../../etc", &format!("0{id}"), &format!("{id}x")] {
        assert!(!webhooks.send_again(unknown).unwrap(), "{unknown}");
        assert!(webhooks.get(unknown).unwrap().is_none());
    }
    assert!(webhooks.unregister(&listener.endpoint().id).unwrap());
    assert!(webhooks.send_again(&id).is_err());
}

#[actix_web::test]
async fn a_flood_for_a_dead_endpoint_is_bounded_and_does_not_slow_the_others() {
    let listener = Listener::new();
    let nobody = Listener::new();
    let dead = nobody.endpoint();
    drop(nobody);
    let bench = Bench::telling_all(&[dead.clone().of_app("AKeyz"), listener.endpoint().of_app("BKeyz")]);
    let controls = bench.controls.clone();
    let flood = move || {
        for at in 0..10_000 {
            let event = Event::new("fp.test", None, json!({ "name": at.to_string() }));
            controls.webhooks().emit("AKeyz", &event).unwrap();
            if at % 100 == 0 {
                controls.webhooks().emit("BKeyz", &event).unwrap();
            }
        }
    };
    spawn_blocking(flood).await.unwrap();
    let webhooks = bench.controls.webhooks();
    listener.wait_for(100).await;
    assert!(webhooks.waiting() >= 10_000);
    assert!(webhooks.settle(5 * MINUTE).await);
    assert_eq!((webhooks.waiting(), webhooks.len()), (10_000, 10_100));
    // Those that are over are kept for a while only.
    assert!(webhooks.unregister(&dead.id).unwrap());
    assert_eq!((webhooks.waiting(), webhooks.len()), (0, 1_000));
    let records = std::fs::read_dir(bench.dir.path().join("webhooks/records"))
        .unwrap()
        .count();
    assert_eq!(records, 1_000);
}
