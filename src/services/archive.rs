//! Several documents as one ZIP archive, written while it is sent: each file is read from Filestack when its turn comes, and nothing is
//! kept of it.
//!
//! Files are stored as they are, so the archive's length is known before its first byte: one that breaks off half-way is shorter than
//! was said, and no client takes it for complete. The checksum of an entry comes after it, as the format allows; sizes and places beyond
//! 4 GiB are written the long way (zip64). Names are made to stay in the directory where somebody unpacks them, and to differ (U13).

use std::collections::{HashSet, VecDeque};
use std::io;
use std::time::Duration;

use bytes::Bytes;
use flate2::Crc;
use futures_util::{Stream, stream};

use crate::clock::UtcTime;
use crate::db::models::documents::{self, Document};
use crate::error::AppError;
use crate::filestack::{Content, Handle, Purpose};
use crate::ids::{DocumentId, UserId};
use crate::services::documents::{URL_LIFETIME, check_servable, handle};
use crate::services::identity::Recipient;
use crate::services::{Services, names, trash};

/// How long Filestack may be silent in the middle of a file.
const SILENCE: Duration = Duration::from_secs(30);
/// The entry that says what is not in the archive, and why.
const REPORT: &str = "Not in this archive.txt";

/// The least that readers have to know: 2.0, and 4.5 for the long way.
const VERSION: u16 = 20;
const LONG_VERSION: u16 = 45;
/// The checksum follows the content; names are UTF-8.
const FLAGS: u16 = (1 << 3) | (1 << 11);
/// A number that stands elsewhere, the long way.
const ELSEWHERE: u32 = u32::MAX;

/// An archive that is still to be written.
pub struct Archive {
    entries: VecDeque<Entry>,
    length: u64,
}

struct Entry {
    name: String,
    size: u64,
    /// Date and time as the format has them.
    made: (u16, u16),
    from: Origin,
}

enum Origin {
    Filestack(Handle),
    Here(Bytes),
}

/// Looks up the owner's documents and plans their archive; those that cannot be had now are listed in an entry of their own, and so is
/// how many were not found.
///
/// # Errors
///
/// [`AppError::NotFound`] when none of them is there.
pub async fn prepare(
    services: &Services,
    owner: UserId,
    ids: Vec<DocumentId>,
    unknown: usize,
) -> Result<Archive, AppError> {
    let ids = trash::check_ids(ids)?;
    let asked = ids.len();
    let found = services
        .db
        .run(move |c| documents::find_many_owned(c, owner, &ids))
        .await?;
    if found.is_empty() {
        return Err(AppError::NotFound);
    }
    plan(&found, asked - found.len() + unknown, services.clock.now())
}

fn plan(found: &[Document], missing: usize, now: UtcTime) -> Result<Archive, AppError> {
    let mut taken = HashSet::from([REPORT.to_lowercase()]);
    let mut entries = VecDeque::new();
    let mut report = String::new();
    for document in found {
        if let Err(error) = check_servable(document) {
            report.push_str(&format!("{}: {}\r\n", document.name, error.public_detail()));
            continue;
        }
        entries.push_back(Entry {
            name: unique(&document.name, &mut taken),
            size: document.size_bytes.max(0) as u64,
            made: dos_time(document.created_at),
            from: Origin::Filestack(handle(document)?),
        });
    }
    match missing {
        0 => {}
        1 => report.push_str("One of the chosen documents was not found.\r\n"),
        missing => report.push_str(&format!("{missing} of the chosen documents were not found.\r\n")),
    }
    if !report.is_empty() {
        entries.push_back(Entry {
            name: REPORT.to_owned(),
            size: report.len() as u64,
            made: dos_time(now),
            from: Origin::Here(report.into()),
        });
    }
    let length = length(&entries);
    Ok(Archive { entries, length })
}

