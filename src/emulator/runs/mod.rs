//! What begins now and ends later by the emulator's clock: runs of workflows (§8) and conversions of film and sound (§6.7).
//!
//! A run is on disk before the call that began it is answered, with the content it works on, so neither an end of the process nor
//! a change of its file stops it. It is carried out when it is due, by `clockwork` or by who asks for it, whichever is first;
//! then who hears of webhooks is told (`told`), at least once. `record` is the disk, `film` makes up conversions, `replies`
//! words what is known.

mod clockwork;
mod film;
mod kept;
mod record;
mod replies;
mod told;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;

use super::archive::copy;
use super::clock::{Clock, millis};
use super::ids::{self, HANDLE_LENGTH};
use super::store::{Meta, Scratch, Store};
use super::transform::{Store as StoreOptions, Video};
use super::webhooks::Webhooks;
use super::workflows::{Made, Workflow, carry_out};
pub(super) use clockwork::clockwork;
use record::{Records, State};
pub(super) use record::{Run, Work};

/// How long a run takes when nothing else was said.
const USUAL_MS: u64 = 3_000;
/// How long a run that could not be carried out waits to be tried again, by the emulator's clock.
const AGAIN_MS: u64 = 60_000;

/// The runs of an emulator. Clones are the same ones.
#[derive(Clone, Debug)]
pub(super) struct Runs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    records: Records,
    clock: Clock,
    webhooks: Webhooks,
    /// The largest content that is read as a whole.
    max_image_bytes: u64,
    /// How long a run takes, in milliseconds.
    takes_ms: AtomicU64,
    /// What is not done yet, and when it is due.
    due: Mutex<HashMap<String, u64>>,
    /// One is carried out at a time: each may hold a picture in memory.
    turn: Arc<Semaphore>,
    changed: watch::Sender<()>,
}

/// Who begins a run, and on what.
pub(super) struct Beginning<'a> {
    /// Key of the application.
    pub app: &'a str,
    /// Scheme and authority that it is reached by.
    pub base: String,
    /// Handle or URL.
    pub source: &'a str,
    pub meta: &'a Meta,
}

impl Runs {
    /// Opens what the last process left.
    ///
    /// # Errors
    /// When the directory cannot be read or written.
    pub(super) fn open(
        store: &Store,
        clock: &Clock,
        webhooks: &Webhooks,
        max_image_bytes: u64,
    ) -> io::Result<Self> {
        let runs = Self(Arc::new(Inner {
            records: Records::open(store)?,
            clock: clock.clone(),
            webhooks: webhooks.clone(),
            max_image_bytes,
            takes_ms: AtomicU64::new(USUAL_MS),
            due: Mutex::default(),
            turn: Arc::new(Semaphore::new(1)),
            changed: watch::Sender::default(),
        }));
        runs.recover()?;
        Ok(runs)
    }

    /// How long a run takes by the emulator's clock.
    pub(super) fn takes(&self) -> Duration {
        Duration::from_millis(self.0.takes_ms.load(Ordering::Relaxed))
    }

    /// Sets how long runs take that begin from now on.
    pub(super) fn set_takes(&self, time: Duration) {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.0.takes_ms.store(ms, Ordering::Relaxed);
    }

    pub(super) fn set_usual(&self) {
        self.set_takes(Duration::from_millis(USUAL_MS));
    }

    /// Begins a workflow on content in a scratch place.
    pub(super) fn run(&self, workflow: Workflow, by: &Beginning<'_>, content: &Path) -> io::Result<Run> {
        let run = self.fresh(ids::uuid(), Work::Workflow(workflow), by, State::Started);
        let scratch = self.0.records.store().scratch()?;
        copy(content, &scratch.dir.join("source"))?;
        self.begin(&run, scratch)?;
        Ok(run)
    }

    /// The same on a file of ours; `None` when it is not there.
    pub(super) fn run_on(
        &self,
        workflow: Workflow,
        by: &Beginning<'_>,
        handle: &str,
    ) -> io::Result<Option<Run>> {
        let run = self.fresh(ids::uuid(), Work::Workflow(workflow), by, State::Started);
        let scratch = self.0.records.store().scratch()?;
        if !self.link(handle, &scratch)? {
            return Ok(None);
        }
        self.begin(&run, scratch)?;
        Ok(Some(run))
    }

    /// Notes that workflows begin when a file is stored under a handle; [`Runs::start`] begins them.
    pub(super) fn reserve(&self, workflows: &[Workflow], by: &Beginning<'_>) -> io::Result<Vec<Run>> {
        let mut reserved = Vec::with_capacity(workflows.len());
        for workflow in workflows {
            let work = Work::Workflow(workflow.clone());
            let run = self.fresh(ids::uuid(), work, by, State::Reserved);
            let scratch = self.0.records.store().scratch()?;
            self.0.records.begin(&run, scratch)?;
            reserved.push(run);
        }
        Ok(reserved)
    }

