//! Tasks on formats, documents, sound and film, on what is in a picture, and on the request itself.

use super::Kind::{Any, Color, Flag, List, Pages, Text, Texts, Time, Whole, WholeOr, Word};
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

/// §6.7: the documentation's, then those that other sources list as well.
const PRESETS: &[&str] = &[
    "h264",
    "h264.hi",
    "webm",
    "webm.hi",
    "ogg",
    "ogg.hi",
    "hls.variant",
    "mp3",
    "oga",
    "m4a",
    "aac",
    "hls.variant.audio",
    "hls",
    "dash",
    "mp4",
];
const LOCATIONS: &[&str] = &["s3", "S3", "gcs", "azure", "rackspace", "dropbox"];

/// The tasks, in the order of Filestack's documentation.
pub(super) const TASKS: &[TaskSpec] = &[
    // Output and documents: §6.5.
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
            param("pages", "", Pages),
            param("metadata", "", Any),
        ],
    ),
    task("pdfcreate", &[param("engine", "", Any)]),
    task(
        "doc_to_images",
        &[
            param("pages", "", Pages),
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
            param("gzip", "", Flag),
            param("use_babel_polyfill", "", Flag),
            param("keep_fn_name", "", Flag),
            param("keep_class_name", "", Flag),
            param("mangle", "", Flag),
            param("merge_vars", "", Flag),
            param("remove_console", "", Flag),
            param("remove_undefined", "", Flag),
            param("targets", "", Text),
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
    // Control: §6.6, §8.
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
        params: &[param("id", "", Text), param("args", "", Any)],
    },
    TaskSpec {
        name: "workflow_status",
        other_name: "",
        whole: "job_id",
        params: &[param("job_id", "", Text), param("id", "", Text)],
    },
    task("debug", &[]),
    // Audio and video: §6.7.
    task(
        "video_convert",
        &[
            param("preset", "p", Word(PRESETS)),
            param("force", "", Flag),
            param("width", "", Whole(1, 4_096)),
            param("height", "", Whole(1, 4_096)),
            param("upscale", "", Flag),
            param(
                "aspect_mode",
                "",
                Word(&["letterbox", "pad", "crop", "preserve", "constrain"]),
            ),
            param("two_pass", "", Flag),
            param("video_bitrate", "", Whole(1, 5_000)),
            param("fps", "", Whole(1, 300)),
            param("keyframe_interval", "", Whole(250, 250)),
            param("audio_bitrate", "", Whole(1, 999)),
            param("audio_sample_rate", "", Whole(1, 99_999)),
            param("audio_channels", "", Whole(1, 12)),
            param("audio_codec", "", Text),
            param("clip_length", "", Time),
            param("clip_offset", "", Time),
            param("watermark_url", "", Text),
            param("watermark_top", "", Whole(0, 9_999)),
            param("watermark_right", "", Whole(0, 9_999)),
            param("watermark_bottom", "", Whole(0, 9_999)),
            param("watermark_left", "", Whole(0, 9_999)),
            param("watermark_width", "", Whole(0, 9_999)),
            param("watermark_height", "", Whole(0, 9_999)),
            param("frame_count", "", Whole(1, 1)),
            param("title", "", Text),
            param("extname", "", Text),
            param("filename", "", Text),
            param("location", "", Word(LOCATIONS)),
            param("path", "", Text),
            param("container", "", Text),
            param("access", "", Word(&["public", "private"])),
        ],
    ),
    task("video_playlist", &[]),
    // Intelligence: §6.8.
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
