//! The application, assembled once: the same for the server, the commands, the tests and the benchmarks.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use actix_web::dev::Server;
use url::Url;

use crate::clock::Clock;
use crate::config::{Config, FilestackMode, ScanFailure};
use crate::db::Db;
use crate::emulator::{self, Emulator, Endpoint};
use crate::filestack::webhook::WebhookSecret;
use crate::filestack::{Credentials, Endpoints, Filestack, FilestackError, Options, Transfers};
use crate::jobs::Workers;
use crate::services::Services;
use crate::services::background::{Background, Scan};
use crate::services::import::Importer;
use crate::services::mail::Mailer;
use crate::services::uploads::LOOKAHEAD;
use crate::web::{self, AppState, PickerSettings, WebSettings};

/// Connections that may wait to be accepted; the system may allow fewer.
const BACKLOG: i32 = 2_048;
/// Filestack's client has half a megabyte.
const LARGEST_SCRIPT: u64 = 8 << 20;
/// Threads that answer on a small machine.
const LEAST_WORKERS: usize = 16;
/// What aborted uploads get to say goodbye, beyond the drain time.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Between two looks at whether anything still runs.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Why the application could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("The address {address} of {what} cannot be used: {error}")]
    Bind {
        /// Which.
        address: SocketAddr,
        /// Whose: `Satchel` or `the emulator`.
        what: &'static str,
        /// The setting that names it.
        setting: &'static str,
        /// Why.
        error: io::Error,
    },
    /// The emulator's files cannot be kept.
    #[error("The emulator cannot keep its files in {}: {error}", .directory.display())]
    Emulator {
        /// Where.
        directory: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The client that the emulator is to serve to browsers cannot be read.
    #[error("SATCHEL_CLIENT_SCRIPT names {}, which cannot be read: {error}", .path.display())]
    ClientScript {
        /// Where it should be.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The system refuses threads.
    #[error("No threads could be started: {0}")]
    Threads(io::Error),
    /// The settings for mail cannot be used.
    #[error("Mail cannot be sent: {0}")]
    Mail(String),
    /// The settings for Filestack cannot be used.
    #[error("Filestack cannot be used: {0}")]
    Filestack(#[from] FilestackError),
}

/// A started application, which works while it is waited for inside an actix runtime.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where people find it.
    pub public_url: Url,
    /// What its requests reach.
    pub state: AppState,
    /// The embedded emulator, in emulator mode.
    pub emulator: Option<Emulator>,
    server: Server,
    workers: Option<Workers>,
    drain: Duration,
}

/// Where the embedded emulator keeps its files.
pub fn emulator_directory(data_dir: &Path) -> PathBuf {
    data_dir.join("emulator")
}

/// Listens, starts the embedded emulator in emulator mode, and brings everything together.
///
/// # Errors
///
/// See [`StartError`].
pub fn start(config: &Config, db: Db, clock: Clock, workers: usize) -> Result<Running, StartError> {
    let listener = listen(config.http.bind, "Satchel", "SATCHEL_BIND")?;
    let address = local_address(&listener, config.http.bind);
    let emulator = match &config.filestack.mode {
        FilestackMode::Emulator {
            bind,
            api_key,
            app_secret,
        } => {
            let listener = listen(*bind, "the emulator", "SATCHEL_EMULATOR_BIND")?;
            let app = emulator::App {
                key: api_key.clone(),
                secret: app_secret.expose().to_owned(),
                secured: true,
            };
            let directory = emulator_directory(&config.data_dir);
            let mut settings = emulator::Config::new(&directory, vec![app]);
            settings.client_script = client_script(config.filestack.client_script.as_deref())?;
            let started = webhooks(config, address)
                .and_then(|webhooks| {
                    settings.webhooks = webhooks;
                    emulator::serve(settings, listener, workers.min(processors()))
                })
                .map_err(|error| StartError::Emulator { directory, error })?;
            Some(started)
        }
        FilestackMode::Service { .. } => None,
    };
    let services = services(config, db, clock, emulator.as_ref().map(|emulator| emulator.addr))?;
    let script = emulator.as_ref().map(|emulator| emulator.client_script.as_str());
    let settings = web_settings(config, &services, address, script)?;
    let public_url = settings.public_url.clone();
    let state = AppState::new(services, settings);
    let stopping = config.http.drain + LAST_WORDS;
    let server =
        web::serve(listener, state.clone(), workers, stopping).map_err(|error| StartError::Bind {
            address,
            what: "Satchel",
            setting: "SATCHEL_BIND",
            error,
        })?;
    let workers = jobs(&state.services, config.background.job_threads)?;
    Ok(Running {
        address,
        public_url,
        state,
        emulator,
        server,
        workers,
        drain: config.http.drain,
    })
}

/// Reads what an emulator is to serve as Filestack's client; `None` when nothing is named, for its stand-in.
///
/// # Errors
///
/// [`StartError::ClientScript`].
pub fn client_script(path: Option<&Path>) -> Result<Option<String>, StartError> {
    let Some(path) = path else {
        return Ok(None);
    };
    let read = || {
        let length = std::fs::metadata(path)?.len();
        if length > LARGEST_SCRIPT {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "it is too large for a script",
            ));
        }
        std::fs::read_to_string(path)
    };
    read().map(Some).map_err(|error| StartError::ClientScript {
        path: path.to_owned(),
        error,
    })
}

