//! Workflows that run on what is stored.

use serde_json::json;

use super::*;
use crate::emulator::viruses;

fn zip_with(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    // Packed so that its bytes do not stand in the archive.
    encoder.write_all(&[content, &[b'x'; 2_000]].concat()).unwrap();
    let packed = encoder.finish().unwrap();
    let size = (packed.len() as u32).to_le_bytes();
    let mut bytes = [
        b"PK\x03\x04\x14\0\0\0\x08\0".as_slice(),
        &[0; 8],
        &size,
        &size,
        b"\x01\0\0\0e",
        &packed,
    ]
    .concat();
    let at = (bytes.len() as u32).to_le_bytes();
    let entry = [
        b"PK\x01\x02\x14\0\x14\0\0\0\x08\0".as_slice(),
        &[0; 8],
        &size,
        &size,
        b"\x01\0",
        &[0; 12],
        &[0; 4],
        b"e",
    ]
    .concat();
    let length = (entry.len() as u32).to_le_bytes();
    bytes.extend(entry);
    bytes.extend(
        [
            b"PK\x05\x06\0\0\0\0\x01\0\x01\0".as_slice(),
            &length,
            &at,
            &[0, 0],
        ]
        .concat(),
    );
    assert!(!bytes.windows(content.len()).any(|window| window == content));
    bytes
}

#[actix_web::test]
async fn u14_a_virus_is_found_whole_in_parts_and_in_archives() {
    let bench = Bench::open().await;
    bench.controls.set_processing_time(Duration::ZERO);
    let text = viruses::eicar().into_bytes();
    let infected = json!({ "data": { "infected": true, "infections_list": ["Eicar-Test-Signature"] } });
    let found = async |handle: &str| {
        let begun = bench.run(&usual(), handle).await;
        bench.results(&begun["jobid"]).await["virus_detection"].clone()
    };
    assert_eq!(
        found(&bench.keep(&text, "eicar.com", "text/plain")).await,
        infected
    );
    assert_eq!(
        found(&bench.keep(&zip_with(&text), "a.zip", "application/zip")).await,
        infected
    );
    assert_eq!(
        found(&bench.keep(&zip_with(b"clean"), "a.zip", "application/zip")).await["data"]["infected"],
        false
    );

    // Cut in the middle by the parts of a multipart upload, and by the chunks and parts of an intelligent one.
    let (first, second) = text.split_at(30);
    for intelligent in [false, true] {
        let mut begin = start_call(text.len());
        begin["fii"] = intelligent.into();
        begin["store"]["workflows"] = json!([usual()]);
        let mut call = bench.begin(begin).await;
        call["fii"] = intelligent.into();
        if intelligent {
            let offset = |at: usize| json!({ "part": 1, "offset": at });
            bench.put_part(&call, offset(0), &first[..10]).await;
            bench.put_part(&call, offset(10), &first[10..]).await;
            bench
                .put_part(&call, json!({ "part": 2, "offset": 0 }), second)
                .await;
            for part in [1, 2] {
                let mut commit = call.clone();
                commit["part"] = part.into();
                assert_eq!(bench.post("multipart/commit", &commit).await.0, 200);
            }
        } else {
            let etags = [
                bench.part(&call, 1, first).await,
                bench.part(&call, 2, second).await,
            ];
            call["parts"] = parts(&[(1, &etags[0]), (2, &etags[1])]);
        }
        let (status, file) = bench.post("multipart/complete", &call).await;
        assert_eq!(status, 200, "{file}");
        let job = &file["workflows"][usual()]["jobid"];
        assert_eq!(
            bench.results(job).await["virus_detection"],
            infected,
            "{intelligent}"
        );
        assert_eq!(
            found(file["handle"].as_str().unwrap()).await,
            infected,
            "{intelligent}"
        );
    }
}

