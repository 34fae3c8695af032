//! What tasks are applied to: files of ours, and what is fetched for them (§3.11, §4).

use std::fs::File;

use tokio::task::spawn_blocking;

use super::State;
use super::later::run_of;
use super::writer::Writer;
use crate::emulator::apps::App;
use crate::emulator::errors::{Host, On, Problem};
use crate::emulator::ids::{self, HANDLE_LENGTH};
use crate::emulator::policy::{Grant, Refusal};
use crate::emulator::store::{Meta, Scratch};

/// Given to what names no type.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// An address somewhere else.
#[derive(Clone, Debug)]
pub(super) struct Remote {
    pub url: String,
    /// Headers to ask with.
    pub headers: Vec<(String, String)>,
}

impl Remote {
    pub(super) fn new(url: String) -> Self {
        Self {
            url,
            headers: Vec::new(),
        }
    }
}

/// What a step of a workflow made (§8).
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub workflow: String,
    pub job: String,
    pub hash: String,
}

impl Piece {
    /// What policies call it.
    pub(super) fn handle(&self) -> String {
        format!("wf://{}/{}/{}", self.workflow, self.job, self.hash)
    }
}

/// Where a job's content comes from.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    Handle(String),
    Remote(Remote),
    Made(Piece),
}

/// Content that was fetched.
pub(super) struct Fetched {
    pub scratch: Scratch,
    pub size: u64,
    pub filename: Option<String>,
    pub mimetype: Option<String>,
}

/// Fetches to disk, within the bounds of a policy and of the emulator.
pub(super) async fn fetch(
    host: Host,
    state: &State,
    app: &App,
    grant: &Grant,
    from: &Remote,
    base64: bool,
    most: u64,
) -> Result<Fetched, Problem> {
    let failed = |error| Problem::not_fetched(host, &error);
    let opened = state.fetcher.open(&from.url, &from.headers, most);
    let mut incoming = opened.await.map_err(failed)?;
    let mut writer = Writer::new(host, state, &app.key, grant, base64);
    while let Some(bytes) = incoming.next().await.map_err(failed)? {
        writer.push(bytes).await?;
    }
    let (scratch, size) = writer.finish().await?;
    grant
        .check_size(size)
        .map_err(|refusal: Refusal| Problem::refused(host, &app.key, &refusal))?;
    Ok(Fetched {
        scratch,
        size,
        filename: incoming.filename,
        mimetype: incoming.mimetype,
    })
}

/// Content that is ready to be read.
pub(super) struct Input {
    pub meta: Meta,
    pub file: File,
    /// What it is called in reports.
    pub url: String,
    /// The place of what was fetched, which is nobody's file yet.
    pub place: Option<Scratch>,
}

impl Input {
    /// A file of ours; `base` begins its URL.
    pub(super) async fn stored(host: Host, state: &State, handle: &str, base: &str) -> Result<Self, Problem> {
        let (store, name) = (state.controls.store().clone(), handle.to_owned());
        let found = spawn_blocking(move || store.content(&name)).await.on(host)?;
        let (meta, file) = found.ok_or_else(|| Problem::not_found(host))?;
        Ok(Self {
            meta,
            file,
            url: format!("{base}{handle}"),
            place: None,
        })
    }

    /// What a step of a workflow made.
    pub(super) async fn made(
        host: Host,
        state: &State,
        key: Option<&str>,
        piece: &Piece,
        base: &str,
    ) -> Result<Self, Problem> {
        let run = run_of(state, key, &piece.workflow, &piece.job).await?;
        let (runs, hash) = (state.controls.runs().clone(), piece.hash.clone());
        let find = move || Ok(runs.made(&run, &hash)?.map(|(made, file)| (run, made, file)));
        let found = spawn_blocking(find).await.on(host)?;
        let (run, made, file) = found.ok_or_else(|| Problem::not_found(host))?;
        Ok(Self {
            meta: Meta {
                app: Some(run.app.clone()),
                filename: run.filename,
                mimetype: made.mimetype,
                size: made.size,
                uploaded_ms: run.changed_ms,
                changed_ms: run.changed_ms,
                location: "S3".into(),
                // Its bytes are in its name.
                version: made.hash,
                ..Meta::default()
            },
            file,
            url: format!("{base}{}/{}", run.app, piece.handle()),
            place: None,
        })
    }

    /// What was just fetched.
    pub(super) async fn fetched(
        host: Host,
        state: &State,
        from: &Remote,
        got: Fetched,
    ) -> Result<Self, Problem> {
        let path = got.scratch.content();
        let file = spawn_blocking(move || File::open(path)).await.on(host)?;
        let filename = got.filename.as_deref().unwrap_or("unnamed_file");
        let mimetype = got.mimetype.as_deref().unwrap_or(UNKNOWN_TYPE);
        Ok(Self {
            meta: Meta {
                size: got.size,
                version: ids::alphanumeric(HANDLE_LENGTH),
                source_url: Some(from.url.clone()),
                ..Meta::new(filename, mimetype, None, state.controls.clock().now())
            },
            file,
            url: from.url.clone(),
            place: Some(got.scratch),
        })
    }
}
