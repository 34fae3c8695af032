//! How runs end, and what of them stays.

use serde_json::json;

use super::*;
use crate::emulator::tests::webhooks::listener::Listener;

const PATIENCE: Duration = Duration::from_secs(60);

#[actix_web::test]
async fn the_end_is_told_by_webhook_when_the_clock_says_so() {
    let listener = Listener::new();
    let dir = Arc::new(TempDir::new().unwrap());
    let bench = start_in(dir, "AKeyz:SECRET:open", "ocr", vec![listener.endpoint()]);
    let handle = bench.keep(b"told", "a.txt", "text/plain");
    let film = bench.keep(b"OggS film", "a.ogg", "video/ogg");
    let begun = bench.run(ID, &handle).await;
    let path = format!("video_convert=preset:webm/{film}");
    bench.said(&path).await;
    bench.wait(3);
    let received = listener.wait_for(2).await;
    let bodies: Vec<Value> = received.iter().map(|got| got.json()).collect();
    let told = bodies
        .iter()
        .find(|body| body["action"] == "fs.workflow")
        .unwrap();
    let text = &told["text"];
    assert_eq!(
        (
            &text["jobid"],
            &text["workflow"],
            &text["sources"],
            &text["status"]
        ),
        (&begun["jobid"], &json!(ID), &json!([handle]), &json!("Finished"))
    );
    let status = bench.status(begun["jobid"].as_str().unwrap()).await;
    assert_eq!(
        (&text["results"], &text["updatedAt"]),
        (&status["results"], &status["updatedAt"])
    );
    let video = bodies.iter().find(|body| body.get("action").is_none()).unwrap();
    assert_eq!(video, &bench.said(&path).await.1, "the completed object itself");
    assert!(received.iter().all(|got| got.is_signed_with(Listener::SECRET)));
}

#[actix_web::test]
async fn a_run_outlives_the_process_and_is_told_once() {
    let listener = Listener::new();
    let dir = Arc::new(TempDir::new().unwrap());
    let again = || start_in(dir.clone(), "AKeyz:SECRET:open", "ocr", vec![listener.endpoint()]);
    let bench = again();
    let handle = bench.keep(b"kept", "a.txt", "text/plain");
    let begun = bench.run(ID, &handle).await;
    bench.stop().await;
    let bench = again();
    bench.wait(3);
    let received = listener.wait_for(1).await;
    assert_eq!(received[0].json()["text"]["jobid"], begun["jobid"]);
    assert!(bench.controls.webhooks().settle(PATIENCE).await);
    bench.stop().await;
    let bench = again();
    bench.wait(60);
    assert_eq!(
        bench.results(&begun["jobid"]).await["ocr"]["data"]["text"],
        "kept"
    );
    assert!(bench.controls.webhooks().settle(PATIENCE).await);
    assert_eq!(listener.wait_for(1).await.len(), 1);
    // What it worked on is gone, what is known of it is not.
    let place = dir.path().join("runs/all").join(begun["jobid"].as_str().unwrap());
    assert!(!place.join("source").exists() && place.join("record.json").exists());
    assert_eq!(
        std::fs::read_dir(dir.path().join("runs/open")).unwrap().count(),
        0
    );
}

#[actix_web::test]
async fn a_run_that_was_reserved_begins_with_its_file_or_never() {
    let bench = open("ocr");
    let runs = bench.controls.runs();
    let workflow = bench.controls.workflows().find("AKeyz", ID).unwrap();
    let handle = bench.keep(b"stored", "a.txt", "text/plain");
    let gone = "A".repeat(20);
    let mut jobs = Vec::new();
    for source in [&handle, &gone] {
        let meta = bench.controls.store().get(&handle).unwrap().unwrap();
        let by = crate::emulator::runs::Beginning {
            app: "AKeyz",
            base: bench.base.clone(),
            source,
            meta: &meta,
        };
        // And then the process ended.
        let reserved = runs.reserve(std::slice::from_ref(&workflow), &by).unwrap();
        jobs.push(reserved[0].id.clone());
    }
    let dir = bench.dir.clone();
    bench.stop().await;
    let bench = start_in(dir, "AKeyz:SECRET:open", "ocr", Vec::new());
    bench.wait(3);
    assert_eq!(
        bench.results(&json!(jobs[0])).await["ocr"]["data"]["text"],
        "stored"
    );
    assert_eq!(
        bench
            .said(&format!("AKeyz/workflow_status=job_id:{}", jobs[1]))
            .await
            .0,
        404
    );
}

#[actix_web::test]
async fn reset_and_snapshots_have_runs_and_workflows() {
    let bench = open("ocr,resize=width:5");
    let added = Workflow::new("22222222-2d64-4f0b-9b0e-3c5a6d7e8f90", "caption").unwrap();
    bench.controls.workflows().add(added.clone()).unwrap();
    let handle = bench.keep(b"kept", "a.txt", "text/plain");
    let begun = bench.run(ID, &handle).await;
    let job = begun["jobid"].as_str().unwrap();
    bench.controls.set_processing_time(Duration::from_secs(9));
    bench.controls.save("middle").unwrap();
    bench.controls.reset().unwrap();
    bench
        .controls
        .clock()
        .freeze(UNIX_EPOCH + Duration::from_secs(NOW));
    assert_eq!(
        bench.said(&format!("AKeyz/workflow_status=job_id:{job}")).await.0,
        404
    );
    assert_eq!(bench.controls.workflows().find("AKeyz", &added.id), None);
    assert!(bench.controls.workflows().find("AKeyz", ID).is_some());
    assert_eq!(bench.controls.processing_time(), Duration::from_secs(3));
    bench.controls.load("middle").unwrap();
    assert_eq!(bench.controls.processing_time(), Duration::from_secs(9));
    assert!(bench.controls.workflows().find("AKeyz", &added.id).is_some());
    assert_eq!(bench.status(job).await["status"], "Started");
    bench.wait(3);
    assert_eq!(
        bench.results(&begun["jobid"]).await["ocr"]["data"]["text"],
        "kept"
    );
    // The snapshot is as it was.
    bench.controls.load("middle").unwrap();
    assert_eq!(bench.status(job).await["status"], "Started");
}

#[actix_web::test]
async fn many_who_ask_at_once_get_one_answer() {
    let bench = open("ocr,store=filename:b.txt");
    let handle = bench.keep(b"once", "a.txt", "text/plain");
    let begun = bench.run(ID, &handle).await;
    bench.wait(3);
    let job = begun["jobid"].as_str().unwrap();
    let asks = (0..40).map(|_| bench.status(job));
    let replies = futures_util::future::join_all(asks).await;
    assert!(
        replies
            .iter()
            .all(|reply| *reply == replies[0] && reply["status"] == "Finished")
    );
    assert_eq!(bench.controls.store().len().unwrap(), 2);
}
