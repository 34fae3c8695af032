//! One memory budget for all uploads in flight: beyond it they wait and are not refused.
//!
//! A part's memory is set aside step by step while its bytes come in, so that a client that sends little holds little however much
//! it announced. Uploads that hold something and wait for more could wait for each other for ever; the banker's algorithm keeps
//! them from it. A step is granted only while there is an order in which every part can still be filled one after the other,
//! each with what is free and what those before it gave back. Filling ends by itself: a client goes on or is cut off.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::blocks::{BLOCK, Block, Pool};

/// The first step of a part; each further one doubles what is held.
const FIRST_STEP: u64 = BLOCK as u64;

/// The budget. Clones share it.
#[derive(Clone, Debug)]
pub struct Budget {
    ledger: Arc<Mutex<Ledger>>,
    pool: Pool,
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(bytes: u64) -> Self {
        Budget {
            ledger: Arc::new(Mutex::new(Ledger {
                free: bytes,
                all: bytes,
                ..Ledger::default()
            })),
            pool: Pool::default(),
        }
    }

    /// All bytes there are.
    pub fn all(&self) -> u64 {
        self.ledger().all
    }

    /// Bytes that nobody holds.
    pub fn free(&self) -> u64 {
        self.ledger().free
    }

    /// Opens a reservation for a part of at most so many bytes; it holds nothing yet.
    pub(super) fn open(&self, most: usize) -> Reservation {
        let mut ledger = self.ledger();
        ledger.last += 1;
        let id = ledger.last;
        // No part can have more than all there is: one alone with a larger one fills it in what there is.
        let most = (most as u64).min(ledger.all);
        ledger.parts.insert(id, Part { held: 0, most });
        Reservation {
            budget: self.clone(),
            id,
            most,
        }
    }

    /// An empty block, for bytes that memory was set aside for.
    pub(super) fn block(&self) -> Block {
        self.pool.block()
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // Nothing in here can panic half-way.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Ledger {
    all: u64,
    free: u64,
    last: u64,
    parts: BTreeMap<u64, Part>,
    /// First come, first looked at; who cannot be served now keeps nobody behind from it.
    waiting: Vec<Wish>,
}

#[derive(Clone, Copy, Debug)]
struct Part {
    held: u64,
    most: u64,
}

#[derive(Debug)]
struct Wish {
    id: u64,
    bytes: u64,
    granted: oneshot::Sender<()>,
}

impl Ledger {
    /// Grants the step if every part can still be filled afterwards.
    fn grant(&mut self, id: u64, bytes: u64) -> bool {
        if bytes > self.free || !self.parts.contains_key(&id) {
            return false;
        }
        self.change(id, |part| part.held += bytes);
        self.free -= bytes;
        if self.is_safe() {
            return true;
        }
        self.change(id, |part| part.held -= bytes);
        self.free += bytes;
        false
    }

    fn change(&mut self, id: u64, change: impl FnOnce(&mut Part)) {
        if let Some(part) = self.parts.get_mut(&id) {
            change(part);
        }
    }

    /// Whether the parts that hold something can be filled one after the other, the one that lacks least first.
    fn is_safe(&self) -> bool {
        let mut begun: Vec<Part> = self
            .parts
            .values()
            .copied()
            .filter(|part| part.held > 0)
            .collect();
        begun.sort_by_key(|part| part.most - part.held);
        let mut free = self.free;
        begun.iter().all(|part| {
            let fits = part.most - part.held <= free;
            free += part.held;
            fits
        })
    }

    /// Serves whoever can be served now.
    fn serve(&mut self) {
        for wish in std::mem::take(&mut self.waiting) {
            if wish.granted.is_closed() {
                continue;
            }
            if !self.grant(wish.id, wish.bytes) {
                self.waiting.push(wish);
            } else if wish.granted.send(()).is_err() {
                // Gone in this very moment: its reservation is about to be dropped and gives back what it holds.
                log::trace!("memory was granted to an upload that has gone");
            }
        }
    }
}

/// Memory set aside for a part; given back when dropped.
#[derive(Debug)]
pub(super) struct Reservation {
    budget: Budget,
    id: u64,
    most: u64,
}

impl Reservation {
    /// Waits until there is room for more than `filled` bytes; gives how many bytes there is room for.
    ///
    /// A part larger than the whole budget gets all of it, and then goes on in that: alone it must not wait for ever.
    pub(super) async fn room(&self, filled: usize) -> usize {
        let (wish, room) = {
            let mut ledger = self.budget.ledger();
            let held = ledger.parts.get(&self.id).map_or(0, |part| part.held);
            if held == self.most {
                return usize::MAX;
            }
            if held > filled as u64 {
                return held as usize;
            }
            let bytes = held.max(FIRST_STEP).min(self.most - held);
            let room = (held + bytes) as usize;
            if ledger.grant(self.id, bytes) {
                return room;
            }
            let (granted, wish) = oneshot::channel();
            ledger.waiting.push(Wish {
                id: self.id,
                bytes,
                granted,
            });
            (wish, room)
        };
        // The sender stays in the ledger until it is used.
        let _ = wish.await;
        room
    }

