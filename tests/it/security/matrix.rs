//! Every route asked by every kind of caller (I2), and by every method it does not take.

use satchel::db::models::users::{Role as AccountRole, User};
use serde_json::json;

use super::table::{ROLES, Role, Row, TABLE, routes};
use crate::accounts::people::{account, api_token, browser, disable, signed_in, upload};
use crate::support::app::TestApp;
use crate::support::wire::{Browser, Reply, Request, csrf_token, request};

/// The smallest picture there is: a document that has a thumbnail.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xff\xff\xff\x7f\0\t\xfb\x03\xfd\x05CE\xca\0\0\0\0IEND\xaeB`\x82";

/// An application with every kind of caller.
pub struct Scene {
    pub app: TestApp,
    owner: User,
    other: User,
    pub admin: User,
    disabled_session: Browser,
    token: String,
}

impl Scene {
    pub async fn new() -> Self {
        // Without a secret the webhook endpoint answers the same to everybody.
        let app = TestApp::new().var("FILESTACK_WEBHOOK_SECRET", "").start().await;
        let owner = account(&app, "owner@example.org", AccountRole::Member).await;
        let other = account(&app, "other@example.org", AccountRole::Member).await;
        let admin = account(&app, "admin@example.org", AccountRole::Admin).await;
        let disabled = account(&app, "disabled@example.org", AccountRole::Member).await;
        let disabled_session = signed_in(&app, &disabled).await;
        let token = api_token(&app, &owner).await;
        disable(&app, &disabled).await;
        Scene {
            app,
            owner,
            other,
            admin,
            disabled_session,
            token,
        }
    }

    /// A caller of this kind, with a session that nothing else has used.
    pub async fn caller(&self, role: Role) -> Browser {
        match role {
            Role::Anonymous => browser(&self.app),
            Role::Owner => signed_in(&self.app, &self.owner).await,
            Role::Other => signed_in(&self.app, &self.other).await,
            Role::Admin => signed_in(&self.app, &self.admin).await,
            Role::Disabled => self.disabled_session.clone(),
            Role::Token => browser(&self.app).with_header("Authorization", format!("Bearer {}", self.token)),
        }
    }

    /// Asks the route as this caller, with a form token of the caller's own and everything else right.
    async fn ask(&self, method: &str, path: &str, role: Role) -> Reply {
        let id = self.document_of_owner(path);
        let caller = self.caller(role).await;
        self.ask_about(&id, (method, path), caller, role)
    }

    /// A new document of this token's owner, if the route is about one.
    pub fn document_for(&self, path: &str, token: &str) -> String {
        if path.contains("{id}") {
            upload(&self.app, token, "picture.png", PICTURE)
        } else {
            String::new()
        }
    }

    /// The same for the owner among the callers.
    pub fn document_of_owner(&self, path: &str) -> String {
        self.document_for(path, &self.token)
    }

    /// The same about this document.
    pub fn ask_about(
        &self,
        id: &str,
        (method, path): (&str, &str),
        mut caller: Browser,
        role: Role,
    ) -> Reply {
        let page = caller.get("/sign-in");
        let form = csrf_token(&page).or_else(|| csrf_token(&caller.get("/uploads/new")));
        let form = form.unwrap_or_default();
        let asset = page_asset(&browser(&self.app).get("/sign-in"));
        let target = path.replace("{id}", id).replace("{file}", &asset);
        let target = target.replace("{result}", NO_DOCUMENT);
        let request = filled_in(request(method, &target), path, &form, role);
        caller.send(request)
    }
}

/// The name of a static file.
fn page_asset(page: &Reply) -> String {
    let text = page.text();
    let name = text
        .split("/assets/")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    name.expect("the page has a style sheet").to_owned()
}

/// A document, or a result, that nobody has.
const NO_DOCUMENT: &str = "0195a3c2-0000-7000-8000-000000000000";

