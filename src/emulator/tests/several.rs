//! §4, §6.1: lists of sources over the wire, and the tasks that take none.

use std::io::Cursor;

use image::codecs::gif::GifDecoder;
use image::{AnimationDecoder, DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::json;

use super::*;

const RED: [u8; 3] = [230, 20, 20];
const GREEN: [u8; 3] = [20, 200, 20];
const BLUE: [u8; 3] = [20, 20, 230];
const WHITE: [u8; 3] = [255; 3];

fn plain(width: u32, height: u32, color: [u8; 3]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(RgbImage::from_pixel(width, height, Rgb(color)))
        .write_to(&mut bytes, ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

/// Three pictures of one colour each, of different shapes.
fn three(bench: &Bench) -> [String; 3] {
    [(40, 20, RED), (20, 40, GREEN), (30, 30, BLUE)].map(|(width, height, color)| {
        let name = format!("{width}x{height}.png");
        bench.keep(&plain(width, height, color), &name, "image/png")
    })
}

async fn answer(bench: &Bench, path: &str) -> (u16, String, Vec<u8>) {
    let reply = bench.get(path).await;
    let kind = reply.headers().get("content-type");
    let kind = kind.map_or("", |kind| kind.to_str().unwrap()).to_owned();
    let status = reply.status().as_u16();
    (status, kind, reply.bytes().await.unwrap().to_vec())
}

async fn picture(bench: &Bench, path: &str) -> RgbImage {
    let (status, kind, bytes) = answer(bench, path).await;
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&bytes));
    assert!(kind.starts_with("image/"), "{path}: {kind}");
    image::load_from_memory(&bytes).unwrap().to_rgb8()
}

#[actix_web::test]
async fn a_collage_lays_its_pictures_into_a_grid() {
    let bench = Bench::open().await;
    let [a, b, c] = three(&bench);
    // 100 wide, margins of 10: two places of 35 in the first row, one of 80 in the second.
    let list = format!("collage=width:100,height:100,fit:crop/[{a},{b},{c}]");
    let files = format!("collage=w:100,h:100,files:[{a},{b},{c}],fit:crop");
    let beside = format!("collage=w:100,h:100,f:[{b},{c}],fit:crop/{a}");
    let external = format!(
        "AKeyz/collage=w:100,h:100,fit:crop/[{a},%22{}/{b}%22,{c}]",
        bench.base
    );
    for path in [list, files, beside, external] {
        let found = picture(&bench, &path).await;
        assert_eq!(found.dimensions(), (100, 100), "{path}");
        for (x, y, color) in [
            (5, 50, WHITE),
            (50, 30, WHITE),
            (50, 50, WHITE),
            (12, 12, RED),
            (43, 43, RED),
            (57, 12, GREEN),
            (12, 57, BLUE),
            (88, 88, BLUE),
        ] {
            assert_eq!(found.get_pixel(x, y).0, color, "{path} at {x},{y}");
        }
    }
    // Without `fit:crop` a picture keeps its ratio in the middle of its place.
    let found = picture(
        &bench,
        &format!("collage=width:60,height:40,margin:10,color:00f/[{a}]"),
    )
    .await;
    assert_eq!(found.get_pixel(30, 20).0, RED);
    assert_eq!(found.get_pixel(30, 5).0, [0, 0, 255]);
    let found = picture(&bench, &format!("collage=width:60,height:60,margin:10/[{a}]")).await;
    assert_eq!(
        (found.get_pixel(30, 30).0, found.get_pixel(30, 15).0),
        (RED, WHITE)
    );
    // Tasks before it are for each picture, those after it for the collage.
    let found = picture(
        &bench,
        &format!(
            "resize=width:1,height:1,fit:scale/collage=width:60,height:60,margin:10/resize=width:30/[{a}]"
        ),
    )
    .await;
    assert_eq!((found.dimensions(), found.get_pixel(15, 15).0), ((30, 30), RED));
    let (_, kind, _) = answer(&bench, &format!("collage=w:60,h:60/output=format:jpg/[{a},{b}]")).await;
    assert_eq!(kind, "image/jpeg");
}

#[actix_web::test]
async fn an_animation_has_a_frame_for_each_source() {
    let bench = Bench::open().await;
    let [a, b, c] = three(&bench);
    let (status, kind, bytes) = answer(&bench, &format!("animate=delay:250,loop:3/[{a},{b},{c}]")).await;
    assert_eq!((status, kind.as_str()), (200, "image/gif"));
    let frames = GifDecoder::new(Cursor::new(&bytes)).unwrap().into_frames();
    let frames = frames.collect_frames().unwrap();
    let looks: Vec<_> = frames
        .iter()
        .map(|frame| (frame.delay().numer_denom_ms(), frame.buffer().dimensions()))
        .collect();
    assert_eq!(looks, [((250, 1), (40, 20)); 3]);
    // The tall one is fitted into the first one's shape; around it nothing is left of the frame before.
    let (first, second) = (frames[0].buffer(), frames[1].buffer());
    assert_eq!(first.get_pixel(2, 10).0, [RED[0], RED[1], RED[2], 255]);
    assert_eq!(second.get_pixel(2, 10).0[3], 0);
    assert_eq!(second.get_pixel(20, 10).0[..3], GREEN);
    assert!(bytes.windows(11).any(|bytes| bytes == b"NETSCAPE2.0"));

    let (_, _, bytes) = answer(&bench, &format!("animate=width:10,height:10,fit:crop/[{a},{b}]")).await;
    let frames = GifDecoder::new(Cursor::new(&bytes)).unwrap().into_frames();
    let frames = frames.collect_frames().unwrap();
    assert_eq!(frames.len(), 2);
    assert_eq!(frames[1].buffer().dimensions(), (10, 10));
    assert_eq!(frames[1].buffer().get_pixel(0, 0).0[..3], GREEN);
    let one = picture(&bench, &format!("animate/{a}")).await;
    assert_eq!((one.dimensions(), one.get_pixel(20, 10).0), ((40, 20), RED));
}

#[actix_web::test]
async fn a_pdf_has_a_page_for_each_source() {
    let bench = Bench::open().await;
    let [a, b, c] = three(&bench);
    let (status, kind, bytes) = answer(&bench, &format!("pdfcreate/[{a},{b},{c}]")).await;
    assert_eq!((status, kind.as_str()), (200, "application/pdf"));
    assert!(bytes.starts_with(b"%PDF-1.4\n") && bytes.ends_with(b"%%EOF\n"));
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("/Count 3"));
    for page in ["[0 0 40.00 20.00]", "[0 0 20.00 40.00]", "[0 0 30.00 30.00]"] {
        assert!(text.contains(page), "{page}");
    }
    // Each line of the table at the end is where an object begins.
    let at = bytes.windows(5).position(|five| five == b"xref\n").unwrap();
    let table = String::from_utf8(bytes[at..].to_vec()).unwrap();
    let starts = table.lines().filter(|line| line.ends_with("00000 n "));
    let starts: Vec<usize> = starts.map(|line| line[..10].parse().unwrap()).collect();
    assert_eq!(starts.len(), 2 + 3 * 3);
    for (start, id) in starts.into_iter().zip(1..) {
        assert!(
            bytes[start..].starts_with(format!("{id} 0 obj\n").as_bytes()),
            "{id}"
        );
    }
    let named: usize = table.lines().rev().nth(1).unwrap().parse().unwrap();
    assert_eq!(named, at);
    // The picture's own pixels are on the page.
    let begin = "/FlateDecode /Length ";
    let head = bytes
        .windows(begin.len())
        .position(|part| part == begin.as_bytes())
        .unwrap();
    let stream = &bytes[head..];
    let from = stream.windows(7).position(|seven| seven == b"stream\n").unwrap() + 7;
    let mut pixels = Vec::new();
    flate2::read::ZlibDecoder::new(&stream[from..])
        .read_to_end(&mut pixels)
        .unwrap();
    assert_eq!((pixels.len(), &pixels[..3]), (40 * 20 * 3, RED.as_slice()));
}

