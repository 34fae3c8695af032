//! §2 over the wire: what is refused where, in the host's own words (§2.5).

use serde_json::json;

use super::*;

async fn text(bench: &Bench, path: &str) -> (u16, String) {
    let reply = bench.get(path).await;
    (reply.status().as_u16(), reply.text().await.unwrap())
}

async fn start(bench: &Bench, policy: Value) -> (u16, Value) {
    bench
        .post("multipart/start", &bench.with_policy(start_call(10), policy))
        .await
}

#[actix_web::test]
async fn each_host_refuses_in_its_own_words() {
    let bench = Bench::secured().await;
    let handle = bench.keep(b"x", "a.txt", "text/plain");
    let expired = bench.query(json!({ "call": ["read"], "expiry": NOW - 1 }));

    let (status, error) = bench.post("multipart/start", &start_call(10)).await;
    assert_eq!((status, &error["error"]), (403, &json!("Invalid App policy")));
    assert!(error["c"].is_string() && error["i"].is_string() && error["t"].is_u64());

    let (status, error) = text(&bench, &format!("api/file/{handle}")).await;
    assert_eq!(status, 403);
    assert!(error.starts_with("[uuid="), "{error}");
    assert!(
        error.contains("] This action has been secured by the developer of this website. "),
        "{error}"
    );
    assert!(
        error.ends_with("Error: Proper credentials not provided. Signature: None Policy: None"),
        "{error}"
    );

    let (status, error) = text(&bench, &format!("api/file/{handle}?{expired}")).await;
    assert!(
        status == 403 && error.ends_with("Error: The signature has expired"),
        "{error}"
    );

    let (status, error) = text(&bench, &handle).await;
    let wanted = "policy error: proper credentials were not provided: (signature: \"\"; policy \"\")";
    assert!(
        status == 403 && error.starts_with("AKeyz: ") && error.contains(wanted),
        "{error}"
    );
    assert_eq!(text(&bench, &format!("{handle}?{expired}")).await.0, 403);

    let unpadded = "policy=eyJleHBpcmVzIjogMTIzfQ&signature=00";
    for path in [
        format!("{handle}?{unpadded}"),
        format!("api/file/{handle}?{unpadded}"),
    ] {
        let (status, error) = text(&bench, &path).await;
        assert!(
            status == 403 && error.contains("policy was not properly url-safe base64 encoded"),
            "{error}"
        );
    }

    let stored = bench
        .http
        .post(format!("{}/api/store/S3?key=nobody", bench.base))
        .body("x")
        .send()
        .await
        .unwrap();
    assert_eq!(stored.status(), 200);
    assert_eq!(stored.text().await.unwrap(), "Invalid Application");

    let (status, error) = start(&bench, json!({ "call": ["pick"], "path": "mine/.*" })).await;
    assert_eq!(
        (status, &error["error"]),
        (403, &json!("invalid security policy path"))
    );
}

#[actix_web::test]
async fn the_file_api_refuses_in_json_who_takes_nothing_else() {
    let bench = Bench::secured().await;
    let handle = bench.keep(b"x", "a.txt", "text/plain");
    let ask = async |path: &str, accept: &str| {
        let request = bench.http.get(format!("{}/{path}", bench.base));
        let reply = request.header("Accept", accept).send().await.unwrap();
        let kind = reply.headers()["content-type"].to_str().unwrap().to_owned();
        (reply.status().as_u16(), kind, reply.text().await.unwrap())
    };
    let file = format!("api/file/{handle}");
    let (status, kind, body) = ask(&file, "application/json").await;
    assert_eq!((status, kind.as_str()), (403, "application/json"));
    let wanted = json!({ "result": "error", "error": { "code": 403, "msg": "Policy required" } });
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), wanted);
    let expired = bench.query(json!({ "expiry": NOW - 1 }));
    let (_, _, body) = ask(&format!("{file}?{expired}"), "application/json; q=1").await;
    let said: Value = serde_json::from_str(&body).unwrap();
    assert!(
        said["error"]["msg"]
            .as_str()
            .unwrap()
            .ends_with("Error: The signature has expired"),
        "{body}"
    );
    let (status, _, body) = ask(&format!("api/file/{}", "A".repeat(20)), "application/json").await;
    let said: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &said["error"]["code"]), (404, &json!(404)));
    // As the SDKs ask, and on the other host.
    for accept in ["*/*", "application/json, text/plain, */*", ""] {
        assert!(ask(&file, accept).await.1.starts_with("text/plain"), "{accept}");
    }
    assert!(ask(&handle, "application/json").await.1.starts_with("text/plain"));
}

