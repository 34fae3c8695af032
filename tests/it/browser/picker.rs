//! The Picker's stand-in with the options of `filestack-protocol` §9.2 that make sense without clouds, opened as any page would open it:
//! with our small client, and with Filestack's own.

use image::GenericImageView as _;
use serde_json::{Value, json};

use super::direct::Scene;
use crate::support::content;

const MIB: usize = 1 << 20;
const PICTURE: &[u8] = include_bytes!("../../../docs/screenshot-documents.png");

/// Opens a Picker with these options in the page. What it calls is written down, and so is its answer.
const OPEN: &str = "return (async (given) => {
    const direct = await import(document.getElementById('uploader').dataset.direct);
    const { client, granted } = await direct.open(10);
    window.said = [];
    const calls = ['onOpen', 'onClose', 'onCancel', 'onFileSelected', 'onFileUploadStarted', 'onFileUploadFinished',
        'onFileUploadFailed', 'onFileUploadCancel', 'onFileCropped', 'onUploadStarted'];
    const noting = Object.fromEntries(calls.map((call) => [call, () => { window.said.push(call); }]));
    const options = { container: '#picker', displayMode: 'inline', ...given, ...noting, storeTo: { path: granted.path },
        onFileUploadProgress: () => { window.progressed = true; },
        onUploadDone: (answer) => { window.said.push('onUploadDone'); window.answer = JSON.parse(JSON.stringify(answer)); } };
    if (given.dropPane) options.dropPane = { onSuccess: (files) => { window.said.push(`onSuccess ${files.length}`); } };
    window.picker = client.picker(options);
    await window.picker.open();
})(arguments[0])";

async fn open(scene: &Scene, options: Value) {
    scene.browser.run(OPEN, &[options]).await;
}

async fn choose(scene: &Scene, files: &[(&str, &[u8])]) {
    let paths: Vec<_> = files
        .iter()
        .map(|(name, bytes)| scene.file(name, bytes))
        .collect();
    let paths: Vec<_> = paths.iter().map(|path| path.as_path()).collect();
    scene.browser.choose("#picker input[type=file]", &paths).await;
}

async fn press(scene: &Scene, words: &str) {
    let script = "const buttons = [...document.querySelectorAll('#picker button, [role=dialog] button')];
        const found = buttons.find((one) => one.textContent === arguments[0] && one.offsetParent && !one.disabled);
        found?.click();
        return Boolean(found);";
    let what = format!("a button {words}");
    let pressed = async || scene.browser.run(script, &[json!(words)]).await == true;
    scene.browser.until(&what, pressed).await;
}

async fn answer(scene: &Scene) -> Value {
    let there = async || scene.browser.run("return 'answer' in window", &[]).await == true;
    scene.browser.until("the Picker has answered", there).await;
    scene.browser.run("return window.answer", &[]).await
}

