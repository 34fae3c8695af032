//! Every task that Filestack documents, with its parameters.
//!
//! Where two sources disagree about a range, or a parameter's values are not public, the wider reading stands here: the
//! emulator must not refuse what Filestack takes.

use super::{Kind, ParamSpec, TaskSpec};
use Kind::{Any, Color, Flag, Text, Whole, WholeOr, Wholes, Word, Words};

const POSITIONS: &[&str] = &["top", "middle", "bottom", "left", "center", "right"];
const ALIGNS: &[&str] = &["center", "top", "bottom", "left", "right", "middle", "faces"];
const PAGES: &[&str] = &["a2", "a3", "a4", "a5", "b4", "b5", "letter", "legal", "tabloid"];
const FORMATS: &[&str] = &[
    "doc", "docx", "gif", "html", "jpg", "odp", "ods", "odt", "pdf", "pjpg", "png", "ppt", "pptx", "svg",
    "txt", "webp", "xls", "xlsx",
];

const fn param(name: &'static str, alias: &'static str, kind: Kind) -> ParamSpec {
    ParamSpec { name, alias, kind }
}

const fn task(name: &'static str, params: &'static [ParamSpec]) -> TaskSpec {
    TaskSpec {
        name,
        other_name: "",
        params,
        whole: "",
    }
}

