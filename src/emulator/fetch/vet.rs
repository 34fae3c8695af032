//! Which addresses may be connected to.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use tokio::task::spawn_blocking;
use url::{Host, Url};

use super::Reason;

/// Looks a name up.
pub(super) type Resolve = Arc<dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

/// The system's resolver.
pub(super) fn system() -> Resolve {
    Arc::new(|name, port| (name, port).to_socket_addrs().map(Iterator::collect))
}

/// The rules.
#[derive(Clone)]
pub(super) struct Vet {
    own: SocketAddr,
    named: Vec<(String, u16)>,
    resolve: Resolve,
}

/// Where a URL may be fetched from.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Vetted {
    /// The name that the addresses stand for; none when the URL has an address itself.
    pub name: Option<String>,
    pub addresses: Vec<SocketAddr>,
}

impl Vet {
    pub(super) fn new(own: SocketAddr, named: Vec<(String, u16)>, resolve: Resolve) -> Self {
        // As the URL parser writes hosts, so that `LOCALHOST` and `[::0:1]` are what they mean.
        let plain = |(host, port): (String, u16)| {
            let host = Host::parse(&host).map_or(host, |host| host.to_string());
            (host, port)
        };
        Self {
            own,
            named: named.into_iter().map(plain).collect(),
            resolve,
        }
    }

    /// Looks the host up, once, and decides on everything that was found.
    pub(super) async fn check(&self, url: &Url) -> Result<Vetted, Reason> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Reason::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Reason::Userinfo);
        }
        let port = url.port_or_known_default().ok_or(Reason::Port)?;
        // The parser has turned decimal, octal, hexadecimal and shortened addresses into addresses.
        let (name, addresses) = match url.host().ok_or(Reason::Url)? {
            Host::Ipv4(address) => (None, vec![SocketAddr::new(address.into(), port)]),
            Host::Ipv6(address) => (None, vec![SocketAddr::new(address.into(), port)]),
            Host::Domain(name) => (Some(name.to_owned()), self.look_up(name, port).await?),
        };
        let host = url.host_str().unwrap_or_default();
        let addresses = self.allowed(host, port, addresses)?;
        Ok(Vetted { name, addresses })
    }

    async fn look_up(&self, name: &str, port: u16) -> Result<Vec<SocketAddr>, Reason> {
        let (resolve, name) = (self.resolve.clone(), name.to_owned());
        let found = spawn_blocking(move || resolve(&name, port)).await;
        let found = found.map_err(|_| Reason::Unresolved)?;
        found.map_err(|_| Reason::Unresolved)
    }

    fn allowed(&self, host: &str, port: u16, addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Reason> {
        if addresses.is_empty() {
            return Err(Reason::Unresolved);
        }
        // Only to ourselves then, whatever else the name stands for.
        let own: Vec<_> = addresses
            .iter()
            .copied()
            .filter(|address| self.is_own(address))
            .collect();
        if !own.is_empty() {
            return Ok(own);
        }
        let is_named = |host: &str| {
            let mut named = self.named.iter();
            named.any(|(name, number)| name == host && *number == port)
        };
        if is_named(host) {
            return Ok(addresses);
        }
        for address in &addresses {
            let ip = address.ip();
            if is_named(&written(ip)) {
                continue;
            }
            if !is_public(ip) {
                return Err(Reason::Address);
            }
            if !matches!(port, 80 | 443) {
                return Err(Reason::Port);
            }
        }
        Ok(addresses)
    }

    /// The emulator itself. One that listens on every address is reached by the loopback ones.
    fn is_own(&self, address: &SocketAddr) -> bool {
        let (ip, own) = (address.ip().to_canonical(), self.own.ip().to_canonical());
        // `[::]` takes IPv4 as well on most systems, `0.0.0.0` takes nothing else.
        let reached = ip.is_loopback() && (own.is_ipv6() || ip.is_ipv4());
        let same = ip == own || (own.is_unspecified() && reached);
        same && address.port() == self.own.port()
    }
}

/// An address as hosts of URLs are written.
fn written(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// Whether an address belongs to the public Internet, by the registries of special-purpose addresses.
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let special = matches!(
        ip.octets(),
        [0 | 10 | 127, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
            | [224..=255, ..]
    );
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let last = || {
        let [.., a, b, c, d] = ip.octets();
        Ipv4Addr::new(a, b, c, d)
    };
    match ip.segments() {
        // IPv4 in IPv6 clothes: mapped, and translated by NAT64. It is the IPv4 address that is reached.
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => is_public_v4(last()),
        // Protocol assignments with Teredo, documentation, 6to4.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // Only this eighth is given out; loopback, ULA, link-local, multicast are elsewhere.
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}