async fn said(scene: &Scene) -> Vec<String> {
    let said = scene.browser.run("return window.said", &[]).await;
    serde_json::from_value(said).expect("a list of names")
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn what_a_picker_may_not_take_is_refused_and_said() {
    refusals(Scene::new().await).await;
}

#[actix_web::test]
#[ignore = "needs Chromium and Filestack's JavaScript SDK"]
async fn what_a_picker_may_not_take_is_refused_and_said_with_the_official_client() {
    refusals(Scene::official().await).await;
}

async fn refusals(scene: Scene) {
    let browser = &scene.browser;
    let options =
        json!({"accept": ["image/*", ".pdf", "md"], "maxSize": 200_000, "minFiles": 2, "maxFiles": 3});
    open(&scene, options).await;
    browser
        .see_text(
            "#picker .fsp-drop",
            "Accepted: image/*, .pdf, md · up to 195.3 KiB each · at most 3 files",
        )
        .await;
    choose(
        &scene,
        &[
            ("a.txt", b"x"),
            ("large.pdf", &content(200_001)),
            ("empty.pdf", b""),
        ],
    )
    .await;
    for words in [
        "a.txt: This type is not accepted here. Accepted: image/*, .pdf, md.",
        "large.pdf: Too large: it has 195.3 KiB, the limit is 195.3 KiB.",
        "empty.pdf: This file is empty, and Filestack’s client stores no empty files.",
    ] {
        browser.see_text("#picker [role=alert]", words).await;
    }
    browser
        .see_text("#picker .fsp-foot", "Nothing chosen, at least 2 are needed")
        .await;
    choose(&scene, &[("one.png", PICTURE)]).await;
    let size = format!("{:.1}", PICTURE.len() as f64 / 1_024.0);
    let chosen = format!(
        "1 chosen, {} KiB, at least 2 are needed",
        size.trim_end_matches(".0")
    );
    browser.see_text("#picker .fsp-foot", &chosen).await;
    let go = "return document.querySelector('#picker .fsp-foot button').disabled";
    assert_eq!(browser.run(go, &[]).await, true, "one is too few");
    choose(
        &scene,
        &[
            ("two.pdf", b"%PDF-1.4\n"),
            ("three.md", b"# Three"),
            ("four.pdf", b"%PDF"),
        ],
    )
    .await;
    browser
        .see_text(
            "#picker [role=alert]",
            "Only 3 can be chosen; the others were left out.",
        )
        .await;
    browser.screenshot("picker-refusals").await;
    assert_eq!(scene.app.stored_files(), 0);
    press(&scene, "Upload 3 files").await;
    let answer = answer(&scene).await;
    assert_eq!(answer["filesFailed"], json!([]));
    let files = answer["filesUploaded"].as_array().expect("a list");
    assert_eq!(files.len(), 3);
    for file in files {
        for field in ["filename", "url", "handle", "uploadId", "originalPath", "key"] {
            assert!(
                file[field].as_str().is_some_and(|text| !text.is_empty()),
                "{field}: {file}"
            );
        }
        assert_eq!(
            (&file["source"], &file["status"]),
            (&json!("local_file_system"), &json!("Stored"))
        );
        assert_eq!(file["originalFile"]["name"], file["filename"]);
        let stored = scene
            .app
            .emulator
            .store()
            .get(file["handle"].as_str().expect("a handle"));
        assert_eq!(
            stored.expect("a store").expect("a file").size,
            file["size"].as_u64().expect("a size")
        );
    }
    let said = said(&scene).await;
    assert_eq!(said.first().map(String::as_str), Some("onOpen"));
    assert_eq!(said.last().map(String::as_str), Some("onUploadDone"));
    let count = |call: &str| said.iter().filter(|one| *one == call).count();
    assert_eq!(
        (count("onUploadStarted"), count("onFileUploadStarted")),
        (1, 3),
        "{said:?}"
    );
    assert_eq!(count("onFileUploadFinished"), 3, "{said:?}");
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn a_picture_is_turned_cut_and_rounded_before_it_is_stored() {
    let scene = Scene::new().await;
    let browser = &scene.browser;
    let original = image::load_from_memory(PICTURE).expect("a picture");
    open(&scene, json!({"maxFiles": 2})).await;
    choose(&scene, &[("one.png", PICTURE)]).await;
    press(&scene, "Edit").await;
    press(&scene, "Rotate right").await;
    let area = "const fields = document.querySelectorAll('#picker .fsp-fields input');
        arguments[0].forEach((value, i) => { fields[i].value = value; });
        fields[0].dispatchEvent(new Event('change'));
        return [...fields].map((field) => Number(field.value));";
    assert_eq!(
        browser.run(area, &[json!([10, 20, 300, 200])]).await,
        json!([10, 20, 300, 200])
    );
    scene.look("picker-editor").await;
    // Outside the picture there is nothing to cut out.
    let (width, height) = (original.height(), original.width());
    let outside = browser.run(area, &[json!([width - 5, 0, 9_999, 9_999])]).await;
    assert_eq!(outside, json!([width - 5, 0, 5, height]));
    browser.run(area, &[json!([10, 20, 300, 200])]).await;
    press(&scene, "Use it").await;
    browser.see("#picker .fsp-files").await;
    choose(&scene, &[("two.png", PICTURE)]).await;
    browser
        .run(
            "document.querySelectorAll('#picker .fsp-file')[1].querySelector('button').click()",
            &[],
        )
        .await;
    press(&scene, "Circle").await;
    press(&scene, "Use it").await;
    press(&scene, "Upload 2 files").await;
    let answer = answer(&scene).await;
    let files = answer["filesUploaded"].as_array().expect("a list");
    let picture = |file: &Value| {
        let handle = file["handle"].as_str().expect("a handle");
        let bytes = scene
            .app
            .emulator
            .store()
            .read(handle)
            .expect("a store")
            .expect("a file");
        image::load_from_memory(&bytes).expect("a picture")
    };
    assert_eq!(files[0]["rotated"], json!({"value": 90, "direction": "CW"}));
    assert_eq!(
        files[0]["cropped"],
        json!({"cropArea": {"position": [10, 20], "size": [300, 200]},
            "originalImageSize": [original.width(), original.height()]})
    );
    let turned = picture(&files[0]);
    assert_eq!(turned.dimensions(), (300, 200));
    let expected = original.rotate90().crop_imm(10, 20, 300, 200);
    assert_eq!(turned.get_pixel(150, 100), expected.get_pixel(150, 100));
    let round = picture(&files[1]);
    assert_eq!(round.dimensions(), original.dimensions());
    assert_eq!(round.get_pixel(0, 0).0[3], 0, "the corners are gone");
    assert_eq!(round.get_pixel(round.width() / 2, round.height() / 2).0[3], 255);
    assert!(said(&scene).await.contains(&"onFileCropped".to_owned()));
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn a_drop_pane_uploads_what_is_dropped_onto_it() {
    let scene = Scene::new().await;
    open(
        &scene,
        json!({"displayMode": "dropPane", "dropPane": {}, "maxFiles": 5}),
    )
    .await;
    scene
        .browser
        .see_text("#picker .fsp-pane", "Drop files here")
        .await;
    scene
        .browser
        .drop_file("#picker .fsp-pane", "dropped.txt", "Onto the pane.")
        .await;
    let answer = answer(&scene).await;
    assert_eq!(answer["filesUploaded"][0]["filename"], "dropped.txt");
    assert!(said(&scene).await.contains(&"onSuccess 1".to_owned()));
    assert_eq!(
        scene.app.stored_files(),
        1,
        "the page's own box did not take it, too"
    );
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn what_needs_no_editing_may_go_in_the_background() {
    let scene = Scene::new().await;
    let options = json!({"uploadInBackground": true, "disableTransformer": true, "maxFiles": 3});
    open(&scene, options).await;
    choose(&scene, &[("one.txt", b"Not waited for.")]).await;
    let answer = answer(&scene).await;
    assert_eq!(answer["filesUploaded"][0]["filename"], "one.txt");
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn an_upload_in_the_picker_is_cancelled_and_sent_again() {
    cancelled(Scene::new().await).await;
}

#[actix_web::test]
#[ignore = "needs Chromium and Filestack's JavaScript SDK"]
async fn an_upload_in_the_picker_is_cancelled_and_sent_again_with_the_official_client() {
    cancelled(Scene::official().await).await;
}

async fn cancelled(scene: Scene) {
    scene.network(false, 0.5 * MIB as f64).await;
    open(&scene, json!({"maxFiles": 2})).await;
    choose(&scene, &[("large.bin", &content(12 * MIB))]).await;
    press(&scene, "Upload").await;
    press(&scene, "Cancel").await;
    scene.browser.see_text("#picker .fsp-file", "Cancelled").await;
    scene
        .browser
        .see_text(
            "#picker .fsp-foot",
            "0 uploaded, 1 not. Retry or remove them, or go on without.",
        )
        .await;
    assert_eq!(scene.app.stored_files(), 0);
    scene.network(false, -1.0).await;
    press(&scene, "Retry").await;
    let answer = answer(&scene).await;
    assert_eq!(answer["filesUploaded"][0]["size"], json!(12 * MIB));
    assert_eq!(scene.app.stored_files(), 1);
    let said = said(&scene).await;
    assert!(said.contains(&"onFileUploadCancel".to_owned()), "{said:?}");
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn a_picture_is_taken_with_the_camera() {
    let scene = Scene::new().await;
    scene.browser.click("#picker-open").await;
    scene.browser.see("#picker .fsp-inline").await;
    press(&scene, "Use the camera").await;
    let ready = "const video = document.querySelector('#picker video'); return Boolean(video?.videoWidth)";
    let runs = async || scene.browser.run(ready, &[]).await == true;
    scene.browser.until("the camera runs", runs).await;
    press(&scene, "Take the picture").await;
    scene.browser.see_text("#picker .fsp-foot", "1 chosen").await;
    press(&scene, "Upload").await;
    scene.state(1, "Uploaded").await;
    let documents = scene.app.documents().await;
    assert_eq!(documents[0].content_type, "image/jpeg");
    let stored = scene.app.emulator.store().read(&documents[0].handle);
    let picture = image::load_from_memory(&stored.expect("a store").expect("a file"));
    assert!(picture.expect("a picture").width() > 100);
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn what_is_pasted_goes_to_the_open_picker_alone_and_a_second_opening_is_a_new_one() {
    let scene = Scene::new().await;
    let browser = &scene.browser;
    let paste =
        "const transfer = new DataTransfer(); transfer.items.add(new File(['Pasted.'], arguments[0]));
        document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: transfer, bubbles: true}));";
    for name in ["one.txt", "two.txt"] {
        browser.click("#picker-open").await;
        browser.see("#picker .fsp-inline").await;
        assert_eq!(browser.count("#picker .fsp-inline").await, 1);
        browser.run(paste, &[json!(name)]).await;
        browser.see_text("#picker .fsp-foot", "1 chosen").await;
        press(&scene, "Upload").await;
        let closed = async || browser.count("#picker .fsp").await == 0;
        browser.until("the Picker has gone", closed).await;
    }
    // Opened by mistake, it is closed by the same button.
    browser.click("#picker-open").await;
    browser.see("#picker .fsp-inline").await;
    browser.see_text("#picker-open", "Close the Picker").await;
    browser.click("#picker-open").await;
    browser.see_text("#picker-open", "Open the Picker").await;
    assert_eq!(browser.count("#picker .fsp").await, 0);
    browser.run(paste, &[json!("three.txt")]).await;
    scene.state(3, "Uploaded").await;
    assert_eq!(scene.names().await, ["one.txt", "three.txt", "two.txt"]);
    browser.assert_quiet().await;
}
