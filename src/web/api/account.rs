//! `/api/account`: who the caller is, and how much they may keep.

use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::error::AppError;
use crate::services::quotas;
use crate::web::AppState;
use crate::web::extract::ApiCaller;

/// `GET /api/account`.
pub async fn show(state: web::Data<AppState>, caller: ApiCaller) -> Result<HttpResponse, AppError> {
    let user = caller.user();
    let standing = quotas::standing(&state.services, user.id).await?;
    let room = standing.room();
    Ok(HttpResponse::Ok().json(json!({
        "email": user.email,
        "role": user.role.as_str(),
        "documents": {"kept": user.document_count, "quota": standing.quota.documents, "left": room.documents},
        "bytes": {"kept": user.stored_bytes, "quota": standing.quota.bytes, "left": room.bytes},
    })))
}
