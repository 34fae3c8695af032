//! How many questions a page asks the database: as many whatever there is.

use std::collections::HashMap;
use std::sync::{Mutex, Once};
use std::time::Duration;

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use satchel::config::DatabaseConfig;
use satchel::db::models::users::{self, NewUser, Role};
use satchel::ids::UserId;
use serde_json::json;

use crate::hooks::sender::{app, event};
use crate::support::app::{Setup, TestApp};
use crate::support::documents::a_document;

/// Statements of each database, by the address it was opened with.
static COUNTS: Mutex<Option<HashMap<String, usize>>> = Mutex::new(None);

/// Counts the statements of one connection.
struct Counter(String);

impl Instrumentation for Counter {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => self.0 = url.to_owned(),
            InstrumentationEvent::StartQuery { .. } => {
                let mut counts = COUNTS.lock().expect("nobody panics here");
                *counts.get_or_insert_default().entry(self.0.clone()).or_default() += 1;
            }
            _ => {}
        }
    }
}

/// Statements of the application's database so far.
fn count(app: &TestApp) -> usize {
    let part = match &app.config.database {
        DatabaseConfig::Postgres { url } => url.clone(),
        DatabaseConfig::Sqlite { path } => path.to_str().expect("a plain path").to_owned(),
    };
    let counts = COUNTS.lock().expect("nobody panics here");
    let counts = counts.iter().flatten().filter(|(url, _)| url.contains(&part));
    counts.map(|(_, count)| count).sum()
}

/// Everything that the tables have, so many more of it.
async fn add(app: &TestApp, round: i64, many: i64) {
    for n in 0..many {
        a_document(&format!("report {round} {n}.txt"))
            .create(app, "ana")
            .await;
        // Which makes a job, too.
        let body = event(round * 10_000 + n, "fp.new-thing", json!({}));
        app.deliver(&body).await;
    }
    app.run_jobs().await;
    let now = app.services.clock.now();
    let added = app.services.db.write(move |c| {
        for n in 0..many {
            let user = NewUser {
                id: UserId::new(now),
                email: format!("u{round}-{n}@example.org"),
                password_hash: String::new(),
                role: Role::Member,
                created_at: now,
            };
            users::insert(c, user)?;
        }
        Ok(())
    });
    added.await.expect("more users");
}

async fn pages_ask_as_many_questions_whatever_there_is(setup: Setup) {
    static COUNT: Once = Once::new();
    COUNT.call_once(|| {
        set_default_instrumentation(|| Some(Box::new(Counter(String::new())))).expect("a counter");
    });
    let app = setup.start().await;
    let (admin, ana) = (app.admin().await, app.user("ana").await);
    let pages = [
        (&admin, "/admin"),
        (&admin, "/admin/users"),
        (&admin, "/admin/users?sort=-size"),
        (&admin, "/admin/users?email=u1"),
        (&admin, "/admin/documents"),
        (&admin, "/admin/documents?q=report"),
        (&admin, "/admin/webhooks"),
        (&admin, "/admin/jobs"),
        (&admin, "/admin/audit"),
        (&admin, "/admin/settings"),
        (&admin, "/admin/system"),
        (&ana, "/documents"),
        (&ana, "/documents?q=report"),
        (&ana, "/trash"),
    ];
    let mut asked: Vec<Vec<usize>> = vec![Vec::new(); pages.len()];
    // More than the 200 documents that a search walks through; each table has more than one page of them.
    for (round, many) in [(1, 210), (2, 210)] {
        add(&app, round, many).await;
        for ((client, path), asked) in pages.iter().zip(&mut asked) {
            // Twice, since the first look may enter what waits.
            client.page(path).await;
            let before = count(&app);
            let first = client.page(path).await;
            asked.push(count(&app) - before);
            let Some(next) = first.attributes("a[rel=next]", "href").pop() else {
                continue;
            };
            let before = count(&app);
            client.page(&next).await;
            asked.push(count(&app) - before);
        }
        app.advance(Duration::from_secs(1));
    }
    for ((_, path), asked) in pages.iter().zip(&asked) {
        assert!(
            asked.iter().all(|count| (1..=20).contains(count)),
            "{path}: {asked:?}"
        );
        let (few, many) = asked.split_at(asked.len() / 2);
        assert_eq!(few, many, "{path}: questions for the first page and the next");
    }
}

#[actix_web::test]
async fn pages_ask_as_many_questions_whatever_there_is_on_sqlite() {
    pages_ask_as_many_questions_whatever_there_is(app()).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn pages_ask_as_many_questions_whatever_there_is_on_postgres() {
    pages_ask_as_many_questions_whatever_there_is(app().on_postgres()).await;
}
