//! Paths and files made to do harm: they are refused, and nothing panics or grows without bound.

use image::ImageFormat;
use proptest::prelude::*;
use serde_json::json;

use super::support::{HANDLE, file, parse, png, quarters, refusal, transform};
use crate::emulator::transform::{MAX_PATH_BYTES, MAX_TASKS, TransformError, parse_json};

const FORMATS: [ImageFormat; 4] = [
    ImageFormat::Jpeg,
    ImageFormat::Png,
    ImageFormat::WebP,
    ImageFormat::Gif,
];

/// The CRC that ends a PNG chunk.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

/// A small PNG whose header claims another size.
fn png_claiming(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = png(&quarters(4, 4));
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = crc(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&sum.to_be_bytes());
    bytes
}

#[test]
fn u11_a_header_claiming_too_many_pixels_is_refused_before_decoding() {
    for (width, height) in [(100_000, 100_000), (10_001, 10_000), (2_000_000_000, 2)] {
        let error = transform("resize=width:10", &png_claiming(width, height)).unwrap_err();
        assert_eq!(error.status(), 413, "{width}x{height}: {error}");
    }
}

#[test]
fn u11_a_result_with_too_many_pixels_is_refused_before_it_is_made() {
    for (path, input) in [
        ("resize=width:10000", quarters(2, 400)),
        ("rotate=deg:45", quarters(2, 16_000)),
    ] {
        let error = transform(path, &png(&input)).map(|_| ()).unwrap_err();
        assert!(matches!(error, TransformError::TooLarge(_)), "{path}: {error}");
    }
}

#[test]
fn u11_a_truncated_image_is_an_error_at_every_length() {
    for format in FORMATS {
        let whole = file(&quarters(40, 30), format);
        for length in 0..whole.len() - 1 {
            let outcome = transform("resize=width:10", &whole[..length]);
            // What follows the pixels in PNG, WebP and GIF may be missing without harm.
            assert!(
                outcome.is_err() || length + 16 > whole.len(),
                "{format:?} cut at {length} of {}",
                whole.len()
            );
        }
    }
}

#[test]
fn what_follows_the_end_of_an_image_does_no_harm() {
    for format in FORMATS {
        let mut bytes = file(&quarters(40, 30), format);
        bytes.extend(b"a film\xff\xd9\xff\xda and more of it");
        assert!(transform("resize=width:10", &bytes).is_ok(), "{format:?}");
    }
}

#[test]
fn u11_bytes_that_are_no_image_are_an_unsupported_conversion() {
    for bytes in [&b""[..], b"hello", b"<html></html>", b"%PDF-1.7\n"] {
        for path in [
            "resize=width:10",
            "imagesize",
            "output=format:jpg",
            "no_metadata",
            "quality=value:5",
            "auto_image",
        ] {
            let error = transform(path, bytes).unwrap_err();
            assert_eq!(
                error.to_string(),
                r#"{"error":"Unsupported conversion"}"#,
                "{path}"
            );
            assert_eq!(error.status(), 400);
        }
    }
}

#[test]
fn long_paths_many_tasks_and_deep_lists_are_refused() {
    assert_eq!(refusal(&"a".repeat(MAX_PATH_BYTES + 1)).0, 414);
    let flips = |count: usize| format!("{}{HANDLE}", "flip/".repeat(count));
    assert_eq!(parse(&flips(MAX_TASKS)).unwrap().tasks.len(), MAX_TASKS);
    assert_eq!(
        refusal(&flips(MAX_TASKS + 1)),
        (414, "the path is too long: the limit is 50 tasks".to_owned())
    );
    assert_eq!(
        refusal(&format!("zip/{}", "[".repeat(MAX_PATH_BYTES - 10))).0,
        400
    );
    assert_eq!(refusal(&format!("zip/[{}]", "a,".repeat(200))).0, 414);
}

#[test]
fn u17_an_escaped_slash_adds_no_segment() {
    assert_eq!(refusal("flip%2FHANDLE").0, 404);
    assert_eq!(refusal("..%2F..%2Fetc").0, 404);
    assert_eq!(refusal("../../etc/passwd").0, 400);
    assert_eq!(refusal("HANDLE%00").0, 404);
}

/// Text that looks like a path, so that chance reaches the inner rules.
fn path_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("resize".to_owned()),
        Just("crop=dim:".to_owned()),
        Just("security=p:".to_owned()),
        Just("b64/".to_owned()),
        Just("W10=".to_owned()),
        Just("b64://".to_owned()),
        Just("https://".to_owned()),
        Just("src://".to_owned()),
        Just("metadata".to_owned()),
        "[/=:,\"\\[\\]%]",
        "%[0-9a-fA-F]{2}",
        "[a-z0-9]{1,4}",
        "\\PC{0,3}",
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        parse(&text).ok();
    }

    #[test]
    fn no_path_makes_the_parser_panic(path in path_like()) {
        parse(&path).ok();
    }

    #[test]
    fn u11_no_broken_image_makes_a_task_panic(
        format in 0..4_usize,
        harm in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let mut bytes = file(&quarters(16, 12), FORMATS[format]);
        for (at, byte) in harm {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        transform("rotate=deg:exif/resize=width:7/enhance/output=format:png", &bytes).ok();
    }
}

#[test]
fn a_refusal_is_short_however_long_the_names_are() {
    let long = "x".repeat(10_000);
    for tasks in [
        json!([{ "name": long }]),
        json!([{ "name": "resize", "params": { &long: 1 } }]),
        json!([{ "name": "resize", "params": { "fit": long } }]),
        json!([{ "name": "debug", "params": long }]),
    ] {
        let refusal = parse_json(&["KW9EJhYtS6y48Whm2S6D"], tasks).unwrap_err();
        assert!(refusal.to_string().len() < 300, "{refusal}");
    }
}
