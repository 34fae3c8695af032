//! Every form keeps what was typed and says what is wrong beside the field.
//!
//! The forms are read from the templates: one that is in no list here fails a test.

use std::collections::BTreeSet;
use std::path::Path;

use satchel::services::accounts;
use satchel::services::audit::Actor;
use satchel::services::passwords;
use satchel::services::sessions::TRUSTED;

use crate::support::answer::Answer;
use crate::support::app::{PASSWORD, TestApp, email};

/// Forms into which something is typed, by where they go; each is filled in wrong below.
const TYPED: [&str; 15] = [
    "/account/password",
    "/account/tokens",
    "/admin/documents/{{ id }}",
    "/admin/quota",
    "/admin/users",
    "/admin/users/{{ row.id }}/quota",
    "/documents",
    "/documents/{{ id }}/description",
    "/documents/{{ id }}/name",
    "/password",
    "/setup",
    "/sign-in",
    "/tags",
    // "Is it you?", and the filters of every table of the administrators.
    "{{ action }}",
    "{{ path }}",
];

/// Forms with nothing to type: a button, or a choice among what there is.
const CHOSEN: [&str; 17] = [
    "/account/sessions/deletion",
    "/account/sessions/{{ session.name }}/deletion",
    "/account/theme",
    "/account/tokens/{{ token.id }}/deletion",
    "/admin/jobs/attempts",
    "/admin/users/{{ row.id }}/password",
    "/admin/users/{{ row.id }}/role",
    "/admin/users/{{ row.id }}/sessions",
    "/admin/users/{{ row.id }}/state",
    "/admin/webhooks/samples",
    "/documents/{{ id }}/deletion",
    "/sign-out",
    "/trash/emptying",
    "/trash/restorations",
    "/trash/{{ id }}/purge",
    "{{ action.href }}",
    "{{ undo.action }}",
];

/// Forms that choose: documents, of which none was chosen, or files.
const CHOOSING: [&str; 2] = ["/trash", "/uploads"];

/// Where the forms of our pages go.
fn forms() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut directories = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("templates")];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory).expect("templates").flatten() {
            let path = entry.path();
            // The emulator's console is a tool beside the application.
            if path.is_dir() && !path.ends_with("emulator") {
                directories.push(path);
            } else if path.is_file() {
                let text = std::fs::read_to_string(&path).expect("a template");
                for form in text.split("<form ").skip(1) {
                    let head = form.split_once('>').map_or(form, |(head, _)| head);
                    let action = head
                        .split("action=\"")
                        .nth(1)
                        .and_then(|rest| rest.split('"').next());
                    let needs_scripts = ["method=\"dialog\"", "id=\"import\"", "class=\"api-form\""];
                    match action {
                        Some(action) => _ = found.insert(action.to_owned()),
                        None => assert!(
                            needs_scripts.iter().any(|mark| head.contains(mark)),
                            "{}: {head}",
                            path.display()
                        ),
                    }
                }
            }
        }
    }
    found
}

#[test]
fn every_form_of_our_pages_is_looked_at() {
    let listed: BTreeSet<_> = TYPED
        .iter()
        .chain(&CHOSEN)
        .chain(&CHOOSING)
        .map(|form| (*form).to_owned())
        .collect();
    assert_eq!(listed.len(), TYPED.len() + CHOSEN.len() + CHOOSING.len());
    assert_eq!(forms(), listed);
}

/// What is wrong is said beside this field, which names the sentence as its description; gives the sentence.
#[track_caller]
fn said_beside(page: &Answer, field: &str) -> String {
    assert!((400..500).contains(&page.status), "{}", page.status);
    let described = page
        .attributes(field, "aria-describedby")
        .pop()
        .unwrap_or_default();
    assert_eq!(
        page.attributes(field, "aria-invalid"),
        ["true"],
        "{field}: {}",
        page.text()
    );
    let id = described.split(' ').find(|id| id.ends_with("-error"));
    let id = id.unwrap_or_else(|| panic!("{field} is described by {described:?}"));
    // In the same group as the field, and nowhere far away.
    let near = page.texts(&format!(":has(> {field}) > #{id}, :has(> * > {field}) > #{id}"));
    assert_eq!(near.len(), 1, "{field}: #{id} is not beside it");
    assert!(near[0].len() > 10 && near[0].ends_with('.'), "{field}: {near:?}");
    let title = page.texts("title").remove(0);
    assert!(title.starts_with("Error: "), "{title}");
    near.into_iter().next().unwrap_or_default()
}

#[track_caller]
fn kept(page: &Answer, field: &str, value: &str) {
    assert_eq!(
        page.attributes(field, "value"),
        [value],
        "{field}: {}",
        page.text()
    );
}

/// A password is never sent back.
#[track_caller]
fn not_sent_back(page: &Answer, password: &str) {
    assert!(!page.text().contains(password), "{}", page.text());
}

