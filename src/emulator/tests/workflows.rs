//! §8: workflows on files, addresses and uploads; their status, results and end.

use serde_json::json;

use super::webhooks::listener::Listener;
use super::*;
use crate::emulator::{Endpoint, Workflow, viruses};

const ID: &str = "7f8e1c9a-2d64-4f0b-9b0e-3c5a6d7e8f90";
const FOREIGN: &str = "11111111-2d64-4f0b-9b0e-3c5a6d7e8f90";
const PATIENCE: Duration = Duration::from_secs(60);

/// One with a workflow of its own and one of the other application.
fn start(app: &str, tasks: &str) -> Bench {
    start_in(Arc::new(TempDir::new().unwrap()), app, tasks, Vec::new())
}

fn start_in(dir: Arc<TempDir>, app: &str, tasks: &str, webhooks: Vec<Endpoint>) -> Bench {
    let own = Workflow::new(ID, tasks).unwrap();
    let foreign = Workflow::new(FOREIGN, "sfw").unwrap().of_app("BKeyz");
    Bench::start(app, dir, |config| {
        config.workflows = vec![own, foreign];
        config.webhooks = webhooks;
    })
}

fn open(tasks: &str) -> Bench {
    start("AKeyz:SECRET:open", tasks)
}

fn usual() -> String {
    Workflow::usual("AKeyz").id
}

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

impl Bench {
    async fn run(&self, id: &str, source: &str) -> Value {
        let (status, begun) = self.said(&format!("AKeyz/run_workflow=id:{id}/{source}")).await;
        assert_eq!((status, &begun["status"]), (200, &json!("Started")), "{begun}");
        begun
    }

    async fn status(&self, job: &str) -> Value {
        let (status, reply) = self.said(&format!("AKeyz/workflow_status=job_id:{job}")).await;
        assert_eq!(status, 200, "{reply}");
        reply
    }

    /// The results of a job that is due, by action.
    async fn results(&self, job: &Value) -> Value {
        let reply = self.status(job.as_str().unwrap()).await;
        assert_eq!(reply["status"], "Finished", "{reply}");
        by_action(&reply["results"])
    }
}

fn by_action(results: &Value) -> Value {
    let action = |name: &String| name.rsplit_once('_').unwrap().0.to_owned();
    let results = results.as_object().unwrap().iter();
    results
        .map(|(name, result)| (action(name), result.clone()))
        .collect()
}

#[actix_web::test]
async fn a_workflow_is_started_and_then_finished_with_results_by_name() {
    let bench = Bench::open().await;
    let handle = bench.keep(b"a clean file", "a.txt", "text/plain");
    let begun = bench.run(&usual(), &handle).await;
    let job = begun["jobid"].as_str().unwrap().to_owned();
    assert_eq!(job.len(), 36);
    assert_eq!(
        begun,
        json!({
            "createdAt": "2027-01-15T08:00:00.000000000Z", "updatedAt": "2027-01-15T08:00:00.000000000Z",
            "jobid": job, "sources": [handle], "status": "Started", "workflow": usual(),
        })
    );
    let waiting = bench.status(&job).await;
    assert_eq!(
        (&waiting["status"], &waiting["results"]),
        (&json!("Started"), &json!({}))
    );
    assert!(waiting["ttl"].is_u64());
    bench.wait(3);
    let done = bench.status(&job).await;
    assert_eq!(done["status"], "Finished");
    assert_eq!(done["updatedAt"], "2027-01-15T08:00:03.000000000Z");
    let names: Vec<&String> = done["results"].as_object().unwrap().keys().collect();
    for (name, action) in names.iter().zip(["sfw_", "tags_", "virus_detection_"]) {
        assert!(
            name.starts_with(action) && name.len() == action.len() + 13,
            "{name}"
        );
    }
    let results = by_action(&done["results"]);
    assert_eq!(
        results["virus_detection"],
        json!({ "data": { "infected": false, "infections_list": [] } })
    );
    assert_eq!(results["sfw"], json!({ "data": { "sfw": true } }));
    assert_eq!(
        results["tags"]["data"],
        bench.said(&format!("tags/{handle}")).await.1
    );
    assert_eq!(bench.status(&job).await, done, "it stays as it is");
}

