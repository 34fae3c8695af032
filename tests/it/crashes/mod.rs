//! Promises 1, 2, 3, 6, 11 and 14 under kill -9: the real program dies at named places and at random moments while clients use it, is
//! started again, and must have kept its word.
//!
//! Only Satchel dies: the emulator is a process of its own. Each seed chooses places, moments and load; `SATCHEL_TEST_CRASH_SEEDS`
//! says how many there are (a hundred when it is not set), `SATCHEL_TEST_CRASH_FIRST` which is the first.

mod checks;
mod fleet;
mod ledger;
mod load;
mod many;
pub mod random;
mod scene;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use satchel::failpoints::POINTS;

use self::ledger::{Fate, Ledger};
use self::load::Client;
use self::random::Random;
use self::scene::{Emulator, Installation};
use crate::cli::process::Server;

/// Seeds on each database in one run of CI: a hundred in all.
const SEEDS: (u64, u64) = (80, 20);
/// Seeds at a time.
const AT_ONCE: usize = 4;
const CLIENTS: usize = 3;
const REQUESTS: usize = 5;
/// One seed in so many starts once more while Filestack is down.
const WITHOUT_FILESTACK: u64 = 5;
/// What stopping may take: a second of drain time, a last word to Filestack, and a busy machine.
const STOPPED_WITHIN: Duration = Duration::from_secs(10);

#[test]
fn p1_p2_p3_p6_p11_p14_killed_at_any_place_satchel_keeps_its_word() {
    run(SEEDS.0, |emulator| Installation::sqlite(emulator.address()));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn p1_p2_p3_p6_p11_p14_killed_at_any_place_satchel_keeps_its_word_with_postgresql() {
    run(SEEDS.1, |emulator| Installation::postgres(emulator.address()));
}

fn run(seeds: u64, install: impl Fn(&Emulator) -> Installation + Sync) {
    let first = setting("SATCHEL_TEST_CRASH_FIRST").unwrap_or(1);
    let last = first + setting("SATCHEL_TEST_CRASH_SEEDS").unwrap_or(seeds) - 1;
    let next = AtomicU64::new(first);
    let report = Mutex::new(Report::default());
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let emulator = Emulator::start();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > last {
                        return;
                    }
                    emulator.reset();
                    let mut installation = install(&emulator);
                    let survived = catch_unwind(AssertUnwindSafe(|| survive(seed, &emulator, &mut installation)));
                    match survived {
                        Ok(one) => report.lock().expect("nobody panics here").add(&one),
                        Err(panic) => {
                            eprintln!("seed {seed} failed: SATCHEL_TEST_CRASH_FIRST={seed} SATCHEL_TEST_CRASH_SEEDS=1 repeats it");
                            next.store(u64::MAX / 2, Ordering::Relaxed);
                            resume_unwind(panic);
                        }
                    }
                }
            });
        }
    });
    let report = report.into_inner().expect("nobody panics here");
    eprintln!(
        "seeds {first} to {last} in {:.0} s\n{report}",
        begun.elapsed().as_secs_f64()
    );
    assert!(report.kills > 0 && report.promised > 0, "nothing was tried");
}

/// A number from the environment.
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// How one life of the server ends.
#[derive(Debug)]
enum End {
    /// At fail-points.
    At(String),
    /// By kill -9 from outside, after so long.
    After(Duration),
    /// By SIGTERM, after so long.
    Term(Duration),
}

impl End {
    fn choose(random: &mut Random, emulator: &Emulator) -> Self {
        let wait = Duration::from_millis(random.below(250) as u64);
        match random.below(10) {
            0 => End::After(wait),
            1 => End::Term(wait),
            2 => {
                // The request is on its way, and the answer never comes.
                let (point, route) = *random.pick(&[
                    ("upload.before-start", "start"),
                    ("upload.before-part", "put"),
                    ("upload.before-complete", "complete"),
                    ("upload.before-store", "store"),
                    ("removal.before-delete", "delete"),
                ]);
                emulator.delay(route, 60);
                End::At(format!("{point}=kill+{}", 10 + random.below(70)))
            }
            _ => {
                let point = random.pick(POINTS);
                let passes = if point.starts_with("db.") { 16 } else { 5 };
                End::At(format!("{point}=kill@{}", 1 + random.below(passes)))
            }
        }
    }
}