/// What the configuration says about HTTP, for a server that listens here. `client_script` is what the embedded emulator, if there is
/// one, serves to browsers as Filestack's client.
///
/// # Errors
///
/// [`StartError::Filestack`] when a secret cannot be used.
pub fn web_settings(
    config: &Config,
    services: &Services,
    address: SocketAddr,
    client_script: Option<&str>,
) -> Result<WebSettings, StartError> {
    let endpoints = services.filestack.endpoints();
    Ok(WebSettings {
        public_url: config.http.public_url.clone().unwrap_or_else(|| origin(address)),
        public_url_is_set: config.http.public_url.is_some(),
        trusted_proxies: config.http.trusted_proxies.clone(),
        cdn_origin: endpoints.cdn.origin().ascii_serialization(),
        emulator: client_script.is_some(),
        head: config.limits.head,
        stall: config.limits.stall,
        picker: PickerSettings::new(endpoints, client_script),
        import: config
            .import
            .as_ref()
            .map(|import| Importer::new(import.is_public, import.places.clone())),
        api_rate: config.limits.api_rate,
        shown: config.shown.clone(),
        webhook_secrets: webhook_secrets(config)?,
        metrics_token: config.http.metrics_token.clone(),
    })
}

/// The secrets that webhooks may be signed with: the present one first, then the one before. Without a present one there are none.
///
/// # Errors
///
/// [`StartError::Filestack`] when one cannot be used.
pub fn webhook_secrets(config: &Config) -> Result<Vec<WebhookSecret>, StartError> {
    let settings = &config.filestack;
    let previous = settings
        .webhook_secret
        .as_ref()
        .and(settings.webhook_secret_previous.as_ref());
    settings
        .webhook_secret
        .iter()
        .chain(previous)
        .map(|secret| Ok(WebhookSecret::new(secret.expose())?))
        .collect()
}

/// Starts workers in this process; none when none are wanted.
///
/// # Errors
///
/// [`StartError::Threads`] when the system refuses them.
pub fn jobs(services: &Services, threads: usize) -> Result<Option<Workers>, StartError> {
    if threads == 0 {
        return Ok(None);
    }
    let host = rustix::system::uname();
    let name = format!("{}:{}", host.nodename().to_string_lossy(), std::process::id());
    Workers::start(services, &name, threads)
        .map(Some)
        .map_err(StartError::Threads)
}

/// Where the embedded emulator sends webhooks: to the application itself, which Filestack's portal would be told of by hand.
/// The name is what those that wait know it by, whatever port it has after a restart.
fn webhooks(config: &Config, address: SocketAddr) -> io::Result<Vec<Endpoint>> {
    let Some(secret) = &config.filestack.webhook_secret else {
        return Ok(Vec::new());
    };
    let url = format!("{}webhooks/filestack", origin(address));
    let endpoint = Endpoint::new(&url, secret.expose()).and_then(|endpoint| endpoint.named("satchel"));
    let unusable = |sentence| io::Error::new(io::ErrorKind::InvalidInput, sentence);
    Ok(vec![endpoint.map_err(unusable)?])
}

/// The services alone, for commands; `emulator` is where the embedded one was found to listen.
///
/// # Errors
///
/// [`StartError::Filestack`] when the settings cannot be used.
pub fn services(
    config: &Config,
    db: Db,
    clock: Clock,
    emulator: Option<SocketAddr>,
) -> Result<Services, StartError> {
    let (credentials, endpoints) = match &config.filestack.mode {
        FilestackMode::Emulator {
            bind,
            api_key,
            app_secret,
        } => {
            let credentials = Credentials::new(api_key, app_secret.expose())?;
            (credentials, Endpoints::single(origin(emulator.unwrap_or(*bind))))
        }
        FilestackMode::Service {
            api_key,
            app_secret,
            hosts,
        } => {
            let endpoints = Endpoints {
                api: hosts.api.clone(),
                upload: hosts.upload.clone(),
                cdn: hosts.cdn.clone(),
                process: hosts.process.clone(),
            };
            (Credentials::new(api_key, app_secret.expose())?, endpoints)
        }
    };
    let options = Options {
        part_size: LOOKAHEAD,
        intelligent: true,
        // Somebody is waiting for the answer: give up within a minute and say so, before proxies and browsers give up on us.
        retries: 3,
        response_timeout: Duration::from_secs(12),
        transfers: Some(transfers()?),
        ..Options::default()
    };
    let filestack = Filestack::new(credentials, endpoints, options)?;
    Ok(Services::new(
        db,
        filestack,
        clock,
        *config.secret_key.expose(),
        config.limits.max_upload_bytes,
        config.limits.upload_memory_bytes,
        background(config, emulator)?,
    ))
}

