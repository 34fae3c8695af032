//! `/archive` and `POST /api/archive`: several documents as one ZIP, streamed.

use std::io::Write as _;
use std::process::Command;

use satchel::db::models::documents::{self, QUARANTINED, STORED};
use satchel::emulator::{Fault, Route};
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::client::Client;
use crate::support::content;

/// A document that nobody has.
const NOT_THERE: &str = "0195a3c2-7b1e-7c3d-8e4f-000000000000";

/// Names, sizes and checksums as Python's reader sees them, after it has read every entry.
fn unpacked(archive: &[u8]) -> Value {
    const READ: &str = "import sys, json, zipfile, hashlib\n\
        z = zipfile.ZipFile(sys.argv[1])\n\
        assert z.testzip() is None\n\
        print(json.dumps([[i.filename, i.file_size, hashlib.md5(z.read(i)).hexdigest()] for i in z.infolist()]))";
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(archive).expect("room for it");
    let read = Command::new("python3")
        .args(["-c", READ])
        .arg(file.path())
        .output()
        .expect("Python");
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    serde_json::from_slice(&read.stdout).expect("what Python read")
}

fn md5(bytes: &[u8]) -> String {
    use md5::{Digest as _, Md5};
    Md5::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[actix_web::test]
#[ignore = "needs Python"]
async fn u13_documents_are_had_as_one_archive_whose_names_stay_inside_and_differ() {
    let app = TestApp::sqlite().await;
    let (ana, script) = (app.user("ana").await, app.token("ana").await);
    let (large, small) = (content(3_000_000), content(11));
    let first = ana.document("report.txt", &large).await;
    let second = ana.document("Report.txt", &small).await;
    let third = ana.document("../../nul.txt", b"").await;
    let ids = json!({"ids": [first, second, third]});
    let answer = script.post_json("/api/archive", &ids).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/zip"));
    assert_eq!(
        answer.header("content-disposition"),
        Some("attachment; filename=\"documents.zip\"")
    );
    let length = answer.header("content-length").map(str::to_owned);
    assert_eq!(length, Some(answer.body.len().to_string()));
    let entries = unpacked(&answer.body);
    let mut rows: Vec<_> = entries
        .as_array()
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    rows.sort();
    let mut names: Vec<_> = entries
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row[0].as_str().unwrap().to_lowercase())
        .collect();
    names.sort();
    assert_eq!(names, ["_nul.txt", "report (2).txt", "report.txt"]);
    for bytes in [&large[..], &small, b""] {
        let sum = md5(bytes);
        assert!(rows.iter().any(|row| row.contains(&sum)), "{rows:?}");
    }
    // By the list's form too.
    let fields = [("id", first.as_str()), ("id", second.as_str())];
    let answer = ana.post_form("/archive", &fields).await;
    assert_eq!(answer.status, 200);
    assert_eq!(unpacked(&answer.body).as_array().unwrap().len(), 2);
}

#[actix_web::test]
#[ignore = "needs Python"]
async fn i6_d7_an_archive_has_ones_own_documents_that_are_served_and_says_what_it_has_not() {
    let app = TestApp::sqlite().await;
    let (ana, bob) = (app.token("ana").await, app.token("bob").await);
    let good = ana.document("good.txt", b"good").await;
    let held = ana.document("held.txt", b"held").await;
    let trashed = ana.document("trashed.txt", b"trashed").await;
    let hers = bob.document("hers.txt", b"hers").await;
    ana.delete(&format!("/api/documents/{trashed}")).await;
    let (id, now) = (held.parse().unwrap(), app.services.clock.now());
    let moved = app
        .services
        .db
        .write(move |c| documents::move_on(c, id, &[STORED], QUARANTINED, now));
    assert!(moved.await.unwrap());

    let ids = json!({"ids": [good, held, trashed, hers, NOT_THERE, "x"]});
    let answer = ana.post_json("/api/archive", &ids).await;
    let entries = unpacked(&answer.body);
    assert_eq!(entries[0][0], "good.txt");
    assert_eq!(entries[1][0], "Not in this archive.txt");
    assert_eq!(entries.as_array().unwrap().len(), 2);
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(text.contains("held.txt: The document is being looked at for viruses."));
    assert!(text.contains("4 of the chosen documents were not found."));
    for secret in ["hers", "trashed"] {
        assert!(!text.contains(secret), "{secret}");
    }
    let none = ana
        .post_json("/api/archive", &json!({"ids": [hers, trashed]}))
        .await;
    assert_eq!((none.status, none.problem().as_str()), (404, "not-found"));
    let none = ana.post_json("/api/archive", &json!({"ids": []})).await;
    assert_eq!((none.status, none.problem().as_str()), (400, "nothing-chosen"));
}

#[actix_web::test]
async fn an_archive_whose_file_fails_in_the_middle_is_cut_off_and_never_looks_complete() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let first = ana.document("a.bin", &content(2_000_000)).await;
    let second = ana.document("b.bin", &content(2_000_000)).await;
    let ids = json!({"ids": [first, second]});
    let archive = async |client: &Client| {
        let request = client.changing(reqwest::Method::POST, "/api/archive").await;
        let request = request.header("content-type", "application/json");
        client.try_send(request.body(ids.to_string())).await
    };
    assert_eq!(archive(&ana).await.unwrap().status, 200);
    app.emulator
        .faults()
        .next(Route::Delivery, Fault::CutReply { after: 500_000 });
    assert!(archive(&ana).await.is_err(), "cut off");
    app.emulator.faults().clear();
    // A file that has gone without a word breaks it off too.
    let handle = ana.get(&format!("/api/documents/{second}")).await.field("handle");
    app.emulator.store().delete(&handle).unwrap();
    assert!(archive(&ana).await.is_err(), "gone");
}
