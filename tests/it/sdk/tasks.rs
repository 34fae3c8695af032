//! Every task and every form of source that is documented (§4, §6): the emulator does it, or says that it does not do it yet.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::Value;

use super::bench::{Bench, NOW, SECURED, SECURED_SECRET, WORKFLOW, png, sign};
use super::parity::{self, Cell};
use crate::support::client::Doer;

/// Each with parameters that are right.
const TASKS: &[&str] = &[
    "resize=width:10",
    "crop=dim:[0,0,10,10]",
    "smart_crop=width:10,height:10",
    "rotate=deg:90",
    "flip",
    "flop",
    "imagesize",
    "auto_image",
    "no_metadata",
    "compress",
    "quality=value:50",
    "pjpg=quality:50",
    "animate=delay:100",
    "detect_faces",
    "crop_faces=mode:thumb",
    "pixelate_faces=faces:all",
    "blur_faces=faces:all",
    "blur=amount:2",
    "sharpen=amount:2",
    "pixelate=amount:2",
    "oil_paint=amount:2",
    "partial_blur=objects:[[1,1,5,5]]",
    "partial_pixelate=objects:[[1,1,5,5]]",
    "blackwhite=threshold:50",
    "monochrome",
    "negative",
    "redeye",
    "sepia=tone:80",
    "modulate=hue:90",
    "enhance=preset:auto",
    "upscale",
    "ascii",
    "watermark=file:HANDLE",
    "collage=files:[HANDLE],width:100,height:100",
    "rounded_corners=radius:5",
    "vignette=amount:20",
    "polaroid",
    "torn_edges",
    "shadow",
    "circle",
    "border=width:3",
    "output=format:jpg",
    "pdfinfo",
    "pdfconvert=pages:[1]",
    "pdfcreate",
    "doc_to_images",
    "preview",
    "slide",
    "qr=format:png",
    "minify_css=level:1",
    "minify_js",
    "urlscreenshot=mode:all",
    "zip",
    "cache=expiry:60",
    "store=filename:copy.png",
    "fallback=handle:HANDLE",
    "metadata=[size]",
    "debug",
    "video_convert=preset:h264",
    "tags",
    "sfw",
    "caption",
    "ocr",
    "copyright",
    "doc_detection=coords:true",
    "image_sentiment",
    "text_sentiment=text:\"so, so\"",
    "run_workflow=id:WORKFLOW",
    "workflow_status=job_id:JOB",
];

#[actix_web::test]
async fn every_documented_task_and_source_is_done_or_says_that_it_is_not() {
    let bench = Bench::start();
    let handle = &bench
        .controls
        .store()
        .put(&png(), "picture.png", "image/png", None)
        .expect("a file can be put");
    let http = Doer::new();
    let security = security();
    let ask = async |path: String| cell(&http, &format!("{}/{path}", bench.base)).await;
    let run = run(&bench, &http, &security, handle).await;

    let mut rows = Vec::new();
    for task in TASKS {
        let asked = task
            .replace("HANDLE", handle)
            .replace("WORKFLOW", WORKFLOW)
            .replace("JOB", &run.job);
        // These bring their own input.
        let source = match task.split('=').next().unwrap_or_default() {
            "text_sentiment" | "workflow_status" => String::new(),
            _ => format!("/{handle}"),
        };
        let came = ask(format!("{SECURED}/{security}/{asked}{source}")).await;
        rows.push((format!("`{task}`"), came));
    }
    parity::record("Tasks (§6)", "the emulator", rows);

    let url = format!("{}/{security}/{handle}", bench.base);
    let encoded = |text: &str| URL_SAFE.encode(text);
    let tasks = encoded(&format!(
        r#"[{{"name":"resize","params":{{"width":5}}}},{{"name":"security","params":{}}}]"#,
        security_json()
    ));
    let query = security_query();
    let sources = [
        ("a handle", format!("{security}/{handle}")),
        (
            "a handle after the API key",
            format!("{SECURED}/{security}/{handle}"),
        ),
        (
            "a handle, policy in the query",
            format!("resize=width:5/{handle}?{query}"),
        ),
        ("a handle, `dl=true`", format!("{security}/{handle}?dl=true")),
        ("a URL", format!("{SECURED}/{security}/resize=width:5/{url}")),
        (
            "a URL in quotes",
            format!("{SECURED}/{security}/resize=width:5/%22{url}%22"),
        ),
        (
            "the `b64` form",
            format!("{SECURED}/b64/{tasks}/b64://{}", encoded(handle)),
        ),
        (
            "several handles, for `zip`",
            format!("{SECURED}/{security}/zip/[{handle},{handle}]"),
        ),
        (
            "several handles, for `collage`",
            format!("{SECURED}/{security}/collage=files:[{handle}],width:100,height:100/[{handle},{handle}]"),
        ),
        (
            "several handles, for `animate`",
            format!("{SECURED}/{security}/animate/[{handle},{handle}]"),
        ),
        (
            "a storage alias",
            format!("{SECURED}/{security}/resize=width:5/src://alias/a.png"),
        ),
        (
            "a workflow's result",
            format!("{SECURED}/{security}/{}", run.made),
        ),
    ];
    let mut rows = Vec::new();
    for (name, path) in sources {
        rows.push((name.to_owned(), ask(path).await));
    }
    parity::record("Sources (§4)", "the emulator", rows);
}

/// A run of a workflow that is over.
struct Run {
    job: String,
    /// What a step made, as `wf://…`.
    made: String,
}

async fn run(bench: &Bench, http: &Doer, security: &str, handle: &str) -> Run {
    bench.controls.set_processing_time(Duration::ZERO);
    let ask = async |path: String| -> Value {
        let answer = http
            .get(&format!("{}/{SECURED}/{security}/{path}", bench.base), &[])
            .await;
        serde_json::from_str(&answer.text()).expect("the answer is JSON")
    };
    let begun = ask(format!("run_workflow=id:{WORKFLOW}/{handle}")).await;
    let job = begun["jobid"].as_str().expect("a run has an id").to_owned();
    let status = ask(format!("workflow_status=job_id:{job}")).await;
    let results = status["results"].as_object().expect("a run has results");
    let urls = results.values().filter_map(|result| result["url"].as_str());
    let made = urls
        .filter_map(|url| Some(url[url.find("wf://")?..].to_owned()))
        .next();
    let made = made.expect("a step made something");
    Run { job, made }
}

async fn cell(http: &Doer, url: &str) -> Cell {
    let answer = http.get(url, &[]).await;
    match answer.status {
        200 => Cell::Works,
        501 => {
            let said = answer.text();
            assert!(said.contains("not done by the emulator"), "{url}: {said}");
            Cell::NotYet
        }
        status => Cell::Refused(u64::from(status)),
    }
}

fn policy() -> (String, String) {
    let policy = URL_SAFE.encode(format!(
        r#"{{"expiry":{},"call":["read","convert","store","stat","runWorkflow"]}}"#,
        NOW + 3600
    ));
    let signature = sign(SECURED_SECRET, &policy);
    (policy, signature)
}

fn security() -> String {
    let (policy, signature) = policy();
    format!("security=p:{policy},s:{signature}")
}

fn security_query() -> String {
    let (policy, signature) = policy();
    format!("policy={policy}&signature={signature}")
}

fn security_json() -> String {
    let (policy, signature) = policy();
    serde_json::json!({ "policy": policy, "signature": signature }).to_string()
}
