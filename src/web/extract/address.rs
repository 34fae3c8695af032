//! Where a request comes from, with the word of trusted proxies taken and nobody else's (A10).

use std::future::{Ready, ready};
use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};

use crate::error::AppError;
use crate::web::AppState;

/// The client's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub String);

impl FromRequest for ClientAddress {
    type Error = AppError;
    type Future = Ready<Result<Self, AppError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}

impl ClientAddress {
    /// The address of whoever sent this request.
    pub fn of(request: &HttpRequest) -> Self {
        let trusted = request
            .app_data::<web::Data<AppState>>()
            .map(|state| state.settings.trusted_proxies.clone())
            .unwrap_or_default();
        let peer = request.peer_addr().map(|peer| peer.ip());
        let forwarded: Vec<&str> = request
            .headers()
            .get_all("x-forwarded-for")
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .collect();
        client(peer, &forwarded, &trusted)
    }
}

/// The last address in the chain that no trusted proxy vouches for: whatever stands before it may be made up.
fn client(peer: Option<IpAddr>, forwarded: &[&str], trusted: &[IpAddr]) -> ClientAddress {
    let Some(mut address) = peer else {
        return ClientAddress("unknown".to_owned());
    };
    for hop in forwarded.iter().rev() {
        if !trusted.contains(&address) {
            break;
        }
        match hop.trim().parse() {
            Ok(before) => address = before,
            Err(_) => break,
        }
    }
    ClientAddress(address.to_canonical().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a10_only_trusted_proxies_are_believed() {
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        let proxy = ip("10.0.0.1");
        for (peer, forwarded, trusted, expected) in [
            ("203.0.113.5", &["1.2.3.4"][..], &[][..], "203.0.113.5"),
            ("10.0.0.1", &["1.2.3.4", "198.51.100.7"], &[proxy], "198.51.100.7"),
            ("10.0.0.1", &["1.2.3.4", "10.0.0.1"], &[proxy], "1.2.3.4"),
            ("10.0.0.1", &["nonsense"], &[proxy], "10.0.0.1"),
            ("10.0.0.1", &[], &[proxy], "10.0.0.1"),
            ("::ffff:192.0.2.1", &[], &[], "192.0.2.1"),
        ] {
            assert_eq!(client(Some(ip(peer)), forwarded, trusted).0, expected);
        }
    }
}
