//! §4 over the wire.

use image::{DynamicImage, ImageFormat};
use serde_json::json;

use super::*;

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    DynamicImage::new_rgb8(width, height)
        .write_to(&mut bytes, ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

async fn with(bench: &Bench, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = bench.http.get(format!("{}/{path}", bench.base));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

fn header<'a>(reply: &'a Response, name: &str) -> &'a str {
    reply
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

#[actix_web::test]
async fn a_file_has_its_name_type_length_and_version() {
    let bench = Bench::open().await;
    let bytes = noise(700_000);
    let handle = bench.keep(&bytes, "cat \"1\".png", "image/png");
    for path in [
        handle.clone(),
        format!("AKeyz/{handle}"),
        format!("api/file/{handle}"),
        format!("api/file/{handle}+png"),
    ] {
        let reply = bench.get(&path).await;
        assert_eq!(reply.status(), 200, "{path}");
        assert_eq!(header(&reply, "content-type"), "image/png");
        assert_eq!(header(&reply, "content-length"), "700000");
        assert_eq!(
            header(&reply, "content-disposition"),
            "inline; filename=\"cat _1_.png\"; filename*=UTF-8''cat%20%221%22.png"
        );
        assert_eq!(header(&reply, "x-file-name"), "cat%20%221%22.png");
        assert_eq!(header(&reply, "accept-ranges"), "bytes");
        assert_eq!(header(&reply, "cache-control"), "public, max-age=2592000");
        assert_eq!(header(&reply, "x-content-type-options"), "nosniff");
        assert_eq!(header(&reply, "access-control-allow-origin"), "*");
        assert!(header(&reply, "last-modified").ends_with("GMT"));
        assert_eq!(reply.bytes().await.unwrap(), bytes);
    }
    let saved = bench.get(&format!("{handle}?dl=true")).await;
    assert!(header(&saved, "content-disposition").starts_with("attachment; "));
}

#[actix_web::test]
async fn head_has_the_headers_and_no_bytes() {
    let bench = Bench::open().await;
    let handle = bench.keep(&noise(700_000), "a.png", "image/png");
    for path in [handle.clone(), format!("api/file/{handle}")] {
        let raw = bench
            .raw(format!(
                "HEAD /{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nRange: bytes=0-1\r\n\r\n"
            ))
            .await;
        assert!(raw.starts_with("HTTP/1.1 200"), "{raw}");
        assert!(raw.contains("content-length: 700000"), "{raw}");
        assert!(raw.ends_with("\r\n\r\n"), "{raw}");
    }
}

#[actix_web::test]
async fn d1_one_range_is_sent_and_every_other_kind_is_answered_by_the_rfc() {
    let bench = Bench::open().await;
    let bytes = noise(700_000);
    let handle = bench.keep(&bytes, "a.png", "image/png");
    for (range, first, last) in [
        ("bytes=0-0", 0, 0),
        ("bytes=100-599999", 100, 599_999),
        ("bytes=699999-", 699_999, 699_999),
        ("bytes=-5", 699_995, 699_999),
        ("bytes=5-99999999999999999999", 5, 699_999),
    ] {
        let reply = with(&bench, &handle, &[("Range", range)]).await;
        assert_eq!(reply.status(), 206, "{range}");
        assert_eq!(
            header(&reply, "content-range"),
            format!("bytes {first}-{last}/700000")
        );
        assert_eq!(reply.bytes().await.unwrap(), bytes[first..=last], "{range}");
    }
    for range in ["bytes=700000-", "bytes=-0", "bytes=99999999999999999999-"] {
        let reply = with(&bench, &handle, &[("Range", range)]).await;
        assert_eq!(reply.status(), 416, "{range}");
        assert_eq!(header(&reply, "content-range"), "bytes */700000");
    }
    let hundred = format!("bytes={}", ["0-1"; 100].join(","));
    for range in ["", "bytes=", "bytes=9-1", "bytes=x-y", "pages=1-2", &hundred] {
        let reply = with(&bench, &handle, &[("Range", range)]).await;
        assert_eq!(
            (reply.status().as_u16(), header(&reply, "content-length")),
            (200, "700000"),
            "{range}"
        );
    }
    let empty = bench.keep(b"", "a", "text/plain");
    assert_eq!(with(&bench, &empty, &[("Range", "bytes=0-")]).await.status(), 416);
    assert_eq!(with(&bench, &empty, &[("Range", "bytes=-1")]).await.status(), 200);
}

#[actix_web::test]
async fn d1_if_range_sends_the_part_of_this_version_only() {
    let bench = Bench::open().await;
    let handle = bench.keep(b"0123456789", "a.png", "image/png");
    let whole = bench.get(&handle).await;
    let (etag, date) = (
        header(&whole, "etag").to_owned(),
        header(&whole, "last-modified").to_owned(),
    );
    for (condition, status) in [
        (etag.as_str(), 206),
        (date.as_str(), 206),
        ("\"other\"", 200),
        (&format!("W/{etag}"), 200),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 200),
        ("nonsense", 200),
    ] {
        let reply = with(
            &bench,
            &handle,
            &[("Range", "bytes=1-2"), ("If-Range", condition)],
        )
        .await;
        assert_eq!(reply.status(), status, "{condition}");
    }
}

