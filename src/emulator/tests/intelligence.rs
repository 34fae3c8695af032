//! §6.8 over the wire: who may ask, the shapes of the replies, and that they depend on the content alone.

use image::{ImageFormat, Rgb, RgbImage};
use serde_json::json;

use super::*;
use crate::emulator::transform::{COPYRIGHT_MARK, UNSAFE_MARK};

fn picture(width: u32, height: u32) -> Vec<u8> {
    let image = RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, y as u8, 90]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

impl Bench {
    /// The reply to a path with a policy that converts.
    pub async fn said(&self, path: &str) -> (u16, Value) {
        let query = self.query(json!({ "call": ["convert", "runWorkflow", "read", "store"] }));
        let mark = if path.contains('?') { '&' } else { '?' };
        let reply = self.get(&format!("{path}{mark}{query}")).await;
        let status = reply.status().as_u16();
        let text = reply.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }
}

#[actix_web::test]
async fn every_question_has_a_reply_of_its_documented_shape() {
    let bench = Bench::open().await;
    let handle = bench.keep(&picture(300, 200), "a.png", "image/png");
    let ask = async |task: &str| {
        let (status, reply) = bench.said(&format!("{task}/{handle}")).await;
        assert_eq!(status, 200, "{task}: {reply}");
        reply
    };
    let tags = ask("tags").await;
    let auto = tags["tags"]["auto"].as_object().unwrap();
    assert!(!auto.is_empty() && tags["tags"]["user"].is_null(), "{tags}");
    assert!(
        auto.values()
            .all(|score| score.as_u64().is_some_and(|score| score <= 100))
    );
    assert_ne!(ask("tags=version:1").await, tags);
    assert_eq!(ask("tags=v:2").await, tags);
    assert_eq!(ask("sfw").await, json!({ "sfw": true }));
    assert!(ask("caption").await["caption"].as_str().unwrap().len() > 5);
    assert_eq!(ask("copyright").await, json!({ "copyright": false }));
    let emotions = ask("image_sentiment").await;
    let shares = emotions["emotions"].as_object().unwrap();
    let sum: f64 = shares.values().map(|share| share.as_f64().unwrap()).sum();
    assert!((sum - 100.0).abs() < 0.1, "{emotions}");
    let coords = ask("doc_detection=coords:true").await;
    let side = |name: &str| coords["coords"][name].as_u64().unwrap();
    assert!(
        side("x") + side("width") <= 300 && side("y") + side("height") <= 200,
        "{coords}"
    );

    let ocr = ask("ocr").await;
    let line = &ocr["document"]["text_areas"][0]["lines"][0];
    assert_eq!(line["bounding_box"].as_array().unwrap().len(), 4);
    let words: Vec<&str> = line["words"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word["text"].as_str().unwrap())
        .collect();
    assert_eq!(words.join(" "), line["text"].as_str().unwrap());
    assert!(
        ocr["text"]
            .as_str()
            .unwrap()
            .starts_with(line["text"].as_str().unwrap())
    );
    assert!(ocr["text_area_percentage"].as_f64().is_some());
}

#[actix_web::test]
async fn replies_depend_on_the_content_alone() {
    let bench = Bench::open().await;
    let one = bench.keep(&picture(40, 30), "a.png", "image/png");
    let same = bench.keep(&picture(40, 30), "b.png", "image/x-other");
    let other = bench.keep(&picture(41, 30), "c.png", "image/png");
    for task in ["tags", "caption", "ocr", "image_sentiment"] {
        let reply = bench.said(&format!("{task}/{one}")).await;
        assert_eq!(bench.said(&format!("{task}/{same}")).await, reply, "{task}");
        assert_ne!(bench.said(&format!("{task}/{other}")).await, reply, "{task}");
    }
    // What was done to it before counts.
    let small = bench.said(&format!("resize=width:10/tags/{one}")).await;
    assert_eq!(small.0, 200);
    assert_ne!(small, bench.said(&format!("tags/{one}")).await);
}

#[actix_web::test]
async fn a_text_has_its_own_words_and_marks_turn_answers_round() {
    let bench = Bench::open().await;
    let text = bench.keep(
        b"Hello there\nsecond line\n\nNew area \xc3\xa9",
        "a.txt",
        "text/plain",
    );
    let (_, ocr) = bench.said(&format!("ocr/{text}")).await;
    assert_eq!(ocr["text"], "Hello there\nsecond line\nNew area \u{e9}");
    assert_eq!(ocr["document"]["text_areas"].as_array().unwrap().len(), 2);
    let marked = [
        noise(5_000),
        UNSAFE_MARK.into(),
        COPYRIGHT_MARK.into(),
        noise(100),
    ]
    .concat();
    let marked = bench.keep(&marked, "a.bin", "application/octet-stream");
    assert_eq!(
        bench.said(&format!("sfw/{marked}")).await.1,
        json!({ "sfw": false })
    );
    let (_, copyright) = bench.said(&format!("copyright/{marked}")).await;
    assert_eq!(copyright["copyright"], true);
    assert!(copyright["licenses"].as_array().is_some_and(|all| all.len() == 1));
    // Without a picture there is no face, and no document to be cut out.
    assert_eq!(
        bench.said(&format!("image_sentiment/{text}")).await.1,
        json!({ "emotions": {} })
    );
    assert_eq!(bench.said(&format!("doc_detection/{text}")).await.0, 400);
}

