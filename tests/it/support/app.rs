//! The whole application on real sockets, assembled as `serve` assembles it: temporary data directory, embedded emulator, free ports.
//!
//! It runs on a thread of its own, so that a test that computes or blocks holds nothing up, and is gone when its value is dropped.
//! Time stands still, for the application and for the emulator, until a test advances it.

use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

use satchel::app::{self, Running};
use satchel::clock::Clock;
use satchel::config::{Config, DatabaseConfig, Vars};
use satchel::db::models::users::Role;
use satchel::db::{Db, Location};
use satchel::emulator::Controls;
use satchel::services::audit::Actor;
use satchel::services::{Services, accounts};
use satchel::web::AppState;
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::answer::Answer;
use super::client::{Client, Doer};
use super::postgres::{self, TestDatabase};

/// Everybody's password.
pub const PASSWORD: &str = "four plain words here";
const A_YEAR: Duration = Duration::from_secs(365 * 24 * 3_600);

/// A running application.
pub struct TestApp {
    /// Where it listens: `http://127.0.0.1:PORT`, without a slash at the end.
    pub url: String,
    /// Where its emulator listens, likewise.
    pub emulator_url: String,
    /// The emulator's clock, files, failures and log of calls.
    pub emulator: Controls,
    /// The verbs and the database behind the HTTP.
    pub services: Services,
    /// The settings it runs with.
    pub config: Config,
    clock: Clock,
    serving: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    data: TempDir,
    // Last: dropped when nothing uses it any more.
    _database: Option<TestDatabase>,
}

/// An application to be started.
pub struct Setup {
    vars: Vars,
    workers: usize,
    webhooks: bool,
    database: Option<TestDatabase>,
    stall: Option<Duration>,
    head: Option<Duration>,
}

