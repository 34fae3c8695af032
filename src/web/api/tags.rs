//! `/api/tags`: tags of many documents at once.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::trash::{Done, answer};
use crate::error::AppError;
use crate::services::tagging;
use crate::web::AppState;
use crate::web::extract::{ApiCaller, Chosen, Json};

/// Documents, and what their tags become.
#[derive(Deserialize, ToSchema)]
#[schema(as = Tagging)]
#[serde(deny_unknown_fields)]
pub struct Tagging {
    ids: Vec<String>,
    /// Tags that each gets.
    #[serde(default)]
    #[schema(required = false, max_items = 20)]
    add: Vec<String>,
    /// Tags that none keeps.
    #[serde(default)]
    #[schema(required = false, max_items = 20)]
    remove: Vec<String>,
}

/// `POST /api/tags`.
#[utoipa::path(post, path = "/api/tags", operation_id = "tagDocuments", tag = "documents",
    summary = "Tag several documents", request_body = Tagging,
    responses((status = 200, description = "Which it was done to", body = Done)))]
pub async fn create(
    state: web::Data<AppState>,
    caller: ApiCaller,
    tagging: Result<Json<Tagging>, AppError>,
) -> Result<HttpResponse, AppError> {
    let Tagging { ids, add, remove } = tagging?.0;
    let chosen = Chosen::read(ids)?;
    let owner = caller.user().id;
    let acted = tagging::tag(&state.services, &caller.actor(), owner, chosen.ids, &add, &remove).await?;
    Ok(answer(&acted, chosen.unknown))
}
