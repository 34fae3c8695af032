//! Carrying out the tasks of a path, left to right, on the bytes of a file (§6.1).
//!
//! A picture is decoded when the first task needs its pixels and written once at the end. When no task asks for anything
//! to change, or the change was only meant to save bytes and saves none, the file itself is the answer.

use std::borrow::Cow;
use std::fmt;

use serde_json::json;

use super::codec::{self, Encoding, MAX_INPUT_BYTES, Picture};
use super::color::Color;
use super::enhance::enhance;
use super::error::TransformError;
use super::format::Format;
use super::geometry;
use super::intelligence::{self, Question};
use super::join;
use super::task::{Enhance, Output, Quality, Rotate, Task};

/// The quality of a JPEG that is to be made smaller; Filestack does not publish its own.
const COMPRESSED_QUALITY: u8 = 80;
const DEFAULT_QUALITY: u8 = 95;
/// What `debug` says about results that only look like Filestack's.
const MADE_UP: &str = "The emulator makes these results up from the content's SHA-256: the same content has the same results, \
                       and they say nothing about what is really in it";

/// A file to work on.
#[derive(Clone, Copy)]
pub struct Content<'a> {
    /// Its content.
    pub bytes: &'a [u8],
    /// The stored content type, given back when the file does not change; what the file is, its bytes say.
    pub mimetype: &'a str,
}

/// What a transformation answers with.
#[derive(Clone, PartialEq)]
pub enum Reply {
    /// A file, changed or not.
    Image {
        /// Its content.
        bytes: Vec<u8>,
        /// Its content type.
        mimetype: String,
    },
    /// Facts about the file. The report of `debug` has `null` where only the routes know: `apikey`, `start_time`,
    /// `processing_time`, `source.url` and `task_uri`.
    Json(serde_json::Value),
}

impl fmt::Debug for Reply {
    /// Says how long a file is instead of writing it out: one line in a log, not a hundred megabytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image { bytes, mimetype } => write!(f, "Image({} bytes of {mimetype})", bytes.len()),
            Self::Json(value) => write!(f, "Json({value})"),
        }
    }
}

/// Carries out `tasks` on a file, or on several when one of the tasks takes them. Blocks, up to seconds for the largest
/// pictures.
///
/// `accepts_webp` is whether the client takes WebP, for `auto_image`.
///
/// # Errors
/// A [`TransformError`] knows the status and the text to answer with.
pub fn run(tasks: &[Task], files: &[Content<'_>], accepts_webp: bool) -> Result<Reply, TransformError> {
    let outcome = all(tasks, files, accepts_webp);
    match files.first() {
        Some(first) if tasks.contains(&Task::Debug) => Ok(Reply::Json(report(
            tasks,
            first.bytes,
            first.mimetype,
            outcome.err(),
        ))),
        _ => outcome,
    }
}

/// What comes before a task that makes one file of several is done to each, what comes after it to that one.
fn all(tasks: &[Task], files: &[Content<'_>], accepts_webp: bool) -> Result<Reply, TransformError> {
    let Some(at) = tasks.iter().position(Task::is_of_pictures) else {
        return match files {
            [file] => transform(tasks, file.bytes, file.mimetype, accepts_webp),
            _ => Err(TransformError::Unsupported),
        };
    };
    let (before, after) = (&tasks[..at], &tasks[at + 1..]);
    if after.iter().any(Task::is_of_pictures) {
        return Err(TransformError::Invalid(
            "Only one task can make one file of several",
        ));
    }
    let changed = files.iter().map(|file| {
        if before.iter().all(|task| *task == Task::Debug) {
            return Ok(Cow::Borrowed(file.bytes));
        }
        match transform(before, file.bytes, file.mimetype, accepts_webp)? {
            Reply::Image { bytes, .. } => Ok(Cow::Owned(bytes)),
            Reply::Json(_) => Err(TransformError::Unsupported),
        }
    });
    let mut whole: Vec<Cow<'_, [u8]>> = Vec::with_capacity(files.len());
    for bytes in changed {
        whole.push(bytes?);
        // All of them are in memory until they are one.
        if whole.iter().map(|bytes| bytes.len()).sum::<usize>() > MAX_INPUT_BYTES {
            return Err(TransformError::TooLarge(
                "The images together are larger than 256 MB",
            ));
        }
    }
    let pictures: Vec<&[u8]> = whole.iter().map(AsRef::as_ref).collect();
    let (bytes, mimetype) = join::join(&tasks[at], &pictures)?;
    transform(after, &bytes, mimetype, accepts_webp)
}

fn transform(
    tasks: &[Task],
    input: &[u8],
    mimetype: &str,
    accepts_webp: bool,
) -> Result<Reply, TransformError> {
    let mut chain = Chain {
        input,
        accepts_webp,
        picture: None,
        plan: Plan::default(),
    };
    for task in tasks {
        if let Task::Ask(question) = task {
            return chain.answered(*question, mimetype);
        }
        if let Some(facts) = chain.apply(task)? {
            return Ok(Reply::Json(facts));
        }
    }
    chain.finish(mimetype)
}

/// The report that `debug` asks for.
fn report(
    tasks: &[Task],
    input: &[u8],
    mimetype: &str,
    failure: Option<TransformError>,
) -> serde_json::Value {
    let (message, code) = match failure {
        Some(failure) => (failure.to_string(), failure.status()),
        None => ("OK".to_owned(), 200),
    };
    let chain: Vec<&str> = tasks
        .iter()
        .filter(|task| **task != Task::Debug)
        .map(Task::name)
        .collect();
    let made_up: Vec<&str> = tasks
        .iter()
        .filter(|task| task.is_made_up())
        .map(Task::name)
        .collect();
    let mut report = json!({
        "apikey": null,
        "status": { "message": message, "http_code": code },
        "start_time": null,
        "processing_time": null,
        "source": { "url": null, "mimetype": mimetype, "size": input.len() },
        "task_uri": null,
        "debug": true,
        "chain": chain,
    });
    if !made_up.is_empty() {
        report["made_up"] = json!({ "tasks": made_up, "note": MADE_UP });
    }
    report
}

/// How the answer is to be written, as far as the tasks have said.
struct Plan {
    /// Whether the file itself would not do.
    must_write: bool,
    /// Whether writing is worth it if the result is smaller.
    may_shrink: bool,
    format: Option<Format>,
    quality: u8,
    best_compression: bool,
    strip: bool,
    background: Color,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            must_write: false,
            may_shrink: false,
            format: None,
            quality: DEFAULT_QUALITY,
            best_compression: false,
            strip: false,
            background: Color::WHITE,
        }
    }
}

