//! One memory budget for all uploads in flight: beyond it they wait their turn, first come first served.
//!
//! An upload never waits for memory while it holds some that only it can free: it asks for a part when the last one is full and
//! on its way, and parts on their way end by themselves. So no set of uploads can wait for each other.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::AppError;

/// Memory is counted in these, so that a permit's 32 bits reach far enough.
const UNIT: u64 = 1_024;

/// The budget. Clones share it.
#[derive(Clone, Debug)]
pub struct Budget {
    units: Arc<Semaphore>,
    all: u32,
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(bytes: u64) -> Self {
        let all = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX).max(1);
        Budget {
            units: Arc::new(Semaphore::new(all as usize)),
            all,
        }
    }

    /// Bytes that nobody holds.
    pub fn free(&self) -> u64 {
        self.units.available_permits() as u64 * UNIT
    }

    /// Waits for this much memory.
    pub(super) async fn reserve(&self, bytes: usize) -> Result<Reservation, AppError> {
        let units = Self::units(bytes).min(self.all);
        let permit = Arc::clone(&self.units)
            .acquire_many_owned(units)
            .await
            .map_err(|_| AppError::Internal("the memory budget is closed".to_owned()))?;
        Ok(Reservation(permit))
    }

    fn units(bytes: usize) -> u32 {
        u32::try_from((bytes as u64).div_ceil(UNIT)).unwrap_or(u32::MAX)
    }
}

/// Memory set aside; given back when dropped.
#[derive(Debug)]
pub(super) struct Reservation(OwnedSemaphorePermit);

impl Reservation {
    /// Keeps this much and gives back the rest: less came than was set aside.
    pub(super) fn keep(&mut self, bytes: usize) {
        let surplus = self.0.num_permits().saturating_sub(Budget::units(bytes) as usize);
        drop(self.0.split(surplus));
    }

    /// Takes this much out, as a reservation of its own.
    pub(super) fn take(&mut self, bytes: usize) -> Option<Reservation> {
        self.0.split(Budget::units(bytes) as usize).map(Reservation)
    }

    /// The bytes it was made for: it is given back when the last copy of them is dropped, wherever that is.
    pub(super) fn hold(self, bytes: Vec<u8>) -> Bytes {
        Bytes::from_owner(Held {
            bytes,
            _reservation: self,
        })
    }
}

struct Held {
    bytes: Vec<u8>,
    _reservation: Reservation,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn memory_comes_back_when_the_last_copy_of_the_bytes_goes() {
        let budget = Budget::new(64 * UNIT);
        let reservation = budget.reserve(10 * 1_024).await.expect("memory");
        assert_eq!(budget.free(), 54 * UNIT);
        let bytes = reservation.hold(vec![0; 10 * 1_024]);
        let copy = bytes.slice(..100);
        drop(bytes);
        assert_eq!(budget.free(), 54 * UNIT);
        drop(copy);
        assert_eq!(budget.free(), 64 * UNIT);
    }

    #[actix_web::test]
    async fn a_surplus_goes_back_at_once_and_no_wish_is_larger_than_the_budget() {
        let budget = Budget::new(8 * UNIT);
        let mut reservation = budget.reserve(usize::MAX).await.expect("memory");
        assert_eq!(budget.free(), 0);
        let taken = reservation.take(2 * 1_024).expect("some of it");
        reservation.keep(1);
        assert_eq!(budget.free(), 5 * UNIT);
        drop((reservation, taken));
        assert_eq!(budget.free(), 8 * UNIT);
    }
}
