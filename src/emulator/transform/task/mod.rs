//! The tasks that are carried out, with their parameters typed and complete.

mod control;
mod pictures;
mod video;

pub use control::{Cache, Fallback, Store};
pub use video::Video;

use super::color::Color;
use super::error::GrammarError;
use super::format::Format;
use super::intelligence::{Question, Sentiment};
use super::scan::RawTask;
use super::spec;

/// One step of a transformation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Change the size.
    Resize(Resize),
    /// Cut a piece out.
    Crop(Crop),
    /// Turn.
    Rotate(Rotate),
    /// Mirror top to bottom.
    Flip,
    /// Mirror left to right.
    Flop,
    /// Improve colours and contrast.
    Enhance(Enhance),
    /// Change the file format.
    Output(Output),
    /// Answer with the size, as JSON.
    ImageSize,
    /// Answer in WebP if the client takes it.
    AutoImage,
    /// Leave out what cameras write beside the picture.
    NoMetadata,
    /// Trade quality for size, 1 to 100.
    Quality(u8),
    /// Make the file smaller.
    Compress {
        /// Keep the metadata.
        metadata: bool,
    },
    /// How long the answer may be kept; for the routes.
    Cache(Cache),
    /// Answer with a report on the transformation, as JSON.
    Debug,
    /// Keep the result as a new file and answer with what is known about it; for the routes.
    Store(Store),
    /// What to send when the source fails; for the routes.
    Fallback(Fallback),
    /// Facts about the file by these names, or the usual ones for none; for the routes.
    Metadata(Vec<&'static str>),
    /// Several files in one; for the routes.
    Zip,
    /// Several pictures in one.
    Collage(Collage),
    /// Several pictures one after the other.
    Animate(Animate),
    /// Several pictures, each on a page.
    PdfCreate,
    /// Answer with what is in the file, as JSON.
    Ask(Question),
    /// Find the document in a photograph and leave the rest off.
    DocDetection {
        /// Improve what is left.
        preprocess: bool,
    },
    /// Answer with the mood of a text; no source.
    TextSentiment(Sentiment),
    /// Convert film or sound; for the routes.
    VideoConvert(Box<Video>),
    /// The playlist of a converted film; for the routes.
    VideoPlaylist,
    /// Run the workflow with this id; for the routes.
    RunWorkflow(String),
    /// How far the run with this id is; for the routes, no source.
    WorkflowStatus(String),
    /// Documented by Filestack, not done here: its name.
    NotYet(&'static str),
}

/// Pictures side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collage {
    /// Handles of pictures besides the sources.
    pub files: Vec<String>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Pixels around each picture.
    pub margin: u32,
    /// What shows between them.
    pub color: Color,
    /// Whether each picture fills its place and loses what is too much.
    pub fills: bool,
    /// Whether each is turned as the camera noted.
    pub autorotate: bool,
}

/// Pictures one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Animate {
    /// How long each is shown, in milliseconds; a GIF counts hundredths.
    pub delay_ms: u32,
    /// How often it is repeated; 0 is for ever.
    pub repeats: u16,
    /// Width in pixels; as the first picture's otherwise.
    pub width: Option<u32>,
    /// Height in pixels; as the first picture's otherwise.
    pub height: Option<u32>,
    /// What to do when the ratio differs.
    pub fit: Fit,
    /// Which part of a picture, or of the frame around it.
    pub align: Align,
    /// What shows around a picture.
    pub background: Color,
}

/// The size a picture is brought to; at least one side is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resize {
    /// Width in pixels.
    pub width: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
    /// What to do when the ratio differs.
    pub fit: Fit,
    /// Which part stays with [`Fit::Crop`].
    pub align: Align,
}

/// What happens when a picture and the box asked for have different ratios.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Inside the box, keeping the ratio.
    Clip,
    /// Fill the box, cut off what is too much.
    Crop,
    /// Exactly the box, stretched.
    Scale,
    /// As [`Fit::Clip`], but never larger than it was.
    Max,
}

/// The part of a picture that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Align {
    /// From left to right.
    pub horizontal: Horizontal,
    /// From top to bottom.
    pub vertical: Vertical,
}

