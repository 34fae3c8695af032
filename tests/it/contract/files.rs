//! A stored file: metadata, overwriting, deleting (§5).

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use md5::{Digest, Md5};
use satchel::filestack::{FilestackError, MetadataField as Field, Purpose};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::{Service, everywhere};
use crate::sdk::bench::png;

#[actix_web::test]
async fn our_client_reads_metadata_overwrites_and_deletes() {
    everywhere("Our own client: files (§5)", async |service| {
        metadata(service).await;
        overwriting(service).await;
        deleting(service).await;
    })
    .await;
}

async fn metadata(service: &Service) {
    let picture = png();
    let file = service.upload("picture.png", "image/png", &picture).await;
    let handle = &file.handle;
    let ask = async |fields: &[Field]| {
        let grant = service.grant(Purpose::Stat { handle });
        service.client.metadata(handle, grant, fields).await
    };
    let usual = ask(&[]).await.expect("metadata");
    assert_eq!(usual.size, Some(picture.len() as u64));
    assert_eq!(usual.mimetype.as_deref(), Some("image/png"));
    assert_eq!(usual.filename.as_deref(), Some("picture.png"));
    assert_eq!((usual.writeable, usual.md5), (Some(true), None));
    assert!(usual.uploaded.is_some());
    service.works("metadata");

    let fields = [
        Field::Width,
        Field::Height,
        Field::Md5,
        Field::Sha1,
        Field::Sha256,
        Field::Sha512,
        Field::Path,
    ];
    let asked = ask(&fields).await.expect("metadata");
    assert_eq!((asked.width, asked.height), (Some(60), Some(40)));
    assert_eq!(asked.md5, Some(hex(Md5::digest(&picture))));
    assert_eq!(asked.sha1, Some(hex(Sha1::digest(&picture))));
    assert_eq!(asked.sha256, Some(hex(Sha256::digest(&picture))));
    assert_eq!(asked.sha512, Some(hex(Sha512::digest(&picture))));
    let path = asked.path.expect("a path");
    assert!(path.ends_with("_picture.png"), "{path}");
    assert_eq!(asked.size, None, "only what was asked for");
    service.works("metadata of each kind");

    service.refuses("EXIF without its call", ask(&[Field::Exif]).await);
    let grant = service.grant(Purpose::StatExif { handle });
    service
        .client
        .metadata(handle, grant, &[Field::Exif])
        .await
        .expect("EXIF");
    service.works("EXIF with its call");
}

async fn overwriting(service: &Service) {
    let file = service.upload("notes.txt", "text/plain", b"first").await;
    let handle = &file.handle;
    let grant = |max_size| service.grant(Purpose::Overwrite { handle, max_size });
    let second = service
        .client
        .overwrite(handle, grant(6), Bytes::from_static(b"second"))
        .await;
    let second = second.expect("overwritten");
    // §5: the name and the type stay.
    assert_eq!((second.size, second.filename.as_str()), (6, "notes.txt"));
    assert_eq!(second.mimetype, "text/plain");
    assert_eq!(service.content(handle).await, "second");
    service.works("overwrite");

    let pieces = ["the ", "third"].map(|piece| Ok::<_, Infallible>(Bytes::from(piece)));
    let third = service
        .client
        .overwrite_stream(handle, grant(100), stream::iter(pieces))
        .await;
    assert_eq!(third.expect("overwritten").size, 9);
    assert_eq!(service.content(handle).await, "the third");
    service.works("overwrite by a stream");

    let source = service.upload("source.txt", "text/plain", b"from a url").await;
    let reading = service.grant(Purpose::Read {
        handle: &source.handle,
    });
    let url = service.client.delivery_url(&source.handle, Some(&reading));
    let grant = service.grant(Purpose::OverwriteFromUrl { handle, url: &url });
    let fourth = service.client.overwrite_from_url(handle, grant, &url).await;
    assert_eq!(fourth.expect("overwritten").size, 10);
    assert_eq!(service.content(handle).await, "from a url");
    service.works("overwrite from a URL");
}

async fn deleting(service: &Service) {
    let file = service.upload("gone.txt", "text/plain", b"gone").await;
    let handle = &file.handle;
    let grant = || service.grant(Purpose::Remove { handle });
    service.client.delete(handle, grant()).await.expect("deleted");
    service.works("delete");
    let again = service.client.delete(handle, grant()).await;
    assert!(matches!(again, Err(FilestackError::NotFound)), "{again:?}");
    service.refuses("delete again", again);
    let metadata = service
        .client
        .metadata(handle, service.grant(Purpose::Stat { handle }), &[])
        .await;
    service.refuses("metadata after delete", metadata);
    let reading = service.grant(Purpose::Read { handle });
    let url = service.client.delivery_url(handle, Some(&reading));
    let (status, _) = service.get(&url).await;
    assert_eq!(status, 404);
    service.refused("delivery after delete", status);
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
