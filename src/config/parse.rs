//! The few forms that values come in: numbers, addresses, URLs. Each says what is wrong in one sentence.

use std::net::SocketAddr;
use std::ops::RangeInclusive;

use url::Url;

use super::error::{ConfigError, quoted};
use super::vars::Vars;

/// A whole number within `range`, or `default` when the variable is unset.
pub(super) fn number(
    vars: &Vars,
    name: &str,
    default: u64,
    range: RangeInclusive<u64>,
    unit: &str,
) -> Result<u64, ConfigError> {
    let Some(text) = vars.get(name) else {
        return Ok(default);
    };
    text.trim()
        .parse()
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| {
            let (least, most) = (range.start(), range.end());
            let problem = format!(
                "is {}, which is not a whole number of {unit} from {least} to {most}",
                quoted(text)
            );
            ConfigError::new(name, problem, &default.to_string())
        })
}

/// An address and port to listen on.
pub(super) fn socket_address(
    vars: &Vars,
    name: &str,
    default: SocketAddr,
) -> Result<SocketAddr, ConfigError> {
    let Some(text) = vars.get(name) else {
        return Ok(default);
    };
    text.trim().parse().map_err(|_| {
        let problem = format!("is {}, which is not an address and port", quoted(text));
        ConfigError::new(name, problem, &default.to_string())
    })
}

/// An `http` or `https` URL without credentials, query and fragment.
pub(super) fn web_url(vars: &Vars, name: &str, example: &str) -> Result<Option<Url>, ConfigError> {
    let Some(text) = vars.get(name) else {
        return Ok(None);
    };
    // Somebody's password might be in it, so it is not repeated.
    let shown = if text.contains('@') {
        "a URL with a user in it".to_owned()
    } else {
        quoted(text)
    };
    let fail = |what: &str| ConfigError::new(name, format!("is {shown}, which {what}"), example);
    let url = Url::parse(text.trim()).map_err(|_| fail("is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(fail("does not begin with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(fail("must not hold a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(fail("must not have a ? or # part"));
    }
    Ok(Some(url))
}

/// Whether the URL's host can only be this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
