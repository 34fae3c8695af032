//! `/api/account`: who the caller is, and how much they may keep.

use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::AppError;
use crate::services::quotas;
use crate::web::AppState;
use crate::web::extract::ApiCaller;

/// Who the caller is.
#[derive(Serialize, ToSchema)]
pub struct Account<'a> {
    email: &'a str,
    role: &'a str,
    documents: Kept,
    bytes: Kept,
}

/// How much is kept, of how much.
#[derive(Serialize, ToSchema)]
pub struct Kept {
    kept: i64,
    /// The most; null when nothing bounds it.
    #[schema(required = true)]
    quota: Option<i64>,
    /// What is left; null when nothing bounds it.
    #[schema(required = true)]
    left: Option<u64>,
}

/// `GET /api/account`.
#[utoipa::path(get, path = "/api/account", operation_id = "showAccount", tag = "account",
    summary = "See who you are and how much you may keep",
    responses((status = 200, description = "The account", body = Account)))]
pub async fn show(state: web::Data<AppState>, caller: ApiCaller) -> Result<HttpResponse, AppError> {
    let user = caller.user();
    let standing = quotas::standing(&state.services, user.id).await?;
    let room = standing.room();
    Ok(HttpResponse::Ok().json(Account {
        email: &user.email,
        role: user.role.as_str(),
        documents: Kept {
            kept: user.document_count,
            quota: standing.quota.documents,
            left: room.documents,
        },
        bytes: Kept {
            kept: user.stored_bytes,
            quota: standing.quota.bytes,
            left: room.bytes,
        },
    }))
}