    /// Takes this much out, as a reservation of its own that is full.
    pub(super) fn take(&mut self, bytes: usize) -> Reservation {
        let mut ledger = self.budget.ledger();
        let mut taken = 0;
        ledger.change(self.id, |part| {
            taken = part.held.min(bytes as u64);
            part.held -= taken;
            part.most = part.held;
        });
        self.most -= taken.min(self.most);
        ledger.last += 1;
        let id = ledger.last;
        ledger.parts.insert(
            id,
            Part {
                held: taken,
                most: taken,
            },
        );
        Reservation {
            budget: self.budget.clone(),
            id,
            most: taken,
        }
    }

    /// Holds no more than this from now on: the part has ended.
    pub(super) fn keep(&mut self, bytes: usize) {
        let mut ledger = self.budget.ledger();
        let bytes = bytes as u64;
        let mut surplus = 0;
        ledger.change(self.id, |part| {
            surplus = part.held.saturating_sub(bytes);
            part.held -= surplus;
            part.most = part.held;
        });
        self.most = self.most.min(bytes);
        ledger.free += surplus;
        ledger.serve();
    }

    /// The bytes it was made for: it is given back when the last copy of any of them is dropped, wherever that is.
    pub(super) fn hold(self, blocks: Vec<Block>) -> Vec<Bytes> {
        let reservation = Arc::new(self);
        let hold = |block| Held {
            block,
            _reservation: Arc::clone(&reservation),
        };
        blocks
            .into_iter()
            .map(|block| Bytes::from_owner(hold(block)))
            .collect()
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut ledger = self.budget.ledger();
        if let Some(part) = ledger.parts.remove(&self.id) {
            ledger.free += part.held;
            ledger.serve();
        }
    }
}

struct Held {
    block: Block,
    // After the block: memory is free once it is.
    _reservation: Arc<Reservation>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        self.block.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    const MIB: usize = 1_024 * 1_024;

    /// Fills a part as far as there is room without waiting; gives how far.
    fn fill(reservation: &Reservation, want: usize) -> usize {
        let mut filled = 0;
        while filled < want {
            match reservation.room(filled).now_or_never() {
                Some(room) => filled = room.min(want),
                None => break,
            }
        }
        filled
    }

    #[test]
    fn memory_comes_back_when_the_last_copy_of_the_bytes_goes() {
        let budget = Budget::new(64 * 1_024);
        let mut reservation = budget.open(20_000);
        assert_eq!(fill(&reservation, 20_000), 20_000);
        reservation.keep(10_000);
        assert_eq!(budget.free(), 64 * 1_024 - 10_000);
        let mut block = budget.block();
        block.extend(&[0; 10_000]);
        let bytes = reservation.hold(vec![block]);
        let copy = bytes[0].slice(..100);
        drop(bytes);
        assert_eq!(budget.free(), 64 * 1_024 - 10_000);
        drop(copy);
        assert_eq!(budget.free(), 64 * 1_024);
    }

    #[test]
    fn a_client_that_sends_one_byte_holds_one_step_whatever_it_announced() {
        let budget = Budget::new(16 * MIB as u64);
        let stalled: Vec<Reservation> = (0..200).map(|_| budget.open(8 * MIB)).collect();
        assert!(stalled.iter().all(|reservation| fill(reservation, 1) == 1));
        let healthy = budget.open(8 * MIB);
        assert_eq!(fill(&healthy, 8 * MIB), 8 * MIB);
    }

    #[test]
    fn parts_never_wait_for_each_other_for_ever() {
        let budget = Budget::new(16 * MIB as u64);
        let parts: Vec<Reservation> = (0..50).map(|_| budget.open(8 * MIB)).collect();
        let mut filled = vec![0; parts.len()];
        // Each asks for a little more in turn, until nobody gets any: then somebody must be full.
        loop {
            let before = filled.clone();
            for (part, filled) in parts.iter().zip(&mut filled) {
                *filled = (*filled + 100_000)
                    .min(8 * MIB)
                    .min(fill(part, (*filled + 100_000).min(8 * MIB)).max(*filled));
            }
            if filled == before {
                break;
            }
        }
        assert!(filled.contains(&(8 * MIB)), "{filled:?}");
        assert!(filled.iter().sum::<usize>() <= 16 * MIB);
    }

    #[actix_web::test]
    async fn who_waits_is_served_when_memory_comes_back() {
        let budget = Budget::new(16 * MIB as u64);
        let full: Vec<Reservation> = (0..2).map(|_| budget.open(8 * MIB)).collect();
        assert!(full.iter().all(|part| fill(part, 8 * MIB) == 8 * MIB));
        let late = budget.open(100);
        let waiting = async { late.room(0).await };
        let freeing = async { drop(full) };
        let (room, ()) = futures_util::join!(waiting, freeing);
        assert_eq!(room, 100);
    }

    #[test]
    fn one_that_stops_waiting_is_in_nobodys_way() {
        let budget = Budget::new(8 * MIB as u64);
        let full = budget.open(8 * MIB);
        assert_eq!(fill(&full, 8 * MIB), 8 * MIB);
        let gone = budget.open(100);
        assert!(gone.room(0).now_or_never().is_none());
        drop((full, gone));
        assert_eq!(budget.free(), 8 * MIB as u64);
    }
}