impl Archive {
    /// Bytes of the whole archive.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The archive's bytes, in order; an error in place of the rest when a file cannot be had to its end, or its recipient's right ends.
    pub fn into_stream(
        self,
        services: Services,
        recipient: Recipient,
    ) -> impl Stream<Item = io::Result<Bytes>> + 'static {
        let walk = Walk {
            services,
            recipient,
            entries: self.entries,
            open: None,
            central: Vec::new(),
            count: 0,
            at: 0,
            ended: false,
        };
        stream::try_unfold(walk, |mut walk| async move {
            match walk.step().await {
                Ok(Some(bytes)) => {
                    walk.at += bytes.len() as u64;
                    Ok(Some((bytes, walk)))
                }
                Ok(None) => Ok(None),
                Err(error) => {
                    log::warn!(event = "archive-broken-off"; "an archive could not be sent to its end: {error}");
                    Err(error)
                }
            }
        })
    }
}

/// How far the writing has come.
struct Walk {
    services: Services,
    recipient: Recipient,
    entries: VecDeque<Entry>,
    open: Option<Open>,
    central: Vec<u8>,
    count: u64,
    /// Bytes that have gone out.
    at: u64,
    ended: bool,
}

/// The entry whose content is being sent.
struct Open {
    entry: Entry,
    place: u64,
    content: Option<Content>,
    left: u64,
    crc: Crc,
}

impl Walk {
    async fn step(&mut self) -> io::Result<Option<Bytes>> {
        self.recipient.check().await.map_err(io::Error::other)?;
        if let Some(open) = &mut self.open {
            if let Some(bytes) = open.next().await? {
                return Ok(Some(bytes));
            }
            let descriptor = open.descriptor();
            open.enter(&mut self.central);
            self.count += 1;
            self.open = None;
            return Ok(Some(descriptor.into()));
        }
        if let Some(entry) = self.entries.pop_front() {
            let head = entry.local();
            self.open = Some(self.begin(entry).await?);
            return Ok(Some(head.into()));
        }
        if self.ended {
            return Ok(None);
        }
        self.ended = true;
        let end = end(self.at, self.count, std::mem::take(&mut self.central));
        Ok(Some(end.into()))
    }

    async fn begin(&self, entry: Entry) -> io::Result<Open> {
        let content = match &entry.from {
            Origin::Here(_) => None,
            Origin::Filestack(_) if entry.size == 0 => None,
            Origin::Filestack(handle) => {
                let services = &self.services;
                let now = services.clock.now().system();
                let grant = services
                    .filestack
                    .grant(Purpose::Read { handle }, now, URL_LIFETIME);
                let content = services.filestack.read(handle, &grant).await;
                Some(content.map_err(io::Error::other)?)
            }
        };
        Ok(Open {
            place: self.at,
            left: entry.size,
            crc: Crc::new(),
            content,
            entry,
        })
    }
}

impl Open {
    /// More of the content; `None` at its end.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        let chunk = match (&mut self.content, &self.entry.from) {
            (Some(content), _) => tokio::time::timeout(SILENCE, content.chunk())
                .await
                .map_err(|_| io::Error::other("Filestack fell silent in the middle of a file"))?
                .map_err(io::Error::other)?,
            (None, Origin::Here(bytes)) if self.left > 0 => Some(bytes.clone()),
            (None, _) => None,
        };
        let length = chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        match chunk {
            None if self.left > 0 => Err(io::Error::other("a file is shorter than it was")),
            Some(_) if length > self.left => Err(io::Error::other("a file is longer than it was")),
            None => Ok(None),
            Some(chunk) => {
                self.left -= length;
                self.crc.update(&chunk);
                Ok(Some(chunk))
            }
        }
    }

    fn descriptor(&self) -> Vec<u8> {
        let mut bytes = b"PK\x07\x08".to_vec();
        bytes.extend(self.crc.sum().to_le_bytes());
        for _ in 0..2 {
            if self.entry.is_long() {
                bytes.extend(self.entry.size.to_le_bytes());
            } else {
                bytes.extend((self.entry.size as u32).to_le_bytes());
            }
        }
        bytes
    }

    /// Writes the entry's line of the directory at the end.
    fn enter(&self, central: &mut Vec<u8>) {
        let far = self.place >= u64::from(ELSEWHERE);
        let mut extra = Vec::new();
        if self.entry.is_long() {
            extra.extend(self.entry.size.to_le_bytes());
            extra.extend(self.entry.size.to_le_bytes());
        }
        if far {
            extra.extend(self.place.to_le_bytes());
        }
        central.extend(b"PK\x01\x02");
        // Made by the same version, on no system in particular.
        central.extend(self.entry.version(far).to_le_bytes());
        central.extend(self.entry.common(self.crc.sum(), far));
        central.extend((extra_field(&extra).len() as u16).to_le_bytes());
        // No comment, first disk, no attributes.
        central.extend([0; 10]);
        central.extend((if far { ELSEWHERE } else { self.place as u32 }).to_le_bytes());
        central.extend(self.entry.name.as_bytes());
        central.extend(extra_field(&extra));
    }
}