/// What background work is told. The emulator has a workflow that looks for viruses by itself: it is used for uploads with processing.
fn background(config: &Config, emulator: Option<SocketAddr>) -> Result<Background, StartError> {
    let settings = &config.background;
    let workflow = match (&settings.scan_workflow, &config.filestack.mode) {
        (Some(workflow), _) => Some((workflow.clone(), true)),
        (None, FilestackMode::Emulator { api_key, .. }) => {
            Some((emulator::Workflow::usual(api_key).id, false))
        }
        (None, FilestackMode::Service { .. }) => None,
    };
    let address = emulator.is_some().then(|| origin(config.http.bind));
    Ok(Background {
        trash_kept: config.limits.trash_kept,
        scan: workflow.map(|(workflow, every_upload)| Scan {
            workflow,
            every_upload,
            fails_open: settings.scan_failure == ScanFailure::Open,
        }),
        mail: settings
            .mail
            .as_ref()
            .map(Mailer::new)
            .transpose()
            .map_err(StartError::Mail)?,
        public_url: config.http.public_url.clone().or(address),
    })
}

/// Threads for file bytes and digests, so that an upload's work never stands between a request and its answer.
fn transfers() -> Result<Transfers, StartError> {
    Transfers::start(processors()).map_err(StartError::Threads)
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

/// How many threads a server answers with: enough of them that each has little to do with the uploads that are under way. The system
/// lets a thread that has hardly worked go first, and so a small request on it does not wait for a processor.
pub fn workers() -> usize {
    processors().max(LEAST_WORKERS)
}

impl Running {
    /// Serves until `stop` ends; then takes no new work, gives running requests the drain time, aborts the uploads that are left,
    /// and returns.
    ///
    /// # Errors
    ///
    /// When the server itself breaks.
    pub async fn until(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let Running {
            state,
            server,
            emulator,
            workers,
            drain,
            ..
        } = self;
        let handle = server.handle();
        let emulator = emulator.map(|emulator| (emulator.handle(), actix_web::rt::spawn(emulator.server)));
        let mut serving = actix_web::rt::spawn(server);
        tokio::select! {
            ended = &mut serving => return ended.unwrap_or_else(|error| Err(io::Error::other(error))),
            () = stop => {}
        }
        state.drain();
        if let Some(workers) = &workers {
            workers.drain();
        }
        log::info!(event = "stopping"; "stopping: no new requests, running ones get {} seconds", drain.as_secs());
        let end = tokio::time::Instant::now() + drain;
        let services = state.services.clone();
        let abort = actix_web::rt::spawn(async move {
            tokio::time::sleep(drain).await;
            services.stop();
        });
        // As long as anything runs, whoever asks is still told that this server is on its way out.
        while state.is_at_work() && tokio::time::Instant::now() < end {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        // What still runs then ends with the process.
        let _ = tokio::time::timeout_at(end + LAST_WORDS, handle.stop(true)).await;
        // Jobs have the rest of the drain time; those that still run then are given back.
        if let Some(workers) = workers {
            workers.ended().await;
        }
        abort.abort();
        state.services.stop();
        if let Some((handle, serving)) = emulator {
            handle.stop(false).await;
            let _ = serving.await;
        }
        log::info!(event = "stopped"; "stopped");
        Ok(())
    }
}

/// Binds an address, or says which setting to change.
///
/// # Errors
///
/// [`StartError::Bind`].
pub fn listen(
    address: SocketAddr,
    what: &'static str,
    setting: &'static str,
) -> Result<TcpListener, StartError> {
    // The standard library's queue of 128 is full when some hundred clients connect at once, and those beyond it are reset.
    TcpListener::bind(address)
        .and_then(|listener| {
            rustix::net::listen(&listener, BACKLOG)?;
            Ok(listener)
        })
        .map_err(|error| StartError::Bind {
            address,
            what,
            setting,
            error,
        })
}

fn local_address(listener: &TcpListener, asked: SocketAddr) -> SocketAddr {
    listener.local_addr().unwrap_or(asked)
}

/// The origin of a server at this address; one that listens everywhere is reached on this computer.
pub fn origin(address: SocketAddr) -> Url {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let text = format!("http://{}", SocketAddr::new(ip, address.port()));
    Url::parse(&text).expect("an address and a port make a URL")
}