#[actix_web::test]
async fn p3_a_browser_policy_uploads_and_does_nothing_else() {
    let bench = Bench::secured().await;
    let handle = bench.keep(b"x", "a.txt", "text/plain");
    let policy = json!({ "call": ["pick", "store"], "path": "user-uploads/ana/.*", "maxSize": 10 });
    let query = bench.query(policy.clone());
    for path in [
        format!("{handle}?{query}"),
        format!("{handle}/metadata?{query}"),
        format!("resize=width:10/{handle}?{query}"),
        format!("api/file/{handle}?{query}"),
        format!("api/file/{handle}/metadata?{query}"),
    ] {
        assert_eq!(bench.get(&path).await.status(), 403, "{path}");
    }
    let url = format!("{}/api/file/{handle}", bench.base);
    assert_eq!(
        bench
            .http
            .post(format!("{url}?{query}"))
            .body("y")
            .send()
            .await
            .unwrap()
            .status(),
        403
    );
    assert_eq!(
        bench
            .http
            .delete(format!("{url}?key=AKeyz&{query}"))
            .send()
            .await
            .unwrap()
            .status(),
        403
    );
    assert_eq!(
        bench
            .http
            .post(format!("{url}/remove?{query}"))
            .send()
            .await
            .unwrap()
            .status(),
        403
    );
    assert_eq!(
        bench.controls.store().read(&handle).unwrap().as_deref(),
        Some(b"x".as_slice())
    );

    let mut mine = start_call(10);
    mine["store"] = json!({ "path": "user-uploads/ana/1/" });
    assert_eq!(
        bench
            .post("multipart/start", &bench.with_policy(mine, policy))
            .await
            .0,
        200
    );
}

#[actix_web::test]
async fn p4_a_policy_that_was_tampered_with_or_is_another_apps_is_refused() {
    let bench = Bench::secured().await;
    let handle = bench.keep(b"x", "a.txt", "text/plain");
    let (policy, signature) = bench.sign(json!({ "call": ["read"], "handle": handle }));
    let (wider, _) = bench.sign(json!({ "handle": handle }));
    let get = async |policy: &str, signature: &str| {
        let pair = [("policy", policy), ("signature", signature)];
        let reply = bench
            .http
            .get(format!("{}/{handle}", bench.base))
            .query(&pair)
            .send()
            .await
            .unwrap();
        reply.status().as_u16()
    };
    assert_eq!(get(&policy, &signature).await, 200);
    assert_eq!(get(&wider, &signature).await, 403);
    assert_eq!(get(&policy, &signature.to_uppercase()).await, 403);
    assert_eq!(get(&policy, &signature[1..]).await, 403);
    assert_eq!(get(&policy, &super::signature("OTHER", &policy)).await, 403);
    assert_eq!(get(&policy, &super::signature("", &policy)).await, 403);
    assert_eq!(get(&format!("{policy}="), &signature).await, 403);
    assert_eq!(
        get(
            policy.trim_end_matches('='),
            &super::signature("SECRET", policy.trim_end_matches('='))
        )
        .await,
        { if policy.ends_with('=') { 403 } else { 200 } }
    );
    let (others, signature) = bench.sign(json!({ "call": ["read"], "handle": "A".repeat(20) }));
    assert_eq!(get(&others, &signature).await, 403);
    // Naming another app's key does not change whose file it is.
    let foreign = super::signature("OTHER", &policy);
    let path = format!(
        "BKeyz/{handle}?policy={}&signature={foreign}",
        policy.replace('=', "%3D")
    );
    assert_eq!(bench.get(&path).await.status(), 403);
}

#[actix_web::test]
async fn p5_a_url_works_until_its_second_by_the_emulators_clock() {
    let bench = Bench::secured().await;
    let handle = bench.keep(b"x", "a.txt", "text/plain");
    let path = format!(
        "{handle}?{}",
        bench.query(json!({ "call": ["read"], "expiry": NOW + 300 }))
    );
    bench.controls.clock().advance(Duration::from_secs(299));
    assert_eq!(bench.get(&path).await.status(), 200);
    bench.controls.clock().advance(Duration::from_secs(1));
    assert_eq!(bench.get(&path).await.status(), 403);
}

