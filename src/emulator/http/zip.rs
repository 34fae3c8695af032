//! Several files as one archive (§6.5 `zip`): entries are stored as they are and written while they are read, so memory
//! stays flat. Each file is read twice, because its checksum stands before it and readers that take the archive as a stream
//! want it there.

use std::collections::{HashSet, VecDeque};
use std::fs::File;
use std::io::{self, Read, Seek};

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::task::spawn_blocking;

const BLOCK_BYTES: usize = 256 * 1024;
const LOCAL_BYTES: u64 = 30;
const CENTRAL_BYTES: u64 = 46;
const END_BYTES: u64 = 22;
/// 2.0: the least that readers have to know.
const VERSION: u16 = 20;
/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;
/// The first of January 1980: the same files make the same archive.
const DATE: u16 = 0x21;
const MAX_NAME_CHARS: usize = 200;
/// What Windows takes for a device, whatever the ending.
const DEVICES: [&str; 4] = ["CON", "PRN", "AUX", "NUL"];

/// An archive that is still to be written.
pub(super) struct Archive {
    entries: VecDeque<Entry>,
    length: u64,
}

struct Entry {
    name: String,
    file: File,
    size: u32,
}

impl Archive {
    /// `None` when it would not fit the format's 4 GiB.
    pub(super) fn new(files: Vec<(String, u64, File)>) -> Option<Self> {
        let mut taken = HashSet::new();
        let mut entries = VecDeque::new();
        let mut length = END_BYTES;
        for (name, size, file) in files {
            let name = unique(&entry_name(&name), &mut taken);
            length += LOCAL_BYTES + CENTRAL_BYTES + 2 * name.len() as u64 + size;
            let size = u32::try_from(size).ok()?;
            entries.push_back(Entry { name, file, size });
        }
        u32::try_from(length).ok()?;
        Some(Self { entries, length })
    }

    /// Bytes of the whole archive.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The archive's bytes, in order.
    pub(super) fn into_stream(self) -> impl Stream<Item = io::Result<Bytes>> + 'static {
        let walk = Walk {
            entries: self.entries,
            open: None,
            central: Vec::new(),
            count: 0,
            at: 0,
            ended: false,
        };
        stream::try_unfold(walk, |walk| async move {
            spawn_blocking(move || walk.step())
                .await
                .map_err(io::Error::other)?
        })
    }
}

/// How far the writing has come.
struct Walk {
    entries: VecDeque<Entry>,
    /// The entry whose content is being sent, and how much of it is left.
    open: Option<(File, u32)>,
    central: Vec<u8>,
    count: u16,
    at: u32,
    ended: bool,
}

impl Walk {
    fn step(mut self) -> io::Result<Option<(Bytes, Self)>> {
        if let Some((mut file, left)) = self.open.take_if(|(_, left)| *left > 0) {
            let mut block = vec![0; BLOCK_BYTES.min(left as usize)];
            file.read_exact(&mut block)?;
            self.at += block.len() as u32;
            self.open = Some((file, left - block.len() as u32));
            return Ok(Some((block.into(), self)));
        }
        if let Some(entry) = self.entries.pop_front() {
            let head = self.begin(entry)?;
            return Ok(Some((head.into(), self)));
        }
        if self.ended {
            return Ok(None);
        }
        self.ended = true;
        let end = self.end();
        Ok(Some((end.into(), self)))
    }

    /// The local header of an entry; its content comes next.
    fn begin(&mut self, mut entry: Entry) -> io::Result<Vec<u8>> {
        let sum = checksum(&mut entry.file, entry.size)?;
        let mut common = Vec::new();
        common.extend(VERSION.to_le_bytes());
        common.extend(FLAGS.to_le_bytes());
        // Method "stored", midnight.
        common.extend([0; 4]);
        common.extend(DATE.to_le_bytes());
        common.extend(sum.to_le_bytes());
        common.extend(entry.size.to_le_bytes());
        common.extend(entry.size.to_le_bytes());
        common.extend((entry.name.len() as u16).to_le_bytes());
        common.extend([0; 2]);

        let mut local = b"PK\x03\x04".to_vec();
        local.extend(&common);
        local.extend(entry.name.as_bytes());

        self.central.extend(b"PK\x01\x02");
        self.central.extend(VERSION.to_le_bytes());
        self.central.extend(&common);
        // No comment, first disk, no attributes.
        self.central.extend([0; 10]);
        self.central.extend(self.at.to_le_bytes());
        self.central.extend(entry.name.as_bytes());
        self.count += 1;
        self.at += local.len() as u32;
        self.open = Some((entry.file, entry.size));
        Ok(local)
    }

