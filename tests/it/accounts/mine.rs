//! `/account`: one's own password, sessions, tokens and colours; and the password again before what is dangerous.

use std::time::Duration;

use reqwest::Method;
use satchel::services::accounts;
use satchel::services::audit::Actor;
use satchel::services::scopes::{Scope, Scopes};
use satchel::services::sessions::TRUSTED;
use serde_json::json;

use super::people::count_accounts;
use crate::support::answer::Answer;
use crate::support::app::{PASSWORD, TestApp, email};
use crate::support::client::Client;

const OTHER: &str = "five other plain words here";
const SESSION: &str = "__Host-satchel";

async fn another(app: &TestApp, name: &str) -> Client {
    let client = app.anon();
    assert_eq!(client.sign_in(&email(name), PASSWORD).await.status, 303);
    client
}

async fn is_known(client: &Client) -> bool {
    client.get("/api/account").await.status == 200
}

async fn password(app: TestApp) {
    let ana = app.user("ana").await;
    let (phone, program) = (another(&app, "ana").await, app.token("ana").await);
    let before = ana.cookie(SESSION);
    let wrong = ana
        .post_form(
            "/account/password",
            &[("current_password", "wrong"), ("password", OTHER)],
        )
        .await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.texts("#current-password-error")[0].contains("not your present password"));
    let short = ana
        .post_form(
            "/account/password",
            &[("current_password", PASSWORD), ("password", "short")],
        )
        .await;
    assert_eq!((short.status, short.texts("#new-password-error").len()), (422, 1));
    assert!(is_known(&phone).await);
    let changed = ana
        .post_form(
            "/account/password",
            &[("current_password", PASSWORD), ("password", OTHER)],
        )
        .await;
    assert_eq!((changed.status, changed.location()), (303, "/account"));
    assert_ne!(ana.cookie(SESSION), before, "a new id (A1)");
    assert!(is_known(&ana).await && is_known(&program).await);
    assert!(!is_known(&phone).await, "the other session has ended (A3)");
    assert_eq!(app.anon().sign_in(&email("ana"), PASSWORD).await.status, 422);
    assert_eq!(app.anon().sign_in(&email("ana"), OTHER).await.status, 303);
    let actions = app.actions_on_user("ana").await;
    assert!(
        actions.iter().any(|action| action == "password.change"),
        "{actions:?}"
    );
}

