//! `/admin/users`: invitations, roles, accounts that are disabled, links that work once, and the administrator who is always left.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use satchel::db::models::password_links;
use satchel::db::models::users::{self, Role};
use satchel::error::AppError;
use satchel::services::audit::Actor;
use satchel::services::{passwords, people};

use super::people::count_accounts;
use crate::support::answer::Answer;
use crate::support::app::{PASSWORD, TestApp, email};
use crate::support::client::Client;

const CHOSEN: &str = "some words of my own";

/// The path of the link that a page shows once.
fn link(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{}", answer.text());
    let url = answer.texts(".secret").pop().expect("the link");
    url[url.find("/password").expect("a link")..].to_owned()
}

async fn invite(admin: &Client, email: &str) -> Answer {
    admin
        .post_form("/admin/users", &[("email", email), ("role", "member")])
        .await
}

/// Chooses a password with a link as somebody who has never been here.
async fn choose(app: &TestApp, path: &str, password: &str) -> Answer {
    let token = path.split_once("token=").expect("a token").1;
    app.anon()
        .post_form("/password", &[("token", token), ("password", password)])
        .await
}

async fn invited(app: TestApp) {
    let admin = app.admin().await;
    let path = link(&invite(&admin, "Bob@example.org").await);
    // Nobody signs in before a password was chosen, not even with an empty one.
    assert_eq!(app.anon().sign_in("bob@example.org", "").await.status, 422);
    assert!(admin.page("/admin/users").await.text().contains("Invited"));
    let page = app.anon().page(&path).await;
    assert!(page.text().contains("bob@example.org"));
    assert_eq!(choose(&app, &path, "short").await.status, 422);
    // R7: ten at once, one succeeds.
    let passwords: Vec<_> = (0..10).map(|n| format!("{CHOSEN} {n}")).collect();
    let answers = join_all(passwords.iter().map(|password| choose(&app, &path, password))).await;
    let won: Vec<_> = (0..10).filter(|n| answers[*n].status == 303).collect();
    assert_eq!(
        won.len(),
        1,
        "{:?}",
        answers.iter().map(|answer| answer.status).collect::<Vec<_>>()
    );
    assert_eq!(answers.iter().filter(|answer| answer.status == 404).count(), 9);
    let signed_in = app.anon().sign_in("bob@example.org", &passwords[won[0]]).await;
    assert_eq!(signed_in.status, 303, "{}", signed_in.text());
    assert_eq!(app.anon().get(&path).await.status, 404, "it works once");
    let actions = app.actions_on_user("bob").await;
    assert_eq!(actions, ["password.choose", "session.begin", "user.invite"]);
}

