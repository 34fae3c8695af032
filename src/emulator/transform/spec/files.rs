//! Tasks on formats, documents, sound and film, on what is in a picture, and on the request itself.

use super::Kind::{Any, Color, Flag, List, Text, Texts, Whole, WholeOr, Word};
use super::{TaskSpec, param, task};

const PAGES: &[&str] = &["a2", "a3", "a4", "a5", "b4", "b5", "letter", "legal", "tabloid"];
const FORMATS: &[&str] = &[
    "doc", "docx", "gif", "html", "jpg", "odp", "ods", "odt", "pdf", "pjpg", "png", "ppt", "pptx", "svg",
    "txt", "webp", "xls", "xlsx",
];
const FACTS: &[&str] = &[
    "filename",
    "mimetype",
    "size",
    "width",
    "height",
    "uploaded",
    "writeable",
    "location",
    "path",
    "container",
    "cloud",
    "exif",
    "source_url",
    "md5",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
];

/// The tasks, in the order of Filestack's documentation.
pub(super) const TASKS: &[TaskSpec] = &[
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
            param("location", "l", Text),
            param("path", "p", Text),
            param("container", "", Text),
            param("region", "", Text),
            param("access", "", Text),
            param("base64decode", "", Flag),
            param("workflows", "", Texts),
        ],
    ),
    task(
        "fallback",
        &[
            param("handle", "", Text),
            param("file", "f", Text),
            param("cache", "c", Whole(1, 31536000)),
        ],
    ),
    TaskSpec {
        name: "metadata",
        other_name: "",
        whole: "fields",
        params: &[param("fields", "", List(FACTS))],
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
