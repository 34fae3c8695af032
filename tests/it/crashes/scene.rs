//! Where it happens: an emulator that outlives every crash, and an installation that does not know it will be killed.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use satchel::db::{Db, DbConn, Location};
use serde_json::{Value, json};

use crate::cli::process::{EMAIL, Place, Server};
use crate::support::postgres::{self, TestDatabase};
use crate::support::wire::{get, post};

const API_KEY: &str = "AcrashtestKEY00z";
const APP_SECRET: &str = "CRASHTESTSECRET0000000000";
pub const WEBHOOK_SECRET: &str = "crash-test-webhook-secret-0001";
/// More than settling takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Filestack's part, in a process of its own.
pub struct Emulator {
    _place: Place,
    server: Server,
}

impl Emulator {
    pub fn start() -> Self {
        let place = Place::bare();
        let app = format!("{API_KEY}:{APP_SECRET}");
        let server = place.start(&["emulator", "--in-memory", "--bind", "127.0.0.1:0", "--app", &app]);
        Emulator {
            _place: place,
            server,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Forgets everything.
    pub fn reset(&self) {
        self.ask("reset", &json!({}));
    }

    /// The next call of a class waits before it behaves.
    pub fn delay(&self, route: &str, milliseconds: u64) {
        self.ask(
            "faults",
            &json!({"route": route, "fault": {"delay_ms": milliseconds}}),
        );
    }

    /// Files that are stored.
    pub fn files(&self) -> u64 {
        let reply = get("/__emulator/api/files?limit=1").send(self.address());
        reply.json()["total"].as_u64().expect("a number of files")
    }

    /// Tells the server at this address what happens from now on, and what it has missed.
    pub fn tell(&self, server: SocketAddr) {
        let endpoint = json!({"id": "satchel", "url": format!("http://{server}/webhooks/filestack"), "secret": WEBHOOK_SECRET});
        self.ask("webhooks/endpoints", &endpoint);
    }

    /// Sends what has not arrived, as it would be in the course of some hours; `false` when there is nothing.
    pub fn send_again(&self) -> bool {
        let mut sent = false;
        for state in ["waiting", "undelivered"] {
            let waiting =
                get(&format!("/__emulator/api/webhooks?state={state}&limit=500")).send(self.address());
            for webhook in waiting.json()["webhooks"].as_array().expect("webhooks") {
                let id = webhook["id"].as_str().expect("an id");
                self.ask(&format!("webhooks/{id}/send-again"), &json!({}));
                sent = true;
            }
        }
        sent
    }

    /// Numbers of the webhooks that were delivered and are still known: the newest thousand.
    pub fn delivered(&self) -> Vec<i64> {
        let path = "/__emulator/api/webhooks?state=delivered&limit=500";
        let mut numbers: Vec<i64> = Vec::new();
        loop {
            let before = numbers.last().map(|last| format!("&before={last}"));
            let reply = get(&format!("{path}{}", before.unwrap_or_default())).send(self.address());
            let page = reply.json();
            let page = page["webhooks"].as_array().expect("webhooks");
            if page.is_empty() {
                return numbers;
            }
            numbers.extend(
                page.iter()
                    .map(|webhook| webhook["event"].as_i64().expect("a number")),
            );
        }
    }

    fn ask(&self, what: &str, body: &Value) {
        let reply = post(&format!("/__emulator/api/{what}"))
            .json(body)
            .send(self.address());
        assert!(reply.status < 300, "{what}: {} {}", reply.status, reply.text());
    }
}

/// An installation with one user and a token of hers.
pub struct Installation {
    place: Place,
    pub token: String,
    location: Location,
    emulator: SocketAddr,
    /// On PostgreSQL, where connections of others are no matter for whoever starts again. On SQLite each look has its own.
    db: Option<Db>,
    database: Option<TestDatabase>,
}

impl Installation {
    /// On SQLite: a copy of one that was set up once, to save the time.
    pub fn sqlite(emulator: SocketAddr) -> Self {
        static MODEL: OnceLock<(Place, String)> = OnceLock::new();
        let (model, token) = MODEL.get_or_init(|| set_up(service(Place::new(), emulator)));
        let place = service(Place::new(), emulator);
        copy(&model.path().join("data"), &place.path().join("data"));
        Installation {
            location: Location::Sqlite(place.path().join("data/satchel.db")),
            place,
            token: token.clone(),
            emulator,
            db: None,
            database: None,
        }
    }

    /// On PostgreSQL.
    pub fn postgres(emulator: SocketAddr) -> Self {
        let database = postgres::database();
        let (place, token) = set_up(on_postgres(&database, emulator));
        let location = Location::Postgres(database.url.clone());
        Installation {
            db: Some(Db::without_migrations(location.clone()).expect("the database")),
            location,
            place,
            token,
            emulator,
            database: Some(database),
        }
    }

    /// A directory of its own and the same settings, as on another host; its server does no jobs.
    pub fn another_host(&self) -> Place {
        let database = self.database.as_ref().expect("hosts share PostgreSQL");
        on_postgres(database, self.emulator).with("SATCHEL_JOB_THREADS", "0")
    }

    /// Starts the server, which may die on the way.
    pub fn start(&mut self, failpoints: &str) -> Option<Server> {
        self.place.set("SATCHEL_FAILPOINTS", failpoints);
        match self.place.try_start(&["serve"]) {
            Ok(server) => Some(server),
            Err(said) if said.contains("failpoint ") => None,
            Err(said) => panic!("it did not start: {said}"),
        }
    }

    /// Starts the server while nobody listens where Filestack should be.
    pub fn start_without_filestack(&mut self) -> Server {
        let nobody = TcpListener::bind("127.0.0.1:0").and_then(|taken| taken.local_addr());
        let nobody = format!("http://{}", nobody.expect("a port"));
        self.place.set("FILESTACK_BASE_URL", &nobody);
        self.start("").expect("it starts without Filestack")
    }

    /// As if a day had passed since the crash: what waits is due, what has no process behind it is known to have none.
    pub fn a_day_passes(&self) {
        self.sql("UPDATE uploads SET updated_at = 0 WHERE state IN ('started', 'stored')");
        self.sql("UPDATE file_removals SET next_try_at = 0");
    }

    /// As if some hours had passed since the crash: no lease of a process that is gone is left. Only while no server runs.
    pub fn hours_pass(&self) {
        self.sql("UPDATE jobs SET lease_until = 0 WHERE state = 'running'");
        self.time_passes();
    }

    /// As if a minute had passed since this worker died: its leases are over.
    pub fn minutes_pass_for(&self, process: u32) {
        self.sql(&format!(
            "UPDATE jobs SET lease_until = 0 WHERE state = 'running' AND worker LIKE '%:{process}/%'"
        ));
    }

    /// As if the wait between two attempts were over.
    fn time_passes(&self) {
        self.sql("UPDATE jobs SET run_at = 0 WHERE state = 'waiting' AND run_at > 0 AND kind <> 'reconcile'");
    }

    /// Waits until everything that has happened is dealt with.
    pub fn settle(&self, emulator: &Emulator) {
        let begun = Instant::now();
        let mut rounds = 0;
        while emulator.send_again() || self.left() > 0 {
            assert!(begun.elapsed() < PATIENCE, "{} rows never settle", self.left());
            std::thread::sleep(Duration::from_millis(10));
            rounds += 1;
            if rounds % 50 == 0 {
                self.time_passes();
            }
        }
    }

    /// Events and jobs that are not dealt with, but for the reconciliation, which comes of itself at any start.
    fn left(&self) -> i64 {
        self.number("SELECT count(*) AS n FROM events WHERE state = 'received'")
            + self.number(
                "SELECT count(*) AS n FROM jobs WHERE state IN ('waiting', 'running') AND kind <> 'reconcile'",
            )
    }

    /// Uploads that have not ended and files that are to go.
    pub fn unsettled(&self) -> i64 {
        self.number("SELECT count(*) AS n FROM uploads WHERE state IN ('started', 'stored')")
            + self.number("SELECT count(*) AS n FROM file_removals")
    }

    /// Waits until no upload is unsettled any more.
    pub fn sweep(&self) {
        let begun = Instant::now();
        while self.unsettled() > 0 {
            assert!(
                begun.elapsed() < PATIENCE,
                "never settled: {:?} {:?} {:?}",
                self.texts("SELECT state || ' ' || COALESCE(failure, '') AS t FROM uploads WHERE state IN ('started', 'stored')"),
                self.texts("SELECT reason || ' ' || attempts AS t FROM file_removals"),
                self.texts("SELECT state || ' ' || COALESCE(reason, '') AS t FROM jobs WHERE kind = 'remove-file' AND state <> 'done'"),
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn sql(&self, text: &str) {
        self.with(|c| diesel::sql_query(text).execute(c));
    }

    pub fn number(&self, text: &str) -> i64 {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = BigInt)]
            n: i64,
        }
        let row: Row = self.with(|c| diesel::sql_query(text).get_result(c));
        row.n
    }

    pub fn texts(&self, text: &str) -> Vec<String> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            t: String,
        }
        let rows: Vec<Row> = self.with(|c| diesel::sql_query(text).load(c));
        rows.into_iter().map(|row| row.t).collect()
    }

