//! Text that means harm: in names, notes, reasons and headers (U3, U16, X4), and in what lists are asked for (X5).

use reqwest::header::USER_AGENT;
use serde_json::{Value, json};

use crate::cli::process::{EMAIL, PASSWORD, Place};
use crate::support::app::{TestApp, email};
use crate::support::client::Client;
use crate::support::wire::{get, request};

/// What survives in a name of a document: no angle brackets, and everything that others would take for an order.
const NAME: &str = "=HYPERLINK('evil','x') <img src=x onerror=alert(1)>&lt;b&gt;\u{202e}fdp.txt";
/// Everything that there is to fear, for texts that keep it.
const TEXT: &str =
    "=cmd|' /C calc'!A0 <img src=x onerror=alert(1)> \"'></script><svg onload=alert(1)>\u{202e}";

/// Nothing on the page acts: no element that came of the text, no attribute that runs.
fn is_inert(page: &crate::support::answer::Answer, path: &str) {
    for found in ["[onerror]", "[onload]", "img[src=x]", "main script"] {
        assert!(page.texts(found).is_empty(), "{path}: {found}");
    }
}

#[actix_web::test]
async fn u3_u16_hostile_names_and_notes_are_inert_on_every_page_and_in_every_file() {
    let app = TestApp::sqlite().await;
    let (ana, admin) = (app.user("ana").await, app.admin().await);
    let id = ana.document(NAME, b"x").await;
    let shown = ana.get(&format!("/api/documents/{id}")).await.field("name");
    assert!(!shown.contains(['<', '>', '\u{202e}', '"']), "{shown}");
    let fields = [("tags", "=tag'<b>"), ("note", TEXT)];
    assert_eq!(
        ana.post_form(&format!("/documents/{id}/description"), &fields)
            .await
            .status,
        303
    );
    let other = ana.document(NAME, b"y").await;
    assert_eq!(ana.delete(&format!("/api/documents/{other}")).await.status, 204);
    let opened = admin
        .post_form(&format!("/admin/documents/{id}"), &[("reason", TEXT)])
        .await;
    assert_eq!(opened.status, 303);
    let token = ana
        .post_form("/account/tokens", &[("name", TEXT), ("days", "1")])
        .await;
    is_inert(&token, "the page with the token");
    let device = app.anon();
    let form = device.csrf_token().await;
    let fields = [
        ("csrf_token", form.as_str()),
        ("email", "ana@example.org"),
        ("password", crate::support::app::PASSWORD),
    ];
    let signed_in = device
        .request(reqwest::Method::POST, "/sign-in")
        .header(USER_AGENT, "<img src=x onerror=alert(1)>");
    assert_eq!(device.send(signed_in.form(&fields)).await.status, 303);

    for path in [
        "/documents".to_owned(),
        "/documents?q=img".to_owned(),
        "/documents?tag=%3Dtag'%3Cb%3E".to_owned(),
        format!("/documents/{id}"),
        "/trash".to_owned(),
        "/trash/emptying".to_owned(),
        format!("/trash/{other}/purge"),
        "/account".to_owned(),
    ] {
        let page = ana.page(&path).await;
        is_inert(&page, &path);
    }
    let title = ana.page(&format!("/documents/{id}")).await.texts("title");
    assert_eq!(title, [format!("{shown} · Satchel")]);
    let result = ana.post_files(&[(NAME, b"z")]).await;
    is_inert(&result, "the result of an upload");
    let wrong = ana
        .post_form("/tags", &[("id", &id), ("tags", &TEXT.repeat(3))])
        .await;
    assert_eq!(wrong.status, 422);
    is_inert(&wrong, "what was typed");
    for path in [
        "/admin".to_owned(),
        "/admin/documents".to_owned(),
        format!("/admin/documents/{id}"),
        "/admin/audit".to_owned(),
        format!("/admin/audit?subject={id}"),
        "/admin/users".to_owned(),
    ] {
        let page = admin.page(&path).await;
        is_inert(&page, &path);
        assert!(
            !page.text().contains('\u{202e}'),
            "{path}: text of others turns the page round"
        );
    }
    // Files: no cell of a table is a formula, and JSON is what it says.
    for table in ["documents", "audit", "jobs", "webhooks"] {
        let csv = admin.get(&format!("/admin/{table}?format=csv")).await.text();
        for line in csv.lines() {
            for cell in [",=", ",\"=", ",+", ",@", ",\"+", ",\"@", ",-", ",\"-"] {
                assert!(!line.contains(cell), "{table}: {line}");
            }
            assert!(!line.starts_with(['=', '+', '-', '@']), "{table}: {line}");
        }
        let file = admin.get(&format!("/admin/{table}?format=json")).await;
        assert_eq!(file.header("content-type"), Some("application/json"));
        assert!(file.json().is_array());
    }
    let csv = admin.get("/admin/documents?format=csv").await.text();
    assert!(csv.contains("\"'=HYPERLINK"), "{csv}");
    // In a ZIP too, where a name is a path.
    let zip = ana.post_json("/api/archive", &json!({"ids": [id]})).await;
    let text = String::from_utf8_lossy(&zip.body).into_owned();
    assert!(text.contains("=HYPERLINK") && !text.contains('<') && !text.contains('\u{202e}'));
}

