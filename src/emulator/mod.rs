//! A Filestack of our own: uploads, delivery, policies, metadata and transformations over HTTP, with files on disk.
//!
//! It speaks Filestack's wire protocol on one origin, so that an unmodified client cannot tell it from the service on these
//! calls. It uses nothing else of this crate and shares no signing code with the client: it could be a crate of its own,
//! and a mistake that both made would otherwise hide. The caller binds the socket; loopback is the place for it.
//!
//! | Route | Does | § |
//! |---|---|---|
//! | `POST /multipart/start`, `/upload`, `/commit`, `/complete` | multipart upload, JSON and form dialects, intelligent ingestion | 3.1–3.8 |
//! | `PUT /storage/UPLOAD` | takes the bytes of a part; its URL and headers come from `/multipart/upload` | 3.4 |
//! | `POST /prefetch` | picker settings with the defaults filled in | 3.9 |
//! | `POST /api/store/LOCATION` | stores a body: raw, `fileUpload`, base64, or what a URL names | 3.10 |
//! | `POST /process` | tasks on URLs or handles, `store` most of all | 3.11 |
//! | `GET`, `HEAD`, `POST`, `DELETE /api/file/HANDLE`, `POST …/remove` | download, overwrite, delete | 5 |
//! | `GET /api/file/HANDLE/metadata`, `GET /HANDLE/metadata` | metadata, all hashes | 5.1 |
//! | `GET`, `HEAD`, `POST /[KEY/][TASKS/…]SOURCE` | delivery, transformation, `store`, `fallback`; sources are handles and URLs | 4, 6 |
//! | `GET`, `HEAD`, `POST /[KEY/][TASKS/…][SOURCE,SOURCE,…]` | `zip` of files; `collage`, `animate` and `pdfcreate` of pictures, with tasks before (on each) and after; any other task takes one source and refuses a list with 400 | 4, 6.1, 6.2, 6.4, 6.5 |
//! | `GET …/tags`, `sfw`, `caption`, `ocr`, `copyright`, `image_sentiment`, `doc_detection` before a source; `text_sentiment` without | made up from the content, the same every time; always with a policy | 6.8 |
//! | `GET …/video_convert=…/SOURCE`, `/video_convert/UUID`, `/video_playlist/HANDLE` | begins a conversion, then says how far it is; the file is made up | 6.7 |
//! | `GET …/run_workflow=id:UUID/SOURCE`, `/KEY/…/workflow_status=job_id:JOB`; `workflows` of a store | workflows on files, addresses and uploads | 8 |
//! | `GET …/wf://WORKFLOW/JOB/HASH` | what a step of a workflow made, a source like others | 8 |
//! | `POST /folder/list`, `/auth/logout` | no drives, but listing checks the policy | 9.4 |
//! | `GET /filestack-js/VERSION/filestack.min.js`, `/picker/[VERSION/]picker.js` | stand-ins for the browser client and the picker | 9.1 |
//! | `OPTIONS *` | CORS preflight | 10 |
//! | `/__emulator/`, `/__emulator/api/…` | the control surface, which is ours; its table is in `console` | – |
//!
//! Not done. Parameters are judged all the same, so that a wrong path is refused as the service refuses it; what is right is
//! answered with 501 and a sentence, never with something that looks like a result:
//!
//! | What | § | Why |
//! |---|---|---|
//! | `src://ALIAS/…` as a source | 4 | an alias stands for a customer's own bucket; there is no storage but this one |
//! | `POST /store/`, `POST /metadata` | 9.4, 13 | they fetch from cloud drives and addresses for the picker, and the picker is not published; `/folder/list` is empty |
//! | `/recording/…` (404) | 9.4 | the picker's own recorder; what it answers is not public |
//! | `smart_crop`, `pjpg`; faces; filters, borders, effects but `enhance` and `collage` | 6.2–6.4 | the full set of picture tasks is work of its own; the ones people build on come first |
//! | formats of `output` that are no pictures; `pdfinfo`, `pdfconvert`, `doc_to_images`, `preview`, `slide`, `qr`, `minify_…`, `urlscreenshot` | 6.5 | the same, and most need an office suite, a PDF renderer or a browser beside the program |
//! | pictures in TIFF or BMP as input; PSD, AI and SVG are an unsupported conversion (400) | 6.5 | no decoder for them is linked; each is a risk of its own |
//! | `video_sfw`, `video_tagging`, `phishing_detection`; conditions and branches of workflows | 8 | what they answer, and how the portal writes conditions down, is not public |
//! | policies in cookies, an own domain | 2.3 | there is no domain but the address it listens at |
//!
//! What happens to files, and the end of workflows and conversions, is told to registered endpoints by webhooks (§7);
//! `webhooks` has the rules.
//!
//! Where it differs from the service on purpose: types that can run script are delivered as sandboxed attachments,
//! because a port is not a site of its own; with security on nothing is cached without asking; storage paths with steps
//! up are refused; files that share a key do not overwrite each other; an archive of `zip` ends at 4 GiB; a page of `pdfcreate` is a picture, any other file is an unsupported conversion; a
//! collage is a grid, in PNG. What is fetched
//! comes from public addresses only, unless it is the emulator's own or was named at the start (`fetch`).
//!
//! What models and encoders would find or make is made up from the content's SHA-256: the same content has the same results,
//! and `debug` says that they are made up. True are `ocr` of a text file, `virus_detection` (the EICAR test file, also in ZIP
//! archives), and `sfw` and `copyright` of files with the marks in `transform::intelligence`. Intelligence answers about any
//! file, not pictures alone. Workflows and conversions end three seconds after they began by the emulator's clock, or when
//! they are told to; an upload that names a workflow needs `convert` and `runWorkflow` in its policy when it has one; `force`
//! begins a failed conversion again, no other; a workflow's step that fails has an `error` as its result.
//!
//! `store` and `uploads` are the disk, `webhooks` tells, `policy` decides, `errors` words the refusals, `http` has the routes,
//! `controls` is what may be turned while it runs, `console` shows that to people and programs, `transform` does pictures,
//! `workflows` are what can be run, `runs` what is running, `viruses` looks for them.

