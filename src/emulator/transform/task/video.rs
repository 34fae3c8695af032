//! `video_convert` (§6.7): what is asked for. Nothing is encoded here, so most of it only shows up in the report.

use serde::{Deserialize, Serialize};

use super::lacks;
use crate::emulator::transform::error::GrammarError;
use crate::emulator::transform::spec::CheckedArgs;

/// What film or sound to make.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Video {
    /// The kind of file, such as `h264` or `mp3`.
    pub preset: String,
    /// Try again what failed.
    #[serde(skip)]
    pub force: bool,
    /// Width in pixels.
    pub width: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
    /// Pictures in a second.
    pub fps: Option<u32>,
    /// kbit/s of the pictures.
    pub video_bitrate: Option<u32>,
    /// kbit/s of the sound.
    pub audio_bitrate: Option<u32>,
    /// Channels of the sound.
    pub audio_channels: Option<u32>,
    /// Samples in a second of the sound.
    pub audio_sample_rate: Option<u32>,
    /// The length to keep.
    pub clip_length: Option<String>,
    /// Where to begin.
    pub clip_offset: Option<String>,
    /// The new file's name without its ending.
    pub title: Option<String>,
    /// The new file's ending.
    pub extname: Option<String>,
    /// The new file's name.
    pub filename: Option<String>,
    /// The storage.
    pub location: Option<String>,
    /// The folder, or the key itself.
    pub path: Option<String>,
    /// The bucket.
    pub container: Option<String>,
    /// Everything else, as it was asked for: another wish is another conversion.
    pub others: Vec<(String, String)>,
}

/// Parameters that change the file at Filestack and nothing here.
const OTHERS: [&str; 14] = [
    "upscale",
    "aspect_mode",
    "two_pass",
    "keyframe_interval",
    "audio_codec",
    "watermark_url",
    "watermark_top",
    "watermark_right",
    "watermark_bottom",
    "watermark_left",
    "watermark_width",
    "watermark_height",
    "frame_count",
    "access",
];

impl Video {
    pub(super) fn of(args: &CheckedArgs) -> Result<Self, GrammarError> {
        let text = |name| args.text(name).filter(|text| !text.is_empty()).map(str::to_owned);
        let extname = text("extname");
        let is_ending = |text: &String| {
            let letters = text.strip_prefix('.').unwrap_or(text);
            (1..=10).contains(&letters.len()) && letters.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        if !extname.as_ref().is_none_or(is_ending) {
            return Err(lacks("video_convert", "`extname` is an ending such as .mp4"));
        }
        let others = OTHERS
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), args.shown(name)?)));
        Ok(Self {
            preset: args.word("preset").unwrap_or("h264").to_owned(),
            force: args.flag("force").unwrap_or(false),
            width: args.whole("width"),
            height: args.whole("height"),
            fps: args.whole("fps"),
            video_bitrate: args.whole("video_bitrate"),
            audio_bitrate: args.whole("audio_bitrate"),
            audio_channels: args.whole("audio_channels"),
            audio_sample_rate: args.whole("audio_sample_rate"),
            clip_length: text("clip_length"),
            clip_offset: text("clip_offset"),
            title: text("title"),
            extname,
            filename: text("filename"),
            location: args.word("location").map(str::to_owned),
            path: text("path"),
            container: text("container"),
            others: others.collect(),
        })
    }
}
