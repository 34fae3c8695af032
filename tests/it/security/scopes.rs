//! Every route asked with a token whose scopes do not allow it, and with one whose only scope does (I2).

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::Integer;
use satchel::config::DatabaseConfig;
use satchel::services::accounts;
use satchel::services::audit::Actor;
use satchel::services::scopes::{Scope, Scopes};

use super::matrix::Scene;
use super::table::{Role, TABLE, Token};
use crate::accounts::people::{address, api_token, browser};
use crate::support::app::TestApp;
use crate::support::wire::{Browser, get};

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Integer)]
    data_version: i32,
}

/// A connection that sees whether any other has changed the database.
struct Watch(SqliteConnection);

impl Watch {
    fn new(app: &TestApp) -> Self {
        let DatabaseConfig::Sqlite { path } = &app.config.database else {
            panic!("this is about SQLite");
        };
        let path = path.to_str().expect("a path of plain characters");
        Watch(SqliteConnection::establish(path).expect("the database is there"))
    }

    /// A number that is another one after every change.
    fn version(&mut self) -> i32 {
        let read = diesel::sql_query("PRAGMA data_version").get_result::<Version>(&mut self.0);
        read.expect("the database can be read").data_version
    }
}

/// An administrator's token with these scopes: whatever it is refused is for want of a scope, and not of a right.
async fn token(scene: &Scene, scopes: &[Scope]) -> String {
    let day = Duration::from_secs(24 * 3_600);
    let (email, scopes) = (&scene.admin.email, Scopes::of(scopes));
    let (services, actor) = (&scene.app.services, Actor::command());
    let made = accounts::create_scoped_token(services, &actor, email, "test", day, scopes).await;
    let token = made.expect("a token can be made");
    // Its first use is written down, wherever that is allowed.
    for target in ["/api/account", "/api/documents", "/metrics"] {
        get(target).bearer(&token).send(address(&scene.app));
    }
    token
}

fn with(scene: &Scene, token: &str) -> Browser {
    browser(&scene.app).with_header("Authorization", format!("Bearer {token}"))
}

#[test]
fn i2_every_route_has_a_decision_about_scopes() {
    for row in TABLE {
        assert_ne!(
            row.token,
            Token::Undecided,
            "say in tests/it/security/table.rs which scope a token needs for {} {}",
            row.method,
            row.path
        );
    }
}

#[actix_web::test]
async fn i2_a_token_without_the_scope_is_refused_on_every_route_and_changes_nothing() {
    let scene = Scene::new().await;
    let mut watch = Watch::new(&scene.app);
    let everything = api_token(&scene.app, &scene.admin).await;
    let mut pairs = Vec::new();
    for scope in Scope::ALL {
        let others: Vec<_> = Scope::ALL.into_iter().filter(|other| *other != scope).collect();
        pairs.push((scope, token(&scene, &others).await, token(&scene, &[scope]).await));
    }
    let mut wrong = Vec::new();
    for row in TABLE {
        let route = (row.method, row.path);
        let ask = |token: &str, id: &str, method: &str| {
            scene.ask_about(id, (method, row.path), with(&scene, token), Role::Token)
        };
        for (scope, without, only) in &pairs {
            let id = scene.document_for(row.path, &everything);
            let (files, version) = (scene.app.stored_files(), watch.version());
            let reply = ask(without, &id, row.method);
            if row.token == Token::Needs(*scope) {
                if reply.status != 403 || !reply.text().contains(scope.lacking()) {
                    wrong.push(format!("{route:?} without {scope}: {}", reply.status));
                }
                if (files, version) != (scene.app.stored_files(), watch.version()) {
                    wrong.push(format!("{route:?} without {scope} has changed something"));
                }
                if row.method == "GET" && ask(without, &id, "HEAD").status != 403 {
                    wrong.push(format!("HEAD {} without {scope}", row.path));
                }
                // One scope is enough, and gives what a token with all of them has.
                let (allowed, all) = (
                    ask(only, &id, row.method),
                    ask(
                        &everything,
                        &scene.document_for(row.path, &everything),
                        row.method,
                    ),
                );
                if allowed.status != all.status {
                    wrong.push(format!(
                        "{route:?} with {scope} alone: {} and not {}",
                        allowed.status, all.status
                    ));
                }
            } else if reply.text().contains("lacks the scope") {
                wrong.push(format!("{route:?} needs {scope} too"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
