//! The emulator's time, which tests and people may move: policies expire by it and files are dated by it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// The end of the year 9999, in milliseconds since 1970: no calendar on the way goes further.
const LAST_MS: i64 = 253_402_300_799_999;

/// The system's clock, shifted or stopped. Clones share the setting.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    setting: Mutex<ClockSetting>,
    /// Tells who waits for a moment that it may have come.
    changed: watch::Sender<()>,
}

/// How an emulator's clock differs from the system's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockSetting {
    /// The moment the time stands still at, before the shift, in milliseconds since 1970.
    pub frozen_ms: Option<i64>,
    /// Milliseconds it is ahead; negative when it is behind.
    pub ahead_ms: i64,
}

impl ClockSetting {
    /// Always between 1970 and 9999, whatever the setting says.
    fn at(self, system: SystemTime) -> SystemTime {
        let base = self
            .frozen_ms
            .unwrap_or_else(|| i64::try_from(millis(system)).unwrap_or(LAST_MS));
        let ms = base.saturating_add(self.ahead_ms).clamp(0, LAST_MS);
        UNIX_EPOCH + Duration::from_millis(ms.unsigned_abs())
    }
}

impl Clock {
    /// The time it is for the emulator, to the millisecond.
    pub fn now(&self) -> SystemTime {
        self.setting().at(SystemTime::now())
    }

    /// Moves the time forward, frozen or not.
    pub fn advance(&self, by: Duration) {
        self.shift_ms(i64::try_from(by.as_millis()).unwrap_or(i64::MAX));
    }

    /// Moves the time, back when negative, frozen or not. It stays between 1970 and 9999.
    pub fn shift_ms(&self, by: i64) {
        self.change(|setting| setting.ahead_ms = setting.ahead_ms.saturating_add(by));
    }

    /// Stops the time at a moment; [`Clock::advance`] still moves it.
    pub fn freeze(&self, at: SystemTime) {
        self.set(ClockSetting {
            frozen_ms: Some(i64::try_from(millis(at)).unwrap_or(LAST_MS)),
            ahead_ms: 0,
        });
    }

    /// Follows the system's clock again.
    pub fn resume(&self) {
        self.set(ClockSetting::default());
    }

    /// How it differs from the system's clock now.
    pub fn setting(&self) -> ClockSetting {
        *self.lock()
    }

    /// Takes over a setting, such as one that was kept.
    pub fn set(&self, setting: ClockSetting) {
        self.change(|own| *own = setting);
    }

    /// Hears of every change of the setting from now on.
    pub(super) fn watch(&self) -> watch::Receiver<()> {
        self.0.changed.subscribe()
    }

    /// How long until this moment, in milliseconds since 1970; `None` when the time stands still before it.
    pub(super) fn until(&self, at_ms: u64) -> Option<Duration> {
        let left = Duration::from_millis(at_ms.saturating_sub(millis(self.now())));
        (left.is_zero() || self.setting().frozen_ms.is_none()).then_some(left)
    }

    fn change(&self, change: impl FnOnce(&mut ClockSetting)) {
        change(&mut self.lock());
        self.0.changed.send_replace(());
    }

    fn lock(&self) -> MutexGuard<'_, ClockSetting> {
        self.0.setting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Milliseconds since 1970 by the system's clock, whatever the emulator's says.
pub(super) fn system_ms() -> u64 {
    millis(SystemTime::now())
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

/// A moment as people and JSON write it, in UTC to the millisecond.
pub(super) fn written(at: SystemTime) -> String {
    written_ms(millis(at))
}

/// The same of milliseconds since 1970.
pub(super) fn written_ms(ms: u64) -> String {
    let format = time::macros::format_description!(
        "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
    );
    let nanos = i128::from(ms) * 1_000_000;
    time::OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .ok()
        .and_then(|moment| moment.format(format).ok())
        .unwrap_or_else(|| ms.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Duration = Duration::from_secs(1_800_000_000);

    #[test]
    fn time_moves_both_ways_and_never_leaves_the_calendar() {
        let clock = Clock::default();
        clock.freeze(UNIX_EPOCH + NOON);
        clock.shift_ms(-60_000);
        assert_eq!(clock.now(), UNIX_EPOCH + NOON - Duration::from_secs(60));
        clock.advance(Duration::from_secs(61));
        assert_eq!(clock.now(), UNIX_EPOCH + NOON + Duration::from_secs(1));
        for by in [i64::MIN, i64::MAX, i64::MAX] {
            clock.shift_ms(by);
            let ms = millis(clock.now());
            assert!(ms <= LAST_MS.unsigned_abs(), "{ms}");
        }
        clock.advance(Duration::MAX);
        assert_eq!(written(clock.now()), "9999-12-31T23:59:59.999Z");
        clock.resume();
        assert_eq!(clock.setting(), ClockSetting::default());
    }
}
