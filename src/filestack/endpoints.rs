//! Filestack's hosts, and how addresses on them are built.

use url::Url;

use super::error::FilestackError;

/// The base address of each Filestack service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// The File API and the REST store, with its `/api` path.
    pub api: Url,
    /// The multipart upload service.
    pub upload: Url,
    /// Delivery and transformations.
    pub cdn: Url,
    /// The processing engine (store from URL).
    pub process: Url,
}

impl Endpoints {
    /// Filestack's own hosts.
    pub fn filestack() -> Self {
        let url = |text| Url::parse(text).expect("a constant address is well formed");
        Self {
            api: url("https://www.filestackapi.com/api"),
            upload: url("https://upload.filestackapi.com"),
            cdn: url("https://cdn.filestackcontent.com"),
            process: url("https://process.filestackapi.com"),
        }
    }

    /// One origin that serves everything, as an emulator does.
    pub fn single(base: Url) -> Self {
        Self {
            api: at(&base, "/api"),
            upload: base.clone(),
            cdn: base.clone(),
            process: base,
        }
    }

    pub(super) fn check(&self) -> Result<(), FilestackError> {
        let all = [
            ("api", &self.api),
            ("upload", &self.upload),
            ("cdn", &self.cdn),
            ("process", &self.process),
        ];
        for (name, url) in all {
            if !is_plain_http(url) {
                return Err(FilestackError::invalid(format!(
                    "the Filestack {name} address must be an http or https URL without user name, query or fragment"
                )));
            }
        }
        Ok(())
    }
}

fn is_plain_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

/// The address of `path`, which starts with a slash and is already percent-encoded, below `base`.
pub(super) fn at(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url
}

/// Where the rest of a multipart upload goes. Filestack names a bare host; an emulator may name a whole URL.
///
/// A bare host takes the scheme of the configured upload address. A plain address is refused when the configured one
/// is encrypted: file bytes must not leave it because a reply says so.
pub(super) fn resolve_location(upload: &Url, location: &str) -> Result<Url, FilestackError> {
    let lower = location.to_ascii_lowercase();
    let url = if lower.starts_with("http://") || lower.starts_with("https://") {
        Url::parse(location)
    } else if location.starts_with(['/', '\\']) || location.contains("://") {
        // A URL parser would skip the extra slashes, or take a foreign scheme for a host.
        return Err(FilestackError::protocol("the upload host it names is not a host"));
    } else {
        Url::parse(&format!("{}://{location}", upload.scheme()))
    };
    let url = url.map_err(|_| FilestackError::protocol("the upload host it names is not an address"))?;
    checked(upload, url)
}

/// The storage address of a part, under the same rule.
pub(super) fn resolve_storage(upload: &Url, address: &str) -> Result<Url, FilestackError> {
    let url = Url::parse(address)
        .map_err(|_| FilestackError::protocol("the storage address it names is not an address"))?;
    if upload.scheme() == "https" && url.scheme() != "https" || !matches!(url.scheme(), "http" | "https") {
        return Err(FilestackError::protocol(
            "the storage address it names is not encrypted",
        ));
    }
    Ok(url)
}

fn checked(upload: &Url, url: Url) -> Result<Url, FilestackError> {
    if !is_plain_http(&url) {
        return Err(FilestackError::protocol(
            "the upload host it names is not a plain address",
        ));
    }
    if upload.scheme() == "https" && url.scheme() != "https" {
        return Err(FilestackError::protocol(
            "the upload host it names is not encrypted",
        ));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn single_puts_everything_on_one_origin() {
        let endpoints = Endpoints::single(url("http://127.0.0.1:8081"));
        assert_eq!(endpoints.api.as_str(), "http://127.0.0.1:8081/api");
        assert_eq!(
            at(&endpoints.upload, "/multipart/start").as_str(),
            "http://127.0.0.1:8081/multipart/start"
        );
        let below = Endpoints::single(url("https://example.org/fs/"));
        assert_eq!(below.api.as_str(), "https://example.org/fs/api");
        assert_eq!(at(&below.cdn, "/H").as_str(), "https://example.org/fs/H");
    }

    #[test]
    fn location_without_a_scheme_takes_the_configured_one() {
        let plain = url("http://127.0.0.1:8081");
        assert_eq!(
            resolve_location(&plain, "127.0.0.1:8081").unwrap().as_str(),
            "http://127.0.0.1:8081/"
        );
        let tls = url("https://upload.filestackapi.com");
        let eu = resolve_location(&tls, "upload-eu-west-1.filestackapi.com").unwrap();
        assert_eq!(eu.as_str(), "https://upload-eu-west-1.filestackapi.com/");
    }

    #[test]
    fn location_with_a_scheme_is_taken_as_it_is() {
        let plain = url("http://127.0.0.1:8081");
        assert_eq!(
            resolve_location(&plain, "https://eu.example.org")
                .unwrap()
                .as_str(),
            "https://eu.example.org/"
        );
        assert_eq!(
            resolve_location(&plain, "HTTP://eu.example.org")
                .unwrap()
                .as_str(),
            "http://eu.example.org/"
        );
    }

    #[test]
    fn a_reply_cannot_turn_encryption_off_or_name_credentials() {
        let tls = url("https://upload.filestackapi.com");
        assert!(resolve_location(&tls, "http://upload.filestackapi.com").is_err());
        assert!(resolve_storage(&tls, "http://bucket.example.org/part").is_err());
        assert!(resolve_storage(&tls, "https://bucket.example.org/part?partNumber=1").is_ok());
        for odd in [
            "",
            "user:pass@host",
            "host?x=1",
            "host#x",
            "http://",
            "ftp://host",
            "a b",
            "/path",
        ] {
            assert!(resolve_location(&tls, odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn endpoints_must_be_plain_http_addresses() {
        assert!(Endpoints::filestack().check().is_ok());
        for odd in [
            "ftp://host/",
            "http://user@host/",
            "http://host/?q=1",
            "http://host/#f",
        ] {
            assert!(Endpoints::single(url(odd)).check().is_err(), "{odd}");
        }
    }
}
