//! Tasks that make a picture from a picture (§6.2–6.4). Where two sources disagree about a range, or a parameter's values are not public,
//! the wider reading stands here: the emulator must not refuse what Filestack takes.

use super::Kind::{
    Any, Areas, Color, Faces, Flag, Number, Signed, Text, Texts, Whole, WholeOr, Wholes, Word, Words,
};
use super::{TaskSpec, param, task};

const POSITIONS: &[&str] = &["top", "middle", "bottom", "left", "center", "right"];
const ALIGNS: &[&str] = &["center", "top", "bottom", "left", "right", "middle", "faces"];

/// The tasks, in the order of Filestack's documentation.
pub(super) const TASKS: &[TaskSpec] = &[
    // Geometry and basics: §6.2.
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
    // Faces: §6.3.
    task(
        "detect_faces",
        &[
            param("minsize", "n", Number(0.0, 10_000.0)),
            param("maxsize", "x", Number(0.0, 10_000.0)),
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
            param("minsize", "n", Number(0.0, 10_000.0)),
            param("maxsize", "x", Number(0.0, 10_000.0)),
            param("buffer", "b", Whole(0, 10_000)),
            param("faces", "f", Faces),
        ],
    ),
    task(
        "pixelate_faces",
        &[
            param("minsize", "n", Number(0.0, 10_000.0)),
            param("maxsize", "x", Number(0.0, 10_000.0)),
            param("buffer", "b", Whole(0, 10_000)),
            param("faces", "f", Faces),
            param("amount", "a", Whole(2, 100)),
            param("blur", "l", Number(0.0, 20.0)),
            param("type", "t", Word(&["rect", "oval"])),
        ],
    ),
    task(
        "blur_faces",
        &[
            param("minsize", "n", Number(0.0, 10_000.0)),
            param("maxsize", "x", Number(0.0, 10_000.0)),
            param("buffer", "b", Whole(0, 10_000)),
            param("faces", "f", Faces),
            param("amount", "a", Whole(0, 10)),
            param("blur", "l", Number(0.0, 20.0)),
            param("type", "t", Word(&["rect", "oval"])),
        ],
    ),
    // Filters, borders, effects: §6.4.
    task("blur", &[param("amount", "a", Number(0.0, 20.0))]),
    task("sharpen", &[param("amount", "a", Number(0.0, 20.0))]),
    task("pixelate", &[param("amount", "a", Whole(2, 100))]),
    task("oil_paint", &[param("amount", "a", Whole(2, 100))]),
    task(
        "partial_blur",
        &[
            param("amount", "a", Number(0.0, 20.0)),
            param("objects", "", Areas),
            param("blur", "l", Number(0.0, 20.0)),
            param("type", "t", Word(&["rect", "oval"])),
        ],
    ),
    task(
        "partial_pixelate",
        &[
            param("amount", "a", Whole(2, 100)),
            param("objects", "", Areas),
            param("blur", "l", Number(0.0, 20.0)),
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
            param("files", "f", Texts),
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
            param("blur", "l", Number(0.0, 20.0)),
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
            // The schema's default is 100, beyond its own range.
            param("blur", "l", Number(0.0, 100.0)),
            param("opacity", "o", Whole(0, 100)),
            param("vector", "v", Signed(&[(-1_000, 1_000), (-1_000, 1_000)])),
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
];
