//! Finding documents by name, tags, note and recognised text, narrowed by tag, type and state: one's own only, on both databases.

use std::sync::{Arc, Barrier};

use satchel::db::models::documents::{self, GONE, INFECTED, STORED};
use satchel::db::models::findings::{self, Finding, TAGS, TEXT};
use satchel::db::models::{search, users};
use satchel::ids::DocumentId;
use satchel::services::sweep;
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::client::Client;
use crate::support::documents::a_document;

async fn found(client: &Client, query: &str) -> Vec<String> {
    let page = client
        .page(&format!("/documents?{query}"))
        .await
        .texts("tbody tr .cell-name a");
    let answer = client.get(&format!("/api/documents?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    let rows = answer.json()["documents"].as_array().expect("a list").clone();
    let names: Vec<_> = rows
        .iter()
        .map(|row| row["name"].as_str().expect("a name").to_owned())
        .collect();
    assert_eq!(page, names, "the page and the API find the same: {query}");
    names
}

async fn find_out(app: &TestApp, id: DocumentId, kind: &str, value: Value) {
    let finding = Finding {
        document_id: id,
        kind: kind.to_owned(),
        value: value.to_string(),
        found_at: app.services.clock.now(),
    };
    let kept = app.services.db.write(move |c| findings::put(c, &finding)).await;
    kept.expect("the finding is kept");
}

async fn describe(client: &Client, id: DocumentId, changes: Value) {
    let changed = client.patch_json(&format!("/api/documents/{id}"), &changes).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
}

/// Of whoever has few documents each is looked at; of others the index is asked. Both must find the same.
async fn i5(app: TestApp, by_index: bool) {
    let (ana, bob) = (app.user("ana").await, app.user("bob").await);
    if by_index {
        for name in ["ana", "bob"] {
            let owner = app.owner(name).await.id;
            let counted = app
                .services
                .db
                .write(move |c| users::add_usage(c, owner, 1_000, 0));
            counted.await.expect("written");
        }
    }
    let report = a_document("Quarterly Report.pdf").create(&app, "ana").await;
    let scan = a_document("IMG_0042.jpg").create(&app, "ana").await;
    let other = a_document("other.txt").create(&app, "ana").await;
    let theirs = a_document("Bob's Report.pdf").create(&app, "bob").await;
    describe(
        &ana,
        report,
        json!({"tags": ["Tax 2026", "größe"], "note": "Sent to the bank; see 12-34."}),
    )
    .await;
    describe(
        &bob,
        theirs,
        json!({"tags": ["tax 2026", "secret"], "note": "kestrel"}),
    )
    .await;
    find_out(&app, scan, TEXT, json!("HAFEN Nord\u{a0}\n100%_off NEAR(a) 'x'")).await;
    find_out(&app, scan, TAGS, json!({"water": 97, "sailing boat": 81})).await;
    find_out(&app, theirs, TEXT, json!("Falcon")).await;
    for (query, expected) in [
        // Parts of the name, in any order.
        ("q=report", vec!["Quarterly Report.pdf"]),
        ("q=port+quart", vec!["Quarterly Report.pdf"]),
        // Beginnings of words of tags, note, text and what was recognised, also together with the name.
        ("q=bank", vec!["Quarterly Report.pdf"]),
        ("q=12-34", vec!["Quarterly Report.pdf"]),
        ("q=GR%C3%96", vec!["Quarterly Report.pdf"]),
        ("q=report+2026+ban", vec!["Quarterly Report.pdf"]),
        ("q=hafen", vec!["IMG_0042.jpg"]),
        ("q=img+boat", vec!["IMG_0042.jpg"]),
        ("q=w", vec!["IMG_0042.jpg"]),
        ("q=ank", vec![]),
        ("q=report+hafen", vec![]),
        // Nobody else's.
        ("q=kestrel", vec![]),
        ("q=falcon", vec![]),
        ("q=secret", vec![]),
        ("tag=secret", vec![]),
        // A tag is found whole, and only the owner's.
        ("tag=TAX+2026", vec!["Quarterly Report.pdf"]),
        ("tag=tax", vec![]),
        ("tag=water", vec![]),
        ("tag=%25", vec![]),
        // Types and states.
        (
            "type=text",
            vec!["other.txt", "IMG_0042.jpg", "Quarterly Report.pdf"],
        ),
        ("type=picture", vec![]),
        ("status=stored&q=other", vec!["other.txt"]),
        ("status=gone", vec![]),
        // What would mean something in a query language means nothing here.
        ("q=%22+OR+%22", vec![]),
        ("q=*", vec![]),
        ("q=%27+%7C+%27", vec![]),
        ("q=NEAR(a)", vec!["IMG_0042.jpg"]),
        ("q=%3A*+%26+!", vec![]),
        ("q=%00", vec!["other.txt", "IMG_0042.jpg", "Quarterly Report.pdf"]),
    ] {
        assert_eq!(found(&ana, query).await, expected, "{query}");
    }
    assert_eq!(found(&bob, "q=report").await, ["Bob's Report.pdf"]);
    assert_eq!(found(&bob, "q=bank").await, [""; 0]);

    // The index goes with every change.
    describe(
        &ana,
        other,
        json!({"name": "renamed.txt", "tags": ["new"], "note": "fresh"}),
    )
    .await;
    describe(&ana, report, json!({"tags": [], "note": ""})).await;
    for (query, expected) in [
        ("q=other", vec![]),
        ("q=renamed", vec!["renamed.txt"]),
        ("q=fresh", vec!["renamed.txt"]),
        ("tag=new", vec!["renamed.txt"]),
        ("tag=tax+2026", vec![]),
        ("q=bank", vec![]),
    ] {
        assert_eq!(found(&ana, query).await, expected, "{query}");
    }
    let path = format!("/api/documents/{other}");
    assert_eq!(ana.delete(&path).await.status, 204);
    find_out(&app, other, TEXT, json!("meanwhile")).await;
    for query in ["q=renamed", "tag=new", "q=meanwhile", "type=text&q=renamed"] {
        assert_eq!(found(&ana, query).await, [""; 0], "{query} in the trash");
    }
    let restored = ana
        .post_form(&format!("/documents/{other}/restoration"), &[])
        .await;
    assert_eq!(restored.status, 303);
    for query in ["q=renamed", "tag=new", "q=meanwhile"] {
        assert_eq!(found(&ana, query).await, ["renamed.txt"], "{query} restored");
    }
    let now = app.services.clock.now();
    let moved = app
        .services
        .db
        .write(move |c| documents::move_on(c, report, &[STORED], GONE, now));
    assert!(moved.await.expect("written"));
    assert_eq!(found(&ana, "status=gone").await, ["Quarterly Report.pdf"]);
    assert_eq!(
        found(&ana, "status=gone&q=quart&type=text").await,
        ["Quarterly Report.pdf"]
    );
    assert_eq!(found(&ana, "status=stored&q=quart").await, [""; 0]);
}

#[actix_web::test]
async fn i5_x5_search_finds_name_tags_note_and_text_of_ones_own_documents() {
    i5(TestApp::sqlite().await, false).await;
    i5(TestApp::sqlite().await, true).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn i5_x5_search_finds_name_tags_note_and_text_of_ones_own_documents_on_postgresql() {
    i5(TestApp::postgres().await, false).await;
    i5(TestApp::postgres().await, true).await;
}

/// Each has added a row that refers to the document before either writes what the document is found by.
#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn two_findings_at_once_do_not_wait_for_each_other_in_a_ring() {
    let app = TestApp::postgres().await;
    let ana = app.user("ana").await;
    let scan = a_document("IMG_0042.jpg").create(&app, "ana").await;
    let both_hold = Arc::new(Barrier::new(2));
    let now = app.services.clock.now();
    let finding = move |kind: &str, value: Value| Finding {
        document_id: scan,
        kind: kind.to_owned(),
        value: value.to_string(),
        found_at: now,
    };
    let put = |first: Finding, second: Finding| {
        let both_hold = Arc::clone(&both_hold);
        app.services.db.write(move |c| {
            findings::put(c, &first)?;
            both_hold.wait();
            findings::put(c, &second)
        })
    };
    let (tagged, read) = futures_util::join!(
        put(finding("sfw", json!(true)), finding(TAGS, json!({"water": 97}))),
        put(finding("viruses", json!([])), finding(TEXT, json!("Hafen"))),
    );
    tagged.expect("tags are kept");
    read.expect("text is kept");
    assert_eq!(found(&ana, "q=water+hafen").await, ["IMG_0042.jpg"]);
}

#[actix_web::test]
async fn filters_combine_with_search_order_and_pages_and_a_cursor_is_of_its_own_list() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    for n in 0..60 {
        let id = a_document(&format!("report {n:02}.txt"))
            .create(&app, "ana")
            .await;
        describe(&ana, id, json!({"tags": ["work"]})).await;
        a_document(&format!("report {n:02} other.txt"))
            .create(&app, "ana")
            .await;
    }
    let first = "/documents?sort=name&q=report&tag=work&type=text&status=stored";
    let page = ana.page(first).await;
    assert_eq!(page.texts(".count"), ["60 documents found"]);
    assert_eq!(page.texts(".chips a").len(), 4);
    assert_eq!(page.attributes("#q", "value"), ["report"]);
    assert_eq!(page.attributes("select[name=type] [selected]", "value"), ["text"]);
    assert_eq!(page.attributes("input[name=tag]", "value"), ["work"]);
    let next = page.attributes("a[rel=next]", "href").pop().expect("a next page");
    for part in ["q=report", "tag=work", "type=text", "status=stored", "sort=name"] {
        assert!(next.contains(part), "{next}");
    }
    let second = ana.page(&next).await;
    assert_eq!(second.texts("tbody tr").len(), 10);
    // The same place in another list is none.
    for other in [next.replace("q=report", "q=other"), next.replace("&tag=work", "")] {
        assert_eq!(ana.get(&other).await.status, 400, "{other}");
    }
    // Each chip leads to the list without its part.
    for href in page.attributes(".chips a", "href") {
        assert_eq!(ana.page(&href).await.texts(".chips a").len(), 3, "{href}");
    }
    let mut cursor = String::new();
    let mut names = Vec::new();
    loop {
        let path = format!("/api/documents?tag=work&limit=25&cursor={cursor}");
        let part = ana.get(&path).await.json();
        names.extend(
            part["documents"]
                .as_array()
                .expect("rows")
                .iter()
                .map(|row| row["name"].clone()),
        );
        let Some(next) = part["next_cursor"].as_str() else {
            break;
        };
        cursor = next.to_owned();
        let plain = ana.get(&format!("/api/documents?cursor={cursor}")).await;
        assert_eq!((plain.status, plain.problem().as_str()), (400, "invalid-cursor"));
    }
    assert_eq!(names.len(), 60);

    let nothing = ana.page("/documents?q=zzz&tag=work&status=infected").await;
    assert_eq!(nothing.texts(".empty h2"), ["No document matches"]);
    let why = &nothing.texts(".empty p")[0];
    assert!(
        why.contains("search “zzz”, tag “work”, status “Infected”."),
        "{why}"
    );
    assert_eq!(nothing.attributes(".empty a", "href"), ["/documents"]);
}

#[actix_web::test]
async fn x5_filters_that_are_none_are_refused_in_words() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let long = "x".repeat(101);
    for (query, code) in [
        ("type=image/*", "invalid-filter"),
        ("type=pdf&type=text", "invalid-query"),
        ("status=stored%27+OR+1%3D1", "invalid-filter"),
        ("tag=a,b", "invalid-filter"),
        (&format!("q={long}"), "invalid-search"),
        ("q=a+b+c+d+e+f+g+h+i+j+k+l+m", "invalid-search"),
    ] {
        let answer = ana.get(&format!("/api/documents?{query}")).await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, code), "{query}");
        assert_eq!(
            ana.get(&format!("/documents?{query}")).await.status,
            400,
            "{query}"
        );
    }
}

