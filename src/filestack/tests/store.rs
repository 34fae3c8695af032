//! The REST store and store from URL.

use std::io;

use futures_util::stream::{self, StreamExt};
use serde_json::json;
use url::Url;

use super::fake::{HANDLE, Reply, honest, server_that_never_reads};
use super::*;

fn new_store() -> NewStore {
    NewStore {
        filename: "a&b=c.txt".into(),
        mimetype: "text/plain".into(),
        path: Some("user-uploads/o/u/".into()),
        ..NewStore::default()
    }
}

#[actix_web::test]
async fn s6_a_body_of_unknown_length_is_stored_signed_and_whole() {
    let fake = Fake::start(honest);
    let fs = client(&fake, options());
    let chunks = (0..5).map(|_| Ok::<_, io::Error>(content(1000)));
    let mut new = new_store();
    new.store.access = Some(Access::Private);
    let file = fs
        .store_stream(new, upload_grant(&fs), stream::iter(chunks))
        .await
        .unwrap();
    assert_eq!(
        (file.handle.as_str(), file.size, file.mimetype.as_str()),
        (HANDLE, 5000, "text/plain")
    );
    let seen = &fake.calls("POST", "/api/store/S3")[0];
    assert_eq!(seen.headers["transfer-encoding"], "chunked");
    assert_eq!(seen.headers["content-type"], "text/plain");
    let query = |name: &str| seen.query.get(name).map(String::as_str);
    assert_eq!(
        (query("key"), query("filename")),
        (Some("AKEYz"), Some("a&b=c.txt"))
    );
    assert_eq!(
        (query("path"), query("access")),
        (Some("user-uploads/o/u/"), Some("private"))
    );
    assert!(query("policy").is_some() && query("signature").is_some());
}

#[actix_web::test]
async fn an_empty_body_can_be_stored() {
    let fake = Fake::start(honest);
    let fs = client(&fake, options());
    let file = fs
        .store_stream(
            new_store(),
            upload_grant(&fs),
            stream::empty::<io::Result<Bytes>>(),
        )
        .await
        .unwrap();
    assert_eq!(file.size, 0);
}

#[actix_web::test]
async fn a_body_that_breaks_off_never_looks_finished() {
    for sent in [0, 1, 100] {
        let fake = Fake::start(honest);
        let fs = client(&fake, options());
        let chunks = (0..sent).map(|_| Ok(content(1000)));
        let broken =
            stream::iter(chunks).chain(stream::once(async { Err(io::Error::other("client went away")) }));
        let error = fs
            .store_stream(new_store(), upload_grant(&fs), broken)
            .await
            .unwrap_err();
        assert!(matches!(error, FilestackError::Interrupted(_)), "{error}");
        assert!(!fake.took_any_body_for_whole().await, "{sent}");
    }
}

#[actix_web::test]
async fn a_call_that_is_dropped_never_looks_finished() {
    let fake = Fake::start(honest);
    let fs = client(&fake, options());
    let endless = stream::iter([Ok::<_, io::Error>(content(1000))]).chain(stream::pending());
    let call = fs.store_stream(new_store(), upload_grant(&fs), endless);
    assert!(
        tokio::time::timeout(Duration::from_millis(5), call)
            .await
            .is_err()
    );
    assert!(!fake.took_any_body_for_whole().await);
}

#[actix_web::test]
async fn a_server_that_stops_reading_is_given_up() {
    let credentials = Credentials::new("AKEYz", "CANARYSECRET").unwrap();
    let brief = Options {
        response_timeout: Duration::from_millis(5),
        ..options()
    };
    let fs = Filestack::new(credentials, Endpoints::single(server_that_never_reads()), brief).unwrap();
    let endless = stream::repeat_with(|| Ok::<_, io::Error>(content(64 * 1024)));
    let error = fs
        .store_stream(new_store(), upload_grant(&fs), endless)
        .await
        .unwrap_err();
    assert!(matches!(error, FilestackError::Unavailable { .. }), "{error}");
}

