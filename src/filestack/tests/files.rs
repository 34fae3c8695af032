//! The File API.

use std::io;

use futures_util::stream;
use url::Url;

use super::fake::{HANDLE, Reply, Seen, honest};
use super::*;

fn handle() -> Handle {
    Handle::new(HANDLE).unwrap()
}

fn file_path() -> String {
    format!("/api/file/{HANDLE}")
}

async fn metadata(fs: &Filestack) -> Result<Metadata, FilestackError> {
    let grant = grant(fs, Purpose::Stat { handle: &handle() });
    fs.metadata(&handle(), grant, &[MetadataField::Size, MetadataField::SourceUrl])
        .await
}

async fn delete(fs: &Filestack) -> Result<(), FilestackError> {
    fs.delete(&handle(), grant(fs, Purpose::Remove { handle: &handle() }))
        .await
}

async fn overwrite(fs: &Filestack) -> Result<Overwritten, FilestackError> {
    let grant = grant(
        fs,
        Purpose::Overwrite {
            handle: &handle(),
            max_size: 10,
        },
    );
    fs.overwrite(&handle(), grant, content(10)).await
}

fn is_signed(seen: &Seen) -> bool {
    seen.query.contains_key("policy") && seen.query.contains_key("signature")
}

#[actix_web::test]
async fn s6_metadata_names_its_fields_and_is_signed() {
    let fake = Fake::start(honest);
    let found = metadata(&client(&fake, options())).await.unwrap();
    assert_eq!(
        (found.size, found.mimetype.as_deref(), found.width),
        (Some(7), Some("a/b"), None)
    );
    let seen = &fake.calls("GET", &format!("{}/metadata", file_path()))[0];
    assert!(is_signed(seen));
    assert_eq!(
        (seen.query["size"].as_str(), seen.query["source_url"].as_str()),
        ("true", "true")
    );
}

#[actix_web::test]
async fn s6_delete_is_signed_and_names_the_application() {
    let fake = Fake::start(honest);
    delete(&client(&fake, options())).await.unwrap();
    let seen = &fake.calls("DELETE", &file_path())[0];
    assert!(is_signed(seen));
    assert_eq!(seen.query["key"], "AKEYz");
}

#[actix_web::test]
async fn s6_overwriting_is_signed_in_all_its_forms() {
    let fake = Fake::start(honest);
    let fs = client(&fake, options());
    assert_eq!(overwrite(&fs).await.unwrap().size, 7);
    let body = stream::iter([Ok::<_, io::Error>(content(12))]);
    let grant_for_stream = grant(
        &fs,
        Purpose::Overwrite {
            handle: &handle(),
            max_size: 12,
        },
    );
    fs.overwrite_stream(&handle(), grant_for_stream, body)
        .await
        .unwrap();
    let source = Url::parse("https://ex.org/a?b=c&d").unwrap();
    let grant_for_url = grant(
        &fs,
        Purpose::OverwriteFromUrl {
            handle: &handle(),
            url: &source,
        },
    );
    fs.overwrite_from_url(&handle(), grant_for_url, &source)
        .await
        .unwrap();
    let calls = fake.calls("POST", &file_path());
    assert!(calls.iter().all(is_signed));
    assert_eq!((&calls[0].body, &calls[1].body), (&content(10), &content(12)));
    assert_eq!(calls[2].body, "url=https%3A%2F%2Fex.org%2Fa%3Fb%3Dc%26d");
}

#[actix_web::test]
async fn calls_are_repeated_after_failures_of_the_server() {
    for reply in [
        || Reply::Text(500, "oops"),
        || Reply::Broken,
        || Reply::Text(429, "slow down"),
    ] {
        let fake = Fake::start(move |seen, base| {
            if seen.earlier == 0 {
                reply()
            } else {
                honest(seen, base)
            }
        });
        let fs = client(&fake, options());
        metadata(&fs).await.unwrap();
        delete(&fs).await.unwrap();
        overwrite(&fs).await.unwrap();
        assert_eq!(fake.seen().len(), 6);
    }
}

#[actix_web::test]
async fn calls_are_not_repeated_after_a_refusal() {
    let fake = Fake::start(|_, _| {
        Reply::Text(
            403,
            "[uuid=X] This action has been secured. Error: The signature has expired",
        )
    });
    let fs = client(&fake, options());
    for result in [
        metadata(&fs).await.map(drop),
        delete(&fs).await,
        overwrite(&fs).await.map(drop),
    ] {
        let error = result.unwrap_err();
        assert!(
            error.to_string().ends_with("The signature has expired"),
            "{error}"
        );
        assert!(!error.is_transient());
    }
    assert_eq!(fake.seen().len(), 3);
}

#[actix_web::test]
async fn a_file_that_is_not_there_is_not_found() {
    let fake = Fake::start(|_, _| Reply::Text(404, ""));
    let fs = client(&fake, options());
    for result in [
        metadata(&fs).await.map(drop),
        delete(&fs).await,
        overwrite(&fs).await.map(drop),
    ] {
        assert!(matches!(result, Err(FilestackError::NotFound)));
    }
}

#[actix_web::test]
async fn a_file_that_is_gone_after_a_lost_answer_was_deleted() {
    let fake = Fake::start(|seen, _| {
        if seen.earlier == 0 {
            Reply::Broken
        } else {
            Reply::Text(404, "")
        }
    });
    delete(&client(&fake, options())).await.unwrap();
}

#[actix_web::test]
async fn p8_a_server_that_cannot_be_reached_is_reported_without_its_address() {
    let fake = Fake::start(honest);
    let mut fs = client(
        &fake,
        Options {
            retries: 0,
            ..options()
        },
    );
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = Url::parse(&format!("http://{}", free.local_addr().unwrap())).unwrap();
    drop(free);
    fs = Filestack::new(
        Credentials::new("AKEYz", "CANARYSECRET").unwrap(),
        Endpoints::single(nobody),
        fs.options().clone(),
    )
    .unwrap();
    let error = metadata(&fs).await.unwrap_err();
    assert!(matches!(error, FilestackError::Unavailable { .. }));
    let text = format!("{error} {error:?}");
    assert!(
        !text.contains("http") && !text.contains("signature") && !text.contains("policy"),
        "{text}"
    );
}

#[actix_web::test]
async fn an_endless_error_is_read_only_in_part() {
    let long: &'static str = "no ".repeat(1_000_000).leak();
    let fake = Fake::start(move |_, _| Reply::Text(403, long));
    let error = metadata(&client(&fake, options())).await.unwrap_err();
    assert!(error.to_string().len() < 300);
    let fake = Fake::start(move |_, _| Reply::Text(200, long));
    assert!(matches!(
        metadata(&client(&fake, options())).await,
        Err(FilestackError::Protocol(_))
    ));
}
