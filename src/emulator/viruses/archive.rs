//! Looking into ZIP archives for what [`is_in`](super::is_in) finds, within bounds (U12): so many entries, so many bytes inflated in
//! all, archives in archives so deep (`virus_detection`, §8). Nothing is written and names are not looked at.

use std::io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom};

use flate2::read::DeflateDecoder;

/// Entries of all archives that are looked into.
const MAX_ENTRIES: usize = 1_000;
/// Bytes that are inflated for one file in all.
const MAX_INFLATED: u64 = 256 << 20;
/// Bytes of an archive in an archive, which is held in memory.
const MAX_NESTED: u64 = 16 << 20;
/// Archives in one another, the outermost included.
const MAX_DEPTH: usize = 3;

const END_BYTES: u64 = 22;
const MAX_COMMENT: u64 = u16::MAX as u64;
const CENTRAL_BYTES: usize = 46;
const LOCAL_BYTES: usize = 30;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
const ENCRYPTED: u16 = 1;
/// In place of a number that only a ZIP64 record has.
const ELSEWHERE: u32 = u32::MAX;

/// What may still be looked at.
struct Budget {
    entries: usize,
    inflated: u64,
}

struct Entry {
    method: u16,
    size: u64,
    at: u64,
}

/// Whether the text is in an entry of an archive; `false` for what is none.
pub(super) fn is_inside(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    let mut budget = Budget {
        entries: MAX_ENTRIES,
        inflated: MAX_INFLATED,
    };
    search(file, &mut budget, 1)
}

fn search<F: Read + Seek>(file: &mut F, budget: &mut Budget, depth: usize) -> io::Result<bool> {
    for entry in entries(file, budget.entries)? {
        budget.entries = budget.entries.saturating_sub(1);
        if budget.inflated == 0 {
            break;
        }
        if !begin(file, &entry)? {
            continue;
        }
        // What is no deflate stream after all ends there.
        let found = match entry.method {
            STORED => look(file.by_ref().take(entry.size), budget, depth),
            _ => look(DeflateDecoder::new(file.by_ref().take(entry.size)), budget, depth),
        };
        match found {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(error) if is_of_content(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// Looks at an entry's content, and into it when it is an archive.
fn look(content: impl Read, budget: &mut Budget, depth: usize) -> io::Result<bool> {
    let mut content = content.take(budget.inflated);
    let mut start = Vec::new();
    content.by_ref().take(4).read_to_end(&mut start)?;
    let is_archive = start == b"PK\x03\x04" && depth < MAX_DEPTH;
    if !is_archive {
        let limit = content.limit();
        let found = super::is_in(&mut Cursor::new(start).chain(content.by_ref()));
        budget.inflated -= limit - content.limit();
        return found;
    }
    let before = content.limit();
    let read = content.by_ref().take(MAX_NESTED).read_to_end(&mut start);
    budget.inflated -= before - content.limit();
    // A broken end does not hide what came before it.
    if let Err(error) = read
        && !is_of_content(&error)
    {
        return Err(error);
    }
    let mut nested = Cursor::new(start);
    Ok(super::is_in(&mut nested)? || search(&mut nested, budget, depth + 1)?)
}

fn is_of_content(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof
    )
}

/// Goes to where an entry's content begins; `false` when that is not where the directory says.
fn begin(file: &mut (impl Read + Seek), entry: &Entry) -> io::Result<bool> {
    file.seek(SeekFrom::Start(entry.at))?;
    let Some(head) = fixed::<LOCAL_BYTES>(file)? else {
        return Ok(false);
    };
    let skipped = i64::from(short(&head, 26)) + i64::from(short(&head, 28));
    file.seek(SeekFrom::Current(skipped))?;
    Ok(head.starts_with(b"PK\x03\x04"))
}

/// The entries that can be looked into, by the archive's directory; none when there is no directory.
fn entries(file: &mut (impl Read + Seek), most: usize) -> io::Result<Vec<Entry>> {
    let mut found = Vec::new();
    let Some((count, start)) = directory(file)? else {
        return Ok(found);
    };
    file.seek(SeekFrom::Start(start))?;
    // Through a buffer: an archive may have tens of thousands.
    let mut directory = io::BufReader::new(file);
    for _ in 0..count.min(most) {
        let Some(head) = fixed::<CENTRAL_BYTES>(&mut directory)? else {
            break;
        };
        if !head.starts_with(b"PK\x01\x02") {
            break;
        }
        let more = [28, 30, 32].map(|at| i64::from(short(&head, at)));
        directory.seek_relative(more.iter().sum())?;
        let (flags, method, size, at) = (
            short(&head, 8),
            short(&head, 10),
            long(&head, 20),
            long(&head, 42),
        );
        let is_known = [STORED, DEFLATED].contains(&method) && flags & ENCRYPTED == 0;
        if is_known && size != ELSEWHERE && at != ELSEWHERE {
            found.push(Entry {
                method,
                size: size.into(),
                at: at.into(),
            });
        }
    }
    Ok(found)
}

/// How many entries the directory has and where it begins, from the record at the file's end.
fn directory(file: &mut (impl Read + Seek)) -> io::Result<Option<(usize, u64)>> {
    let length = file.seek(SeekFrom::End(0))?;
    let tail = length.min(END_BYTES + MAX_COMMENT);
    file.seek(SeekFrom::Start(length - tail))?;
    let mut end = Vec::new();
    file.take(tail).read_to_end(&mut end)?;
    let is_record = |record: &&[u8]| record.starts_with(b"PK\x05\x06");
    let mut records = end.windows(END_BYTES as usize).rev();
    let record = records.find(is_record);
    Ok(record.map(|record| (short(record, 10).into(), long(record, 16).into())))
}

/// The next so many bytes; `None` at the end.
fn fixed<const N: usize>(file: &mut impl Read) -> io::Result<Option<[u8; N]>> {
    let mut bytes = [0; N];
    match file.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

fn short(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn long(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
