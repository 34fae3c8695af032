//! Named places at which a development build dies or freezes when `SATCHEL_FAILPOINTS` says so: tests of what a crash leaves.
//!
//! `SATCHEL_FAILPOINTS=upload.after-complete=kill@2,db.before-commit=kill+30` ends the process as `kill -9` would, the second time it
//! comes by the first place, or 30 ms after it first comes by the other. `=stop` freezes it instead, until it is sent SIGCONT; `=panic`
//! breaks down there and then.
//! Optimised builds have none of this: [`reach`] is empty there. Uses nothing of ours.

/// Every place. Each is passed in exactly one line of the source.
pub const POINTS: &[&str] = &[
    "db.before-commit",
    "db.after-commit",
    "upload.before-intent",
    "upload.after-intent",
    "upload.before-start",
    "upload.after-start",
    "upload.before-part",
    "upload.after-part",
    "upload.before-store",
    "upload.before-end",
    "upload.before-complete",
    "upload.after-complete",
    "upload.before-record",
    "upload.in-record",
    "upload.after-record",
    "webhook.before-record",
    "webhook.in-record",
    "webhook.after-record",
    "webhook.in-enter",
    "event.before-apply",
    "event.in-apply",
    "event.after-apply",
    "job.after-claim",
    "job.before-work",
    "job.after-work",
    "job.before-finish",
    "job.in-finish",
    "job.after-finish",
    "removal.before-delete",
    "removal.after-delete",
];

/// Passes a place.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn reach(_point: &'static str) {}

#[cfg(debug_assertions)]
pub use armed::{arm, reach};

#[cfg(debug_assertions)]
mod armed {
    use std::str::FromStr;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use rustix::process::{Signal, getpid, kill_process};

    use super::POINTS;

    /// What was asked for. Of the process, since what it does is done to the process.
    static ARMED: OnceLock<Vec<Armed>> = OnceLock::new();

    #[derive(Debug)]
    struct Armed {
        point: &'static str,
        action: Action,
        /// Passes until it happens.
        left: AtomicU32,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Action {
        /// Ends the process so long after the pass.
        Kill(Duration),
        Stop,
        Panic,
    }

    /// Says what is to happen where, once for the process.
    ///
    /// # Errors
    ///
    /// A sentence about what cannot be understood.
    pub fn arm(text: &str) -> Result<(), String> {
        let armed = text
            .split(',')
            .map(|one| one.trim().parse())
            .collect::<Result<_, _>>()?;
        ARMED
            .set(armed)
            .map_err(|_| "The points are armed already".to_owned())
    }

    /// Passes a place: at the pass that was asked for, what was asked for happens.
    pub fn reach(point: &'static str) {
        for armed in ARMED.get().into_iter().flatten() {
            if armed.point == point && armed.left.fetch_sub(1, Ordering::Relaxed) == 1 {
                armed.action.carry_out(point);
            }
        }
    }

    impl Action {
        fn carry_out(self, point: &str) {
            // Straight to the stream: a log line might wait in a buffer or for a lock.
            eprintln!("failpoint {point}: {self:?}");
            match self {
                Action::Stop => signal(Signal::STOP),
                Action::Panic => panic!("as {point} was asked to"),
                Action::Kill(Duration::ZERO) => die(),
                Action::Kill(wait) => {
                    std::thread::spawn(move || {
                        std::thread::sleep(wait);
                        die();
                    });
                }
            }
        }
    }

    fn signal(signal: Signal) {
        if let Err(error) = kill_process(getpid(), signal) {
            eprintln!("the process cannot signal itself: {error}");
        }
    }

    /// Does not return: nothing behind the place may happen any more.
    fn die() {
        signal(Signal::KILL);
        std::process::abort();
    }

    impl FromStr for Armed {
        type Err = String;

        fn from_str(text: &str) -> Result<Self, String> {
            let wrong = |problem: &str| {
                format!(
                    "{text:?} {problem}: write POINT=kill, POINT=kill+MILLISECONDS, POINT=stop or POINT=panic, and @N for the n-th pass"
                )
            };
            let (name, rest) = text.split_once('=').ok_or_else(|| wrong("names no action"))?;
            let point = POINTS.iter().find(|point| **point == name);
            let point = point.ok_or_else(|| wrong("names no point"))?;
            let (action, pass) = rest.split_once('@').unwrap_or((rest, "1"));
            let (action, wait) = action.split_once('+').unwrap_or((action, "0"));
            let wait = wait.parse().map_err(|_| wrong("has no number of milliseconds"))?;
            let action = match action {
                "kill" => Action::Kill(Duration::from_millis(wait)),
                "stop" => Action::Stop,
                "panic" => Action::Panic,
                _ => return Err(wrong("names no action")),
            };
            let pass: u32 = pass.parse().map_err(|_| wrong("has no number of passes"))?;
            Ok(Armed {
                point,
                action,
                left: AtomicU32::new(pass),
            })
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn what_is_to_happen_is_read() {
            let armed: Armed = "upload.after-intent=kill+30@4".parse().expect("it is right");
            assert_eq!(
                (armed.point, armed.action),
                ("upload.after-intent", Action::Kill(Duration::from_millis(30)))
            );
            assert_eq!(armed.left.into_inner(), 4);
            let armed: Armed = "db.before-commit=stop".parse().expect("it is right");
            assert_eq!((armed.action, armed.left.into_inner()), (Action::Stop, 1));
            for wrong in [
                "",
                "upload.after-intent",
                "nowhere=kill",
                "db.before-commit=explode",
                "db.before-commit=panics",
                "db.before-commit=kill@x",
            ] {
                assert!(wrong.parse::<Armed>().is_err(), "{wrong}");
            }
        }
    }
}
