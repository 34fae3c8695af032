//! Tasks that are answered without a file: what begins now and ends later (§6.7, §8), and the mood of a text (§6.8).

use std::fs::File;
use std::io;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;
use tokio::task::spawn_blocking;

use super::State;
use super::files::owner;
use super::job::{Job, Needs, one_source, permitted};
use super::paths::is_plain_path;
use super::sources::{Input, Origin, Remote, fetch};
use crate::emulator::apps::App;
use crate::emulator::errors::{Host, On, Problem};
use crate::emulator::policy::{Ask, Grant, Refusal};
use crate::emulator::runs::{Beginning, Run, Work};
use crate::emulator::store::{Meta, Scratch};
use crate::emulator::transform::{Sentiment, Video, text_sentiment};

const HOST: Host = Host::Cdn;
/// §2.1: a workflow needs both.
pub(super) const WORKFLOW_CALLS: [&str; 2] = ["convert", "runWorkflow"];

/// A task of this kind.
pub(super) enum Later {
    Video(Box<Video>),
    Workflow(String),
    Status(String),
    Sentiment(Sentiment),
}

impl Later {
    /// §2.4, §8: all but the conversion of film need a policy with security off as well.
    fn needs(&self) -> Needs {
        let calls = match self {
            Self::Video(_) | Self::Sentiment(_) => vec!["convert"],
            Self::Workflow(_) | Self::Status(_) => WORKFLOW_CALLS.to_vec(),
        };
        Needs {
            calls,
            always: !matches!(self, Self::Video(_)),
            exif: false,
        }
    }
}

/// Answers with what is known now.
pub(super) async fn answer(
    req: &HttpRequest,
    state: &State,
    job: &Job,
    later: &Later,
) -> Result<HttpResponse, Problem> {
    let base = state.base(req).url("");
    let facts = match later {
        Later::Sentiment(asked) => {
            permit_sourceless(state, job, later, None)?;
            text_sentiment(asked)
        }
        Later::Status(id) => status(state, job, later, id, &base).await?,
        Later::Workflow(id) => run_workflow(state, job, later, id, &base).await?,
        Later::Video(video) => convert(state, job, later, video, &base).await?,
    };
    Ok(HttpResponse::Ok()
        .insert_header(("Cache-Control", "no-store"))
        .json(facts))
}

/// Checks the policy of a task without a source, which only its key gives an application.
fn permit_sourceless<'a>(
    state: &'a State,
    job: &Job,
    later: &Later,
    handle: Option<&str>,
) -> Result<&'a App, Problem> {
    let known = job.key.as_deref().and_then(|key| state.apps.find(key));
    let text = "A task without a source needs an API key";
    let app = known.ok_or_else(|| Problem::new(HOST, StatusCode::UNAUTHORIZED, text).in_json())?;
    for call in later.needs().calls {
        let ask = Ask {
            calls: &[call],
            handle,
            ..Ask::default()
        };
        state.permit_signed(HOST, app, &job.credentials, &ask)?;
    }
    Ok(app)
}

async fn status(state: &State, job: &Job, later: &Later, id: &str, base: &str) -> Result<Value, Problem> {
    let run = state.controls.runs().find(id).await.on(HOST)?;
    let run = run.filter(|run| matches!(run.work, Work::Workflow(_)));
    let app = permit_sourceless(state, job, later, run.as_ref().map(|run| run.source.as_str()))?;
    // Another application's run is as if it were not there.
    run.filter(|run| run.app == app.key)
        .map(|run| run.status(base))
        .ok_or_else(|| missing("There is no such workflow job"))
}

async fn run_workflow(
    state: &State,
    job: &Job,
    later: &Later,
    id: &str,
    base: &str,
) -> Result<Value, Problem> {
    let origin = only(job, "run_workflow")?;
    let app = permitted(state, job, &later.needs()).await?;
    let workflow = state
        .controls
        .workflows()
        .find(&app.key, &id.to_ascii_lowercase())
        .ok_or_else(|| missing("There is no such workflow"))?;
    let (runs, key, base_url) = (state.controls.runs().clone(), app.key.clone(), base.to_owned());
    let run = match origin {
        Origin::Handle(handle) => {
            let (store, handle) = (state.controls.store().clone(), handle.clone());
            let begin = move || {
                let Some(meta) = store.get(&handle)? else {
                    return Ok(None);
                };
                runs.run_on(workflow, &by(&key, base_url, &handle, &meta), &handle)
            };
            spawn_blocking(begin).await.on(HOST)?
        }
        origin => {
            let (scratch, meta, url) = brought(state, app, job, origin).await?;
            let begin = move || runs.run(workflow, &by(&key, base_url, &url, &meta), &scratch.content());
            Some(spawn_blocking(begin).await.on(HOST)?)
        }
    };
    let run = run.ok_or_else(|| Problem::not_found(HOST))?;
    Ok(run.begun(base))
}