#[actix_web::test]
async fn r7_an_invitation_works_once() {
    invited(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn r7_an_invitation_works_once_on_postgres() {
    invited(TestApp::postgres().await).await;
}

/// A8, R7: the same link by ten at once, and once more afterwards.
async fn reset(app: TestApp) {
    let (admin, ana) = (app.admin().await, app.user("ana").await);
    let page = format!("/admin/users/{}/password", app.owner("ana").await.id);
    let path = link(&admin.post_form(&page, &[]).await);
    let passwords: Vec<_> = (0..10).map(|n| format!("{CHOSEN} {n}")).collect();
    let answers = join_all(passwords.iter().map(|password| choose(&app, &path, password))).await;
    let won: Vec<_> = (0..10).filter(|n| answers[*n].status == 303).collect();
    assert_eq!(won.len(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 404).count(), 9);
    assert_eq!(choose(&app, &path, "yet another password").await.status, 404);
    assert_eq!(ana.get("/api/account").await.status, 401);
    let mut entered = Vec::new();
    for (number, password) in passwords.iter().enumerate().take(4) {
        if app.anon().sign_in(&email("ana"), password).await.status == 303 {
            entered.push(number);
        }
    }
    let expected: Vec<_> = won.into_iter().filter(|number| *number < 4).collect();
    assert_eq!(
        entered, expected,
        "the password is the one that was told to be taken"
    );
    let chosen = app.actions_on_user("ana").await;
    assert_eq!(
        chosen
            .iter()
            .filter(|action| *action == "password.choose")
            .count(),
        1
    );
}

/// Another link is made while the first one is being used: whoever comes second waits, and is told that the link is over.
#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn r7_a_link_that_is_used_while_it_is_taken_back_waits_for_that_and_in_no_ring() {
    let app = TestApp::postgres().await;
    app.account("ana").await;
    let id = app.owner("ana").await.id;
    let link = passwords::reset(&app.services, &Actor::command(), id).await;
    let token = link.expect("a link").token;
    let chosen = app.in_between(
        move |c, other| {
            users::find_for_update(c, id)?.expect("a user");
            other.waits(c)?;
            password_links::delete_of(c, id)
        },
        passwords::choose(&app.services, &token, CHOSEN.to_owned(), "127.0.0.1"),
    );
    let chosen = chosen.await;
    assert!(matches!(chosen, Err(AppError::NotFound)), "{chosen:?}");
}

#[actix_web::test]
async fn r7_a8_a_reset_link_works_once_however_many_use_it_at_once() {
    reset(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn r7_a8_a_reset_link_works_once_however_many_use_it_at_once_on_postgres() {
    reset(TestApp::postgres().await).await;
}

#[actix_web::test]
async fn i14_nobody_signs_up_by_themselves() {
    let app = TestApp::sqlite().await;
    app.account("ana").await;
    let accounts = count_accounts(&app).await;
    let stranger = app.anon();
    let fields = [
        ("email", "eve@example.org"),
        ("password", CHOSEN),
        ("token", "x"),
        ("role", "admin"),
    ];
    for path in [
        "/setup",
        "/sign-up",
        "/signup",
        "/register",
        "/users",
        "/accounts",
        "/password",
    ] {
        assert_eq!(stranger.get(path).await.status, 404, "{path}");
        assert_eq!(stranger.post_form(path, &fields).await.status, 404, "{path}");
    }
    assert_eq!(invite(&stranger, "eve@example.org").await.status, 401);
    assert_eq!(
        invite(&app.user("ana").await, "eve@example.org").await.status,
        403
    );
    assert_eq!(count_accounts(&app).await, accounts);
}

#[actix_web::test]
async fn i14_names_that_are_or_look_the_same_get_no_second_account() {
    alike(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn i14_names_that_are_or_look_the_same_get_no_second_account_on_postgres() {
    alike(TestApp::postgres().await).await;
}

async fn alike(app: TestApp) {
    let admin = app.admin().await;
    app.account("ana").await;
    for alike in [
        "ana@example.org",
        " ANA@Example.ORG ",
        "\u{ff41}na@example.org",
        "\u{430}na@example.org",
        "an\u{e0}@example.org",
    ] {
        let refused = invite(&admin, alike).await;
        assert_eq!(refused.status, 422, "{alike}");
        assert_eq!(refused.texts("#invite-email-error").len(), 1, "{alike}");
        let kept = refused.attributes("#invite-email", "value");
        assert_eq!(kept, [alike], "what was typed is kept");
    }
    // Ten at once for one name.
    let answers = join_all((0..10).map(|n| {
        let name = if n % 2 == 0 {
            "eve@example.org"
        } else {
            "EVE@example.org"
        };
        invite(&admin, name)
    }))
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
}

#[actix_web::test]
async fn a_reset_link_ends_sessions_and_earlier_links_and_is_over_in_a_day() {
    let app = TestApp::sqlite().await;
    let (admin, ana) = (app.admin().await, app.user("ana").await);
    let page = format!("/admin/users/{}/password", app.owner("ana").await.id);
    let first = link(&admin.post_form(&page, &[]).await);
    let second = link(&admin.post_form(&page, &[]).await);
    assert_eq!(
        choose(&app, &first, CHOSEN).await.status,
        404,
        "a later one was made"
    );
    assert_eq!(choose(&app, &second, CHOSEN).await.status, 303);
    assert_eq!(ana.get("/api/account").await.status, 401);
    assert_eq!(app.anon().sign_in(&email("ana"), PASSWORD).await.status, 422);
    let third = link(&admin.post_form(&page, &[]).await);
    app.advance(passwords::RESET + Duration::from_secs(1));
    assert_eq!(app.anon().get(&third).await.status, 404);
}

async fn disabled(app: TestApp) {
    let (admin, ana, program) = (app.admin().await, app.user("ana").await, app.token("ana").await);
    let id = app.owner("ana").await.id;
    let document = ana.process("a.txt", b"content").await.field("id");
    // Told of progress until then, and not a second longer (A3).
    let watching = ana.request(Method::GET, &format!("/documents/{document}/events"));
    let watching = tokio::spawn(async move { watching.send().await.expect("a stream").text().await });
    let state = format!("/admin/users/{id}/state");
    assert_eq!(
        admin.post_form(&state, &[("state", "disabled")]).await.status,
        303
    );
    for client in [&ana, &program] {
        assert_eq!(client.get("/api/account").await.status, 401);
    }
    assert_eq!(app.anon().sign_in(&email("ana"), PASSWORD).await.status, 422);
    let told = tokio::time::timeout(Duration::from_secs(20), watching).await;
    assert!(told.is_ok(), "the stream goes on");
    let refused = admin.post_form(&format!("/admin/users/{id}/password"), &[]).await;
    assert_eq!(refused.status, 409);
    assert_eq!(admin.post_form(&state, &[("state", "enabled")]).await.status, 303);
    assert_eq!(app.anon().sign_in(&email("ana"), PASSWORD).await.status, 303);
    assert_eq!(
        ana.get("/api/account").await.status,
        401,
        "a session from before stays ended"
    );
    // The way from the act to what was written down about it.
    let page = admin.page(&format!("/admin/users/{id}")).await;
    let trail = page.attributes("main a[href^='/admin/audit?subject=']", "href");
    let trail = admin.page(&trail[0]).await.texts("tbody tr").concat();
    assert!(trail.contains("admin@example.org"), "{trail}");
    let actions = app.actions_on_user("ana").await;
    let steps = [
        "session.begin",
        "session.begin",
        "token.create",
        "user.disable",
        "user.enable",
    ];
    assert_eq!(actions, steps);
}

#[actix_web::test]
async fn a3_a_disabled_account_is_refused_everywhere_at_once() {
    disabled(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn a3_a_disabled_account_is_refused_everywhere_at_once_on_postgres() {
    disabled(TestApp::postgres().await).await;
}

async fn last(app: TestApp) {
    let admin = app.admin().await;
    let id = app.owner("admin").await.id;
    for (what, fields) in [("role", ("role", "member")), ("state", ("state", "disabled"))] {
        let refused = admin
            .post_form(&format!("/admin/users/{id}/{what}"), &[fields])
            .await;
        assert_eq!(refused.status, 409, "{what}");
        assert!(refused.text().contains("last administrator"));
    }
    // Somebody who has not accepted yet is none.
    passwords::invite(&app.services, &Actor::command(), "new@example.org", Role::Admin)
        .await
        .expect("an invitation");
    assert_eq!(
        admin
            .post_form(&format!("/admin/users/{id}/role"), &[("role", "member")])
            .await
            .status,
        409
    );
    // Two of them demote or disable each other, again and again: one is left each time.
    let other = people::with_email(&app.services, &email("ana")).await;
    assert!(other.is_err());
    app.account("ana").await;
    let ana = app.owner("ana").await.id;
    for round in 0..10 {
        for user in [id, ana] {
            people::set_role(&app.services, &Actor::command(), user, Role::Admin)
                .await
                .expect("a role");
            people::set_enabled(&app.services, &Actor::command(), user, true)
                .await
                .expect("enabled");
        }
        let by = Actor::command();
        let (one, two) = tokio::join!(
            people::set_role(&app.services, &by, id, Role::Member),
            people::set_enabled(&app.services, &by, ana, false),
        );
        assert!(one.is_ok() != two.is_ok(), "round {round}: {one:?} {two:?}");
        let left = [id, ana].map(|user| people::get(&app.services, user));
        let left = join_all(left).await.into_iter().map(|user| user.expect("a user"));
        let left = left.filter(|user| user.role == Role::Admin && user.disabled_at.is_none());
        assert_eq!(left.count(), 1, "round {round}");
    }
}

#[actix_web::test]
async fn the_last_administrator_stays_one() {
    last(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn the_last_administrator_stays_one_on_postgres() {
    last(TestApp::postgres().await).await;
}

#[actix_web::test]
async fn a1_another_role_ends_what_was_signed_in_with_the_old_one() {
    let app = TestApp::sqlite().await;
    let (admin, ana) = (app.admin().await, app.user("ana").await);
    let page = format!("/admin/users/{}/role", app.owner("ana").await.id);
    assert_eq!(admin.post_form(&page, &[("role", "admin")]).await.status, 303);
    assert_eq!(ana.get("/api/account").await.status, 401);
    let again = app.user("ana").await;
    assert_eq!(again.page("/admin/users").await.status, 200);
    let trail = app.trail_of_user("ana").await;
    let changed = trail.iter().find(|entry| entry.action == "user.role");
    assert_eq!(changed.expect("an entry").after, r#"{"role":"admin"}"#);
}

#[actix_web::test]
async fn quotas_are_set_on_the_page_and_bad_ones_are_refused_beside_the_field() {
    let app = TestApp::sqlite().await;
    let admin = app.admin().await;
    app.account("ana").await;
    let page = format!("/admin/users/{}/quota", app.owner("ana").await.id);
    let refused = admin
        .post_form(&page, &[("mebibytes", "much"), ("documents", "5")])
        .await;
    assert_eq!(
        (refused.status, refused.texts("#quota-mebibytes-error").len()),
        (422, 1)
    );
    assert_eq!(refused.attributes("#quota-mebibytes", "value"), ["much"]);
    let set = admin
        .post_form(&page, &[("mebibytes", "2"), ("documents", "")])
        .await;
    assert_eq!(set.status, 303);
    let ana = app.owner("ana").await;
    assert_eq!((ana.quota_bytes, ana.quota_documents), (Some(2 << 20), None));
    let total = admin
        .post_form("/admin/quota", &[("mebibytes", ""), ("documents", "0")])
        .await;
    assert_eq!(total.status, 303);
    let program = app.token("ana").await;
    let refused = program.upload("a.txt", b"x").await;
    assert_eq!((refused.status, refused.problem().as_str()), (413, "over-quota"));
    assert!(refused.field("detail").contains("All users together"));
}

#[actix_web::test]
async fn the_list_is_walked_from_address_to_address() {
    let app = TestApp::sqlite().await;
    let admin = app.admin().await;
    for n in 0..60 {
        passwords::invite(
            &app.services,
            &Actor::command(),
            &format!("u{n:02}@example.org"),
            Role::Member,
        )
        .await
        .expect("an invitation");
    }
    let rows = |answer: &Answer| answer.texts("tbody th");
    let first = admin.page("/admin/users").await;
    assert_eq!(rows(&first).len(), 50);
    let next = first.attributes("a[rel=next]", "href").pop().expect("more");
    let second = admin.page(&next).await;
    assert_eq!(
        rows(&second),
        (49..60)
            .map(|n| format!("u{n:02}@example.org"))
            .collect::<Vec<_>>()
    );
    let back = second
        .attributes("a[rel=prev]", "href")
        .pop()
        .expect("a way back");
    assert_eq!(rows(&admin.page(&back).await), rows(&first));
    assert_eq!(rows(&admin.page("/admin/users?email=U1").await).len(), 10);
    assert!(
        rows(&admin.page("/admin/users?email=%25").await).is_empty(),
        "nothing is a pattern"
    );
}
