//! Inputs made of samples: bytes changed, pieces moved, doubled, taken from others, words of the format put in.

use std::fs;
use std::io;
use std::path::Path;

/// Longer than any path that is read, so that the limit is met too.
const LONGEST: usize = 40 * 1024;

/// Numbers like chance, the same for the same seed (SplitMix64).
pub struct Rng(u64);

impl Rng {
    /// The numbers of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `end`, or 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        (mixed % end.max(1) as u64) as usize
    }

    fn span(&mut self, length: usize) -> (usize, usize) {
        let start = self.below(length + 1);
        // Mostly short.
        let most = if self.below(4) == 0 { length } else { 16 };
        (start, (start + self.below(most + 1)).min(length))
    }
}

/// Samples and words of a format.
pub struct Mutator {
    samples: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
}

impl Mutator {
    /// Reads a directory of samples and a dictionary as libFuzzer has them.
    pub fn read(seeds: &Path, dictionary: &Path) -> io::Result<Self> {
        let mut paths: Vec<_> = fs::read_dir(seeds)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        // In one order everywhere, or a seed would not repeat its run.
        paths.sort();
        let samples = paths.iter().map(fs::read).collect::<Result<_, _>>()?;
        let text = fs::read_to_string(dictionary)?;
        Ok(Self {
            samples,
            words: text.lines().filter_map(word).collect(),
        })
    }

    /// What it makes inputs of.
    pub fn samples(&self) -> &[Vec<u8>] {
        &self.samples
    }

    /// The next input.
    pub fn make(&self, rng: &mut Rng) -> Vec<u8> {
        let mut input = self.sample(rng).to_vec();
        for _ in 0..=rng.below(8) {
            self.change(&mut input, rng);
            input.truncate(LONGEST);
        }
        input
    }

    fn sample(&self, rng: &mut Rng) -> &[u8] {
        &self.samples[rng.below(self.samples.len())]
    }

    fn change(&self, input: &mut Vec<u8>, rng: &mut Rng) {
        let (start, end) = rng.span(input.len());
        match rng.below(9) {
            0 => drop(input.drain(start..end)),
            1 => {
                for byte in &mut input[start..end] {
                    *byte ^= 1 << rng.below(8);
                }
            }
            2 => {
                let byte = [0, b'%', b'"', b'/', b'\r', b'\n', b'[', 0xff][rng.below(8)];
                input.insert(start, byte);
            }
            3 | 4 if !self.words.is_empty() => {
                let word = self.words[rng.below(self.words.len())].clone();
                drop(input.splice(start..end, word));
            }
            5 => {
                let other = self.sample(rng);
                let (from, to) = rng.span(other.len());
                drop(input.splice(start..end, other[from..to].iter().copied()));
            }
            // Few at a time, or very many: lists, tasks and fields have limits.
            6 => {
                let piece = input[start..end].to_vec();
                let times = if rng.below(8) == 0 { rng.below(2_000) } else { rng.below(6) };
                let many = piece.repeat(times.min(LONGEST / piece.len().max(1)));
                drop(input.splice(start..start, many));
            }
            7 => {
                let escaped = input[start..end].iter().flat_map(|byte| format!("%{byte:02X}").into_bytes());
                let escaped: Vec<u8> = escaped.collect();
                drop(input.splice(start..end, escaped));
            }
            _ => {
                let number = ["0", "-1", "10001", "4294967296", "99999999999999999999", "1e999", "0.5", "+7"];
                drop(input.splice(start..end, number[rng.below(number.len())].bytes()));
            }
        }
    }
}

/// A line `"word"`, with `\xNN`, `\\` and `\"`.
fn word(line: &str) -> Option<Vec<u8>> {
    let mut rest = line.trim().strip_prefix('"')?.strip_suffix('"')?.bytes();
    let mut word = Vec::new();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            word.push(byte);
            continue;
        }
        match rest.next()? {
            b'x' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                word.push((digit(rest.next()?)? * 16 + digit(rest.next()?)?) as u8);
            }
            plain => word.push(plain),
        }
    }
    Some(word)
}