impl Align {
    /// The middle in both directions.
    pub const MIDDLE: Self = Self {
        horizontal: Horizontal::Center,
        vertical: Vertical::Middle,
    };
}

/// A place from left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Horizontal {
    /// The left edge.
    Left,
    /// The middle.
    Center,
    /// The right edge.
    Right,
}

/// A place from top to bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vertical {
    /// The top edge.
    Top,
    /// The middle.
    Middle,
    /// The bottom edge.
    Bottom,
}

/// The piece that is cut out; what lies outside the picture is left off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crop {
    /// Left edge.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// How a picture is turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotate {
    /// First turn it upright, as the camera noted.
    pub exif: bool,
    /// Then turn it clockwise by so many degrees, 0 to 359.
    pub degrees: u16,
    /// What the corners are filled with.
    pub background: Color,
}

/// A quarter turn, which moves pixels without changing them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Not at all.
    None,
    /// 90 degrees clockwise.
    Quarter,
    /// 180 degrees.
    Half,
    /// 270 degrees clockwise.
    ThreeQuarters,
}

impl Rotate {
    /// The turn, if it is one of whole quarters.
    pub fn turn(&self) -> Option<Turn> {
        match self.degrees {
            0 => Some(Turn::None),
            90 => Some(Turn::Quarter),
            180 => Some(Turn::Half),
            270 => Some(Turn::ThreeQuarters),
            _ => None,
        }
    }
}

/// What the picture is improved for. Filestack does not say what its presets do; ours are made up, mild and repeatable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enhance {
    /// Contrast.
    Auto,
    /// Contrast and stronger colours; also `outdoor` and `fireworks`.
    Vivid,
    /// A little brighter; also `beautify_plus`.
    Beautify,
    /// Brighter where it is dark.
    FixDark,
    /// Contrast in each colour by itself, which removes a tint.
    FixTint,
    /// As it is; noise is not removed here.
    FixNoise,
}

/// What file to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output {
    /// The format; without it, the source's.
    pub format: Option<Format>,
    /// The quality of a JPEG.
    pub quality: Quality,
    /// Spend time on a smaller file.
    pub compress: bool,
    /// Leave out the metadata.
    pub strip: bool,
    /// What stands behind transparent pixels in a format without transparency.
    pub background: Color,
    /// A format or answer that is documented and not made here.
    pub not_yet: Option<&'static str>,
}

/// The quality of a lossy format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    /// 1 to 100.
    Value(u8),
    /// As good as it was.
    Input,
}

impl Quality {
    /// What Filestack documents for `output`.
    pub const DEFAULT: Self = Self::Value(95);
}

impl Task {
    pub(super) fn from_raw(raw: RawTask) -> Result<Self, GrammarError> {
        let args = spec::check(raw)?;
        Ok(match args.task {
            "resize" => Self::Resize(pictures::resize(&args)?),
            "crop" => Self::Crop(pictures::crop(&args)?),
            "rotate" => Self::Rotate(pictures::rotate(&args)?),
            "flip" => Self::Flip,
            "flop" => Self::Flop,
            "enhance" => Self::Enhance(pictures::enhance(&args)),
            "output" => Self::Output(pictures::output(&args)),
            "imagesize" => Self::ImageSize,
            "auto_image" => Self::AutoImage,
            "no_metadata" => Self::NoMetadata,
            "quality" => Self::Quality(pictures::percent(
                args.whole("value").ok_or_else(|| lacks("quality", "a value"))?,
            )),
            "compress" => Self::Compress {
                metadata: args.flag("metadata").unwrap_or(false),
            },
            "cache" => Self::Cache(control::cache(&args)),
            "debug" => Self::Debug,
            "store" => Self::Store(control::store(&args)?),
            "fallback" => Self::Fallback(control::fallback(&args)?),
            "metadata" => Self::Metadata(args.words("fields").to_vec()),
            "zip" => Self::Zip,
            "collage" => Self::Collage(pictures::collage(&args)?),
            "animate" => Self::Animate(pictures::animate(&args)?),
            "pdfcreate" => Self::PdfCreate,
            "tags" => Self::Ask(Question::Tags {
                version: args.whole("version").unwrap_or(2),
            }),
            "sfw" => Self::Ask(Question::Sfw),
            "caption" => Self::Ask(Question::Caption),
            "ocr" => Self::Ask(Question::Ocr),
            "copyright" => Self::Ask(Question::Copyright),
            "image_sentiment" => Self::Ask(Question::ImageSentiment),
            "doc_detection" if args.flag("coords") == Some(true) => Self::Ask(Question::Document),
            "doc_detection" => Self::DocDetection {
                preprocess: args.flag("preprocess").unwrap_or(true),
            },
            "text_sentiment" => Self::TextSentiment(Sentiment {
                text: args.text("text").unwrap_or_default().to_owned(),
                language: args.word("language").unwrap_or("auto"),
            }),
            "video_convert" => Self::VideoConvert(Box::new(Video::of(&args)?)),
            "video_playlist" => Self::VideoPlaylist,
            "run_workflow" => Self::RunWorkflow(args.text("id").unwrap_or_default().to_owned()),
            "workflow_status" => {
                let job = args.text("job_id").or(args.text("id"));
                Self::WorkflowStatus(job.unwrap_or_default().to_owned())
            }
            name => Self::NotYet(name),
        })
    }

