//! `/documents/{id}/events`: a document's steps as they happen, for as long as somebody looks and may.
//!
//! Server-sent events: `steps` with all of them whenever one has changed, `end` when there is no more to come. Each look is one
//! query a second; it begins with who asks, so that signing out ends it.

use std::time::{Duration, Instant};

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use futures_util::stream;
use serde_json::json;

use super::admin;
use crate::error::AppError;
use crate::ids::DocumentId;
use crate::services::identity::Shown;
use crate::services::{Services, documents, jobs};
use crate::web::AppState;
use crate::web::extract::{DocumentPath, Reader};
use crate::web::streams::Place;
use crate::web::views::{DocumentStatus, StepRow};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// Without news something is sent all the same, so that a reader who has gone is noticed.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);
/// After so long the browser may come again.
const LONGEST: Duration = Duration::from_secs(600);

/// `GET /documents/{id}/events`.
pub async fn show(
    state: web::Data<AppState>,
    reader: Reader,
    id: DocumentPath,
) -> Result<HttpResponse, AppError> {
    let (_, document) = documents::get_as(&state.services, reader.0.clone(), id.0).await?;
    let place = state
        .streams
        .take(document.owner_id)
        .ok_or_else(|| AppError::Unavailable {
            code: "too-many-readers",
            detail: "Too many pages are being told of progress. Refresh the page to see how far it is."
                .to_owned(),
            retry_after: Duration::from_secs(10),
        })?;
    let watch = Watch {
        state: state.clone(),
        reader: reader.0,
        id: id.0,
        begun: Instant::now(),
        said: None,
        said_at: Instant::now(),
        ended: false,
        _place: place,
    };
    let events = stream::unfold(watch, |mut watch| async {
        let event = watch.next().await?;
        Some((Ok::<_, AppError>(Bytes::from(event)), watch))
    });
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // Proxies that gather answers before they pass them on must not.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(events))
}

/// The steps of a document: of each kind the last one.
pub(super) async fn of(services: &Services, id: DocumentId) -> Result<Vec<StepRow>, AppError> {
    let mut steps: Vec<StepRow> = Vec::new();
    for job in jobs::list_of_document(services, id).await? {
        let step = StepRow {
            kind: job.kind,
            status: admin::jobs::status(job.state),
            says: job.reason,
        };
        match steps.iter_mut().find(|other| other.kind == step.kind) {
            Some(other) => *other = step,
            None => steps.push(step),
        }
    }
    Ok(steps)
}

/// One reader.
struct Watch {
    state: web::Data<AppState>,
    reader: Shown,
    id: DocumentId,
    begun: Instant,
    said: Option<Vec<StepRow>>,
    said_at: Instant,
    ended: bool,
    _place: Place,
}

impl Watch {
    /// The next event; `None` when there is no more.
    async fn next(&mut self) -> Option<String> {
        if self.ended {
            return None;
        }
        loop {
            if self.said.is_some() {
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => {}
                    () = self.state.services.stopped() => return None,
                }
            }
            if self.state.is_draining() || self.begun.elapsed() > LONGEST {
                return None;
            }
            let services = &self.state.services;
            // Whoever has signed out, or lost the document, is told nothing more; a database that is busy is asked by the next reader.
            let (_, document) = documents::get_as(services, self.reader.clone(), self.id)
                .await
                .ok()?;
            let steps = of(services, self.id).await.ok()?;
            let is_news = self.said.as_ref() != Some(&steps);
            self.ended = !steps.iter().any(StepRow::is_open);
            if is_news || self.ended {
                let mut event = message(
                    "steps",
                    &json!({"steps": steps.iter().map(shown).collect::<Vec<_>>()}),
                );
                if self.ended {
                    let status = DocumentStatus::of_row(&document.status).label();
                    event += &message("end", &json!({"status": status}));
                }
                self.said = Some(steps);
                self.said_at = Instant::now();
                return Some(event);
            }
            if self.said_at.elapsed() > SIGN_OF_LIFE {
                self.said_at = Instant::now();
                return Some(": still here\n\n".to_owned());
            }
        }
    }
}

fn shown(step: &StepRow) -> serde_json::Value {
    json!({
        "kind": step.kind,
        "state": step.status.word(),
        "label": step.status.label(),
        "class": step.status.class(),
        "icon": step.status.icon(),
        "says": step.says.as_deref().unwrap_or_default(),
    })
}

/// JSON has no line ends outside its texts, where they are escaped: it is one line.
fn message(event: &str, data: &serde_json::Value) -> String {
    format!("event: {event}\ndata: {data}\n\n")
}
