//! Refuses what other sites make a browser send (A4, X9): a second lock beside the form token. Also what they would show in their own
//! pages (D8): a second lock beside `Cross-Origin-Resource-Policy` and the cookies' `SameSite`.
//!
//! Cookies ignore ports, so another program on this computer is the same site as we are; the comparison includes the port. Our pages
//! have `Referrer-Policy: no-referrer`, with which browsers say `Origin: null` even to ourselves: `Sec-Fetch-Site` then decides,
//! which every current browser sends to https and loopback addresses.

use actix_web::Error;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName, ORIGIN};
use actix_web::middleware::Next;
use actix_web::web;
use url::{Host, Url};

use crate::error::AppError;
use crate::web::state::WebSettings;
use crate::web::{AppState, reports};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

pub(super) async fn refuse(
    state: web::Data<AppState>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, Error> {
    let headers = request.headers();
    // Sent on purpose, by a program: no browser adds this by itself.
    let exempt = headers.contains_key(AUTHORIZATION)
        // Filestack's, and signed.
        || request.path() == "/webhooks/filestack"
        // Browsers', about our pages: they change nothing.
        || request.path() == reports::PATH;
    let refused = if exempt {
        None
    } else if request.method().is_safe() {
        is_embedded(headers).then(|| embedding(request.path()))
    } else {
        (!is_ours(headers, &state.settings)).then_some(AppError::Forbidden(
            "This request came from another site, or from another address of this one. Open the page here and try again.",
        ))
    };
    match refused {
        None => Ok(next.call(request).await?.map_into_left_body()),
        Some(refused) => Ok(request.error_response(refused).map_into_right_body()),
    }
}

/// Whether a browser says that a page of another site asked for a part of itself: whoever follows a link comes with a page of their own.
fn is_embedded(headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let elsewhere = text(&SEC_FETCH_SITE).is_some_and(|site| site != "same-origin" && site != "none");
    let opened = text(&SEC_FETCH_MODE).is_none_or(|mode| mode == "navigate")
        && text(&SEC_FETCH_DEST).is_none_or(|place| place == "document");
    elsewhere && !opened
}

/// Of the API nobody is asked for a password by a browser: it says that the caller is nobody (P1).
fn embedding(path: &str) -> AppError {
    if path.starts_with("/api/") {
        AppError::SignInNeeded
    } else {
        AppError::Forbidden("Other sites cannot show what is here in their pages. Open it by its link.")
    }
}

/// Whether a browser says that one of our own pages asked, or does not say who did.
pub(crate) fn is_ours(headers: &HeaderMap, settings: &WebSettings) -> bool {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let site = text(&SEC_FETCH_SITE);
    if site.is_some_and(|site| site != "same-origin" && site != "none") {
        return false;
    }
    match text(&ORIGIN) {
        None => true,
        Some("null") => site == Some("same-origin"),
        Some(origin) => is_our_origin(origin, settings),
    }
}

fn is_our_origin(origin: &str, settings: &WebSettings) -> bool {
    let Ok(origin) = Url::parse(origin) else {
        return false;
    };
    let ours = &settings.public_url;
    if origin.origin() == ours.origin() {
        return true;
    }
    // Without a configured address people reach this computer by any of its loopback names.
    !settings.public_url_is_set
        && origin.scheme() == ours.scheme()
        && origin.port_or_known_default() == ours.port_or_known_default()
        && is_loopback(&origin)
}

/// Whether the URL's host is this computer, by any of the names browsers trust without https.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actix_web::http::header::HeaderValue;

    use super::*;
    use crate::filestack::Endpoints;
    use crate::web::PickerSettings;

    fn settings(public_url: &str, is_set: bool) -> WebSettings {
        WebSettings {
            public_url: Url::parse(public_url).expect("a URL"),
            public_url_is_set: is_set,
            trusted_proxies: Vec::new(),
            cdn_origin: String::new(),
            emulator: true,
            head: Duration::ZERO,
            stall: Duration::ZERO,
            import: None,
            picker: PickerSettings::new(&Endpoints::filestack(), None),
            api_rate: None,
            shown: Default::default(),
            webhook_secrets: Vec::new(),
            metrics_token: None,
        }
    }

    fn ours(pairs: &[(&'static str, &'static str)], settings: &WebSettings) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        is_ours(&headers, settings)
    }

    #[test]
    fn a4_other_sites_and_other_ports_are_refused() {
        let settings = settings("http://127.0.0.1:8080", false);
        for good in [
            &[][..],
            &[("origin", "http://127.0.0.1:8080")],
            &[("origin", "http://localhost:8080")],
            &[("sec-fetch-site", "same-origin"), ("origin", "null")],
        ] {
            assert!(ours(good, &settings), "{good:?}");
        }
        for bad in [
            &[("origin", "http://127.0.0.1:8081")][..],
            &[("origin", "https://127.0.0.1:8080")],
            &[("origin", "http://evil.example:8080")],
            &[("origin", "null")],
            &[("origin", "")],
            &[("sec-fetch-site", "same-site"), ("origin", "null")],
            &[("sec-fetch-site", "cross-site")],
            &[
                ("sec-fetch-site", "same-origin"),
                ("origin", "http://127.0.0.1:8081"),
            ],
        ] {
            assert!(!ours(bad, &settings), "{bad:?}");
        }
    }

    #[test]
    fn a10_a_configured_address_is_the_only_one() {
        let settings = settings("https://files.example.org", true);
        assert!(ours(&[("origin", "https://files.example.org")], &settings));
        assert!(!ours(&[("origin", "http://localhost:443")], &settings));
        assert!(!ours(&[("origin", "https://files.example.org:8443")], &settings));
    }
}