impl Entry {
    fn is_long(&self) -> bool {
        self.size >= u64::from(ELSEWHERE)
    }

    fn version(&self, far: bool) -> u16 {
        if far || self.is_long() {
            LONG_VERSION
        } else {
            VERSION
        }
    }

    /// What the head of an entry and its line of the directory have in common, up to the length of the name.
    fn common(&self, crc: u32, far: bool) -> Vec<u8> {
        let size = if self.is_long() {
            ELSEWHERE
        } else {
            self.size as u32
        };
        let mut bytes = Vec::new();
        bytes.extend(self.version(far).to_le_bytes());
        bytes.extend(FLAGS.to_le_bytes());
        // Stored.
        bytes.extend([0; 2]);
        bytes.extend(self.made.1.to_le_bytes());
        bytes.extend(self.made.0.to_le_bytes());
        bytes.extend(crc.to_le_bytes());
        bytes.extend(size.to_le_bytes());
        bytes.extend(size.to_le_bytes());
        bytes.extend((self.name.len() as u16).to_le_bytes());
        bytes
    }

    fn local(&self) -> Vec<u8> {
        let mut extra = Vec::new();
        if self.is_long() {
            extra.extend(self.size.to_le_bytes());
            extra.extend(self.size.to_le_bytes());
        }
        let mut bytes = b"PK\x03\x04".to_vec();
        bytes.extend(self.common(0, false));
        bytes.extend((extra_field(&extra).len() as u16).to_le_bytes());
        bytes.extend(self.name.as_bytes());
        bytes.extend(extra_field(&extra));
        bytes
    }
}

fn extra_field(numbers: &[u8]) -> Vec<u8> {
    if numbers.is_empty() {
        return Vec::new();
    }
    let mut field = 1_u16.to_le_bytes().to_vec();
    field.extend((numbers.len() as u16).to_le_bytes());
    field.extend(numbers);
    field
}

/// The directory, which begins here, and where it is to be found.
fn end(at: u64, count: u64, mut directory: Vec<u8>) -> Vec<u8> {
    let size = directory.len() as u64;
    let far = at >= u64::from(ELSEWHERE);
    if far {
        directory.extend(b"PK\x06\x06");
        directory.extend(44_u64.to_le_bytes());
        directory.extend(LONG_VERSION.to_le_bytes());
        directory.extend(LONG_VERSION.to_le_bytes());
        directory.extend([0; 8]);
        for number in [count, count, size, at] {
            directory.extend(number.to_le_bytes());
        }
        directory.extend(b"PK\x06\x07");
        directory.extend([0; 4]);
        directory.extend((at + size).to_le_bytes());
        directory.extend(1_u32.to_le_bytes());
    }
    directory.extend(b"PK\x05\x06");
    directory.extend([0; 4]);
    // At most as many as one act is about.
    directory.extend((count as u16).to_le_bytes());
    directory.extend((count as u16).to_le_bytes());
    directory.extend((size as u32).to_le_bytes());
    directory.extend((if far { ELSEWHERE } else { at as u32 }).to_le_bytes());
    directory.extend([0; 2]);
    directory
}

