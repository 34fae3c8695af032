//! Steps for every file: what Filestack knows about it, and whether it has the bytes that were seen at the upload.
//!
//! Both only read, and write the same finding each time: a second run does no harm.

use serde_json::json;

use super::{CHECK, METADATA, Outcome, grant, keep, load};
use crate::error::AppError;
use crate::filestack::{MetadataField, Purpose};
use crate::ids::DocumentId;
use crate::services::{Services, documents, upstream};

/// Reads what Filestack knows about a document's file.
pub async fn read_metadata(services: &Services, id: DocumentId) -> Result<Outcome, AppError> {
    let Some(document) = load(services, id).await? else {
        return Ok(Outcome::moot());
    };
    let handle = documents::handle(&document)?;
    let fields = [
        MetadataField::Size,
        MetadataField::Mimetype,
        MetadataField::Filename,
        MetadataField::Width,
        MetadataField::Height,
        MetadataField::Uploaded,
    ];
    let metadata = services
        .filestack
        .metadata(
            &handle,
            grant(services, Purpose::Stat { handle: &handle }),
            &fields,
        )
        .await
        .map_err(upstream)?;
    let sentence = match (metadata.width, metadata.height) {
        (Some(width), Some(height)) => format!("{width} × {height} pixels."),
        _ => format!(
            "Filestack knows it as {}.",
            metadata.mimetype.as_deref().unwrap_or("a file")
        ),
    };
    let value = json!({
        "size": metadata.size,
        "mimetype": metadata.mimetype,
        "filename": metadata.filename,
        "width": metadata.width,
        "height": metadata.height,
    });
    let now = services.clock.now();
    Ok(Outcome::with(sentence, move |c| {
        keep(c, id, METADATA, &value, now)
    }))
}

/// Compares the size and SHA-256 that Filestack has with those that were seen at the upload.
///
/// # Errors
///
/// [`AppError::Conflict`] when they differ: for good, somebody has to look.
pub async fn verify(services: &Services, id: DocumentId) -> Result<Outcome, AppError> {
    let Some(document) = load(services, id).await? else {
        return Ok(Outcome::moot());
    };
    let handle = documents::handle(&document)?;
    let metadata = services
        .filestack
        .metadata(
            &handle,
            grant(services, Purpose::Stat { handle: &handle }),
            &[MetadataField::Size, MetadataField::Sha256],
        )
        .await
        .map_err(upstream)?;
    let size_bytes = document.size_bytes.max(0) as u64;
    if let Some(size) = metadata.size
        && size != size_bytes
    {
        return Err(differs(format!(
            "Filestack has {size} bytes of this file, and {size_bytes} were uploaded. Delete the document and upload it again."
        )));
    }
    let digest = metadata
        .sha256
        .filter(|digest| digest.len() == 64 && !document.sha256.is_empty());
    if let Some(digest) = &digest
        && !digest.eq_ignore_ascii_case(&document.sha256)
    {
        return Err(differs(
            "Filestack's SHA-256 of this file is not that of the bytes that were uploaded. Delete the document and upload it \
             again."
                .to_owned(),
        ));
    }
    let (sentence, value) = match (digest, metadata.size) {
        (Some(_), _) => (
            "Filestack has exactly the bytes that were uploaded.",
            json!({"size": true, "sha256": true}),
        ),
        (None, Some(_)) => (
            "Filestack has as many bytes as were uploaded; it did not tell their SHA-256.",
            json!({"size": true}),
        ),
        (None, None) => {
            return Err(differs(
                "Filestack told neither the size nor the SHA-256 of this file.".to_owned(),
            ));
        }
    };
    let now = services.clock.now();
    Ok(Outcome::with(sentence, move |c| keep(c, id, CHECK, &value, now)))
}

fn differs(detail: String) -> AppError {
    AppError::Conflict {
        code: "file-differs",
        detail,
    }
}
