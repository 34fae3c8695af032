//! Steps for pictures: the thumbnail made ready, what is to be seen, whether it is safe for work, the text on it.
//!
//! All only read, and write the same finding each time: a second run does no harm.

use serde_json::json;

use super::{Outcome, TEXT, grant, keep, load};
use crate::error::AppError;
use crate::filestack::Purpose;
use crate::ids::DocumentId;
use crate::services::verdicts::{self, Verdict};
use crate::services::{Services, documents, upstream};

/// More text is not kept.
const LONGEST_TEXT: usize = 256 * 1_024;
/// Tags named in the sentence.
const NAMED: usize = 5;

/// Has Filestack's CDN make the pictures that our pages show, so that they are there when somebody looks.
pub async fn prepare_thumbnail(services: &Services, id: DocumentId) -> Result<Outcome, AppError> {
    let Some(document) = load(services, id).await? else {
        return Ok(Outcome::moot());
    };
    if !documents::has_thumbnail(&document) {
        return Ok(Outcome::done("There are no thumbnails of this type of file."));
    }
    let handle = documents::handle(&document)?;
    for transform in documents::page_transforms() {
        services
            .filestack
            .prepare(
                &handle,
                &transform,
                grant(services, Purpose::Convert { handle: &handle }),
            )
            .await
            .map_err(upstream)?;
    }
    Ok(Outcome::done("Thumbnail and preview are ready."))
}

/// Names what is to be seen on a picture.
pub async fn tag(services: &Services, id: DocumentId) -> Result<Outcome, AppError> {
    let Some(document) = load(services, id).await? else {
        return Ok(Outcome::moot());
    };
    let handle = documents::handle(&document)?;
    let tags = services
        .filestack
        .tags(&handle, grant(services, Purpose::Convert { handle: &handle }))
        .await
        .map_err(upstream)?;
    let verdict = Verdict::of_task(&json!({"tags": {"auto": tags.auto}}));
    let mut found = verdict.tags.clone().unwrap_or_default();
    found.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let names: Vec<_> = found.iter().take(NAMED).map(|(tag, _)| tag.as_str()).collect();
    let sentence = if names.is_empty() {
        "Nothing was recognised.".to_owned()
    } else {
        format!("To be seen: {}.", names.join(", "))
    };
    let now = services.clock.now();
    Ok(Outcome::with(sentence, move |c| {
        verdicts::settle(c, id, &verdict, now, now).map(drop)
    }))
}

/// Tells whether a picture is safe for work.
pub async fn rate(services: &Services, id: DocumentId) -> Result<Outcome, AppError> {
    let Some(document) = load(services, id).await? else {
        return Ok(Outcome::moot());
    };
    let handle = documents::handle(&document)?;
    let is_safe = services
        .filestack
        .is_safe_for_work(&handle, grant(services, Purpose::Convert { handle: &handle }))
        .await
        .map_err(upstream)?;
    let verdict = Verdict {
        is_safe: Some(is_safe),
        ..Verdict::default()
    };
    let sentence = if is_safe {
        "The picture is safe for work."
    } else {
        "The picture is not safe for work."
    };
    let now = services.clock.now();
    Ok(Outcome::with(sentence, move |c| {
        verdicts::settle(c, id, &verdict, now, now).map(drop)
    }))
}

/// Reads the text on a picture.
pub async fn read_text(services: &Services, id: DocumentId) -> Result<Outcome, AppError> {
    let Some(document) = load(services, id).await? else {
        return Ok(Outcome::moot());
    };
    let handle = documents::handle(&document)?;
    let text = services
        .filestack
        .text(&handle, grant(services, Purpose::Convert { handle: &handle }))
        .await
        .map_err(upstream)?;
    let text = &text[..text.floor_char_boundary(LONGEST_TEXT)];
    let words = text.split_whitespace().count();
    let sentence = match words {
        0 => "There is no text on it.".to_owned(),
        1 => "One word was read.".to_owned(),
        words => format!("{words} words were read."),
    };
    let value = json!(text);
    let now = services.clock.now();
    Ok(Outcome::with(sentence, move |c| keep(c, id, TEXT, &value, now)))
}
