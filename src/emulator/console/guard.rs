//! Who may use the control surface: programs on this computer, and its own page.
//!
//! There is no password, so what protects it is that it listens to this computer only (or was switched on by somebody who
//! knows better), that browsers say where a request comes from, and that a name an attacker makes point here (DNS
//! rebinding) is not one of ours. The comparison of origins includes the port: cookies and "sites" ignore it (A4, X9).

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::{Error, web};
use url::{Host, Url};

use super::Console;
use super::commands::Wrong;

/// The page has no script, and loads nothing from elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

pub(super) async fn guard(
    console: web::Data<Console>,
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let mut reply = match refusal(&console, &req) {
        Some(wrong) => req.error_response(wrong),
        None => next.call(req).await?.map_into_boxed_body(),
    };
    protect(reply.headers_mut());
    Ok(reply)
}

fn refusal(console: &Console, req: &ServiceRequest) -> Option<Wrong> {
    if !console.open {
        return Some(Wrong::missing("The control surface is off"));
    }
    let headers = req.headers();
    let Some(own) = reached_at(headers).filter(|own| is_named_safely(own, console.public.as_ref())) else {
        return Some(Wrong::forbidden(
            "The control surface is reached by an IP address or as localhost, not by this name",
        ));
    };
    let is_ours = match text(headers, &ORIGIN) {
        None => true,
        // Whoever hides its origin has to be vouched for by the browser.
        Some("null") => site(headers) == Some("same-origin"),
        Some(origin) => is_same(origin, &own, console.public.as_ref()),
    };
    let is_from_here = match site(headers) {
        None | Some("same-origin" | "none") => true,
        // A link to the page: it only opens, and it cannot be framed.
        Some(_) => {
            req.method().is_safe()
                && text(headers, &HeaderName::from_static("sec-fetch-mode")) == Some("navigate")
        }
    };
    let refused = !is_ours || !is_from_here;
    refused.then(|| {
        Wrong::forbidden("This request came from another site, or from another port of this computer")
    })
}

/// Where the caller thinks we are; `None` when it does not say, or says it twice.
fn reached_at(headers: &HeaderMap) -> Option<Url> {
    let mut named = headers.get_all(HOST);
    let (host, None) = (named.next()?.to_str().ok()?, named.next()) else {
        return None;
    };
    let url = Url::parse(&format!("http://{host}")).ok()?;
    let is_plain = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    is_plain.then_some(url)
}

/// Whether nobody else can make the name point here.
fn is_named_safely(own: &Url, public: Option<&Url>) -> bool {
    let is_public = |public: &Url| public.host() == own.host();
    match own.host() {
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        Some(Host::Domain(name)) => {
            name == "localhost" || name.ends_with(".localhost") || public.is_some_and(is_public)
        }
        None => false,
    }
}

fn is_same(origin: &str, own: &Url, public: Option<&Url>) -> bool {
    Url::parse(origin).is_ok_and(|origin| {
        origin.origin() == own.origin() || public.is_some_and(|public| origin.origin() == public.origin())
    })
}

fn site(headers: &HeaderMap) -> Option<&str> {
    text(headers, &HeaderName::from_static("sec-fetch-site"))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

fn protect(headers: &mut HeaderMap) {
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(CONTENT_SECURITY_POLICY, POLICY);
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(X_FRAME_OPTIONS, "DENY");
    // Not `no-referrer`: with it browsers send the page's own forms as from `null`.
    set(REFERRER_POLICY, "same-origin");
    set(
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    set(
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

impl Wrong {
    fn forbidden(sentence: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, sentence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str) -> Option<Url> {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        reached_at(&headers)
    }

    #[test]
    fn names_that_anybody_could_point_here_are_not_ours() {
        let public = Url::parse("https://files.example.org").unwrap();
        for good in [
            "127.0.0.1:8081",
            "[::1]:9",
            "localhost",
            "a.localhost:1",
            "192.168.1.2",
        ] {
            assert!(is_named_safely(&at(good).unwrap(), None), "{good}");
        }
        for bad in [
            "evil.example",
            "localhost.evil.example",
            "localhost.:80",
            "127.0.0.1.nip.io",
            "xlocalhost",
        ] {
            assert!(!at(bad).is_some_and(|own| is_named_safely(&own, None)), "{bad}");
        }
        assert!(is_named_safely(&at("files.example.org").unwrap(), Some(&public)));
        for nonsense in ["", "a/b", "u@127.0.0.1", "127.0.0.1?x", "127.0.0.1#x"] {
            assert!(at(nonsense).is_none(), "{nonsense:?}");
        }
    }

    #[test]
    fn a4_an_origin_is_the_same_with_its_port_only() {
        let own = at("127.0.0.1:8081").unwrap();
        assert!(is_same("http://127.0.0.1:8081", &own, None));
        for other in [
            "http://127.0.0.1:8080",
            "https://127.0.0.1:8081",
            "http://localhost:8081",
            "null",
            "",
            "http://127.0.0.1",
        ] {
            assert!(!is_same(other, &own, None), "{other}");
        }
        assert!(is_same("http://127.0.0.1", &at("127.0.0.1:80").unwrap(), None));
    }
}
