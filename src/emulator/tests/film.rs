//! §6.7: conversions of film and sound begin, take a while by the emulator's clock, and leave files behind.

use serde_json::json;

use super::*;

const FILM: &[u8] = b"\0\0\0\x18ftypmp42 a film";

impl Bench {
    fn film(&self) -> String {
        self.keep(FILM, "holiday.mov", "video/quicktime")
    }

    pub fn wait(&self, seconds: u64) {
        self.controls.clock().advance(Duration::from_secs(seconds));
    }
}

#[actix_web::test]
async fn a_conversion_is_started_and_then_completed_by_polling_the_same_url() {
    let bench = Bench::open().await;
    let path = format!(
        "video_convert=preset:h264,width:320,height:180,fps:30/{}",
        bench.film()
    );
    let (status, begun) = bench.said(&path).await;
    assert_eq!(status, 200, "{begun}");
    let uuid = begun["uuid"].as_str().unwrap().to_owned();
    assert!(uuid.len() == 32 && uuid.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(
        begun,
        json!({
            "status": "started", "uuid": uuid, "timestamp": NOW.to_string(),
            "data": {}, "metadata": { "result": {}, "source": {} },
        })
    );
    bench.wait(2);
    assert_eq!(bench.said(&path).await.1, begun);
    bench.wait(1);
    let (_, done) = bench.said(&path).await;
    assert_eq!(
        (&done["status"], &done["message"]),
        (&json!("completed"), &json!("Done")),
        "{done}"
    );
    assert_eq!(
        (&done["uuid"], &done["timestamp"]),
        (&json!(uuid), &json!((NOW + 3).to_string()))
    );
    let facts = &done["metadata"]["result"];
    assert_eq!(
        [
            &facts["width"],
            &facts["height"],
            &facts["fps"],
            &facts["extname"]
        ],
        [&json!(320), &json!(180), &json!(30.0), &json!(".mp4")]
    );
    assert!(
        facts["duration"].as_u64().unwrap() >= 1_000 && facts["video_codec"] == "h264",
        "{facts}"
    );
    // By its id, too.
    assert_eq!(bench.said(&format!("video_convert/{uuid}")).await.1, done);

    let url = done["data"]["url"].as_str().unwrap();
    let handle = url.strip_prefix(&format!("{}/", bench.base)).unwrap();
    let file = bench.get(handle).await;
    assert_eq!(file.headers()["content-type"], "video/mp4");
    let bytes = file.bytes().await.unwrap();
    assert!(bytes.len() as u64 == facts["file_size"].as_u64().unwrap() && bytes[4..8] == *b"ftyp");
    assert!(String::from_utf8_lossy(&bytes).contains("Made up by the emulator"));
    let meta = bench
        .get(&format!("{handle}/metadata"))
        .await
        .text()
        .await
        .unwrap();
    let meta: Value = serde_json::from_str(&meta).unwrap();
    assert_eq!(
        (&meta["filename"], &meta["mimetype"]),
        (&json!("holiday.mp4"), &json!("video/mp4"))
    );
    for (name, size) in [
        ("thumb", (640, 360)),
        ("thumb100x100", (100, 100)),
        ("thumb300x300", (300, 300)),
    ] {
        let url = done["data"][name].as_str().unwrap();
        let bytes = bench.http.get(url).send().await.unwrap().bytes().await.unwrap();
        let thumb = image::load_from_memory(&bytes).unwrap();
        assert_eq!((thumb.width(), thumb.height()), size, "{name}");
    }
}

#[actix_web::test]
async fn another_wish_is_another_conversion_and_the_same_one_is_the_same() {
    let bench = Bench::open().await;
    let film = bench.film();
    let uuid = async |path: String| bench.said(&path).await.1["uuid"].as_str().unwrap().to_owned();
    let first = uuid(format!("video_convert=preset:h264/{film}")).await;
    assert_eq!(uuid(format!("video_convert=p:h264/{film}")).await, first);
    assert_eq!(
        uuid(format!("video_convert=preset:h264,force:true/{film}")).await,
        first
    );
    assert_ne!(uuid(format!("video_convert=preset:webm/{film}")).await, first);
    assert_ne!(
        uuid(format!("video_convert=preset:h264,upscale:false/{film}")).await,
        first
    );
    let query = bench.query(json!({ "call": ["write"] }));
    let url = format!("{}/api/file/{film}?{query}", bench.base);
    let reply = bench
        .http
        .post(url)
        .body(b"OggS other film".to_vec())
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), 200);
    assert_ne!(
        uuid(format!("video_convert=preset:h264/{film}")).await,
        first,
        "of other content"
    );
}

