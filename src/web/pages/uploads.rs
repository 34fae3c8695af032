//! `/uploads/new` and the plain form's `POST /uploads`: several files, a result for each.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};

use super::shell::dress;
use super::{page, with_cookies};
use crate::error::AppError;
use crate::services::processing::chain::Wish;
use crate::services::uploads::{self, By, NewFile, Received};
use crate::services::{documents, quotas};
use crate::web::AppState;
use crate::web::extract::{FilePart, Item, UploadForm, Viewer, token_is_valid};
use crate::web::views::{UploadNewPage, UploadOutcome, UploadResultPage, UploadedFile};

/// `GET /uploads/new`.
pub async fn new(
    state: web::Data<AppState>,
    request: HttpRequest,
    viewer: Viewer,
) -> Result<HttpResponse, AppError> {
    form(&request, &state, &viewer, StatusCode::OK, None).await
}

/// `POST /uploads`: each file stands by itself; one that fails leaves the others alone.
pub async fn create(
    state: web::Data<AppState>,
    request: HttpRequest,
    viewer: Viewer,
    payload: web::Payload,
) -> Result<HttpResponse, AppError> {
    let mut parts = UploadForm::new(&state, &request, payload)?;
    let mut ours = false;
    let mut files = Vec::new();
    loop {
        match parts.next().await {
            Ok(Some(Item::Field(name, value))) if name == "csrf_token" => {
                ours = token_is_valid(&request, &value)
            }
            Ok(Some(Item::Field(..))) => {}
            // The token stands before the files, so that nothing is taken in before it has been seen.
            Ok(Some(Item::File(_))) if !ours => return Err(stale()),
            Ok(Some(Item::File(file))) if file.field != "file" || file.filename.is_empty() => {}
            Ok(Some(Item::File(file))) => files.push(receive(&state, &viewer, &parts, file).await?),
            Ok(None) => break,
            // What was stored before the form broke is stored, and the result says so.
            Err(error) if files.is_empty() => return Err(error),
            Err(error) => {
                files.push(UploadedFile {
                    name: "The rest of the form".to_owned(),
                    outcome: UploadOutcome::Failed {
                        reason: error.public_detail(),
                    },
                });
                break;
            }
        }
    }
    if !ours {
        return Err(stale());
    }
    if files.is_empty() {
        let sentence = "No file was chosen. Choose at least one file.".to_owned();
        return form(&request, &state, &viewer, StatusCode::BAD_REQUEST, Some(sentence)).await;
    }
    let dressed = dress(&request, &state, Some(viewer.user()));
    let failed = files
        .iter()
        .all(|file| matches!(file.outcome, UploadOutcome::Failed { .. }));
    let status = if failed {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let result = UploadResultPage {
        shell: dressed.shell,
        files,
    };
    Ok(with_cookies(page(status, &result)?, dressed.cookies))
}

async fn receive(
    state: &AppState,
    viewer: &Viewer,
    parts: &UploadForm,
    mut file: Box<FilePart>,
) -> Result<UploadedFile, AppError> {
    let name = file.filename.clone();
    let new = NewFile {
        name: name.clone(),
        declared_type: file.declared_type.clone(),
        size: parts.size(&file, None),
        wish: Wish::Steps,
    };
    let by = By {
        actor: viewer.actor(),
        via: "the upload page",
    };
    let outcome = match uploads::receive(&state.services, viewer.user(), by, new, &mut *file).await {
        Ok(Received { document, .. }) => {
            let twin = documents::twins(&state.services, &document)
                .await?
                .into_iter()
                .next();
            UploadOutcome::Stored {
                id: document.id.to_string(),
                content_type: document.content_type,
                size: document.size_bytes,
                twin: twin.map(|twin| (twin.id.to_string(), twin.name)),
            }
        }
        // A client that has gone reads no result, and one too slow for this file is too slow for the next.
        Err(error @ AppError::TooSlow(_)) => return Err(error),
        Err(error) => {
            if error.status() >= 500 {
                log::warn!(event = "upload-failed", code = error.code(); "a file of a form was not stored: {error:?}");
            }
            UploadOutcome::Failed {
                reason: error.public_detail(),
            }
        }
    };
    Ok(UploadedFile { name, outcome })
}

async fn form(
    request: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    status: StatusCode,
    error: Option<String>,
) -> Result<HttpResponse, AppError> {
    let dressed = dress(request, state, Some(viewer.user()));
    let max_bytes = i64::try_from(state.services.max_upload_bytes).unwrap_or(i64::MAX);
    let room = quotas::standing(&state.services, viewer.user().id).await?.room();
    let form = UploadNewPage {
        shell: dressed.shell,
        max_bytes,
        left_bytes: room.bytes.map(|left| i64::try_from(left).unwrap_or(i64::MAX)),
        left_documents: room.documents,
        imports: state.settings.import.is_some(),
        error,
    };
    let mut response = with_cookies(page(status, &form)?, dressed.cookies);
    let headers = response.headers_mut();
    // This page alone loads Filestack's scripts and may use the camera (X12).
    if let Ok(policy) = HeaderValue::from_str(&state.settings.picker.content_security_policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(self), geolocation=(), microphone=(self)"),
    );
    Ok(response)
}

fn stale() -> AppError {
    AppError::Forbidden(
        "This form is too old or was not opened here. Reload the page, then choose the files again.",
    )
}
