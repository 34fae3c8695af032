//! What an SDK does with a file that is there: metadata (§5.1), delivery (§4), transformations (§6), overwriting and deleting (§5).

use image::{DynamicImage, GenericImageView, ImageFormat, Rgb};
use md5::{Digest, Md5};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use super::bench::{Bench, NOW, Sdk, picture, png};
use super::gaps::is_gap;
use super::parity;
use super::report::Report;

const SECTION: &str = "Files (§4–§6)";

#[test]
#[ignore = "needs Filestack's Python SDK"]
fn python_reads_transforms_overwrites_and_deletes() {
    let bench = Bench::start();
    let report = bench.run(Sdk::Python, "files");
    metadata_is_right(&report, "S3");

    assert_eq!(bench.left("content"), png());
    assert_eq!(report.result("download"), &json!(png().len()));
    assert_eq!(bench.left("download"), png());
    assert_eq!(bench.left("signed"), png());
    assert_eq!(report.result("unsigned url"), 403);

    pictures_are_right(&bench, "");
    assert_eq!(decoded(&bench.left("transformed"), ImageFormat::Png).width(), 7);

    assert_eq!(bench.left("overwritten"), bench.content("5 MiB - 1"));
    assert_eq!(bench.left("from-memory"), b"from memory");
    assert_eq!(bench.left("from-base64"), b"was base64");
    // §5: the name and the type stay.
    let meta = report.result("metadata after overwrite");
    assert_eq!(meta["filename"], "picture.png");
    assert_eq!(meta["mimetype"], "image/png");
    assert_eq!(meta["size"], 10);
    assert_eq!(meta["md5"], hex(Md5::digest("was base64")));

    if !is_gap(&report, "overwrite from a url") {
        assert_eq!(bench.left("overwritten-from-url"), b"from a url");
    }
    if !is_gap(&report, "store from a url") {
        let file = report.result("store from a url");
        assert_eq!(file["reply"]["filename"], "stored.txt", "{file}");
        assert_eq!(bench.stored(report.handle("store from a url")), b"from a url");
    }
    later_steps_are_right(&bench, &report);
    if !is_gap(&report, "zip") {
        assert!(bench.left("zip").starts_with(b"PK"));
    }
    gone(
        &report,
        &["content after delete", "metadata after delete", "delete again"],
    );
    assert!(!bench.controls.store().exists(report.handle("upload")));
    parity::of_report(SECTION, Sdk::Python, &report);
}

#[test]
#[ignore = "needs Filestack's JavaScript SDK"]
fn javascript_4_reads_transforms_and_deletes() {
    javascript_reads_transforms_and_deletes(Sdk::JavaScript4);
}

#[test]
#[ignore = "needs Filestack's JavaScript SDK"]
fn javascript_3_reads_transforms_and_deletes() {
    javascript_reads_transforms_and_deletes(Sdk::JavaScript3);
}

#[track_caller]
fn javascript_reads_transforms_and_deletes(sdk: Sdk) {
    let bench = Bench::start();
    let report = bench.run(sdk, "files");
    metadata_is_right(&report, "s3");

    for name in ["content", "retrieved", "extended"] {
        assert_eq!(bench.left(name), png(), "{name}");
    }
    let head = report.result("retrieve head");
    assert_eq!(
        head,
        &json!({ "type": "image/png", "length": png().len().to_string() })
    );
    assert_eq!(report.result("retrieve metadata")["size"], json!(png().len()));
    assert_eq!(report.failure("unsigned download").status, Some(403));
    assert_eq!(report.failure("unsigned transformation").status, Some(403));

    for form in ["", "-in-base64"] {
        pictures_are_right(&bench, form);
        assert_eq!(
            size(&decoded(
                &bench.left(&format!("enhance-bare{form}")),
                ImageFormat::Png
            )),
            (60, 40)
        );
        assert_eq!(
            decoded(&bench.left(&format!("uncached{form}")), ImageFormat::Png).width(),
            4
        );
    }
    // §12 no. 1: this SDK's policies have the letters of standard base64, `/` among them.
    assert_eq!(report.result("odd letters in the policy")["odd"], true);
    assert_eq!(bench.left("odd"), png());
    assert_eq!(
        report.result("odd letters in the query")["size"],
        json!(png().len())
    );
    assert_eq!(decoded(&bench.left("open"), ImageFormat::Png).width(), 6);
    // §6.1: the SDK takes the emulator's own address for an external source, and quotes it.
    assert_eq!(decoded(&bench.left("external"), ImageFormat::Png).width(), 3);

    if !is_gap(&report, "store from a url") {
        let file = report.result("store from a url");
        assert_eq!(file["filename"], "stored.txt", "{file}");
        assert_eq!(file["mimetype"], "text/plain", "{file}");
        assert_eq!(bench.stored(report.handle("store from a url")), b"from a url");
    }
    later_steps_are_right(&bench, &report);
    if !is_gap(&report, "zip") {
        assert!(bench.left("zip").starts_with(b"PK"));
    }

    // §9.4: no drives; logging out of them needs no policy, and the SDK sends none.
    report.result("cloud folders");
    report.result("log out of clouds");
    gone(
        &report,
        &[
            "download without record",
            "download after delete",
            "metadata after delete",
            "delete again",
        ],
    );
    assert!(!bench.controls.store().exists(report.handle("upload")));
    parity::of_report(SECTION, sdk, &report);
}

