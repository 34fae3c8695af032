//! The decision for every route: what each kind of caller is answered, and which scope a token needs. A route of the application without
//! a row here, and a row without a decision about scopes, fails a test.

use satchel::services::scopes::Scope;

/// Kinds of callers, in the order of the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Nobody is signed in.
    Anonymous,
    /// The member who owns the document that the address names, with a session.
    Owner,
    /// Another member, with a session.
    Other,
    /// An administrator, with a session. Documents of others are none of an administrator's yet.
    Admin,
    /// The owner of a session from before the account was disabled.
    Disabled,
    /// A program with an API token of the owner's.
    Token,
}

pub const ROLES: [Role; 6] = [
    Role::Anonymous,
    Role::Owner,
    Role::Other,
    Role::Admin,
    Role::Disabled,
    Role::Token,
];

/// A route, and the status for each role.
pub struct Row {
    pub method: &'static str,
    pub path: &'static str,
    pub statuses: [u16; 6],
    pub token: Token,
}

/// What a token must be allowed for the route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// Nobody has thought about it.
    Undecided,
    /// The route serves whoever asks; a token without the scope is as good as none.
    Open,
    /// A token whose scopes do not have this one is refused.
    Needs(Scope),
}

impl Row {
    const fn open(mut self) -> Self {
        self.token = Token::Open;
        self
    }

    const fn scope(mut self, scope: Scope) -> Self {
        self.token = Token::Needs(scope);
        self
    }
}

const fn row(method: &'static str, path: &'static str, statuses: [u16; 6]) -> Row {
    Row {
        method,
        path,
        statuses,
        token: Token::Undecided,
    }
}

