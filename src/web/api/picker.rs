//! Uploads that go from the browser straight to Filestack: what the browser needs for it, and the file it then names.

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Stored, again};
use crate::clock::UtcTime;
use crate::error::AppError;
use crate::services::documents::Document;
use crate::services::idempotency::{self, Begun, Wanted, fingerprint_of};
use crate::services::picker::{self, Registered};
use crate::web::AppState;
use crate::web::extract::{ApiCaller, IdempotencyKey, Json, Query};
use crate::web::middleware::is_ours;
use crate::web::picker::PickerUrls;

/// `?files=&path=`.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ConfigQuery {
    /// How many files will be registered; 1 when left out.
    #[param(value_type = u16, required = false, minimum = 1, maximum = 100)]
    files: Option<u16>,
    /// A folder given out before, whose policy is to be renewed.
    #[param(value_type = String, required = false)]
    path: Option<String>,
}

/// The file that was stored.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// What Filestack gave with the stored file.
    handle: String,
}

/// What a browser needs to store files at Filestack by itself.
#[derive(Serialize, ToSchema)]
pub struct PickerConfig<'a> {
    apikey: &'a str,
    policy: &'a str,
    signature: &'a str,
    /// When the policy ends; ask again with `path` before that.
    #[schema(format = DateTime)]
    expires_at: String,
    /// The folder to store in.
    path: &'a str,
    /// The largest file, bytes.
    max_size: u64,
    /// Types that are taken; empty for all.
    accept: [&'a str; 0],
    script: PickerScript<'a>,
    /// Filestack's hosts, as its client names them.
    urls: &'a PickerUrls,
}

/// The script of the Picker.
#[derive(Serialize, ToSchema)]
pub struct PickerScript<'a> {
    #[schema(format = "uri")]
    url: &'a str,
    /// Its digest, for the browser to compare, where it is known.
    #[schema(required = true)]
    integrity: Option<&'a str>,
}

/// A document that was made of a stored file.
#[derive(Serialize, ToSchema)]
#[schema(as = Registered)]
pub struct RegisteredJson<'a> {
    #[schema(format = "uuid")]
    id: &'a str,
    /// Your other documents with the same bytes, some of them.
    duplicates: Vec<Duplicate<'a>>,
}

/// Another document with the same bytes.
#[derive(Serialize, ToSchema)]
pub struct Duplicate<'a> {
    #[schema(format = "uuid")]
    id: &'a str,
    name: &'a str,
}

/// `GET /api/uploads/picker-config`: for our own pages and for programs with a token (P1), and never from a cache.
#[utoipa::path(get, path = "/api/uploads/picker-config", operation_id = "showPickerConfig", tag = "uploads",
    summary = "Get the right to store files straight at Filestack", params(ConfigQuery),
    responses((status = 200, description = "What Filestack's Picker or client is to be given", body = PickerConfig)))]
pub async fn config(
    state: web::Data<AppState>,
    request: HttpRequest,
    caller: ApiCaller,
    query: Query<ConfigQuery>,
) -> Result<HttpResponse, AppError> {
    if !request.headers().contains_key(AUTHORIZATION) && !is_ours(request.headers(), &state.settings) {
        return Err(AppError::SignInNeeded);
    }
    let ConfigQuery { files, path } = query.0;
    let granted = picker::grant(
        &state.services,
        caller.user(),
        files.unwrap_or(1),
        path.as_deref(),
    )
    .await?;
    let settings = &state.settings.picker;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(PickerConfig {
            apikey: state.services.filestack.api_key().as_str(),
            policy: granted.grant.policy(),
            signature: granted.grant.signature(),
            expires_at: UtcTime::of_system(granted.grant.expires_at()).rfc3339(),
            path: &granted.path,
            max_size: granted.max_size,
            accept: [],
            script: PickerScript {
                url: &settings.script_url,
                integrity: settings.integrity.as_deref(),
            },
            urls: &settings.urls,
        }))
}

/// `POST /api/uploads/register`: 201 for a new document, 200 for one that was made of this file before.
#[utoipa::path(post, path = "/api/uploads/register", operation_id = "registerUpload", tag = "uploads",
    summary = "Make a document of a file that a browser has stored", params(IdempotencyKey), request_body = Registration,
    responses(
        (status = 200, description = "It is a document already", body = RegisteredJson),
        (status = 201, description = "It is a document now", body = RegisteredJson),
    ))]
pub async fn register(
    state: web::Data<AppState>,
    caller: ApiCaller,
    key: IdempotencyKey,
    body: Json<Registration>,
) -> Result<HttpResponse, AppError> {
    let (services, handle) = (&state.services, body.0.handle);
    let held = match key.0 {
        None => None,
        Some(key) => {
            let wanted = Wanted {
                user: caller.user().id,
                key,
                route: "register",
                fingerprint: Some(fingerprint_of(&[&handle])),
                // Nothing is begun before the document is made.
                compose: Stored::compose,
            };
            match idempotency::begin(services, wanted).await? {
                Begun::Held(held) => Some(held),
                Begun::Done(answer) => return Ok(again(answer)),
            }
        }
    };
    let once = held.clone().map(|held| (held, registered as picker::Compose));
    let (status, body) =
        match picker::register(services, &caller.actor(), caller.user(), &handle, once).await? {
            Registered::New(document, others) => (StatusCode::CREATED, registered(&document, &others)),
            Registered::Known(document, others) => {
                let body = registered(&document, &others);
                if let Some(held) = held {
                    let kept = body.clone();
                    services
                        .db
                        .write(move |c| held.record_answer(c, 200, &kept))
                        .await?;
                }
                (StatusCode::OK, body)
            }
        };
    Ok(HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, "application/json"))
        .body(body))
}

/// The body of the answer.
fn registered(document: &Document, others: &[Document]) -> String {
    let duplicates = others.iter().map(|other| Duplicate {
        id: other.id.as_str(),
        name: &other.name,
    });
    let body = RegisteredJson {
        id: document.id.as_str(),
        duplicates: duplicates.collect(),
    };
    // A struct of texts has a JSON form.
    serde_json::to_string(&body).unwrap_or_default()
}