struct Chain<'a> {
    input: &'a [u8],
    accepts_webp: bool,
    picture: Option<Picture>,
    plan: Plan,
}

impl Chain<'_> {
    /// Carries out one task; an answer ends the chain.
    fn apply(&mut self, task: &Task) -> Result<Option<serde_json::Value>, TransformError> {
        match task {
            Task::Resize(size) => self.change(|image| geometry::resize(image, size))?,
            Task::Crop(area) => self.change(|image| geometry::crop(&image, area))?,
            Task::Rotate(turn) => self.rotate(turn)?,
            Task::Flip => self.change(|image| Ok(image.flipv()))?,
            Task::Flop => self.change(|image| Ok(image.fliph()))?,
            Task::Enhance(preset) => self.change(|image| Ok(enhance(image, *preset)))?,
            Task::Output(output) => self.output(output)?,
            Task::ImageSize => return self.size().map(Some),
            Task::AutoImage => self.auto_image()?,
            Task::NoMetadata => self.strip()?,
            Task::Quality(value) => self.quality(*value)?,
            Task::Compress { metadata } => self.compress(*metadata)?,
            Task::Cache(_)
            | Task::Debug
            | Task::Store(_)
            | Task::Fallback(_)
            | Task::Metadata(_)
            | Task::Zip
            | Task::Collage(_)
            | Task::Animate(_)
            | Task::PdfCreate
            | Task::TextSentiment(_)
            | Task::VideoConvert(_)
            | Task::VideoPlaylist
            | Task::RunWorkflow(_)
            | Task::WorkflowStatus(_)
            | Task::Ask(_) => {}
            Task::DocDetection { preprocess } => self.document(*preprocess)?,
            Task::NotYet(name) => return Err(TransformError::NotYet(name)),
        }
        Ok(None)
    }

    fn picture(&mut self) -> Result<&mut Picture, TransformError> {
        let picture = match self.picture.take() {
            Some(picture) => picture,
            None => codec::decode(self.input)?,
        };
        Ok(self.picture.insert(picture))
    }

    fn change(
        &mut self,
        change: impl FnOnce(image::DynamicImage) -> Result<image::DynamicImage, TransformError>,
    ) -> Result<(), TransformError> {
        let picture = self.picture()?;
        picture.image = change(std::mem::take(&mut picture.image))?;
        self.plan.must_write = true;
        Ok(())
    }

    fn rotate(&mut self, turn: &Rotate) -> Result<(), TransformError> {
        if turn.exif {
            self.picture()?.make_upright();
        }
        self.change(|image| geometry::rotate(image, turn))
    }

    fn output(&mut self, output: &Output) -> Result<(), TransformError> {
        Format::sniff(self.input)?;
        if let Some(name) = output.not_yet {
            return Err(TransformError::NotYet(name));
        }
        self.plan.must_write = true;
        self.plan.format = output.format.or(self.plan.format);
        self.plan.background = output.background;
        self.plan.best_compression |= output.compress;
        self.plan.strip |= output.strip;
        // How good a JPEG was is not written in it: the documented default stands for that too.
        self.plan.quality = match output.quality {
            Quality::Value(value) if !(output.compress && output.quality == Quality::DEFAULT) => value,
            Quality::Value(_) => COMPRESSED_QUALITY,
            Quality::Input => DEFAULT_QUALITY,
        };
        Ok(())
    }

    /// `{"height": …, "width": …}`; of a file nothing was done to, read from its header.
    fn size(&self) -> Result<serde_json::Value, TransformError> {
        let (width, height) = self.shown_size()?;
        Ok(json!({ "height": height, "width": width }))
    }

    fn auto_image(&mut self) -> Result<(), TransformError> {
        Format::sniff(self.input)?;
        if self.accepts_webp && self.plan.format.is_none() {
            self.plan.format = Some(Format::WebP);
            self.plan.must_write = true;
        }
        Ok(())
    }

    /// A GIF carries no EXIF data, and writing it again would cost its other frames.
    fn strip(&mut self) -> Result<(), TransformError> {
        self.plan.strip = true;
        self.plan.must_write |= Format::sniff(self.input)? != Format::Gif;
        Ok(())
    }

    /// For JPEG alone: our WebP has no quality, and the other formats have none anywhere.
    fn quality(&mut self, value: u8) -> Result<(), TransformError> {
        if Format::sniff(self.input)? == Format::Jpeg || self.plan.format == Some(Format::Jpeg) {
            self.plan.quality = value;
            self.plan.may_shrink = true;
        }
        Ok(())
    }

    fn compress(&mut self, keeps_metadata: bool) -> Result<(), TransformError> {
        let format = Format::sniff(self.input)?;
        if !matches!(format, Format::Jpeg | Format::Png) {
            return Ok(());
        }
        self.plan.may_shrink = true;
        self.plan.best_compression = true;
        self.plan.quality = self.plan.quality.min(COMPRESSED_QUALITY);
        if !keeps_metadata {
            self.plan.strip = true;
            // A smaller original would bring the metadata back.
            self.plan.must_write |= self.picture()?.exif.is_some();
        }
        Ok(())
    }

    /// Leaves only the document that a photograph shows.
    fn document(&mut self, preprocess: bool) -> Result<(), TransformError> {
        let area = intelligence::document(self.input, self.shown_size()?)?;
        self.change(|image| geometry::crop(&image, &area))?;
        if preprocess {
            self.change(|image| Ok(enhance(image, Enhance::Auto)))?;
        }
        Ok(())
    }

    fn shown_size(&self) -> Result<(u32, u32), TransformError> {
        match &self.picture {
            Some(picture) => Ok((picture.image.width(), picture.image.height())),
            None => codec::dimensions(self.input),
        }
    }

    /// What the tasks so far have made, looked at.
    fn answered(self, question: Question, mimetype: &str) -> Result<Reply, TransformError> {
        let size = self.shown_size().ok();
        if !self.plan.must_write && !self.plan.may_shrink {
            return intelligence::answer(question, self.input, mimetype, size).map(Reply::Json);
        }
        match self.finish(mimetype)? {
            Reply::Image { bytes, mimetype } => {
                intelligence::answer(question, &bytes, &mimetype, size).map(Reply::Json)
            }
            facts @ Reply::Json(_) => Ok(facts),
        }
    }

    fn finish(mut self, mimetype: &str) -> Result<Reply, TransformError> {
        if !self.plan.must_write && !self.plan.may_shrink {
            return Ok(Reply::Image {
                bytes: self.input.to_vec(),
                mimetype: mimetype.to_owned(),
            });
        }
        let format = match self.plan.format {
            Some(format) => format,
            None => Format::sniff(self.input)?,
        };
        self.picture()?;
        let picture = self.picture.ok_or(TransformError::Damaged)?;
        let bytes = picture.encode(Encoding {
            format,
            quality: self.plan.quality,
            best_compression: self.plan.best_compression,
            strip: self.plan.strip,
            background: self.plan.background,
        })?;
        if !self.plan.must_write && bytes.len() >= self.input.len() {
            return Ok(Reply::Image {
                bytes: self.input.to_vec(),
                mimetype: mimetype.to_owned(),
            });
        }
        Ok(Reply::Image {
            bytes,
            mimetype: format.mimetype().to_owned(),
        })
    }
}
