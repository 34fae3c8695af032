//! Results that become files: the `store` task and what it answers (§3.11, §6.6).

use std::fs::File;

use actix_web::HttpResponse;
use serde_json::{Map, Value, json};
use tokio::task::spawn_blocking;

use super::flows;
use super::metadata::dimensions;
use super::paths::is_plain_path;
use super::{Base, State};
use crate::emulator::errors::{Host, On, Problem};
use crate::emulator::ids::{self, HANDLE_LENGTH};
use crate::emulator::policy::{Refusal, Target};
use crate::emulator::runs::{Beginning, Run};
use crate::emulator::store::{Meta, Scratch};
use crate::emulator::transform::Store;
use crate::emulator::webhooks::{Event, Proof};
use crate::emulator::workflows::Workflow;

/// §3.10.
pub(super) const LOCATIONS: [&str; 5] = ["s3", "gcs", "azure", "rackspace", "dropbox"];

/// A file that was just made.
pub(super) struct Kept {
    pub handle: String,
    pub size: u64,
    pub meta: Meta,
    /// Width and height of a picture.
    pub image: Option<(u32, u32)>,
    /// Workflows that began on it.
    pub runs: Vec<Run>,
}

/// What happens as soon as it is a file: workflows begin, and somebody is told.
pub(super) struct Follow<E> {
    pub workflows: Vec<Workflow>,
    /// Begins the URLs of what the workflows make.
    pub base: String,
    /// Words the event from handle, record and size.
    pub event: E,
}

/// Makes what was written a file, with what follows from it.
pub(super) async fn publish(
    host: Host,
    state: &State,
    scratch: Scratch,
    meta: Meta,
    follow: Follow<impl FnOnce(&str, &Meta, u64) -> Event + Send + 'static>,
) -> Result<Kept, Problem> {
    let (store, webhooks) = (state.controls.store().clone(), state.controls.webhooks().clone());
    let runs = state.controls.runs().clone();
    let work = move || {
        let content = File::open(scratch.content())?;
        let size = content.metadata()?.len();
        // Only a header is read; what has none is no picture.
        let image = dimensions(content).unwrap_or_default();
        let handle = ids::alphanumeric(HANDLE_LENGTH);
        let app = meta.app.as_deref().unwrap_or_default();
        let told = (follow.event)(&handle, &meta, size);
        let held = webhooks.prepare(app, &told, Some(Proof::Stored(handle.clone())))?;
        let beginning = Beginning {
            app,
            base: follow.base,
            source: &handle,
            meta: &meta,
        };
        let reserved = runs.reserve(&follow.workflows, &beginning)?;
        store.publish_as(&handle, scratch, meta.clone())?;
        held.release();
        runs.start(reserved.clone())?;
        Ok(Kept {
            handle,
            size,
            meta,
            image,
            runs: reserved,
        })
    };
    spawn_blocking(work).await.on(host)
}

/// Where the `store` task wants to write; refused when the path leads elsewhere.
pub(super) fn target(options: &Store) -> Result<Target<'_>, Refusal> {
    if !options.path.as_deref().is_none_or(is_plain_path) {
        return Err(Refusal::Path);
    }
    Ok(Target {
        path: options.path.as_deref().unwrap_or_default(),
        container: options.container.as_deref().unwrap_or_default(),
    })
}

/// The record of a new file made from another one.
pub(super) fn record(
    state: &State,
    app: &str,
    options: &Store,
    from: &Meta,
    mimetype: &str,
    tags: &Map<String, Value>,
) -> Meta {
    let filename = options.filename.as_deref().unwrap_or(&from.filename);
    Meta {
        app: Some(app.to_owned()),
        location: options.location.clone().unwrap_or_else(|| "S3".into()),
        container: options.container.clone(),
        source_url: from.source_url.clone(),
        upload_tags: tags.clone(),
        ..Meta::new(
            filename,
            mimetype,
            options.path.as_deref(),
            state.controls.clock().now(),
        )
    }
}

/// §3.11. `container` is always there, as multipart's complete has it.
pub(super) fn reply(kept: Kept, base: &Base) -> HttpResponse {
    let Kept {
        handle,
        size,
        meta,
        image,
        runs,
    } = kept;
    let mut reply = json!({
        "handle": handle,
        "url": base.url(&handle),
        "filename": meta.filename,
        "size": size,
        "type": meta.mimetype,
        "key": meta.key,
        "container": meta.container.as_deref().unwrap_or("emulator"),
    });
    if !meta.upload_tags.is_empty() {
        reply["upload_tags"] = Value::Object(meta.upload_tags);
    }
    if let Some((width, height)) = image {
        reply["width"] = width.into();
        reply["height"] = height.into();
    }
    flows::tell(&mut reply, &runs);
    HttpResponse::Ok().json(reply)
}
