//! Formats and pages.

use super::adjust::Color;
use super::{Task, Value, within};
use crate::filestack::error::FilestackError;

/// A file format to convert to. What can become what is in Filestack's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Word 97.
    Doc,
    /// Word.
    Docx,
    /// HTML.
    Html,
    /// JPEG.
    Jpg,
    /// OpenDocument presentation.
    Odp,
    /// OpenDocument spreadsheet.
    Ods,
    /// OpenDocument text.
    Odt,
    /// JPEG that sharpens while it loads.
    ProgressiveJpg,
    /// PDF.
    Pdf,
    /// PNG.
    Png,
    /// PowerPoint 97.
    Ppt,
    /// PowerPoint.
    Pptx,
    /// SVG.
    Svg,
    /// Plain text.
    Txt,
    /// WebP.
    Webp,
    /// Excel 97.
    Xls,
    /// Excel.
    Xlsx,
}

impl Format {
    fn as_str(self) -> &'static str {
        match self {
            Self::Doc => "doc",
            Self::Docx => "docx",
            Self::Html => "html",
            Self::Jpg => "jpg",
            Self::Odp => "odp",
            Self::Ods => "ods",
            Self::Odt => "odt",
            Self::ProgressiveJpg => "pjpg",
            Self::Pdf => "pdf",
            Self::Png => "png",
            Self::Ppt => "ppt",
            Self::Pptx => "pptx",
            Self::Svg => "svg",
            Self::Txt => "txt",
            Self::Webp => "webp",
            Self::Xls => "xls",
            Self::Xlsx => "xlsx",
        }
    }
}

/// How colours are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colorspace {
    /// For screens.
    Rgb,
    /// For print.
    Cmyk,
    /// As in the source.
    Input,
}

impl Colorspace {
    fn as_str(self) -> &'static str {
        match self {
            Self::Rgb => "rgb",
            Self::Cmyk => "cmyk",
            Self::Input => "input",
        }
    }
}

/// The size of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageFormat {
    /// ISO A2.
    A2,
    /// ISO A3.
    A3,
    /// ISO A4.
    A4,
    /// ISO A5.
    A5,
    /// ISO B4.
    B4,
    /// ISO B5.
    B5,
    /// US letter.
    Letter,
    /// US legal.
    Legal,
    /// US tabloid.
    Tabloid,
}

impl PageFormat {
    fn as_str(self) -> &'static str {
        match self {
            Self::A2 => "a2",
            Self::A3 => "a3",
            Self::A4 => "a4",
            Self::A5 => "a5",
            Self::B4 => "b4",
            Self::B5 => "b5",
            Self::Letter => "letter",
            Self::Legal => "legal",
            Self::Tabloid => "tabloid",
        }
    }
}

/// Which way a page lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageOrientation {
    /// Wide.
    Landscape,
    /// High.
    Portrait,
}

impl PageOrientation {
    fn as_str(self) -> &'static str {
        match self {
            Self::Landscape => "landscape",
            Self::Portrait => "portrait",
        }
    }
}

/// A conversion to another format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    task: Task,
}

impl Output {
    /// In this format.
    pub fn to(format: Format) -> Self {
        Self {
            task: Task::new("output").with("format", format.as_str()),
        }
    }

    /// Not the file but what there is to know about a document: its number of pages and their size, as JSON.
    pub fn doc_info() -> Self {
        Self {
            task: Task::new("output").with("docinfo", true),
        }
    }

    /// Only this page.
    ///
    /// # Errors
    /// [`FilestackError::Invalid`] outside 1 to 10,000.
    pub fn page(self, page: u32) -> Result<Self, FilestackError> {
        Ok(self.with("page", within("the page", page, 1..=10_000)?))
    }

    /// Dots per inch when a document becomes a picture.
    ///
    /// # Errors
    /// [`FilestackError::Invalid`] outside 1 to 500.
    pub fn density(self, density: u32) -> Result<Self, FilestackError> {
        Ok(self.with("density", within("the density", density, 1..=500)?))
    }

    /// How good a picture looks, and how large it is.
    ///
    /// # Errors
    /// [`FilestackError::Invalid`] outside 1 to 100.
    pub fn quality(self, quality: u32) -> Result<Self, FilestackError> {
        Ok(self.with("quality", within("the quality", quality, 1..=100)?))
    }

    /// As good as the source.
    #[must_use]
    pub fn quality_of_input(self) -> Self {
        self.with("quality", "input")
    }

    /// Without loss, but smaller.
    #[must_use]
    pub fn compress(self, compress: bool) -> Self {
        self.with("compress", compress)
    }

    /// Without the tags of HTML and SVG that can do harm.
    #[must_use]
    pub fn secure(self, secure: bool) -> Self {
        self.with("secure", secure)
    }

    /// Without metadata.
    #[must_use]
    pub fn strip(self, strip: bool) -> Self {
        self.with("strip", strip)
    }

    /// With colours written this way.
    #[must_use]
    pub fn colorspace(self, colorspace: Colorspace) -> Self {
        self.with("colorspace", colorspace.as_str())
    }

    /// In front of this colour.
    #[must_use]
    pub fn background(self, color: Color) -> Self {
        self.with("background", color)
    }

    /// On pages of this size.
    #[must_use]
    pub fn page_format(self, format: PageFormat) -> Self {
        self.with("pageformat", format.as_str())
    }

    /// On pages that lie this way.
    #[must_use]
    pub fn page_orientation(self, orientation: PageOrientation) -> Self {
        self.with("pageorientation", orientation.as_str())
    }

    fn with(self, key: &'static str, value: impl Into<Value>) -> Self {
        Self {
            task: self.task.with(key, value),
        }
    }
}

impl From<Output> for Task {
    fn from(output: Output) -> Self {
        output.task
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_lists_what_was_asked_for() {
        let page = Output::to(Format::Jpg)
            .page(2)
            .unwrap()
            .density(150)
            .unwrap()
            .quality(80)
            .unwrap();
        assert_eq!(
            Task::from(page).to_string(),
            "output=format:jpg,page:2,density:150,quality:80"
        );
        let safe = Output::to(Format::Html)
            .secure(true)
            .strip(true)
            .compress(false)
            .quality_of_input();
        assert_eq!(
            Task::from(safe).to_string(),
            "output=format:html,secure:true,strip:true,compress:false,quality:input"
        );
        let sheet = Output::to(Format::Pdf)
            .page_format(PageFormat::A4)
            .page_orientation(PageOrientation::Landscape)
            .colorspace(Colorspace::Cmyk);
        assert_eq!(
            Task::from(sheet).to_string(),
            "output=format:pdf,pageformat:a4,pageorientation:landscape,colorspace:cmyk"
        );
        assert_eq!(Task::from(Output::doc_info()).to_string(), "output=docinfo:true");
    }

    #[test]
    fn u17_numbers_outside_their_range_are_refused() {
        let output = || Output::to(Format::Jpg);
        assert!(
            output().page(0).is_err() && output().density(501).is_err() && output().quality(101).is_err()
        );
    }
}
