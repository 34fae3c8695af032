//! Numbers of events (`id`, §7.1, §7.2): each is given out once, whatever restarts, resets or sets the system's clock back, and none is small,
//! so that nobody mistakes one for a row of their own.

use std::fs::OpenOptions;
use std::io::{self, Read, Seek, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::emulator::clock::system_ms;

/// Numbers taken from the file at once; those left over at the end of a process are skipped.
const BLOCK: u64 = 1_000;

/// Gives out numbers. A file holds the first that nobody has, and several processes may share it.
#[derive(Debug)]
pub(super) struct Numbers {
    path: PathBuf,
    block: Mutex<Range<u64>>,
}

impl Numbers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            block: Mutex::default(),
        }
    }

    pub(super) fn next(&self) -> io::Result<u64> {
        let mut block = self.block.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = block.next() {
            return Ok(number);
        }
        let mut fresh = self.reserve()?;
        let number = fresh.start;
        fresh.start += 1;
        *block = fresh;
        Ok(number)
    }

    /// The system's time in milliseconds, or more where that many were given out: a directory that was removed starts
    /// above where it ended.
    fn reserve(&self) -> io::Result<Range<u64>> {
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&self.path)?;
        file.lock()?;
        let mut text = String::new();
        let kept = match file.read_to_string(&mut text) {
            Ok(_) => text.trim().parse().unwrap_or(0),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => 0,
            Err(error) => return Err(error),
        };
        let first = system_ms().max(kept);
        // In place and in one piece: the old number or the new one is there, whenever the process ends.
        file.rewind()?;
        file.write_all(format!("{:020}", first + BLOCK).as_bytes())?;
        Ok(first..first + BLOCK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_never_come_twice_and_are_never_small() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("next");
        let (one, two) = (Numbers::new(path.clone()), Numbers::new(path.clone()));
        let mut seen = std::collections::HashSet::new();
        for _ in 0..1_500 {
            assert!(seen.insert(one.next().unwrap()) && seen.insert(two.next().unwrap()));
        }
        // Another process, and one that finds a clock behind the numbers.
        let ahead = system_ms() + 1_000_000_000;
        std::fs::write(&path, format!("{ahead:020}")).unwrap();
        assert_eq!(Numbers::new(path.clone()).next().unwrap(), ahead);
        assert_eq!(Numbers::new(path.clone()).next().unwrap(), ahead + BLOCK);
        assert!(seen.iter().all(|number| *number > 1_000_000_000_000));
        std::fs::write(&path, b"\xff\xffgarbage").unwrap();
        assert!(Numbers::new(path).next().unwrap() > 1_000_000_000_000);
    }
}