#[actix_web::test]
async fn a3_changing_the_password_ends_every_other_session() {
    password(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn a3_changing_the_password_ends_every_other_session_on_postgres() {
    password(TestApp::postgres().await).await;
}

#[actix_web::test]
async fn sessions_are_listed_and_ended_one_by_one_or_all_others() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let (phone, tablet) = (another(&app, "ana").await, another(&app, "ana").await);
    let page = ana.page("/account").await;
    let forms = page.attributes("form[action^='/account/sessions/']", "action");
    assert_eq!(forms.len(), 3, "two others, and all others: {forms:?}");
    assert!(page.text().contains("127.0.0.1"));
    // Somebody else's name opens nothing.
    let bob = app.user("bob").await;
    assert_eq!(bob.post_form(&forms[0], &[]).await.status, 404);
    assert_eq!(ana.post_form(&forms[0], &[]).await.status, 303);
    assert_ne!(is_known(&phone).await, is_known(&tablet).await, "one of them");
    assert_eq!(ana.post_form("/account/sessions/deletion", &[]).await.status, 303);
    assert!(!is_known(&phone).await && !is_known(&tablet).await);
    assert!(is_known(&ana).await && is_known(&bob).await);
}

/// The token that the page shows once.
fn shown(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.texts(".secret").pop().expect("the token")
}

#[actix_web::test]
async fn a11_tokens_are_shown_once_do_what_their_scopes_say_and_are_revoked() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let id = ana.document("a.txt", b"content").await;
    let fields = [("name", "backup"), ("days", "30"), ("scope", "documents:read")];
    // What is not known must not become none, which is all.
    let unknown = [fields[0], fields[1], ("scope", "documents:reed")];
    assert_eq!(ana.post_form("/account/tokens", &unknown).await.status, 400);
    let token = shown(&ana.post_form("/account/tokens", &fields).await);
    let page = ana.page("/account").await;
    assert!(!page.text().contains(&token) && page.text().contains("backup"));
    let reader = Client::with_token(&app.url, &token);
    assert_eq!(reader.get(&format!("/api/documents/{id}")).await.status, 200);
    for (method, path, scope) in [
        (Method::DELETE, format!("/api/documents/{id}"), "documents:write"),
        (Method::POST, "/api/uploads".to_owned(), "uploads:write"),
        (
            Method::GET,
            "/api/uploads/picker-config".to_owned(),
            "uploads:write",
        ),
        (Method::GET, "/api/account".to_owned(), "account:read"),
        (Method::GET, "/admin/users".to_owned(), "admin"),
    ] {
        let answer = reader
            .send(reader.request(method, &path).header("Accept", "application/json"))
            .await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(
            answer.field("detail").contains(scope),
            "{path}: {}",
            answer.text()
        );
    }
    let revocation = page.attributes("form[action^='/account/tokens/']", "action");
    // Another's token is not there (I3).
    let bob = app.user("bob").await;
    assert_eq!(bob.post_form(&revocation[0], &[]).await.status, 404);
    assert_eq!(reader.get("/api/documents").await.status, 200);
    assert_eq!(ana.post_form(&revocation[0], &[]).await.status, 303);
    assert_eq!(reader.get(&format!("/api/documents/{id}")).await.status, 401);
    for bad in [
        [("name", " "), ("days", "30")],
        [("name", "x"), ("days", "0")],
        [("name", "x"), ("days", "many")],
    ] {
        let refused = ana.post_form("/account/tokens", &bad).await;
        assert_eq!(
            (refused.status, refused.texts(".field-error").len()),
            (422, 1),
            "{bad:?}"
        );
    }
    let actions = app.actions_on_user("ana").await;
    assert_eq!(actions, ["session.begin", "token.create", "token.revoke"]);
}

#[actix_web::test]
async fn an_administrators_token_without_the_scope_administers_nothing() {
    let app = TestApp::sqlite().await;
    let _admin = app.admin().await;
    let make = async |scopes: &[Scope]| {
        let week = Duration::from_secs(7 * 24 * 3_600);
        let (actor, email) = (Actor::command(), email("admin"));
        let made =
            accounts::create_scoped_token(&app.services, &actor, &email, "x", week, Scopes::of(scopes));
        Client::with_token(&app.url, &made.await.expect("a token"))
    };
    assert_eq!(make(&[]).await.get("/admin/users").await.status, 200);
    assert_eq!(make(&[Scope::Admin]).await.get("/admin/users").await.status, 200);
    assert_eq!(
        make(&[Scope::DocumentsWrite])
            .await
            .get("/admin/users")
            .await
            .status,
        403
    );
}

