//! What the tasks make of small pictures, looked at pixel by pixel.

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageEncoder, ImageFormat, ImageReader, Rgb, RgbImage, Rgba, RgbaImage};
use serde_json::json;

use super::support::{
    BLUE, GRAY, GREEN, RED, assert_color, file, picture, png, quarters, result, size, tasks, transform,
};
use crate::emulator::transform::{Content, Reply, TransformError, run};

fn of<'a>(bytes: &'a [u8], mimetype: &'a str) -> Content<'a> {
    Content { bytes, mimetype }
}

const WHITE: [u8; 3] = [255; 3];

/// EXIF data, little-endian, that says nothing but this orientation.
fn exif(orientation: u8) -> Vec<u8> {
    let mut bytes = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    bytes.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    bytes
}

fn jpeg_with_exif(image: &DynamicImage, orientation: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    encoder.set_exif_metadata(exif(orientation)).unwrap();
    encoder
        .write_image(
            image.as_bytes(),
            image.width(),
            image.height(),
            image.color().into(),
        )
        .unwrap();
    bytes
}

fn exif_of(bytes: &[u8]) -> Option<Vec<u8>> {
    let reader = ImageReader::new(std::io::Cursor::new(bytes))
        .with_guessed_format()
        .unwrap();
    image::ImageDecoder::exif_metadata(&mut reader.into_decoder().unwrap()).unwrap()
}

fn json_of(path: &str, input: &[u8]) -> serde_json::Value {
    match transform(path, input) {
        Ok(Reply::Json(value)) => value,
        other => panic!("{path}: {other:?}"),
    }
}

#[test]
fn resize_fits_into_the_box_as_documented() {
    let input = png(&quarters(80, 40));
    for (path, expected) in [
        ("resize=width:40", (40, 20)),
        ("resize=height:10", (20, 10)),
        ("resize=width:40,height:40", (40, 20)),
        ("resize=width:160,height:160", (160, 80)),
        ("resize=width:160,height:160,fit:max", (80, 40)),
        ("resize=width:40,fit:max", (40, 20)),
        ("resize=width:160,fit:max", (80, 40)),
        ("resize=width:30,height:40,fit:scale", (30, 40)),
        ("resize=width:30,height:40,fit:crop", (30, 40)),
        ("resize=width:200,height:200,fit:crop", (200, 200)),
        ("resize=width:40,fit:crop", (40, 20)),
        ("resize=width:1,height:1", (1, 1)),
    ] {
        let image = picture(path, &input);
        assert_eq!(size(&image), expected, "{path}");
    }
}

#[test]
fn a_resized_picture_looks_the_same() {
    let input = png(&quarters(80, 40));
    for path in [
        "resize=width:40",
        "resize=width:160,height:300",
        "resize=width:40,height:80,fit:scale",
    ] {
        let image = picture(path, &input);
        let (right, bottom) = (image.width() - 2, image.height() - 2);
        assert_color(&image, (1, 1), RED);
        assert_color(&image, (right, 1), GREEN);
        assert_color(&image, (1, bottom), GRAY);
        assert_color(&image, (right, bottom), BLUE);
    }
}

#[test]
fn crop_to_fill_keeps_the_aligned_part() {
    let input = png(&quarters(80, 80));
    // Half the width at full height: left is red over gray, right is green over blue.
    for (align, top, bottom) in [
        ("left", RED, GRAY),
        ("right", GREEN, BLUE),
        ("[top,left]", RED, GRAY),
    ] {
        let image = picture(&format!("resize=w:20,h:40,f:crop,a:{align}"), &input);
        assert_eq!(size(&image), (20, 40));
        assert_color(&image, (10, 5), top);
        assert_color(&image, (10, 35), bottom);
    }
    for (align, left, right) in [
        ("top", RED, GREEN),
        ("bottom", GRAY, BLUE),
        ("[bottom,right]", GRAY, BLUE),
    ] {
        let image = picture(&format!("resize=w:40,h:20,f:crop,a:{align}"), &input);
        assert_color(&image, (5, 10), left);
        assert_color(&image, (35, 10), right);
    }
    for align in ["center", "middle", "faces"] {
        let image = picture(&format!("resize=w:20,h:40,f:crop,a:{align}"), &input);
        assert_color(&image, (3, 5), RED);
        assert_color(&image, (16, 5), GREEN);
    }
}

