//! `POST /tags`: tags of the documents chosen in the list.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::sessions::safe_next;
use super::shell::dress;
use super::told::{Count, Told};
use super::{page, see_other, with_cookies};
use crate::error::AppError;
use crate::services::{labels, tagging};
use crate::web::AppState;
use crate::web::extract::{Chosen, CsrfForm, Viewer, field};
use crate::web::views::{Field, TagsPage};

/// `POST /tags`: adds what was entered, or takes it away.
pub async fn create(
    state: web::Data<AppState>,
    request: HttpRequest,
    viewer: Viewer,
    form: CsrfForm<Vec<(String, String)>>,
) -> Result<HttpResponse, AppError> {
    let (typed, back) = (field(&form.0, "tags"), safe_next(field(&form.0, "back")));
    let chosen = match Chosen::of_form(&form.0) {
        Ok(chosen) => chosen,
        // What was typed is shown again, to be taken along to where documents are chosen.
        Err(error) if !typed.trim().is_empty() => {
            let sentence = error.public_detail();
            return again(
                &request,
                &state,
                &viewer,
                StatusCode::BAD_REQUEST,
                (Vec::new(), back),
                typed,
                sentence,
            );
        }
        Err(error) => return Err(error),
    };
    let tags = labels::split(typed);
    let removes = field(&form.0, "act") == "remove";
    let (add, remove) = if removes {
        (Vec::new(), tags)
    } else {
        (tags, Vec::new())
    };
    let (actor, owner) = (viewer.actor(), viewer.user().id);
    let ids: Vec<String> = chosen.ids.iter().map(ToString::to_string).collect();
    match tagging::tag(&state.services, &actor, owner, chosen.ids, &add, &remove).await {
        Ok(acted) => {
            let count = Count {
                done: acted.documents.len() as u64,
                missing: (acted.missing.len() + chosen.unknown.len()) as u64,
            };
            let said = Told::Tagged(count).cookie();
            Ok(with_cookies(see_other(&back).finish(), [Some(said)]))
        }
        Err(AppError::Fields(wrong)) => {
            let sentence = wrong.into_iter().next().map(|(_, sentence)| sentence);
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            again(
                &request,
                &state,
                &viewer,
                status,
                (ids, back),
                typed,
                sentence.unwrap_or_default(),
            )
        }
        Err(error) => Err(error),
    }
}

/// The form again, with what was chosen and typed, and what is wrong.
fn again(
    request: &HttpRequest,
    state: &AppState,
    viewer: &Viewer,
    status: StatusCode,
    (ids, back): (Vec<String>, String),
    typed: &str,
    sentence: String,
) -> Result<HttpResponse, AppError> {
    let dressed = dress(request, state, Some(viewer.user()));
    let again = TagsPage {
        shell: dressed.shell,
        ids,
        back,
        tags: Field {
            value: typed.to_owned(),
            error: Some(sentence),
        },
    };
    Ok(with_cookies(page(status, &again)?, dressed.cookies))
}
