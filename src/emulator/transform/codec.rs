//! Files to pixels and back, within limits: nothing is allocated for a picture before its header said how large it is (§6.1, §11.3).
//!
//! Only the first frame of an animation is read. WebP is written lossless, the only way the encoder knows, whatever the quality.

use std::io::Cursor;

use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::webp::WebPEncoder;
use image::metadata::Orientation;
use image::{
    DynamicImage, ImageDecoder, ImageEncoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage,
};

use super::color::Color;
use super::error::TransformError;
use super::format::Format;

/// The most pixels a picture may have, before and after any task; Filestack documents this number.
pub const MAX_PIXELS: u64 = 100_000_000;
/// The largest file that is looked at; Filestack documents this number.
pub const MAX_INPUT_BYTES: usize = 256 * 1024 * 1024;
/// The most memory for the decoded pixels of one picture.
pub const MAX_ALLOCATION_BYTES: u64 = 512 * 1024 * 1024;

/// The most memory for what stands beside the pixels: profiles and texts, some of them compressed.
const MAX_HEADER_BYTES: u64 = 64 * 1024 * 1024;
/// A JPEG segment ends at 65 535 bytes, its own head included; larger EXIF data is left out.
const MAX_EXIF_BYTES: usize = 65_000;
/// How hard the GIF palette is searched for, 1 (best) to 30.
const GIF_SPEED: i32 = 10;

impl Format {
    /// The format of these bytes, by their first few.
    pub(super) fn sniff(bytes: &[u8]) -> Result<Self, TransformError> {
        match image::guess_format(bytes) {
            Ok(ImageFormat::Jpeg) => Ok(Self::Jpeg),
            Ok(ImageFormat::Png) => Ok(Self::Png),
            Ok(ImageFormat::WebP) => Ok(Self::WebP),
            Ok(ImageFormat::Gif) => Ok(Self::Gif),
            Ok(ImageFormat::Tiff | ImageFormat::Bmp) => Err(TransformError::NotYet("images in TIFF or BMP")),
            _ => Err(TransformError::Unsupported),
        }
    }

    fn of_crate(self) -> ImageFormat {
        match self {
            Self::Jpeg => ImageFormat::Jpeg,
            Self::Png => ImageFormat::Png,
            Self::WebP => ImageFormat::WebP,
            Self::Gif => ImageFormat::Gif,
        }
    }

    fn keeps_exif(self) -> bool {
        self != Self::Gif
    }
}

/// A decoded picture with what its file said beside the pixels.
pub(super) struct Picture {
    /// Eight bits a channel, with opacity only if the file had it.
    pub(super) image: DynamicImage,
    pub(super) exif: Option<Vec<u8>>,
    icc: Option<Vec<u8>>,
}

/// How a picture is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Encoding {
    pub(super) format: Format,
    /// Of a JPEG, 1 to 100.
    pub(super) quality: u8,
    pub(super) best_compression: bool,
    pub(super) strip: bool,
    pub(super) background: Color,
}

/// The size of a picture, read from its header alone.
pub(super) fn dimensions(bytes: &[u8]) -> Result<(u32, u32), TransformError> {
    Ok(open(bytes)?.dimensions())
}

/// Decodes the first frame of a picture.
pub(super) fn decode(bytes: &[u8]) -> Result<Picture, TransformError> {
    let mut decoder = open(bytes)?;
    let (width, height) = decoder.dimensions();
    check_size(u64::from(width), u64::from(height))?;
    if decoder.total_bytes() > MAX_ALLOCATION_BYTES {
        return Err(TransformError::TooLarge("The image needs too much memory"));
    }
    if Format::sniff(bytes)? == Format::Jpeg && !jpeg_has_end(bytes) {
        return Err(TransformError::Damaged);
    }
    decoder
        .set_limits(limits(MAX_ALLOCATION_BYTES))
        .map_err(reading)?;
    let exif = decoder.exif_metadata().map_err(reading)?;
    let icc = decoder.icc_profile().map_err(reading)?;
    let image = DynamicImage::from_decoder(decoder).map_err(reading)?;
    let image = if image.color().has_alpha() {
        image.into_rgba8().into()
    } else {
        image.into_rgb8().into()
    };
    Ok(Picture { image, exif, icc })
}

/// Refuses a picture with too many pixels, before anything is allocated for it.
pub(super) fn check_size(width: u64, height: u64) -> Result<(), TransformError> {
    match width.checked_mul(height) {
        Some(pixels) if pixels <= MAX_PIXELS => Ok(()),
        _ => Err(TransformError::TooLarge(
            "The image has more than 100000000 pixels",
        )),
    }
}