#[test]
fn crop_cuts_off_at_the_border() {
    let input = png(&quarters(40, 40));
    let image = picture("crop=dim:[10,0,10,20]", &input);
    assert_eq!(size(&image), (10, 20));
    assert_color(&image, (9, 19), RED);
    let image = picture("crop=dim:[20,30,100000,100000]", &input);
    assert_eq!(size(&image), (20, 10));
    assert_color(&image, (0, 0), BLUE);
    let error = transform("crop=dim:[40,0,1,1]", &input).unwrap_err();
    assert_eq!(
        (error.status(), matches!(error, TransformError::Invalid(_))),
        (400, true)
    );
}

#[test]
fn quarter_turns_and_mirrors_move_pixels_exactly() {
    let image = quarters(6, 4);
    let input = png(&image);
    for (path, expected) in [
        ("rotate=deg:0", image.clone()),
        ("rotate=deg:90", image.rotate90()),
        ("rotate=deg:180", image.rotate180()),
        ("rotate=deg:270", image.rotate270()),
        ("flip", image.flipv()),
        ("flop", image.fliph()),
        ("rotate=deg:90/rotate=deg:270", image.clone()),
    ] {
        assert_eq!(picture(path, &input).to_rgb8(), expected.to_rgb8(), "{path}");
    }
    let turned = picture("rotate=deg:90", &input);
    assert_eq!(size(&turned), (4, 6));
    assert_color(&turned, (0, 0), GRAY);
    assert_color(&turned, (3, 0), RED);
}

#[test]
fn other_turns_grow_the_canvas_and_fill_the_corners() {
    let input = png(&quarters(40, 40));
    let image = picture("rotate=deg:45,background:ff00ff", &input);
    assert_eq!(size(&image), (57, 57));
    assert!(!image.color().has_alpha());
    assert_color(&image, (0, 0), [255, 0, 255]);
    assert_color(&image, (56, 56), [255, 0, 255]);
    // Clockwise: what was top left is now at the top.
    assert_color(&image, (28, 10), RED);
    assert_color(&image, (46, 28), GREEN);
    assert_color(&image, (28, 46), BLUE);
    assert_color(&image, (10, 28), GRAY);
    assert_color(&picture("rotate=deg:45", &input), (0, 0), WHITE);
    let clear = picture("rotate=deg:45,background:transparent", &input).to_rgba8();
    assert_eq!(
        (clear.get_pixel(0, 0).0[3], clear.get_pixel(28, 28).0[3]),
        (0, 255)
    );
}

#[test]
fn rotate_by_exif_turns_the_picture_upright_once() {
    let upright = quarters(64, 32);
    // A camera held so that the file must be turned clockwise to stand upright.
    let input = jpeg_with_exif(&upright.rotate270(), 6);
    for path in ["rotate=deg:exif", "rotate=exif:true", "rotate=e:true,d:0"] {
        let (bytes, _) = result(path, &input);
        let image = image::load_from_memory(&bytes).unwrap();
        assert_eq!(size(&image), (64, 32), "{path}");
        assert_color(&image, (4, 4), RED);
        assert_eq!(exif_of(&bytes).unwrap(), exif(1), "{path}");
    }
    let plain = result("rotate=deg:exif", &png(&upright)).0;
    assert_eq!(
        image::load_from_memory(&plain).unwrap().to_rgb8(),
        upright.to_rgb8()
    );
}

