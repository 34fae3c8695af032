//! `/documents` and `GET /api/documents`: pages both ways, order, search, total, and what is said when there is nothing.

use serde_json::Value;

use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::client::Client;
use crate::support::documents::a_document;

fn names(page: &Answer) -> Vec<String> {
    page.texts("tbody tr .cell-name")
}

fn link(page: &Answer, rel: &str) -> Option<String> {
    page.attributes(&format!("a[rel={rel}]"), "href").pop()
}

/// Follows these links to their end and gives the names of every page.
async fn walk(client: &Client, from: &str, rel: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut next = Some(from.to_owned());
    while let Some(path) = next {
        let page = client.page(&path).await;
        pages.push(names(&page));
        next = link(&page, rel);
        assert!(pages.len() < 20, "the links go in a circle");
    }
    pages
}

#[actix_web::test]
async fn pages_are_walked_there_and_back_by_their_links() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    for n in 0..120 {
        a_document(&format!("{n:03}.txt")).create(&app, "ana").await;
    }
    let all: Vec<_> = (0..120).rev().map(|n| format!("{n:03}.txt")).collect();
    let pages = walk(&ana, "/documents", "next").await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [50, 50, 20]);
    assert_eq!(pages.concat(), all);

    let first = ana.page("/documents").await;
    assert_eq!(first.texts(".count"), ["120 documents"]);
    assert_eq!(link(&first, "prev"), None);
    let second = ana.page(&link(&first, "next").unwrap()).await;
    let third = ana.page(&link(&second, "next").unwrap()).await;
    assert_eq!(link(&third, "next"), None);
    let back = ana.page(&link(&third, "prev").unwrap()).await;
    assert_eq!(names(&back), pages[1]);
    let start = ana.page(&link(&back, "prev").unwrap()).await;
    assert_eq!(names(&start), pages[0]);
    assert_eq!(link(&start, "prev"), None);
}

#[actix_web::test]
async fn the_list_is_sorted_by_date_name_or_size_either_way() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    for (name, size) in [("Beta.txt", 30), ("alpha.txt", 20), ("gamma.txt", 10)] {
        a_document(name).of_size(size).create(&app, "ana").await;
    }
    for (sort, expected) in [
        ("", ["gamma.txt", "alpha.txt", "Beta.txt"]),
        ("-created", ["gamma.txt", "alpha.txt", "Beta.txt"]),
        ("created", ["Beta.txt", "alpha.txt", "gamma.txt"]),
        ("name", ["alpha.txt", "Beta.txt", "gamma.txt"]),
        ("-name", ["gamma.txt", "Beta.txt", "alpha.txt"]),
        ("size", ["gamma.txt", "alpha.txt", "Beta.txt"]),
        ("-size", ["Beta.txt", "alpha.txt", "gamma.txt"]),
    ] {
        let page = ana.page(&format!("/documents?sort={sort}")).await;
        assert_eq!(names(&page), expected, "{sort}");
        assert_eq!(page.attributes("th[aria-sort]", "aria-sort").len(), 1, "{sort}");
    }
    // Every heading that sorts leads to a list that is there.
    for path in ana.page("/documents").await.attributes("thead th a", "href") {
        assert_eq!(names(&ana.page(&path).await).len(), 3, "{path}");
    }
    let wrong = ana.get("/documents?sort=owner_id").await;
    assert_eq!(wrong.status, 400, "{}", wrong.text());
    assert_eq!(wrong.texts("h1").len(), 1);
}

#[actix_web::test]
async fn pages_keep_order_and_search() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    for n in 0..60 {
        a_document(&format!("report {n:02}.txt"))
            .create(&app, "ana")
            .await;
        a_document(&format!("other {n:02}.txt")).create(&app, "ana").await;
    }
    let expected: Vec<_> = (0..60).map(|n| format!("report {n:02}.txt")).collect();
    let there = walk(&ana, "/documents?sort=name&q=RePort", "next").await;
    assert_eq!(there.iter().map(Vec::len).collect::<Vec<_>>(), [50, 10]);
    assert_eq!(there.concat(), expected);
    let page = ana.page("/documents?sort=name&q=RePort").await;
    assert_eq!(page.texts(".count"), ["60 documents found"]);
    assert_eq!(page.attributes("#q", "value"), ["RePort"]);
}