    fn with<T>(&self, work: impl FnOnce(&mut DbConn) -> QueryResult<T>) -> T {
        let open = || Db::without_migrations(self.location.clone()).expect("the database");
        let db = self.db.clone().unwrap_or_else(open);
        db.write_blocking(|c| Ok(work(c)?)).expect("the statement")
    }
}

fn service(place: Place, emulator: SocketAddr) -> Place {
    place
        .with("FILESTACK_API_KEY", API_KEY)
        .with("FILESTACK_APP_SECRET", APP_SECRET)
        .with("FILESTACK_BASE_URL", &format!("http://{emulator}"))
        .with("FILESTACK_WEBHOOK_SECRET", WEBHOOK_SECRET)
        .with("SATCHEL_DRAIN_SECONDS", "1")
        .with("RUST_LOG", "warn")
}

fn on_postgres(database: &TestDatabase, emulator: SocketAddr) -> Place {
    service(Place::new(), emulator)
        .with("DATABASE_URL", &database.url)
        .with("SATCHEL_SECRET_KEY", &"5".repeat(64))
}

fn set_up(place: Place) -> (Place, String) {
    place.create_user(EMAIL, "member");
    let token = place.create_token(EMAIL);
    (place, token)
}

fn copy(from: &Path, to: &PathBuf) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("the model").flatten() {
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
    }
}