async fn again(app: TestApp) {
    let ana = app.user("ana").await;
    app.advance(TRUSTED + Duration::from_secs(1));
    let fields = [
        ("name", "backup \"<b>"),
        ("days", "30"),
        ("scope", "documents:read"),
        ("scope", "uploads:write"),
    ];
    let asked = ana.post_form("/account/tokens", &fields).await;
    assert_eq!(
        (asked.status, asked.texts("h1")),
        (403, vec!["Is it you?".to_owned()])
    );
    // What was typed is on the page, and nothing was made.
    let values = asked.attributes("main form input[type=hidden]", "value");
    for (_, value) in fields {
        assert!(values.iter().any(|kept| kept == value), "{values:?}");
    }
    assert!(
        app.trail_of_user("ana")
            .await
            .iter()
            .all(|entry| entry.action != "token.create")
    );
    let mut sent = fields.to_vec();
    sent.push(("confirm_password", "wrong"));
    let wrong = ana.post_form("/account/tokens", &sent).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("The password is not right"));
    assert!(!wrong.text().contains("value=\"wrong\""));
    let before = ana.cookie(SESSION).expect("a session");
    *sent.last_mut().expect("the password") = ("confirm_password", PASSWORD);
    let made = ana.post_form("/account/tokens", &sent).await;
    shown(&made);
    assert!(made.text().contains("documents:read uploads:write"));
    // The id is another one, and the old one is nobody's (A1).
    let renewed = ana.cookie(SESSION).expect("a session");
    assert_ne!(renewed, before);
    let old = app
        .anon()
        .request(Method::GET, "/api/account")
        .header("Cookie", format!("{SESSION}={before}"));
    assert_eq!(app.anon().send(old).await.status, 401);
    // The forms of the page that came with it work.
    let token = made
        .attributes("meta[name=csrf-token]", "content")
        .pop()
        .expect("a token");
    let ended = ana
        .request(Method::POST, "/account/sessions/deletion")
        .form(&[("csrf_token", token)]);
    assert_eq!(ana.send(ended).await.status, 303);
    // For some minutes nothing is asked again.
    shown(
        &ana.post_form("/account/tokens", &[("name", "second"), ("days", "1")])
            .await,
    );
}

