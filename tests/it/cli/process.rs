//! A `satchel` of its own for each test: the real program, in a directory that goes with it, with nothing in its environment.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use crate::support::wire::{Browser, get};

/// Longer than any start or stop takes on a busy machine; a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(60);

pub const EMAIL: &str = "ana@example.org";
pub const PASSWORD: &str = "correct horse battery";

/// A directory to run in, and what the environment says.
pub struct Place {
    directory: tempfile::TempDir,
    vars: BTreeMap<String, String>,
}

impl Place {
    /// An empty directory; servers take free ports.
    pub fn new() -> Self {
        let place = Self::bare();
        place
            .with("SATCHEL_BIND", "127.0.0.1:0")
            .with("SATCHEL_EMULATOR_BIND", "127.0.0.1:0")
    }

    /// An empty directory and an empty environment.
    pub fn bare() -> Self {
        Self {
            directory: tempfile::tempdir().expect("a directory can be made"),
            vars: BTreeMap::new(),
        }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.vars.insert(name.to_owned(), value.to_owned());
        self
    }

    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.vars.remove(name);
        self
    }

    /// Changes a variable from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.vars.insert(name.to_owned(), value.to_owned());
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Names of everything below the directory, sorted.
    pub fn files(&self) -> Vec<PathBuf> {
        fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
                found.push(entry.path());
                if entry.path().is_dir() {
                    walk(&entry.path(), found);
                }
            }
        }
        let mut found = Vec::new();
        walk(self.path(), &mut found);
        found.sort();
        found
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_satchel"));
        command
            .args(arguments)
            .env_clear()
            .envs(&self.vars)
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_with_input(arguments, "")
    }

    /// Runs a command with something to read.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Outcome {
        let mut command = self.command(arguments);
        let mut child = command
            .stdin(Stdio::piped())
            .spawn()
            .expect("satchel can be started");
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        // A command that fails before it reads has closed its end.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let (stdout, stderr) = streams(&mut child);
        let status = wait(&mut child, &stderr);
        Outcome {
            code: status.code(),
            stdout: stdout.to_the_end(),
            stderr: stderr.to_the_end(),
        }
    }

    /// A user made by the command.
    #[track_caller]
    pub fn create_user(&self, email: &str, role: &str) {
        let arguments = [
            "user",
            "create",
            "--email",
            email,
            "--role",
            role,
            "--password-stdin",
        ];
        let outcome = self.run_with_input(&arguments, &format!("{PASSWORD}\n"));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    }

    /// An API token made by the command.
    #[track_caller]
    pub fn create_token(&self, email: &str) -> String {
        let outcome = self.run(&["token", "create", "--email", email, "--name", "test"]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let token = outcome.stdout.trim_end_matches('\n').to_owned();
        assert!(
            token.starts_with("satchel_") && !token.contains(char::is_whitespace),
            "the token stands alone on stdout: {token:?}"
        );
        token
    }

    /// Starts a server and waits until it says that it is ready.
    #[track_caller]
    pub fn serve(&self) -> Server {
        self.start(&["serve"])
    }

    /// Starts a worker, and waits until it says that it is ready.
    #[track_caller]
    pub fn worker(&self, arguments: &[&str]) -> Server {
        let mut child = self.command(arguments).spawn().expect("satchel can be started");
        let (stdout, stderr) = streams(&mut child);
        let said = stdout.wait_for(|text| text.contains("worker is ready"));
        let worker = Server {
            child,
            stdout,
            stderr,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        assert!(
            said.contains("worker is ready"),
            "{said}{}",
            worker.stderr.so_far()
        );
        worker
    }

    /// Starts something that serves, and waits until it says where.
    #[track_caller]
    pub fn start(&self, arguments: &[&str]) -> Server {
        match self.try_start(arguments) {
            Ok(server) => server,
            Err(said) => panic!("it did not start: {said}"),
        }
    }

    /// The same; what it said if it ended before it was ready.
    pub fn try_start(&self, arguments: &[&str]) -> Result<Server, String> {
        let mut child = self.command(arguments).spawn().expect("satchel can be started");
        let (stdout, stderr) = streams(&mut child);
        let mut server = Server {
            child,
            stdout,
            stderr,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        let said = server.stdout.wait_for(|text| text.contains(" at http"));
        let listening = line_after(&said, "listening on ");
        let address = listening
            .or_else(|| line_after(&said, "Satchel is ready at http://"))
            .or_else(|| line_after(&said, "Filestack is emulated at http://"))
            .and_then(|address| address.parse().ok());
        match address {
            Some(address) => server.address = address,
            None => {
                let (_, _, error) = server.ended();
                return Err(format!("{said}\n{error}"));
            }
        }
        Ok(server)
    }
}

/// The rest of the line that has `start` in it.
fn line_after(text: &str, start: &str) -> Option<String> {
    let rest = text.split_once(start)?.1;
    Some(rest.lines().next().unwrap_or_default().trim().to_owned())
}

/// What a finished command said.
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

fn streams(child: &mut Child) -> (Said, Said) {
    let stdout = Said::of(child.stdout.take().expect("standard output is a pipe"));
    let stderr = Said::of(child.stderr.take().expect("standard error is a pipe"));
    (stdout, stderr)
}

/// Waits for the end; one that does not come in time is a failure, and ends the program all the same.
fn wait(child: &mut Child, stderr: &Said) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("it can be waited for") {
            return status;
        }
        if begun.elapsed() > PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            panic!("it does not end: {}", stderr.so_far());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A server that runs, and is killed with this value.
pub struct Server {
    child: Child,
    stdout: Said,
    stderr: Said,
    pub address: SocketAddr,
}

impl Server {
    /// Everything on standard output so far.
    pub fn stdout(&self) -> String {
        self.stdout.so_far()
    }

    /// Waits until the log has this in it.
    #[track_caller]
    pub fn wait_for_log(&self, part: &str) {
        let said = self.stderr.wait_for(|text| text.contains(part));
        assert!(said.contains(part), "the log never said {part:?}: {said}");
    }

    /// Where the set-up link points, from its path on.
    #[track_caller]
    pub fn setup_target(&self) -> String {
        let said = self.stdout();
        let token = line_after(&said, "/setup?token=").unwrap_or_else(|| panic!("no set-up link: {said}"));
        format!("/setup?token={token}")
    }

    /// Where the embedded emulator listens.
    #[track_caller]
    pub fn emulator(&self) -> SocketAddr {
        let said = self.stdout();
        line_after(&said, "Filestack is emulated at http://")
            .and_then(|address| address.parse().ok())
            .unwrap_or_else(|| panic!("no emulator: {said}"))
    }

    pub fn browser(&self) -> Browser {
        Browser::new(self.address)
    }

    /// How many documents the token's owner has.
    #[track_caller]
    pub fn count_documents(&self, token: &str) -> usize {
        let reply = get("/api/documents").bearer(token).send(self.address);
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["documents"].as_array().map_or(0, Vec::len)
    }

    /// Everything it has logged so far.
    pub fn log(&self) -> String {
        self.stderr.so_far()
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks it to stop.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("/bin/sh")
            .args(["-c", &format!("kill -{name} {}", self.child.id())])
            .status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "the signal could not be sent"
        );
    }

    /// Ends it without a word, as the system would.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it can be waited for");
    }

    /// Waits until it has ended; says how, after how long, and everything it said.
    pub fn ended(mut self) -> (ExitStatus, Duration, String) {
        let begun = Instant::now();
        let status = wait(&mut self.child, &self.stderr);
        let took = begun.elapsed();
        let said = format!("{}{}", self.stdout.to_the_end(), self.stderr.to_the_end());
        (status, took, said)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a stream has said, read in the background so that the program never waits for us.
struct Said(Arc<(Mutex<Heard>, Condvar)>);

#[derive(Default)]
struct Heard {
    text: String,
    ended: bool,
}

impl Said {
    fn of(mut stream: impl Read + Send + 'static) -> Self {
        let heard = Arc::new((Mutex::new(Heard::default()), Condvar::new()));
        let hearing = Arc::clone(&heard);
        std::thread::spawn(move || {
            let mut buffer = [0; 16 * 1024];
            loop {
                let count = stream.read(&mut buffer).unwrap_or(0);
                let (lock, changed) = &*hearing;
                let mut heard = lock.lock().expect("nobody panics here");
                heard.text.push_str(&String::from_utf8_lossy(&buffer[..count]));
                heard.ended = count == 0;
                changed.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        Self(heard)
    }

    fn so_far(&self) -> String {
        self.0.0.lock().expect("nobody panics here").text.clone()
    }

    fn to_the_end(&self) -> String {
        self.wait_for(|_| false)
    }

    /// Waits until the text is as wanted, or the stream has ended, or patience has; gives the text.
    fn wait_for(&self, wanted: impl Fn(&str) -> bool) -> String {
        let (lock, changed) = &*self.0;
        let heard = lock.lock().expect("nobody panics here");
        let (heard, _) = changed
            .wait_timeout_while(heard, PATIENCE, |heard| !heard.ended && !wanted(&heard.text))
            .expect("nobody panics here");
        heard.text.clone()
    }
}
