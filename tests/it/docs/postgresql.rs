//! `docs/postgresql.md`: its commands, run as they stand, with addresses of the loopback network for the hosts' own.
//!
//! Every host is a directory and an address of its own at the page's ports; all of 127.0.0.0/8 is this machine's. Filestack is `satchel
//! emulator`, its credentials come from the environment, which wins over the page's `.env`.

use std::net::SocketAddr;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::{blocks, page};
use crate::cli::process::{Place, Server};
use crate::support::postgres::{binaries, unprivileged_user};
use crate::support::wire::{Reply, get, post};

const PAGE: &str = "docs/postgresql.md";
const WEBHOOK_SECRET: &str = "webhook-secret-of-the-page";
const KEY: (&str, &str) = ("AtwoHostsTESTkey0z", "TWOHOSTSTESTSECRET00000000");
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
#[ignore = "needs PostgreSQL, curl and openssl"]
fn two_hosts_are_set_up_by_the_pages_commands_and_either_may_die() {
    let scene = Scene::new();
    let database = scene.host(unprivileged_user());
    let _cluster = Cluster(&database);
    for block in scene.blocks("PostgreSQL") {
        database.run(&block);
    }

    let emulator = scene.emulator();
    let first = scene.host(None).at_filestack(&emulator);
    let [settings, account, serve] = &scene.blocks("The first host")[..] else {
        panic!("the page sets up the first host in three steps");
    };
    first.run(settings);
    first.run(account);
    let server = first.start(serve);
    let second = scene.host(None).at_filestack(&emulator);
    std::fs::copy(first.path(".env"), second.path(".env")).expect("a copy");
    let [serve, work] = &scene.blocks("The second host")[..] else {
        panic!("the page starts a server and a worker on the second host");
    };
    let _others = (second.start(serve), second.start(work));
    let here = scene.address(11);
    let there = scene.address(12);
    is_ready(here);
    is_ready(there);

    std::fs::write(second.path("report.txt"), "a report").expect("a file");
    let checks = scene.blocks("See that it works").concat();
    let seen = second.run(&format!("{checks}\necho \"token $TOKEN\""));
    let token = seen
        .lines()
        .find_map(|line| line.strip_prefix("token "))
        .expect("a token")
        .to_owned();
    let document = seen.find(r#"{"id""#).and_then(|at| {
        let mut values = serde_json::Deserializer::from_str(&seen[at..]).into_iter::<Value>();
        values.next()?.ok()
    });
    let document = document.unwrap_or_else(|| panic!("no document in {seen}"));
    assert_eq!(
        document["name"], "report.txt",
        "what came through one host is there through the other"
    );
    assert!(seen.contains("verify-file"), "{seen}");

    // The jobs are done and the event is applied, whoever does it.
    let id = document["id"].as_str().expect("an id");
    eventually("the steps are done", || {
        let jobs = get(&format!("/api/documents/{id}/jobs"))
            .bearer(&token)
            .send(there)
            .json();
        let jobs = jobs["jobs"].as_array().expect("jobs").clone();
        !jobs.is_empty() && jobs.iter().all(|job| job["state"] == "done")
    });
    eventually("the upload's event is applied", || {
        let listed = first.run("satchel webhooks list --json --action fp.upload");
        let events: Value = serde_json::from_str(&listed).expect("JSON");
        events[0]["state"] == "applied"
    });

    server.kill();
    let stored = post("/api/uploads")
        .bearer(&token)
        .upload(&[], "later.txt", b"later")
        .send(there);
    assert_eq!(stored.status, 201, "{}", stored.text());
    let server = first.start(&scene.blocks("The first host")[2]);
    is_ready(here);
    let listed: Reply = get("/api/documents").bearer(&token).send(here);
    assert_eq!(listed.json()["documents"].as_array().map(Vec::len), Some(2));
    drop(server);
}

/// The loopback network that stands for 10.0.0.0/24: another one in each test process.
struct Scene {
    network: String,
}

impl Scene {
    fn new() -> Self {
        let id = std::process::id();
        Scene {
            network: format!("127.{}.{}.", 64 + id / 256 % 128, id % 256),
        }
    }

    #[track_caller]
    fn blocks(&self, heading: &str) -> Vec<String> {
        let found = blocks(&page(PAGE), heading, "sh");
        assert!(!found.is_empty(), "nothing to run below `{heading}`");
        found
            .into_iter()
            .map(|block| block.replace("10.0.0.", &self.network))
            .collect()
    }