    /// Whether the task works on its own parameters instead of a file.
    pub(super) fn needs_no_source(&self) -> bool {
        matches!(
            self,
            Self::TextSentiment(_) | Self::WorkflowStatus(_) | Self::Collage(_)
        )
    }

    /// The task's name in paths.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Resize(_) => "resize",
            Self::Crop(_) => "crop",
            Self::Rotate(_) => "rotate",
            Self::Flip => "flip",
            Self::Flop => "flop",
            Self::Enhance(_) => "enhance",
            Self::Output(_) => "output",
            Self::ImageSize => "imagesize",
            Self::AutoImage => "auto_image",
            Self::NoMetadata => "no_metadata",
            Self::Quality(_) => "quality",
            Self::Compress { .. } => "compress",
            Self::Cache(_) => "cache",
            Self::Debug => "debug",
            Self::Store(_) => "store",
            Self::Fallback(_) => "fallback",
            Self::Metadata(_) => "metadata",
            Self::Zip => "zip",
            Self::Collage(_) => "collage",
            Self::Animate(_) => "animate",
            Self::PdfCreate => "pdfcreate",
            Self::Ask(question) => question.task(),
            Self::DocDetection { .. } => "doc_detection",
            Self::TextSentiment(_) => "text_sentiment",
            Self::VideoConvert(_) => "video_convert",
            Self::VideoPlaylist => "video_playlist",
            Self::RunWorkflow(_) => "run_workflow",
            Self::WorkflowStatus(_) => "workflow_status",
            Self::NotYet(name) => name,
        }
    }

    /// Whether it makes one file of several (§4).
    pub fn takes_several(&self) -> bool {
        *self == Self::Zip || self.is_of_pictures()
    }

    /// Whether it makes one file of several pictures.
    pub(super) fn is_of_pictures(&self) -> bool {
        matches!(self, Self::Collage(_) | Self::Animate(_) | Self::PdfCreate)
    }

    /// Whether its result is made up here, if the same for the same file every time (§6.7, §6.8); of a workflow, that of
    /// the steps that are such tasks (§8).
    pub fn is_made_up(&self) -> bool {
        matches!(
            self,
            Self::Ask(_)
                | Self::DocDetection { .. }
                | Self::TextSentiment(_)
                | Self::VideoConvert(_)
                | Self::RunWorkflow(_)
        )
    }

    /// Whether it is one of the tasks that need a policy on every application (§2.4).
    pub fn is_intelligence(&self) -> bool {
        matches!(
            self,
            Self::Ask(_) | Self::DocDetection { .. } | Self::TextSentiment(_)
        )
    }
}

fn lacks(task: &'static str, reason: &'static str) -> GrammarError {
    GrammarError::InvalidTask { task, reason }
}
