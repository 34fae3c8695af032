//! §8: workflows on files, addresses and uploads; their status, results and end.

mod ends;
mod uploads;

use serde_json::json;

use super::*;
use crate::emulator::{Endpoint, Workflow};

const ID: &str = "7f8e1c9a-2d64-4f0b-9b0e-3c5a6d7e8f90";
const FOREIGN: &str = "11111111-2d64-4f0b-9b0e-3c5a6d7e8f90";

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
async fn what_a_step_made_goes_through_a_workflow_and_a_conversion_itself() {
    let bench = start("AKeyz:SECRET", "resize=width:5,ocr");
    let picture = image::RgbImage::from_pixel(40, 20, image::Rgb([9, 9, 200]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    let handle = bench.keep(&bytes.into_inner(), "a.png", "image/png");
    let policy = bench.query(json!({ "call": ["read", "convert", "runWorkflow"] }));
    let said = async |path: &str| bench.said(&format!("{path}?{policy}")).await;
    let (_, begun) = said(&format!("AKeyz/run_workflow=id:{ID}/{handle}")).await;
    bench.wait(3);
    let finished = async |begun: &Value| {
        let job = begun["jobid"].as_str().unwrap();
        let (status, reply) = said(&format!("AKeyz/workflow_status=job_id:{job}")).await;
        assert_eq!((status, &reply["status"]), (200, &json!("Finished")), "{reply}");
        reply
    };
    let url = by_action(&finished(&begun).await["results"])["resize"]["url"].clone();
    let made = url.as_str().unwrap().split_once("AKeyz/").unwrap().1.to_owned();

    // A workflow on it: named by what it is, and it works on what the step made.
    let (status, again) = said(&format!("AKeyz/run_workflow=id:{ID}/{made}")).await;
    assert_eq!((status, &again["sources"]), (200, &json!([made])), "{again}");
    bench.wait(3);
    let results = by_action(&finished(&again).await["results"]);
    let same = said(&format!("AKeyz/ocr/{made}")).await.1;
    assert_eq!(results["ocr"]["data"], same);
    let second = results["resize"]["url"].as_str().unwrap();
    assert_ne!(second, url.as_str().unwrap());

    // A conversion of it: asked for twice it is one, and a picture is no film.
    let path = format!("AKeyz/video_convert=preset:h264/{made}");
    let (status, started) = said(&path).await;
    assert_eq!((status, &started["status"]), (200, &json!("started")));
    assert_eq!(said(&path).await.1["uuid"], started["uuid"]);
    bench.wait(3);
    let (_, ended) = said(&path).await;
    assert_eq!(
        (&ended["status"], &ended["message"]),
        (&json!("failed"), &json!("The source is neither film nor sound"))
    );

    // P3: only with a policy for it.
    let missing = made.replace(
        begun["jobid"].as_str().unwrap(),
        "11111111-2d64-4f0b-9b0e-3c5a6d7e8f90",
    );
    for (source, policy, wanted) in [
        (&made, json!({ "call": ["read"] }), 403),
        (
            &made,
            json!({ "call": ["convert", "runWorkflow"], "handle": handle }),
            403,
        ),
        (
            &made,
            json!({ "call": ["convert", "runWorkflow"], "handle": made }),
            200,
        ),
        (&missing, json!({ "call": ["convert", "runWorkflow"] }), 404),
    ] {
        let query = bench.query(policy.clone());
        for task in [
            format!("run_workflow=id:{ID}"),
            "video_convert=preset:h264".into(),
        ] {
            let status = bench.said(&format!("AKeyz/{task}/{source}?{query}")).await.0;
            assert_eq!(status, wanted, "{task}: {policy}");
        }
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
        (format!("run_workflow=id:{ID}/resize=width:5/{handle}"), 400),
        (format!("run_workflow=id:{ID}/[{handle},{handle}]"), 400),
        (format!("run_workflow=id:{}/{handle}", ID.to_uppercase()), 200),
    ] {
        let (got, reply) = bench.said(&path).await;
        assert_eq!(got, status, "{}: {reply}", &path[..path.len().min(90)]);
    }
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
