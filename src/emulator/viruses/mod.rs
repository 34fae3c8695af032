//! `virus_detection` (§8), as far as it goes here: it finds the EICAR test file, which every scanner takes for a virus and which
//! is none, anywhere in a content of any size and in the entries of ZIP archives.
//!
//! Content is read as a stream, so it does not matter in which parts it was uploaded. `archive` looks into archives, within
//! bounds: nothing is written, and what is beyond them is not looked at.

mod archive;

use std::io::{self, Read, Seek, SeekFrom};

/// What a find is called.
const NAME: &str = "Eicar-Test-Signature";
/// The two halves of the test file's text. Together they would make this file one.
const HALVES: [&str; 2] = [
    r"X5O!P%@AP[4\PZX54(P^)7CC)7}$",
    "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*",
];
const BLOCK_BYTES: usize = 256 * 1024;

/// What was found in a file: names of viruses, none for a clean one.
///
/// # Errors
/// When it cannot be read.
pub(super) fn scan(file: &mut (impl Read + Seek)) -> io::Result<Vec<String>> {
    file.seek(SeekFrom::Start(0))?;
    let found = is_in(file)? || archive::is_inside(file)?;
    Ok(found.then(|| NAME.to_owned()).into_iter().collect())
}

/// The whole text of the test file.
pub(super) fn eicar() -> String {
    HALVES.concat()
}

/// Whether a stream has the text in it.
fn is_in(stream: &mut impl Read) -> io::Result<bool> {
    let text = eicar();
    let text = text.as_bytes();
    let mut block = vec![0; BLOCK_BYTES];
    // What the last block ended with may be where the text begins.
    let mut kept = 0;
    loop {
        let count = match stream.read(&mut block[kept..]) {
            Ok(0) => return Ok(false),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let filled = kept + count;
        let starts = (0..filled).filter(|at| block[*at] == text[0]);
        if starts.into_iter().any(|at| block[at..filled].starts_with(text)) {
            return Ok(true);
        }
        kept = filled.min(text.len() - 1);
        block.copy_within(filled - kept..filled, 0);
    }
}

#[cfg(test)]
mod tests;