#[actix_web::test]
async fn p9_paths_outside_the_policy_or_with_steps_are_refused() {
    let bench = Bench::secured().await;
    let policy = json!({ "call": ["pick", "store"], "path": "user-uploads/ana/.*" });
    for path in [
        "user-uploads/bob/",
        "/user-uploads/ana/",
        "/etc/passwd",
        "user-uploads/ana/../bob/",
        "user-uploads/ana/%2e%2e/bob/",
        "user-uploads/ana/..\\bob",
        "user-uploads/ana/..%2fbob/",
        "user-uploads/ana//bob",
        "x/user-uploads/ana/",
    ] {
        let mut call = start_call(1);
        call["store"] = json!({ "path": path });
        let (status, error) = bench
            .post("multipart/start", &bench.with_policy(call, policy.clone()))
            .await;
        assert_eq!(
            (status, &error["error"]),
            (403, &json!("invalid security policy path")),
            "{path}"
        );
        let query = bench.query(policy.clone());
        let url = format!("{}/api/store/S3?key=AKeyz&{query}", bench.base);
        let stored = bench
            .http
            .post(url)
            .query(&[("path", path)])
            .body("x")
            .send()
            .await
            .unwrap();
        assert_eq!(stored.status(), 403, "{path}");
    }
    assert_eq!(start(&bench, policy).await.0, 403, "no path at all");
    assert!(bench.controls.store().is_empty().unwrap());
}

#[actix_web::test]
async fn sizes_and_containers_of_a_policy_hold_at_every_entry() {
    let bench = Bench::secured().await;
    for (policy, wanted) in [
        (json!({ "maxSize": 9 }), 403),
        (json!({ "minSize": 11 }), 403),
        (json!({ "minSize": 10, "maxSize": 10 }), 200),
        (json!({ "container": "mine" }), 403),
        (json!({ "handle": "A".repeat(20) }), 403),
        (json!({ "call": ["read"] }), 403),
        (json!({ "call": ["store"] }), 200),
    ] {
        assert_eq!(start(&bench, policy.clone()).await.0, wanted, "{policy}");
    }
    for (policy, wanted) in [
        (json!({ "call": ["store"], "maxSize": 9 }), 403),
        (json!({ "call": ["store"], "minSize": 11 }), 403),
        (json!({ "call": ["pick"] }), 403),
        (json!({ "call": ["store"], "maxSize": 10 }), 200),
    ] {
        let url = format!(
            "{}/api/store/S3?key=AKeyz&{}",
            bench.base,
            bench.query(policy.clone())
        );
        let stored = bench.http.post(url).body("0123456789").send().await.unwrap();
        assert_eq!(stored.status(), wanted, "{policy}");
    }
    let handle = bench.keep(b"x", "a.txt", "text/plain");
    let url = format!(
        "{}/api/file/{handle}?{}",
        bench.base,
        bench.query(json!({ "call": ["write"], "maxSize": 2 }))
    );
    assert_eq!(
        bench.http.post(&url).body("012").send().await.unwrap().status(),
        403
    );
    assert_eq!(
        bench.http.post(&url).body("01").send().await.unwrap().status(),
        200
    );
}

#[actix_web::test]
async fn completing_needs_the_policy_and_part_calls_do_not() {
    let bench = Bench::secured().await;
    let signed = bench.with_policy(start_call(2), json!({ "call": ["pick"] }));
    let mut call = bench.begin(signed).await;
    for field in ["policy", "signature"] {
        call.as_object_mut().unwrap().remove(field);
    }
    let etag = bench.part(&call, 1, b"xy").await;
    call["parts"] = json!([{ "part_number": 1, "etag": etag }]);
    assert_eq!(bench.post("multipart/complete", &call).await.0, 403);
    let mut wrong = call.clone();
    wrong["policy"] = "eyJ9".into();
    wrong["signature"] = "00".into();
    wrong["part"] = 1.into();
    assert_eq!(
        bench.post("multipart/upload", &wrong).await.0,
        403,
        "what comes is checked"
    );
    let signed = bench.with_policy(call, json!({ "call": ["pick"] }));
    assert_eq!(bench.post("multipart/complete", &signed).await.0, 200);
}