    fn address(&self, host: u8) -> SocketAddr {
        format!("{}{host}:8080", self.network)
            .parse()
            .expect("an address")
    }

    fn host(&self, user: Option<(u32, u32)>) -> Host {
        let directory = tempfile::tempdir_in("/tmp").expect("a directory");
        if let Some((uid, gid)) = user {
            chown(directory.path(), Some(uid), Some(gid)).expect("it is given away");
        }
        Host {
            directory,
            user,
            vars: Vec::new(),
        }
    }

    /// Filestack, which tells the second host what happens.
    fn emulator(&self) -> (Place, Server) {
        let place = Place::bare();
        let app = format!("{}:{}", KEY.0, KEY.1);
        let webhook = format!("http://{}/webhooks/filestack={WEBHOOK_SECRET}", self.address(12));
        let arguments = [
            "emulator",
            "--in-memory",
            "--bind",
            "127.0.0.1:0",
            "--app",
            &app,
            "--webhook",
            &webhook,
        ];
        let emulator = place.start(&arguments);
        (place, emulator)
    }
}

struct Host {
    directory: TempDir,
    user: Option<(u32, u32)>,
    vars: Vec<(&'static str, String)>,
}

impl Host {
    fn at_filestack(mut self, emulator: &(Place, Server)) -> Self {
        self.vars = vec![
            ("FILESTACK_API_KEY", KEY.0.to_owned()),
            ("FILESTACK_APP_SECRET", KEY.1.to_owned()),
            ("FILESTACK_WEBHOOK_SECRET", WEBHOOK_SECRET.to_owned()),
            ("FILESTACK_BASE_URL", format!("http://{}", emulator.1.address)),
        ];
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self, script: &str) -> Command {
        let satchel = PathBuf::from(env!("CARGO_BIN_EXE_satchel"));
        let path = format!(
            "{}:{}:/usr/bin:/bin",
            binaries().display(),
            satchel.parent().expect("a directory").display()
        );
        let mut command = Command::new("bash");
        command
            .args(["-ec", script])
            .env_clear()
            .env("PATH", path)
            .envs(self.vars.iter().cloned())
            .current_dir(self.directory.path())
            .stdin(Stdio::null());
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Runs what ends by itself; gives what it prints. To files, since PostgreSQL's server goes on and would hold a pipe open.
    #[track_caller]
    fn run(&self, script: &str) -> String {
        let [out, err] = [tempfile::tempfile(), tempfile::tempfile()].map(|file| file.expect("a file"));
        let read = |mut file: &std::fs::File| {
            use std::io::{Read as _, Seek as _};
            let mut text = String::new();
            file.rewind().expect("its beginning");
            file.read_to_string(&mut text).expect("text");
            text
        };
        let (to, and) = (out.try_clone().expect("a file"), err.try_clone().expect("a file"));
        let status = self
            .command(script)
            .stdout(to)
            .stderr(and)
            .status()
            .expect("bash");
        let log = std::fs::read_to_string(self.path("log")).unwrap_or_default();
        assert!(status.success(), "{script}\n{}{}\n{log}", read(&out), read(&err));
        read(&out)
    }

    /// Starts what goes on.
    fn start(&self, script: &str) -> Process {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .expect("a log");
        let mut command = self.command(script);
        command
            .process_group(0)
            .stdout(log.try_clone().expect("the log"))
            .stderr(log);
        Process(command.spawn().expect("bash"))
    }
}

/// A process with all that it started.
struct Process(Child);

impl Process {
    /// Ends it without a word.
    fn kill(self) {}
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = Command::new("/bin/sh")
            .args(["-c", &format!("kill -KILL -{}", self.0.id())])
            .status();
        let _ = self.0.wait();
    }
}

/// The page's cluster, which goes with the test.
struct Cluster<'a>(&'a Host);

impl Drop for Cluster<'_> {
    fn drop(&mut self) {
        let _ = self
            .0
            .command("pg_ctl --pgdata=pgdata --mode=immediate stop >/dev/null 2>&1")
            .status();
    }
}

#[track_caller]
fn is_ready(server: SocketAddr) {
    eventually(&format!("{server} is ready"), || {
        get("/readyz")
            .try_send(server)
            .is_ok_and(|reply| reply.status == 200)
    });
}

#[track_caller]
fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "still not: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