#[actix_web::test]
async fn documents_from_before_the_index_had_all_words_are_entered_by_the_sweep() {
    use diesel::RunQueryDsl as _;
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(a_document(&format!("{n}.txt")).create(&app, "ana").await);
    }
    find_out(&app, ids[1], TEXT, json!("lighthouse")).await;
    let emptied = app.services.db.write(|c| {
        diesel::sql_query("UPDATE documents SET words = NULL, family = ''").execute(c)?;
        Ok(diesel::sql_query("DELETE FROM document_search").execute(c)?)
    });
    emptied.await.expect("as it was before");
    assert_eq!(found(&ana, "q=lighthouse").await, [""; 0]);
    sweep::once(&app.services).await.expect("a round");
    assert_eq!(found(&ana, "q=lighthouse").await, ["1.txt"]);
    assert_eq!(found(&ana, "type=text").await.len(), 3);
    let left = app.services.db.run(|c| search::list_to_index(c, 10)).await;
    assert!(left.expect("read").is_empty());
    let now = app.services.clock.now();
    let id = ids[0];
    let moved = app
        .services
        .db
        .write(move |c| documents::move_on(c, id, &[STORED], INFECTED, now));
    assert!(moved.await.expect("written"));
    assert_eq!(found(&ana, "status=infected").await, ["0.txt"]);
}
