//! Tasks carried out on sources: who may, what comes in, what goes out (§3.11, §4, §6).

use std::io::Read;

use actix_web::http::StatusCode;
use actix_web::http::header::ACCEPT;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value};
use tokio::task::spawn_blocking;

use super::State;
use super::delivery::{Manner, deliver};
use super::files::owner;
use super::flows;
use super::kept::{self, LOCATIONS};
use super::later::{self, Later, run_of};
use super::metadata::fields;
use super::product::{Product, keep, send};
use super::sources::{Input, Origin, Piece, Remote, fetch};
use super::zip::Archive;
use crate::emulator::apps::App;
use crate::emulator::clock::seconds;
use crate::emulator::errors::{Host, On, Problem};
use crate::emulator::policy::{Ask, Credentials, Grant, Refusal};
use crate::emulator::transform::{Cache, Content, Fallback, MAX_SOURCES, Reply, Source, Store, Task, run};

const HOST: Host = Host::Cdn;

/// Something to do.
pub(super) struct Job {
    /// The API key it came with; only external sources need one (§4).
    pub key: Option<String>,
    pub tasks: Vec<Task>,
    pub sources: Vec<Origin>,
    pub credentials: Credentials,
    /// Tags for a file that is stored.
    pub tags: Map<String, Value>,
    /// `dl=true`.
    pub attach: bool,
    /// `/TASKS/SOURCE`, for telling of what was made.
    pub made_by: Option<String>,
}

/// The tasks by what they mean for a job.
#[derive(Default)]
struct Plan {
    /// Those that change or report on the content.
    work: Vec<Task>,
    store: Option<Store>,
    fallback: Option<Fallback>,
    metadata: Option<Vec<&'static str>>,
    zip: bool,
    /// Whether the work makes one file of several.
    joins: bool,
    cache: Option<Cache>,
    /// What is answered without a file.
    later: Option<Later>,
}

impl Plan {
    fn of(tasks: Vec<Task>) -> Self {
        let mut plan = Self::default();
        // A report says what would be done, and nothing is.
        let is_report = tasks.contains(&Task::Debug);
        for task in tasks {
            match task {
                Task::VideoConvert(video) if !is_report => plan.later = Some(Later::Video(video)),
                Task::RunWorkflow(id) if !is_report => plan.later = Some(Later::Workflow(id)),
                Task::WorkflowStatus(id) if !is_report => plan.later = Some(Later::Status(id)),
                Task::TextSentiment(asked) if !is_report => plan.later = Some(Later::Sentiment(asked)),
                Task::VideoPlaylist => {}
                Task::Store(options) => {
                    plan.store = Some(plan.store.unwrap_or_default().merged(options));
                }
                Task::Fallback(fallback) => plan.fallback = Some(fallback),
                Task::Metadata(names) => plan.metadata = Some(names),
                Task::Zip => plan.zip = true,
                Task::Cache(cache) => plan.cache = Some(cache),
                task => {
                    plan.joins |= task.takes_several();
                    plan.work.push(task);
                }
            }
        }
        plan
    }

    /// The calls a policy must grant for each source, all of them (§2.1).
    fn calls(&self) -> Vec<&'static str> {
        let mut calls = Vec::new();
        if self.zip || !self.work.is_empty() {
            calls.push("convert");
        }
        if self.metadata.is_some() {
            calls.push("stat");
        }
        if self.store.is_some() {
            calls.push("store");
        }
        if calls.is_empty() {
            calls.push("read");
        }
        calls
    }

    fn needs(&self) -> Needs {
        let exif = |names: &Vec<&str>| names.contains(&"exif");
        Needs {
            calls: self.calls(),
            always: self.work.iter().any(Task::is_intelligence),
            exif: self.metadata.as_ref().is_some_and(exif),
        }
    }

    /// What is wrong with this list of sources (§4, §6.1): a task that works on one file has no use for more, and an archive
    /// takes files as they are.
    fn check_sources(&self, count: usize) -> Result<(), Problem> {
        if self.zip && (!self.work.is_empty() || self.metadata.is_some()) {
            return Err(Problem::bad(
                HOST,
                "`zip` takes files as they are, without another task",
            ));
        }
        if self.joins && count == 0 {
            return Err(Problem::bad(HOST, "`collage` needs `files`, or sources"));
        }
        if count > MAX_SOURCES {
            let text = format!("There may be at most {MAX_SOURCES} sources");
            return Err(Problem::bad(HOST, text));
        }
        if count < 2 || self.zip || self.joins {
            return Ok(());
        }
        let single = self.work.iter().map(Task::name).find(|name| *name != "debug");
        let single = single.or(self.metadata.as_ref().map(|_| "metadata"));
        let single = single.or(self.store.as_ref().map(|_| "store"));
        Err(one_source(single.unwrap_or("download")))
    }

    /// Handles that a task has beside the sources.
    fn files(&self) -> impl Iterator<Item = Origin> {
        let collages = self.work.iter().filter_map(|task| match task {
            Task::Collage(collage) => Some(&collage.files),
            _ => None,
        });
        collages.flatten().cloned().map(Origin::Handle)
    }

    /// The content goes where it goes as it is.
    fn is_plain(&self) -> bool {
        self.work.is_empty() && !self.zip && self.metadata.is_none()
    }
}

