//! `POST /api/store/LOCATION`: §3.10.

use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::State;
use super::credentials::{Query, of_request};
use super::flows;
use super::intake::{Content, Intake, may_name_url};
use super::kept::{Follow, LOCATIONS, publish};
use super::paths::is_plain_path;
use super::sources::{Remote, fetch};
use crate::emulator::errors::{Host, Problem};
use crate::emulator::policy::{Ask, Refusal, Target};
use crate::emulator::store::Meta;
use crate::emulator::webhooks::Event;

const HOST: Host = Host::FileApi;

/// Stores a body as a file.
pub(super) async fn store(
    req: HttpRequest,
    state: web::Data<State>,
    location: web::Path<String>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let query = Query::of(&req);
    let Some(app) = query.get("key").and_then(|key| state.apps.find(key)) else {
        // §2.5: with status 200 indeed.
        return Ok(HttpResponse::Ok()
            .content_type(ContentType::plaintext())
            .body("Invalid Application"));
    };
    if !LOCATIONS.contains(&location.to_ascii_lowercase().as_str()) {
        return Err(Problem::bad(HOST, "Unknown storage location"));
    }
    let credentials = of_request(&req, &query);
    let mut options = Options::default();
    options.fill(|name| query.get(name).map(str::to_owned));
    // A body that names a URL may say the rest as well (§3.10); who sends a file is judged before it is read.
    let early = (!may_name_url(&req)).then(|| options.target());
    let judged = early.is_some();
    let ask = Ask {
        calls: &["store"],
        ..Ask::default()
    };
    let target = early
        .transpose()
        .map_err(|refusal| Problem::refused(HOST, &app.key, &refusal))?;
    let grant = state.permit(HOST, app, &credentials, &Ask { target, ..ask })?;
    let base64 = query.is_true("base64decode");
    let intake = Intake {
        state: &state,
        app: &app.key,
        grant: &grant,
        base64,
    };
    let content = intake.take(&req, payload).await?;
    // Asked for in the query, or beside the URL.
    let mut wanted = flows::ids(query.get("workflows").map(Value::from).as_ref());
    if let Content::Url(_, fields) = &content {
        if query.get("workflows").is_none() {
            wanted = flows::ids(fields.get("workflows"));
        }
        options.fill(|name| fields.text(name).ok().flatten().map(str::to_owned));
    }
    let target = options
        .target()
        .map_err(|refusal| Problem::refused(HOST, &app.key, &refusal))?;
    let target = Some(target);
    let wanted = wanted.ok_or_else(|| Problem::bad(HOST, "workflows are a list of ids"))?;
    let workflows = flows::asked(HOST, &state, app, &grant, &wanted)?;
    let (scratch, filename, mimetype, source_url) = match content {
        Content::File {
            scratch,
            filename,
            mimetype,
        } => {
            // Once: a policy has to be good when the call arrives, and the body may take hours.
            if !judged {
                state.permit(HOST, app, &credentials, &Ask { target, ..ask })?;
            }
            // §3.10: text/plain if the request names no type.
            (scratch, filename, mimetype.or(Some("text/plain".into())), None)
        }
        Content::Url(url, fields) => {
            let source = Some(url.as_str());
            state.permit(
                HOST,
                app,
                &credentials,
                &Ask {
                    target,
                    source,
                    ..ask
                },
            )?;
            let base64 = base64 || fields.flag("base64decode");
            let remote = Remote::new(url);
            let fetched = fetch(HOST, &state, app, &grant, &remote, base64, state.max_file_bytes).await?;
            (
                fetched.scratch,
                fetched.filename,
                fetched.mimetype,
                Some(remote.url),
            )
        }
    };
    let filename = options.filename.clone().or(filename);
    let mimetype = options.mimetype.clone().or(mimetype);
    let meta = Meta {
        app: Some(app.key.clone()),
        location: location.into_inner(),
        container: options.container.clone(),
        source_url,
        ..Meta::new(
            filename.as_deref().unwrap_or("unnamed_file"),
            mimetype.as_deref().unwrap_or("application/octet-stream"),
            options.path.as_deref(),
            state.controls.clock().now(),
        )
    };
    let base = state.base(&req);
    let follow = Follow {
        workflows,
        base: base.url(""),
        event: move |handle: &str, meta: &Meta, size| Event::upload(handle, &base.url(handle), meta, size),
    };
    let kept = publish(HOST, &state, scratch, meta, follow).await?;
    // Without `handle`, as the service answers: clients take it from the URL.
    let mut reply = json!({
        "url": state.base(&req).url(&kept.handle),
        "size": kept.size,
        "type": kept.meta.mimetype,
        "filename": kept.meta.filename,
        "key": kept.meta.key,
    });
    if let Some(container) = kept.meta.container {
        reply["container"] = container.into();
    }
    flows::tell(&mut reply, &kept.runs);
    Ok(HttpResponse::Ok().json(reply))
}

/// What may be said about the new file, in the query or beside the URL; the query comes first.
#[derive(Default)]
struct Options {
    filename: Option<String>,
    mimetype: Option<String>,
    path: Option<String>,
    container: Option<String>,
}

impl Options {
    /// Takes what is not said yet.
    fn fill(&mut self, find: impl Fn(&str) -> Option<String>) {
        let Self {
            filename,
            mimetype,
            path,
            container,
        } = self;
        for (option, name) in [
            (filename, "filename"),
            (mimetype, "mimetype"),
            (path, "path"),
            (container, "container"),
        ] {
            if option.is_none() {
                *option = find(name).filter(|text| !text.is_empty());
            }
        }
    }

    fn target(&self) -> Result<Target<'_>, Refusal> {
        if !self.path.as_deref().is_none_or(is_plain_path) {
            return Err(Refusal::Path);
        }
        Ok(Target {
            path: self.path.as_deref().unwrap_or_default(),
            container: self.container.as_deref().unwrap_or_default(),
        })
    }
}