async fn convert(
    state: &State,
    job: &Job,
    later: &Later,
    video: &Video,
    base: &str,
) -> Result<Value, Problem> {
    let origin = only(job, "video_convert")?;
    if let Origin::Handle(uuid) = origin
        && uuid.len() == 32
    {
        return conversion(state, job, uuid, base).await;
    }
    let app = permitted(state, job, &later.needs()).await?;
    if !video.path.as_deref().is_none_or(is_plain_path) {
        return Err(Problem::refused(HOST, &app.key, &Refusal::Path));
    }
    let (runs, key, base_url, video) = (
        state.controls.runs().clone(),
        app.key.clone(),
        base.to_owned(),
        video.clone(),
    );
    let begun = match origin {
        Origin::Handle(handle) => {
            let (store, handle) = (state.controls.store().clone(), handle.clone());
            let begin = move || {
                let Some(meta) = store.get(&handle)? else {
                    return Ok(None);
                };
                let by = by(&key, base_url, &handle, &meta);
                runs.convert(&video, &by, |scratch| runs.link(&handle, scratch))
            };
            spawn_blocking(begin).await.on(HOST)?
        }
        origin => {
            // Brought here once: polling asks for what is there.
            let (url, unknown) = match origin {
                Origin::Made(piece) => (piece.handle(), version(&piece.hash)),
                Origin::Handle(url) | Origin::Remote(Remote { url, .. }) => (url.clone(), from(url)),
            };
            let (known, wish) = (runs.clone(), video.clone());
            let (owner, home) = (key.clone(), base_url.clone());
            let find = move || known.convert(&wish, &by(&owner, home, &url, &unknown), |_| Ok(false));
            match spawn_blocking(find).await.on(HOST)? {
                Some(found) => Some(found),
                None => {
                    let (scratch, meta, url) = brought(state, app, job, origin).await?;
                    let begin = move || {
                        let by = by(&key, base_url, &url, &meta);
                        runs.convert(&video, &by, |place| {
                            std::fs::rename(scratch.content(), place.dir.join("source"))?;
                            Ok(true)
                        })
                    };
                    spawn_blocking(begin).await.on(HOST)?
                }
            }
        }
    };
    let (run, is_new) = begun.ok_or_else(|| Problem::not_found(HOST))?;
    if is_new {
        return Ok(run.begun(base));
    }
    let run = state.controls.runs().find(&run.id).await.on(HOST)?;
    let run = run.ok_or_else(|| Problem::not_found(HOST))?;
    Ok(run.conversion(base))
}

/// `/video_convert/UUID`: how far the conversion is that has this id.
async fn conversion(state: &State, job: &Job, uuid: &str, base: &str) -> Result<Value, Problem> {
    let run = state.controls.runs().find(uuid).await.on(HOST)?;
    let run = run.ok_or_else(|| Problem::not_found(HOST))?;
    let app = match owner(state, HOST, &run.source).await {
        Ok(app) => app,
        // Its source is gone, or was never a file of ours.
        Err(_) => state.apps.owner(Some(&run.app)),
    };
    let ask = Ask {
        calls: &["convert"],
        handle: Some(&run.source),
        ..Ask::default()
    };
    state.permit(HOST, app, &job.credentials, &ask)?;
    Ok(run.conversion(base))
}

fn only<'a>(job: &'a Job, task: &str) -> Result<&'a Origin, Problem> {
    match job.sources.as_slice() {
        [origin] => Ok(origin),
        _ => Err(one_source(task)),
    }
}

fn by<'a>(app: &'a str, base: String, source: &'a str, meta: &'a Meta) -> Beginning<'a> {
    Beginning {
        app,
        base,
        source,
        meta,
    }
}

fn from(url: &str) -> Meta {
    Meta {
        source_url: Some(url.to_owned()),
        ..Meta::default()
    }
}

/// What a step made has its content for a version.
fn version(hash: &str) -> Meta {
    Meta {
        version: hash.to_owned(),
        ..Meta::default()
    }
}

/// What is no file of ours, on disk: an address's content or what a step of a workflow made.
async fn brought(
    state: &State,
    app: &App,
    job: &Job,
    origin: &Origin,
) -> Result<(Scratch, Meta, String), Problem> {
    let remote = match origin {
        Origin::Remote(remote) => remote,
        Origin::Handle(_) => return Err(Problem::not_found(HOST)),
        Origin::Made(piece) => {
            let mut made = Input::made(HOST, state, job.key.as_deref(), piece, "").await?;
            let store = state.controls.store().clone();
            let copy = move || {
                let scratch = store.scratch()?;
                io::copy(&mut made.file, &mut File::create(scratch.content())?)?;
                Ok((scratch, made.meta))
            };
            let (scratch, meta) = spawn_blocking(copy).await.on(HOST)?;
            return Ok((scratch, meta, piece.handle()));
        }
    };
    let any = Grant::default();
    let got = fetch(HOST, state, app, &any, remote, false, state.max_file_bytes).await?;
    let meta = Meta {
        source_url: Some(remote.url.clone()),
        ..Meta::new(
            got.filename.as_deref().unwrap_or("unnamed_file"),
            got.mimetype.as_deref().unwrap_or("application/octet-stream"),
            None,
            state.controls.clock().now(),
        )
    };
    Ok((got.scratch, meta, remote.url.clone()))
}

fn missing(text: &str) -> Problem {
    Problem::new(HOST, StatusCode::NOT_FOUND, text).in_json()
}

/// The run a result belongs to, if the key in front of it is that of its application or there is none.
pub(super) async fn run_of(
    state: &State,
    key: Option<&str>,
    workflow: &str,
    job: &str,
) -> Result<Run, Problem> {
    let run = state.controls.runs().find(job).await.on(HOST)?;
    run.filter(|run| run.workflow() == workflow && key.is_none_or(|key| key == run.app))
        .ok_or_else(|| Problem::not_found(HOST))
}