#[actix_web::test]
async fn forms_before_signing_in_keep_what_was_typed_and_say_what_is_wrong_beside_the_field() {
    let app = TestApp::sqlite().await;
    let stranger = app.anon();
    let token = accounts::new_setup_token(&app.services)
        .await
        .expect("an answer")
        .expect("open");
    let fields = [
        ("token", token.as_str()),
        ("email", "no address <b>"),
        ("password", "too short"),
    ];
    let setup = stranger.post_form("/setup", &fields).await;
    said_beside(&setup, "#email");
    said_beside(&setup, "#password");
    kept(&setup, "#email", "no address <b>");
    kept(&setup, "input[name=token]", &token);
    not_sent_back(&setup, "too short");

    app.account("ana").await;
    let fields = [
        ("email", "ana@example.org"),
        ("password", "not this one"),
        ("next", "/trash"),
    ];
    let sign_in = stranger.post_form("/sign-in", &fields).await;
    // Which of the two is wrong is nobody's business (A6): it is said above both, and both name it.
    assert_eq!((sign_in.status, sign_in.texts("#sign-in-error").len()), (422, 1));
    for field in ["#email", "#password"] {
        assert_eq!(sign_in.attributes(field, "aria-describedby"), ["sign-in-error"]);
    }
    kept(&sign_in, "#email", "ana@example.org");
    kept(&sign_in, "input[name=next]", "/trash");
    not_sent_back(&sign_in, "not this one");

    let id = app.owner("ana").await.id;
    let link = passwords::reset(&app.services, &Actor::command(), id)
        .await
        .expect("a link");
    let fields = [("token", link.token.as_str()), ("password", "too short")];
    let chosen = stranger.post_form("/password", &fields).await;
    said_beside(&chosen, "#password");
    kept(&chosen, "input[name=token]", &link.token);
    not_sent_back(&chosen, "too short");
}

#[actix_web::test]
async fn forms_of_an_account_keep_what_was_typed_and_say_what_is_wrong_beside_the_field() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let path = "/account/password";
    let wrong = [
        ("current_password", "not this one"),
        ("password", "five other plain words"),
    ];
    let wrong = ana.post_form(path, &wrong).await;
    said_beside(&wrong, "#current-password");
    not_sent_back(&wrong, "not this one");
    not_sent_back(&wrong, "five other plain words");
    let short = ana
        .post_form(path, &[("current_password", PASSWORD), ("password", "too short")])
        .await;
    said_beside(&short, "#new-password");
    not_sent_back(&short, PASSWORD);

    let fields = [
        ("name", " "),
        ("days", "for ever"),
        ("scope", "documents:read"),
        ("scope", "admin"),
    ];
    let token = ana.post_form("/account/tokens", &fields).await;
    said_beside(&token, "#token-days");
    kept(&token, "#token-days", "for ever");
    let token = ana
        .post_form(
            "/account/tokens",
            &[("name", ""), ("days", "7"), ("scope", "admin")],
        )
        .await;
    said_beside(&token, "#token-name");
    kept(&token, "#token-days", "7");
    assert_eq!(token.attributes("input[name=scope][checked]", "value"), ["admin"]);

    // "Is it you?" carries all that was entered.
    app.advance(TRUSTED + std::time::Duration::from_secs(1));
    let fields = [
        ("name", "a \"<b>"),
        ("days", "7"),
        ("scope", "admin"),
        ("confirm_password", "not this one"),
    ];
    let asked = ana.post_form("/account/tokens", &fields).await;
    said_beside(&asked, "#confirm-password");
    for (name, value) in &fields[..3] {
        kept(&asked, &format!("main form input[name={name}]"), value);
    }
    not_sent_back(&asked, "not this one");

    // Too many tries: said in the same place, with how long to wait.
    let slowed = loop {
        let fields = [
            ("current_password", "not this one"),
            ("password", "five other plain words"),
        ];
        let answer = ana.post_form(path, &fields).await;
        if answer.status == 429 {
            break answer;
        }
        assert_eq!(answer.status, 422);
    };
    assert!(said_beside(&slowed, "#current-password").contains("Too many tries"));
    assert!(slowed.header("retry-after").is_some());
}

