//! What no answer holds: hashes, the values of sessions and tokens, secrets, and what is signed where nobody asked for it (I12, D2).

use diesel::prelude::*;
use diesel::sql_types::Text;
use satchel::services::audit::Actor;
use satchel::services::passwords;

use super::matrix::Scene;
use super::table::{Role, TABLE};
use crate::accounts::people::{browser, signed_in};
use crate::support::app::TestApp;
use crate::support::wire::{Browser, Reply, get};

/// Routes whose answer is signed: a download, a thumbnail or preview, the right to store.
const SIGNED: [&str; 7] = [
    "/documents",
    "/documents/{id}",
    "/documents/{id}/download",
    "/api/uploads/{id}/download-url",
    "/api/uploads/{id}/thumbnail",
    "/api/uploads/picker-config",
    "/admin/documents/{id}/download",
];

#[derive(QueryableByName)]
struct Value {
    #[diesel(sql_type = Text)]
    value: String,
}

/// Everything in the database that opens something or proves somebody: each column whose name says so, of whatever table.
async fn kept_secrets(app: &TestApp) -> Vec<String> {
    let columns = "SELECT m.name || '|' || p.name AS value FROM sqlite_master m, pragma_table_info(m.name) p \
         WHERE m.type = 'table' AND (p.name LIKE '%hash%' OR p.name LIKE '%token%' OR p.name LIKE '%secret%' \
         OR p.name = 'holder') AND m.name NOT LIKE 'document_search%'";
    let read = app.services.db.run(move |c| {
        let mut secrets = Vec::new();
        let columns: Vec<Value> = diesel::sql_query(columns).load(c)?;
        assert!(columns.len() >= 6, "hashes are kept in six columns at least");
        for column in columns {
            let (table, name) = column.value.split_once('|').expect("a table and a column");
            let all = format!("SELECT CAST({name} AS TEXT) AS value FROM {table} WHERE {name} IS NOT NULL");
            let values: Vec<Value> = diesel::sql_query(all).load(c)?;
            secrets.extend(values.into_iter().map(|row| row.value));
        }
        Ok(secrets)
    });
    let mut secrets = read.await.expect("the database answers");
    secrets.retain(|secret| secret.len() >= 16);
    secrets
}

/// Everything that somebody reads of an answer; cookies are for the browser.
fn read(reply: &Reply) -> String {
    let mut text = reply.text();
    for (name, value) in &reply.headers {
        if !name.eq_ignore_ascii_case("set-cookie") {
            text.push_str(&format!("\n{name}: {value}"));
        }
    }
    text
}

/// A policy in the path of an address, or `signature` with 64 digits behind it, as a field or in a query.
fn is_signed(text: &str) -> bool {
    if text.contains("security=p:") {
        return true;
    }
    text.split("signature").skip(1).any(|rest| {
        let rest = rest.trim_start_matches(['=', '"', ':', ' ']);
        rest.bytes().take_while(u8::is_ascii_hexdigit).count() >= 64
    })
}

#[actix_web::test]
async fn i12_x6_no_answer_holds_a_hash_a_session_or_a_secret_and_few_are_signed() {
    let scene = Scene::new().await;
    let app = &scene.app;
    // Of everything there is something: an invitation, a link, a wrong password, a session of somebody else.
    let by = Actor::command();
    let invited = passwords::invite(
        &app.services,
        &by,
        "new@example.org",
        satchel::db::models::users::Role::Member,
    );
    let invited = invited.await.expect("an invitation");
    let somebody = signed_in(app, &scene.admin).await;
    browser(app).sign_in("admin@example.org", "not the password");
    let mut said: Vec<(String, String)> = Vec::new();
    let mut sessions = vec![invited.token, somebody.cookies["__Host-satchel"].clone()];
    for row in TABLE {
        for role in [Role::Owner, Role::Admin, Role::Token] {
            let caller = scene.caller(role).await;
            sessions.extend(caller.cookies.values().cloned());
            let id = scene.document_of_owner(row.path);
            let reply = scene.ask_about(&id, (row.method, row.path), caller, role);
            let what = format!("{} {} as {role:?}", row.method, row.path);
            let may_be_kept = reply
                .header("cache-control")
                .is_none_or(|kept| !kept.contains("no-store"));
            assert!(
                !may_be_kept || reply.header("set-cookie").is_none(),
                "{what}: a cookie in a cache (D2)"
            );
            let text = read(&reply);
            assert!(
                !is_signed(&text) || SIGNED.contains(&row.path),
                "{what} is signed: {text}"
            );
            said.push((what, text));
        }
    }
    // The session from before has been ended by one of the requests.
    let mut somebody = signed_in(app, &scene.admin).await;
    for path in pages_of_administrators(app, &mut somebody) {
        let reply = somebody.get(&path);
        assert_eq!(reply.status, 200, "{path}");
        let text = read(&reply);
        assert!(!is_signed(&text), "{path} is signed");
        said.push((path, text));
    }
    let mut secrets = kept_secrets(app).await;
    assert!(secrets.len() > 20, "{}", secrets.len());
    secrets.extend(sessions);
    for name in ["secret-key", "emulator-app-secret"] {
        let kept = std::fs::read_to_string(app.data_dir().join(name));
        secrets.push(kept.expect("a secret that was made").trim().to_owned());
    }
    for (what, text) in &said {
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{what} holds {secret}");
        }
    }
    let texts: Vec<_> = said
        .iter()
        .filter(|(what, _)| what.starts_with("GET /documents/{id} as Owner"))
        .collect();
    assert!(
        is_signed(&texts[0].1),
        "a page with a preview is signed: the test sees it"
    );
}

/// Pages about one user, and every table as a file.
fn pages_of_administrators(app: &TestApp, admin: &mut Browser) -> Vec<String> {
    let users = admin.get("/admin/users").page();
    let links = scraper::Selector::parse("tbody a").expect("a selector");
    let mut paths: Vec<_> = users
        .select(&links)
        .filter_map(|a| a.attr("href").map(str::to_owned))
        .collect();
    assert!(paths.len() >= 4, "{paths:?}");
    for table in ["documents", "webhooks", "jobs", "audit"] {
        for format in ["csv", "json"] {
            paths.push(format!("/admin/{table}?format={format}"));
        }
    }
    // The description says which fields there are: none of them is a secret.
    let description = get("/openapi.json")
        .send(crate::accounts::people::address(app))
        .text();
    for word in ["\"password", "_hash\"", "\"secret", "\"owner_id\""] {
        assert!(!description.contains(word), "a field of the API is called {word}");
    }
    paths
}