#[actix_web::test]
async fn a15_what_is_dangerous_wants_the_password_again_and_keeps_what_was_typed() {
    again(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn a15_what_is_dangerous_wants_the_password_again_and_keeps_what_was_typed_on_postgres() {
    again(TestApp::postgres().await).await;
}

/// Every form that does something dangerous, with nothing wrong in it.
fn dangerous(user: &str) -> Vec<(String, Vec<(&'static str, &'static str)>)> {
    let of = |act: &str| format!("/admin/users/{user}/{act}");
    vec![
        ("/account/tokens".to_owned(), vec![("name", "x"), ("days", "1")]),
        (
            "/admin/users".to_owned(),
            vec![("email", "new@example.org"), ("role", "admin")],
        ),
        (
            "/admin/quota".to_owned(),
            vec![("mebibytes", "1"), ("documents", "1")],
        ),
        (of("role"), vec![("role", "admin")]),
        (of("state"), vec![("state", "disabled")]),
        (of("quota"), vec![("mebibytes", "1"), ("documents", "1")]),
        (of("password"), vec![]),
        (of("sessions"), vec![]),
    ]
}

/// A route whose handler takes a form that can be asked for again is in the list above.
#[test]
fn a15_the_list_of_dangerous_forms_is_whole() {
    let taking: usize = [
        include_str!("../../../src/web/pages/account.rs"),
        include_str!("../../../src/web/pages/admin/users.rs"),
    ]
    .iter()
    .map(|source| source.matches("data: ConfirmedForm,").count())
    .sum();
    assert_eq!(taking, dangerous("x").len());
}

#[actix_web::test]
async fn a15_every_dangerous_act_wants_the_password_again_and_is_not_done_before() {
    let app = TestApp::sqlite().await;
    let (admin, ana) = (app.admin().await, app.user("ana").await);
    let id = app.owner("ana").await.id.to_string();
    app.advance(TRUSTED + Duration::from_secs(1));
    let (accounts, trail) = (count_accounts(&app).await, app.trail_of_user("ana").await.len());
    for (path, fields) in dangerous(&id) {
        let asked = admin.post_form(&path, &fields).await;
        assert_eq!(
            (asked.status, asked.texts("h1")),
            (403, vec!["Is it you?".to_owned()]),
            "{path}"
        );
        assert_eq!(
            asked.attributes("main form", "action"),
            std::slice::from_ref(&path)
        );
        for (name, value) in &fields {
            let kept = asked.attributes(&format!("main form input[name={name}]"), "value");
            assert_eq!(kept, [*value], "{path} {name}");
        }
        let mut wrong = fields.clone();
        wrong.push(("confirm_password", "not the password"));
        let refused = admin.post_form(&path, &wrong).await;
        assert!(matches!(refused.status, 422 | 429), "{path}: {}", refused.status);
        assert_eq!(refused.texts("#confirm-error").len(), 1);
    }
    assert_eq!(count_accounts(&app).await, accounts);
    assert_eq!(app.trail_of_user("ana").await.len(), trail, "nothing was done");
    assert!(is_known(&ana).await);
    let user = app.owner("ana").await;
    assert_eq!(
        (user.quota_bytes, user.quota_documents, user.disabled_at),
        (None, None, None)
    );
    // Changing one's own password wants it in the form itself.
    let fields = [("current_password", "not the password"), ("password", OTHER)];
    assert_ne!(ana.post_form("/account/password", &fields).await.status, 303);
}

async fn raced(app: TestApp) {
    let ana = app.user("ana").await;
    app.advance(TRUSTED + Duration::from_secs(1));
    let token = ana.csrf_token().await;
    let guesses = (0..50).map(|number| {
        let (ana, token) = (ana.clone(), token.clone());
        async move {
            let guess = format!("not the password {number}");
            let fields = [
                ("csrf_token", token.as_str()),
                ("name", "x"),
                ("days", "1"),
                ("confirm_password", &guess),
            ];
            ana.send(ana.request(Method::POST, "/account/tokens").form(&fields))
                .await
        }
    });
    let answers = futures_util::future::join_all(guesses).await;
    let looked_at = answers.iter().filter(|answer| answer.status == 422).count();
    assert!((1..=5).contains(&looked_at), "{looked_at} guesses were answered");
    for answer in answers.iter().filter(|answer| answer.status != 422) {
        assert_eq!(answer.status, 429);
        assert!(answer.header("retry-after").is_some());
    }
    assert!(is_known(&ana).await, "whoever is signed in stays so");
}

#[actix_web::test]
async fn r8_of_fifty_guesses_of_the_password_again_five_are_answered() {
    raced(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn r8_of_fifty_guesses_of_the_password_again_five_are_answered_on_postgres() {
    raced(TestApp::postgres().await).await;
}

#[actix_web::test]
async fn a5_guessing_the_password_again_is_slowed_down() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    app.advance(TRUSTED + Duration::from_secs(1));
    let fields = [("name", "x"), ("days", "1"), ("confirm_password", "wrong")];
    let mut slowed = None;
    for _ in 0..10 {
        let answer = ana.post_form("/account/tokens", &fields).await;
        if answer.status == 429 {
            slowed = answer.header("retry-after").map(str::to_owned);
            break;
        }
        assert_eq!(answer.status, 422);
    }
    assert!(slowed.is_some(), "ten guesses were free");
}

#[actix_web::test]
async fn the_colours_are_chosen_without_scripts_and_the_api_tells_who_one_is() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    assert_eq!(
        ana.post_form("/account/theme", &[("theme", "dark")]).await.status,
        303
    );
    assert_eq!(
        ana.page("/account").await.attributes("html", "data-theme"),
        ["dark"]
    );
    ana.post_form("/account/theme", &[("theme", "auto")]).await;
    assert!(
        ana.page("/account")
            .await
            .attributes("html", "data-theme")
            .is_empty()
    );
    // I12, I13: nothing more than this, whatever is sent along.
    let sent = [("theme", "light"), ("role", "admin"), ("quota_bytes", "1")];
    assert_eq!(ana.post_form("/account/theme", &sent).await.status, 303);
    assert_eq!(
        ana.get("/api/account").await.json(),
        json!({
            "email": "ana@example.org",
            "role": "member",
            "documents": {"kept": 0, "quota": null, "left": null},
            "bytes": {"kept": 0, "quota": null, "left": null},
        })
    );
}
