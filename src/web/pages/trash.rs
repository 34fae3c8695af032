//! `/trash`: what was deleted, to be restored or purged; and putting documents there, one or many.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::sessions::{NoFields, safe_next};
use super::shell::dress;
use super::told::{Count, Told};
use super::{page, see_other, with_cookies};
use crate::clock::UtcTime;
use crate::db::models::documents::{Document, Part, Sort};
use crate::error::AppError;
use crate::services::documents::{DocumentPage, Total};
use crate::services::{cursor, trash};
use crate::web::AppState;
use crate::web::extract::{Chosen, CsrfForm, DocumentPath, Query, Reader, Viewer, field};
use crate::web::views::{TrashEmptyPage, TrashIndexPage, TrashPurgePage, TrashRow};

/// Documents on a page of the trash.
const PAGE: i64 = 50;

/// `?after=&before=`.
#[derive(Deserialize)]
pub struct IndexQuery {
    after: Option<String>,
    before: Option<String>,
}

/// Where to go on.
#[derive(Deserialize)]
pub struct BackForm {
    #[serde(default)]
    back: String,
}

/// `GET /trash`.
pub async fn index(
    state: web::Data<AppState>,
    request: HttpRequest,
    reader: Reader,
    query: Query<IndexQuery>,
) -> Result<HttpResponse, AppError> {
    let sort = Sort::TRASH;
    let part = match (query.0.after, query.0.before) {
        (Some(text), _) => Part::After(cursor::decode(sort, None, &text)?),
        (None, Some(text)) => Part::Before(cursor::decode(sort, None, &text)?),
        (None, None) => Part::First,
    };
    let (user, listed) = trash::list(&state.services, reader.0, part, PAGE).await?;
    let DocumentPage {
        documents,
        has_previous,
        has_next,
        total: Total::Exactly(total) | Total::MoreThan(total),
    } = listed;
    let place = |document: Option<&Document>| {
        document.map(|document| cursor::encode(sort, None, &document.place(sort)))
    };
    let dressed = dress(&request, &state, Some(&user));
    let kept = state.services.background.trash_kept;
    let index = TrashIndexPage {
        shell: dressed.shell,
        now: state.services.clock.now().calendar(),
        days: kept.as_secs() / 86_400,
        total: total as i64,
        previous: has_previous.then(|| place(documents.first())).flatten(),
        next: has_next.then(|| place(documents.last())).flatten(),
        rows: documents
            .into_iter()
            .map(|document| {
                let trashed_at = document.trashed_at.unwrap_or(document.updated_at);
                TrashRow {
                    id: document.id.into(),
                    name: document.name,
                    content_type: document.content_type,
                    size: document.size_bytes,
                    trashed_at: trashed_at.calendar(),
                    purged_at: trash::purged_at(trashed_at, kept).calendar(),
                }
            })
            .collect(),
    };
    Ok(with_cookies(page(StatusCode::OK, &index)?, dressed.cookies))
}

/// `POST /trash`: the chosen documents go there.
pub async fn create(
    state: web::Data<AppState>,
    viewer: Viewer,
    form: CsrfForm<Vec<(String, String)>>,
) -> Result<HttpResponse, AppError> {
    let chosen = Chosen::of_form(&form.0)?;
    let acted = trash::put(&state.services, &viewer.actor(), viewer.user().id, chosen.ids).await?;
    let count = Count {
        done: acted.documents.len() as u64,
        missing: (acted.missing.len() + chosen.unknown.len()) as u64,
    };
    Ok(told(
        &safe_next(field(&form.0, "back")),
        Told::TrashedMany(acted.at, count),
    ))
}

/// `POST /documents/{id}/deletion`: one document goes there.
pub async fn create_one(
    state: web::Data<AppState>,
    viewer: Viewer,
    id: DocumentPath,
    form: CsrfForm<BackForm>,
) -> Result<HttpResponse, AppError> {
    let owner = viewer.user().id;
    let acted = trash::put(&state.services, &viewer.actor(), owner, vec![id.0]).await?;
    let document = acted.only()?;
    Ok(told(&safe_next(&form.0.back), Told::Trashed(document.id)))
}

