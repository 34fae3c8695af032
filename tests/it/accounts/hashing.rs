//! Enormous passwords and tokens cost nothing (A7), and none of them is kept as it is (A11).

use std::io::Write as _;
use std::path::Path;

use satchel::db::models::users::Role;
use satchel::services::accounts;

use super::people::{account, address, api_token, browser, upload};
use crate::support::app::{PASSWORD, TestApp};
use crate::support::wire::{connect, get, post, read_reply};

const ANA: &str = "ana@example.org";

#[actix_web::test]
async fn a7_a_password_of_100_mb_is_refused_before_it_is_read() {
    let app = TestApp::sqlite().await;
    let mut visitor = browser(&app);
    let form = visitor.form_token("/sign-in");
    let begin = format!("csrf_token={form}&email={ANA}&password=");
    let announced = 100 * 1024 * 1024;
    let request = visitor
        .dressed(post("/sign-in").header("Content-Type", "application/x-www-form-urlencoded"))
        .header("Content-Length", announced.to_string())
        .bytes(visitor.address);
    let mut stream = connect(visitor.address).unwrap();
    stream.write_all(&request).unwrap();
    stream.write_all(begin.as_bytes()).unwrap();
    // Only the beginning was sent: the answer cannot have waited for the rest.
    assert_eq!(read_reply(&mut stream, false).unwrap().status, 413);
}

#[actix_web::test]
async fn a7_a_password_without_end_is_cut_off() {
    let app = TestApp::sqlite().await;
    let mut visitor = browser(&app);
    let form = visitor.form_token("/sign-in");
    let request = visitor
        .dressed(post("/sign-in").header("Content-Type", "application/x-www-form-urlencoded"))
        .header("Transfer-Encoding", "chunked")
        .bytes(visitor.address);
    let mut stream = connect(visitor.address).unwrap();
    stream.write_all(&request).unwrap();
    let begin = format!("csrf_token={form}&email={ANA}&password=");
    write!(stream, "{:x}\r\n{begin}\r\n", begin.len()).unwrap();
    let chunk = format!("{:x}\r\n{}\r\n", 1_000, "x".repeat(1_000));
    for _ in 0..45 {
        stream.write_all(chunk.as_bytes()).unwrap();
    }
    assert_eq!(read_reply(&mut stream, false).unwrap().status, 413);
}

#[actix_web::test]
async fn a7_a_password_longer_than_any_is_only_wrong() {
    let app = TestApp::sqlite().await;
    account(&app, ANA, Role::Member).await;
    assert_eq!(browser(&app).sign_in(ANA, &"x".repeat(10_000)).status, 422);
    let token = accounts::new_setup_token(&app.services).await.unwrap();
    assert_eq!(token, None);
}

#[actix_web::test]
async fn a7_an_enormous_token_is_refused() {
    let app = TestApp::sqlite().await;
    let call = |length: usize| {
        get("/api/documents")
            .bearer(&format!("satchel_{}", "x".repeat(length)))
            .send(address(&app))
            .status
    };
    assert_eq!(call(1_000), 401);
    assert_eq!(call(20_000), 401);
    assert!(matches!(call(1_000_000), 400 | 431), "{}", call(1_000_000));
}

/// Whether any file below the directory has these bytes in it.
fn is_anywhere(directory: &Path, bytes: &[u8]) -> bool {
    let entries = std::fs::read_dir(directory).expect("a directory that can be listed");
    entries.flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return is_anywhere(&path, bytes);
        }
        let content = std::fs::read(&path).unwrap_or_default();
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}

#[actix_web::test]
async fn a11_no_token_cookie_or_password_is_kept_as_it_is() {
    let app = TestApp::sqlite().await;
    let setup_token = accounts::new_setup_token(&app.services).await.unwrap().unwrap();
    let ana = account(&app, ANA, Role::Member).await;
    let token = api_token(&app, &ana).await;
    upload(&app, &token, "canary-of-the-test.txt", b"bytes");
    let mut visitor = browser(&app);
    assert_eq!(visitor.sign_in(ANA, PASSWORD).status, 303);
    visitor.get("/documents");
    let session = visitor.cookies["__Host-satchel"].clone();
    let secret = |text: &str| is_anywhere(app.data_dir(), text.as_bytes());
    assert!(secret("canary-of-the-test.txt"), "the search finds what is there");
    for (what, text) in [
        ("the API token", token.as_str()),
        ("its random part", token.trim_start_matches("satchel_")),
        ("the session's cookie", &session),
        ("the set-up token", &setup_token),
        ("the password", PASSWORD),
    ] {
        assert!(!secret(text), "{what} is on disk");
    }
}