/// A list where one source belongs.
pub(super) fn one_source(task: &str) -> Problem {
    let text = format!("invalid source for `{task}` task: it takes one source, not a list");
    Problem::bad(HOST, text)
}

/// The origins a source names. Aliases have no storage here.
pub(super) fn sources_of(source: Source) -> Result<Vec<Origin>, Problem> {
    match source {
        Source::Handle(handle) => Ok(vec![Origin::Handle(handle)]),
        Source::Url(url) => Ok(vec![Origin::Remote(Remote::new(url))]),
        Source::Alias(_) => Err(Problem::not_done(HOST, "A storage alias as source")),
        Source::Result { workflow, job, hash } => Ok(vec![Origin::Made(Piece { workflow, job, hash })]),
        Source::None => Ok(Vec::new()),
        Source::Many(several) => {
            let several: Result<Vec<_>, _> = several.into_iter().map(sources_of).collect();
            Ok(several?.into_iter().flatten().collect())
        }
    }
}

/// Carries a job out, or serves its fallback when its source fails.
pub(super) async fn perform(req: &HttpRequest, state: &State, mut job: Job) -> Result<HttpResponse, Problem> {
    let plan = Plan::of(std::mem::take(&mut job.tasks));
    if let Some(later) = &plan.later {
        let beside = plan.zip || plan.metadata.is_some() || plan.store.is_some() || !plan.work.is_empty();
        if beside {
            let text = "A conversion of film, a workflow or a text's mood stands alone, without another task";
            return Err(Problem::bad(HOST, text));
        }
        return later::answer(req, state, &job, later).await;
    }
    // A picture that stands alone in front of a collage is one of it.
    job.sources.extend(plan.files());
    plan.check_sources(job.sources.len())?;
    match (attempt(req, state, &job, &plan).await, &plan.fallback) {
        (Err(problem), Some(fallback)) if problem.is_of_source() && plan.store.is_none() => {
            instead(req, state, &job, &plan, fallback).await
        }
        (outcome, _) => outcome,
    }
}

async fn attempt(req: &HttpRequest, state: &State, job: &Job, plan: &Plan) -> Result<HttpResponse, Problem> {
    let app = permitted(state, job, &plan.needs()).await?;
    let grant = match &plan.store {
        Some(options) => may_store(state, app, job, options)?,
        None => Grant::default(),
    };
    if let Some(options) = &plan.store {
        // Before anything is fetched or made; asked again where they begin.
        flows::asked(HOST, state, app, &grant, &options.workflows)?;
    }
    let mut inputs = Vec::with_capacity(job.sources.len());
    for origin in &job.sources {
        inputs.push(open(req, state, job, &grant, plan, (app, origin)).await?);
    }
    let product = produce(req, state, app, plan, inputs).await?;
    match &plan.store {
        Some(options) => keep(req, state, app, &grant, options, job, product).await,
        None => send(req, manner(job, plan, app), product),
    }
}

fn manner(job: &Job, plan: &Plan, app: &App) -> Manner {
    Manner {
        host: HOST,
        attach: job.attach,
        secured: app.secured,
        cache: plan.cache.unwrap_or(Cache::Default),
    }
}