/// `POST /documents/{id}/restoration`: and comes back.
pub async fn restore_one(
    state: web::Data<AppState>,
    viewer: Viewer,
    id: DocumentPath,
    _form: CsrfForm<NoFields>,
) -> Result<HttpResponse, AppError> {
    let owner = viewer.user().id;
    let acted = trash::restore(&state.services, &viewer.actor(), owner, vec![id.0]).await?;
    acted.only()?;
    Ok(told("/documents", Told::Restored(Count { done: 1, missing: 0 })))
}

/// `POST /trash/restorations`: the chosen documents come back, or those that one act put there, by its moment.
pub async fn restore(
    state: web::Data<AppState>,
    viewer: Viewer,
    form: CsrfForm<Vec<(String, String)>>,
) -> Result<HttpResponse, AppError> {
    let (actor, owner) = (viewer.actor(), viewer.user().id);
    let at = field(&form.0, "at");
    if !at.is_empty() {
        let at = at.parse().map(UtcTime::from_micros).map_err(|_| {
            AppError::invalid(
                "invalid-form",
                "The form cannot be read. Open the trash and restore the documents there.",
            )
        })?;
        let acted = trash::restore_act(&state.services, &actor, owner, at).await?;
        let done = acted.documents.len() as u64;
        return Ok(told("/documents", Told::Restored(Count { done, missing: 0 })));
    }
    let chosen = Chosen::of_form(&form.0)?;
    let acted = trash::restore(&state.services, &actor, owner, chosen.ids).await?;
    let count = Count {
        done: acted.documents.len() as u64,
        missing: (acted.missing.len() + chosen.unknown.len()) as u64,
    };
    Ok(told("/trash", Told::Restored(count)))
}

/// `GET /trash/{id}/purge`: asks first.
pub async fn confirm_purge(
    state: web::Data<AppState>,
    request: HttpRequest,
    reader: Reader,
    id: DocumentPath,
) -> Result<HttpResponse, AppError> {
    let (user, document) = trash::get_as(&state.services, reader.0, id.0).await?;
    let dressed = dress(&request, &state, Some(&user));
    let question = TrashPurgePage {
        shell: dressed.shell,
        id: document.id.into(),
        name: document.name,
        content_type: document.content_type,
        size: document.size_bytes,
    };
    Ok(with_cookies(page(StatusCode::OK, &question)?, dressed.cookies))
}

/// `POST /trash/{id}/purge`.
pub async fn purge(
    state: web::Data<AppState>,
    viewer: Viewer,
    id: DocumentPath,
    _form: CsrfForm<NoFields>,
) -> Result<HttpResponse, AppError> {
    let purged = trash::purge(&state.services, &viewer.actor(), viewer.user().id, id.0).await?;
    let said = if purged.file_removed {
        Told::Purged
    } else {
        Told::PurgedHere
    };
    Ok(told("/trash", said))
}

/// `GET /trash/emptying`: asks first.
pub async fn confirm_emptying(
    state: web::Data<AppState>,
    request: HttpRequest,
    reader: Reader,
) -> Result<HttpResponse, AppError> {
    const NAMED: i64 = 10;
    let (user, listed) = trash::list(&state.services, reader.0, Part::First, NAMED).await?;
    let (Total::Exactly(total) | Total::MoreThan(total)) = listed.total;
    let dressed = dress(&request, &state, Some(&user));
    let question = TrashEmptyPage {
        shell: dressed.shell,
        more: (total as i64 - listed.documents.len() as i64).max(0),
        total: total as i64,
        names: listed
            .documents
            .into_iter()
            .map(|document| document.name)
            .collect(),
    };
    Ok(with_cookies(page(StatusCode::OK, &question)?, dressed.cookies))
}

/// `POST /trash/emptying`.
pub async fn empty(
    state: web::Data<AppState>,
    viewer: Viewer,
    _form: CsrfForm<NoFields>,
) -> Result<HttpResponse, AppError> {
    let (purged, left) = trash::empty(&state.services, &viewer.actor(), viewer.user().id).await?;
    Ok(told("/trash", Told::Emptied(purged, left)))
}

fn told(location: &str, told: Told) -> HttpResponse {
    with_cookies(see_other(location).finish(), [Some(told.cookie())])
}