    /// Begins what was reserved for a file that is stored now; takes it back when it is not.
    pub(super) fn start(&self, reserved: Vec<Run>) -> io::Result<()> {
        for mut run in reserved {
            let records = &self.0.records;
            let dir = records.dir(&run.id).ok_or(io::ErrorKind::InvalidInput)?;
            let scratch = records.store().scratch()?;
            if !self.link(&run.source, &scratch)? {
                records.remove(&run.id)?;
                continue;
            }
            fs::rename(scratch.dir.join("source"), dir.join("source"))?;
            run.state = State::Started;
            records.write(&run)?;
            self.await_end(&run);
        }
        Ok(())
    }

    /// The conversion of a content by this wish, and whether it begins with this call; `content` is asked for then only, and
    /// says whether there is any.
    pub(super) fn convert(
        &self,
        video: &Video,
        by: &Beginning<'_>,
        content: impl FnOnce(&Scratch) -> io::Result<bool>,
    ) -> io::Result<Option<(Run, bool)>> {
        let id = conversion_id(video, by)?;
        if let Some(run) = self.0.records.read(&id)? {
            let failed = run.outcome["status"] == "failed";
            if !(video.force && failed) {
                return Ok(Some((run, false)));
            }
            self.forget(&id)?;
        }
        let run = self.fresh(id, Work::Video(Box::new(video.clone())), by, State::Started);
        let scratch = self.0.records.store().scratch()?;
        if !content(&scratch)? {
            return Ok(None);
        }
        if self.begin(&run, scratch)? {
            return Ok(Some((run, true)));
        }
        // Of two that come at once, one began it.
        Ok(self.0.records.read(&run.id)?.map(|run| (run, false)))
    }

    /// Puts a file's content into a scratch place as what a run works on; `false` when the file is not there.
    pub(super) fn link(&self, handle: &str, scratch: &Scratch) -> io::Result<bool> {
        self.0.records.store().link(handle, &scratch.dir.join("source"))
    }

    /// A run, carried out when it is due.
    pub(super) async fn find(&self, id: &str) -> io::Result<Option<Run>> {
        let (records, name) = (self.0.records.clone(), id.to_owned());
        let run = spawn_blocking(move || records.read(&name)).await??;
        match run {
            Some(run) if run.state == State::Started && run.due_ms <= self.now_ms() => self.end(id).await,
            run => Ok(run),
        }
    }

    /// Carries a run out if it is due and tells of its end, once it is its turn.
    async fn end(&self, id: &str) -> io::Result<Option<Run>> {
        let turn = self.0.turn.clone().acquire_owned();
        let turn = turn.await.map_err(io::Error::other)?;
        let (runs, id) = (self.clone(), id.to_owned());
        // The turn goes with the work, which does not stop when nobody waits for it any more.
        let work = move || {
            let _turn = turn;
            runs.settle(&id)
        };
        spawn_blocking(work).await?
    }

    fn settle(&self, id: &str) -> io::Result<Option<Run>> {
        let records = &self.0.records;
        let Some(_hold) = records.hold(id)? else {
            self.due().remove(id);
            return Ok(None);
        };
        let Some(mut run) = records.read(id)? else {
            self.due().remove(id);
            return Ok(None);
        };
        if run.state == State::Started && run.due_ms <= self.now_ms() {
            // Should this fail or panic, it is tried again, but not at once.
            self.due().insert(id.to_owned(), self.now_ms() + AGAIN_MS);
            self.carry_out(&mut run)?;
            run.state = State::Ended;
            run.changed_ms = self.now_ms().max(run.created_ms);
            records.write(&run)?;
        }
        if run.state == State::Ended {
            told::tell(&run, &self.0.webhooks)?;
            run.state = State::Told;
            records.write(&run)?;
        }
        if run.state == State::Told {
            records.close(id)?;
            self.due().remove(id);
        }
        Ok(Some(run))
    }

    fn carry_out(&self, run: &mut Run) -> io::Result<()> {
        let dir = self.0.records.dir(&run.id).ok_or(io::ErrorKind::InvalidInput)?;
        match run.work.clone() {
            Work::Video(video) => run.outcome = film::convert(self, run, &video, &dir)?,
            Work::Workflow(workflow) => {
                let place = |hash: &str| format!("/{}/wf://{}/{}/{hash}", run.app, workflow.id, run.id);
                let keep = |at: usize, options: &StoreOptions, content: &Path, mimetype: &str| {
                    self.keep(run, at, options, content, mimetype)
                };
                let most = self.0.max_image_bytes;
                let (results, made) = carry_out(&workflow, &dir, &run.mimetype, most, place, keep)?;
                run.outcome = Value::Object(results);
                run.made = made;
            }
        }
        Ok(())
    }

