//! `/admin/documents`: what everybody has, and somebody's document once a reason is given.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::audit::history;
use super::table::{self, Listing, Look, Turn, word_filter};
use crate::clock::UtcTime;
use crate::db::keyset::{Part, Slice};
use crate::db::models::documents::overseen::STATUSES;
use crate::db::models::documents::{Document, Place};
use crate::error::AppError;
use crate::services::events::inbox::legible;
use crate::services::oversight::{self, Found};
use crate::services::{Services, audit, cursor, documents};
use crate::web::AppState;
use crate::web::extract::{Admin, CsrfForm, DocumentPath, Query};
use crate::web::pages::shell::dress;
use crate::web::pages::{page, see_other, with_cookies};
use crate::web::views::{
    AdminDocumentPage, AdminDocumentsPage, Cell, ColumnKind, DocumentStatus, Field, Kind, TableColumn,
    TableFilter, TableRow,
};

const USUAL_SORT: &str = "-created";
const COLUMNS: &[TableColumn] = &[
    TableColumn::new("Name", ColumnKind::Wide).sorted("name"),
    TableColumn::new("Owner", ColumnKind::Short),
    TableColumn::new("Status", ColumnKind::Short),
    TableColumn::new("Type", ColumnKind::Short),
    TableColumn::new("Size", ColumnKind::Number).sorted("-size"),
    TableColumn::new("Added", ColumnKind::Short).sorted(USUAL_SORT),
];

/// The filters, in the address.
#[derive(Deserialize)]
pub struct Wanted {
    #[serde(default)]
    owner: String,
    #[serde(default)]
    status: String,
    #[serde(flatten)]
    turn: Turn,
}

/// The form that opens a document.
#[derive(Deserialize)]
pub struct ReasonForm {
    #[serde(default)]
    reason: String,
}

struct Everybodys(oversight::Wanted);

impl Everybodys {
    fn of(wanted: &Wanted) -> Result<Self, AppError> {
        let status = match word_filter(&wanted.status) {
            None => None,
            Some(word) => Some(STATUSES.into_iter().find(|known| *known == word).ok_or_else(|| {
                AppError::invalid(
                    "invalid-filter",
                    "There is no such status. Choose one from the list.",
                )
            })?),
        };
        Ok(Everybodys(oversight::Wanted {
            owner: word_filter(&wanted.owner).map(|email| email.to_lowercase()),
            status,
            sort: cursor::parse_sort(wanted.turn.order(&Everybodys::LOOK)?)?,
        }))
    }
}

impl Listing for Everybodys {
    type Row = (Document, String);
    type Place = Place;
    const NAME: &'static str = "documents";
    const FIELDS: &'static [&'static str] = &[
        "id",
        "name",
        "owner",
        "status",
        "content_type",
        "size_bytes",
        "created_at",
        "updated_at",
        "trashed_at",
    ];
    const LOOK: Look = Look {
        path: "/admin/documents",
        noun: "documents",
        columns: COLUMNS,
        usual_sort: USUAL_SORT,
        nothing_yet: "Nobody has uploaded anything.",
    };

    async fn read(
        &self,
        services: &Services,
        part: Part<Self::Place>,
        limit: i64,
    ) -> Result<Slice<Self::Row>, AppError> {
        oversight::list(services, self.0.clone(), part, limit).await
    }

    fn cursor(&self, (document, _): &Self::Row) -> String {
        cursor::encode(self.0.sort, None, &document.place(self.0.sort))
    }

    fn place(&self, text: &str) -> Option<Self::Place> {
        cursor::decode(self.0.sort, None, text).ok()
    }

    fn record(&self, (document, owner): &Self::Row) -> Vec<Value> {
        vec![
            json!(document.id),
            json!(document.name),
            json!(owner),
            json!(document.status),
            json!(document.content_type),
            json!(document.size_bytes),
            json!(document.created_at.rfc3339()),
            json!(document.updated_at.rfc3339()),
            json!(document.trashed_at.map(UtcTime::rfc3339)),
        ]
    }

    fn row(&self, (document, owner): &Self::Row, _: UtcTime) -> TableRow {
        let status = DocumentStatus::of_row(&document.status);
        let note = if document.trashed_at.is_some() {
            "in the trash"
        } else {
            ""
        };
        TableRow {
            id: format!("document-{}", document.id),
            cells: vec![
                Cell::Link {
                    text: legible(document.name.as_bytes()),
                    href: format!("/admin/documents/{}", document.id),
                    note: String::new(),
                },
                Cell::Text(owner.clone()),
                Cell::Mark {
                    label: status.label().to_owned(),
                    icon: status.icon(),
                    class: status.class(),
                    note: note.to_owned(),
                },
                Cell::Text(Kind::of(&document.content_type).label().to_owned()),
                Cell::Size(document.size_bytes),
                Cell::Time(document.created_at.calendar(), String::new()),
            ],
        }
    }
}