#[actix_web::test]
async fn each_preset_makes_its_kind_of_file() {
    let bench = Bench::open().await;
    bench.controls.set_processing_time(Duration::ZERO);
    let film = bench.film();
    for (preset, ending, mimetype, is_film) in [
        ("h264.hi", ".mp4", "video/mp4", true),
        ("webm", ".webm", "video/webm", true),
        ("ogg", ".ogg", "video/ogg", true),
        ("mp3", ".mp3", "audio/mpeg", false),
        ("oga", ".oga", "audio/ogg", false),
        ("m4a", ".m4a", "audio/mp4", false),
        ("aac", ".aac", "audio/aac", false),
        ("hls.variant", ".m3u8", "application/vnd.apple.mpegurl", true),
        (
            "hls.variant.audio",
            ".m3u8",
            "application/vnd.apple.mpegurl",
            false,
        ),
    ] {
        let path = format!("video_convert=preset:{preset}/{film}");
        assert_eq!(bench.said(&path).await.1["status"], "started", "{preset}");
        let (_, done) = bench.said(&path).await;
        let facts = &done["metadata"]["result"];
        assert_eq!(
            (&facts["extname"], &facts["mime_type"]),
            (&json!(ending), &json!(mimetype)),
            "{preset}"
        );
        assert_eq!(
            facts.get("width").is_some() && done["data"].get("thumb").is_some(),
            is_film,
            "{preset}"
        );
        let url = done["data"]["url"].as_str().unwrap();
        assert_eq!(url.contains("/video_playlist/"), ending == ".m3u8", "{url}");
        let file = bench.http.get(url).send().await.unwrap();
        assert_eq!(
            file.headers()["content-type"].to_str().unwrap().split(';').next(),
            Some(mimetype),
            "{preset}"
        );
    }
}

#[actix_web::test]
async fn what_is_neither_film_nor_sound_fails_later() {
    let bench = Bench::open().await;
    let text = bench.keep(b"words", "a.txt", "text/plain");
    let path = format!("video_convert=preset:h264/{text}");
    assert_eq!(bench.said(&path).await.1["status"], "started");
    bench.wait(3);
    let (_, failed) = bench.said(&path).await;
    assert_eq!(failed["status"], "failed");
    assert!(
        failed["message"]
            .as_str()
            .unwrap()
            .contains("neither film nor sound")
    );
    // `force` tries again what failed.
    let (_, again) = bench.said(&path.replace("h264", "h264,force:true")).await;
    assert_eq!(again["status"], "started");
}

#[actix_web::test]
async fn p3_film_is_converted_for_who_may() {
    let bench = Bench::secured().await;
    let film = bench.film();
    let get = async |path: &str, policy: Option<Value>| {
        let query = policy.map_or_else(String::new, |policy| bench.query(policy));
        bench.get(&format!("{path}?{query}")).await.status().as_u16()
    };
    let path = format!("video_convert=preset:h264/{film}");
    assert_eq!(get(&path, None).await, 403);
    assert_eq!(get(&path, Some(json!({ "call": ["read"] }))).await, 403);
    assert_eq!(
        get(&path, Some(json!({ "call": ["convert"], "handle": film }))).await,
        200
    );
    let (_, begun) = bench.said(&path).await;
    let by_id = format!("video_convert/{}", begun["uuid"].as_str().unwrap());
    assert_eq!(get(&by_id, None).await, 403);
    assert_eq!(
        get(
            &by_id,
            Some(json!({ "call": ["convert"], "handle": "A".repeat(20) }))
        )
        .await,
        403
    );
    assert_eq!(get(&by_id, Some(json!({ "call": ["convert"] }))).await, 200);
    let escape = format!("video_convert=path:%22../x%22/{film}");
    assert_eq!(get(&escape, Some(json!({ "call": ["convert"] }))).await, 403);
    for (path, wanted) in [
        (format!("video_convert/{}", "0".repeat(32)), 404),
        (format!("video_convert/{}", "A".repeat(20)), 404),
        (format!("video_convert/resize=width:5/{film}"), 400),
        (format!("video_convert/[{film},{film}]"), 400),
        (format!("video_convert=preset:%00/{film}"), 400),
    ] {
        assert_eq!(
            get(&path, Some(json!({ "call": ["convert"] }))).await,
            wanted,
            "{path}"
        );
    }
}

#[actix_web::test]
async fn film_from_an_address_is_fetched_once() {
    let bench = Bench::open().await;
    let film = bench.film();
    let path = format!(
        "AKeyz/video_convert=preset:mp3/%22{}/cache=false/{film}%22",
        bench.base
    );
    let (status, begun) = bench.said(&path).await;
    assert_eq!((status, &begun["status"]), (200, &json!("started")), "{begun}");
    let query = bench.query(json!({ "call": ["remove"] }));
    let url = format!("{}/api/file/{film}?key=AKeyz&{query}", bench.base);
    assert_eq!(bench.http.delete(url).send().await.unwrap().status(), 200);
    bench.wait(3);
    assert_eq!(bench.said(&path).await.1["status"], "completed");
}

#[actix_web::test]
async fn a_conversion_outlives_the_process() {
    let bench = Bench::open().await;
    let path = format!("video_convert=preset:h264/{}", bench.film());
    let (_, begun) = bench.said(&path).await;
    let bench = bench.restarted().await;
    assert_eq!(bench.said(&path).await.1, begun);
    bench.wait(3);
    let (_, done) = bench.said(&path).await;
    assert_eq!(
        (&done["status"], &done["uuid"]),
        (&json!("completed"), &begun["uuid"])
    );
    let bench = bench.restarted().await;
    // The new process has another port.
    let again = bench.said(&path).await.1;
    assert_eq!(again["metadata"], done["metadata"]);
    let url = again["data"]["url"].as_str().unwrap();
    assert_eq!(bench.http.get(url).send().await.unwrap().status(), 200, "{url}");
}
