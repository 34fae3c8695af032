//! Pictures to work on, made here, and shortcuts to the two functions under test.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

use crate::emulator::transform::{
    Content, GrammarError, Parsed, Reply, Source, Task, TransformError, parse_path, run,
};

pub(super) const KEY: &str = "AbCdEfGhIjKlMnOpQrStUz";
pub(super) const HANDLE: &str = "pYTz0wSSQWWhAbCdEf12";

pub(super) const RED: [u8; 3] = [230, 20, 20];
pub(super) const GREEN: [u8; 3] = [20, 200, 20];
pub(super) const BLUE: [u8; 3] = [20, 20, 230];
pub(super) const GRAY: [u8; 3] = [128, 128, 128];

pub(super) fn parse(path: &str) -> Result<Parsed, GrammarError> {
    parse_path(path, &|segment| segment == KEY)
}

/// The tasks in front of a handle.
pub(super) fn tasks(path: &str) -> Vec<Task> {
    let parsed = parse(&format!("{path}/{HANDLE}")).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert_eq!(parsed.source, Source::Handle(HANDLE.to_owned()), "{path}");
    parsed.tasks
}

/// The status and text that a path is refused with.
pub(super) fn refusal(path: &str) -> (u16, String) {
    let error = parse(path).expect_err(path);
    (error.status(), error.to_string())
}

/// A picture with a red, a green, a gray and a blue quarter, row by row.
pub(super) fn quarters(width: u32, height: u32) -> DynamicImage {
    let color = |x, y| match (x < width / 2, y < height / 2) {
        (true, true) => RED,
        (false, true) => GREEN,
        (true, false) => GRAY,
        (false, false) => BLUE,
    };
    RgbImage::from_fn(width, height, |x, y| Rgb(color(x, y))).into()
}

pub(super) fn file(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub(super) fn png(image: &DynamicImage) -> Vec<u8> {
    file(image, ImageFormat::Png)
}

pub(super) fn transform(path: &str, input: &[u8]) -> Result<Reply, TransformError> {
    let file = Content {
        bytes: input,
        mimetype: "application/x-stored",
    };
    run(&tasks(path), &[file], false)
}

/// The bytes and content type that a transformation answers with.
pub(super) fn result(path: &str, input: &[u8]) -> (Vec<u8>, String) {
    match transform(path, input) {
        Ok(Reply::Image { bytes, mimetype }) => (bytes, mimetype),
        other => panic!("{path}: {other:?}"),
    }
}

/// The picture that a transformation answers with.
pub(super) fn picture(path: &str, input: &[u8]) -> DynamicImage {
    image::load_from_memory(&result(path, input).0).unwrap()
}

pub(super) fn size(image: &DynamicImage) -> (u32, u32) {
    (image.width(), image.height())
}

/// Asserts on a pixel's colour, give or take what compression and rounding change.
#[track_caller]
pub(super) fn assert_color(image: &DynamicImage, (x, y): (u32, u32), wanted: [u8; 3]) {
    let found = image.to_rgb8().get_pixel(x, y).0;
    let near = found.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 12);
    assert!(near, "at {x},{y}: {found:?} is not {wanted:?}");
}