#[actix_web::test]
async fn x5_every_list_takes_its_own_orders_filters_and_cursors_and_nothing_else() {
    odd(&TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn x5_every_list_takes_its_own_orders_filters_and_cursors_and_nothing_else_on_postgresql() {
    odd(&TestApp::postgres().await).await;
}

/// What would mean something to a database, to an index, or to the code between.
const ODD: [&str; 14] = [
    "' OR 1=1 --",
    "\"; DROP TABLE documents; --",
    "name; DELETE FROM users",
    "-",
    "--created",
    "created desc",
    "password_hash",
    "(SELECT 1)",
    "%",
    "_",
    "\\",
    "a* OR b",
    "{name note}: x",
    "NEAR(a b, 1) AND NOT c ^ \" & | :*",
];

async fn odd(app: &TestApp) {
    let (ana, admin) = (app.user("ana").await, app.admin().await);
    let (script, boss) = (app.token("ana").await, &admin);
    let id = ana.document("a.txt", b"a").await;
    app.token("bob").await.document("bobs.txt", b"b").await;
    let encoded = |text: &str| -> String { url::form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    let tables = ["documents", "webhooks", "jobs", "audit"];
    for text in ODD {
        let odd = encoded(text);
        let mut refused: Vec<(&Client, String)> = Vec::new();
        for key in ["status", "type", "cursor", "limit"] {
            refused.push((&script, format!("/api/documents?{key}={odd}")));
        }
        for key in ["cursor", "limit"] {
            refused.push((&script, format!("/api/trash?{key}={odd}")));
        }
        for key in ["sort", "status", "type", "after", "before"] {
            refused.push((&ana, format!("/documents?{key}={odd}")));
        }
        for key in ["after", "before"] {
            refused.push((&ana, format!("/trash?{key}={odd}")));
        }
        for table in tables {
            for key in ["sort", "after", "before", "format"] {
                refused.push((boss, format!("/admin/{table}?{key}={odd}")));
            }
        }
        for path in [
            format!("/admin/documents?status={odd}"),
            format!("/admin/webhooks?state={odd}"),
            format!("/admin/webhooks?since={odd}"),
            format!("/admin/jobs?state={odd}"),
            format!("/admin/audit?action={odd}"),
            format!("/admin/audit?until={odd}"),
        ] {
            refused.push((boss, path));
        }
        for (client, path) in refused {
            let answer = client.get(&path).await;
            assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        }
        // Words are words: nobody else's are found by them, and nothing breaks.
        for (client, path) in [
            (&script, format!("/api/documents?q={odd}")),
            (&ana, format!("/documents?q={odd}")),
            (boss, format!("/admin/users?q={odd}")),
            (boss, format!("/admin/documents?owner={odd}")),
            (boss, format!("/admin/webhooks?action={odd}&handle={odd}")),
            (boss, format!("/admin/audit?actor={odd}&subject={odd}")),
        ] {
            let answer = client.get(&path).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            for name in ["bobs.txt", "a.txt"] {
                assert!(!answer.text().contains(name), "{path} finds {name}");
            }
        }
    }
    assert_eq!(ana.get(&format!("/api/documents/{id}")).await.status, 200);
    assert_eq!(app.documents().await.len(), 2);
    assert_eq!(app.anon().sign_in(&email("ana"), "' OR '1'='1").await.status, 422);
}

/// X4: every line of the log is one JSON object, whatever a name, an agent or an address brings; none of it begins a line of its own.
#[test]
fn x4_a_name_an_agent_and_an_address_stay_inside_their_line_of_the_log() {
    const FORGED: &str = "\\r\\n{\"level\":\"error\",\"message\":\"forged\"}";
    let place = Place::new()
        .with("SATCHEL_DRAIN_SECONDS", "0")
        .with("RUST_LOG", "debug");
    let server = place.serve();
    place.create_user(EMAIL, "admin");
    let token = place.create_token(EMAIL);
    let escape = "\u{1b}[2J\u{1b}[31m\u{9b}2J\u{202e}\u{2028}";
    // What a header can hold: no control characters of ASCII, which are refused with the request.
    let agent = "agent {\"message\":\"forged\"}\u{9b}2J\u{202e}\u{2028}".to_owned();
    let mut browser = server.browser().with_header("User-Agent", agent.clone());
    browser.sign_in(EMAIL, "not the password");
    browser.sign_in(EMAIL, PASSWORD);
    browser.get("/documents?q=%0d%0a%7B%22message%22%3A%22forged%22%7D&sort=%0a%1b%5b31m");
    browser.get("/%0d%0a%7B%22message%22%3A%22forged%22%7D%1b%5b2J");
    for name in [
        FORGED,
        &format!("name{escape}.txt"),
        "%0d%0a{\"message\":\"forged\"}.txt",
    ] {
        let stored = crate::support::wire::post("/api/uploads")
            .bearer(&token)
            .header("User-Agent", agent.clone())
            .header("X-Request-Id", "forged\u{9b}31m")
            .upload(&[], &name.replace('"', "\\\""), b"hello")
            .send(server.address);
        // A control character ends a header of a form: that is none, and refused in words.
        let refused = name.contains('\u{1b}');
        assert_eq!(
            stored.status,
            if refused { 400 } else { 201 },
            "{}",
            stored.text()
        );
        if refused {
            continue;
        }
        let id = stored.json()["id"].as_str().expect("an id").to_owned();
        let renamed = request("PATCH", &format!("/api/documents/{id}"))
            .bearer(&token)
            .json(&json!({"name": format!("a\r\n{{\"message\":\"forged\"}}{escape}.txt")}));
        assert_eq!(renamed.send(server.address).status, 200);
    }
    for (value, status) in [
        (format!("1.2.3.4{escape}"), 400),
        ("1.2.3.4\u{9b}2J\u{202e}".to_owned(), 200),
    ] {
        let asked = get("/admin/audit")
            .bearer(&token)
            .header("X-Forwarded-For", value);
        assert_eq!(asked.send(server.address).status, status);
    }
    server.terminate();
    let (_, _, said) = server.ended();
    let mut lines = 0;
    for line in said.lines().filter(|line| line.starts_with('{')) {
        let read: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(read["time"].is_string() && read["level"].is_string(), "{line}");
        assert_ne!(read["message"], "forged", "{line}");
        lines += 1;
    }
    assert!(lines > 20, "{said}");
    let bad = said
        .chars()
        .find(|c| (c.is_control() && *c != '\n') || ('\u{2028}'..='\u{202e}').contains(c) || *c == '\u{9b}');
    assert_eq!(bad, None, "{said}");
    for line in said.lines() {
        let of_ours = line.starts_with('{') && line.ends_with('}');
        assert!(of_ours || !line.contains("forged"), "a line of its own: {line}");
    }
}
