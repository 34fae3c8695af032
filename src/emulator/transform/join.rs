//! Several pictures in one file: a collage, an animation, a PDF with a page for each (§6.2, §6.4, §6.5).
//!
//! One picture is decoded at a time, whatever there are; what they become together has the limits of one picture.
//! Filestack does not say how it lays a collage out: ours is a grid, row by row, whose last row is filled by what is left.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use gif::{DisposalMethod, Frame, Repeat};
use image::imageops::overlay;
use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};

use super::codec::{self, MAX_PIXELS, check_size, flattened};
use super::color::Color;
use super::error::TransformError;
use super::geometry;
use super::task::{Align, Animate, Collage, Fit, Horizontal, Resize, Task, Vertical};

/// The longest side of a page that readers of PDF have to know, in points.
const MAX_PAGE_POINTS: u32 = 14_400;
/// The longest side of an animation that names none (§6.2).
const MAX_FRAME_SIDE: u32 = 1_800;
/// How hard the palette of a frame is searched for, 1 (best) to 30.
const GIF_SPEED: i32 = 10;

/// Brings pictures together as a task wants it: the bytes of one file, and its content type.
pub(super) fn join(task: &Task, pictures: &[&[u8]]) -> Result<(Vec<u8>, &'static str), TransformError> {
    match task {
        Task::Collage(collage) => Ok((of_collage(collage, pictures)?, "image/png")),
        Task::Animate(animate) => Ok((of_animation(animate, pictures)?, "image/gif")),
        Task::PdfCreate => Ok((of_pages(pictures)?, "application/pdf")),
        _ => Err(TransformError::Unsupported),
    }
}

fn of_collage(collage: &Collage, pictures: &[&[u8]]) -> Result<Vec<u8>, TransformError> {
    check_size(u64::from(collage.width), u64::from(collage.height))?;
    let mut canvas = RgbaImage::from_pixel(collage.width, collage.height, Rgba(collage.color.rgba));
    let rows = rows(pictures.len() as u32);
    let heights = shares(collage.height, rows.len() as u32, collage.margin)?;
    let mut rest = pictures.iter();
    for (count, (top, height)) in rows.into_iter().zip(heights) {
        for (left, width) in shares(collage.width, count, collage.margin)? {
            let Some(bytes) = rest.next() else { break };
            let mut picture = codec::decode(bytes)?;
            if collage.autorotate {
                picture.make_upright();
            }
            let size = Resize {
                width: Some(width),
                height: Some(height),
                fit: if collage.fills { Fit::Crop } else { Fit::Clip },
                align: Align::MIDDLE,
            };
            let fitted = geometry::resize(picture.image, &size)?;
            place(&mut canvas, &fitted, (left, top, width, height), Align::MIDDLE);
        }
    }
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgba8(canvas)
        .write_to(&mut bytes, ImageFormat::Png)
        .map_err(|_| TransformError::Invalid("The collage cannot be written in this size"))?;
    Ok(bytes.into_inner())
}

/// How many pictures each row has: as many rows as make the grid nearly square, the last one with what is left.
fn rows(count: u32) -> Vec<u32> {
    let columns = (1..).find(|side| side * side >= count).unwrap_or(1);
    let full = count / columns;
    let mut rows = vec![columns; full as usize];
    if !count.is_multiple_of(columns) {
        rows.push(count % columns);
    }
    rows
}

/// Cuts a length into so many parts with a margin around each: where each begins and how long it is.
fn shares(length: u32, count: u32, margin: u32) -> Result<Vec<(u32, u32)>, TransformError> {
    let free = length
        .checked_sub(margin * (count + 1))
        .filter(|free| *free >= count);
    let free = free.ok_or(TransformError::Invalid(
        "The collage is too small for its pictures and their margins",
    ))?;
    // The first ones take the pixels that do not divide.
    let start = |at: u32| margin * (at + 1) + free / count * at + at.min(free % count);
    Ok((0..count)
        .map(|at| (start(at), start(at + 1) - margin - start(at)))
        .collect())
}

/// Lays a picture into an area of the canvas that is at least as large.
fn place(canvas: &mut RgbaImage, picture: &DynamicImage, area: (u32, u32, u32, u32), align: Align) {
    let (left, top, width, height) = area;
    let (spare_x, spare_y) = (
        width.saturating_sub(picture.width()),
        height.saturating_sub(picture.height()),
    );
    let x = match align.horizontal {
        Horizontal::Left => 0,
        Horizontal::Center => spare_x / 2,
        Horizontal::Right => spare_x,
    };
    let y = match align.vertical {
        Vertical::Top => 0,
        Vertical::Middle => spare_y / 2,
        Vertical::Bottom => spare_y,
    };
    overlay(
        canvas,
        &picture.to_rgba8(),
        i64::from(left + x),
        i64::from(top + y),
    );
}

fn of_animation(animate: &Animate, pictures: &[&[u8]]) -> Result<Vec<u8>, TransformError> {
    let unwritten = |_| TransformError::Invalid("The animation cannot be written in this size");
    let first = pictures.first().ok_or(TransformError::Unsupported)?;
    let (width, height) = frame_size(animate, codec::dimensions(first)?);
    let pixels = u64::from(width) * u64::from(height);
    if pixels.saturating_mul(pictures.len() as u64) > MAX_PIXELS {
        return Err(TransformError::TooLarge(
            "The animation has more than 100000000 pixels in all its frames",
        ));
    }
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, width as u16, height as u16, &[]).map_err(unwritten)?;
    let repeat = match animate.repeats {
        0 => Repeat::Infinite,
        times => Repeat::Finite(times),
    };
    encoder.set_repeat(repeat).map_err(unwritten)?;
    for bytes in pictures {
        let mut picture = codec::decode(bytes)?;
        picture.make_upright();
        let size = Resize {
            width: Some(width),
            height: Some(height),
            fit: animate.fit,
            align: animate.align,
        };
        let fitted = geometry::resize(picture.image, &size)?;
        let mut canvas = RgbaImage::from_pixel(width, height, Rgba(animate.background.rgba));
        place(&mut canvas, &fitted, (0, 0, width, height), animate.align);
        let mut frame = Frame::from_rgba_speed(width as u16, height as u16, &mut canvas, GIF_SPEED);
        frame.delay = (animate.delay_ms / 10) as u16;
        // What is transparent shows the ground, not the frame before.
        frame.dispose = DisposalMethod::Background;
        encoder.write_frame(&frame).map_err(unwritten)?;
    }
    drop(encoder);
    Ok(bytes)
}