/// The tasks, in the order of Filestack's documentation.
pub(super) const TASKS: &[TaskSpec] = &[
    // Geometry and basics.
    task(
        "resize",
        &[
            param("width", "w", Whole(0, 10_000)),
            param("height", "h", Whole(0, 10_000)),
            param("fit", "f", Word(&["clip", "crop", "scale", "max"])),
            param("align", "a", Words(ALIGNS)),
            param("filter", "", Any),
        ],
    ),
    task(
        "crop",
        &[param(
            "dim",
            "d",
            Wholes(&[(0, 100_000), (0, 100_000), (1, 100_000), (1, 100_000)]),
        )],
    ),
    task(
        "smart_crop",
        &[
            param("width", "", Whole(0, 10_000)),
            param("height", "", Whole(0, 10_000)),
            param("mode", "", Word(&["auto", "face"])),
            param("fill_color", "", Any),
            param("coords", "", Any),
        ],
    ),
    task(
        "rotate",
        &[
            param("deg", "d", WholeOr(0, 359, &["exif"])),
            param("exif", "e", Flag),
            param("background", "b", Color),
        ],
    ),
    task("flip", &[]),
    task("flop", &[]),
    task("imagesize", &[]),
    task("auto_image", &[]),
    task("no_metadata", &[]),
    task("compress", &[param("metadata", "m", Flag)]),
    task("quality", &[param("value", "v", Whole(1, 100))]),
    task(
        "pjpg",
        &[param("quality", "q", Whole(0, 100)), param("metadata", "m", Flag)],
    ),
    task(
        "animate",
        &[
            param("delay", "d", Whole(0, 10_000)),
            param("loop", "l", Whole(0, 1000)),
            param("width", "w", Whole(1, 1800)),
            param("height", "h", Whole(1, 1800)),
            param("fit", "f", Word(&["clip", "scale", "crop"])),
            param("align", "a", Words(ALIGNS)),
            param("background", "b", Color),
        ],
    ),
    // Faces.
    task(
        "detect_faces",
        &[
            param("minsize", "n", Any),
            param("maxsize", "x", Any),
            param("color", "c", Color),
            param("export", "e", Flag),
        ],
    ),
    task(
        "crop_faces",
        &[
            param("mode", "m", Word(&["thumb", "crop", "fill"])),
            param("width", "w", Whole(1, 10_000)),
            param("height", "h", Whole(1, 10_000)),
            param("minsize", "n", Any),
            param("maxsize", "x", Any),
            param("buffer", "b", Any),
            param("faces", "f", Any),
        ],
    ),
    task(
        "pixelate_faces",
        &[
            param("minsize", "n", Any),
            param("maxsize", "x", Any),
            param("buffer", "b", Any),
            param("faces", "f", Any),
            param("amount", "a", Whole(2, 100)),
            param("blur", "l", Whole(0, 20)),
            param("type", "t", Word(&["rect", "oval"])),
        ],
    ),
    task(
        "blur_faces",
        &[
            param("minsize", "n", Any),
            param("maxsize", "x", Any),
            param("buffer", "b", Any),
            param("faces", "f", Any),
            param("amount", "a", Whole(0, 10)),
            param("blur", "l", Whole(0, 20)),
            param("type", "t", Word(&["rect", "oval"])),
        ],
    ),
    // Filters, borders, effects.
    task("blur", &[param("amount", "a", Whole(0, 20))]),
    task("sharpen", &[param("amount", "a", Whole(0, 20))]),
    task("pixelate", &[param("amount", "a", Whole(2, 100))]),
    task("oil_paint", &[param("amount", "a", Whole(2, 100))]),
    task(
        "partial_blur",
        &[
            param("amount", "a", Whole(0, 20)),
            param("objects", "", Any),
            param("blur", "l", Whole(0, 20)),
            param("type", "t", Word(&["rect", "oval"])),
        ],
    ),
    task(
        "partial_pixelate",
        &[
            param("amount", "a", Whole(2, 100)),
            param("objects", "", Any),
            param("blur", "l", Whole(0, 20)),
            param("type", "t", Word(&["rect", "oval"])),
        ],
    ),
    task("blackwhite", &[param("threshold", "t", Whole(0, 100))]),
    task("monochrome", &[]),
    task("negative", &[]),
    task("redeye", &[]),
    task("sepia", &[param("tone", "t", Whole(0, 100))]),
    task(
        "modulate",
        &[
            param("brightness", "b", Whole(0, 10_000)),
            param("saturation", "s", Whole(0, 10_000)),
            param("hue", "h", Whole(0, 359)),
        ],
    ),
    task(
        "enhance",
        &[param(
            "preset",
            "",
            Word(&[
                "auto",
                "vivid",
                "beautify",
                "beautify_plus",
                "fix_dark",
                "fix_noise",
                "fix_tint",
                "outdoor",
                "fireworks",
            ]),
        )],
    ),
    task(
        "upscale",
        &[
            param("noise", "", Word(&["none", "low", "medium", "high"])),
            param("style", "", Word(&["photo", "artwork"])),
            param("upscale", "", Flag),
        ],
    ),
    task(
        "ascii",
        &[
            param("foreground", "f", Color),
            param("background", "b", Color),
            param("colored", "c", Flag),
            param("size", "s", Whole(10, 100)),
            param("reverse", "r", Flag),
        ],
    ),
    task(
        "watermark",
        &[
            param("file", "f", Text),
            param("size", "s", Whole(0, 500)),
            param("position", "p", Words(POSITIONS)),
        ],
    ),
    task(
        "collage",
        &[
            param("files", "f", Any),
            param("width", "w", Whole(0, 10_000)),
            param("height", "h", Whole(0, 10_000)),
            param("margin", "m", Whole(1, 100)),
            param("color", "c", Color),
            param("fit", "", Word(&["auto", "crop"])),
            param("autorotate", "a", Flag),
        ],
    ),
    TaskSpec {
        name: "rounded_corners",
        other_name: "round_corners",
        whole: "",
        params: &[
            param("radius", "r", WholeOr(1, 10_000, &["max"])),
            param("blur", "l", Any),
            param("background", "b", Color),
        ],
    },
    task(
        "vignette",
        &[
            param("amount", "a", Whole(0, 100)),
            param("blurmode", "m", Word(&["gaussian", "linear"])),
            param("background", "b", Color),
        ],
    ),
    task(
        "polaroid",
        &[
            param("rotate", "r", Whole(0, 359)),
            param("color", "c", Color),
            param("background", "b", Color),
        ],
    ),
    task(
        "torn_edges",
        &[
            param("spread", "s", Wholes(&[(1, 10_000), (1, 10_000)])),
            param("background", "b", Color),
        ],
    ),
    task(
        "shadow",
        &[
            param("blur", "l", Any),
            param("opacity", "o", Whole(0, 100)),
            param("vector", "v", Any),
            param("color", "c", Color),
            param("background", "b", Color),
        ],
    ),
    task("circle", &[param("background", "b", Color)]),
    task(
        "border",
        &[
            param("width", "w", Whole(0, 1000)),
            param("color", "c", Color),
            param("background", "b", Color),
        ],
    ),
    // Output and documents.
    task(
        "output",
        &[
            param("format", "f", Word(FORMATS)),
            param("page", "p", Whole(1, 99_999)),
            param("density", "d", Whole(1, 500)),
            param("compress", "c", Flag),
            param("quality", "q", WholeOr(1, 100, &["input"])),
            param("secure", "s", Flag),
            param("docinfo", "i", Flag),
            param("strip", "t", Flag),
            param("colorspace", "o", Word(&["rgb", "cmyk", "input"])),
            param("background", "b", Color),
            param("pageformat", "a", Word(PAGES)),
            param("pageorientation", "r", Word(&["landscape", "portrait"])),
        ],
    ),
    task("pdfinfo", &[param("colorinfo", "", Flag)]),
    task(
        "pdfconvert",
        &[
            param("pageorientation", "", Word(&["landscape", "portrait"])),
            param("pageformat", "", Word(PAGES)),
            param("pages", "", Any),
            param("metadata", "", Any),
        ],
    ),
    task("pdfcreate", &[param("engine", "", Any)]),
    task(
        "doc_to_images",
        &[
            param("pages", "", Any),
            param("engine", "", Any),
            param("format", "", Any),
            param("quality", "", Any),
            param("density", "", Any),
            param("hidden_slides", "", Any),
        ],
    ),
    task("preview", &[param("css", "", Text)]),
    task("slide", &[param("theme", "", Any), param("engine", "", Any)]),
    task(
        "qr",
        &[
            param("version", "", Any),
            param("error_correction", "", Any),
            param("format", "", Any),
        ],
    ),
    task(
        "minify_css",
        &[param("level", "", Whole(1, 2)), param("gzip", "", Flag)],
    ),
    task(
        "minify_js",
        &[
            param("gzip", "", Any),
            param("use_babel_polyfill", "", Any),
            param("keep_fn_name", "", Any),
            param("keep_class_name", "", Any),
            param("mangle", "", Any),
            param("merge_vars", "", Any),
            param("remove_console", "", Any),
            param("remove_undefined", "", Any),
            param("targets", "", Any),
        ],
    ),
    task(
        "urlscreenshot",
        &[
            param("agent", "", Word(&["desktop", "mobile"])),
            param("mode", "", Word(&["all", "window"])),
            param("width", "", Whole(1, 1920)),
            param("height", "", Whole(1, 8000)),
            param("delay", "", Whole(0, 20_000)),
            param("orientation", "", Word(&["portrait", "landscape"])),
            param("device", "", Any),
        ],
    ),
    task("zip", &[]),
    // Control.
    TaskSpec {
        name: "cache",
        other_name: "",
        whole: "store",
        params: &[
            param("store", "", Flag),
            param("expiry", "e", WholeOr(0, u32::MAX, &["max"])),
        ],
    },
    task(
        "security",
        &[param("policy", "p", Text), param("signature", "s", Text)],
    ),
    task(
        "store",
        &[
            param("filename", "f", Text),
            param("location", "l", Any),
            param("path", "p", Text),
            param("container", "", Any),
            param("region", "", Any),
            param("access", "", Any),
            param("base64decode", "", Any),
            param("workflows", "", Any),
        ],
    ),
    task(
        "fallback",
        &[
            param("handle", "", Any),
            param("file", "f", Any),
            param("cache", "c", Whole(1, 31536000)),
        ],
    ),
    TaskSpec {
        name: "metadata",
        other_name: "",
        whole: "fields",
        params: &[param("fields", "", Any)],
    },
    TaskSpec {
        name: "run_workflow",
        other_name: "",
        whole: "id",
        params: &[param("id", "", Any), param("args", "", Any)],
    },
    TaskSpec {
        name: "workflow_status",
        other_name: "",
        whole: "job_id",
        params: &[param("job_id", "", Any), param("id", "", Any)],
    },
    task("debug", &[]),
    // Audio and video.
    task(
        "video_convert",
        &[
            param("preset", "p", Any),
            param("force", "", Any),
            param("width", "", Any),
            param("height", "", Any),
            param("upscale", "", Any),
            param("aspect_mode", "", Any),
            param("two_pass", "", Any),
            param("video_bitrate", "", Any),
            param("fps", "", Any),
            param("keyframe_interval", "", Any),
            param("audio_bitrate", "", Any),
            param("audio_sample_rate", "", Any),
            param("audio_channels", "", Any),
            param("audio_codec", "", Any),
            param("clip_length", "", Any),
            param("clip_offset", "", Any),
            param("watermark_url", "", Any),
            param("watermark_top", "", Any),
            param("watermark_right", "", Any),
            param("watermark_bottom", "", Any),
            param("watermark_left", "", Any),
            param("watermark_width", "", Any),
            param("watermark_height", "", Any),
            param("frame_count", "", Any),
            param("title", "", Any),
            param("extname", "", Any),
            param("filename", "", Any),
            param("location", "", Any),
            param("path", "", Any),
            param("container", "", Any),
            param("access", "", Any),
        ],
    ),
    // Intelligence.
    task("tags", &[param("version", "v", Whole(1, 2))]),
    task("sfw", &[]),
    task("caption", &[]),
    task("ocr", &[]),
    task("copyright", &[]),
    task(
        "doc_detection",
        &[param("coords", "", Flag), param("preprocess", "", Flag)],
    ),
    task("image_sentiment", &[]),
    task(
        "text_sentiment",
        &[
            param("text", "", Text),
            param(
                "language",
                "",
                Word(&[
                    "auto", "en", "es", "fr", "de", "it", "pt", "ar", "hi", "ja", "ko", "zh", "zh-TW",
                ]),
            ),
        ],
    ),
];
