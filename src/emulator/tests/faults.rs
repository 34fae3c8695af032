//! The controls that tests of a client use.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::emulator::{Fault, Route};

#[actix_web::test]
async fn the_next_calls_of_a_class_fail_and_the_ones_after_do_not() {
    let bench = Bench::open().await;
    let faults = bench.controls.faults();
    faults.next_times(Route::Start, 2, Fault::Status(503));
    let (status, error) = bench.post("multipart/start", &start_call(1)).await;
    assert_eq!(status, 503);
    assert!(error["error"].is_string());
    assert_eq!(bench.post("multipart/start", &start_call(1)).await.0, 503);
    assert_eq!(bench.post("multipart/start", &start_call(1)).await.0, 200);
    let calls = faults.calls();
    let statuses: Vec<u16> = calls.iter().map(|call| call.status).collect();
    assert_eq!(statuses, [503, 503, 200]);
    assert!(
        calls
            .iter()
            .all(|call| call.route == Route::Start && call.path == "/multipart/start")
    );
    assert_eq!(calls[2].body_bytes, start_call(1).to_string().len() as u64);
    faults.next(Route::Start, Fault::Status(500));
    faults.clear();
    faults.forget_calls();
    assert_eq!(bench.post("multipart/start", &start_call(1)).await.0, 200);
    assert_eq!(faults.count(Route::Start), 1);
}

#[actix_web::test]
async fn complete_can_say_not_yet() {
    let bench = Bench::open().await;
    let mut call = bench.begin(start_call(0)).await;
    call["parts"] = json!([]);
    bench.controls.faults().next(Route::Complete, Fault::Status(202));
    let (status, reply) = bench.post("multipart/complete", &call).await;
    assert!(status == 202 && reply.get("handle").is_none());
    assert_eq!(bench.post("multipart/complete", &call).await.0, 200);
}

#[actix_web::test]
async fn a_part_can_be_cut_off_lose_its_etag_or_get_a_wrong_one() {
    let bench = Bench::open().await;
    let faults = bench.controls.faults();
    let bytes = noise(3_000_000);
    let call = bench.begin(start_call(bytes.len())).await;
    let (_, ticket) = bench.ask_part(&call, json!({ "part": 1 }), &bytes).await;
    faults.next(Route::Put, Fault::CutRequest { after: 100_000 });
    assert!(bench.put(&ticket, bytes.clone()).await.is_err());
    faults.next(Route::Put, Fault::CutBeforeReply);
    assert!(bench.put(&ticket, bytes.clone()).await.is_err());
    faults.next(Route::Put, Fault::WrongEtag);
    let wrong = bench.put(&ticket, bytes.clone()).await.unwrap();
    assert!(wrong.headers()["etag"].to_str().unwrap().starts_with("\"0000"));
    faults.next(Route::Put, Fault::NoEtag);
    assert!(
        bench
            .put(&ticket, bytes.clone())
            .await
            .unwrap()
            .headers()
            .get("etag")
            .is_none()
    );
    let cut = faults
        .calls()
        .into_iter()
        .find(|call| call.route == Route::Put)
        .unwrap();
    assert!((100_000..2_000_000).contains(&cut.body_bytes), "{cut:?}");
    assert_eq!(bench.put(&ticket, bytes).await.unwrap().status(), 200);
}

#[actix_web::test]
async fn a_download_can_break_off() {
    let bench = Bench::open().await;
    let handle = bench.keep(&noise(1_000_000), "a.png", "image/png");
    bench
        .controls
        .faults()
        .next(Route::Delivery, Fault::CutReply { after: 300_000 });
    let reply = bench.get(&handle).await;
    assert_eq!(reply.status(), 200);
    assert!(reply.bytes().await.is_err());
    assert_eq!(bench.get(&handle).await.bytes().await.unwrap().len(), 1_000_000);
}

#[actix_web::test]
async fn a_download_that_breaks_off_early_has_sent_what_it_should() {
    let bench = Bench::open().await;
    let handle = bench.keep(&noise(50_000), "a.png", "image/png");
    for after in [0, 1, 1_000] {
        let cut = Fault::CutReply { after };
        bench.controls.faults().next(Route::Delivery, cut);
        let request = format!("GET /{handle} HTTP/1.1\r\nHost: x\r\n\r\n");
        let address = bench.base.strip_prefix("http://").unwrap().to_owned();
        let talk = move || {
            use std::io::{Read, Write};
            let mut socket = TcpStream::connect(address).unwrap();
            socket.write_all(request.as_bytes()).unwrap();
            let mut reply = Vec::new();
            let _reset_counts_as_end = socket.read_to_end(&mut reply);
            reply
        };
        let reply = spawn_blocking(talk).await.unwrap();
        let head = reply.windows(4).position(|four| four == b"\r\n\r\n");
        let head = head.expect("the head is sent whole") + 4;
        assert!(String::from_utf8_lossy(&reply[..head]).contains("content-length: 50000"));
        assert_eq!(reply[head..], noise(50_000)[..after as usize]);
    }
}

#[actix_web::test]
async fn any_reply_can_be_put_in_place_and_delays_only_delay() {
    let bench = Bench::open().await;
    let handle = bench.keep(b"x", "a.txt", "text/plain");
    let faults = bench.controls.faults();
    faults.next(
        Route::Metadata,
        Fault::Reply {
            status: 429,
            headers: vec![("Filestack-Reset".into(), "1".into())],
            body: "<html>".into(),
        },
    );
    let reply = bench.get(&format!("{handle}/metadata")).await;
    assert_eq!(
        (reply.status().as_u16(), &reply.headers()["filestack-reset"]),
        (429, &"1".parse().unwrap())
    );
    assert_eq!(reply.text().await.unwrap(), "<html>");
    faults.next(Route::Delete, Fault::Delay(Duration::from_millis(1)));
    let url = format!("{}/api/file/{handle}?{}", bench.base, bench.query(json!({})));
    assert_eq!(bench.http.delete(url).send().await.unwrap().status(), 200);
}

#[test]
fn every_route_has_its_class() {
    for (method, path, route) in [
        ("POST", "/multipart/upload", Route::PartUrl),
        ("POST", "/multipart/commit", Route::Commit),
        ("PUT", "/storage/abc", Route::Put),
        ("POST", "/api/store/S3", Route::Store),
        ("GET", "/HANDLE", Route::Delivery),
        ("HEAD", "/api/file/HANDLE", Route::Delivery),
        ("GET", "/HANDLE/metadata", Route::Metadata),
        ("GET", "/api/file/HANDLE/metadata", Route::Metadata),
        ("DELETE", "/api/file/HANDLE", Route::Delete),
        ("POST", "/api/file/HANDLE/remove", Route::Delete),
        ("POST", "/api/file/HANDLE", Route::Overwrite),
        ("POST", "/prefetch", Route::Other),
    ] {
        assert_eq!(Route::of(method, path), route, "{method} {path}");
    }
}