#[actix_web::test]
async fn i5_search_finds_parts_of_names_of_ones_own_documents() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    app.user("bob").await;
    for name in ["Quarterly Report.pdf", "Ärger.txt", "100%_done.md", "x"] {
        a_document(name).create(&app, "ana").await;
        a_document(&format!("bob's {name}")).create(&app, "bob").await;
    }
    for (query, expected) in [
        ("report", vec!["Quarterly Report.pdf"]),
        ("%C3%A4RG", vec!["Ärger.txt"]),
        ("%25_", vec!["100%_done.md"]),
        ("d", vec!["100%_done.md", "Quarterly Report.pdf"]),
        ("bob", vec![]),
        ("%22%20OR%20%22", vec![]),
        ("*", vec![]),
    ] {
        let page = ana.page(&format!("/documents?q={query}")).await;
        assert_eq!(names(&page), expected, "{query}");
    }
}

#[actix_web::test]
async fn an_empty_list_says_why_and_what_to_do() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let empty = ana.page("/documents").await;
    assert_eq!(empty.texts(".empty h2"), ["Nothing here yet"]);
    assert_eq!(empty.texts(".count"), ["0 documents"]);
    assert_eq!(empty.attributes(".empty a", "href"), ["/uploads/new"]);
    a_document("a.txt").create(&app, "ana").await;
    let nothing = ana.page("/documents?q=zzz").await;
    assert_eq!(nothing.texts(".empty h2"), ["No document matches"]);
    assert_eq!(nothing.attributes(".empty a", "href"), ["/documents"]);
}

#[actix_web::test]
async fn a_page_whose_documents_are_gone_begins_again() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let mut ids = Vec::new();
    for n in 0..51 {
        ids.push(a_document(&format!("{n:02}.txt")).create(&app, "ana").await);
    }
    let next = link(&ana.page("/documents").await, "next").unwrap();
    ana.delete(&format!("/api/documents/{}", ids[0])).await;
    let page = ana.page(&next).await;
    assert_eq!(names(&page).len(), 50);
    assert_eq!(page.texts(".count"), ["50 documents"]);
}

#[actix_web::test]
async fn the_api_lists_every_document_once() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    for n in 0..120 {
        a_document(&format!("{n:03}.txt")).create(&app, "ana").await;
    }
    for (limit, lengths) in [
        ("", vec![50, 50, 20]),
        ("limit=60", vec![60, 60]),
        ("limit=200", vec![120]),
    ] {
        let (mut seen, mut found, mut cursor) = (Vec::new(), Vec::new(), Value::Null);
        loop {
            let cursor_text = cursor.as_str().unwrap_or_default().to_owned();
            let page = ana
                .get(&format!("/api/documents?{limit}&cursor={cursor_text}"))
                .await
                .json();
            let rows = page["documents"].as_array().unwrap().clone();
            seen.push(rows.len());
            found.extend(rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()));
            cursor = page["next_cursor"].clone();
            if cursor.is_null() {
                break;
            }
        }
        assert_eq!(seen, lengths, "{limit}");
        assert_eq!(
            found,
            (0..120).rev().map(|n| format!("{n:03}.txt")).collect::<Vec<_>>()
        );
    }
}

#[actix_web::test]
async fn the_api_refuses_limits_and_cursors_that_are_none() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    for (query, code) in [
        ("limit=0", "invalid-limit"),
        ("limit=201", "invalid-limit"),
        ("limit=-1", "invalid-limit"),
        ("limit=many", "invalid-query"),
        ("cursor=abc", "invalid-cursor"),
        ("cursor=WyJuYW1lIiwieCIsIngiXQ", "invalid-cursor"),
    ] {
        let answer = ana.get(&format!("/api/documents?{query}")).await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, code), "{query}");
    }
    let empty = ana.get("/api/documents").await.json();
    assert_eq!(empty, serde_json::json!({"documents": [], "next_cursor": null}));
}

#[actix_web::test]
async fn a_document_has_its_eleven_fields() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let uploaded = ana.upload("a.txt", b"hello").await;
    let (id, handle) = (uploaded.field("id"), uploaded.field("handle"));
    assert_eq!(uploaded.field("url"), format!("{}/{handle}", app.emulator_url));
    let now = app.services.clock.now().rfc3339();
    let expected = serde_json::json!({
        "id": id, "handle": handle, "name": "a.txt", "type": "text/plain", "size": 5, "status": "stored",
        "tags": [], "note": "",
        "sha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        "created_at": now, "updated_at": now,
    });
    assert_eq!(ana.get(&format!("/api/documents/{id}")).await.json(), expected);
    let list = ana.get("/api/documents").await.json();
    assert_eq!(
        list,
        serde_json::json!({"documents": [expected], "next_cursor": null})
    );

    let form = crate::support::form::Form::new().file("b.txt", "text/plain", b"hello");
    let second = ana.upload_form("/api/uploads/v2", &form).await;
    assert_eq!(second.status, 201);
    let keys: Vec<_> = second.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["handle", "url"]);
}
