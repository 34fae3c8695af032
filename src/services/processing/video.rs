//! Videos: a copy that every browser plays. Filestack takes its time; the same question starts it and says how far it is, so that a
//! second time does no harm. Its webhook may be faster, and attaches the same file by the same verb.

use std::time::Duration;

use serde_json::Value;

use super::{Outcome, grant, load};
use crate::db::models::jobs::Job;
use crate::db::models::results::{self as rows, DONE};
use crate::error::AppError;
use crate::filestack::{Purpose, VideoConversion};
use crate::ids::DocumentId;
use crate::services::results::{self, Attached, MadeFile};
use crate::services::{Services, upstream};

/// What every browser plays.
const PRESET: &str = "h264";
/// A conversion that has not ended by then never will.
const LONGEST: Duration = Duration::from_secs(6 * 3_600);
/// Between two questions at first; then a tenth of how long it has taken, up to five minutes.
const ASK_AGAIN: Duration = Duration::from_secs(5);
const ASK_AT_LEAST: Duration = Duration::from_secs(300);

/// Has a video converted, or sees how far that is.
pub async fn transcode(services: &Services, id: DocumentId, job: &Job) -> Result<Outcome, AppError> {
    let Some(document) = load(services, id).await? else {
        return Ok(Outcome::moot());
    };
    let made = services.db.run(move |c| rows::list(c, id)).await?;
    if made
        .iter()
        .any(|made| made.kind == results::VIDEO && made.state == DONE)
    {
        return Ok(Outcome::done("The video is ready to be played."));
    }
    let handle = super::documents_handle(&document)?;
    let conversion = services
        .filestack
        .convert_video(
            &handle,
            PRESET,
            grant(services, Purpose::Convert { handle: &handle }),
        )
        .await
        .map_err(upstream)?;
    let now = services.clock.now();
    let uuid = conversion.uuid.clone();
    if conversion.is_under_way() {
        let taken = now.since(job.created_at);
        if taken > LONGEST {
            return Err(failed(
                "Filestack did not end the conversion within six hours.".to_owned(),
            ));
        }
        return Ok(Outcome::Later {
            after: (taken / 10).clamp(ASK_AGAIN, ASK_AT_LEAST),
            note: "The video is being converted.".to_owned(),
            effects: Box::new(move |c| {
                if crate::db::models::documents::find(c, id)?.is_none() {
                    return Ok(());
                }
                results::expect(c, id, results::VIDEO, &uuid, now)
            }),
        });
    }
    let Some(file) = file_of(&conversion, &document.name) else {
        let said = conversion.message.unwrap_or_else(|| conversion.status.clone());
        let kept = Value::String(said.clone());
        services
            .db
            .write(move |c| results::give_up(c, results::VIDEO, &uuid, &kept, now))
            .await?;
        return Err(failed(format!("Filestack could not convert the video: {said}.")));
    };
    Ok(Outcome::with("The video is ready to be played.", move |c| {
        if crate::db::models::documents::find(c, id)?.is_none() {
            return Ok(());
        }
        let attached = results::attach(c, id, results::VIDEO, &uuid, &file, now)?;
        if attached == Attached::Foreign {
            log::warn!(event = "video-foreign", document = id.as_str(); "a converted video is another document's");
        }
        Ok(())
    }))
}

/// The video that was made; named after the document.
fn file_of(conversion: &VideoConversion, name: &str) -> Option<MadeFile> {
    let made = &conversion.metadata["result"];
    let extension = made["extname"].as_str().unwrap_or(".mp4");
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    Some(MadeFile {
        handle: conversion.handle()?,
        name: format!("{stem}{extension}"),
        content_type: made["mime_type"].as_str().unwrap_or("video/mp4").to_owned(),
        size_bytes: made["file_size"].as_i64().filter(|size| *size >= 0),
        details: made.clone(),
    })
}

fn failed(detail: String) -> AppError {
    AppError::Conflict {
        code: "video-failed",
        detail,
    }
}
