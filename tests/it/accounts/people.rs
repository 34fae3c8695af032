//! People and programs of a running application, made without the time that a password's hash takes where no password is needed.

use std::net::SocketAddr;
use std::time::Duration;

use diesel::prelude::*;
use satchel::db::models::users::{self, Role, User};
use satchel::db::schema;
use satchel::services::accounts;
use satchel::services::audit::Actor;
use satchel::services::sign_in::Proven;

use crate::support::app::{PASSWORD, TestApp};
use crate::support::wire::{Browser, post};

/// Where the application listens.
pub fn address(app: &TestApp) -> SocketAddr {
    socket(&app.url)
}

/// Where its emulator listens.
pub fn emulator_address(app: &TestApp) -> SocketAddr {
    socket(&app.emulator_url)
}

fn socket(url: &str) -> SocketAddr {
    url.trim_start_matches("http://")
        .parse()
        .expect("an address and a port")
}

/// A browser that has been nowhere yet.
pub fn browser(app: &TestApp) -> Browser {
    Browser::new(address(app))
}

/// An account.
pub async fn account(app: &TestApp, email: &str, role: Role) -> User {
    accounts::create_user(&app.services, &Actor::command(), email, PASSWORD.to_owned(), role)
        .await
        .expect("an account can be made")
}

/// This user as whoever has just given their password.
pub async fn proven(app: &TestApp, email: &str) -> Proven {
    let email = email.to_owned();
    let found = app.services.db.run(move |c| users::find_with_password(c, &email));
    let (user, password_hash) = found.await.expect("rows").expect("an account");
    Proven { user, password_hash }
}

/// A browser with a session of this user's.
pub async fn signed_in(app: &TestApp, user: &User) -> Browser {
    let proven = proven(app, &user.email).await;
    let begun = accounts::begin_session(
        &app.services,
        &proven,
        None,
        "127.0.0.1".to_owned(),
        "test".to_owned(),
    );
    let mut browser = browser(app);
    let cookie = begun.await.expect("a session can be begun");
    browser.cookies.insert("__Host-satchel".to_owned(), cookie);
    browser
}

/// An API token of this user's.
pub async fn api_token(app: &TestApp, user: &User) -> String {
    let a_day = Duration::from_secs(24 * 3_600);
    accounts::create_api_token(&app.services, &Actor::command(), &user.email, "test", a_day)
        .await
        .expect("a token can be made")
}

/// Takes the right to sign in away.
pub async fn disable(app: &TestApp, user: &User) {
    let (id, now) = (user.id, app.services.clock.now());
    let disabled = app.services.db.write(move |c| {
        diesel::update(schema::users::table.find(id))
            .set(schema::users::disabled_at.eq(Some(now)))
            .execute(c)?;
        Ok(())
    });
    disabled.await.expect("a user can be disabled");
}

/// How many accounts there are.
pub async fn count_accounts(app: &TestApp) -> i64 {
    let counted = app
        .services
        .db
        .run(|c| Ok(schema::users::table.count().get_result(c)?));
    counted.await.expect("accounts can be counted")
}

/// The account with this address.
pub async fn find(app: &TestApp, email: &str) -> Option<User> {
    let email = email.to_owned();
    let found = app.services.db.run(move |c| users::find_by_email(c, &email));
    found.await.expect("accounts can be looked for")
}

/// Uploads a file for the token's owner and gives its id.
#[track_caller]
pub fn upload(app: &TestApp, token: &str, name: &str, bytes: &[u8]) -> String {
    let stored = post("/api/uploads")
        .bearer(token)
        .upload(&[], name, bytes)
        .send(address(app));
    assert_eq!(stored.status, 201, "{}", stored.text());
    stored.json()["id"].as_str().expect("an id").to_owned()
}

/// Does the same on as many threads at once, as nearly as threads can; the results in no order.
pub fn at_once<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (barrier, work) = (std::sync::Barrier::new(count), &work);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|number| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    work(number)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("a thread that does not panic"))
            .collect()
    })
}