#[actix_web::test]
async fn forms_of_documents_keep_what_was_typed_and_say_what_is_wrong_beside_the_field() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let id = ana.document("a.txt", b"a").await;
    let name = ana
        .post_form(&format!("/documents/{id}/name"), &[("name", " \u{200b} ")])
        .await;
    assert_eq!(name.status, 422);
    said_beside(&name, "#name");
    let long = "x".repeat(41);
    let note = "n".repeat(2_001);
    let described = ana
        .post_form(
            &format!("/documents/{id}/description"),
            &[("tags", &long), ("note", &note)],
        )
        .await;
    assert_eq!(described.status, 422);
    said_beside(&described, "#tags");
    said_beside(&described, "#note");
    kept(&described, "#tags", &long);
    assert_eq!(described.texts("#note"), [note]);

    let fields = [("id", id.as_str()), ("tags", &long), ("back", "/documents?q=a")];
    let tags = ana.post_form("/tags", &fields).await;
    assert_eq!(tags.status, 422);
    said_beside(&tags, "#tags");
    kept(&tags, "#tags", &long);
    kept(&tags, "input[name=id]", &id);
    // Without a document there is nothing to tag: what was typed is shown, and the way back to where documents are chosen.
    let none = ana
        .post_form("/tags", &[("tags", "tax 2026"), ("back", "/documents?q=a")])
        .await;
    assert_eq!(none.status, 400);
    assert!(said_beside(&none, "#tags").starts_with("No document was chosen."));
    kept(&none, "#tags", "tax 2026");
    assert_eq!(none.attributes("main .actions a", "href"), ["/documents?q=a"]);

    let many = "a b c d e f g h i j k l m";
    let search = ana
        .get(&format!(
            "/documents?sort=name&type=pdf&q={}",
            many.replace(' ', "+")
        ))
        .await;
    assert_eq!(search.status, 400);
    said_beside(&search, "#q");
    kept(&search, "#q", many);
    kept(&search, ".search input[name=sort]", "name");
    assert_eq!(
        search.attributes("select[name=type] [selected]", "value"),
        ["pdf"]
    );
    assert_eq!(search.texts(".empty h2"), ["Nothing was searched for"]);
    let tag = ana.get("/documents?q=report&tag=a,b").await;
    said_beside(&tag, "#tag");
    kept(&tag, "#tag", "a,b");
    kept(&tag, "#q", "report");
    assert_eq!(
        tag.attributes("details.narrow[open]", "class").len(),
        1,
        "the field is to be seen"
    );

    let upload = ana.post_files(&[]).await;
    assert_eq!((upload.status, upload.texts("#file-error").len()), (400, 1));
    let described = upload.attributes("#file", "aria-describedby");
    assert!(described[0].contains("file-error"), "{described:?}");
    for path in ["/trash", "/archive", "/trash/restorations"] {
        let none = ana.post_form(path, &[("back", "/documents")]).await;
        assert_eq!(none.status, 400, "{path}");
        assert!(
            none.text()
                .contains("No document was chosen. Choose at least one"),
            "{path}"
        );
    }
}

#[actix_web::test]
async fn forms_of_administrators_keep_what_was_typed_and_say_what_is_wrong_beside_the_field() {
    let app = TestApp::sqlite().await;
    let (ana, admin) = (app.user("ana").await, app.admin().await);
    let document = ana.document("a.txt", b"a").await;
    let reason = admin
        .post_form(&format!("/admin/documents/{document}"), &[("reason", "why")])
        .await;
    said_beside(&reason, "#reason");
    kept(&reason, "#reason", "why");

    for address in ["no address <b>", &email("ana")] {
        let invite = admin
            .post_form("/admin/users", &[("email", address), ("role", "admin")])
            .await;
        assert_eq!(invite.status, 422);
        said_beside(&invite, "#invite-email");
        kept(&invite, "#invite-email", address);
        assert_eq!(invite.attributes("#invite-role [selected]", "value"), ["admin"]);
    }
    let user = app.owner("ana").await.id;
    let quota = format!("/admin/users/{user}/quota");
    for (path, prefix) in [("/admin/quota", "total"), (quota.as_str(), "quota")] {
        let page = admin
            .post_form(path, &[("mebibytes", "-1"), ("documents", "many")])
            .await;
        assert_eq!(page.status, 422, "{path}");
        for (field, value) in [("mebibytes", "-1"), ("documents", "many")] {
            let field = format!("#{prefix}-{field}");
            said_beside(&page, &field);
            kept(&page, &field, value);
        }
    }
    for table in ["audit", "webhooks"] {
        let path = format!("/admin/{table}?since=yesterday&until=tomorrow&action=job.retry&handle=abc");
        let page = admin.get(&path).await;
        assert_eq!(page.status, 400, "{path}");
        for (field, value) in [("since", "yesterday"), ("until", "tomorrow")] {
            let field = format!("#filter-{field}");
            assert!(said_beside(&page, &field).contains(value));
            kept(&page, &field, value);
        }
        assert_eq!(page.texts(".empty h2"), ["Nothing was looked for"], "{path}");
        assert_eq!(
            page.attributes("details.filters[open]", "class").len(),
            1,
            "the fields are to be seen"
        );
        assert!(page.attributes("tbody tr", "id").is_empty());
        // As a file there is nobody to read it beside a field.
        assert_eq!(admin.get(&format!("{path}&format=csv")).await.status, 400);
    }
    for path in [
        "/admin/users?email=nobody",
        "/admin/documents?owner=nobody",
        "/admin/webhooks?handle=none",
    ] {
        let page = admin.page(path).await;
        let value = path.rsplit('=').next().unwrap_or_default();
        assert!(
            page.attributes("main form input", "value")
                .contains(&value.to_owned()),
            "{path}"
        );
    }
}