impl TestApp {
    /// One to be started with other settings than the usual.
    #[expect(
        clippy::new_ret_no_self,
        reason = "it reads as what it leads to: new, var, start"
    )]
    pub fn new() -> Setup {
        let vars = [
            ("SATCHEL_BIND", "127.0.0.1:0"),
            ("SATCHEL_EMULATOR_BIND", "127.0.0.1:0"),
            ("SATCHEL_DRAIN_SECONDS", "0"),
            // Jobs run when a test says so.
            ("SATCHEL_JOB_THREADS", "0"),
        ];
        Setup {
            vars: vars.into_iter().collect(),
            workers: 2,
            webhooks: false,
            database: None,
            stall: None,
            head: None,
        }
    }

    /// The usual one, on SQLite.
    pub async fn sqlite() -> Self {
        Self::new().start().await
    }

    /// The usual one, on PostgreSQL.
    pub async fn postgres() -> Self {
        Self::new().on_postgres().start().await
    }

    /// Somebody who is not signed in.
    pub fn anon(&self) -> Client {
        Client::new(&self.url)
    }

    /// A member of this name, made if there is none, signed in over HTTP.
    pub async fn user(&self, name: &str) -> Client {
        self.signed_in(name, Role::Member).await
    }

    /// An administrator, signed in over HTTP.
    pub async fn admin(&self) -> Client {
        self.signed_in("admin", Role::Admin).await
    }

    /// A program with an API token of the member of this name, who is made if there is none.
    pub async fn token(&self, name: &str) -> Client {
        self.account(name).await;
        let token =
            accounts::create_api_token(&self.services, &Actor::command(), &email(name), "test", A_YEAR).await;
        Client::with_token(&self.url, &token.expect("the account is there"))
    }

    /// Moves the application's time and the emulator's.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.emulator.clock().advance(by);
    }

    /// The directory with everything the application writes.
    pub fn data_dir(&self) -> &Path {
        self.data.path()
    }

    /// Gets an address of the emulator as anybody on the network may.
    pub async fn fetch(&self, url: &str) -> Answer {
        self.fetch_with(url, &[]).await
    }

    /// The same, with headers.
    pub async fn fetch_with(&self, url: &str, headers: &[(&str, &str)]) -> Answer {
        assert!(
            url.starts_with(&format!("{}/", self.emulator_url)),
            "not at the emulator: {url}"
        );
        Doer::new().get(url, headers).await
    }

    /// How many files the emulator holds.
    pub fn stored_files(&self) -> usize {
        self.emulator
            .store()
            .len()
            .expect("the emulator's files can be counted")
    }

    async fn signed_in(&self, name: &str, role: Role) -> Client {
        self.account_as(name, role).await;
        let client = self.anon();
        let answer = client.sign_in(&email(name), PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        client
    }

    /// Makes the member of this name, if there is none, without signing in.
    pub async fn account(&self, name: &str) {
        self.account_as(name, Role::Member).await;
    }

    async fn account_as(&self, name: &str, role: Role) {
        match accounts::create_user(
            &self.services,
            &Actor::command(),
            &email(name),
            PASSWORD.to_owned(),
            role,
        )
        .await
        {
            Ok(_) => {}
            Err(error) if error.code() == "email-taken" => {}
            Err(error) => panic!("an account for {name} could not be made: {error}"),
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.serving.take() {
            // The thread may have ended by a panic of its own, which has been printed.
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}

impl Setup {
    /// Sets a variable.
    pub fn var(mut self, name: &str, value: &str) -> Self {
        self.vars = self.vars.with(name, value);
        self
    }

    /// Lets the emulator send webhooks to the application, as it does outside of tests: they come when they come, and make jobs.
    pub fn with_webhooks(mut self) -> Self {
        self.webhooks = true;
        self
    }

    /// Puts the rows into a PostgreSQL database of their own.
    pub fn on_postgres(mut self) -> Self {
        let database = postgres::database();
        self.vars = self
            .vars
            .with("DATABASE_URL", &database.url)
            .with("SATCHEL_SECRET_KEY", &"5a".repeat(32));
        self.database = Some(database);
        self
    }

    /// Waits no longer than this for the next byte of an upload.
    pub fn stall(mut self, patience: Duration) -> Self {
        self.stall = Some(patience);
        self
    }

    /// Waits no longer than this for the head of a request.
    pub fn head(mut self, patience: Duration) -> Self {
        self.head = Some(patience);
        self
    }

    /// Starts it.
    pub async fn start(self) -> TestApp {
        let data = tempfile::tempdir().expect("a temporary directory");
        let directory = data.path().to_str().expect("a path of plain characters");
        let vars = self.vars.with("SATCHEL_DATA_DIR", directory);
        let mut config = Config::from_vars(&vars).expect("usable settings");
        config.limits.stall = self.stall.unwrap_or(config.limits.stall);
        config.limits.head = self.head.unwrap_or(config.limits.head);
        let db = Db::open(location(&config)).expect("a database");
        // Whole seconds, so that an expiry is never off by a rounding.
        let now = Clock::system().now();
        let now = now.minus(Duration::from_micros(now.micros() as u64 % 1_000_000));
        let clock = Clock::fixed(now);

        let (started, starting) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let (settings, time, workers) = (config.clone(), clock.clone(), self.workers);
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let running = app::start(&settings, db, time, workers).expect("a start");
                let _ = started.send(Parts::of(&running));
                // A dropped sender is a stop, too.
                let ended = running.until(async { drop(stopped.await) }).await;
                ended.expect("a clean end");
            });
        });
        let parts = starting.await.expect("a started application");
        parts.emulator.clock().freeze(now.system());
        if !self.webhooks {
            let removed = parts.emulator.webhooks().unregister("satchel");
            removed.expect("the emulator's files can be written");
        }
        TestApp {
            url: parts.url,
            emulator_url: parts.emulator_url,
            emulator: parts.emulator,
            services: parts.state.services.clone(),
            config,
            clock,
            serving: Some((stop, thread)),
            data,
            _database: self.database,
        }
    }
}

/// What a running application shows to other threads.
struct Parts {
    url: String,
    emulator_url: String,
    emulator: Controls,
    state: AppState,
}

impl Parts {
    fn of(running: &Running) -> Self {
        let emulator = running.emulator.as_ref().expect("emulator mode");
        Parts {
            url: format!("http://{}", running.address),
            emulator_url: format!("http://{}", emulator.addr),
            emulator: emulator.controls.clone(),
            state: running.state.clone(),
        }
    }
}

fn location(config: &Config) -> Location {
    match &config.database {
        DatabaseConfig::Sqlite { path } => Location::Sqlite(path.clone()),
        DatabaseConfig::Postgres { url } => Location::Postgres(url.clone()),
    }
}

/// The address of the member of this name.
pub fn email(name: &str) -> String {
    format!("{name}@example.org")
}
