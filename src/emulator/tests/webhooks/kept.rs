//! Endpoints and webhooks through reset, snapshot and load.

use super::listener::Answer;
use super::*;
use crate::emulator::WebhookFault;

#[actix_web::test]
async fn endpoints_come_and_go_and_what_waits_for_one_that_went_is_undelivered() {
    let listener = Listener::new();
    listener.always(Answer::Status(500));
    let bench = Bench::telling_all(&[]);
    let webhooks = bench.controls.webhooks();
    bench.happen("to nobody");
    assert!(webhooks.is_empty());
    webhooks.register(listener.endpoint()).unwrap();
    bench.happen("x");
    bench.settled().await;
    assert_eq!(
        (webhooks.endpoints(), webhooks.waiting()),
        (vec![listener.endpoint()], 1)
    );
    assert!(webhooks.unregister(&listener.endpoint().id).unwrap());
    assert!(!webhooks.unregister(&listener.endpoint().id).unwrap());
    assert_eq!(
        (webhooks.waiting(), bench.webhooks()[0].state),
        (0, WebhookState::Undelivered)
    );
    bench.happen("y");
    bench.controls.clock().advance(5 * MINUTE);
    bench.settled().await;
    assert_eq!(names(&listener.received()), ["x"]);
    for at in 0..32 {
        let endpoint = Endpoint::new(&format!("http://127.0.0.1:9/{at}"), "s").unwrap();
        webhooks.register(endpoint.clone()).unwrap();
        webhooks.register(endpoint).unwrap();
    }
    assert!(webhooks.register(listener.endpoint()).is_err());
    assert_eq!(webhooks.endpoints().len(), 32);
}

#[actix_web::test]
async fn a_reset_forgets_webhooks_and_goes_back_to_the_endpoints_of_the_start() {
    let (one, two) = (Listener::new(), Listener::new());
    one.always(Answer::Status(500));
    let bench = Bench::telling(&one);
    let webhooks = bench.controls.webhooks();
    webhooks.register(two.endpoint()).unwrap();
    webhooks.unregister(&one.endpoint().id).unwrap();
    bench.happen("x");
    bench.settled().await;
    webhooks.next_times(None, 1, WebhookFault::Lost);
    bench.controls.reset().unwrap();
    assert_eq!((webhooks.endpoints(), webhooks.len()), (vec![one.endpoint()], 0));
    assert!(webhooks.waiting_faults().is_empty());
    bench.controls.clock().advance(10_000 * MINUTE);
    bench.settled().await;
    assert_eq!((one.received().len(), two.received().len()), (0, 1));
}

#[actix_web::test]
async fn a_reset_in_the_middle_of_an_attempt_leaves_nothing_behind() {
    let listener = Listener::new();
    listener.once(Answer::Silence);
    let bench = Bench::telling(&listener);
    bench.happen("x");
    listener.wait_for(1).await;
    bench.controls.reset().unwrap();
    bench.happen("y");
    listener.wait_for(2).await;
    drop(listener);
    bench.settled().await;
    assert_eq!(bench.webhooks().len(), 1);
}

#[actix_web::test]
async fn a_snapshot_has_webhooks_endpoints_and_failures() {
    let (one, two) = (Listener::new(), Listener::new());
    one.once(Answer::Status(500));
    let bench = Bench::telling(&one);
    let webhooks = bench.controls.webhooks();
    bench.happen("x");
    bench.settled().await;
    let kept = bench.webhooks();
    webhooks.register(two.endpoint()).unwrap();
    webhooks.next_times(None, 3, WebhookFault::Doubled);
    bench.controls.save("then").unwrap();
    webhooks.unregister(&two.endpoint().id).unwrap();
    webhooks.clear_faults();
    bench.controls.clock().advance(5 * MINUTE);
    bench.settled().await;
    assert_eq!(bench.webhooks()[0].state, WebhookState::Delivered);

    bench.controls.load("then").unwrap();
    assert_eq!(bench.webhooks(), kept);
    assert_eq!(webhooks.endpoints(), [one.endpoint(), two.endpoint()]);
    assert_eq!(webhooks.waiting_faults()[0].times, 3);
    // Its time comes again.
    bench.controls.clock().advance(5 * MINUTE);
    bench.settled().await;
    assert_eq!(names(&one.received()), ["x", "x", "x"]);

    // A damaged snapshot changes nothing.
    let place = bench.dir.path().join("snapshots/then/webhooks/records");
    std::fs::write(place.join("1-x.json"), "{").unwrap();
    let before = bench.webhooks();
    assert!(bench.controls.load("then").is_err());
    assert_eq!(bench.webhooks(), before);
}
