//! `POST /prefetch`: what the picker asks before it opens (§3.9).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::State;
use super::body::{Fields, invalid};
use crate::emulator::errors::{Host, Problem};

const HOST: Host = Host::Upload;
/// What may be asked for; the emulator has no plans, so all but ingestion is denied.
const PERMISSIONS: [&str; 5] = [
    "intelligent_ingestion",
    "whitelabel",
    "transforms_ui",
    "enhance",
    "advanced_enhance",
];

/// Answers without a policy on secured applications too, as the service was seen to.
pub(super) async fn prefetch(
    req: HttpRequest,
    state: web::Data<State>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let fields = Fields::read(HOST, &req, payload).await?;
    if !state.apps.is_key(fields.required("apikey")?) {
        return Err(Problem::new(
            HOST,
            StatusCode::UNAUTHORIZED,
            "Invalid Application",
        ));
    }
    let granted = |name: &str| name == "intelligent_ingestion" && state.intelligent_ingestion;
    let permissions: Map<String, Value> = names(&fields, "permissions")?
        .into_iter()
        .filter(|name| PERMISSIONS.contains(name))
        .map(|name| (name.to_owned(), granted(name).into()))
        .collect();
    names(&fields, "settings")?;
    Ok(HttpResponse::Ok().json(json!({
        "blocked": false,
        "settings": { "inapp_browser": false, "customsource": null },
        "permissions": permissions,
        "updated_config": updated(&fields)?,
    })))
}

fn names<'a>(fields: &'a Fields, name: &str) -> Result<Vec<&'a str>, Problem> {
    match fields.get(name) {
        None => Ok(Vec::new()),
        Some(Value::Array(names)) => Ok(names.iter().filter_map(Value::as_str).collect()),
        Some(_) => Err(invalid(HOST)),
    }
}

/// The picker's options with the server's defaults; `loadCss` is left out, since there is no picker of ours to dress.
fn updated(fields: &Fields) -> Result<Value, Problem> {
    let mut config = json!({
        "concurrency": 4,
        "displayMode": "overlay",
        "errorsTimeout": 5000,
        "fromSources": [
            "local_file_system", "url", "imagesearch", "facebook", "instagram", "googledrive", "dropbox",
        ],
        "lang": "en",
        "maxFiles": 1,
        "minFiles": 1,
        "rootId": "__filestack-picker",
        "supportEmail": "",
        "transformations": { "circle": true, "crop": true, "rotate": true },
        "uploadInBackground": true,
        "useSentryBreadcrumbs": true,
        "viewType": "list",
    });
    match fields.get("picker_config") {
        None => {}
        Some(Value::Object(given)) => {
            for (name, value) in given {
                config[name] = value.clone();
            }
        }
        Some(_) => return Err(invalid(HOST)),
    }
    Ok(config)
}