fn open(bytes: &[u8]) -> Result<impl ImageDecoder + '_, TransformError> {
    let format = Format::sniff(bytes)?;
    if bytes.len() > MAX_INPUT_BYTES {
        return Err(TransformError::TooLarge("The image file is larger than 256 MB"));
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format.of_crate());
    reader.limits(limits(MAX_HEADER_BYTES));
    reader.into_decoder().map_err(reading)
}

fn limits(max_alloc: u64) -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(max_alloc);
    limits
}

fn reading(error: ImageError) -> TransformError {
    match error {
        ImageError::Limits(_) => TransformError::TooLarge("The image needs too much memory"),
        ImageError::Unsupported(_) => TransformError::Unsupported,
        _ => TransformError::Damaged,
    }
}

/// Whether a JPEG goes on to its end mark. The decoder fills what is missing with grey instead of failing. Phones append whole
/// films after the end, so the marks are followed from the start; zeros and restarts belong to the compressed data.
fn jpeg_has_end(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(2..).unwrap_or_default();
    loop {
        let is_mark = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0x01 | 0xd0..=0xd8 | 0xff);
        let Some(at) = rest.windows(2).position(is_mark) else {
            return false;
        };
        let segment = &rest[at + 1..];
        match *segment {
            [0xd9, ..] => return true,
            [_, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([high, low])).max(2);
                rest = segment.get(1 + length..).unwrap_or_default();
            }
            _ => return false,
        }
    }
}

impl Picture {
    /// Turns and mirrors the pixels as the camera noted, and takes the note away.
    pub(super) fn make_upright(&mut self) {
        let noted = self
            .exif
            .as_mut()
            .and_then(|exif| Orientation::remove_from_exif_chunk(exif));
        self.image
            .apply_orientation(noted.unwrap_or(Orientation::NoTransforms));
    }

    /// Writes the picture. Where the camera's note on the orientation cannot stay, the pixels are turned instead.
    pub(super) fn encode(mut self, how: Encoding) -> Result<Vec<u8>, TransformError> {
        if how.strip || !how.format.keeps_exif() {
            self.make_upright();
            self.exif = None;
        }
        let mut bytes = Vec::new();
        let written = match how.format {
            Format::Jpeg => {
                self.image = flattened(self.image, how.background).into();
                self.write(JpegEncoder::new_with_quality(
                    &mut bytes,
                    how.quality.clamp(1, 100),
                ))
            }
            Format::Png => {
                let level = if how.best_compression {
                    CompressionType::Best
                } else {
                    CompressionType::Default
                };
                self.write(PngEncoder::new_with_quality(
                    &mut bytes,
                    level,
                    FilterType::Adaptive,
                ))
            }
            Format::WebP => self.write(WebPEncoder::new_lossless(&mut bytes)),
            Format::Gif => {
                let (width, height, color) =
                    (self.image.width(), self.image.height(), self.image.color().into());
                GifEncoder::new_with_speed(&mut bytes, GIF_SPEED).encode(
                    self.image.as_bytes(),
                    width,
                    height,
                    color,
                )
            }
        };
        written
            .map_err(|_| TransformError::Invalid("The image cannot be written in this format and size"))?;
        Ok(bytes)
    }

    fn write(self, mut encoder: impl ImageEncoder) -> Result<(), ImageError> {
        // An encoder that has no place for one of the two says so; the picture is whole without it.
        if let Some(icc) = self.icc {
            encoder.set_icc_profile(icc).ok();
        }
        if let Some(exif) = self.exif.filter(|exif| exif.len() <= MAX_EXIF_BYTES) {
            encoder.set_exif_metadata(exif).ok();
        }
        let (width, height, color) = (self.image.width(), self.image.height(), self.image.color().into());
        encoder.write_image(self.image.as_bytes(), width, height, color)
    }
}

/// The picture on a ground of one colour, without opacity.
pub(super) fn flattened(image: DynamicImage, background: Color) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let image = image.into_rgba8();
    let [red, green, blue, _] = background.rgba.map(u32::from);
    let mut flat = RgbImage::new(image.width(), image.height());
    for (from, to) in image.pixels().zip(flat.pixels_mut()) {
        let alpha = u32::from(from.0[3]);
        let mixed =
            |over: u8, under: u32| ((u32::from(over) * alpha + under * (255 - alpha) + 127) / 255) as u8;
        to.0 = [
            mixed(from.0[0], red),
            mixed(from.0[1], green),
            mixed(from.0[2], blue),
        ];
    }
    flat
}
