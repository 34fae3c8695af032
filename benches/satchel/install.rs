//! An installation of Satchel in a directory that goes away with it.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::process::Server;
use super::{Outcome, history};

/// The Filestack app that the sink is told of.
pub const API_KEY: &str = "AbenchmarkKEY0z";
/// Its secret.
pub const APP_SECRET: &str = "BENCHMARKSECRET0000000000";

/// What webhooks are signed with.
pub const WEBHOOK_SECRET: &str = "webhook-secret-of-the-benchmark";

/// Port 9 discards: nothing is ever sent there.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9);

const EMAIL: &str = "ana@example.org";

/// An installation.
pub struct Installation {
    directory: TempDir,
    /// Where files go; `None` is the embedded emulator.
    filestack: Option<SocketAddr>,
    postgres: Option<String>,
    /// An API token of its first user.
    pub token: String,
}

impl Installation {
    /// One with a user, whose files go to the sink.
    pub fn with_sink(sink: SocketAddr) -> Outcome<Self> {
        let mut installation = Self::empty(Some(sink))?;
        let user = [
            "user",
            "create",
            "--email",
            EMAIL,
            "--role",
            "member",
            "--password-stdin",
        ];
        installation.run(&user, "a password for the benchmark\n")?;
        installation.token =
            installation.run(&["token", "create", "--email", EMAIL, "--name", "bench"], "")?;
        Ok(installation)
    }

    /// One with so many documents of so many users, the files of which are nowhere.
    pub fn with_documents(documents: u64, users: u64) -> Outcome<Self> {
        Self::empty(Some(NOWHERE))?.filled(documents, users)
    }

    /// One with the embedded emulator, where the files of the first page are.
    pub fn with_emulator((documents, users): (u64, u64)) -> Outcome<Self> {
        Self::empty(None)?.filled(documents, users)
    }

    fn filled(mut self, documents: u64, users: u64) -> Outcome<Self> {
        let (documents, users) = (documents.to_string(), users.to_string());
        self.token = self.run(&["demo", "--documents", &documents, "--users", &users], "")?;
        Ok(self)
    }

    /// One that takes webhooks, on SQLite or on this PostgreSQL database, and does nothing about them.
    pub fn for_webhooks(postgres: Option<&str>) -> Outcome<Self> {
        let mut installation = Self::empty(Some(NOWHERE))?;
        installation.postgres = postgres.map(str::to_owned);
        Ok(installation)
    }

    fn empty(filestack: Option<SocketAddr>) -> Outcome<Self> {
        // Below the target directory, which is on a disk: `/tmp` is memory on some systems, and nothing is written to disk there.
        Ok(Installation {
            directory: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?,
            filestack,
            postgres: None,
            token: String::new(),
        })
    }

    /// One with documents, and with a tenth as many jobs, events and entries of the trail.
    pub fn with_history(documents: u64, users: u64) -> Outcome<Self> {
        let installation = Self::with_documents(documents, users)?;
        history::fill(&installation.database(), documents as usize / 10)?;
        Ok(installation)
    }

    /// The database's file.
    pub fn database(&self) -> PathBuf {
        self.directory.path().join("satchel.db")
    }

    fn database_url(&self) -> String {
        let sqlite = || format!("sqlite://{}", self.database().display());
        self.postgres.clone().unwrap_or_else(sqlite)
    }

    /// Starts the server. Workers stay off in one for webhooks: what events change comes after the answer.
    pub fn serve(&self) -> Outcome<Server> {
        let mut command = self.command();
        command.arg("serve");
        if self.token.is_empty() {
            command.env("SATCHEL_JOB_THREADS", "0");
        }
        Server::start(command)
    }

    /// Starts a worker with so many threads.
    pub fn worker(&self, threads: usize) -> Outcome<Server> {
        let mut command = self.command();
        command.args(["worker", "--threads", &threads.to_string()]);
        Server::start_worker(command)
    }

    /// Runs another command and gives what it prints.
    fn run(&self, arguments: &[&str], input: &str) -> Outcome<String> {
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // It need not read it.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output()?;
        if !output.status.success() {
            return Err(format!("satchel {} failed: {}", arguments.join(" "), output.status).into());
        }
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// The program with the settings of this installation and no others.
    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_satchel"));
        command
            .current_dir(self.directory.path())
            .env_clear()
            .env("SATCHEL_DATA_DIR", self.directory.path())
            .env("SATCHEL_BIND", "127.0.0.1:0")
            .env("DATABASE_URL", self.database_url())
            .env("SATCHEL_SECRET_KEY", "5a".repeat(32))
            .env("FILESTACK_WEBHOOK_SECRET", WEBHOOK_SECRET)
            .env("RUST_LOG", "error");
        match self.filestack {
            Some(address) => command
                .env("FILESTACK_API_KEY", API_KEY)
                .env("FILESTACK_APP_SECRET", APP_SECRET)
                .env("FILESTACK_BASE_URL", format!("http://{address}")),
            None => command.env("SATCHEL_EMULATOR_BIND", "127.0.0.1:0"),
        };
        command
    }
}