#[actix_web::test]
async fn what_did_not_change_is_not_sent_again() {
    let bench = Bench::open().await;
    let handle = bench.keep(b"0123456789", "a.png", "image/png");
    let whole = bench.get(&handle).await;
    let (etag, date) = (
        header(&whole, "etag").to_owned(),
        header(&whole, "last-modified").to_owned(),
    );
    for (name, value, status) in [
        ("If-None-Match", etag.as_str(), 304),
        ("If-None-Match", &format!("\"x\", W/{etag}"), 304),
        ("If-None-Match", "*", 304),
        ("If-None-Match", "\"x\"", 200),
        ("If-Modified-Since", &date, 304),
        ("If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT", 200),
        ("If-Modified-Since", "yesterday", 200),
        ("If-Match", &etag, 200),
        ("If-Match", "\"x\"", 412),
        ("If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:00 GMT", 412),
    ] {
        let reply = with(&bench, &handle, &[(name, value)]).await;
        assert_eq!(reply.status(), status, "{name}: {value}");
        if status == 304 {
            assert_eq!(header(&reply, "etag"), etag);
        }
    }
}

#[actix_web::test]
async fn x9_types_that_can_run_script_are_sandboxed_attachments() {
    let bench = Bench::open().await;
    for mimetype in [
        "text/html",
        "TEXT/HTML; charset=utf-8",
        "application/xhtml+xml",
        "image/svg+xml",
        "text/xml",
        "application/xml",
        "text/xsl",
        "multipart/related",
        "application/pdf",
        "text/javascript",
        "application/x-shockwave-flash",
        "no type",
        "image/png, text/html",
        "",
    ] {
        let handle = bench.keep(b"<script>", "a.png", mimetype);
        for path in [
            handle.clone(),
            format!("api/file/{handle}"),
            format!("{handle}?dl=false"),
        ] {
            let reply = bench.get(&path).await;
            assert_eq!(reply.status(), 200);
            assert!(
                header(&reply, "content-disposition").starts_with("attachment"),
                "{mimetype}"
            );
            assert_eq!(
                header(&reply, "content-security-policy"),
                "sandbox; default-src 'none'",
                "{mimetype}"
            );
            assert_eq!(header(&reply, "x-content-type-options"), "nosniff");
            assert_eq!(header(&reply, "cross-origin-resource-policy"), "cross-origin");
        }
    }
    for mimetype in [
        "image/png",
        "IMAGE/JPEG",
        "text/plain; charset=utf-8",
        "video/mp4",
        "audio/mpeg",
    ] {
        let handle = bench.keep(b"<script>", "a.html", mimetype);
        let reply = bench.get(&handle).await;
        assert!(
            header(&reply, "content-disposition").starts_with("inline"),
            "{mimetype}"
        );
        assert_eq!(header(&reply, "content-type"), mimetype);
        assert_eq!(header(&reply, "x-content-type-options"), "nosniff");
    }
}

#[actix_web::test]
async fn a_policy_may_stand_in_the_path_or_in_the_query() {
    let bench = Bench::secured().await;
    let handle = bench.keep(b"x", "a.txt", "text/plain");
    let (policy, signature) = bench.sign(json!({ "call": ["read"], "handle": handle }));
    for path in [
        format!("security=p:{policy},s:{signature}/{handle}"),
        format!("security=policy:{policy},signature:{signature}/{handle}"),
        format!("security=s:{signature},p:{policy}/{handle}"),
        format!("AKeyz/security=p:{policy},s:{signature}/{handle}"),
        format!("security=p:{policy},s:{signature}/cache=expiry:60/{handle}"),
        format!("{handle}?policy={policy}&signature={signature}"),
        format!(
            "{handle}?signature={signature}&dl=true&policy={}",
            policy.replace('=', "%3D")
        ),
    ] {
        let reply = bench.get(&path).await;
        assert_eq!(reply.status(), 200, "{path}");
        assert_eq!(header(&reply, "cache-control"), "private, no-cache");
        assert_eq!(reply.text().await.unwrap(), "x");
    }
}

