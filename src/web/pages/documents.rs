//! `/documents`: the list, a document's page, download of it and of what was made from it, name, tags and note. Deleting is in
//! [`super::trash`].

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::shell::{Said, dress};
use super::{admin, events as steps, page, see_other, sized_page, with_cookies};
use crate::db::models::documents::{Document, Part};
use crate::db::models::users::User;
use crate::error::AppError;
use crate::ids::DocumentId;
use crate::services::cursor::{self, parse_sort};
use crate::services::documents::{self, Changes, DocumentPage, Total};
use crate::services::filters::{Filter, Wrong};
use crate::services::results::{self, DocumentResult};
use crate::services::{audit, identity, labels};
use crate::web::AppState;
use crate::web::extract::{CsrfForm, DocumentPath, Query, Reader, ResultPath, Viewer};
use crate::web::views::{
    DocumentIndexPage, DocumentRow, DocumentShowPage, DocumentStatus, Field, MadeRow, MadeStatus, Narrowed,
};

/// Documents on a page of the list.
const PAGE: i64 = 50;
/// A row of the list and what is round the rows, in bytes of HTML, generously.
const ROW_BYTES: usize = 1_950;
const SHELL_BYTES: usize = 12_000;
/// Bytes of the text on a picture that its page shows.
const SHOWN_TEXT: usize = 4_000;

/// `?sort=&q=&tag=&type=&status=&after=&before=`.
#[derive(Deserialize)]
pub struct IndexQuery {
    #[serde(default)]
    sort: String,
    #[serde(default)]
    q: String,
    #[serde(default)]
    tag: String,
    #[serde(default, rename = "type")]
    family: String,
    #[serde(default)]
    status: String,
    after: Option<String>,
    before: Option<String>,
}

/// The form that renames.
#[derive(Deserialize)]
pub struct NameForm {
    name: String,
}

/// The form of tags and note.
#[derive(Deserialize)]
pub struct DescriptionForm {
    tags: String,
    note: String,
}

/// What was entered in a form of a document's page, to be shown again.
#[derive(Default)]
struct Entered {
    name: Option<String>,
    description: Option<DescriptionForm>,
    wrong: Vec<(&'static str, String)>,
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
        tag,
        family,
        status,
        after,
        before,
    } = query.0;
    let sort = parse_sort(&sort)?;
    let filter = match Filter::read(&q, &tag, &family, &status) {
        Ok(filter) => filter,
        Err(wrong) => {
            let narrowed = Narrowed {
                query: q,
                tag,
                family,
                status,
            };
            return refused(&state, &request, reader, cursor::sort_name(sort), narrowed, wrong).await;
        }
    };
    let mark = filter.mark();
    let mark = mark.as_deref();
    let here = after
        .map(|cursor| ("after", cursor))
        .or(before.map(|cursor| ("before", cursor)));
    let part = match &here {
        Some(("after", text)) => Part::After(cursor::decode(sort, mark, text)?),
        Some((_, text)) => Part::Before(cursor::decode(sort, mark, text)?),
        None => Part::First,
    };
    let (user, listed) = documents::list(&state.services, reader.0, sort, filter, part, PAGE).await?;
    let place = |document: Option<&Document>| {
        document.map(|document| cursor::encode(sort, mark, &document.place(sort)))
    };
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
        narrowed: Narrowed {
            query: q.trim().to_owned(),
            tag: tag.trim().to_owned(),
            family,
            status,
        },
        sort: cursor::sort_name(sort).to_owned(),
        here,
        previous: has_previous.then(|| place(rows.first())).flatten(),
        next: has_next.then(|| place(rows.last())).flatten(),
        rows: rows.into_iter().map(|document| row(&state, document)).collect(),
        wrong: None,
    };
    let bytes = SHELL_BYTES + index.rows.len() * ROW_BYTES;
    Ok(with_cookies(
        sized_page(StatusCode::OK, &index, bytes)?,
        dressed.cookies,
    ))
}