#[actix_web::test]
async fn what_is_made_of_several_can_be_stored_and_reported_on() {
    let bench = Bench::open().await;
    let [a, b, c] = three(&bench);
    let path = format!("collage=width:90,height:90/store=filename:all.png/[{a},{b},{c}]");
    let (status, file) = bench.post(&path, &json!(null)).await;
    assert_eq!(
        (status, &file["filename"], &file["type"]),
        (200, &json!("all.png"), &json!("image/png")),
        "{file}"
    );
    let kept = picture(&bench, file["handle"].as_str().unwrap()).await;
    assert_eq!(kept.dimensions(), (90, 90));
    let body = json!({
        "apikey": "AKeyz",
        "sources": [a, b],
        "tasks": [{ "name": "animate", "params": { "delay": 100 } }, { "name": "store" }],
    });
    let (status, file) = bench.post("process", &body).await;
    assert_eq!((status, &file["type"]), (200, &json!("image/gif")), "{file}");
    let report = bench
        .get(&format!("debug/collage=width:90,height:90/[{a},{b}]"))
        .await;
    let report = report.json::<Value>().await.unwrap();
    assert_eq!(
        (&report["status"]["http_code"], &report["chain"]),
        (&json!(200), &json!(["collage"])),
        "{report}"
    );
}

