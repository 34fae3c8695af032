//! What a grant is not for, it does not open (§2); S6 and P3 as our own client meets them.

use std::time::Duration;

use bytes::Bytes;
use satchel::filestack::{FilestackError, Grant, Handle, NewUpload, Purpose};

use super::{Service, client, everywhere};

const PATH: &str = "contract/";

#[actix_web::test]
async fn p3_p4_our_client_is_refused_whatever_its_grant_is_not_for() {
    everywhere("Our own client: refusals (§2)", async |service| {
        let file = service.upload("a.txt", "text/plain", b"some bytes").await;
        let other = service.upload("b.txt", "text/plain", b"other bytes").await;
        other_purposes(service, &file.handle).await;
        other_files(service, &file.handle, &other.handle).await;
        spoiled_grants(service, &file.handle).await;
        bounds(service).await;
        nobody(service).await;
        // Nothing of all this changed the file.
        assert_eq!(service.content(&file.handle).await, "some bytes");
    })
    .await;
}

/// Each purpose does its own thing; the other calls are refused with it.
async fn other_purposes(service: &Service, handle: &Handle) {
    let upload = Purpose::Upload {
        path: PATH,
        max_size: 100,
    };
    let overwrite = Purpose::Overwrite {
        handle,
        max_size: 100,
    };
    for (name, purpose) in [
        ("upload", upload),
        ("read", Purpose::Read { handle }),
        ("convert", Purpose::Convert { handle }),
        ("stat", Purpose::Stat { handle }),
        ("overwrite", overwrite),
        ("remove", Purpose::Remove { handle }),
    ] {
        let grant = || service.grant(purpose);
        if name != "upload" {
            service.refuses(
                "upload, granted something else",
                put(service, grant(), PATH, 10).await,
            );
        }
        // Who may see a picture small may see it as it is: a transformation of the service reads the file (§2.1).
        if name != "read" && name != "convert" {
            let url = service.client.delivery_url(handle, Some(&grant()));
            let (status, _) = service.get(&url).await;
            assert_eq!(status, 403, "reading with a grant to {name}");
            service.refused("delivery, granted something else", status);
        }
        if name != "stat" {
            let result = service.client.metadata(handle, grant(), &[]).await;
            service.refuses("metadata, granted something else", result);
        }
        if name != "overwrite" {
            let result = service
                .client
                .overwrite(handle, grant(), Bytes::from_static(b"x"))
                .await;
            service.refuses("overwrite, granted something else", result);
        }
        if name != "remove" {
            let result = service.client.delete(handle, grant()).await;
            service.refuses("delete, granted something else", result);
        }
    }
}

async fn other_files(service: &Service, file: &Handle, other: &Handle) {
    let result = service
        .client
        .metadata(file, service.grant(Purpose::Stat { handle: other }), &[])
        .await;
    service.refuses("metadata with a grant for another file", result);
    let result = service
        .client
        .delete(file, service.grant(Purpose::Remove { handle: other }))
        .await;
    service.refuses("delete with a grant for another file", result);
}

/// Expired, and signed with another secret.
async fn spoiled_grants(service: &Service, handle: &Handle) {
    let stat = Purpose::Stat { handle };
    let before = service.now - Duration::from_secs(3600);
    let expired = service.client.grant(stat, before, Duration::from_secs(60));
    service.refuses(
        "an expired grant",
        service.client.metadata(handle, expired, &[]).await,
    );
    let forged = service.forger().grant(stat, service.now, super::TEN_MINUTES);
    service.refuses(
        "a grant signed with another secret",
        service.client.metadata(handle, forged, &[]).await,
    );
}

/// Size and path of an upload.
async fn bounds(service: &Service) {
    let grant = |path, max_size| service.grant(Purpose::Upload { path, max_size });
    service.refuses(
        "a file larger than granted",
        put(service, grant(PATH, 9), PATH, 10).await,
    );
    service.refuses(
        "a path that is not the granted one",
        put(service, grant("contract/mine/", 10), "contract/yours/", 10).await,
    );
}

/// No such app, no such file.
async fn nobody(service: &Service) {
    let stranger = client("ANobodyz", &service.secret, &service.endpoints, false);
    let purpose = Purpose::Upload {
        path: PATH,
        max_size: 10,
    };
    let grant = stranger.grant(purpose, service.now, super::TEN_MINUTES);
    let result = stranger
        .upload_bytes(new(PATH, 10), grant, Bytes::from_static(b"some bytes"))
        .await;
    service.refuses("nobody's key", result);
    let nothing = Handle::new("AAAAAAAAAAAAAAAAAAAA").expect("a handle");
    let grant = service.grant(Purpose::Stat { handle: &nothing });
    let result = service.client.metadata(&nothing, grant, &[]).await;
    assert!(matches!(result, Err(FilestackError::NotFound)), "{result:?}");
    service.refuses("no such file", result);
}

async fn put(service: &Service, grant: Grant, path: &str, size: usize) -> Result<(), FilestackError> {
    let bytes = Bytes::from(vec![b'x'; size]);
    let result = service.client.upload_bytes(new(path, size), grant, bytes).await;
    result.map(|file| service.made.borrow_mut().push(file.handle))
}

fn new(path: &str, size: usize) -> NewUpload {
    NewUpload {
        filename: "a.txt".to_owned(),
        mimetype: "text/plain".to_owned(),
        size: size as u64,
        path: Some(path.to_owned()),
        ..NewUpload::default()
    }
}