/// The list without documents, and beside the field that was filled in wrong, what is wrong with it.
async fn refused(
    state: &AppState,
    request: &HttpRequest,
    reader: Reader,
    sort: &str,
    narrowed: Narrowed,
    wrong: Wrong,
) -> Result<HttpResponse, AppError> {
    let (user, ()) = identity::read_as(&state.services, reader.0, |_, _| Ok(())).await?;
    let dressed = dress(request, state, Some(&user));
    let index = DocumentIndexPage {
        shell: dressed.shell,
        now: state.services.clock.now().calendar(),
        total: 0,
        total_is_exact: true,
        narrowed,
        sort: sort.to_owned(),
        here: None,
        previous: None,
        next: None,
        rows: Vec::new(),
        wrong: Some((wrong.field, wrong.sentence)),
    };
    Ok(with_cookies(
        page(StatusCode::BAD_REQUEST, &index)?,
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
    show_page(&request, &state, &user, &document, Entered::default()).await
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

/// `GET /documents/{id}/results/{result}/download`.
pub async fn download_result(
    state: web::Data<AppState>,
    reader: Reader,
    path: ResultPath,
) -> Result<HttpResponse, AppError> {
    let signed = results::download_url(&state.services, reader.0, path.0, path.1).await?;
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
    let changes = Changes {
        name: Some(form.0.name.clone()),
        ..Changes::default()
    };
    let entered = Entered {
        name: Some(form.0.name),
        ..Entered::default()
    };
    change(&request, &state, &viewer, id.0, changes, entered, Said::Renamed).await
}

/// `POST /documents/{id}/description`: tags and note.
pub async fn describe(
    state: web::Data<AppState>,
    request: HttpRequest,
    viewer: Viewer,
    id: DocumentPath,
    form: CsrfForm<DescriptionForm>,
) -> Result<HttpResponse, AppError> {
    let changes = Changes {
        name: None,
        tags: Some(labels::split(&form.0.tags)),
        note: Some(form.0.note.clone()),
    };
    let entered = Entered {
        description: Some(form.0),
        ..Entered::default()
    };
    change(&request, &state, &viewer, id.0, changes, entered, Said::Described).await
}

/// Changes a document and goes back to its page, or shows what was entered again with what is wrong about it.
async fn change(
    request: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    id: DocumentId,
    changes: Changes,
    entered: Entered,
    said: Said,
) -> Result<HttpResponse, AppError> {
    let owner = viewer.user().id;
    match documents::change(&state.services, &viewer.actor(), owner, id, changes).await {
        Ok(document) => {
            let back = see_other(&format!("/documents/{}", document.id)).finish();
            Ok(with_cookies(back, [Some(said.cookie())]))
        }
        Err(AppError::Fields(wrong)) => {
            let document = documents::get(&state.services, owner, id).await?;
            let entered = Entered { wrong, ..entered };
            show_page(request, state, viewer.user(), &document, entered).await
        }
        Err(error) => Err(error),
    }
}

async fn show_page(
    request: &HttpRequest,
    state: &AppState,
    user: &User,
    document: &Document,
    entered: Entered,
) -> Result<HttpResponse, AppError> {
    let status = if entered.wrong.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let tags: Vec<String> = document.tags().map(str::to_owned).collect();
    let (name, description) = (entered.name, entered.description);
    let (tagging, note) = description.map_or_else(
        || (tags.join(", "), document.note.clone()),
        |form| (form.tags, form.note),
    );
    let field = |name: &str, value: String| Field {
        value,
        error: entered
            .wrong
            .iter()
            .find(|(field, _)| *field == name)
            .map(|(_, sentence)| sentence.clone()),
    };
    let (recognised, mut text) = documents::recognised(&state.services, document.id).await?;
    if text.len() > SHOWN_TEXT {
        text.truncate(text.floor_char_boundary(SHOWN_TEXT));
        text.push('…');
    }
    let steps = steps::of(&state.services, document.id).await?;
    let made = results::list_of_document(&state.services, document.id).await?;
    let history = audit::list_of_document(&state.services, document.id).await?;
    let dressed = dress(request, state, Some(user));
    let show = DocumentShowPage {
        shell: dressed.shell,
        now: state.services.clock.now().calendar(),
        id: document.id.to_string(),
        handle: document.handle.clone(),
        name: document.name.clone(),
        rename: field("name", name.unwrap_or_else(|| document.name.clone())),
        tagging: field("tags", tagging),
        note: field("note", note),
        tags,
        recognised,
        text,
        content_type: document.content_type.clone(),
        declared_type: Some(document.declared_type.clone()),
        size: document.size_bytes,
        sha256: document.sha256.clone(),
        created_at: document.created_at.calendar(),
        updated_at: document.updated_at.calendar(),
        status: DocumentStatus::of_row(&document.status),
        preview_url: documents::page_preview(&state.services, document).map(String::from),
        steps,
        made: made.into_iter().map(made_row).collect(),
        history: history.iter().map(admin::audit::history).collect(),
    };
    Ok(with_cookies(page(status, &show)?, dressed.cookies))
}

fn made_row(made: DocumentResult) -> MadeRow {
    MadeRow {
        status: MadeStatus::of_row(&made.state, made.handle.is_some()),
        id: made.id.into(),
        kind: made.kind,
        name: made.name,
        content_type: made.content_type,
        size: made.size_bytes,
    }
}

fn row(state: &AppState, document: Document) -> DocumentRow {
    let thumbnail = documents::page_thumbnail(&state.services, &document).map(String::from);
    let status = DocumentStatus::of_row(&document.status);
    DocumentRow {
        tags: document.tags.trim_matches(',').replace(',', ", "),
        id: document.id.into(),
        name: document.name,
        content_type: document.content_type,
        size: document.size_bytes,
        created_at: document.created_at.calendar(),
        status,
        thumbnail_url: thumbnail,
    }
}