#[actix_web::test]
async fn workflows_run_on_what_is_stored_by_every_way() {
    let bench = start("AKeyz:SECRET", "ocr");
    let policy = json!({ "call": ["pick", "store", "read", "convert", "runWorkflow"] });
    let query = bench.query(policy.clone());
    let mut jobs = Vec::new();
    // Python names them in the complete call only, as ids or as objects.
    for ids in [json!([ID]), json!([{ "id": ID }]), json!([ID, usual()])] {
        let mut call = bench
            .begin(bench.with_policy(start_call(5), policy.clone()))
            .await;
        let etag = bench.part(&call, 1, b"hello").await;
        call["parts"] = parts(&[(1, &etag)]);
        call["store"]["workflows"] = ids.clone();
        let (status, file) = bench.post("multipart/complete", &call).await;
        assert_eq!(status, 200, "{file}");
        assert_eq!(
            file["workflows"].as_object().unwrap().len(),
            ids.as_array().unwrap().len()
        );
        jobs.push(file["workflows"][ID]["jobid"].clone());
    }
    let url = format!("{}/api/store/S3?key=AKeyz&workflows={ID}&{query}", bench.base);
    let reply = bench.http.post(url).body("hello").send().await.unwrap();
    let file: Value = reply.json().await.unwrap();
    jobs.push(file["workflows"][ID]["jobid"].clone());
    let source = bench.keep(b"hello", "a.txt", "text/plain");
    let (_, file) = bench.said(&format!("store=workflows:[{ID}]/{source}")).await;
    jobs.push(file["workflows"][ID]["jobid"].clone());
    let (policy, signature) = bench.sign(policy);
    let security = json!({ "name": "security", "params": { "policy": policy, "signature": signature } });
    let address = format!("{}/cache=false/{source}?{query}", bench.base);
    let store = json!({ "name": "store", "params": { "workflows": [{ "id": ID }] } });
    let body =
        json!({ "apikey": "AKeyz", "sources": [address], "tasks": [{ "name": "store" }, store, security] });
    let (status, file) = bench.post("process", &body).await;
    assert_eq!(status, 200, "{file}");
    jobs.push(file["workflows"][ID]["jobid"].clone());
    bench.wait(3);
    for job in jobs {
        let results = bench.results(&job).await;
        assert!(results["ocr"]["data"]["text"].is_string(), "{results}");
    }
}

#[actix_web::test]
async fn an_upload_that_may_not_run_a_workflow_stores_nothing() {
    let bench = start("AKeyz:SECRET", "ocr");
    let plain = json!({ "call": ["pick", "store", "read", "convert"] });
    let both = json!({ "call": ["pick", "store", "read", "convert", "runWorkflow"] });
    let many = vec![ID; 21];
    for (ids, policy, wanted) in [
        (json!([ID]), &plain, 403),
        (json!([FOREIGN]), &both, 400),
        (json!(["../x"]), &both, 400),
        (json!([1]), &both, 400),
        (json!({ "id": ID }), &both, 400),
        (json!(many), &both, 400),
    ] {
        let mut start = bench.with_policy(start_call(5), policy.clone());
        start["store"]["workflows"] = ids.clone();
        assert_eq!(
            bench.post("multipart/start", &start).await.0,
            wanted,
            "start {ids}"
        );
        let mut call = bench
            .begin(bench.with_policy(start_call(5), policy.clone()))
            .await;
        let etag = bench.part(&call, 1, b"hello").await;
        call["parts"] = parts(&[(1, &etag)]);
        call["store"]["workflows"] = ids.clone();
        assert_eq!(
            bench.post("multipart/complete", &call).await.0,
            wanted,
            "complete {ids}"
        );
        // Nothing was lost: without the workflow it is complete.
        call["store"]["workflows"] = json!(null);
        assert_eq!(bench.post("multipart/complete", &call).await.0, 200, "{ids}");
    }
    let stored = bench.controls.store().len().unwrap();
    let query = bench.query(plain);
    let url = format!("{}/api/store/S3?key=AKeyz&workflows={ID}&{query}", bench.base);
    assert_eq!(bench.http.post(url).body("x").send().await.unwrap().status(), 403);
    let source = bench.controls.store().handles().unwrap().remove(0);
    let reply = bench
        .get(&format!("store=workflows:[{ID}]/{source}?{query}"))
        .await;
    assert_eq!(reply.status(), 403);
    assert_eq!(bench.controls.store().len().unwrap(), stored);
}