    fn end(&mut self) -> Vec<u8> {
        let mut end = std::mem::take(&mut self.central);
        let size = end.len() as u32;
        end.extend(b"PK\x05\x06");
        end.extend([0; 4]);
        end.extend(self.count.to_le_bytes());
        end.extend(self.count.to_le_bytes());
        end.extend(size.to_le_bytes());
        end.extend(self.at.to_le_bytes());
        end.extend([0; 2]);
        end
    }
}

/// The CRC-32 of a file, which is left at its start.
fn checksum(file: &mut File, size: u32) -> io::Result<u32> {
    let table = table();
    let mut sum = u32::MAX;
    let mut block = vec![0; BLOCK_BYTES];
    let mut rest = Read::by_ref(file).take(u64::from(size));
    loop {
        let count = rest.read(&mut block)?;
        if count == 0 {
            break;
        }
        for byte in &block[..count] {
            sum = table[usize::from(sum as u8 ^ byte)] ^ (sum >> 8);
        }
    }
    file.rewind()?;
    Ok(!sum)
}

fn table() -> [u32; 256] {
    let mut table = [0; 256];
    for (byte, sum) in table.iter_mut().enumerate() {
        *sum = (0..8).fold(byte as u32, |sum, _| {
            let odd = sum & 1 == 1;
            (sum >> 1) ^ if odd { 0xEDB8_8320 } else { 0 }
        });
    }
    table
}

/// A name that stays in the directory where somebody unpacks it.
fn entry_name(filename: &str) -> String {
    let plain = |letter: char| match letter {
        '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '-',
        letter if letter.is_control() => '-',
        letter => letter,
    };
    let name: String = filename.chars().map(plain).take(MAX_NAME_CHARS).collect();
    let name = name.trim_matches([' ', '.']);
    if name.is_empty() {
        return "file".into();
    }
    let stem = name.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let numbered = ["COM", "LPT"].iter().any(|port| {
        let number = stem.strip_prefix(port);
        number.is_some_and(|number| number.len() == 1 && number.bytes().all(|byte| byte.is_ascii_digit()))
    });
    if numbered || DEVICES.contains(&stem.as_str()) {
        return format!("_{name}");
    }
    name.to_owned()
}

/// The name, or the name with the first number that nobody has. Case does not tell names apart everywhere.
fn unique(name: &str, taken: &mut HashSet<String>) -> String {
    let (stem, end) = match name.rfind('.') {
        Some(dot) if dot > 0 => name.split_at(dot),
        _ => (name, ""),
    };
    let mut candidate = name.to_owned();
    let mut number = 1;
    while !taken.insert(candidate.to_lowercase()) {
        number += 1;
        candidate = format!("{stem} ({number}){end}");
    }
    candidate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u13_names_stay_inside_and_differ() {
        let mut taken = HashSet::new();
        for (name, wanted) in [
            ("a.txt", "a.txt"),
            ("A.TXT", "A (2).TXT"),
            ("a.txt", "a (3).txt"),
            ("../../etc/passwd", "-..-etc-passwd"),
            ("..\\x", "-x"),
            ("C:\\x", "C--x"),
            ("..", "file"),
            ("", "file (2)"),
            ("nul.txt", "_nul.txt"),
            ("COM1", "_COM1"),
            ("command", "command"),
            ("a\0b", "a-b"),
        ] {
            assert_eq!(unique(&entry_name(name), &mut taken), wanted, "{name:?}");
        }
    }

    #[test]
    fn the_checksum_is_that_of_the_format() {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, b"123456789").unwrap();
        file.rewind().unwrap();
        assert_eq!(checksum(&mut file, 9).unwrap(), 0xCBF4_3926);
    }
}
