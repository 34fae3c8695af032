//! Inbound webhooks from Filestack.
//!
//! Events are not recorded yet, so none is ever acknowledged: Filestack keeps an event that is answered with 503 and sends it again.

use actix_web::web;

use crate::error::AppError;
use crate::web::AppState;

/// `POST /webhooks/filestack`.
pub async fn create(state: web::Data<AppState>) -> Result<actix_web::HttpResponse, AppError> {
    let detail = match state.settings.webhook_secrets.first() {
        None => {
            "Webhooks are not taken here: FILESTACK_WEBHOOK_SECRET is not set. Set it to the secret from Filestack's portal."
        }
        Some(_) => "Webhooks are not recorded by this version. Filestack will send this one again.",
    };
    Err(AppError::Unavailable {
        code: "webhooks-off",
        detail: detail.to_owned(),
        retry_after: std::time::Duration::from_secs(300),
    })
}