/// GET stands for HEAD too. A page that sends an anonymous caller to sign in answers 303. Set-up is over.
pub const TABLE: &[Row] = &[
    row("GET", "/", [303, 303, 303, 303, 303, 303]).scope(Scope::DocumentsRead),
    row("GET", "/healthz", [200, 200, 200, 200, 200, 200]).open(),
    row("GET", "/readyz", [200, 200, 200, 200, 200, 200]).open(),
    row("GET", "/metrics", [401, 403, 403, 200, 401, 403]).scope(Scope::Admin),
    row("GET", "/docs", [200, 200, 200, 200, 200, 200]).open(),
    row("GET", "/openapi.json", [200, 200, 200, 200, 200, 200]).open(),
    row("GET", "/assets/{file}", [200, 200, 200, 200, 200, 200]).open(),
    row("GET", "/favicon.ico", [301, 301, 301, 301, 301, 301]).open(),
    row("GET", "/setup", [404, 404, 404, 404, 404, 404]).open(),
    row("POST", "/setup", [404, 404, 404, 404, 404, 404]).open(),
    row("GET", "/sign-in", [200, 303, 303, 303, 200, 303]).open(),
    row("POST", "/sign-in", [422, 422, 422, 422, 422, 422]).open(),
    row("POST", "/sign-out", [401, 303, 303, 303, 401, 403]).scope(Scope::DocumentsWrite),
    row("GET", "/password", [404, 404, 404, 404, 404, 404]).open(),
    row("POST", "/password", [404, 404, 404, 404, 404, 404]).open(),
    row("GET", "/account", [303, 200, 200, 200, 303, 200]).scope(Scope::AccountRead),
    row("POST", "/account/password", [401, 422, 422, 422, 401, 403]).scope(Scope::AccountRead),
    row("POST", "/account/theme", [401, 303, 303, 303, 401, 403]).scope(Scope::AccountRead),
    row(
        "POST",
        "/account/sessions/deletion",
        [401, 303, 303, 303, 401, 403],
    )
    .scope(Scope::AccountRead),
    // The id is a document's: no session and no token has it.
    row(
        "POST",
        "/account/sessions/{id}/deletion",
        [401, 404, 404, 404, 401, 403],
    )
    .scope(Scope::AccountRead),
    row("POST", "/account/tokens", [401, 201, 201, 201, 401, 403]).scope(Scope::AccountRead),
    row(
        "POST",
        "/account/tokens/{id}/deletion",
        [401, 404, 404, 404, 401, 403],
    )
    .scope(Scope::AccountRead),
    row("GET", "/documents", [303, 200, 200, 200, 303, 200]).scope(Scope::DocumentsRead),
    row("GET", "/documents/{id}", [303, 200, 404, 404, 303, 200]).scope(Scope::DocumentsRead),
    row("GET", "/documents/{id}/events", [303, 200, 404, 404, 303, 200]).scope(Scope::DocumentsRead),
    row("GET", "/documents/{id}/download", [303, 303, 404, 404, 303, 303]).scope(Scope::DocumentsRead),
    // No document has this result.
    row(
        "GET",
        "/documents/{id}/results/{result}/download",
        [303, 404, 404, 404, 303, 404],
    )
    .scope(Scope::DocumentsRead),
    row("POST", "/documents/{id}/name", [401, 303, 404, 404, 401, 403]).scope(Scope::DocumentsWrite),
    row(
        "POST",
        "/documents/{id}/description",
        [401, 303, 404, 404, 401, 403],
    )
    .scope(Scope::DocumentsWrite),
    row("POST", "/documents/{id}/deletion", [401, 303, 404, 404, 401, 403]).scope(Scope::DocumentsWrite),
    // The document is outside of the trash: it stays where it is.
    row(
        "POST",
        "/documents/{id}/restoration",
        [401, 303, 404, 404, 401, 403],
    )
    .scope(Scope::DocumentsWrite),
    // The document is somebody's or nobody's: it is not there.
    row("POST", "/archive", [401, 404, 404, 404, 401, 403]).scope(Scope::DocumentsRead),
    // Without a document.
    row("POST", "/tags", [401, 303, 303, 303, 401, 403]).scope(Scope::DocumentsWrite),
    row("GET", "/trash", [303, 200, 200, 200, 303, 200]).scope(Scope::DocumentsRead),
    row("POST", "/trash", [401, 303, 303, 303, 401, 403]).scope(Scope::DocumentsWrite),
    row("POST", "/trash/restorations", [401, 303, 303, 303, 401, 403]).scope(Scope::DocumentsWrite),
    row("GET", "/trash/emptying", [303, 200, 200, 200, 303, 200]).scope(Scope::DocumentsRead),
    row("POST", "/trash/emptying", [401, 303, 303, 303, 401, 403]).scope(Scope::DocumentsWrite),
    row("GET", "/trash/{id}/purge", [303, 404, 404, 404, 303, 404]).scope(Scope::DocumentsRead),
    row("POST", "/trash/{id}/purge", [401, 404, 404, 404, 401, 403]).scope(Scope::DocumentsWrite),
    row("GET", "/uploads/new", [303, 200, 200, 200, 303, 200]).scope(Scope::DocumentsRead),
    row("POST", "/uploads", [401, 200, 200, 200, 401, 403]).scope(Scope::DocumentsWrite),
    row("GET", "/admin", [303, 403, 403, 200, 303, 403]).scope(Scope::Admin),
    row("GET", "/admin/users", [303, 403, 403, 200, 303, 403]).scope(Scope::Admin),
    row("POST", "/admin/users", [401, 403, 403, 201, 401, 403]).scope(Scope::Admin),
    row("POST", "/admin/quota", [401, 403, 403, 303, 401, 403]).scope(Scope::Admin),
    // The id is a document's: no user has it.
    row("GET", "/admin/users/{id}", [303, 403, 403, 404, 303, 403]).scope(Scope::Admin),
    row("POST", "/admin/users/{id}/role", [401, 403, 403, 404, 401, 403]).scope(Scope::Admin),
    row("POST", "/admin/users/{id}/state", [401, 403, 403, 404, 401, 403]).scope(Scope::Admin),
    row("POST", "/admin/users/{id}/quota", [401, 403, 403, 404, 401, 403]).scope(Scope::Admin),
    row(
        "POST",
        "/admin/users/{id}/password",
        [401, 403, 403, 404, 401, 403],
    )
    .scope(Scope::Admin),
    row(
        "POST",
        "/admin/users/{id}/sessions",
        [401, 403, 403, 404, 401, 403],
    )
    .scope(Scope::Admin),
    row("GET", "/admin/webhooks", [303, 403, 403, 200, 303, 403]).scope(Scope::Admin),
    row("GET", "/admin/webhooks/refusals", [303, 403, 403, 200, 303, 403]).scope(Scope::Admin),
    row("POST", "/admin/webhooks/samples", [401, 403, 403, 400, 401, 403]).scope(Scope::Admin),
    row("GET", "/admin/webhooks/replay", [303, 403, 403, 200, 303, 403]).scope(Scope::Admin),
    row("POST", "/admin/webhooks/replay", [401, 403, 403, 303, 401, 403]).scope(Scope::Admin),
    row("GET", "/admin/webhooks/{id}", [303, 403, 403, 404, 303, 403]).scope(Scope::Admin),
    row(
        "GET",
        "/admin/webhooks/{id}/replay",
        [303, 403, 403, 404, 303, 403],
    )
    .scope(Scope::Admin),
    row(
        "POST",
        "/admin/webhooks/{id}/replay",
        [401, 403, 403, 404, 401, 403],
    )
    .scope(Scope::Admin),
    row("GET", "/admin/audit", [303, 403, 403, 200, 303, 403]).scope(Scope::Admin),
    row("GET", "/admin/documents", [303, 403, 403, 200, 303, 403]).scope(Scope::Admin),
    row("GET", "/admin/documents/{id}", [303, 403, 403, 200, 303, 403]).scope(Scope::Admin),
    // Without a reason.
    row("POST", "/admin/documents/{id}", [401, 403, 403, 422, 401, 403]).scope(Scope::Admin),
    row(
        "GET",
        "/admin/documents/{id}/download",
        [303, 403, 403, 303, 303, 403],
    )
    .scope(Scope::Admin),
    row("GET", "/admin/settings", [303, 403, 403, 200, 303, 403]).scope(Scope::Admin),
    row("GET", "/admin/system", [303, 403, 403, 200, 303, 403]).scope(Scope::Admin),
    row("GET", "/admin/jobs", [303, 403, 403, 200, 303, 403]).scope(Scope::Admin),
    row("GET", "/admin/jobs/attempts", [303, 403, 403, 200, 303, 403]).scope(Scope::Admin),
    row("POST", "/admin/jobs/attempts", [401, 403, 403, 303, 401, 403]).scope(Scope::Admin),
    // The id is a document's: no job has it.
    row("POST", "/admin/jobs/{id}/attempt", [401, 403, 403, 404, 401, 403]).scope(Scope::Admin),
    row(
        "POST",
        "/admin/jobs/{id}/cancellation",
        [401, 403, 403, 404, 401, 403],
    )
    .scope(Scope::Admin),
    row("POST", "/api/uploads", [401, 201, 201, 201, 401, 201]).scope(Scope::UploadsWrite),
    row("POST", "/api/uploads/", [401, 201, 201, 201, 401, 201]).scope(Scope::UploadsWrite),
    row("POST", "/api/uploads/v2", [401, 201, 201, 201, 401, 201]).scope(Scope::UploadsWrite),
    row(
        "POST",
        "/api/uploads/with-processing",
        [401, 201, 201, 201, 401, 201],
    )
    .scope(Scope::UploadsWrite),
    row(
        "GET",
        "/api/uploads/picker-config",
        [401, 200, 200, 200, 401, 200],
    )
    .scope(Scope::UploadsWrite),
    // It is off unless somebody switches it on.
    row("POST", "/api/uploads/import", [401, 403, 403, 403, 401, 403]).scope(Scope::UploadsWrite),
    row("POST", "/api/uploads/register", [401, 404, 404, 404, 401, 404]).scope(Scope::UploadsWrite),
    row(
        "GET",
        "/api/uploads/{id}/download-url",
        [401, 200, 404, 404, 401, 200],
    )
    .scope(Scope::DocumentsRead),
    row(
        "GET",
        "/api/uploads/{id}/thumbnail",
        [401, 200, 404, 404, 401, 200],
    )
    .scope(Scope::DocumentsRead),
    row("GET", "/api/account", [401, 200, 200, 200, 401, 200]).scope(Scope::AccountRead),
    row("GET", "/api/documents", [401, 200, 200, 200, 401, 200]).scope(Scope::DocumentsRead),
    row("GET", "/api/documents/{id}", [401, 200, 404, 404, 401, 200]).scope(Scope::DocumentsRead),
    row("PATCH", "/api/documents/{id}", [401, 200, 404, 404, 401, 200]).scope(Scope::DocumentsWrite),
    row("GET", "/api/documents/{id}/jobs", [401, 200, 404, 404, 401, 200]).scope(Scope::DocumentsRead),
    row(
        "GET",
        "/api/documents/{id}/results",
        [401, 200, 404, 404, 401, 200],
    )
    .scope(Scope::DocumentsRead),
    row("DELETE", "/api/documents/{id}", [401, 204, 404, 404, 401, 204]).scope(Scope::DocumentsWrite),
    row(
        "POST",
        "/api/documents/{id}/restoration",
        [401, 200, 404, 404, 401, 200],
    )
    .scope(Scope::DocumentsWrite),
    row("POST", "/api/archive", [401, 404, 404, 404, 401, 404]).scope(Scope::DocumentsRead),
    // What is not theirs is named as not found.
    row("POST", "/api/tags", [401, 200, 200, 200, 401, 200]).scope(Scope::DocumentsWrite),
    row("GET", "/api/trash", [401, 200, 200, 200, 401, 200]).scope(Scope::DocumentsRead),
    // What is not theirs is named as not found.
    row("POST", "/api/trash", [401, 200, 200, 200, 401, 200]).scope(Scope::DocumentsWrite),
    row("DELETE", "/api/trash", [401, 200, 200, 200, 401, 200]).scope(Scope::DocumentsWrite),
    row("POST", "/api/trash/restorations", [401, 200, 200, 200, 401, 200]).scope(Scope::DocumentsWrite),
    row("DELETE", "/api/trash/{id}", [401, 404, 404, 404, 401, 404]).scope(Scope::DocumentsWrite),
    row("POST", "/csp-reports", [204, 204, 204, 204, 204, 204]).open(),
    row("POST", "/webhooks/filestack", [503, 503, 503, 503, 503, 503]).open(),
];

