//! The description of the JSON API (OpenAPI 3.1), made from the handlers and the types they read and write: `/openapi.json`, and what
//! the page `/docs` shows.
//!
//! A handler says in `#[utoipa::path]` what it takes and gives; `errors` says with which codes it may fail. What holds for every
//! operation (who may ask, headers, the shape of an error) is added here. `docs/openapi.json` is the same text, kept so that a change
//! of it is seen.

mod errors;

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::api::{account, archive, documents, import, picker, tags, trash, uploads};

/// Every operation. A route under `/api` without a line here fails a test.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Satchel",
        description = "A document service on top of Filestack. Errors are `application/problem+json` (RFC 9457) with a `code` that stays \
the same from version to version. Every answer has an `X-Request-Id`, by which the server's log knows the request. Lists are read page \
by page: give `next_cursor` of one page as `cursor` of the next, until it is null; what is added meanwhile moves nothing.",
        license(name = "MIT", identifier = "MIT"),
    ),
    servers((url = "/")),
    tags(
        (name = "uploads", description = "Files on their way in, and addresses to get them out"),
        (name = "documents", description = "What has been uploaded"),
        (name = "trash", description = "What was deleted and can still be restored"),
        (name = "account", description = "Who you are"),
    ),
    paths(
        uploads::create,
        uploads::create_v2,
        uploads::create_with_processing,
        uploads::download_url,
        uploads::thumbnail,
        import::create,
        picker::config,
        picker::register,
        documents::index,
        documents::show,
        documents::update,
        documents::destroy,
        documents::jobs,
        documents::results,
        documents::restore,
        archive::create,
        tags::create,
        trash::index,
        trash::create,
        trash::empty,
        trash::destroy,
        trash::restore,
        account::show,
    ),
    components(schemas(Problem)),
)]
struct Spec;

/// Whose file it is: for descriptions only.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only described; `DocumentPath` reads it")]
pub struct DocumentId {
    /// The document's id.
    #[param(value_type = String, format = "uuid")]
    id: String,
}

/// What went wrong (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem<'a> {
    /// `about:blank`: the status and the code say all there is.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// A few words about the status.
    pub title: &'a str,
    /// The status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// A sentence about what is wrong and what to do next.
    pub detail: &'a str,
    /// What is wrong, in a word that stays the same.
    pub code: &'a str,
    /// The id by which the log knows this request. A 404 has it in the header `X-Request-Id` alone: all of them are the same bytes.
    #[serde(skip_serializing_if = "str::is_empty")]
    #[schema(required = false)]
    pub request_id: &'a str,
    /// What is wrong with which field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldProblem<'a>>,
}

/// What is wrong with a field.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldProblem<'a> {
    /// Its name.
    pub field: &'a str,
    /// A sentence about it.
    pub detail: &'a str,
}

static DESCRIPTION: LazyLock<Value> = LazyLock::new(describe);
static TEXT: LazyLock<String> = LazyLock::new(|| {
    let mut text = serde_json::to_string_pretty(&*DESCRIPTION).unwrap_or_default();
    text.push('\n');
    text
});

/// The description.
pub fn description() -> &'static Value {
    &DESCRIPTION
}

/// The description as it is served.
pub fn text() -> &'static str {
    &TEXT
}

/// What an error code means, with the status it comes with.
pub fn codes() -> impl Iterator<Item = (u16, &'static str, &'static str)> {
    errors::CODES.iter().copied()
}

/// `GET /openapi.json`: for everybody, since it says nothing about anybody.
pub async fn show() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(text())
}

fn describe() -> Value {
    // A description is texts, lists and maps.
    let mut spec = serde_json::to_value(Spec::openapi()).unwrap_or_default();
    spec["components"]["securitySchemes"] = json!({
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API token: `satchel token create`.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": super::extract::SESSION_COOKIE,
            "description": "The session of somebody who has signed in with a browser.",
        },
        "csrf": {
            "type": "apiKey",
            "in": "header",
            "name": "X-CSRF-Token",
            "description": "With a session, whatever changes something needs the form token too: it is in every page's meta element csrf-token.",
        },
    });
    spec["components"]["headers"] = json!({
        "RequestId": {
            "description": "The id by which the server's log knows the request.",
            "required": true,
            "schema": {"type": "string", "format": "uuid"},
        },
        "RetryAfter": {
            "description": "Seconds to wait before the request is sent again.",
            "schema": {"type": "integer", "minimum": 1},
        },
    });
    for item in objects(&mut spec["paths"]) {
        for (method, operation) in item.iter_mut() {
            complete(method, operation);
        }
    }
    spec
}

fn objects(value: &mut Value) -> impl Iterator<Item = &mut Map<String, Value>> {
    value
        .as_object_mut()
        .into_iter()
        .flat_map(|map| map.iter_mut())
        .filter_map(|(_, value)| value.as_object_mut())
}

/// Adds what holds for every operation.
fn complete(method: &str, operation: &mut Value) {
    let reads = method == "get";
    operation["security"] = if reads {
        json!([{"token": []}, {"session": []}])
    } else {
        json!([{"token": []}, {"session": [], "csrf": []}])
    };
    let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
    for (status, codes) in errors::of(&id, reads) {
        let meanings = codes.iter().filter_map(|code| {
            let (_, _, meaning) = errors::CODES
                .iter()
                .find(|(of, known, _)| of == &status && known == code)?;
            Some(format!("`{code}`: {meaning}"))
        });
        let mut response = json!({
            "description": meanings.collect::<Vec<_>>().join("\n\n"),
            "content": {"application/problem+json": {"schema": {"allOf": [
                {"$ref": "#/components/schemas/Problem"},
                {"type": "object", "properties": {"code": {"enum": codes}, "status": {"const": status}}},
            ]}}},
        });
        if matches!(status, 409 | 429 | 503) {
            response["headers"]["Retry-After"] = json!({"$ref": "#/components/headers/RetryAfter"});
        }
        operation["responses"][status.to_string()] = response;
    }
    for response in objects(&mut operation["responses"]) {
        let headers = response.entry("headers").or_insert_with(|| json!({}));
        headers["X-Request-Id"] = json!({"$ref": "#/components/headers/RequestId"});
    }
}

#[cfg(test)]
mod tests;
