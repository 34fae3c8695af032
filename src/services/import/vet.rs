//! Which addresses may be connected to on behalf of somebody who named a URL (G1, G2, G4).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::{Host, Url};

/// The rules.
#[derive(Clone, Debug)]
pub(super) struct Vet {
    is_public: bool,
    places: Vec<(String, u16)>,
}

/// Where a URL may be fetched from.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Vetted {
    /// The name that the addresses stand for; none when the URL has an address itself.
    pub(super) name: Option<String>,
    /// The only addresses that may be connected to: a second look-up might say otherwise.
    pub(super) addresses: Vec<SocketAddr>,
}

impl Vet {
    /// Public places, these places wherever they are, or both.
    pub(super) fn new(is_public: bool, places: Vec<(String, u16)>) -> Self {
        Vet { is_public, places }
    }

    /// Looks the host up, once, and decides on every address that was found; the error is for the log alone.
    pub(super) async fn check(
        &self,
        url: &Url,
        look_up: impl AsyncFn(String, u16) -> io::Result<Vec<SocketAddr>>,
    ) -> Result<Vetted, &'static str> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err("scheme");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("userinfo");
        }
        let port = url.port_or_known_default().ok_or("port")?;
        // The parser has turned decimal, octal, hexadecimal and shortened addresses into addresses.
        let (host, name) = match url.host().ok_or("host")? {
            // A dot at the end is the same name to a resolver and another one to everybody else.
            Host::Domain(name) if name.ends_with('.') => return Err("host"),
            Host::Domain(name) => (name.to_owned(), Some(name.to_owned())),
            address => (address.to_string(), None),
        };
        let is_named = self
            .places
            .iter()
            .any(|(place, number)| *place == host && *number == port);
        let is_usual = self.is_public && matches!(port, 80 | 443);
        if !is_named && !is_usual {
            return Err("port");
        }
        let addresses = match url.host() {
            Some(Host::Ipv4(address)) => vec![SocketAddr::new(address.into(), port)],
            Some(Host::Ipv6(address)) => vec![SocketAddr::new(address.into(), port)],
            _ => look_up(host, port).await.map_err(|_| "unresolved")?,
        };
        if addresses.is_empty() {
            return Err("unresolved");
        }
        if !is_named && !addresses.iter().all(|address| is_public(address.ip())) {
            return Err("address");
        }
        Ok(Vetted { name, addresses })
    }
}

/// Whether an address belongs to the public Internet.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

/// Not one of the registry of special purposes.
fn is_public_v4(ip: Ipv4Addr) -> bool {
    let special: [([u8; 4], u32); 15] = [
        ([0, 0, 0, 0], 8),
        ([10, 0, 0, 0], 8),
        ([100, 64, 0, 0], 10),
        ([127, 0, 0, 0], 8),
        ([169, 254, 0, 0], 16),
        ([172, 16, 0, 0], 12),
        ([192, 0, 0, 0], 24),
        ([192, 0, 2, 0], 24),
        ([192, 88, 99, 0], 24),
        ([192, 168, 0, 0], 16),
        ([198, 18, 0, 0], 15),
        ([198, 51, 100, 0], 24),
        ([203, 0, 113, 0], 24),
        ([224, 0, 0, 0], 4),
        ([240, 0, 0, 0], 4),
    ];
    special.iter().all(|(network, bits)| {
        let mask = u32::MAX << (32 - bits);
        u32::from(ip) & mask != u32::from_be_bytes(*network)
    })
}

/// Global unicast, without what stands for other addresses (mapped, NAT64, 6to4, Teredo) or for none.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [first, second, ..] = ip.segments();
    let is_global = first & 0xe000 == 0x2000;
    let protocols = first == 0x2001 && second < 0x0200;
    let examples = (first == 0x2001 && second == 0x0db8) || (first == 0x3fff && second < 0x1000);
    let six_to_four = first == 0x2002;
    is_global && !protocols && !examples && !six_to_four
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(vet: &Vet, url: &str, found: &[&str]) -> Result<Vetted, &'static str> {
        let found: Vec<IpAddr> = found.iter().map(|ip| ip.parse().expect("an address")).collect();
        let url = Url::parse(url).map_err(|_| "url")?;
        vet.check(&url, async |_, port| {
            Ok(found.iter().map(|ip| SocketAddr::new(*ip, port)).collect())
        })
        .await
    }

    #[actix_web::test]
    async fn g1_no_address_that_is_not_public_in_whatever_writing() {
        let vet = Vet::new(true, Vec::new());
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "0.0.0.0",
            "10.1.2.3",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.0.1",
            "198.19.0.1",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:8.8.8.8]",
            "[::7f00:1]",
            "[fe80::1]",
            "[fc00::1]",
            "[ff02::1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[2001::1]",
            "[2001:db8::1]",
            "[3fff::1]",
        ] {
            let refused = check(&vet, &format!("http://{host}/x"), &[]).await;
            assert_eq!(refused, Err("address"), "{host}");
        }
        assert!(check(&vet, "https://8.8.8.8/x", &[]).await.is_ok());
        assert!(check(&vet, "http://[2606:4700::1111]/", &[]).await.is_ok());
    }

    #[actix_web::test]
    async fn g1_g2_every_address_of_a_name_counts_and_only_those_are_given_out() {
        let vet = Vet::new(true, Vec::new());
        let url = "http://example.org/x";
        for found in [
            &["127.0.0.1"][..],
            &["8.8.8.8", "10.0.0.1"],
            &["8.8.8.8", "::1"],
            &["::ffff:169.254.169.254"],
        ] {
            assert_eq!(check(&vet, url, found).await, Err("address"), "{found:?}");
        }
        assert_eq!(check(&vet, url, &[]).await, Err("unresolved"));
        let vetted = check(&vet, url, &["8.8.8.8"]).await.expect("public");
        assert_eq!(vetted.name.as_deref(), Some("example.org"));
        assert_eq!(vetted.addresses, ["8.8.8.8:80".parse().expect("an address")]);
    }

    #[actix_web::test]
    async fn g4_only_http_without_a_user_on_the_usual_ports() {
        let vet = Vet::new(true, Vec::new());
        for url in [
            "file:///etc/passwd",
            "gopher://example.org/",
            "ftp://example.org/",
            "data:text/plain,x",
            "http://user@example.org/",
            "http://user:pw@example.org/",
            "http://example.org@127.0.0.1:22/",
            "http://example.org:22/",
            "https://example.org:8443/",
            "http://localhost./",
            "http://",
        ] {
            assert!(check(&vet, url, &["8.8.8.8"]).await.is_err(), "{url}");
        }
    }

    #[actix_web::test]
    async fn a_place_that_was_named_may_be_anywhere_and_nothing_beside_it() {
        let vet = Vet::new(false, vec![("127.0.0.1".to_owned(), 9000)]);
        assert!(check(&vet, "http://127.0.0.1:9000/x", &[]).await.is_ok());
        for url in [
            "http://127.0.0.1:9001/",
            "http://127.0.0.2:9000/",
            "http://8.8.8.8/",
        ] {
            assert!(check(&vet, url, &[]).await.is_err(), "{url}");
        }
    }
}