/// §5.1: what was asked for, and only that.
#[track_caller]
fn metadata_is_right(report: &Report, location: &str) {
    let bytes = png();
    let usual = report.result("metadata");
    assert_eq!(usual["size"], json!(bytes.len()), "{usual}");
    assert_eq!(usual["mimetype"], "image/png", "{usual}");
    assert_eq!(usual["filename"], "picture.png", "{usual}");
    assert_eq!(usual["uploaded"], json!(NOW * 1000), "{usual}");
    assert_eq!(usual["writeable"], true, "{usual}");
    assert!(usual.get("md5").is_none(), "{usual}");

    let each = report.result("metadata of each kind");
    assert_eq!(
        (&each["width"], &each["height"]),
        (&json!(60), &json!(40)),
        "{each}"
    );
    assert_eq!(each["location"], location, "{each}");
    assert!(
        each["path"].as_str().expect("a path").ends_with("_picture.png"),
        "{each}"
    );
    for (name, hash) in [
        ("md5", hex(Md5::digest(&bytes))),
        ("sha1", hex(Sha1::digest(&bytes))),
        ("sha224", hex(Sha224::digest(&bytes))),
        ("sha256", hex(Sha256::digest(&bytes))),
        ("sha384", hex(Sha384::digest(&bytes))),
        ("sha512", hex(Sha512::digest(&bytes))),
    ] {
        assert_eq!(each[name], hash, "{name}");
    }
    for name in [
        "cloud",
        "source_url",
        "container",
        "uploaded",
        "writeable",
        "size",
    ] {
        assert!(each.get(name).is_some(), "{name} is not in {each}");
    }

    let mut one = report.result("metadata of one kind").clone();
    // The JavaScript SDK adds this itself.
    one.as_object_mut().expect("an object").remove("handle");
    assert_eq!(one, json!({ "md5": hex(Md5::digest(&bytes)) }));
}

/// §6.2, §6.4, §6.5: by the size of each, and by the pixels of those that move them only.
#[track_caller]
fn pictures_are_right(bench: &Bench, form: &str) {
    let left = |name: &str, format| decoded(&bench.left(&format!("{name}{form}")), format);
    let original = picture();
    assert_eq!(size(&left("resize", ImageFormat::Png)), (20, 13));
    assert_eq!(size(&left("fill", ImageFormat::Png)), (10, 10));
    assert_eq!(size(&left("enhance", ImageFormat::Png)), (60, 40));
    assert_eq!(size(&left("chain", ImageFormat::Png)), (12, 12));

    let cropped = left("crop", ImageFormat::Png).to_rgb8();
    assert_eq!(cropped.dimensions(), (8, 6));
    for (x, y, pixel) in cropped.enumerate_pixels() {
        assert_eq!(pixel, original.get_pixel(x + 30, y + 10), "crop, {x} {y}");
    }
    // Clockwise: the left edge comes to lie on top.
    let rotated = left("rotate", ImageFormat::Png).to_rgb8();
    assert_eq!(rotated.dimensions(), (40, 60));
    for (x, y, pixel) in rotated.enumerate_pixels() {
        assert_eq!(pixel, original.get_pixel(y, 39 - x), "rotate, {x} {y}");
    }
    // The chain's half turn brings the dark corner to the lower right.
    let chain = left("chain", ImageFormat::Png).to_rgb8();
    let Rgb([red, green, _]) = *chain.get_pixel(11, 11);
    assert!(red < 20 && green < 20, "{red} {green}");

    let converted = left("output", ImageFormat::Jpeg).to_rgb8();
    assert_eq!(converted.dimensions(), (60, 40));
    for (x, y, Rgb(pixel)) in converted.enumerate_pixels() {
        let wanted = original.get_pixel(x, y).0;
        let off = pixel
            .iter()
            .zip(wanted)
            .map(|(have, want)| have.abs_diff(want))
            .max();
        assert!(off < Some(32), "output, {x} {y}: {pixel:?}, not {wanted:?}");
    }
}

/// Steps that both SDKs take by URL.
#[track_caller]
fn later_steps_are_right(bench: &Bench, report: &Report) {
    if !is_gap(report, "store a transformation") {
        let handle = report
            .result("store a transformation")
            .as_str()
            .expect("a handle");
        assert_eq!(decoded(&bench.stored(handle), ImageFormat::Png).width(), 5);
    }
    if !is_gap(report, "run a workflow") {
        assert!(report.result("run a workflow").is_string());
    }
}

/// §5: 404 after deletion.
#[track_caller]
fn gone(report: &Report, steps: &[&str]) {
    assert_eq!(report.result("delete"), &Value::Null);
    for step in steps {
        let failure = report.failure(step);
        assert_eq!(failure.status, Some(404), "{step}: {failure:?}");
    }
}

#[track_caller]
fn decoded(bytes: &[u8], format: ImageFormat) -> DynamicImage {
    assert_eq!(image::guess_format(bytes).ok(), Some(format));
    image::load_from_memory(bytes).expect("the picture can be decoded")
}

fn size(picture: &DynamicImage) -> (u32, u32) {
    picture.dimensions()
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
