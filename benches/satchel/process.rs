//! Servers in processes of their own, and what the system says about them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::Outcome;

/// A server; it is killed when this is dropped.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
    /// Open as long as the server may write to it.
    _stdout: BufReader<ChildStdout>,
}

impl Server {
    /// Starts it and waits until it prints its address.
    pub fn start(mut command: Command) -> Outcome<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().ok_or("the server has no stdout")?;
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        loop {
            line.clear();
            if stdout.read_line(&mut line)? == 0 {
                let _ = child.kill();
                let status = child.wait()?;
                return Err(format!("{command:?} ended before it was ready: {status}").into());
            }
            if let Some((_, address)) = line.split_once("http://") {
                return Ok(Server {
                    address: address.trim().parse()?,
                    child,
                    _stdout: stdout,
                });
            }
        }
    }

    /// Starts a worker, which has no address, and waits until it is ready.
    pub fn start_worker(mut command: Command) -> Outcome<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().ok_or("the worker has no stdout")?;
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        if stdout.read_line(&mut line)? == 0 {
            return Err(format!("{command:?} ended before it was ready: {}", child.wait()?).into());
        }
        Ok(Server {
            address: SocketAddr::from(([0, 0, 0, 0], 0)),
            child,
            _stdout: stdout,
        })
    }

    /// Memory that it holds now, bytes.
    pub fn resident(&self) -> Outcome<u64> {
        self.status("VmRSS")
    }

    /// The most memory that it held since [`Server::forget_peak`], bytes.
    pub fn peak(&self) -> Outcome<u64> {
        self.status("VmHWM")
    }

    /// Begins a new measurement of [`Server::peak`].
    pub fn forget_peak(&self) -> Outcome<()> {
        Ok(fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5")?)
    }

    /// Bytes that it has sent to disks since it began.
    pub fn written(&self) -> Outcome<u64> {
        self.number("io", "write_bytes")
    }

    fn status(&self, name: &str) -> Outcome<u64> {
        Ok(self.number("status", name)? * 1_024)
    }

    fn number(&self, file: &str, name: &str) -> Outcome<u64> {
        let path = format!("/proc/{}/{file}", self.child.id());
        let text =
            fs::read_to_string(&path).map_err(|error| format!("{path}: {error}; only Linux has it"))?;
        let number = text.lines().find_map(|line| {
            let rest = line.strip_prefix(name)?.strip_prefix(':')?;
            rest.split_whitespace().next()?.parse().ok()
        });
        number.ok_or_else(|| format!("{path} has no {name}").into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
