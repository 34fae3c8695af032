//! Chromium without a window, over WebDriver: as much of it as it takes to look at pages and ask when they were painted.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::Outcome;
use super::http::Connection;

/// A browser with one window and a fresh profile.
pub struct Browser {
    driver: Child,
    /// Open as long as the driver may write to it.
    _stdout: BufReader<ChildStdout>,
    connection: Connection,
    session: String,
}

impl Browser {
    /// Starts one; `None` when no `chromedriver` is installed.
    pub async fn start() -> Outcome<Option<Self>> {
        let started = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut driver) = started else {
            return Ok(None);
        };
        let stdout = driver.stdout.take().ok_or("chromedriver has no stdout")?;
        let mut stdout = BufReader::new(stdout);
        let port = port(&mut stdout)?;
        let mut connection = Connection::open(SocketAddr::from(([127, 0, 0, 1], port))).await?;
        let wanted = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--window-size=1280,800", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
        ]}}}});
        let made = send(&mut connection, "POST", "/session", &wanted).await?;
        let session = made["sessionId"]
            .as_str()
            .ok_or("chromedriver began no session")?;
        Ok(Some(Browser {
            session: format!("/session/{session}"),
            driver,
            _stdout: stdout,
            connection,
        }))
    }

    /// Opens an address and waits until the page has loaded.
    pub async fn open(&mut self, url: &str) -> Outcome<()> {
        self.command("/url", &json!({"url": url})).await.map(drop)
    }

    /// Runs a script's body in the page and gives what it returns, once that has come.
    pub async fn run(&mut self, script: &str, arguments: &[&str]) -> Outcome<Value> {
        self.command("/execute/sync", &json!({"script": script, "args": arguments}))
            .await
    }

    /// Forgets all files that it has kept.
    pub async fn forget_files(&mut self) -> Outcome<()> {
        let clear = json!({"cmd": "Network.clearBrowserCache", "params": {}});
        self.command("/goog/cdp/execute", &clear).await.map(drop)
    }

    /// Ends it. The driver ends the browser with the session; killed without that, it would leave it behind.
    pub async fn end(mut self) -> Outcome<()> {
        let session = self.session.clone();
        send(&mut self.connection, "DELETE", &session, &json!({}))
            .await
            .map(drop)
    }

    async fn command(&mut self, path: &str, body: &Value) -> Outcome<Value> {
        let path = format!("{}{path}", self.session);
        send(&mut self.connection, "POST", &path, body).await
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

async fn send(connection: &mut Connection, method: &str, path: &str, body: &Value) -> Outcome<Value> {
    let headers = "Content-Type: application/json\r\n";
    let answer = connection
        .send(method, path, headers, body.to_string().as_bytes())
        .await?;
    let mut answer: Value = serde_json::from_slice(&answer.expect(200)?.body)?;
    Ok(answer["value"].take())
}

/// The driver says on which port it listens once it does.
fn port(stdout: &mut BufReader<ChildStdout>) -> Outcome<u16> {
    for line in stdout.lines() {
        if let Some((_, port)) = line?.split_once("started successfully on port ") {
            return Ok(port.trim_end_matches('.').parse()?);
        }
    }
    Err("chromedriver ended before it listened".into())
}
