//! The picture formats, by name (§6.5); `codec` has what is done with them.

/// A file format that is read and written here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JPEG, written in baseline form.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    WebP,
    /// GIF, one frame.
    Gif,
}

impl Format {
    /// The content type of files in this format.
    pub fn mimetype(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Gif => "image/gif",
        }
    }
}