#[actix_web::test]
async fn rubys_sdk_signs_the_start_of_an_upload_only() {
    let bench = Bench::start("AKeyz:SECRET", Arc::new(TempDir::new().unwrap()), |config| {
        config.workflows = vec![crate::emulator::Workflow::new(OTHER, "sfw").unwrap()];
    });
    const OTHER: &str = "7f8e1c9a-2d64-4f0b-9b0e-3c5a6d7e8f90";
    let usual = crate::emulator::Workflow::usual("AKeyz").id;
    let complete = async |workflows: Value, later: Value| {
        let mut start = start_call(2);
        start["store"]["workflows"] = workflows;
        let both = json!({ "call": ["pick", "convert", "runWorkflow"] });
        let mut call = bench.begin(bench.with_policy(start, both)).await;
        for field in ["policy", "signature"] {
            call.as_object_mut().unwrap().remove(field);
        }
        let etag = bench.part(&call, 1, b"xy").await;
        call["parts"] = parts(&[(1, &etag)]);
        call["store"]["workflows"] = later;
        let request = bench.http.post(format!("{}/multipart/complete", bench.base));
        let request = request.header("Filestack-Source", "Ruby-2.9.7").json(&call);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(complete(json!([]), json!([])).await, 200);
    assert_eq!(complete(json!([usual]), json!([usual])).await, 200);
    // Nothing that the start did not say.
    assert_eq!(complete(json!([]), json!([usual])).await, 403);
    assert_eq!(complete(json!([usual]), json!([usual, OTHER])).await, 403);
    // Its start is judged like everybody's.
    let request = bench.http.post(format!("{}/multipart/start", bench.base));
    let request = request
        .header("Filestack-Source", "Ruby-2.9.7")
        .json(&start_call(2));
    assert_eq!(request.send().await.unwrap().status(), 403);
}

#[actix_web::test]
async fn an_open_app_needs_a_policy_for_overwrite_and_delete_only() {
    let bench = Bench::open().await;
    let handle = bench.keep(b"x", "a.txt", "text/plain");
    assert_eq!(bench.get(&handle).await.status(), 200);
    assert_eq!(bench.get(&format!("{handle}/metadata")).await.status(), 200);
    let url = format!("{}/api/file/{handle}", bench.base);
    assert_eq!(
        bench.http.post(&url).body("y").send().await.unwrap().status(),
        403
    );
    assert_eq!(bench.http.delete(&url).send().await.unwrap().status(), 403);
    assert_eq!(
        bench
            .http
            .post(format!("{url}/remove"))
            .send()
            .await
            .unwrap()
            .status(),
        403
    );
    let query = bench.query(json!({ "call": ["write"] }));
    assert_eq!(
        bench
            .http
            .post(format!("{url}?{query}"))
            .body("y")
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
}

#[actix_web::test]
async fn the_app_secret_in_basic_authorization_is_the_servers_way_in() {
    let bench = Bench::secured().await;
    let handle = bench.keep(b"x", "a.txt", "text/plain");
    let get = async |user: &str, password: &str| {
        let url = format!("{}/api/file/{handle}", bench.base);
        bench
            .http
            .get(url)
            .basic_auth(user, Some(password))
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(get("app", "SECRET").await, 200);
    assert_eq!(get("app", "OTHER").await, 403);
    assert_eq!(get("root", "SECRET").await, 403);
}

#[actix_web::test]
async fn exif_must_be_named_in_the_policy() {
    let bench = Bench::secured().await;
    let handle = bench.keep(b"x", "a.txt", "text/plain");
    let ask = async |policy: Value| {
        let reply = bench
            .get(&format!("{handle}/metadata?exif=true&{}", bench.query(policy)))
            .await;
        reply.status().as_u16()
    };
    assert_eq!(ask(json!({})).await, 403);
    assert_eq!(ask(json!({ "call": ["stat"] })).await, 403);
    assert_eq!(ask(json!({ "call": ["stat", "exif"] })).await, 200);
}

/// §9.4: the JavaScript SDK sends no policy here.
#[actix_web::test]
async fn logging_out_of_cloud_drives_needs_no_policy() {
    let bench = Bench::secured().await;
    let call = json!({ "apikey": "AKeyz", "flow": "web" });
    assert_eq!(bench.post("auth/logout", &call).await.0, 200);
    assert_eq!(bench.post("folder/list", &call).await.0, 401);
    let nobody = json!({ "apikey": "nobody", "flow": "web" });
    assert_eq!(bench.post("auth/logout", &nobody).await.0, 401);
}