#[actix_web::test]
async fn what_steps_make_is_delivered_and_handed_on() {
    let bench = open("resize=width:5,output=format:png,tags,store=path:\"kept/\",filename:small.png");
    let picture = image::RgbImage::from_pixel(40, 20, image::Rgb([9, 9, 200]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    let handle = bench.keep(&bytes.into_inner(), "a.jpg", "image/jpeg");
    let begun = bench.run(ID, &handle).await;
    bench.wait(3);
    let job = begun["jobid"].as_str().unwrap();
    let results = bench.results(&begun["jobid"]).await;
    let url = results["output"]["url"].as_str().unwrap();
    let prefix = format!("{}/AKeyz/wf://{ID}/{job}/", bench.base);
    assert!(url.starts_with(&prefix), "{url}");
    assert_eq!(results["resize"]["mimetype"], "image/jpeg");
    let file = bench.http.get(url).send().await.unwrap();
    assert_eq!(file.headers()["content-type"], "image/png");
    let made = file.bytes().await.unwrap();
    assert_eq!(made.len() as u64, results["output"]["size"].as_u64().unwrap());
    assert_eq!(image::load_from_memory(&made).unwrap().width(), 5);
    // It is a source like others.
    let path = url.strip_prefix(&bench.base).unwrap().trim_start_matches('/');
    let smaller = path.replace("AKeyz/", "AKeyz/resize=width:2/");
    let smaller = bench.get(&smaller).await.bytes().await.unwrap();
    assert_eq!(image::load_from_memory(&smaller).unwrap().width(), 2);
    let stored = results["store"]["url"]
        .as_str()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap();
    let meta = bench.controls.store().get(stored).unwrap().unwrap();
    assert_eq!(
        (meta.filename.as_str(), meta.size),
        ("small.png", made.len() as u64)
    );
    assert!(meta.key.starts_with("kept/"));
    assert_eq!(bench.controls.store().read(stored).unwrap().unwrap(), made);
    for (wrong, status) in [
        (format!("AKeyz/wf://{ID}/{job}/{}", "0".repeat(32)), 404),
        (
            format!("AKeyz/wf://{FOREIGN}/{job}/{}", url.rsplit('/').next().unwrap()),
            404,
        ),
        (path.replace("AKeyz", "BKeyz"), 404),
        (format!("AKeyz/wf://{ID}/{job}/source"), 404),
        (format!("AKeyz/wf://{ID}/{job}/..%2frecord.json"), 400),
        (format!("AKeyz/wf://{ID}/../x"), 400),
    ] {
        assert_eq!(bench.get(&wrong).await.status().as_u16(), status, "{wrong}");
    }
}

#[actix_web::test]
async fn a_step_that_fails_says_so_and_the_next_ones_go_on() {
    let bench = open("resize=width:5,ocr,virus_detection");
    let handle = bench.keep(b"no picture", "a.txt", "text/plain");
    let begun = bench.run(ID, &handle).await;
    bench.wait(3);
    let results = bench.results(&begun["jobid"]).await;
    assert_eq!(results["resize"], json!({ "error": "Unsupported conversion" }));
    assert_eq!(results["ocr"]["data"]["text"], "no picture");
    assert_eq!(results["virus_detection"]["data"]["infected"], false);
}

#[actix_web::test]
async fn it_works_on_what_the_file_was_when_it_began() {
    let bench = open("ocr");
    let handle = bench.keep(b"before", "a.txt", "text/plain");
    let begun = bench.run(ID, &handle).await;
    bench.controls.store().delete(&handle).unwrap();
    bench.wait(3);
    assert_eq!(
        bench.results(&begun["jobid"]).await["ocr"]["data"]["text"],
        "before"
    );
    assert_eq!(bench.said(&format!("run_workflow=id:{ID}/{handle}")).await.0, 404);
}

#[actix_web::test]
async fn a_workflow_runs_on_an_address() {
    let bench = open("ocr");
    let handle = bench.keep(b"from afar", "a.txt", "text/plain");
    let url = format!("{}/cache=false/{handle}", bench.base);
    let begun = bench.run(ID, &format!("%22{url}%22")).await;
    assert_eq!(begun["sources"], json!([url]));
    bench.wait(3);
    assert_eq!(
        bench.results(&begun["jobid"]).await["ocr"]["data"]["text"],
        "from afar"
    );
    // An alias has no storage here.
    assert_eq!(
        bench
            .said(&format!("AKeyz/run_workflow=id:{ID}/src://alias/a.txt"))
            .await
            .0,
        501
    );
    assert_eq!(
        bench.said(&format!("run_workflow=id:{ID}/%22{url}%22")).await.0,
        401
    );
}

#[actix_web::test]
async fn p3_a_workflow_needs_both_calls_and_its_own_application() {
    for app in ["AKeyz:SECRET", "AKeyz:SECRET:open"] {
        let bench = start(app, "sfw");
        let handle = bench.keep(b"x", "a.txt", "text/plain");
        let both = json!({ "call": ["convert", "runWorkflow"] });
        let get = async |path: &str, policy: &Value| {
            let query = if policy.is_null() {
                String::new()
            } else {
                bench.query(policy.clone())
            };
            let reply = bench.get(&format!("{path}?{query}")).await;
            (reply.status().as_u16(), reply.text().await.unwrap())
        };
        let run = format!("AKeyz/run_workflow=id:{ID}/{handle}");
        let (status, begun) = get(&run, &both).await;
        assert_eq!(status, 200, "{begun}");
        let begun: Value = serde_json::from_str(&begun).unwrap();
        let job = begun["jobid"].as_str().unwrap();
        let asks = format!("AKeyz/workflow_status=job_id:{job}");
        for path in [&run, &asks] {
            for policy in [
                Value::Null,
                json!({ "call": ["convert"] }),
                json!({ "call": ["runWorkflow"] }),
                json!({ "call": ["read"] }),
                json!({ "call": ["convert", "runWorkflow"], "handle": "A".repeat(20) }),
                json!({ "call": ["convert", "runWorkflow"], "expiry": NOW - 1 }),
            ] {
                assert_eq!(get(path, &policy).await.0, 403, "{path} {policy}");
            }
            let own = json!({ "call": ["convert", "runWorkflow"], "handle": handle });
            assert_eq!(get(path, &own).await.0, 200, "{path}");
        }
        // Not there, and somebody else's, look the same.
        let missing = get(
            &format!("run_workflow=id:{}/{handle}", FOREIGN.replace('1', "2")),
            &both,
        )
        .await;
        assert_eq!(
            missing,
            get(&format!("run_workflow=id:{FOREIGN}/{handle}"), &both).await
        );
        assert_eq!(missing.0, 404);
        let text = URL_SAFE.encode(json!({ "expiry": NOW + 60 }).to_string());
        let foreign = format!("policy={text}&signature={}", signature("OTHER", &text));
        let foreign_job = bench
            .get(&format!("BKeyz/workflow_status=job_id:{job}?{foreign}"))
            .await;
        let no_job = bench
            .get(&format!("BKeyz/workflow_status=job_id:{}?{foreign}", FOREIGN))
            .await;
        assert_eq!(
            (foreign_job.status(), no_job.status()),
            (no_job.status(), foreign_job.status())
        );
        assert_eq!(foreign_job.status(), 404);
        assert_eq!(foreign_job.text().await.unwrap(), no_job.text().await.unwrap());
    }
}

#[actix_web::test]
async fn u17_ids_that_lead_elsewhere_lead_nowhere() {
    let bench = open("sfw");
    let handle = bench.keep(b"x", "a.txt", "text/plain");
    let deep = "a".repeat(17_000);
    for (path, status) in [
        (
            "AKeyz/workflow_status=job_id:..%2f..%2fworkflows.json".to_owned(),
            404,
        ),
        ("AKeyz/workflow_status=job_id:%22../open%22".to_owned(), 404),
        ("AKeyz/workflow_status=job_id:%00".to_owned(), 404),
        (format!("AKeyz/workflow_status=job_id:{ID}%2f..%2f{ID}"), 404),
        (format!("AKeyz/workflow_status=job_id:{deep}"), 414),
        ("AKeyz/workflow_status=job_id:[a,b]".to_owned(), 400),
        ("AKeyz/workflow_status".to_owned(), 400),
        (format!("workflow_status=job_id:{ID}"), 401),
        (format!("run_workflow=id:..%2f..%2fx/{handle}"), 404),
        (format!("run_workflow=id:%22%22/{handle}"), 404),
        (format!("run_workflow/{handle}"), 400),
        (format!("run_workflow=id:{ID},hid:x/{handle}"), 400),
        (format!("run_workflow=id:{ID}"), 400),
        (format!("run_workflow=id:{ID}/resize=width:5/{handle}"), 501),
        (format!("run_workflow=id:{ID}/[{handle},{handle}]"), 501),
        (format!("run_workflow=id:{}/{handle}", ID.to_uppercase()), 200),
    ] {
        let (got, reply) = bench.said(&path).await;
        assert_eq!(got, status, "{}: {reply}", &path[..path.len().min(90)]);
    }
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

#[actix_web::test]
async fn workflows_that_cannot_be_are_refused_at_the_start() {
    for workflows in [
        vec![
            Workflow::new(ID, "sfw").unwrap(),
            Workflow::new(ID, "tags").unwrap(),
        ],
        vec![Workflow::new(ID, "sfw").unwrap().of_app("Unknown")],
        vec![Workflow::new(&usual(), "sfw").unwrap()],
    ] {
        let dir = TempDir::new().unwrap();
        let mut config = Config::new(dir.path(), vec![App::parse("AKeyz:SECRET").unwrap()]);
        config.workflows = workflows;
        let error = serve(config, TcpListener::bind("127.0.0.1:0").unwrap(), 1)
            .map(drop)
            .unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{error}");
    }
}