pub mod transform;

mod apps;
mod archive;
mod clock;
mod console;
mod controls;
mod dir;
mod errors;
mod fetch;
mod http;
mod ids;
mod policy;
mod root;
mod runs;
mod sink;
mod slots;
mod store;
mod uploads;
mod viruses;
mod webhooks;
mod workflows;

#[cfg(test)]
mod tests;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::{App as Routes, HttpServer, web};

use runs::{Runs, clockwork};

pub use apps::App;
pub use clock::{Clock, ClockSetting};
pub use controls::{Call, Calls, Controls, Fault, Faults, Route, Verdict, Waiting};
pub use store::{Meta, Store};
pub use webhooks::{
    Attempt, Endpoint, Event, Reason, WaitingWebhook, Webhook, WebhookFault, WebhookFilter, WebhookState,
    Webhooks,
};
pub use workflows::{Step, Workflow, Workflows};

/// How long a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long an endpoint may take to answer a webhook (§7.1).
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(30);
/// Clients keep connections between parts.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long running requests may take when the server stops gracefully.
const SHUTDOWN_SECONDS: u64 = 5;

/// What an emulator is like.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where files are kept.
    pub dir: PathBuf,
    /// Makes the directory, which must not be there yet, and removes it when the emulator has ended and its controls are
    /// gone.
    pub temporary: bool,
    /// The applications it knows, at least one.
    pub apps: Vec<App>,
    /// Origin that clients reach it by, such as `https://files.example.org`; otherwise what they name in `Host`.
    pub public_url: Option<String>,
    /// Whether intelligent ingestion is granted to who asks for it (§3.6).
    pub intelligent_ingestion: bool,
    /// The largest file it takes.
    pub max_file_bytes: u64,
    /// The smallest part but the last; real storage wants 5 MiB.
    pub min_part_bytes: u64,
    /// The largest file it transforms (§11.3).
    pub max_image_bytes: u64,
    /// Whether there is a control surface. It has no password, so without a word it is there on loopback addresses only.
    pub control_surface: Option<bool>,
    /// Hosts and ports it fetches from although they are not public, such as a test server on this machine.
    pub allow_fetch: Vec<(String, u16)>,
    /// Workflows it knows besides the one of every app; more may be added while it runs.
    pub workflows: Vec<Workflow>,
    /// Where webhooks go; more endpoints may be registered while it runs.
    pub webhooks: Vec<Endpoint>,
    /// How long an endpoint may take to answer (§7.1).
    pub webhook_timeout: Duration,
    /// What browsers get as Filestack's client (§9.1); a stand-in of our own unless one is given.
    pub client_script: Option<String>,
}