#[actix_web::test]
async fn pictures_are_transformed_with_convert_and_not_with_read() {
    let bench = Bench::secured().await;
    let handle = bench.keep(&png(40, 20), "a.png", "image/png");
    let get = async |tasks: &str, call: &str| {
        let (policy, signature) = bench.sign(json!({ "call": [call], "handle": handle }));
        bench
            .get(&format!("{tasks}/security=p:{policy},s:{signature}/{handle}"))
            .await
    };
    let small = get("resize=width:10", "convert").await;
    assert_eq!(
        (small.status().as_u16(), header(&small, "content-type")),
        (200, "image/png")
    );
    let small = image::load_from_memory(&small.bytes().await.unwrap()).unwrap();
    assert_eq!((small.width(), small.height()), (10, 5));
    let jpeg = get("AKeyz/resize=w:10/output=format:jpg", "convert").await;
    assert_eq!(header(&jpeg, "content-type"), "image/jpeg");
    assert_eq!(get("resize=width:10", "read").await.status(), 403);
    let size = get("imagesize", "convert").await;
    assert_eq!(
        size.json::<Value>().await.unwrap(),
        json!({ "height": 20, "width": 40 })
    );
    let report = get("debug/resize=width:10", "convert")
        .await
        .json::<Value>()
        .await
        .unwrap();
    assert_eq!(
        (&report["apikey"], &report["status"]["http_code"]),
        (&json!("AKeyz"), &json!(200))
    );
}

#[actix_web::test]
async fn what_cannot_be_transformed_says_so() {
    let bench = Bench::open().await;
    let picture = bench.keep(&png(4, 4), "a.png", "image/png");
    let text = bench.keep(b"words", "a.txt", "text/plain");
    for (path, status, wanted) in [
        (
            format!("resize=heigt:1/{picture}"),
            400,
            "invalid parameter `heigt` for `resize` task",
        ),
        (
            format!("resize=width:10/{text}"),
            400,
            "{\"error\":\"Unsupported conversion\"}",
        ),
        (format!("sepia/{picture}"), 501, "not done by the emulator yet"),
        (
            format!("AKeyz/resize=width:1/[{picture},{text}]"),
            400,
            "invalid source for `resize` task: it takes one source, not a list",
        ),
        (
            "AKeyz/resize=width:1/http://127.0.0.1/a.png".into(),
            400,
            "could not be fetched",
        ),
        ("AKeyz/resize=width:1/src://alias/a.png".into(), 501, "alias"),
        (format!("resize=width:1/{}", "A".repeat(20)), 404, ""),
    ] {
        let reply = bench.get(&path).await;
        let found = reply.status().as_u16();
        let body = reply.text().await.unwrap();
        assert!(
            found == status && (body.contains(wanted) || found == 501),
            "{path}: {found} {body}"
        );
    }
    // The SDKs take an emulator's own URL for an external one.
    let own = bench
        .get(&format!("AKeyz/resize=width:2/%22{}/{picture}%22", bench.base))
        .await;
    assert_eq!(own.status(), 200);
}

#[actix_web::test]
async fn cache_says_how_long() {
    let bench = Bench::open().await;
    let handle = bench.keep(b"x", "a.txt", "text/plain");
    for (task, wanted) in [
        ("cache=false", "no-store"),
        ("cache=expiry:60", "public, max-age=60"),
        ("cache=expiry:max", "public, max-age=31536000"),
    ] {
        let reply = bench.get(&format!("{task}/{handle}")).await;
        assert_eq!(
            (reply.status().as_u16(), header(&reply, "cache-control")),
            (200, wanted),
            "{task}"
        );
    }
}

#[actix_web::test]
async fn browsers_of_any_origin_may_ask_and_see_the_etag() {
    let bench = Bench::secured().await;
    for path in ["multipart/start", "storage/x", "anything/at/all", "api/file/x"] {
        let asked = "authorization, content-md5, filestack-source";
        let reply = bench
            .http
            .request(reqwest::Method::OPTIONS, format!("{}/{path}", bench.base))
            .header("Origin", "https://example.org")
            .header("Access-Control-Request-Method", "PUT")
            .header("Access-Control-Request-Headers", asked)
            .send()
            .await
            .unwrap();
        assert_eq!(reply.status(), 204);
        assert_eq!(header(&reply, "access-control-allow-origin"), "*");
        assert_eq!(header(&reply, "access-control-allow-headers"), asked);
        assert!(header(&reply, "access-control-allow-methods").contains("PUT"));
    }
    let refused = bench.get(&"A".repeat(20)).await;
    assert_eq!(header(&refused, "access-control-allow-origin"), "*");
    assert!(header(&refused, "access-control-expose-headers").contains("ETag"));
}