#[test]
fn metadata_stays_unless_it_is_to_go() {
    let input = jpeg_with_exif(&quarters(64, 32).rotate270(), 6);
    assert_eq!(exif_of(&result("resize=width:16", &input).0), Some(exif(6)));
    for path in [
        "no_metadata",
        "resize=width:16/no_metadata",
        "compress",
        "output=format:jpg,strip:true",
    ] {
        let (bytes, mimetype) = result(path, &input);
        assert_eq!(
            (exif_of(&bytes), mimetype.as_str()),
            (None, "image/jpeg"),
            "{path}"
        );
        // With the note gone the pixels themselves are turned.
        let image = image::load_from_memory(&bytes).unwrap();
        assert!(image.width() > image.height(), "{path}");
    }
    let kept = result("resize=width:16/compress=metadata:true", &input).0;
    assert_eq!(exif_of(&kept), Some(exif(6)));
}

#[test]
fn every_format_comes_out_of_every_format() {
    let formats = [
        ("jpg", ImageFormat::Jpeg, "image/jpeg"),
        ("png", ImageFormat::Png, "image/png"),
        ("webp", ImageFormat::WebP, "image/webp"),
        ("gif", ImageFormat::Gif, "image/gif"),
    ];
    for (_, from, source_type) in formats {
        let input = file(&quarters(32, 16), from);
        let (bytes, mimetype) = result("resize=width:16", &input);
        assert_eq!(
            (image::guess_format(&bytes).unwrap(), mimetype.as_str()),
            (from, source_type)
        );
        for (name, to, target_type) in formats {
            let (bytes, mimetype) = result(&format!("output=format:{name}"), &input);
            assert_eq!(
                (image::guess_format(&bytes).unwrap(), mimetype.as_str()),
                (to, target_type)
            );
            let image = image::load_from_memory(&bytes).unwrap();
            assert_eq!(size(&image), (32, 16), "{from:?} to {name}");
            assert_color(&image, (3, 3), RED);
            assert_color(&image, (28, 12), BLUE);
        }
    }
}

#[test]
fn opacity_survives_where_it_can_and_is_flattened_where_not() {
    let mut image = RgbaImage::from_pixel(16, 16, Rgba([20, 20, 230, 255]));
    image.put_pixel(0, 0, Rgba([0, 0, 0, 0]));
    let input = png(&image.into());
    for name in ["png", "webp", "gif"] {
        let image = picture(&format!("output=format:{name}"), &input).to_rgba8();
        assert_eq!(
            (image.get_pixel(0, 0).0[3], image.get_pixel(9, 9).0[3]),
            (0, 255),
            "{name}"
        );
    }
    let clear = png(&RgbaImage::new(16, 16).into());
    assert_color(&picture("output=format:jpg", &clear), (8, 8), WHITE);
    assert_color(
        &picture("output=format:jpg,background:red", &clear),
        (8, 8),
        [255, 0, 0],
    );
}

#[test]
fn quality_and_compress_make_files_smaller_and_never_larger() {
    let noisy = DynamicImage::from(RgbImage::from_fn(64, 64, |x, y| {
        Rgb([(x * 37 + y * 91) as u8, (x * y) as u8, (x * 11 + y * y * 7) as u8])
    }));
    let mut input = Vec::new();
    JpegEncoder::new_with_quality(&mut input, 95)
        .encode_image(&noisy)
        .unwrap();
    let low = result("quality=value:20", &input).0;
    assert!(low.len() < input.len() / 2, "{} of {}", low.len(), input.len());
    assert!(result("compress", &input).0.len() < input.len());
    assert_eq!(
        result("quality=value:100", &low),
        (low.clone(), "application/x-stored".to_owned())
    );
    assert!(result("output=format:jpg,quality:10", &input).0.len() < low.len());
    let plain = png(&noisy);
    assert_eq!(result("quality=value:20", &plain).0, plain);
    assert!(result("compress", &plain).0.len() <= plain.len());
    let gif = file(&noisy, ImageFormat::Gif);
    assert_eq!(result("compress/quality=value:10/no_metadata", &gif).0, gif);
}

