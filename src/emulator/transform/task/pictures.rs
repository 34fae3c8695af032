//! Reading the parameters of tasks that change a picture.

use super::{
    Align, Animate, Collage, Crop, Enhance, Fit, Horizontal, Output, Quality, Resize, Rotate, Vertical, lacks,
};
use crate::emulator::transform::color::Color;
use crate::emulator::transform::error::GrammarError;
use crate::emulator::transform::format::Format;
use crate::emulator::transform::grammar::MAX_SOURCES;
use crate::emulator::transform::spec::CheckedArgs;

/// A number whose description keeps it within 0 to 100.
pub(super) fn percent(number: u32) -> u8 {
    number.min(100) as u8
}

pub(super) fn resize(args: &CheckedArgs) -> Result<Resize, GrammarError> {
    // The JS SDK lets 0 pass; it can only mean "not given".
    let side = |name| args.whole(name).filter(|pixels| *pixels > 0);
    let (width, height) = (side("width"), side("height"));
    if width.is_none() && height.is_none() {
        return Err(lacks("resize", "it needs `width`, `height` or both"));
    }
    Ok(Resize {
        width,
        height,
        fit: fit(args),
        align: align("resize", args.words("align"))?,
    })
}

fn fit(args: &CheckedArgs) -> Fit {
    match args.word("fit") {
        Some("crop") => Fit::Crop,
        Some("scale") => Fit::Scale,
        Some("max") => Fit::Max,
        _ => Fit::Clip,
    }
}

/// There are no faces to be found here: `faces` is the middle.
fn align(task: &'static str, words: &[&'static str]) -> Result<Align, GrammarError> {
    let (mut horizontal, mut vertical) = (None, None);
    for word in words {
        let repeated = match *word {
            "left" => horizontal.replace(Horizontal::Left).is_some(),
            "right" => horizontal.replace(Horizontal::Right).is_some(),
            "top" => vertical.replace(Vertical::Top).is_some(),
            "bottom" => vertical.replace(Vertical::Bottom).is_some(),
            _ => false,
        };
        if repeated {
            return Err(lacks(task, "the two words of `align` contradict each other"));
        }
    }
    Ok(Align {
        horizontal: horizontal.unwrap_or(Horizontal::Center),
        vertical: vertical.unwrap_or(Vertical::Middle),
    })
}

pub(super) fn crop(args: &CheckedArgs) -> Result<Crop, GrammarError> {
    let [x, y, width, height] = args
        .wholes("dim")
        .ok_or_else(|| lacks("crop", "it needs `dim`"))?;
    Ok(Crop { x, y, width, height })
}

pub(super) fn rotate(args: &CheckedArgs) -> Result<Rotate, GrammarError> {
    let exif = args.flag("exif").unwrap_or(false) || args.word("deg").is_some();
    if !exif && args.whole("deg").is_none() {
        return Err(lacks("rotate", "it needs `deg` or `exif`"));
    }
    let degrees = args.whole("deg").unwrap_or(0).min(359) as u16;
    Ok(Rotate {
        exif,
        degrees,
        background: args.color("background").unwrap_or(Color::WHITE),
    })
}

pub(super) fn enhance(args: &CheckedArgs) -> Enhance {
    match args.word("preset") {
        Some("vivid" | "outdoor" | "fireworks") => Enhance::Vivid,
        Some("beautify" | "beautify_plus") => Enhance::Beautify,
        Some("fix_dark") => Enhance::FixDark,
        Some("fix_tint") => Enhance::FixTint,
        Some("fix_noise") => Enhance::FixNoise,
        _ => Enhance::Auto,
    }
}

pub(super) fn output(args: &CheckedArgs) -> Output {
    let (format, other) = match args.word("format") {
        Some("jpg") => (Some(Format::Jpeg), None),
        Some("png") => (Some(Format::Png), None),
        Some("webp") => (Some(Format::WebP), None),
        Some("gif") => (Some(Format::Gif), None),
        other => (None, other),
    };
    let docinfo = args.flag("docinfo").filter(|asked| *asked).map(|_| "docinfo");
    let quality = match (args.whole("quality"), args.word("quality")) {
        (Some(value), _) => Quality::Value(percent(value)),
        (None, Some(_)) => Quality::Input,
        (None, None) => Quality::DEFAULT,
    };
    Output {
        format,
        quality,
        compress: args.flag("compress").unwrap_or(false),
        strip: args.flag("strip").unwrap_or(false),
        background: args.color("background").unwrap_or(Color::WHITE),
        not_yet: docinfo.or(other),
    }
}

/// `files` may be left out when the source is a list (§4); whether there is any picture at all, the routes see.
pub(super) fn collage(args: &CheckedArgs) -> Result<Collage, GrammarError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let files = args.texts("files").to_vec();
    if files.len() > MAX_SOURCES {
        return Err(lacks("collage", "it takes at most 100 `files`"));
    }
    if !files
        .iter()
        .all(|file| !file.is_empty() && file.bytes().all(plain))
    {
        return Err(lacks("collage", "its `files` must be handles"));
    }
    let side = |name| args.whole(name).filter(|pixels| *pixels > 0);
    let sides = side("width").zip(side("height"));
    let (width, height) = sides.ok_or_else(|| lacks("collage", "it needs `width` and `height`"))?;
    Ok(Collage {
        files,
        width,
        height,
        margin: args.whole("margin").unwrap_or(10),
        color: args.color("color").unwrap_or(Color::WHITE),
        fills: args.word("fit") == Some("crop"),
        autorotate: args.flag("autorotate").unwrap_or(false),
    })
}

pub(super) fn animate(args: &CheckedArgs) -> Result<Animate, GrammarError> {
    Ok(Animate {
        delay_ms: args.whole("delay").unwrap_or(1_000),
        // Its description keeps it within 1000.
        repeats: args.whole("loop").unwrap_or(0).min(1_000) as u16,
        width: args.whole("width"),
        height: args.whole("height"),
        fit: fit(args),
        align: align("animate", args.words("align"))?,
        background: args.color("background").unwrap_or(Color::TRANSPARENT),
    })
}