    /// The `store` step: content becomes a file of its own.
    fn keep(
        &self,
        run: &Run,
        at: usize,
        options: &StoreOptions,
        content: &Path,
        mimetype: &str,
    ) -> io::Result<Value> {
        let handle = run.handles.get(at).ok_or(io::ErrorKind::InvalidInput)?;
        let filename = options.filename.as_deref().unwrap_or(&run.filename);
        let meta = Meta {
            app: Some(run.app.clone()),
            location: options.location.clone().unwrap_or_else(|| "S3".into()),
            container: options.container.clone(),
            ..Meta::new(filename, mimetype, options.path.as_deref(), self.0.clock.now())
        };
        let size = self.keep_as(handle, content, meta)?;
        Ok(json!({ "url": format!("/{handle}"), "handle": handle, "mimetype": mimetype, "size": size }))
    }

    /// Stores content under a handle that was chosen for it, unless that was done already; says how many bytes it has.
    fn keep_as(&self, handle: &str, content: &Path, meta: Meta) -> io::Result<u64> {
        let store = self.0.records.store();
        if !store.exists(handle) {
            let scratch = store.scratch()?;
            copy(content, &scratch.content())?;
            store.publish_as(handle, scratch, meta)?;
        }
        Ok(fs::metadata(content)?.len())
    }

    /// What a step of a workflow made, open.
    pub(super) fn made(&self, run: &Run, hash: &str) -> io::Result<Option<(Made, fs::File)>> {
        self.0.records.made(run, hash)
    }

    fn fresh(&self, id: String, work: Work, by: &Beginning<'_>, state: State) -> Run {
        let now = self.now_ms();
        let count = match &work {
            Work::Workflow(workflow) => workflow.steps.len(),
            Work::Video(_) => film::FILES,
        };
        Run {
            id,
            app: by.app.to_owned(),
            base: by.base.trim_end_matches('/').to_owned(),
            source: by.source.to_owned(),
            filename: by.meta.filename.clone(),
            mimetype: by.meta.mimetype.clone(),
            created_ms: now,
            changed_ms: now,
            due_ms: now.saturating_add(self.0.takes_ms.load(Ordering::Relaxed)),
            state,
            work,
            handles: (0..count).map(|_| ids::alphanumeric(HANDLE_LENGTH)).collect(),
            outcome: Value::Null,
            made: Vec::new(),
        }
    }

    /// `false` when one with its id is there.
    fn begin(&self, run: &Run, scratch: Scratch) -> io::Result<bool> {
        let is_new = self.0.records.begin(run, scratch)?;
        if is_new {
            self.await_end(run);
        }
        Ok(is_new)
    }

    fn await_end(&self, run: &Run) {
        self.due().insert(run.id.clone(), run.due_ms);
        self.tell();
    }

    fn forget(&self, id: &str) -> io::Result<()> {
        self.due().remove(id);
        self.0.records.remove(id)
    }

    /// Takes up what is not done. What was reserved begins if its file was stored.
    fn recover(&self) -> io::Result<()> {
        let records = &self.0.records;
        let mut due = HashMap::new();
        let mut reserved = Vec::new();
        for id in records.unfinished()? {
            match records.read(&id)? {
                Some(run) if run.state == State::Reserved => reserved.push(run),
                Some(run) => {
                    // What has ended is only told of.
                    let at = if run.state == State::Started {
                        run.due_ms
                    } else {
                        0
                    };
                    due.insert(id, at);
                }
                // Marked, and then the process ended.
                None => records.remove(&id)?,
            }
        }
        *self.due() = due;
        self.start(reserved)?;
        self.tell();
        Ok(())
    }

    /// What is due, and the next moment something will be.
    fn agenda(&self) -> (Vec<String>, Option<u64>) {
        let now = self.now_ms();
        let due = self.due();
        let ready = due.iter().filter(|(_, at)| **at <= now);
        let ready = ready.map(|(id, _)| id.clone()).collect();
        let next = due.values().filter(|at| **at > now).min().copied();
        (ready, next)
    }

    fn due(&self) -> MutexGuard<'_, HashMap<String, u64>> {
        self.0.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.0.changed.send_replace(());
    }

    fn now_ms(&self) -> u64 {
        millis(self.0.clock.now())
    }
}

/// The same for the same wish about the same content: polling asks for the first call's conversion.
fn conversion_id(video: &Video, by: &Beginning<'_>) -> io::Result<String> {
    // What was fetched has a new version every time; its address stands for it.
    let version = if by.meta.source_url.is_some() && by.source.contains("://") {
        ""
    } else {
        &by.meta.version
    };
    let wish = serde_json::to_vec(&(by.app, by.source, version, video))?;
    let sum = Sha256::digest(wish);
    Ok(sum.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
}