/// Method and path of every route in the application's own table, read from its source.
pub fn routes() -> Vec<(String, String)> {
    let source = include_str!("../../../src/web/routes.rs");
    let resources = source.split("web::resource(").skip(1);
    resources.flat_map(routes_of).collect()
}

/// The routes of one resource: its paths are the strings before the first route, its methods what the routes are made of.
fn routes_of(resource: &str) -> Vec<(String, String)> {
    let resource: String = resource.split_whitespace().collect();
    let (paths, routes) = resource
        .split_once(".route(")
        .unwrap_or_else(|| panic!("a resource without routes: {resource}"));
    let paths = paths.split('"').skip(1).step_by(2);
    let methods: Vec<_> = routes
        .split(".route(")
        .map(|route| match route.split_once("()") {
            // Our own `get()` is GET and HEAD.
            Some(("get", _)) => "GET",
            Some(("web::post", _)) => "POST",
            Some(("web::put", _)) => "PUT",
            Some(("web::patch", _)) => "PATCH",
            Some(("web::delete", _)) => "DELETE",
            _ => panic!("a route this test cannot read: {route}"),
        })
        .collect();
    paths
        .flat_map(|path| {
            methods
                .iter()
                .map(move |method| ((*method).to_owned(), path.to_owned()))
        })
        .collect()
}
