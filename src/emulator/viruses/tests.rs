//! U12, U14: what is found, where, and what looking for it may cost.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use proptest::prelude::*;

use super::{eicar, scan};

fn is_infected(bytes: &[u8]) -> bool {
    let found = scan(&mut Cursor::new(bytes)).unwrap();
    assert!(found.is_empty() || found == ["Eicar-Test-Signature"]);
    !found.is_empty()
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The text, packed so that its bytes do not stand in the result.
fn hidden() -> (u16, Vec<u8>) {
    let packed = deflated(&[eicar().as_bytes(), &[b'x'; 2_000]].concat());
    assert!(!is_infected(&packed));
    (8, packed)
}

/// An archive of entries with method and content as it stands there.
fn zip(entries: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    for (method, content) in entries {
        let at = bytes.len() as u32;
        let size = content.len() as u32;
        bytes.extend(b"PK\x03\x04\x14\0\0\0");
        bytes.extend(method.to_le_bytes());
        bytes.extend([0; 8]);
        bytes.extend(size.to_le_bytes());
        bytes.extend(size.to_le_bytes());
        bytes.extend(b"\x01\0\0\0e");
        bytes.extend(content);
        directory.extend(b"PK\x01\x02\x14\0\x14\0\0\0");
        directory.extend(method.to_le_bytes());
        directory.extend([0; 8]);
        directory.extend(size.to_le_bytes());
        directory.extend(size.to_le_bytes());
        directory.extend(b"\x01\0");
        directory.extend([0; 12]);
        directory.extend(at.to_le_bytes());
        directory.extend(b"e");
    }
    let at = bytes.len() as u32;
    let length = directory.len() as u32;
    bytes.extend(directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend((entries.len() as u16).to_le_bytes());
    bytes.extend((entries.len() as u16).to_le_bytes());
    bytes.extend(length.to_le_bytes());
    bytes.extend(at.to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

#[test]
fn u14_the_test_file_is_found_at_every_place_of_a_stream() {
    assert!(is_infected(eicar().as_bytes()));
    assert!(
        !is_infected(b"")
            && !is_infected(&eicar().as_bytes()[1..])
            && !is_infected(&eicar().as_bytes()[..67])
    );
    // Round the end of a block, which is what is read at once.
    for before in (262_144 - 70..262_144 + 3).chain([0, 1, 700_000]) {
        let mut bytes = vec![b'X'; before];
        bytes.extend(eicar().bytes());
        bytes.extend([0; 100]);
        assert!(is_infected(&bytes), "{before}");
        bytes[before + 40] ^= 1;
        assert!(!is_infected(&bytes), "{before}");
    }
}

#[test]
fn u14_the_test_file_is_found_in_entries_of_archives() {
    let text = eicar().into_bytes();
    let clean = (8, deflated(b"nothing here"));
    assert!(is_infected(&zip(&[clean.clone(), hidden()])));
    assert!(is_infected(&zip(&[(0, b"x".to_vec()), (0, text)])));
    assert!(!is_infected(&zip(std::slice::from_ref(&clean))) && !is_infected(&zip(&[])));
    // Archives in archives, stored and deflated, to the third.
    let mut nested = zip(&[hidden()]);
    for depth in 1..5 {
        assert_eq!(is_infected(&nested), depth <= 3, "{depth}");
        nested = zip(&[clean.clone(), (8, deflated(&nested))]);
    }
}

#[test]
fn u12_bombs_cost_what_the_bounds_allow() {
    // Ten entries of 64 MiB each: no more than 256 MiB is inflated.
    let bomb = deflated(&vec![0; 64 << 20]);
    let mut entries = vec![(8, bomb); 10];
    entries.push(hidden());
    assert!(
        !is_infected(&zip(&entries)),
        "beyond the bound nothing is looked at"
    );
    let many = vec![(0_u16, Vec::new()); 20_000];
    assert!(!is_infected(&zip(&many)));
}

#[test]
fn u12_damaged_archives_are_no_error() {
    let whole = zip(&[(8, deflated(&[7; 5_000])), hidden()]);
    for length in 0..whole.len() {
        is_infected(&whole[..length]);
    }
    // A broken entry does not hide the next one.
    assert!(is_infected(&zip(&[(8, vec![0xff; 40]), hidden()])));
}

proptest! {
    #[test]
    fn u12_no_bytes_make_it_panic(
        harm in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let mut bytes = zip(&[(8, deflated(b"some text, some text, some text")), (0, b"abc".to_vec())]);
        for (at, byte) in harm {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        is_infected(&bytes);
    }
}