/// What a policy must say for a job.
pub(super) struct Needs {
    /// The calls it must grant for each source, all of them (§2.1).
    pub calls: Vec<&'static str>,
    /// Whether there must be one with security off as well (§2.4).
    pub always: bool,
    /// Whether it must name `exif`, which is never implied (§2.1).
    pub exif: bool,
}

/// Checks the policy for every source, by the application each belongs to, and says whose job it is.
pub(super) async fn permitted<'a>(state: &'a State, job: &Job, needs: &Needs) -> Result<&'a App, Problem> {
    let known = job.key.as_deref().and_then(|key| state.apps.find(key));
    let mut whose = None;
    for origin in &job.sources {
        let (app, handle, source) = match origin {
            Origin::Handle(handle) => (owner(state, HOST, handle).await?, Some(handle.clone()), None),
            Origin::Remote(remote) => {
                let text = "External sources need an API key";
                let app =
                    known.ok_or_else(|| Problem::new(HOST, StatusCode::UNAUTHORIZED, text).in_json())?;
                (app, None, Some(remote.url.as_str()))
            }
            Origin::Made(piece) => {
                let run = run_of(state, job.key.as_deref(), &piece.workflow, &piece.job).await?;
                (state.apps.owner(Some(&run.app)), Some(piece.handle()), None)
            }
        };
        for call in &needs.calls {
            let ask = Ask {
                calls: &[call],
                handle: handle.as_deref(),
                source,
                ..Ask::default()
            };
            let grant = if needs.always {
                state.permit_signed(HOST, app, &job.credentials, &ask)?
            } else {
                state.permit(HOST, app, &job.credentials, &ask)?
            };
            if needs.exif && !grant.allows("exif") {
                return Err(Problem::refused(HOST, &app.key, &Refusal::Call));
            }
        }
        whose.get_or_insert(app);
    }
    whose.ok_or_else(|| Problem::bad(HOST, "This task needs a source"))
}

/// Whether the policy lets the result be kept where the task wants it.
fn may_store(state: &State, app: &App, job: &Job, options: &Store) -> Result<Grant, Problem> {
    let target = kept::target(options).map_err(|refusal| Problem::refused(HOST, &app.key, &refusal))?;
    let known = |location: &String| LOCATIONS.contains(&location.to_ascii_lowercase().as_str());
    if !options.location.as_ref().is_none_or(known) {
        return Err(Problem::bad(HOST, "Unknown storage location").in_json());
    }
    let (handle, source) = match job.sources.first() {
        Some(Origin::Handle(handle)) => (Some(handle.clone()), None),
        Some(Origin::Remote(remote)) => (None, Some(remote.url.as_str())),
        Some(Origin::Made(piece)) => (Some(piece.handle()), None),
        None => (None, None),
    };
    let ask = Ask {
        calls: &["store"],
        handle: handle.as_deref(),
        target: Some(target),
        source,
        ..Ask::default()
    };
    state.permit(HOST, app, &job.credentials, &ask)
}

async fn open(
    req: &HttpRequest,
    state: &State,
    job: &Job,
    grant: &Grant,
    plan: &Plan,
    (app, origin): (&App, &Origin),
) -> Result<Input, Problem> {
    match origin {
        Origin::Handle(handle) => Input::stored(HOST, state, handle, &state.base(req).url("")).await,
        Origin::Made(piece) => {
            let base = state.base(req).url("");
            Input::made(HOST, state, job.key.as_deref(), piece, &base).await
        }
        Origin::Remote(remote) => {
            // What is only stored is bounded by the policy while it comes, what is worked on by what can be worked on.
            let plain = plan.is_plain();
            let any = Grant::default();
            let grant = if plain { grant } else { &any };
            let most = if plan.work.is_empty() {
                state.max_file_bytes
            } else {
                state.max_image_bytes
            };
            let base64 = plain && is_base64(plan.store.as_ref());
            let got = fetch(HOST, state, app, grant, remote, base64, most).await?;
            Input::fetched(HOST, state, remote, got).await
        }
    }
}

fn is_base64(options: Option<&Store>) -> bool {
    options.and_then(|options| options.base64).unwrap_or(false)
}