/// `GET /admin/documents`.
pub async fn index(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    query: Query<Wanted>,
) -> Result<HttpResponse, AppError> {
    let wanted = query.0;
    let list = Everybodys::of(&wanted)?;
    let statuses = STATUSES
        .into_iter()
        .map(|word| (word, DocumentStatus::of_row(word).label()))
        .collect();
    let filters = vec![
        TableFilter::text("owner", "Owner", &wanted.owner, "ana@example.org"),
        TableFilter::choice("status", "Status", &wanted.status, statuses),
    ];
    let page_of = async |shell, table| Ok(AdminDocumentsPage { shell, table });
    table::answer(&state, &request, &admin, Ok(list), wanted.turn, filters, page_of).await
}

/// `GET /admin/documents/{id}`: asks for a reason, or shows the document for which one was given.
pub async fn show(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    id: DocumentPath,
) -> Result<HttpResponse, AppError> {
    let found = oversight::find(&state.services, admin.user(), id.0).await?;
    if found.owner.id == admin.user().id {
        return Ok(see_other(&format!("/documents/{}", id.0)).finish());
    }
    shown(&state, &request, &admin, found, Field::of(""), StatusCode::OK).await
}

/// `POST /admin/documents/{id}`: opens it.
pub async fn open(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    id: DocumentPath,
    form: CsrfForm<ReasonForm>,
) -> Result<HttpResponse, AppError> {
    match oversight::open(&state.services, &admin.actor(), id.0, &form.0.reason).await {
        Ok(()) => Ok(see_other(&format!("/admin/documents/{}", id.0)).finish()),
        Err(AppError::Fields(fields)) => {
            let found = oversight::find(&state.services, admin.user(), id.0).await?;
            let reason = Field {
                value: form.0.reason,
                error: fields.into_iter().next().map(|(_, wrong)| wrong),
            };
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            shown(&state, &request, &admin, found, reason, status).await
        }
        Err(error) => Err(error),
    }
}

/// `GET /admin/documents/{id}/download`: for whoever has given a reason.
pub async fn download(
    state: web::Data<AppState>,
    admin: Admin,
    id: DocumentPath,
) -> Result<HttpResponse, AppError> {
    let found = oversight::find(&state.services, admin.user(), id.0).await?;
    if !found.is_open {
        return Ok(see_other(&format!("/admin/documents/{}", id.0)).finish());
    }
    let signed = documents::download_url(&state.services, &found.document, true)?;
    Ok(see_other(signed.url.as_str()).finish())
}

async fn shown(
    state: &AppState,
    request: &HttpRequest,
    admin: &Admin,
    found: Found,
    reason: Field,
    status: StatusCode,
) -> Result<HttpResponse, AppError> {
    let document = found.document;
    let entries = if found.is_open {
        audit::list_of_document(&state.services, document.id).await?
    } else {
        Vec::new()
    };
    let dressed = dress(request, state, Some(admin.user()));
    let shown = AdminDocumentPage {
        shell: dressed.shell,
        now: state.services.clock.now().calendar(),
        id: document.id.to_string(),
        name: document.name,
        owner: found.owner.email,
        content_type: document.content_type,
        size: document.size_bytes,
        sha256: document.sha256,
        handle: document.handle,
        created_at: document.created_at.calendar(),
        status: DocumentStatus::of_row(&document.status),
        is_open: found.is_open,
        reason,
        history: entries.iter().map(history).collect(),
    };
    Ok(with_cookies(page(status, &shown)?, dressed.cookies))
}
