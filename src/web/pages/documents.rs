//! `/documents`: the list, a document's page, download, rename. Deleting is in [`super::trash`].

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::shell::{Said, dress};
use super::{admin, events as steps, page, see_other, sized_page, with_cookies};
use crate::db::models::documents::{Document, Part};
use crate::db::models::users::User;
use crate::error::AppError;
use crate::services::audit;
use crate::services::cursor::{self, parse_sort};
use crate::services::documents::{self, DocumentPage, Total};
use crate::web::AppState;
use crate::web::extract::{CsrfForm, DocumentPath, Query, Reader, Viewer};
use crate::web::views::{DocumentIndexPage, DocumentRow, DocumentShowPage, DocumentStatus, Field};

/// Documents on a page of the list.
const PAGE: i64 = 50;
/// A row of the list and what is round the rows, in bytes of HTML, generously.
const ROW_BYTES: usize = 1_950;
const SHELL_BYTES: usize = 10_000;

/// `?sort=&q=&after=&before=`.
#[derive(Deserialize)]
pub struct IndexQuery {
    #[serde(default)]
    sort: String,
    #[serde(default)]
    q: String,
    after: Option<String>,
    before: Option<String>,
}

/// The form that renames.
#[derive(Deserialize)]
pub struct NameForm {
    name: String,
}

/// `GET /documents`.
pub async fn index(
    state: web::Data<AppState>,
    request: HttpRequest,
    reader: Reader,
    query: Query<IndexQuery>,
) -> Result<HttpResponse, AppError> {
    let IndexQuery {
        sort,
        q,
        after,
        before,
    } = query.0;
    let sort = parse_sort(&sort)?;
    let here = after
        .map(|cursor| ("after", cursor))
        .or(before.map(|cursor| ("before", cursor)));
    let part = match &here {
        Some(("after", text)) => Part::After(cursor::decode(sort, text)?),
        Some((_, text)) => Part::Before(cursor::decode(sort, text)?),
        None => Part::First,
    };
    let (user, listed) = documents::list(&state.services, reader.0, sort, &q, part, PAGE).await?;
    let place =
        |document: Option<&Document>| document.map(|document| cursor::encode(sort, &document.place(sort)));
    let dressed = dress(&request, &state, Some(&user));
    let DocumentPage {
        documents: rows,
        has_previous,
        has_next,
        total,
    } = listed;
    let (total, total_is_exact) = match total {
        Total::Exactly(count) => (count, true),
        Total::MoreThan(count) => (count, false),
    };
    let index = DocumentIndexPage {
        shell: dressed.shell,
        now: state.services.clock.now().calendar(),
        total: total as i64,
        total_is_exact,
        query: q,
        sort: cursor::sort_name(sort).to_owned(),
        here,
        previous: has_previous.then(|| place(rows.first())).flatten(),
        next: has_next.then(|| place(rows.last())).flatten(),
        rows: rows.into_iter().map(|document| row(&state, document)).collect(),
    };
    let bytes = SHELL_BYTES + index.rows.len() * ROW_BYTES;
    Ok(with_cookies(
        sized_page(StatusCode::OK, &index, bytes)?,
        dressed.cookies,
    ))
}

/// `GET /documents/{id}`.
pub async fn show(
    state: web::Data<AppState>,
    request: HttpRequest,
    reader: Reader,
    id: DocumentPath,
) -> Result<HttpResponse, AppError> {
    let (user, document) = documents::get_as(&state.services, reader.0, id.0).await?;
    let rename = Field::of(document.name.clone());
    show_page(&request, &state, &user, &document, rename, StatusCode::OK).await
}

/// `GET /documents/{id}/download`.
pub async fn download(
    state: web::Data<AppState>,
    reader: Reader,
    id: DocumentPath,
) -> Result<HttpResponse, AppError> {
    let (_, document) = documents::get_as(&state.services, reader.0, id.0).await?;
    let signed = documents::download_url(&state.services, &document, true)?;
    Ok(see_other(signed.url.as_str()).finish())
}

/// `POST /documents/{id}/name`.
pub async fn rename(
    state: web::Data<AppState>,
    request: HttpRequest,
    viewer: Viewer,
    id: DocumentPath,
    form: CsrfForm<NameForm>,
) -> Result<HttpResponse, AppError> {
    let owner = viewer.user().id;
    match documents::rename(&state.services, &viewer.actor(), owner, id.0, &form.0.name).await {
        Ok(document) => {
            let back = see_other(&format!("/documents/{}", document.id)).finish();
            Ok(with_cookies(back, [Some(Said::Renamed.cookie())]))
        }
        Err(AppError::Fields(fields)) => {
            let document = documents::get(&state.services, owner, id.0).await?;
            let error = fields.into_iter().next().map(|(_, wrong)| wrong);
            let rename = Field {
                value: form.0.name,
                error,
            };
            show_page(
                &request,
                &state,
                viewer.user(),
                &document,
                rename,
                StatusCode::UNPROCESSABLE_ENTITY,
            )
            .await
        }
        Err(error) => Err(error),
    }
}

async fn show_page(
    request: &HttpRequest,
    state: &AppState,
    user: &User,
    document: &Document,
    rename: Field,
    status: StatusCode,
) -> Result<HttpResponse, AppError> {
    let steps = steps::of(&state.services, document.id).await?;
    let history = audit::list_of_document(&state.services, document.id).await?;
    let dressed = dress(request, state, Some(user));
    let show = DocumentShowPage {
        shell: dressed.shell,
        now: state.services.clock.now().calendar(),
        id: document.id.to_string(),
        handle: document.handle.clone(),
        name: document.name.clone(),
        rename,
        content_type: document.content_type.clone(),
        declared_type: Some(document.declared_type.clone()),
        size: document.size_bytes,
        sha256: document.sha256.clone(),
        created_at: document.created_at.calendar(),
        updated_at: document.updated_at.calendar(),
        status: DocumentStatus::of_row(&document.status),
        preview_url: documents::page_preview(&state.services, document).map(String::from),
        steps,
        history: history.iter().map(admin::audit::history).collect(),
    };
    Ok(with_cookies(page(status, &show)?, dressed.cookies))
}

fn row(state: &AppState, document: Document) -> DocumentRow {
    let thumbnail = documents::page_thumbnail(&state.services, &document).map(String::from);
    let status = DocumentStatus::of_row(&document.status);
    DocumentRow {
        id: document.id.into(),
        name: document.name,
        content_type: document.content_type,
        size: document.size_bytes,
        created_at: document.created_at.calendar(),
        status,
        thumbnail_url: thumbnail,
    }
}
