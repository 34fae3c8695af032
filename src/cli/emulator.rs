//! `satchel emulator`: our Filestack on its own, for other programs and their tests.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use super::CliError;
use crate::config::{Secret, Settings};

/// Run the emulator of Filestack on its own
///
/// It speaks Filestack's wire protocol; point a client's hosts at it. Without --app it knows one app, made up at the first
/// start, kept in the data directory and printed.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  satchel emulator --bind 127.0.0.1:9000 --app AmyKeyz:MYSECRET --app AopenKeyz:OTHERSECRET:open"
)]
pub(super) struct Args {
    /// The address to listen on; port 0 takes any free one [default: SATCHEL_EMULATOR_BIND or 127.0.0.1:8081]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(super) bind: Option<SocketAddr>,
    /// An app it knows; `open` switches the app's security off (repeatable)
    #[arg(long = "app", value_name = "KEY:SECRET[:open]")]
    pub(super) apps: Vec<App>,
    /// Where its files are kept [default: SATCHEL_DATA_DIR or ./data]
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,
}

/// An app as it is named on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct App {
    pub(super) key: String,
    pub(super) secret: Secret,
    pub(super) secured: bool,
}

impl FromStr for App {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, secret, secured) = match text.split(':').collect::<Vec<_>>()[..] {
            [key, secret] => (key, secret, true),
            [key, secret, "open"] => (key, secret, false),
            [_, _, _] => return Err("the third part can only be `open`, as in KEY:SECRET:open"),
            _ => return Err("it is not of the form KEY:SECRET or KEY:SECRET:open"),
        };
        if key.is_empty() || secret.is_empty() {
            return Err("neither key nor secret may be empty, as in KEY:SECRET");
        }
        Ok(Self {
            key: key.to_owned(),
            secret: Secret::new(secret),
            secured,
        })
    }
}

/// What an emulator on its own starts with.
#[derive(Debug)]
pub(super) struct Standalone {
    pub(super) bind: SocketAddr,
    pub(super) data_dir: PathBuf,
    pub(super) apps: Vec<App>,
    /// The app in `apps` was made up, so its credentials have to be printed.
    pub(super) made_up: bool,
}

impl Standalone {
    pub(super) fn new(args: Args, settings: &Settings) -> Result<Self, CliError> {
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
        if made_up {
            let (key, secret) = Settings::emulator_app(&data_dir)?;
            apps.push(App {
                key,
                secret,
                secured: true,
            });
        }
        Ok(Self {
            bind: args.bind.unwrap_or(settings.emulator_bind()),
            data_dir,
            apps,
            made_up,
        })
    }
}

pub(super) async fn run(args: Args, settings: &Settings) -> Result<(), CliError> {
    let _standalone = Standalone::new(args, settings)?;
    Err(CliError::failed(
        "`satchel emulator` is not connected yet",
        "Connect it",
    ))
}
