//! A database that somebody else holds (R9).

use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, SqliteConnection};
use satchel::config::DatabaseConfig;
use satchel::db::models::users::Role;
use serde_json::json;

use crate::accounts::people::{account, address, api_token, at_once, signed_in, upload};
use crate::support::app::TestApp;
use crate::support::wire::{get, post, request};

#[actix_web::test]
async fn r9_while_the_database_is_held_writes_are_503_and_reads_go_on() {
    let app = TestApp::sqlite().await;
    let DatabaseConfig::Sqlite { path } = &app.config.database else {
        panic!("this is about SQLite");
    };
    let mut holder = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    held(
        &app,
        |statement| holder.batch_execute(statement).unwrap(),
        "BEGIN EXCLUSIVE",
    )
    .await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn r9_while_a_table_is_held_writes_are_503_and_reads_go_on_with_postgresql() {
    let app = TestApp::postgres().await;
    let DatabaseConfig::Postgres { url } = &app.config.database else {
        panic!("this is about PostgreSQL");
    };
    let mut holder = PgConnection::establish(url).unwrap();
    let hold = "BEGIN; LOCK TABLE documents, uploads IN EXCLUSIVE MODE";
    held(&app, |statement| holder.batch_execute(statement).unwrap(), hold).await;
}

/// Asks for this and that while `hold` holds, and again after it.
async fn held(app: &TestApp, mut execute: impl FnMut(&str), hold: &str) {
    let ana = account(app, "ana@example.org", Role::Member).await;
    // A session whose last use is due to be written down: that must not keep its owner from reading.
    let mut browser = signed_in(app, &ana).await;
    app.advance(Duration::from_secs(61));
    let token = api_token(app, &ana).await;
    let id = upload(app, &token, "kept.txt", b"kept");
    execute(hold);

    assert_eq!(browser.get("/documents").status, 200);
    assert_eq!(get("/readyz").send(address(app)).status, 200);
    let target = format!("/api/documents/{id}");
    let rename = request("PATCH", &target)
        .json(&json!({"name": "new.txt"}))
        .bearer(&token);
    let another = post("/api/uploads").bearer(&token).upload(&[], "new.txt", b"new");
    let requests = [
        rename.clone(),
        another.clone(),
        request("DELETE", &target).bearer(&token),
    ];
    let replies = at_once(requests.len(), |number| requests[number].send(address(app)));
    for reply in replies {
        assert_eq!(reply.status, 503, "{}", reply.text());
        assert!(
            reply
                .header("retry-after")
                .is_some_and(|wait| wait.parse::<u64>().is_ok())
        );
        assert_eq!(reply.json()["code"], "database-busy");
    }

    execute("ROLLBACK");
    let document = get(&target).bearer(&token).send(address(app)).json();
    assert_eq!(document["name"], "kept.txt", "nothing was changed");
    assert_eq!(app.stored_files(), 1, "nothing was stored");
    assert_eq!(rename.send(address(app)).status, 200);
    assert_eq!(another.send(address(app)).status, 201);
}