#[test]
fn auto_image_is_webp_for_those_who_take_it() {
    let input = png(&quarters(8, 8));
    let mimetype =
        |path: &str, accepts_webp| match run(&tasks(path), &[of(&input, "image/png")], accepts_webp) {
            Ok(Reply::Image { mimetype, .. }) => mimetype,
            other => panic!("{other:?}"),
        };
    assert_eq!(mimetype("auto_image", true), "image/webp");
    assert_eq!(mimetype("auto_image", false), "image/png");
    assert_eq!(mimetype("auto_image/output=format:jpg", true), "image/jpeg");
    assert_eq!(mimetype("output=format:jpg/auto_image", true), "image/jpeg");
}

#[test]
fn enhance_widens_contrast_and_is_the_same_every_time() {
    let dull = DynamicImage::from(RgbImage::from_fn(64, 4, |x, _| {
        Rgb([80 + x as u8, 85 + x as u8, 90 + x as u8])
    }));
    let input = png(&dull);
    let (before, after) = (dull.to_rgb8(), picture("enhance", &input).to_rgb8());
    let range = |image: &RgbImage| image.get_pixel(63, 0).0[0].abs_diff(image.get_pixel(0, 0).0[0]);
    assert!(range(&after) > range(&before) + 40);
    assert_eq!(result("enhance", &input), result("enhance", &input));
    let presets = "auto vivid beautify beautify_plus fix_dark fix_noise fix_tint outdoor fireworks";
    for preset in presets.split(' ') {
        assert_eq!(
            size(&picture(&format!("enhance=preset:{preset}"), &input)),
            (64, 4),
            "{preset}"
        );
    }
    let dark = picture("enhance=preset:fix_dark", &input).to_rgb8();
    assert!(dark.get_pixel(32, 0).0[0] > after.get_pixel(32, 0).0[0]);
    let flat = png(&RgbImage::from_pixel(8, 8, Rgb(GRAY)).into());
    assert_color(&picture("enhance", &flat), (4, 4), GRAY);
}

#[test]
fn imagesize_answers_with_the_size_at_its_place() {
    let input = png(&quarters(1600, 1200));
    assert_eq!(
        json_of("imagesize", &input),
        json!({ "height": 1200, "width": 1600 })
    );
    assert_eq!(
        json_of("resize=width:160/imagesize", &input),
        json!({ "height": 120, "width": 160 })
    );
}

#[test]
fn debug_reports_success_and_failure() {
    let input = png(&quarters(8, 8));
    let report = json_of("debug/resize=width:4/flip", &input);
    assert_eq!(report["status"], json!({ "message": "OK", "http_code": 200 }));
    assert_eq!(report["source"]["size"], input.len());
    assert_eq!(report["chain"], json!(["resize", "flip"]));
    assert_eq!(
        json_of("debug/resize=width:4", b"text")["status"]["http_code"],
        400
    );
}

#[test]
fn a_file_nothing_is_done_to_stays_as_it_is() {
    let animated = b"GIF89a, or anything else".to_vec();
    assert_eq!(
        result("cache=false", &animated),
        (animated.clone(), "application/x-stored".to_owned())
    );
    assert_eq!(
        run(&[], &[of(b"", "text/plain")], true).unwrap(),
        Reply::Image {
            bytes: vec![],
            mimetype: "text/plain".to_owned()
        }
    );
}

#[test]
fn what_is_documented_and_not_done_says_so() {
    let input = png(&quarters(8, 8));
    for path in [
        "blur",
        "output=format:pdf",
        "output=docinfo:true",
        "watermark=file:H1",
        "sepia",
        "output=format:pjpg",
    ] {
        let error = transform(path, &input).unwrap_err();
        assert_eq!(error.status(), 501, "{path}");
        assert!(
            error.to_string().contains("not done by the emulator yet"),
            "{path}: {error}"
        );
    }
    assert_eq!(
        transform("flip", b"BM and so on, a bitmap").unwrap_err().status(),
        501
    );
    let error: serde_json::Value =
        serde_json::from_str(&transform("blur", &input).unwrap_err().to_string()).unwrap();
    assert_eq!(error, json!({ "error": "blur: not done by the emulator yet" }));
}
