//! What demo documents are called and made of: chance that falls the same way every time.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use sha2::{Digest, Sha256};

use crate::crypto::hex;
use crate::db::models::documents::MADE_UP;

/// Characters of a handle.
const HANDLE: usize = 20;

/// A sequence of numbers that depends on what it is for and on nothing else (splitmix64).
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(purpose: &str, n: u64) -> Self {
        let seed = purpose
            .bytes()
            .fold(n.wrapping_mul(0x9E37_79B9_7F4A_7C15), |seed, byte| {
                (seed ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
            });
        Chance(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below the bound, which is not 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// Random bits for an id.
    pub(super) fn bytes(&mut self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&self.next().to_le_bytes());
        bytes[8..].copy_from_slice(&self.next().to_le_bytes()[..2]);
        bytes
    }

    /// A handle of the usual form.
    pub(super) fn handle(&mut self) -> String {
        self.letters(HANDLE)
    }

    /// A handle that nothing has, and that says so.
    pub(super) fn made_up_handle(&mut self) -> String {
        format!("{MADE_UP}{}", self.letters(HANDLE - MADE_UP.len()))
    }

    fn letters(&mut self, count: usize) -> String {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        (0..count).map(|_| char::from(self.of(ALPHABET))).collect()
    }
}

/// A document's looks.
pub(super) struct Made {
    pub(super) name: String,
    pub(super) content_type: &'static str,
    pub(super) size_bytes: i64,
    pub(super) sha256: String,
}

const FIRST_NAMES: [&str; 24] = [
    "ana", "bo", "carla", "dmitri", "elif", "farid", "greta", "hiro", "ines", "jonas", "kofi", "lena",
    "marek", "noor", "olga", "pablo", "quynh", "rosa", "sven", "tara", "umar", "vera", "wei", "yara",
];
const SUBJECTS: [&str; 20] = [
    "Acme",
    "Birkenhof",
    "Contoso",
    "Delta Logistics",
    "Elbe Foundry",
    "Fjord Energy",
    "Granite",
    "Harbour House",
    "Isar Medical",
    "Juniper",
    "Kestrel",
    "Lighthouse",
    "Meridian",
    "Northwind",
    "Oakwood",
    "Pinecrest",
    "Quarry Lane",
    "Riverside",
    "Sunfield",
    "Tidewater",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// An address that no mail will ever reach.
pub(super) fn email(n: u32) -> String {
    let name = FIRST_NAMES[n as usize % FIRST_NAMES.len()];
    match n as usize / FIRST_NAMES.len() {
        0 => format!("{name}@example.org"),
        round => format!("{name}{}@example.org", round + 1),
    }
}

/// What its owner says of a document.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SaidOf {
    /// As a row has them.
    pub(super) tags: String,
    pub(super) note: String,
    pub(super) is_trash: bool,
}

/// What is said of a document: nothing of most.
pub(super) fn said(chance: &mut Chance) -> SaidOf {
    const TAGS: [&str; 8] = [
        "archive", "checked", "draft", "home", "paid", "tax 2025", "tax 2026", "work",
    ];
    const NOTES: [&str; 4] = [
        "Ask {} for the signed copy.",
        "Sent to {} by post.",
        "{} wants this back by the end of the month.",
        "Replaces the one from {}.",
    ];
    let mut said = SaidOf::default();
    match chance.below(12) {
        0 => said.tags = format!(",{},", chance.of(&TAGS)),
        1 => {
            // In order, as tags are kept.
            let at = 1 + chance.below(TAGS.len() as u64 - 1) as usize;
            said.tags = format!(",{},{},", TAGS[chance.below(at as u64) as usize], TAGS[at]);
            said.note = chance.of(&NOTES).replace("{}", chance.of(&SUBJECTS));
        }
        2 => said.is_trash = chance.below(4) == 0,
        _ => {}
    }
    said
}

/// A document whose file is nowhere.
pub(super) fn made_up(n: u64, chance: &mut Chance) -> Made {
    const PDF: &str = "application/pdf";
    let (subject, month, year) = (chance.of(&SUBJECTS), chance.of(&MONTHS), 2024 + chance.below(3));
    let (name, content_type, typical) = match chance.below(12) {
        0..=2 => (format!("Invoice {} {subject}.pdf", 10_000 + n), PDF, 180_000),
        3 => (format!("Contract {subject} {year}.pdf"), PDF, 900_000),
        4 => (
            format!("Minutes {month} {year}.docx"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            60_000,
        ),
        5 => (
            format!("Budget {year} {subject}.xlsx"),
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            240_000,
        ),
        6 => (
            format!("Slides {subject} {month}.pptx"),
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            4_000_000,
        ),
        7 => (format!("Site photo {n:05}.heic"), "image/heif", 2_500_000),
        8 => (format!("Export {subject} {year}.csv"), "text/csv", 700_000),
        9 => (
            format!("Interview {subject} {month}.mp4"),
            "video/mp4",
            180_000_000,
        ),
        10 => (
            format!("Archive {year} {subject}.zip"),
            "application/zip",
            30_000_000,
        ),
        _ => (format!("Notes {month} {year}.txt"), "text/plain", 6_000),
    };
    let size_bytes = (typical / 2 + chance.below(typical)) as i64;
    let sha256 = hex(&Sha256::digest(format!("demo document {n}")));
    Made {
        name,
        content_type,
        size_bytes,
        sha256,
    }
}

/// A document with a small real file: a picture, a note or a table.
pub(super) fn real_file(n: u64, chance: &mut Chance) -> (Made, Vec<u8>) {
    let (subject, month, year) = (chance.of(&SUBJECTS), chance.of(&MONTHS), 2024 + chance.below(3));
    let (name, content_type, bytes) = match chance.below(5) {
        0 | 1 => (
            format!("{subject} at dusk {n:03}.jpg"),
            "image/jpeg",
            picture(chance, ImageFormat::Jpeg),
        ),
        2 => (
            format!("Plan {subject} {month}.png"),
            "image/png",
            picture(chance, ImageFormat::Png),
        ),
        3 => (
            format!("Notes {subject} {month} {year}.txt"),
            "text/plain",
            note(subject, month, chance),
        ),
        _ => (format!("Orders {subject} {month}.csv"), "text/csv", table(chance)),
    };
    let sha256 = hex(&Sha256::digest(&bytes));
    (
        Made {
            name,
            content_type,
            size_bytes: bytes.len() as i64,
            sha256,
        },
        bytes,
    )
}

/// Hills under an evening sky, each with colours and slopes of its own.
fn picture(chance: &mut Chance, format: ImageFormat) -> Vec<u8> {
    const WIDTH: u32 = 480;
    const HEIGHT: u32 = 320;
    let sky = [
        200 + chance.below(55) as u8,
        120 + chance.below(80) as u8,
        90 + chance.below(90) as u8,
    ];
    let (phase, slope) = (chance.below(628) as f32 / 100.0, 40.0 + chance.below(60) as f32);
    let image = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let (x, y) = (x as f32, y as f32);
        let layer = (1..=3).rev().find(|layer| {
            let layer = *layer as f32;
            y > HEIGHT as f32 * (0.35 + 0.17 * layer) + (x / (slope * layer) + phase * layer).sin() * 26.0
        });
        let shade = |channel: usize| match layer {
            Some(layer) => (f32::from(sky[channel]) * 0.55 / layer as f32) as u8,
            None => (f32::from(sky[channel]) * (0.45 + 0.55 * y / HEIGHT as f32)) as u8,
        };
        Rgb([shade(0), shade(1), shade(2)])
    });
    let mut bytes = Cursor::new(Vec::new());
    // Writing to memory in a format that was compiled in.
    let _ = image.write_to(&mut bytes, format);
    bytes.into_inner()
}

