//! `satchel emulator`: our Filestack on its own, for other programs and their tests.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::serve::stop_signal;
use super::{CliError, print};
use crate::app::{self, StartError};
use crate::config::Settings;
use crate::emulator::{self, App, Endpoint, Workflow};

/// Run the emulator of Filestack on its own
///
/// It speaks Filestack's wire protocol at one origin, over plain http: point every host of your SDK there, the API's with /api
/// after it. docs/emulator.md shows how, for Python, JavaScript, Ruby, PHP and curl. Without --app it knows one app, made up at
/// the first start, kept in the data directory and printed; an `open` app needs no signatures. Its control surface, at
/// /__emulator/, shows every call and why it was refused, makes calls fail and turns the clock.
#[derive(Debug, clap::Args)]
#[command(after_help = "In your SDK, with the first example below:\n  \
                  Python      filestack.config.API_URL = 'http://127.0.0.1:9000/api'\n  \
                  \x20           type(filestack.config).CDN_URL = property(lambda _: 'http://127.0.0.1:9000')\n  \
                  \x20           type(filestack.config).MULTIPART_START_URL = property(lambda _: 'http://127.0.0.1:9000/multipart/start')\n  \
                  \x20           It puts https:// before the host that an upload goes on at: wrap requests.Session.request and take the s off.\n  \
                  JavaScript  const B = 'http://127.0.0.1:9000';\n  \
                  \x20           Object.assign(client.session.urls, { fileApiUrl: B + '/api/file', uploadApiUrl: B, cdnUrl: B,\n  \
                  \x20             processUrl: B, cloudApiUrl: B, pickerUrl: B + '/picker/picker.js' });\n  \
                  \x20           In Node it takes the port for a part of the host: wrap http.request and cut it off options.host.\n  \
                  curl        curl --data-binary @file 'http://127.0.0.1:9000/api/store/S3?key=AopenKeyz&filename=file'\n\n\
                  Example:\n  satchel emulator --bind 127.0.0.1:9000 --app AmyKeyz:MYSECRET --app AopenKeyz:OTHERSECRET:open\n  \
                  satchel emulator --webhook http://127.0.0.1:8000/webhooks/filestack=Y5cWb1rdRDSTSqEjF5pv\n  \
                  satchel emulator --workflow 7f8e1c9a-2d64-4f0b-9b0e-3c5a6d7e8f90=virus_detection,tags,resize=width:100,store")]
pub(super) struct Args {
    /// The address to listen on; port 0 takes any free one [default: SATCHEL_EMULATOR_BIND or 127.0.0.1:8081]
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address)]
    pub(super) bind: Option<SocketAddr>,
    /// An app it knows, made up for it: not Filestack's own; `open` switches the app's security off (repeatable)
    #[arg(long = "app", value_name = "KEY:SECRET[:open]", value_parser = App::parse)]
    pub(super) apps: Vec<App>,
    /// A workflow it knows besides the one of every app, with tasks as in delivery URLs; KEY: puts it to another app than the
    /// first (repeatable)
    #[arg(long = "workflow", value_name = "[KEY:]UUID=TASK[,TASK…]", value_parser = Workflow::parse)]
    pub(super) workflows: Vec<Workflow>,
    /// A place it may fetch from although it is not public, such as a server of your tests (repeatable)
    #[arg(long = "allow-fetch", value_name = "HOST:PORT", value_parser = place)]
    pub(super) allow_fetch: Vec<(String, u16)>,
    /// Where it sends webhooks, signed with the secret after the last `=` (repeatable)
    #[arg(long = "webhook", value_name = "URL=SECRET", value_parser = Endpoint::parse)]
    pub(super) webhooks: Vec<Endpoint>,
    /// Where its files are kept [default: SATCHEL_DATA_DIR or ./data]
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,
    /// Keep nothing: files go among the system's temporary ones (TMPDIR) and are removed at the end
    #[arg(long, conflicts_with = "data_dir")]
    pub(super) in_memory: bool,
    /// Serve the control surface, which has no password, also where other computers reach it
    #[arg(long)]
    pub(super) control_surface: bool,
}

impl Args {
    /// What names the directory of its files.
    fn names_directory(&self) -> &'static str {
        match (&self.data_dir, self.in_memory) {
            (_, true) => "TMPDIR",
            (Some(_), _) => "--data-dir",
            (None, _) => "SATCHEL_DATA_DIR",
        }
    }

    /// What names its address.
    fn names_address(&self) -> &'static str {
        match self.bind {
            Some(_) => "--bind",
            None => "SATCHEL_EMULATOR_BIND",
        }
    }
}

/// What an emulator on its own starts with.
#[derive(Debug)]
pub(super) struct Standalone {
    pub(super) bind: SocketAddr,
    pub(super) data_dir: PathBuf,
    pub(super) apps: Vec<App>,
    pub(super) workflows: Vec<Workflow>,
    pub(super) allow_fetch: Vec<(String, u16)>,
    pub(super) webhooks: Vec<Endpoint>,
    /// The app in `apps` was made up, so its credentials have to be printed.
    pub(super) made_up: bool,
    /// Nothing is kept, a made-up app neither.
    pub(super) in_memory: bool,
    pub(super) control_surface: bool,
    pub(super) client_script: Option<PathBuf>,
}

