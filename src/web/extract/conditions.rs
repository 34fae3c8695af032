//! `If-Match` and `If-None-Match` (RFC 9110 §13): what a program believes a thing to be.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH};
use actix_web::{FromRequest, HttpRequest};
use utoipa::IntoParams;

use crate::error::AppError;

/// More tags than anybody has.
const MOST_TAGS: usize = 64;

/// The request holds only if the thing still is one of these.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header, names("If-Match"))]
pub struct IfMatch(
    /// The ETag that was read before: if the document has changed since, nothing is done, and the answer is 412.
    #[param(value_type = String, required = false)]
    Option<Tags>,
);

impl IfMatch {
    /// Whether the request holds for the thing with this tag. Weak tags never match: what is written is compared byte by byte.
    pub fn matches(&self, tag: impl FnOnce() -> String) -> bool {
        match &self.0 {
            None | Some(Tags::Any) => true,
            Some(Tags::Some(tags)) => tags.contains(&tag()),
        }
    }
}

/// The caller has these already.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header, names("If-None-Match"))]
pub struct IfNoneMatch(
    /// The ETag of a representation that the caller has: if it is still the same, the answer is 304 and has no body.
    #[param(value_type = String, required = false)]
    Option<Tags>,
);

impl IfNoneMatch {
    /// Whether the caller has the representation with this tag.
    pub fn matches(&self, tag: &str) -> bool {
        match &self.0 {
            None => false,
            Some(Tags::Any) => true,
            Some(Tags::Some(tags)) => tags
                .iter()
                .any(|known| known.strip_prefix("W/").unwrap_or(known) == tag),
        }
    }
}

#[derive(Debug)]
enum Tags {
    Any,
    Some(Vec<String>),
}

impl FromRequest for IfMatch {
    type Error = AppError;
    type Future = Ready<Result<Self, AppError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(tags(request.headers(), &IF_MATCH).map(IfMatch))
    }
}

impl FromRequest for IfNoneMatch {
    type Error = AppError;
    type Future = Ready<Result<Self, AppError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(tags(request.headers(), &IF_NONE_MATCH).map(IfNoneMatch))
    }
}

/// Tags of ours have no comma in them, so a list is cut at commas; a tag of somebody else's matches nothing either way.
fn tags(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Tags>, AppError> {
    let mut all = Vec::new();
    for value in headers.get_all(name) {
        let text = value.to_str().map_err(|_| unreadable())?;
        all.extend(text.split(',').map(|tag| tag.trim().to_owned()));
    }
    if all.len() > MOST_TAGS {
        return Err(unreadable());
    }
    Ok(match all.as_slice() {
        [] => None,
        [any] if any == "*" => Some(Tags::Any),
        _ => Some(Tags::Some(all)),
    })
}

fn unreadable() -> AppError {
    AppError::invalid(
        "invalid-condition",
        "If-Match and If-None-Match take the ETag of an earlier answer, or a few with commas. Correct the header or leave it out.",
    )
}