#[actix_web::test]
async fn every_source_of_a_list_needs_the_policy() {
    let bench = Bench::secured().await;
    let [a, b, c] = three(&bench);
    let gone = "A".repeat(20);
    for (tasks, list, policy, wanted) in [
        (
            "animate",
            format!("[{a},{b}]"),
            json!({ "call": ["convert"] }),
            200,
        ),
        ("animate", format!("[{a},{b}]"), json!({ "call": ["read"] }), 403),
        (
            "animate",
            format!("[{a},{b}]"),
            json!({ "call": ["convert"], "handle": a }),
            403,
        ),
        (
            "pdfcreate",
            format!("[{a},{gone}]"),
            json!({ "call": ["convert"] }),
            404,
        ),
        (
            "collage=w:90,h:90",
            format!("[{a},{b}]"),
            json!({ "call": ["convert"], "handle": b }),
            403,
        ),
    ] {
        let path = format!("{tasks}/{list}?{}", bench.query(policy));
        assert_eq!(bench.get(&path).await.status().as_u16(), wanted, "{path}");
    }
    // The files in the task's own list are sources too.
    let path = format!("collage=w:90,h:90,files:[{b},{c}]/{a}");
    let only_a = bench.query(json!({ "call": ["convert"], "handle": a }));
    assert_eq!(bench.get(&format!("{path}?{only_a}")).await.status(), 403);
    let any = bench.query(json!({ "call": ["convert"] }));
    assert_eq!(bench.get(&format!("{path}?{any}")).await.status(), 200);
}

#[actix_web::test]
async fn a_list_where_one_source_belongs_is_refused() {
    let bench = Bench::open().await;
    let [a, b, c] = three(&bench);
    let spare = bench.keep(b"spare", "b.txt", "text/plain");
    let list = format!("[{a},{b}]");
    for (tasks, named) in [
        ("", "download"),
        ("cache=expiry:60/", "download"),
        ("resize=width:10/", "resize"),
        ("debug/flip/", "flip"),
        ("sepia/", "sepia"),
        ("imagesize/", "imagesize"),
        ("output=format:pdf/", "output"),
        ("metadata=[size]/", "metadata"),
        ("store/", "store"),
        ("ocr/", "ocr"),
        ("video_convert/", "video_convert"),
        // The request is wrong, not its source.
        (&format!("fallback=file:{spare}/resize=width:10/"), "resize"),
    ] {
        let (status, kind, body) = answer(&bench, &format!("AKeyz/{tasks}{list}")).await;
        assert_eq!(status, 400, "{tasks}");
        assert!(kind.starts_with("text/plain"), "{tasks}: {kind}");
        let wanted = format!("invalid source for `{named}` task: it takes one source, not a list");
        assert_eq!(String::from_utf8(body).unwrap(), wanted, "{tasks}");
    }
    let text = bench.keep(b"words", "a.txt", "text/plain");
    let hundred = vec![a.as_str(); 100].join(",");
    for (path, status) in [
        (format!("animate/[{a},{text}]"), 400),
        (format!("pdfcreate/{text}"), 400),
        (format!("zip/resize=width:10/{list}"), 400),
        (format!("animate/pdfcreate/{list}"), 400),
        (format!("pdfcreate/resize=width:10/{list}"), 400),
        (format!("imagesize/animate/{list}"), 400),
        (format!("collage=width:0,height:10/{list}"), 400),
        (format!("collage=width:20,height:20/{list}"), 400),
        (
            format!("collage=width:90,height:90,files:[%22http://x/%22]/{a}"),
            400,
        ),
        ("collage=width:90,height:90".into(), 400),
        (format!("collage=width:90,height:90,files:[{c}]/[{hundred}]"), 400),
        (format!("collage=width:10000,height:10001/{list}"), 400),
        (format!("animate=width:1800,height:1800/[{hundred}]"), 413),
        (format!("animate=width:1801/{list}"), 400),
    ] {
        let (found, _, body) = answer(&bench, &path).await;
        let body = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(found, status, "{}: {body}", &path[..path.len().min(90)]);
    }
}