/// What the route wants in its body.
fn filled_in(request: Request, path: &str, form: &str, role: Role) -> Request {
    let token = ("csrf_token", form);
    let somebody = format!("{role:?}@example.net");
    match (path, request.method()) {
        (_, "GET" | "HEAD" | "OPTIONS") => request,
        ("/setup", _) => request.form(&[token, ("token", "x"), ("email", "x"), ("password", "x")]),
        ("/sign-in", _) => request.form(&[token, ("email", &somebody), ("password", "wrong")]),
        ("/password", _) => request.form(&[token, ("token", "x"), ("password", "four plain words here")]),
        ("/account/password", _) => request.form(&[
            token,
            ("current_password", "wrong"),
            ("password", "four plain words here"),
        ]),
        ("/account/theme", _) => request.form(&[token, ("theme", "dark")]),
        ("/account/tokens", _) => request.form(&[token, ("name", "a program"), ("days", "30")]),
        ("/admin/users", _) => request.form(&[token, ("email", &somebody), ("role", "member")]),
        ("/admin/users/{id}/role", _) => request.form(&[token, ("role", "member")]),
        ("/admin/users/{id}/state", _) => request.form(&[token, ("state", "enabled")]),
        ("/documents/{id}/description", _) => request.form(&[token, ("tags", "a"), ("note", "b")]),
        ("/documents/{id}/name", _) => request.form(&[token, ("name", "renamed.png")]),
        ("/tags", _) => request.form(&[token, ("id", NO_DOCUMENT), ("tags", "a")]),
        ("/api/tags", _) => request
            .header("X-CSRF-Token", form)
            .json(&json!({"ids": [NO_DOCUMENT], "add": ["a"]})),
        ("/archive" | "/trash" | "/trash/restorations", _) => request.form(&[token, ("id", NO_DOCUMENT)]),
        ("/api/archive" | "/api/trash" | "/api/trash/restorations", "POST") => request
            .header("X-CSRF-Token", form)
            .json(&json!({"ids": [NO_DOCUMENT]})),
        ("/uploads", _) => request.upload(&[token], "new.txt", b"new"),
        ("/api/uploads/register", _) => request
            .header("X-CSRF-Token", form)
            .json(&json!({"handle": "AAAAAAAAAAAAAAAAAAAA"})),
        ("/api/uploads/import", _) => request
            .header("X-CSRF-Token", form)
            .json(&json!({"url": "http://127.0.0.1/"})),
        (path, _) if path.starts_with("/api/uploads") => {
            request
                .header("X-CSRF-Token", form)
                .upload(&[], "new.txt", b"new")
        }
        (_, "PATCH") => request
            .header("X-CSRF-Token", form)
            .json(&json!({"name": "renamed.png"})),
        (path, _) if path.starts_with("/api/") => request.header("X-CSRF-Token", form),
        ("/webhooks/filestack", _) => request.json(&json!({})),
        _ => request.form(&[token]),
    }
}

#[test]
fn i2_every_route_has_a_decision_and_every_decision_a_route() {
    let routes = routes();
    assert!(
        routes.len() > 20,
        "the table of routes could not be read: {routes:?}"
    );
    for (method, path) in &routes {
        let decided = TABLE
            .iter()
            .filter(|row| row.method == method && row.path == path)
            .count();
        assert_eq!(
            decided, 1,
            "decide in tests/it/security/table.rs who may {method} {path}"
        );
    }
    for Row { method, path, .. } in TABLE {
        let exists = routes.iter().any(|(known, at)| known == method && at == path);
        assert!(exists, "{method} {path} is decided and does not exist");
    }
}

#[actix_web::test]
async fn i2_every_route_answers_every_kind_of_caller_as_decided() {
    let scene = Scene::new().await;
    let mut wrong = Vec::new();
    for Row {
        method,
        path,
        statuses,
        ..
    } in TABLE
    {
        for (role, expected) in ROLES.into_iter().zip(statuses) {
            let reply = scene.ask(method, path, role).await;
            if reply.status != *expected {
                wrong.push(format!(
                    "{method} {path} as {role:?}: {} and not {expected}",
                    reply.status
                ));
            }
            let unknown = matches!(role, Role::Anonymous | Role::Disabled);
            if unknown && reply.status == 303 {
                assert!(
                    reply.location().starts_with("/sign-in"),
                    "{method} {path}: {}",
                    reply.location()
                );
            }
            if *method == "GET" {
                let head = scene.ask("HEAD", path, role).await;
                assert_eq!(head.status, reply.status, "HEAD {path} as {role:?}");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[actix_web::test]
async fn i2_methods_that_a_route_does_not_take_are_405_to_everybody() {
    let scene = Scene::new().await;
    let mut paths: Vec<_> = TABLE.iter().map(|row| row.path).collect();
    paths.dedup();
    for path in paths {
        let takes: Vec<_> = TABLE
            .iter()
            .filter(|row| row.path == path)
            .map(|row| row.method)
            .collect();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
            if takes.contains(&method) {
                continue;
            }
            let target = path
                .replace("{id}", NO_DOCUMENT)
                .replace("{result}", NO_DOCUMENT)
                .replace("{file}", "x");
            for role in [Role::Anonymous, Role::Admin] {
                let reply = scene.caller(role).await.send(request(method, &target));
                assert_eq!(reply.status, 405, "{method} {path} as {role:?}");
                let allowed = reply.header("allow").unwrap_or_default().to_owned();
                for taken in &takes {
                    assert!(allowed.contains(taken), "{method} {path}: Allow: {allowed}");
                }
            }
        }
    }
}