#[actix_web::test]
async fn a_stream_is_never_sent_twice() {
    let fake = Fake::start(|_, _| Reply::Text(503, "busy"));
    let fs = client(&fake, options());
    let body = stream::iter([Ok::<_, io::Error>(content(10))]);
    assert!(
        fs.store_stream(new_store(), upload_grant(&fs), body)
            .await
            .unwrap_err()
            .is_transient()
    );
    assert_eq!(fake.seen().len(), 1);
}

#[actix_web::test]
async fn refusals_of_a_stream_are_told_apart() {
    for (status, text, expected) in [
        (200, "Invalid Application", 200),
        (403, "policy", 403),
        (404, "?", 404),
    ] {
        let fake = Fake::start(move |_, _| Reply::Text(status, text));
        let fs = client(&fake, options());
        let body = stream::iter([Ok::<_, io::Error>(content(10))]);
        let error = fs
            .store_stream(new_store(), upload_grant(&fs), body)
            .await
            .unwrap_err();
        assert!(
            matches!(error, FilestackError::Rejected { status, .. } if status == expected),
            "{error}"
        );
    }
}

#[actix_web::test]
async fn a_size_that_differs_from_what_was_sent_is_told_with_the_handle() {
    let fake = Fake::start(|_, _| Reply::Json(200, json!({"url": "https://x/Handle", "size": 9})));
    let fs = client(&fake, options());
    let body = stream::iter([Ok::<_, io::Error>(content(10))]);
    let stored = fs
        .store_stream(new_store(), upload_grant(&fs), body)
        .await
        .unwrap();
    // The caller can remove what is not whole.
    assert_eq!((stored.size, stored.handle.as_str()), (9, "Handle"));
}

#[actix_web::test]
async fn what_the_rest_store_cannot_do_is_refused_here() {
    let fake = Fake::start(honest);
    let fs = client(&fake, options());
    let mut new = new_store();
    new.store.workflows = vec!["W".into()];
    let body = stream::iter([Ok::<_, io::Error>(content(10))]);
    let error = fs.store_stream(new, upload_grant(&fs), body).await.unwrap_err();
    assert!(matches!(error, FilestackError::Invalid(_)));
    assert!(fake.seen().is_empty());
}

#[actix_web::test]
async fn s6_a_file_elsewhere_is_stored_by_a_signed_order() {
    let fake = Fake::start(honest);
    let fs = client(&fake, options());
    let source = Url::parse("https://ex.org/a.png").unwrap();
    let purpose = Purpose::StoreUrl {
        url: &source,
        path: "user-uploads/o/u/",
        max_size: 100,
    };
    let grant = grant(&fs, purpose);
    let security = json!({"policy": grant.policy(), "signature": grant.signature()});
    let file = fs.store_url(&source, new_store(), grant).await.unwrap();
    assert_eq!(
        (file.handle.as_str(), file.size, file.mimetype.as_str()),
        (HANDLE, 7, "a/b")
    );
    let store = json!({"location": "S3", "path": "user-uploads/o/u/", "filename": "a&b=c.txt"});
    assert_eq!(
        fake.calls("POST", "/process")[0].json(),
        json!({"apikey": "AKEYz", "sources": ["https://ex.org/a.png"],
               "tasks": [{"name": "store", "params": store}, {"name": "security", "params": security}]})
    );
}

#[actix_web::test]
async fn storing_from_an_address_is_repeated_only_when_nothing_was_done() {
    for (status, calls) in [(429, 2), (500, 1)] {
        let fake = Fake::start(move |seen, base| match seen.earlier {
            0 => Reply::Text(status, "no"),
            _ => honest(seen, base),
        });
        let fs = client(&fake, options());
        let source = Url::parse("https://ex.org/a.png").unwrap();
        let grant = grant(
            &fs,
            Purpose::StoreUrl {
                url: &source,
                path: "p/",
                max_size: 100,
            },
        );
        assert_eq!(
            fs.store_url(&source, new_store(), grant).await.is_ok(),
            calls == 2
        );
        assert_eq!(fake.seen().len(), calls, "{status}");
    }
}