/// Bytes of an archive of these: what the same code writes, without the content.
fn length(entries: &VecDeque<Entry>) -> u64 {
    let (mut at, mut central) = (0, Vec::new());
    for entry in entries {
        let open = Open {
            entry: Entry {
                name: entry.name.clone(),
                size: entry.size,
                made: entry.made,
                from: Origin::Here(Bytes::new()),
            },
            place: at,
            content: None,
            left: 0,
            crc: Crc::new(),
        };
        open.enter(&mut central);
        at += (entry.local().len() + open.descriptor().len()) as u64 + entry.size;
    }
    at + end(at, entries.len() as u64, central).len() as u64
}

/// The name as an entry: neutral, relative, and with the first number that nobody has. Case does not tell names apart everywhere.
fn unique(name: &str, taken: &mut HashSet<String>) -> String {
    let name = names::sanitise(name).unwrap_or_else(|| "unnamed".to_owned());
    let (stem, ending) = match name.rfind('.') {
        Some(dot) if dot > 0 => name.split_at(dot),
        _ => (name.as_str(), ""),
    };
    let mut candidate = name.clone();
    let mut number = 1;
    while !taken.insert(candidate.to_lowercase()) {
        number += 1;
        let room = names::MAX_BYTES.saturating_sub(ending.len() + 10);
        let stem = &stem[..stem.floor_char_boundary(room.min(stem.len()))];
        candidate = format!("{stem} ({number}){ending}");
    }
    candidate
}

