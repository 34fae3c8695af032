//! Tasks that move pixels: resize, crop and rotate (§6.2).

use fast_image_resize::{ResizeOptions, Resizer};
use image::{DynamicImage, Rgba, RgbaImage};

use super::codec::check_size;
use super::color::Color;
use super::error::TransformError;
use super::task::{Align, Crop, Fit, Horizontal, Resize, Rotate, Turn, Vertical};

/// Brings a picture to the size asked for.
pub(super) fn resize(image: DynamicImage, task: &Resize) -> Result<DynamicImage, TransformError> {
    let (width, height) = target_size((image.width(), image.height()), task);
    check_size(width, height)?;
    let (width, height) = (side(width)?, side(height)?);
    if (width, height) == (image.width(), image.height()) {
        return Ok(image);
    }
    let mut options = ResizeOptions::new();
    if task.fit == Fit::Crop {
        let (left, top, wide, high) =
            filling_part((image.width(), image.height()), (width, height), task.align);
        options = options.crop(left, top, wide, high);
    }
    let mut resized = DynamicImage::new(width, height, image.color());
    Resizer::new()
        .resize(&image, &mut resized, &options)
        .map_err(|_| TransformError::Invalid("The image cannot be brought to this size"))?;
    Ok(resized)
}

fn side(pixels: u64) -> Result<u32, TransformError> {
    u32::try_from(pixels).map_err(|_| TransformError::TooLarge("The image has more than 100000000 pixels"))
}

fn target_size((from_width, from_height): (u32, u32), task: &Resize) -> (u64, u64) {
    let (wide, high) = (f64::from(from_width), f64::from(from_height));
    let by_width = task.width.map(|width| f64::from(width) / wide);
    let by_height = task.height.map(|height| f64::from(height) / high);
    let both = task.width.zip(task.height);
    if let (Some((width, height)), Fit::Crop | Fit::Scale) = (both, task.fit) {
        return (u64::from(width), u64::from(height));
    }
    let mut scale = by_width
        .unwrap_or(f64::INFINITY)
        .min(by_height.unwrap_or(f64::INFINITY));
    if task.fit == Fit::Max || !scale.is_finite() {
        scale = scale.min(1.0);
    }
    let scaled = |length: f64| (length * scale).round().max(1.0) as u64;
    (scaled(wide), scaled(high))
}

/// The largest part with the ratio of the target: left, top, width and height, in fractions of pixels.
fn filling_part(from: (u32, u32), to: (u32, u32), align: Align) -> (f64, f64, f64, f64) {
    let (wide, high) = (f64::from(from.0), f64::from(from.1));
    let scale = (f64::from(to.0) / wide).max(f64::from(to.1) / high);
    let part_wide = (f64::from(to.0) / scale).min(wide);
    let part_high = (f64::from(to.1) / scale).min(high);
    let left = match align.horizontal {
        Horizontal::Left => 0.0,
        Horizontal::Center => (wide - part_wide) / 2.0,
        Horizontal::Right => wide - part_wide,
    };
    let top = match align.vertical {
        Vertical::Top => 0.0,
        Vertical::Middle => (high - part_high) / 2.0,
        Vertical::Bottom => high - part_high,
    };
    (left, top, part_wide, part_high)
}

/// Cuts a piece out; what lies outside the picture is left off.
pub(super) fn crop(image: &DynamicImage, task: &Crop) -> Result<DynamicImage, TransformError> {
    if task.x >= image.width() || task.y >= image.height() {
        return Err(TransformError::Invalid("The area to crop lies outside the image"));
    }
    let width = task.width.min(image.width() - task.x);
    let height = task.height.min(image.height() - task.y);
    Ok(image.crop_imm(task.x, task.y, width, height))
}

/// Turns a picture clockwise; the canvas grows to hold all of it. The camera's note is the caller's business.
pub(super) fn rotate(image: DynamicImage, task: &Rotate) -> Result<DynamicImage, TransformError> {
    match task.turn() {
        Some(Turn::None) => Ok(image),
        Some(Turn::Quarter) => Ok(image.rotate90()),
        Some(Turn::Half) => Ok(image.rotate180()),
        Some(Turn::ThreeQuarters) => Ok(image.rotate270()),
        None => rotate_freely(image, task),
    }
}

fn rotate_freely(image: DynamicImage, task: &Rotate) -> Result<DynamicImage, TransformError> {
    let stays_opaque = !image.color().has_alpha() && task.background.rgba[3] == 255;
    let (sin, cos) = f64::from(task.degrees).to_radians().sin_cos();
    let (wide, high) = (f64::from(image.width()), f64::from(image.height()));
    // A hair less than the ceiling, so that rounding errors do not add an empty row.
    let canvas = |along: f64, across: f64| (along.abs() + across.abs() - 1e-6).ceil().max(1.0) as u64;
    let (width, height) = (canvas(wide * cos, high * sin), canvas(wide * sin, high * cos));
    check_size(width, height)?;
    let (width, height) = (side(width)?, side(height)?);
    let source = image.into_rgba8();
    let turned = RgbaImage::from_fn(width, height, |x, y| {
        // From the centre of the canvas back to the place in the picture that lands here.
        let (dx, dy) = (
            f64::from(x) + 0.5 - f64::from(width) / 2.0,
            f64::from(y) + 0.5 - f64::from(height) / 2.0,
        );
        let from_x = dx * cos + dy * sin + wide / 2.0 - 0.5;
        let from_y = dy * cos - dx * sin + high / 2.0 - 0.5;
        sample(&source, from_x, from_y, task.background)
    });
    let turned = DynamicImage::ImageRgba8(turned);
    Ok(if stays_opaque {
        turned.into_rgb8().into()
    } else {
        turned
    })
}

/// The colour between four pixels, weighed by nearness and opacity; outside the picture is background.
fn sample(image: &RgbaImage, x: f64, y: f64, background: Color) -> Rgba<u8> {
    let (left, top) = (x.floor(), y.floor());
    let mut sum = [0.0; 4];
    for (column, row) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
        let (at_x, at_y) = (left + column, top + row);
        let weight = (1.0 - (x - at_x).abs()) * (1.0 - (y - at_y).abs());
        let inside =
            at_x >= 0.0 && at_y >= 0.0 && at_x < f64::from(image.width()) && at_y < f64::from(image.height());
        let rgba = if inside {
            image.get_pixel(at_x as u32, at_y as u32).0
        } else {
            background.rgba
        };
        let opacity = weight * f64::from(rgba[3]);
        for channel in 0..3 {
            sum[channel] += opacity * f64::from(rgba[channel]);
        }
        sum[3] += opacity;
    }
    let level = |channel: usize| {
        if sum[3] > 0.0 {
            (sum[channel] / sum[3]).round() as u8
        } else {
            0
        }
    };
    Rgba([level(0), level(1), level(2), sum[3].round() as u8])
}
