//! Size, section and direction.

use super::adjust::Color;
use super::{Task, Value, within};
use crate::filestack::error::FilestackError;

/// How a picture fits a box of another shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Inside the box, with its shape kept; may grow.
    Clip,
    /// Fills the box; what stands out is cut off.
    Crop,
    /// Stretched to the box.
    Scale,
    /// Like [`Clip`](Self::Clip), but never grows.
    Max,
}

impl Fit {
    fn as_str(self) -> &'static str {
        match self {
            Self::Clip => "clip",
            Self::Crop => "crop",
            Self::Scale => "scale",
            Self::Max => "max",
        }
    }
}

/// What stays when [`Fit::Crop`] cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// The middle.
    Center,
    /// The upper edge.
    Top,
    /// The lower edge.
    Bottom,
    /// The left edge.
    Left,
    /// The right edge.
    Right,
    /// The faces in it.
    Faces,
    /// The upper left corner.
    TopLeft,
    /// The upper right corner.
    TopRight,
    /// The lower left corner.
    BottomLeft,
    /// The lower right corner.
    BottomRight,
}

impl From<Align> for Value {
    fn from(align: Align) -> Self {
        match align {
            Align::Center => "center".into(),
            Align::Top => "top".into(),
            Align::Bottom => "bottom".into(),
            Align::Left => "left".into(),
            Align::Right => "right".into(),
            Align::Faces => "faces".into(),
            Align::TopLeft => ["top", "left"].into(),
            Align::TopRight => ["top", "right"].into(),
            Align::BottomLeft => ["bottom", "left"].into(),
            Align::BottomRight => ["bottom", "right"].into(),
        }
    }
}

/// A new size: one side or both, 1 to 10,000 pixels. A side that is not given follows from the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resize {
    width: Option<u32>,
    height: Option<u32>,
    fit: Option<Fit>,
    align: Option<Align>,
}

impl Resize {
    /// This wide.
    ///
    /// # Errors
    /// [`FilestackError::Invalid`] outside 1 to 10,000.
    pub fn width(width: u32) -> Result<Self, FilestackError> {
        Ok(Self {
            width: Some(side(width)?),
            height: None,
            fit: None,
            align: None,
        })
    }

    /// This high.
    ///
    /// # Errors
    /// [`FilestackError::Invalid`] outside 1 to 10,000.
    pub fn height(height: u32) -> Result<Self, FilestackError> {
        Ok(Self {
            width: None,
            height: Some(side(height)?),
            fit: None,
            align: None,
        })
    }

    /// A box of this width and height; see [`Fit`] for how it is filled.
    ///
    /// # Errors
    /// [`FilestackError::Invalid`] outside 1 to 10,000.
    pub fn within(width: u32, height: u32) -> Result<Self, FilestackError> {
        Ok(Self {
            height: Some(side(height)?),
            ..Self::width(width)?
        })
    }

    /// How to fit the box; Filestack's default is [`Fit::Clip`].
    #[must_use]
    pub fn fit(self, fit: Fit) -> Self {
        Self {
            fit: Some(fit),
            ..self
        }
    }

    /// What to keep when cutting; Filestack's default is [`Align::Center`].
    #[must_use]
    pub fn align(self, align: Align) -> Self {
        Self {
            align: Some(align),
            ..self
        }
    }
}

fn side(pixels: u32) -> Result<u32, FilestackError> {
    within("width and height", pixels, 1..=10_000)
}

impl From<Resize> for Task {
    fn from(resize: Resize) -> Self {
        Self::new("resize")
            .with_some("width", resize.width)
            .with_some("height", resize.height)
            .with_some("fit", resize.fit.map(Fit::as_str))
            .with_some("align", resize.align)
    }
}

/// A rectangle to cut out; what lies outside the picture is left away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crop {
    dim: [u32; 4],
}

impl Crop {
    /// The rectangle's left and upper edge, width and height.
    ///
    /// # Errors
    /// [`FilestackError::Invalid`] for an edge above 100,000 or a side outside 1 to 100,000.
    pub fn new(x: u32, y: u32, width: u32, height: u32) -> Result<Self, FilestackError> {
        let edge = |at| within("the edge of a section", at, 0..=100_000);
        let side = |pixels| within("the side of a section", pixels, 1..=100_000);
        Ok(Self {
            dim: [edge(x)?, edge(y)?, side(width)?, side(height)?],
        })
    }
}

impl From<Crop> for Task {
    fn from(crop: Crop) -> Self {
        Self::new("crop").with("dim", crop.dim)
    }
}

/// A turn, clockwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotate {
    /// `None` turns as the camera noted.
    degrees: Option<u32>,
    exif: Option<bool>,
    background: Option<Color>,
}

impl Rotate {
    /// By this angle.
    ///
    /// # Errors
    /// [`FilestackError::Invalid`] outside 0 to 359.
    pub fn by(degrees: u32) -> Result<Self, FilestackError> {
        let degrees = within("the angle", degrees, 0..=359)?;
        Ok(Self {
            degrees: Some(degrees),
            exif: None,
            background: None,
        })
    }

    /// As the camera noted in the picture, so that it stands upright.
    pub fn upright() -> Self {
        Self {
            degrees: None,
            exif: None,
            background: None,
        }
    }

    /// Whether the camera's note is kept in the picture.
    #[must_use]
    pub fn exif(self, keep: bool) -> Self {
        Self {
            exif: Some(keep),
            ..self
        }
    }

    /// What fills the corners that an oblique turn leaves; Filestack's default is white.
    #[must_use]
    pub fn background(self, color: Color) -> Self {
        Self {
            background: Some(color),
            ..self
        }
    }
}

impl From<Rotate> for Task {
    fn from(rotate: Rotate) -> Self {
        let degrees = rotate.degrees.map_or(Value::from("exif"), Value::from);
        Self::new("rotate")
            .with("deg", degrees)
            .with_some("exif", rotate.exif)
            .with_some("background", rotate.background)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(task: impl Into<Task>) -> String {
        task.into().to_string()
    }

    #[test]
    fn resize_says_only_what_was_set() {
        assert_eq!(text(Resize::width(200).unwrap()), "resize=width:200");
        assert_eq!(
            text(Resize::height(9).unwrap().fit(Fit::Max)),
            "resize=height:9,fit:max"
        );
        assert_eq!(
            text(
                Resize::within(200, 100)
                    .unwrap()
                    .fit(Fit::Crop)
                    .align(Align::TopLeft)
            ),
            "resize=width:200,height:100,fit:crop,align:[top,left]"
        );
    }

    #[test]
    fn u17_numbers_outside_their_range_are_refused() {
        assert!(
            Resize::width(0).is_err() && Resize::height(10_001).is_err() && Resize::within(1, 0).is_err()
        );
        assert!(Crop::new(0, 0, 0, 1).is_err() && Crop::new(100_001, 0, 1, 1).is_err());
        assert!(Rotate::by(360).is_err());
    }

    #[test]
    fn crop_and_rotate() {
        assert_eq!(text(Crop::new(0, 1, 20, 30).unwrap()), "crop=dim:[0,1,20,30]");
        let white = Color::new("white").unwrap();
        assert_eq!(
            text(Rotate::by(90).unwrap().background(white)),
            "rotate=deg:90,background:white"
        );
        assert_eq!(text(Rotate::upright().exif(false)), "rotate=deg:exif,exif:false");
    }
}