/// Date and time, to two seconds, from 1980 on.
fn dos_time(at: UtcTime) -> (u16, u16) {
    let at = at.calendar();
    let year = (at.year() - 1_980).clamp(0, 127) as u16;
    let date = (year << 9) | (u16::from(u8::from(at.month())) << 5) | u16::from(at.day());
    let time = (u16::from(at.hour()) << 11) | (u16::from(at.minute()) << 5) | u16::from(at.second() / 2);
    (date, time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u13_names_stay_inside_and_differ() {
        let mut taken = HashSet::from([REPORT.to_lowercase()]);
        let long = format!("{}.txt", "x".repeat(251));
        for (name, wanted) in [
            ("a.txt", "a.txt"),
            ("A.TXT", "A (2).TXT"),
            ("a.txt", "a (3).txt"),
            ("../../etc/passwd", "passwd"),
            ("..\\x", "x"),
            ("C:\\y", "y"),
            ("/absolute", "absolute"),
            ("..", "unnamed"),
            ("", "unnamed (2)"),
            ("nul.txt", "_nul.txt"),
            ("a\0b", "ab"),
            (REPORT, "Not in this archive (2).txt"),
        ] {
            assert_eq!(unique(name, &mut taken), wanted, "{name:?}");
        }
        assert_eq!(unique(&long, &mut taken), long);
        let second = unique(&long, &mut taken);
        assert!(
            second.ends_with(" (2).txt") && second.len() <= names::MAX_BYTES,
            "{second}"
        );
    }

    /// The checksum of so many zeros, without computing it of each.
    fn crc_of_zeros(size: u64) -> Crc {
        let mut all = Crc::new();
        let mut block = Crc::new();
        block.update(&[0]);
        for bit in 0..64 - size.leading_zeros() {
            if size >> bit & 1 == 1 {
                all.combine(&block);
            }
            let mut twice = Crc::new();
            twice.combine(&block);
            twice.combine(&block);
            block = twice;
        }
        all
    }

    /// Writes an archive of files of zeros, which take no room on the disk, and has Python's reader look at it: sizes, places, and the
    /// checksum of those that it reads.
    fn read_back(sizes: &[(&str, u64)], reads: &[&str]) {
        use std::io::{Seek as _, SeekFrom, Write as _};
        const READ: &str = "import sys, zipfile\n\
            z = zipfile.ZipFile(sys.argv[1])\n\
            for i in z.infolist():\n\
            \x20   print(i.filename, i.file_size)\n\
            \x20   f = z.open(i)\n\
            \x20   if i.filename in sys.argv[2:]:\n\
            \x20       n = 0\n\
            \x20       while True:\n\
            \x20           part = f.read(1 << 24)\n\
            \x20           if not part: break\n\
            \x20           n += len(part)\n\
            \x20       assert n == i.file_size, n";
        let entries: VecDeque<_> = sizes
            .iter()
            .map(|(name, size)| Entry {
                name: (*name).to_owned(),
                size: *size,
                made: (0x21, 0),
                from: Origin::Here(Bytes::new()),
            })
            .collect();
        let told = length(&entries);
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        let (mut at, mut central, count) = (0, Vec::new(), entries.len() as u64);
        for entry in entries {
            let place = at;
            file.write_all(&entry.local()).expect("room for it");
            let size = i64::try_from(entry.size).expect("a size");
            file.seek(SeekFrom::Current(size)).expect("a hole");
            let open = Open {
                place,
                content: None,
                left: 0,
                crc: crc_of_zeros(entry.size),
                entry,
            };
            file.write_all(&open.descriptor()).expect("room for it");
            open.enter(&mut central);
            at = file.stream_position().expect("a place");
        }
        file.write_all(&end(at, count, central)).expect("room for it");
        assert_eq!(file.stream_position().expect("a place"), told);
        let read = std::process::Command::new("python3")
            .args(["-c", READ])
            .arg(file.path())
            .args(reads)
            .output()
            .expect("Python");
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
        let listed: String = sizes
            .iter()
            .map(|(name, size)| format!("{name} {size}\n"))
            .collect();
        assert_eq!(String::from_utf8_lossy(&read.stdout), listed);
    }

    #[test]
    #[ignore = "needs Python"]
    fn u13_what_is_beyond_4_gib_is_read_by_others_at_its_place() {
        const GIB: u64 = 1 << 30;
        let most = u64::from(ELSEWHERE);
        // One byte below the bound, the bound itself, and places behind it.
        read_back(
            &[
                ("a", 5),
                ("b", most - 1),
                ("c", 7),
                ("d", most),
                ("e", 5 * GIB),
                ("f", 0),
                ("g", 9),
            ],
            &["a", "c", "f", "g"],
        );
        // The directory itself begins below the bound, and ends behind it.
        read_back(&[("a", most - 60)], &[]);
    }

    /// One file that needs the long way, read to its last byte.
    #[test]
    #[ignore = "needs Python"]
    fn u13_a_file_of_more_than_4_gib_has_its_checksum() {
        read_back(&[("long", u64::from(ELSEWHERE) + 1)], &["long"]);
    }

    /// An archive with five files of 3 GiB and one of 5 GiB, as far as its own bytes go: read back by their numbers.
    #[test]
    fn sizes_and_places_beyond_4_gib_are_written_the_long_way() {
        const GIB: u64 = 1 << 30;
        let entry = |name: &str, size| Entry {
            name: name.to_owned(),
            size,
            made: (0x21, 0),
            from: Origin::Here(Bytes::new()),
        };
        let short = VecDeque::from([entry("a", 10)]);
        assert_eq!(length(&short), 30 + 1 + 10 + 16 + 46 + 1 + 22);
        let long = VecDeque::from([entry("a", 5 * GIB), entry("b", 3)]);
        let first = 30 + 1 + 20 + 5 * GIB + 24;
        let second = 30 + 1 + 3 + 16;
        let directory = (46 + 1 + 20) + (46 + 1 + 12);
        assert_eq!(length(&long), first + second + directory + 56 + 20 + 22);
    }
}