async fn produce(
    req: &HttpRequest,
    state: &State,
    app: &App,
    plan: &Plan,
    mut inputs: Vec<Input>,
) -> Result<Product, Problem> {
    if plan.zip {
        let files = inputs.into_iter();
        let files = files.map(|input| (input.meta.filename, input.meta.size, input.file));
        let text = "The archive would be larger than 4 GiB";
        let large = || Problem::new(HOST, StatusCode::PAYLOAD_TOO_LARGE, text).in_json();
        return Archive::new(files.collect())
            .map(Product::Archive)
            .ok_or_else(large);
    }
    if !plan.work.is_empty() {
        return worked(req, state, app, plan.work.clone(), inputs).await;
    }
    let input = inputs.pop().ok_or_else(|| Problem::not_found(HOST))?;
    if let Some(names) = plan.metadata.clone() {
        let facts = move || fields(&input.meta, input.file, names);
        let facts = spawn_blocking(facts).await.on(HOST)?;
        return Ok(Product::Facts(facts.into()));
    }
    Ok(Product::File(input))
}

async fn worked(
    req: &HttpRequest,
    state: &State,
    app: &App,
    tasks: Vec<Task>,
    mut inputs: Vec<Input>,
) -> Result<Product, Problem> {
    let began = std::time::Instant::now();
    let bytes: u64 = inputs.iter().map(|input| input.meta.size).sum();
    if bytes > state.max_image_bytes {
        let text = match inputs.len() {
            1 => "The file is too large to be transformed",
            _ => "The files together are too large to be transformed",
        };
        return Err(Problem::bad(HOST, text));
    }
    let first = inputs.first().ok_or_else(|| Problem::not_found(HOST))?;
    let (meta, url) = (first.meta.clone(), first.url.clone());
    let accepts = req.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let accepts_webp = accepts.is_some_and(|accept| accept.contains("image/webp"));
    // A whole picture is in memory from here on, so few do this at once; the others wait.
    let _turn = state
        .transforms
        .acquire()
        .await
        .map_err(|error| Problem::internal(HOST, &error))?;
    let work = move || {
        let mut read = Vec::with_capacity(inputs.len());
        for input in &mut inputs {
            let mut bytes = Vec::new();
            input.file.read_to_end(&mut bytes)?;
            read.push(bytes);
        }
        let files = inputs.iter().zip(&read).map(|(input, bytes)| Content {
            bytes,
            mimetype: &input.meta.mimetype,
        });
        Ok(run(&tasks, &files.collect::<Vec<_>>(), accepts_webp))
    };
    let outcome = spawn_blocking(work).await.on(HOST)?;
    let done = outcome.map_err(|error| {
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
        Problem::json(HOST, status, error.to_string())
    })?;
    Ok(match done {
        Reply::Image { bytes, mimetype } => Product::Made {
            bytes: bytes.into(),
            mimetype,
            of: meta,
        },
        Reply::Json(mut report) => {
            // §6.1: what a report of `debug` says that only a route knows.
            if let Some(report) = report
                .as_object_mut()
                .filter(|report| report.contains_key("task_uri"))
            {
                report.insert("apikey".into(), app.key.clone().into());
                report.insert("task_uri".into(), req.uri().path().into());
                report.insert("start_time".into(), seconds(state.controls.clock().now()).into());
                report.insert("processing_time".into(), began.elapsed().as_secs_f64().into());
                if let Some(source) = report.get_mut("source").and_then(Value::as_object_mut) {
                    source.insert("url".into(), url.into());
                }
            }
            Product::Facts(report)
        }
    })
}

/// The file that is sent when the source fails, for whoever might have had the source.
async fn instead(
    req: &HttpRequest,
    state: &State,
    job: &Job,
    plan: &Plan,
    fallback: &Fallback,
) -> Result<HttpResponse, Problem> {
    let app = owner(state, HOST, &fallback.handle).await?;
    for call in plan.calls() {
        let ask = Ask {
            calls: &[call],
            handle: Some(&fallback.handle),
            ..Ask::default()
        };
        state.permit(HOST, app, &job.credentials, &ask)?;
    }
    let mut manner = manner(job, plan, app);
    if let Some(seconds) = fallback.cache {
        manner.cache = Cache::Seconds(seconds);
    }
    deliver(req, state, &fallback.handle, manner).await
}
