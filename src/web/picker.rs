//! Where a browser finds the scripts and the hosts of an upload that does not pass through us, and what a page may load for it.

use serde::Serialize;
use url::Url;
use utoipa::ToSchema;

use crate::filestack::Endpoints;
use crate::web::reports::PATH as REPORTS;

/// The version of Filestack's client that production pages load.
pub const CLIENT_VERSION: &str = "4.3.8";
/// SHA-384 of `build/browser/filestack.min.js` in the npm package of [`CLIENT_VERSION`], as `integrity` has it; a test computes it.
pub const CLIENT_INTEGRITY: &str = "sha384-iFz9CGoRFOI0kQkylQQluDEJuVJa5JY/CgDy5x+sIL0ffJYJriZ9JTwrG5yPdjzL";
/// The interface that this version loads by itself (`filestack-protocol` §9.1). It is a script of Filestack's without a digest.
pub const PICKER_URL: &str = "https://static.filestackapi.com/picker/4.5.2/picker.js";
const STATIC_HOST: &str = "https://static.filestackapi.com";

/// What `picker-config` says about scripts and hosts, and the content security policy of the one page that uses them.
pub struct PickerSettings {
    /// The client's script.
    pub script_url: String,
    /// Its digest, where it is known.
    pub integrity: Option<String>,
    /// The hosts, as the client names them.
    pub urls: PickerUrls,
    /// The policy of the upload page.
    pub content_security_policy: String,
}

/// The client's table of hosts (`filestack-protocol` §1.3).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PickerUrls {
    file_api_url: String,
    upload_api_url: String,
    cloud_api_url: String,
    cdn_url: String,
    process_url: String,
    picker_url: String,
}

impl PickerSettings {
    /// For Filestack itself, or for one origin that stands in for all its hosts. `client_script` is the text of the client that this
    /// origin serves, when it is known.
    pub fn new(endpoints: &Endpoints, client_script: Option<&str>) -> Self {
        let is_filestack = endpoints.upload == Endpoints::filestack().upload;
        let base = text(&endpoints.upload);
        let statics = if is_filestack { STATIC_HOST } else { base.as_str() };
        let urls = PickerUrls {
            file_api_url: format!("{}/file", text(&endpoints.api)),
            upload_api_url: base.clone(),
            cloud_api_url: if is_filestack {
                "https://cloud.filestackapi.com".to_owned()
            } else {
                base.clone()
            },
            cdn_url: text(&endpoints.cdn),
            process_url: text(&endpoints.process),
            picker_url: if is_filestack {
                PICKER_URL.to_owned()
            } else {
                format!("{base}/picker/picker.js")
            },
        };
        PickerSettings {
            script_url: format!("{statics}/filestack-js/{CLIENT_VERSION}/filestack.min.js"),
            integrity: if is_filestack {
                Some(CLIENT_INTEGRITY.to_owned())
            } else {
                client_script.map(|script| crate::crypto::integrity(script.as_bytes()))
            },
            content_security_policy: if is_filestack {
                of_filestack(endpoints)
            } else {
                of_stand_in(endpoints)
            },
            urls,
        }
    }
}

fn text(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Every host of the stand-in is one origin, and its scripts style themselves without inline styles.
fn of_stand_in(endpoints: &Endpoints) -> String {
    let (upload, cdn) = (origin(&endpoints.upload), origin(&endpoints.cdn));
    format!(
        "default-src 'none'; script-src 'self' {upload}; style-src 'self'; img-src 'self' {cdn} blob:; media-src blob:; \
         connect-src 'self' {upload}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; report-uri {REPORTS}"
    )
}

/// The hosts that the client and its interface use (`filestack-protocol` §9.5). The interface writes styles of its own, which is why
/// this page alone allows them, and parts go to the storage behind Filestack.
fn of_filestack(endpoints: &Endpoints) -> String {
    let cdn = origin(&endpoints.cdn);
    format!(
        "default-src 'none'; script-src 'self' {STATIC_HOST}; style-src 'self' {STATIC_HOST} 'unsafe-inline'; \
         img-src 'self' {cdn} {STATIC_HOST} data: blob:; font-src {STATIC_HOST} data:; media-src blob:; worker-src blob:; \
         connect-src 'self' https://*.filestackapi.com {cdn} https://*.amazonaws.com; \
         frame-src {cdn} https://www.filestackapi.com; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; report-uri {REPORTS}"
    )
}