fn note(subject: &str, month: &str, chance: &mut Chance) -> Vec<u8> {
    let mut text = format!("Call with {subject}, {month}\n\n");
    for point in 1..=3 + chance.below(5) {
        text += &format!(
            "{point}. {} to send the figures by the {}th.\n",
            chance.of(&FIRST_NAMES),
            4 + chance.below(24)
        );
    }
    text.into_bytes()
}

fn table(chance: &mut Chance) -> Vec<u8> {
    let mut text = "order,customer,amount\n".to_owned();
    for order in 0..20 + chance.below(80) {
        text += &format!(
            "{},{},{}.{:02}\n",
            1_000 + order,
            chance.of(&SUBJECTS),
            chance.below(9_000),
            chance.below(100)
        );
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_document_comes_out_every_time_and_another_for_another_number() {
        let name = |n| made_up(n, &mut Chance::new("document", n)).name;
        assert_eq!(name(7), name(7));
        let of = |n| said(&mut Chance::new("said", n));
        assert_eq!(of(7), of(7));
        let all: Vec<_> = (0..600).map(of).collect();
        assert!(all.iter().any(|said| said.is_trash) && all.iter().any(|said| !said.note.is_empty()));
        assert!((0..20).map(name).collect::<std::collections::BTreeSet<_>>().len() > 10);
        assert_eq!(email(0), "ana@example.org");
        assert_eq!(email(24), "ana2@example.org");
    }

    #[test]
    fn real_files_are_what_they_say() {
        for n in 0..30 {
            let (made, bytes) = real_file(n, &mut Chance::new("document", n));
            assert_eq!(
                crate::services::sniff::content_type(&bytes, &made.name),
                made.content_type,
                "{}",
                made.name
            );
            assert_eq!(made.size_bytes, bytes.len() as i64);
        }
    }
}
