//! Improving colours (§6.4). Filestack does not publish what `enhance` does: this is made up, mild, and the same every time.
//!
//! The levels are stretched until a hundredth of the pixels is black and a hundredth white, half of the way; a preset adds
//! brightness or colour to that.

use image::DynamicImage;

use super::task::Enhance;

/// The share of pixels that may become black, and the same share white.
const CLIPPED_SHARE: f64 = 0.01;
/// How far from the picture as it was to the full stretch.
const STRENGTH: f64 = 0.5;
/// Levels closer together than this are a plain surface, which stays as it is.
const LEAST_RANGE: f64 = 16.0;

type Histogram = [u64; 256];
type Curve = [u8; 256];

/// Improves a picture; opacity stays as it is.
pub(super) fn enhance(image: DynamicImage, preset: Enhance) -> DynamicImage {
    let (gamma, saturation) = match preset {
        Enhance::FixNoise => return image,
        Enhance::Auto | Enhance::FixTint => (1.0, 1.0),
        Enhance::Vivid => (1.0, 1.25),
        Enhance::Beautify => (0.92, 1.05),
        Enhance::FixDark => (0.75, 1.0),
    };
    let has_alpha = image.color().has_alpha();
    let mut image = image.into_rgba8();
    let histograms = histograms(image.pixels().map(|pixel| pixel.0));
    let curves: [Curve; 3] = if preset == Enhance::FixTint {
        [0, 1, 2].map(|channel| curve(&histograms[channel], gamma))
    } else {
        [curve(&sum(&histograms), gamma); 3]
    };
    for pixel in image.pixels_mut() {
        let [red, green, blue, alpha] = pixel.0;
        let rgb = [
            curves[0][usize::from(red)],
            curves[1][usize::from(green)],
            curves[2][usize::from(blue)],
        ];
        let [red, green, blue] = saturated(rgb, saturation);
        pixel.0 = [red, green, blue, alpha];
    }
    let image = DynamicImage::ImageRgba8(image);
    if has_alpha {
        image
    } else {
        image.into_rgb8().into()
    }
}

/// How often each level occurs in red, green and blue, transparent pixels aside.
fn histograms(pixels: impl Iterator<Item = [u8; 4]>) -> [Histogram; 3] {
    let mut counts = [[0; 256]; 3];
    for rgba in pixels.filter(|rgba| rgba[3] > 0) {
        for channel in 0..3 {
            counts[channel][usize::from(rgba[channel])] += 1;
        }
    }
    counts
}

fn sum(histograms: &[Histogram; 3]) -> Histogram {
    std::array::from_fn(|level| histograms.iter().map(|histogram| histogram[level]).sum())
}

/// What each level becomes.
fn curve(histogram: &Histogram, gamma: f64) -> Curve {
    let total: u64 = histogram.iter().sum();
    let clipped = (total as f64 * CLIPPED_SHARE) as u64;
    let mut seen = 0;
    let low = (0..255).find(|level| {
        seen += histogram[*level];
        seen > clipped
    });
    let mut seen = 0;
    let high = (1..256).rev().find(|level| {
        seen += histogram[*level];
        seen > clipped
    });
    let (low, high) = (low.unwrap_or(0) as f64, high.unwrap_or(255) as f64);
    let range = high - low;
    std::array::from_fn(|level| {
        let level = level as f64;
        let stretched = if range < LEAST_RANGE {
            level
        } else {
            (level - low) / range * 255.0
        };
        let mixed = level + (stretched.clamp(0.0, 255.0) - level) * STRENGTH;
        ((mixed / 255.0).powf(gamma) * 255.0).round() as u8
    })
}

/// Moves the channels away from their grey.
fn saturated(rgb: [u8; 3], factor: f64) -> [u8; 3] {
    let [red, green, blue] = rgb.map(f64::from);
    let gray = 0.299 * red + 0.587 * green + 0.114 * blue;
    [red, green, blue].map(|level| (gray + (level - gray) * factor).round().clamp(0.0, 255.0) as u8)
}