#[actix_web::test]
async fn a_document_is_cut_out_of_its_picture() {
    let bench = Bench::open().await;
    let handle = bench.keep(&picture(200, 100), "a.png", "image/png");
    let (_, coords) = bench.said(&format!("doc_detection=coords:true/{handle}")).await;
    let query = bench.query(json!({ "call": ["convert"] }));
    let reply = bench.get(&format!("doc_detection/{handle}?{query}")).await;
    assert_eq!(reply.headers()["content-type"], "image/png");
    let cut = image::load_from_memory(&reply.bytes().await.unwrap()).unwrap();
    assert_eq!(json!(cut.width()), coords["coords"]["width"]);
    let large = bench.keep(&picture(2001, 2), "b.png", "image/png");
    assert_eq!(bench.said(&format!("doc_detection/{large}")).await.0, 400);
}

#[actix_web::test]
async fn debug_says_what_is_made_up() {
    let bench = Bench::open().await;
    let handle = bench.keep(&picture(20, 10), "a.png", "image/png");
    let (status, report) = bench.said(&format!("debug/resize=width:5/tags/{handle}")).await;
    assert_eq!(
        (status, &report["made_up"]["tasks"]),
        (200, &json!(["tags"])),
        "{report}"
    );
    assert!(
        report["made_up"]["note"]
            .as_str()
            .unwrap()
            .contains("makes these results up")
    );
    let (_, report) = bench.said(&format!("debug/resize=width:5/{handle}")).await;
    assert!(report.get("made_up").is_none(), "{report}");
    let (_, report) = bench
        .said(&format!("debug/video_convert=preset:h264/{handle}"))
        .await;
    assert_eq!(report["made_up"]["tasks"], json!(["video_convert"]));
    let id = crate::emulator::Workflow::usual("AKeyz").id;
    let (_, report) = bench.said(&format!("debug/run_workflow=id:{id}/{handle}")).await;
    assert_eq!(report["made_up"]["tasks"], json!(["run_workflow"]));
}

#[actix_web::test]
async fn p3_intelligence_needs_a_policy_that_converts_also_with_security_off() {
    for bench in [Bench::open().await, Bench::secured().await] {
        let handle = bench.keep(&picture(20, 10), "a.png", "image/png");
        let sentiment = "AKeyz/text_sentiment=text:%22good%22".to_owned();
        let mut paths: Vec<String> = [
            "tags",
            "sfw",
            "caption",
            "ocr",
            "copyright",
            "doc_detection",
            "image_sentiment",
        ]
        .map(|task| format!("{task}/{handle}"))
        .into();
        paths.push(sentiment);
        for path in paths {
            let status = async |query: String| bench.get(&format!("{path}?{query}")).await.status().as_u16();
            assert_eq!(status(String::new()).await, 403, "{path}");
            assert_eq!(
                status(bench.query(json!({ "call": ["read"] }))).await,
                403,
                "{path}"
            );
            let other = json!({ "call": ["convert"], "handle": "A".repeat(20) });
            assert_eq!(status(bench.query(other)).await, 403, "{path}");
            let past = json!({ "call": ["convert"], "expiry": NOW });
            assert_eq!(status(bench.query(past)).await, 403, "{path}");
            assert_eq!(
                status(bench.query(json!({ "call": ["convert"] }))).await,
                200,
                "{path}"
            );
        }
    }
}

#[actix_web::test]
async fn the_mood_of_a_text_needs_no_source_but_a_key() {
    let bench = Bench::open().await;
    let mood = async |text: &str| {
        let (status, reply) = bench
            .said(&format!("AKeyz/text_sentiment=text:%22{text}%22,language:en"))
            .await;
        assert_eq!(status, 200, "{reply}");
        reply["emotions"].clone()
    };
    let good = mood("what%20a%20lovely,%20wonderful:%20day").await;
    assert!(good["Positive"].as_f64() > good["Negative"].as_f64(), "{good}");
    let bad = mood("this%20is%20bad%20and%20ugly").await;
    assert!(bad["Negative"].as_f64() > bad["Positive"].as_f64(), "{bad}");
    let sum: f64 = bad.as_object().unwrap().values().filter_map(Value::as_f64).sum();
    assert!((sum - 1.0).abs() < 0.05, "{bad}");
    assert_eq!(bench.said("text_sentiment=text:x").await.0, 401);
    assert_eq!(bench.said("AKeyz/text_sentiment").await.0, 400);
    // U17: more than a path holds, and text that looks like structure.
    assert_eq!(
        bench
            .said(&format!("AKeyz/text_sentiment=text:{}", "a".repeat(17_000)))
            .await
            .0,
        414
    );
    assert_eq!(
        bench.said("AKeyz/text_sentiment=text:%22a]b%2fc/,d:e%22").await.0,
        200
    );
    assert_eq!(bench.said("AKeyz/text_sentiment=text:a,language:xx").await.0, 400);
}