impl Standalone {
    pub(super) fn new(args: Args, settings: &Settings) -> Result<Self, CliError> {
        let directory_named = args.names_directory();
        let data_dir = args.data_dir.unwrap_or_else(|| settings.data_dir().to_owned());
        let made_up = args.apps.is_empty();
        let mut apps = args.apps;
        for (index, app) in apps.iter().enumerate() {
            if apps[..index].iter().any(|other| other.key == app.key) {
                return Err(CliError::usage(
                    format!("The app {} is named twice", app.key),
                    "Name every key once, as in --app KEY:SECRET",
                ));
            }
        }
        if let Some(app) = apps.iter().find(|app| app.looks_real()) {
            // Others can read a command line, and a server meant for Filestack might be pointed here without anybody noticing (X8).
            return Err(CliError::usage(
                format!("The app {} and its secret look like Filestack's own", app.key),
                "The emulator needs no real secret: make one up, as in --app AmyOwnKeyz:MYSECRET",
            ));
        }
        for (index, webhook) in args.webhooks.iter().enumerate() {
            if args.webhooks[..index].iter().any(|other| other.id == webhook.id) {
                return Err(CliError::usage(
                    format!("The webhook {} is named twice", webhook.url),
                    "Name every address once, as in --webhook URL=SECRET",
                ));
            }
        }
        if made_up && args.in_memory {
            apps.push(App::made_up());
        } else if made_up {
            let (key, secret) = Settings::emulator_app(&data_dir, directory_named)?;
            apps.push(App {
                key,
                secret: secret.expose().to_owned(),
                secured: true,
            });
        }
        check_workflows(&args.workflows, &apps)?;
        Ok(Self {
            bind: args.bind.unwrap_or(settings.emulator_bind()),
            data_dir,
            apps,
            workflows: args.workflows,
            allow_fetch: args.allow_fetch,
            webhooks: args.webhooks,
            made_up,
            in_memory: args.in_memory,
            control_surface: args.control_surface,
            client_script: settings.client_script().map(ToOwned::to_owned),
        })
    }
}

/// Says which workflow belongs to nobody or is named twice, before anything is started.
fn check_workflows(workflows: &[Workflow], apps: &[App]) -> Result<(), CliError> {
    for (index, workflow) in workflows.iter().enumerate() {
        let id = &workflow.id;
        if workflows[..index].iter().any(|other| other.id == *id) {
            return Err(CliError::usage(
                format!("The workflow {id} is named twice"),
                "Give every workflow an id of its own",
            ));
        }
        if let Some(key) = &workflow.app
            && apps.iter().all(|app| app.key != *key)
        {
            return Err(CliError::usage(
                format!("The workflow {id} belongs to {key}, which is no app here"),
                "Name the app too, as in --app KEY:SECRET, or leave KEY: away",
            ));
        }
    }
    Ok(())
}

/// Reads `HOST:PORT`.
fn place(text: &str) -> Result<(String, u16), String> {
    let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
    let port = port.parse().ok().filter(|port| *port > 0);
    match (url::Host::parse(host), port) {
        (Ok(host), Some(port)) => Ok((host.to_string(), port)),
        _ => Err("write HOST:PORT, for example 127.0.0.1:3000 or [::1]:3000".to_owned()),
    }
}

pub(super) async fn run(args: Args, settings: &Settings) -> Result<(), CliError> {
    let (directory_named, address_named) = (args.names_directory(), args.names_address());
    let standalone = Standalone::new(args, settings)?;
    let client_script = app::client_script(standalone.client_script.as_deref())?;
    let listener = app::listen(standalone.bind, "the emulator", address_named)?;
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let mut greeting = Vec::new();
    if standalone.made_up {
        for app in &standalone.apps {
            greeting.push(format!("API key:    {}\nApp secret: {}", app.key, app.secret));
        }
    }
    let mut config = if standalone.in_memory {
        emulator::Config::in_memory(standalone.apps)
    } else {
        emulator::Config::new(app::emulator_directory(&standalone.data_dir), standalone.apps)
    };
    // Otherwise the emulator decides by the address.
    config.control_surface = standalone.control_surface.then_some(true);
    let directory = config.dir.clone();
    let temporary = standalone.in_memory.then(|| config.dir.clone());
    config.allow_fetch = standalone.allow_fetch;
    config.workflows = standalone.workflows;
    config.webhooks = standalone.webhooks;
    config.client_script = client_script;
    let emulator = emulator::serve(config, listener, workers).map_err(|error| {
        CliError::failed(
            StartError::Emulator { directory, error },
            format!("Choose a writable place with {directory_named}"),
        )
    })?;
    let origin = app::origin(emulator.addr);
    greeting.insert(
        0,
        format!(
            "Filestack is emulated at {}",
            origin.as_str().trim_end_matches('/')
        ),
    );
    for workflow in emulator.controls.workflows().all() {
        let app = workflow.app.as_deref().unwrap_or_default();
        greeting.push(format!(
            "Workflow:   {} of {app} does {}",
            workflow.id,
            workflow.tasks()
        ));
    }
    let is_local = emulator.addr.ip().is_loopback();
    if is_local || standalone.control_surface {
        greeting.push(format!("Control surface: {origin}__emulator/"));
    }
    if !is_local {
        greeting.push(
            "It listens to other computers: whoever reaches it and knows an app's secret can use it."
                .to_owned(),
        );
    }
    let stop = stop_signal()?;
    print(&greeting.join("\n"))?;
    let handle = emulator.handle();
    let serving = actix_web::rt::spawn(emulator.server);
    stop.await;
    handle.stop(true).await;
    let ended = serving.await.unwrap_or_else(|error| Err(io::Error::other(error)));
    if let Some(temporary) = temporary {
        // Threads of the server that outlive it hold the directory too, and might not get to removing it before the process ends.
        let _ = std::fs::remove_dir_all(temporary);
    }
    ended.map_err(|error| CliError::failed(format!("The emulator broke: {error}"), "Start it again"))
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse()
        .map_err(|_| "it is not an address and port; write for example 127.0.0.1:9000")
}
