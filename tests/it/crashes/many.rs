//! Promises 1, 2, 3, 6 and 14 with several hosts: on PostgreSQL three web nodes and three workers of the real program share the work, and
//! for a minute one of the six is killed every second and replaced, while clients use them through a balancer.
//!
//! Afterwards nothing may be lost and nothing may be there twice. `SATCHEL_TEST_CRASH_FIRST` is the seed here, too;
//! `SATCHEL_TEST_FLEET_SECONDS` makes it longer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::checks;
use super::fleet::{Fleet, Role};
use super::ledger::{Fate, Ledger};
use super::load::Client;
use super::random::Random;
use super::scene::{Emulator, Installation};
use super::{STOPPED_WITHIN, setting};

/// Web nodes, and as many workers.
const EACH: usize = 3;
/// Seconds under fire: one kill each.
const SECONDS: u64 = 60;
const CLIENTS: usize = 5;

#[test]
#[ignore = "needs PostgreSQL"]
fn p1_p2_p3_p6_p14_of_three_web_nodes_and_three_workers_one_dies_every_second_for_a_minute() {
    let seed = setting("SATCHEL_TEST_CRASH_FIRST").unwrap_or(1);
    let seconds = setting("SATCHEL_TEST_FLEET_SECONDS").unwrap_or(SECONDS);
    let mut random = Random::new(seed);
    let begun = Instant::now();
    let emulator = Emulator::start();
    let installation = Installation::postgres(emulator.address());
    let fleet = Fleet::new(&installation, EACH);
    let ledger = Ledger::default();
    fleet.start();
    emulator.tell(fleet.balancer.address);

    let kills = under_fire(&fleet, &installation, &emulator, &ledger, &mut random, seconds);
    stop(&fleet);

    // Some hours: Filestack delivers what was missed. Then a day: what nobody finished is given up.
    installation.hours_pass();
    fleet.start();
    installation.settle(&emulator);
    stop(&fleet);
    installation.hours_pass();
    installation.a_day_passes();
    fleet.start();
    installation.sweep();
    installation.settle(&emulator);

    checks::documents(&installation, fleet.balancer.address, &emulator, &ledger);
    checks::events(&installation, &ledger);
    let told = checks::webhooks(&installation, &emulator);
    checks::jobs(&installation, &ledger);
    checks::steps_once(&installation);
    let deadlocks = "SELECT deadlocks AS n FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(
        installation.number(deadlocks),
        0,
        "transactions that waited for each other"
    );
    stop(&fleet);

    let count = |role: Role| kills.iter().filter(|killed| **killed == role).count();
    let fates = |wanted: fn(&Fate) -> bool| ledger.count(wanted);
    let events: Vec<i64> = ledger.events().values().map(|told| told.answered).collect();
    let (web, workers) = (count(Role::Web), count(Role::Worker));
    eprintln!(
        "seed {seed}, {:.0} s: {EACH} web nodes killed {web} times, {EACH} workers {workers} times.\n\
         documents: {} answered with 201 and there, {} deleted and gone, {} requests unanswered; 0 lost, 0 doubled\n\
         events: {} answered in {} deliveries, each there once with its effect once, and {told} of the emulator's own; 0 lost, 0 doubled\n\
         jobs: {} named in answers, {} in all, every one ended; 0 lost, 0 doubled",
        begun.elapsed().as_secs_f64(),
        fates(|fate| matches!(fate, Fate::Promised(_))),
        fates(|fate| *fate == Fate::Deleted),
        fates(|fate| matches!(fate, Fate::Unanswered | Fate::DeletionUnanswered(_))),
        events.iter().filter(|answered| **answered > 0).count(),
        events.iter().sum::<i64>(),
        ledger.jobs().len(),
        installation.number("SELECT count(*) AS n FROM jobs"),
    );
    assert!(web > 0 && workers > 0, "nobody of one kind was killed");
    assert!(
        fates(|fate| matches!(fate, Fate::Promised(_))) > 0 && !events.is_empty(),
        "nothing was tried"
    );
}

/// A minute of load and kills; gives who was killed.
fn under_fire(
    fleet: &Fleet,
    installation: &Installation,
    emulator: &Emulator,
    ledger: &Ledger,
    random: &mut Random,
    seconds: u64,
) -> Vec<Role> {
    let over = AtomicBool::new(false);
    let is_over = || over.load(Ordering::Relaxed);
    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let mut random = random.fork();
            scope.spawn(move || {
                let mut life = 0;
                while !is_over() {
                    life += 1;
                    let client = Client {
                        name: format!("{number}-{life}"),
                        token: &installation.token,
                        address: fleet.balancer.address,
                        ledger,
                        random: random.fork(),
                        // One of them is enough to go through the two other ways in.
                        large_files: number == 0,
                    };
                    client.work_while(|| !is_over());
                    // Its server died. Whoever uses a browser does not come back at once, either.
                    std::thread::sleep(Duration::from_millis(20));
                }
            });
        }
        scope.spawn(|| {
            // Filestack's tries, which would be minutes and hours apart.
            while !is_over() {
                std::thread::sleep(Duration::from_secs(2));
                emulator.send_again();
            }
        });
        let begun = Instant::now();
        let mut kills = Vec::new();
        for second in 1..=seconds {
            std::thread::sleep(Duration::from_secs(second).saturating_sub(begun.elapsed()));
            kills.push(
                fleet
                    .kill_one(random, installation, scope)
                    .expect("one of six runs"),
            );
        }
        over.store(true, Ordering::Relaxed);
        kills
    })
}

/// Promise 14, for all of them together.
fn stop(fleet: &Fleet) {
    let ended = fleet.stop();
    assert_eq!(ended.len(), 2 * EACH);
    for (well, took, said) in ended {
        assert!(well, "{said}");
        assert!(took < STOPPED_WITHIN, "{took:?}");
    }
}
