//! Ways in: multipart of every size, intelligent ingestion, the REST store, a URL.

use std::collections::BTreeMap;
use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use satchel::filestack::{Location, NewStore, NewUpload, Purpose, StoreOptions};
use url::Url;

use super::{MIB, Service, everywhere};
use crate::support::content;

const PATH: &str = "contract/";

#[actix_web::test]
async fn our_client_uploads_every_size_by_every_way() {
    everywhere("Our own client: uploads (§3)", async |service| {
        sizes(service).await;
        streams(service).await;
        options(service).await;
        rest_store(service).await;
        from_a_url(service).await;
    })
    .await;
}

async fn sizes(service: &Service) {
    for (name, size) in [
        ("nothing", 0),
        ("1 B", 1),
        ("5 MiB - 1", 5 * MIB - 1),
        ("5 MiB", 5 * MIB),
        ("5 MiB + 1", 5 * MIB + 1),
        ("20 MiB", 20 * MIB),
    ] {
        let bytes = Bytes::from(content(size));
        for (way, client) in [
            ("", service.client.clone()),
            ("intelligent ", service.intelligent()),
        ] {
            let result = client
                .upload_bytes(new("a.bin", size), upload(service, size), bytes.clone())
                .await;
            let file = service.made(result);
            assert_eq!(
                (file.size, file.filename.as_str()),
                (size as u64, "a.bin"),
                "{way}{name}"
            );
            assert!(
                service.content(&file.handle).await == bytes,
                "{way}{name}: other bytes"
            );
            service.works(format!("{way}{name}"));
        }
    }
}

async fn streams(service: &Service) {
    let bytes = Bytes::from(content(6 * MIB + 7));
    let pieces: Vec<_> = bytes
        .chunks(1000)
        .map(|piece| Ok::<_, Infallible>(Bytes::copy_from_slice(piece)))
        .collect();
    let result = service
        .client
        .upload_stream(
            new("streamed.bin", bytes.len()),
            upload(service, bytes.len()),
            stream::iter(pieces),
        )
        .await;
    let file = service.made(result);
    assert!(service.content(&file.handle).await == bytes);
    service.works("a stream of known length");
}

async fn options(service: &Service) {
    let grant = upload(service, 7);
    let tags = BTreeMap::from([("colour".to_owned(), "blue".to_owned())]);
    let new = NewUpload {
        tags,
        mimetype: "text/x-notes".to_owned(),
        ..new("ångström 1.txt", 7)
    };
    let result = service
        .client
        .upload_bytes(new, grant, Bytes::from_static(b"options"))
        .await;
    let file = service.made(result);
    assert_eq!(file.filename, "ångström 1.txt");
    assert_eq!(file.mimetype, "text/x-notes");
    // §11.4: the folder, something random, the name.
    let key = file.key.expect("a key");
    assert!(key.starts_with(PATH) && key.ends_with("_ångström 1.txt"), "{key}");
    service.works("options");
}

async fn rest_store(service: &Service) {
    let new = NewStore {
        filename: "rest.txt".to_owned(),
        mimetype: "text/plain".to_owned(),
        path: Some(PATH.to_owned()),
        store: StoreOptions {
            location: Location::S3,
            ..StoreOptions::default()
        },
    };
    let pieces = ["of ", "unknown ", "length"].map(|piece| Ok::<_, Infallible>(Bytes::from(piece)));
    let grant = upload(service, 100);
    let result = service
        .client
        .store_stream(new, grant, stream::iter(pieces))
        .await;
    let file = service.made(result);
    assert_eq!((file.size, file.filename.as_str()), (17, "rest.txt"));
    assert_eq!(service.content(&file.handle).await, "of unknown length");
    service.works("REST store, a stream of unknown length");
}

async fn from_a_url(service: &Service) {
    let source = service.upload("source.txt", "text/plain", b"from a url").await;
    let handle = &source.handle;
    let url = service
        .client
        .delivery_url(handle, Some(&service.grant(Purpose::Read { handle })));
    let new = NewStore {
        filename: "stored.txt".to_owned(),
        mimetype: "text/plain".to_owned(),
        path: Some(PATH.to_owned()),
        ..NewStore::default()
    };
    let grant = |url: &Url| {
        service.grant(Purpose::StoreUrl {
            url,
            path: PATH,
            max_size: 100,
        })
    };
    let result = service.client.store_url(&url, new.clone(), grant(&url)).await;
    let file = service.made(result);
    assert_eq!((file.size, file.filename.as_str()), (10, "stored.txt"));
    assert_eq!(service.content(&file.handle).await, "from a url");
    service.works("store from a URL");
    let other = Url::parse("https://example.org/other").expect("a URL");
    let result = service.client.store_url(&url, new, grant(&other)).await;
    service.refuses("store from a URL that the policy does not name", result);
}

fn upload(service: &Service, size: usize) -> satchel::filestack::Grant {
    service.grant(Purpose::Upload {
        path: PATH,
        max_size: size as u64,
    })
}

fn new(filename: &str, size: usize) -> NewUpload {
    NewUpload {
        filename: filename.to_owned(),
        mimetype: "application/octet-stream".to_owned(),
        size: size as u64,
        path: Some(PATH.to_owned()),
        ..NewUpload::default()
    }
}
