//! The emulator's time, which tests may move: policies expire by it and files are dated by it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The system's clock, shifted or stopped. Clones share the setting.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<Mutex<Setting>>);

#[derive(Debug, Default)]
struct Setting {
    frozen: Option<SystemTime>,
    ahead: Duration,
}

impl Clock {
    /// The time it is for the emulator.
    pub fn now(&self) -> SystemTime {
        self.with(|setting| setting.frozen.unwrap_or_else(SystemTime::now) + setting.ahead)
    }

    /// Moves the time forward, frozen or not.
    pub fn advance(&self, by: Duration) {
        self.with(|setting| setting.ahead += by);
    }

    /// Stops the time at a moment; [`Clock::advance`] still moves it.
    pub fn freeze(&self, at: SystemTime) {
        self.with(|setting| {
            *setting = Setting {
                frozen: Some(at),
                ahead: Duration::ZERO,
            }
        });
    }

    /// Follows the system's clock again.
    pub fn resume(&self) {
        self.with(|setting| *setting = Setting::default());
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Setting) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Milliseconds since 1970, the unit of §5.1 `uploaded`.
pub(super) fn millis(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Whole seconds since 1970.
pub(super) fn seconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
