//! `POST /archive`: the documents chosen in the list as one ZIP.

use actix_web::body::SizedStream;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpResponse, web};

use crate::error::AppError;
use crate::services::archive::{self, Archive};
use crate::services::identity::{Identity, Recipient};
use crate::web::AppState;
use crate::web::extract::{Chosen, CsrfForm, Viewer};

/// `POST /archive`.
pub async fn create(
    state: web::Data<AppState>,
    viewer: Viewer,
    form: CsrfForm<Vec<(String, String)>>,
) -> Result<HttpResponse, AppError> {
    let Chosen { ids, unknown } = Chosen::of_form(&form.0)?;
    let archive = archive::prepare(&state.services, viewer.user().id, ids, unknown.len()).await?;
    Ok(sent(&state, &viewer.0, archive))
}

/// The archive as an answer of known length: one that breaks off is seen to be broken.
pub(in crate::web) fn sent(state: &AppState, identity: &Identity, archive: Archive) -> HttpResponse {
    let length = archive.length();
    let stream = archive.into_stream(state.services.clone(), Recipient::new(&state.services, identity));
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/zip"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"documents.zip\""))
        .body(SizedStream::new(length, Box::pin(stream)))
}
