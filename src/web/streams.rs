//! Who is told of progress: answers that go on while their readers stay.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ids::UserId;

/// Pages at once; each looks at the database once a second.
const MOST: usize = 200;
/// Of those about one user's documents: nobody takes all the places.
const MOST_OF_ONE: usize = 20;

/// The places. Clones share them.
#[derive(Clone, Default)]
pub struct Streams(Arc<Mutex<HashMap<UserId, usize>>>);

impl Streams {
    /// A place for a page about a document of theirs; `None` when there is none left.
    pub(in crate::web) fn take(&self, owner: UserId) -> Option<Place> {
        let mut taken = self.taken();
        let theirs = taken.get(&owner).copied().unwrap_or(0);
        if theirs >= MOST_OF_ONE || taken.values().sum::<usize>() >= MOST {
            return None;
        }
        taken.insert(owner, theirs + 1);
        Some(Place {
            streams: self.clone(),
            owner,
        })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        // Nothing in here can panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place, given back when this is dropped.
pub(in crate::web) struct Place {
    streams: Streams,
    owner: UserId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.streams.taken();
        match taken.get_mut(&self.owner) {
            Some(theirs) if *theirs > 1 => *theirs -= 1,
            _ => drop(taken.remove(&self.owner)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UtcTime;

    #[test]
    fn nobody_takes_all_the_places_and_those_of_who_leaves_are_free_again() {
        let streams = Streams::default();
        let user = || UserId::new(UtcTime::from_micros(0));
        let (ana, ben) = (user(), user());
        let mut hers: Vec<_> = std::iter::from_fn(|| streams.take(ana)).collect();
        assert_eq!(hers.len(), MOST_OF_ONE);
        assert!(streams.take(ben).is_some());
        hers.pop();
        assert!(streams.take(ana).is_some());
        let others: Vec<_> = (0..MOST).filter_map(|_| streams.take(user())).collect();
        assert_eq!(others.len() + hers.len(), MOST);
        assert!(streams.take(ben).is_none());
        drop((hers, others));
        assert!(streams.taken().is_empty());
    }
}