/// Lives and deaths of one installation, and the reckoning.
fn survive(seed: u64, emulator: &Emulator, installation: &mut Installation) -> Report {
    let mut random = Random::new(seed);
    let ledger = Ledger::default();
    let mut report = Report {
        seeds: 1,
        ..Report::default()
    };
    for life in 0..1 + random.below(2) {
        let end = End::choose(&mut random, emulator);
        let points = match &end {
            End::At(points) => points.as_str(),
            _ => "",
        };
        let Some(server) = installation.start(points) else {
            report.died(points);
            continue;
        };
        emulator.tell(server.address);
        live(life, &server, &end, &installation.token, &ledger, &mut random);
        report.ended(server, &end);
    }
    // Some hours: Filestack delivers what was missed. Then a day: what nobody finished is given up. Or the other way round.
    let late = random.percent(30);
    for day in [late, !late] {
        installation.hours_pass();
        if day {
            installation.a_day_passes();
        }
        let server = installation.start("").expect("it starts when nothing kills it");
        if day {
            installation.sweep();
        }
        emulator.tell(server.address);
        installation.settle(emulator);
        server.terminate();
        let (status, _, said) = server.ended();
        assert_eq!(status.code(), Some(0), "{said}");
    }
    let server = installation.start("").expect("it starts when nothing kills it");
    checks::documents(installation, server.address, emulator, &ledger);
    checks::events(installation, &ledger);
    checks::jobs(installation, &ledger);
    if seed.is_multiple_of(WITHOUT_FILESTACK) {
        drop(server);
        let server = installation.start_without_filestack();
        checks::without_filestack(installation, server.address);
        report.outages = 1;
    }
    report.events = ledger.events().values().filter(|told| told.answered > 0).count();
    report.deliveries = ledger.events().values().map(|told| told.answered as usize).sum();
    report.jobs = ledger.jobs().len();
    report.promised = ledger.count(|fate| matches!(fate, Fate::Promised(_)));
    report.deleted = ledger.count(|fate| *fate == Fate::Deleted);
    report.unanswered = ledger.count(|fate| matches!(fate, Fate::Unanswered | Fate::DeletionUnanswered(_)));
    report
}

/// Clients use the server until they are done or it is gone.
fn live(life: usize, server: &Server, end: &End, token: &str, ledger: &Ledger, random: &mut Random) {
    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let client = Client {
                name: format!("{life}-{number}"),
                token,
                address: server.address,
                ledger,
                random: random.fork(),
                large_files: true,
            };
            scope.spawn(move || client.work(REQUESTS));
        }
        match end {
            End::At(_) => {}
            End::After(wait) => {
                std::thread::sleep(*wait);
                server.signal("KILL");
            }
            End::Term(wait) => {
                std::thread::sleep(*wait);
                server.signal("TERM");
            }
        }
    });
}

/// What was tried, to see that it was.
#[derive(Default)]
struct Report {
    seeds: usize,
    kills: usize,
    stops: usize,
    missed: usize,
    outages: usize,
    promised: usize,
    deleted: usize,
    unanswered: usize,
    events: usize,
    deliveries: usize,
    jobs: usize,
    points: BTreeMap<String, usize>,
}

impl Report {
    fn died(&mut self, points: &str) {
        self.kills += 1;
        let name = points.split('=').next().unwrap_or_default();
        *self.points.entry(name.to_owned()).or_default() += 1;
    }

    fn ended(&mut self, mut server: Server, end: &End) {
        match end {
            End::At(points) if !server.is_running() || server.log().contains("failpoint ") => {
                self.died(points)
            }
            // The load did not come by there so often.
            End::At(_) => {
                self.missed += 1;
                server.kill();
            }
            End::After(_) => self.died("from outside"),
            End::Term(_) => {
                self.stops += 1;
                let (status, took, said) = server.ended();
                assert_eq!(status.code(), Some(0), "{said}");
                assert!(took < STOPPED_WITHIN, "{took:?}");
            }
        }
    }

    fn add(&mut self, one: &Report) {
        self.seeds += one.seeds;
        self.kills += one.kills;
        self.stops += one.stops;
        self.missed += one.missed;
        self.outages += one.outages;
        self.promised += one.promised;
        self.deleted += one.deleted;
        self.unanswered += one.unanswered;
        self.events += one.events;
        self.deliveries += one.deliveries;
        self.jobs += one.jobs;
        for (point, count) in &one.points {
            *self.points.entry(point.clone()).or_default() += count;
        }
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{} seeds: killed {} times, stopped {} times, {} kills after the load, started {} times without Filestack; {} documents promised and kept, {} deleted, \
             {} requests unanswered; {} events of {} answered deliveries, {} jobs promised",
            self.seeds,
            self.kills,
            self.stops,
            self.missed,
            self.outages,
            self.promised,
            self.deleted,
            self.unanswered,
            self.events,
            self.deliveries,
            self.jobs
        )?;
        for (point, count) in &self.points {
            writeln!(f, "  {point}: {count}")?;
        }
        Ok(())
    }
}
