//! Names of documents as people see them: never a path, never longer than a line, never a trick on the reader (U1).

use unicode_normalization::UnicodeNormalization as _;

/// The longest name kept, in bytes: what file systems take.
pub const MAX_BYTES: usize = 255;

/// Names that mean a device on Windows, whatever the extension.
const DEVICES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
    "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// The name to show and to offer for saving; `None` when nothing is left of it.
///
/// Composed (NFC), the last part of a path only, without control and direction-changing characters, without leading dots and
/// dashes or trailing dots, at most [`MAX_BYTES`] long with its extension kept.
pub fn sanitise(raw: &str) -> Option<String> {
    whole(raw).map(|name| shorten(&name))
}

/// The same for a name that somebody typed: a slash in it begins no path, so what stands before it stays, and none is cut.
///
/// # Errors
///
/// A sentence, when nothing is left of it or when it is too long.
pub fn typed(raw: &str) -> Result<String, String> {
    let name =
        whole(&raw.replace(['/', '\\'], "-")).ok_or("Enter a name with at least one visible character.")?;
    if name.len() > MAX_BYTES {
        return Err(format!(
            "A name has at most {MAX_BYTES} characters (letters with accents and those of other scripts count as two to four), and this \
             one has {}. Shorten it.",
            name.len()
        ));
    }
    Ok(name)
}

/// The name, however long.
fn whole(raw: &str) -> Option<String> {
    let composed: String = raw.nfc().collect();
    let last = composed.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible: String = last.chars().filter(|c| !is_hidden(*c)).collect();
    let trimmed = visible
        .trim()
        .trim_start_matches(['.', '-', ' '])
        .trim_end_matches(['.', ' '])
        .replace([':', '*', '?', '"', '<', '>', '|'], "_");
    if trimmed.is_empty() {
        return None;
    }
    let stem = trimmed
        .split('.')
        .next()
        .unwrap_or_default()
        .trim()
        .to_lowercase();
    Some(if DEVICES.contains(&stem.as_str()) {
        format!("_{trimmed}")
    } else {
        trimmed
    })
}

/// Control characters, and those that change direction or show nothing: a name must read as it is.
pub(super) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffd}' | '\u{e0000}'..='\u{e007f}')
}

/// Bytes for people: binary units, one decimal below ten.
pub fn human_size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1_024 {
        return if bytes == 1 {
            "1 byte".to_owned()
        } else {
            format!("{bytes} bytes")
        };
    }
    let mut value = bytes as f64 / 1_024.0;
    let mut unit = 0;
    while value >= 1_023.95 && unit < UNITS.len() - 1 {
        value /= 1_024.0;
        unit += 1;
    }
    let text = if value < 9.95 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    };
    format!("{} {}", text.trim_end_matches(".0"), UNITS[unit])
}

/// A text that is named in a sentence: not all of it when it is long.
pub(super) fn beginning(text: &str) -> String {
    const SHOWN: usize = 30;
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}

fn shorten(name: &str) -> String {
    if name.len() <= MAX_BYTES {
        return name.to_owned();
    }
    let extension = name
        .rfind('.')
        .map(|dot| &name[dot..])
        .filter(|extension| extension.len() <= 20)
        .unwrap_or("");
    let mut end = MAX_BYTES - extension.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{extension}", &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u1_hostile_names_become_plain_ones() {
        for (raw, name) in [
            ("report.pdf", Some("report.pdf")),
            ("../../etc/passwd", Some("passwd")),
            (r"..\..\boot.ini", Some("boot.ini")),
            (r"C:\Users\ana\cv.doc", Some("cv.doc")),
            (r"\\server\share\x.txt", Some("x.txt")),
            ("/absolute.txt", Some("absolute.txt")),
            ("a\0b\r\nc.txt", Some("abc.txt")),
            ("invoice\u{202e}fdp.exe", Some("invoicefdp.exe")),
            ("CON", Some("_CON")),
            ("nul.txt", Some("_nul.txt")),
            (".htaccess", Some("htaccess")),
            ("--rf", Some("rf")),
            ("...", None),
            ("", None),
            ("  ", None),
            ("\u{200b}", None),
            ("dir/", None),
            ("cafe\u{301}.txt", Some("café.txt")),
            ("a<b>.txt", Some("a_b_.txt")),
            ("trailing. ", Some("trailing")),
        ] {
            assert_eq!(sanitise(raw).as_deref(), name, "{raw:?}");
        }
    }

    #[test]
    fn a_typed_name_keeps_what_stands_before_a_slash() {
        for (raw, name) in [
            ("Invoice 3/2026", Some("Invoice 3-2026")),
            (r"Q1\Q2", Some("Q1-Q2")),
            ("../New Name.txt", Some("New Name.txt")),
            ("/", None),
        ] {
            assert_eq!(typed(raw).ok().as_deref(), name, "{raw:?}");
        }
    }

    #[test]
    fn u1_a_typed_name_is_never_cut() {
        let full = "x".repeat(MAX_BYTES);
        let accents = "ä".repeat(MAX_BYTES / 2);
        for longest in [full.clone(), format!("{accents}x"), format!(" ./{full}. ")] {
            assert_eq!(typed(&longest).map(|name| name.len()), Ok(MAX_BYTES), "{longest}");
        }
        for long in [
            format!("{full}x"),
            format!("{accents}ä"),
            format!("con.{}", &full[4..]),
        ] {
            let wrong = typed(&long).expect_err("a sentence");
            assert!(
                wrong.contains("at most 255 characters") && wrong.contains("has 256."),
                "{wrong}"
            );
        }
    }

    #[test]
    fn sizes_read_as_people_say_them() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1_023, "1023 bytes"),
            (1_024, "1 KiB"),
            (1_536, "1.5 KiB"),
            (5 << 30, "5 GiB"),
            (1_048_575, "1 MiB"),
            (u64::MAX, "16 EiB"),
        ] {
            assert_eq!(human_size(bytes), text);
        }
    }

    #[test]
    fn u1_a_long_name_is_cut_between_characters_and_keeps_its_extension() {
        let name = sanitise(&format!("{}.tar.gz", "ä".repeat(4_000))).expect("a name");
        assert!(
            name.len() <= MAX_BYTES && name.ends_with(".gz") && name.starts_with("ää"),
            "{name}"
        );
    }
}
