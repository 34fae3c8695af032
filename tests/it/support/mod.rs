//! What the integration tests stand on. Nothing here knows a rule of the application.

pub mod answer;
pub mod app;
pub mod between;
pub mod browser;
pub mod client;
pub mod documents;
pub mod form;
pub mod jobs;
pub mod postgres;
pub mod raw_post;
pub mod receiver;
pub mod wire;

use std::io::Cursor;
use std::time::Duration;

use image::{ImageFormat, RgbImage};

/// Waits until something is so that happens by itself, such as a server noticing that its client has gone.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    for _ in 0..12_000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("after a minute still not: {what}");
}

/// Bytes that repeat only after a prime, so that no two parts of a file are alike.
pub fn content(size: usize) -> Vec<u8> {
    (0..size).map(|n| (n % 251) as u8).collect()
}

/// A picture of this size.
pub fn png(width: u32, height: u32) -> Vec<u8> {
    let picture = RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 128]));
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).expect("a picture");
    bytes.into_inner()
}