#[actix_web::test]
async fn delivery_reads_and_nothing_else() {
    let bench = Bench::open().await;
    let handle = bench.keep(b"x", "a.txt", "text/plain");
    for method in [
        reqwest::Method::POST,
        reqwest::Method::PUT,
        reqwest::Method::DELETE,
    ] {
        let reply = bench
            .http
            .request(method, format!("{}/{handle}", bench.base))
            .send()
            .await
            .unwrap();
        assert_eq!(
            (reply.status().as_u16(), header(&reply, "allow")),
            (405, "GET, HEAD")
        );
    }
    assert!(bench.get("").await.text().await.unwrap().contains("not"));
    assert!(bench.controls.store().exists(&handle));
}

#[actix_web::test]
async fn u17_no_value_becomes_another_task_file_or_address() {
    let bench = Bench::secured().await;
    let own = bench.keep(&png(40, 20), "a.png", "image/png");
    let other = bench.keep(&png(4, 4), "b.png", "image/png");
    let policy = json!({ "call": ["read", "convert", "store"], "handle": own, "path": "mine/.*" });
    let (policy, signature) = bench.sign(policy);
    let security = format!("security=p:{policy},s:{signature}");
    let ask = async |path: String| {
        let reply = bench.get(&path).await;
        (reply.status().as_u16(), reply.text().await.unwrap())
    };
    // An escaped comma or bracket is one (§6.1), an escaped slash is not; in quotes all of them are letters of the value.
    for tasks in [
        "resize=width:%2210,height:5%22",
        "resize=width:10%2Fflip",
        "resize=width:10%5D",
        "resize=width:%5B10%5D",
        "resize=width:10:5",
        "resize=fit:%22crop/flip%22,width:1",
        "output=format:%22..%2F..%2Fpng%22",
        "rotate=deg:90%2F..%2F..",
        "crop=dim:%5B0,0,10,20,30%5D",
        "crop=dim:[0,0,10,20]]",
    ] {
        let (status, text) = ask(format!("{tasks}/{security}/{own}")).await;
        assert_eq!(status, 400, "{tasks}: {text}");
    }
    // Steps in a path.
    for path in [
        "mine%2F..%2Ftheirs%2F",
        "..%2F",
        "mine/..%2Fx",
        "mine%2F%2E%2E%2Fx",
    ] {
        let (status, text) = ask(format!("store=path:%22{path}%22/{security}/{own}")).await;
        assert!(
            status == 403 && text.contains("invalid security policy path"),
            "{path}: {text}"
        );
    }
    // Files that the policy does not name, wherever a task takes one; before it is looked whether there is such a file.
    for path in [
        format!("collage=files:[{other}],width:10,height:10/{security}/{own}"),
        format!("collage=files:[%22{other}%22],width:10,height:10/{security}/{own}"),
        format!("fallback=handle:{other}/{security}/{}", "A".repeat(20)),
        format!("zip/{security}/[{own},{other}]"),
        format!("{security}/{other}"),
    ] {
        let (status, text) = ask(path.clone()).await;
        assert!([403, 404].contains(&status), "{path}: {status} {text}");
        assert!(!text.contains("PNG"), "{path}");
    }
    // Addresses where a handle belongs, and an address that the policy does not name.
    let url = format!("{}/{other}", bench.base);
    for (path, wanted) in [
        (
            format!("collage=files:[%22{url}%22],width:10,height:10/{security}/{own}"),
            400,
        ),
        (
            format!("fallback=handle:%22{url}%22/{security}/{}", "A".repeat(20)),
            400,
        ),
        (
            format!("AKeyz/resize=width:1/{security}/%22http://192.0.2.1/a.png%22"),
            403,
        ),
    ] {
        let (status, text) = ask(path.clone()).await;
        assert_eq!(status, wanted, "{path}: {text}");
    }
    assert_eq!(bench.controls.store().len().unwrap(), 2);
    assert_eq!(bench.controls.webhooks().len(), 0);
}

#[actix_web::test]
async fn anothers_file_is_an_external_source_like_others() {
    let bench = Bench::secured().await;
    let foreign = bench
        .http
        .post(format!("{}/api/store/S3?key=BKeyz", bench.base))
        .body(png(40, 20));
    bench.controls.secure("BKeyz", false);
    let foreign: Value = foreign.send().await.unwrap().json().await.unwrap();
    let url = foreign["url"].as_str().unwrap();
    let (policy, signature) = bench.sign(json!({ "call": ["convert"] }));
    let path = format!("AKeyz/resize=width:10/security=p:{policy},s:{signature}/{url}");
    let reply = bench.get(&path).await;
    assert_eq!(reply.status(), 200);
    let small = image::load_from_memory(&reply.bytes().await.unwrap()).unwrap();
    assert_eq!((small.width(), small.height()), (10, 5));
    // As a stranger: with its security on, a policy of the first application does not open it.
    bench.controls.secure("BKeyz", true);
    assert_eq!(bench.get(&path).await.status(), 400);
}
