//! Several servers and workers of one installation, each a process that can be killed and replaced, and the balancer before the
//! servers.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::Scope;

use super::random::Random;
use super::scene::Installation;
use crate::cli::process::{Place, Server};

/// What a process of the fleet is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Answers requests, and does no jobs.
    Web,
    /// Does jobs and nothing else.
    Worker,
}

/// A host: its process, unless that is being replaced.
struct Host {
    role: Role,
    place: Place,
    process: Mutex<Option<Server>>,
}

/// All of them.
pub struct Fleet {
    hosts: Vec<Host>,
    pub balancer: Balancer,
}

impl Fleet {
    /// So many of each, none of which runs yet.
    pub fn new(installation: &Installation, each: usize) -> Self {
        let host = |role: Role| Host {
            role,
            place: installation.another_host(),
            process: Mutex::default(),
        };
        let roles = [Role::Web, Role::Worker].into_iter();
        Fleet {
            hosts: roles
                .flat_map(|role| (0..each).map(move |_| role))
                .map(host)
                .collect(),
            balancer: Balancer::start(each),
        }
    }

    /// Starts all that do not run.
    pub fn start(&self) {
        std::thread::scope(|scope| {
            for number in 0..self.hosts.len() {
                scope.spawn(move || self.start_one(number));
            }
        });
    }

    fn start_one(&self, number: usize) {
        let host = &self.hosts[number];
        let process = match host.role {
            Role::Web => host.place.serve(),
            Role::Worker => host.place.worker(&["worker", "--threads", "2"]),
        };
        if host.role == Role::Web {
            self.balancer.direct(number, Some(process.address));
        }
        *host.process.lock().expect("nobody panics here") = Some(process);
    }

    /// Kills one that runs, and has another process take its place meanwhile; says which it was.
    pub fn kill_one<'s>(
        &'s self,
        random: &mut Random,
        installation: &Installation,
        scope: &'s Scope<'s, '_>,
    ) -> Option<Role> {
        let first = random.below(self.hosts.len());
        let numbers = (0..self.hosts.len()).map(|next| (first + next) % self.hosts.len());
        for number in numbers {
            let host = &self.hosts[number];
            let Some(process) = host.process.lock().expect("nobody panics here").take() else {
                continue;
            };
            let id = process.id();
            process.kill();
            match host.role {
                Role::Web => self.balancer.direct(number, None),
                Role::Worker => installation.minutes_pass_for(id),
            }
            scope.spawn(move || self.start_one(number));
            return Some(host.role);
        }
        None
    }

    /// Asks all of them to stop, and gives what each said as it ended and whether it ended well.
    pub fn stop(&self) -> Vec<(bool, std::time::Duration, String)> {
        let processes: Vec<Server> = self
            .hosts
            .iter()
            .filter_map(|host| host.process.lock().expect("nobody panics here").take())
            .collect();
        for process in &processes {
            process.terminate();
        }
        let ended = processes.into_iter().map(Server::ended);
        let ended = ended
            .map(|(status, took, said)| (status.success(), took, said))
            .collect();
        for number in 0..self.hosts.len() {
            self.balancer.direct(number, None);
        }
        ended
    }
}

/// One address before the servers, as a proxy is in production: each connection goes to the next server that takes it, and is never
/// tried again once a byte of it has been sent.
pub struct Balancer {
    pub address: SocketAddr,
    servers: Arc<Mutex<Vec<Option<SocketAddr>>>>,
}

impl Balancer {
    fn start(servers: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let servers = Arc::new(Mutex::new(vec![None; servers]));
        let (known, turn) = (servers.clone(), Arc::new(AtomicUsize::new(0)));
        // It ends with the test's process.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (known, turn) = (known.clone(), turn.clone());
                std::thread::spawn(move || {
                    if let Some(server) = connect(&known, &turn) {
                        forward(&client, &server);
                    }
                });
            }
        });
        Balancer { address, servers }
    }

    /// Where the server of this number is from now on.
    fn direct(&self, number: usize, address: Option<SocketAddr>) {
        if let Some(place) = self.servers.lock().expect("nobody panics here").get_mut(number) {
            *place = address;
        }
    }
}

fn connect(servers: &Mutex<Vec<Option<SocketAddr>>>, turn: &AtomicUsize) -> Option<TcpStream> {
    let live: Vec<SocketAddr> = {
        let servers = servers.lock().expect("nobody panics here");
        servers.iter().flatten().copied().collect()
    };
    let first = turn.fetch_add(1, Ordering::Relaxed);
    let mut live = (0..live.len()).map(|next| live[(first + next) % live.len()]);
    live.find_map(|address| TcpStream::connect(address).ok())
}

/// Copies both ways until either side has gone.
fn forward(client: &TcpStream, server: &TcpStream) {
    let copy = |mut from: &TcpStream, mut to: &TcpStream| {
        let copied = io::copy(&mut from, &mut to);
        // A half that broke off breaks the other off too; one that ended is passed on as an end.
        let _ = to.shutdown(if copied.is_ok() {
            Shutdown::Write
        } else {
            Shutdown::Both
        });
        if copied.is_err() {
            let _ = from.shutdown(Shutdown::Both);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| copy(client, server));
        copy(server, client);
        // The answer is complete: what the client still sends, nobody reads.
        let _ = client.shutdown(Shutdown::Both);
    });
}