impl Config {
    /// The usual configuration.
    pub fn new(dir: impl Into<PathBuf>, apps: Vec<App>) -> Self {
        Self {
            dir: dir.into(),
            temporary: false,
            apps,
            public_url: None,
            intelligent_ingestion: true,
            max_file_bytes: 1 << 40,
            min_part_bytes: 0,
            max_image_bytes: transform::MAX_INPUT_BYTES as u64,
            control_surface: None,
            allow_fetch: Vec::new(),
            workflows: Vec::new(),
            webhooks: Vec::new(),
            webhook_timeout: WEBHOOK_TIMEOUT,
            client_script: None,
        }
    }

    /// What browsers get as Filestack's client.
    fn client_script(&self) -> &str {
        self.client_script.as_deref().unwrap_or(http::CLIENT_SCRIPT)
    }

    /// The configuration of an emulator that leaves nothing behind: its files are in a new directory among the system's
    /// temporary ones, in memory where those are, and are removed at the end.
    pub fn in_memory(apps: Vec<App>) -> Self {
        let name = format!("filestack-emulator-{}", ids::alphanumeric(16));
        Self {
            temporary: true,
            ..Self::new(std::env::temp_dir().join(name), apps)
        }
    }
}

/// A started emulator. It works while `server` is awaited or spawned.
pub struct Emulator {
    /// The server, a future that ends when it was stopped.
    pub server: Serving,
    /// Where it listens.
    pub addr: SocketAddr,
    /// Clock, files, webhooks, failures on demand.
    pub controls: Controls,
    /// What browsers get as Filestack's client, for pages that name its digest.
    pub client_script: String,
    handle: ServerHandle,
}

/// A server that answers calls and sends webhooks while it is awaited.
pub struct Serving {
    server: Server,
    /// Never ends by itself.
    sending: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Future for Serving {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = Pin::new(&mut self.server).poll(cx);
        if ended.is_pending() {
            let _never_ends = self.sending.as_mut().poll(cx);
        }
        ended
    }
}

impl Emulator {
    /// Stops or pauses the server from elsewhere.
    pub fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }
}

/// Starts an emulator on a bound socket; call it inside an actix runtime. Signals are left to the caller.
///
/// # Errors
/// When the directory cannot be used, no application is named or one twice, or the public URL is not an origin.
pub fn serve(config: Config, listener: TcpListener, workers: usize) -> io::Result<Emulator> {
    let invalid = |text: &str| io::Error::new(io::ErrorKind::InvalidInput, text);
    let apps = apps::Apps::new(config.apps.clone())
        .ok_or_else(|| invalid("the emulator needs at least one app, and every key once"))?;
    if config
        .public_url
        .as_deref()
        .is_some_and(|url| http::Base::parse(url).is_none())
    {
        return Err(invalid(
            "the emulator's public URL is not an origin such as https://files.example.org",
        ));
    }
    let addr = listener.local_addr()?;
    let store = if config.temporary {
        Store::temporary(&config.dir)?
    } else {
        Store::open(&config.dir)?
    };
    store.sweep()?;
    let clock = Clock::default();
    let hooks = config.webhooks.clone();
    let (webhooks, sender) = Webhooks::open(&store, &clock, hooks, config.webhook_timeout)?;
    let workflows = Workflows::open(&store, &apps, &config.workflows)?;
    let runs = Runs::open(&store, &clock, &webhooks, config.max_image_bytes)?;
    let work = (workflows, runs.clone());
    let client_script = config.client_script().to_owned();
    let controls = Controls::new(store, apps.clone(), clock, webhooks, work);
    let console = web::Data::new(console::Console::new(&config, controls.clone(), addr));
    let state = web::Data::new(http::State::new(&config, apps, controls.clone(), addr));
    let routes = move || {
        Routes::new()
            .app_data(state.clone())
            .app_data(console.clone())
            .wrap(from_fn(http::edge))
            .configure(console::routes)
            .configure(http::routes)
    };
    let server = HttpServer::new(routes)
        .on_connect(http::on_connect)
        .client_request_timeout(HEAD_TIMEOUT)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .workers(workers.max(1))
        .disable_signals()
        .listen(listener)?
        .run();
    Ok(Emulator {
        handle: server.handle(),
        server: Serving {
            server,
            sending: Box::pin(async {
                tokio::join!(sender.run(), clockwork(runs));
            }),
        },
        addr,
        controls,
        client_script,
    })
}