/// The size that is asked for; a side that is not follows the first picture.
fn frame_size(animate: &Animate, (wide, high): (u32, u32)) -> (u32, u32) {
    let follow = |side: u32, by: u32, of: u32| {
        let length = u64::from(side) * u64::from(by) / u64::from(of.max(1));
        length.clamp(1, u64::from(MAX_FRAME_SIDE)) as u32
    };
    match (animate.width, animate.height) {
        (Some(width), Some(height)) => (width, height),
        (Some(width), None) => (width, follow(width, high, wide)),
        (None, Some(height)) => (follow(height, wide, high), height),
        (None, None) if wide.max(high) <= MAX_FRAME_SIDE => (wide, high),
        (None, None) if wide >= high => (MAX_FRAME_SIDE, follow(MAX_FRAME_SIDE, high, wide)),
        (None, None) => (follow(MAX_FRAME_SIDE, wide, high), MAX_FRAME_SIDE),
    }
}

/// A page for each picture, as large as the picture at 72 pixels to the inch.
fn of_pages(pictures: &[&[u8]]) -> Result<Vec<u8>, TransformError> {
    let mut pdf = Pdf::default();
    let pages: Vec<usize> = (0..pictures.len()).map(|page| 3 + page * 3).collect();
    let kids: Vec<String> = pages.iter().map(|id| format!("{id} 0 R")).collect();
    pdf.object("<< /Type /Catalog /Pages 2 0 R >>", None);
    pdf.object(
        &format!(
            "<< /Type /Pages /Kids [{}] /Count {} >>",
            kids.join(" "),
            pages.len()
        ),
        None,
    );
    for (bytes, id) in pictures.iter().zip(pages) {
        let mut picture = codec::decode(bytes)?;
        picture.make_upright();
        let image = flattened(picture.image, Color::WHITE);
        let (width, height) = image.dimensions();
        let scale = f64::from(MAX_PAGE_POINTS) / f64::from(width.max(height).max(MAX_PAGE_POINTS));
        let points = |side: u32| format!("{:.2}", f64::from(side) * scale);
        let (wide, high) = (points(width), points(height));
        let page = format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {wide} {high}] /Contents {} 0 R \
             /Resources << /XObject << /Im0 {} 0 R >> >> >>",
            id + 1,
            id + 2,
        );
        pdf.object(&page, None);
        let drawing = format!("q {wide} 0 0 {high} 0 0 cm /Im0 Do Q");
        pdf.object(
            &format!("<< /Length {} >>", drawing.len()),
            Some(drawing.as_bytes()),
        );
        let packed = packed(image.as_raw());
        let head = format!(
            "<< /Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceRGB \
             /BitsPerComponent 8 /Filter /FlateDecode /Length {} >>",
            packed.len()
        );
        pdf.object(&head, Some(&packed));
    }
    Ok(pdf.finish())
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("writing into memory does not fail")
}

/// A PDF that is being written, object by object.
#[derive(Default)]
struct Pdf {
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl Pdf {
    fn object(&mut self, dictionary: &str, stream: Option<&[u8]>) {
        if self.bytes.is_empty() {
            // The second line says to programs that look at the first bytes only: this is not text.
            self.bytes.extend(b"%PDF-1.4\n%\xE2\xE3\xCF\xD3\n");
        }
        self.starts.push(self.bytes.len());
        let id = self.starts.len();
        self.bytes
            .extend(format!("{id} 0 obj\n{dictionary}\n").as_bytes());
        if let Some(stream) = stream {
            self.bytes.extend(b"stream\n");
            self.bytes.extend(stream);
            self.bytes.extend(b"\nendstream\n");
        }
        self.bytes.extend(b"endobj\n");
    }

    fn finish(mut self) -> Vec<u8> {
        let at = self.bytes.len();
        let count = self.starts.len() + 1;
        let mut end = format!("xref\n0 {count}\n0000000000 65535 f \n");
        for start in &self.starts {
            end.push_str(&format!("{start:010} 00000 n \n"));
        }
        end.push_str(&format!(
            "trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{at}\n%%EOF\n"
        ));
        self.bytes.extend(end.as_bytes());
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_make_the_grid_nearly_square() {
        for (count, wanted) in [
            (1, vec![1]),
            (2, vec![2]),
            (3, vec![2, 1]),
            (4, vec![2, 2]),
            (5, vec![3, 2]),
            (7, vec![3, 3, 1]),
        ] {
            assert_eq!(rows(count), wanted, "{count}");
        }
    }

    #[test]
    fn shares_and_margins_fill_the_length() {
        assert_eq!(shares(103, 3, 1).unwrap(), [(1, 33), (35, 33), (69, 33)]);
        assert_eq!(shares(104, 3, 1).unwrap(), [(1, 34), (36, 33), (70, 33)]);
        assert_eq!(shares(4, 1, 2).unwrap_err().status(), 400);
        assert_eq!(shares(5, 1, 2).unwrap(), [(2, 1)]);
    }
}
