//! Static files: compiled in, and named by their content so that a browser may keep them for ever.
//!
//! They are packed once, when the first is asked for. Pages are not: what is somebody's own beside what a stranger may have put there
//! must not be packed together, since its length then tells what it is.

use std::io::Write as _;
use std::sync::LazyLock;

use actix_web::http::header::{
    AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, Encoding, Header as _, LOCATION, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// One style sheet for the browser, a file per concern for the reader; the order is the cascade.
const STYLES: &str = concat!(
    include_str!("../../assets/css/tokens.css"),
    include_str!("../../assets/css/base.css"),
    include_str!("../../assets/css/controls.css"),
    include_str!("../../assets/css/shell.css"),
    include_str!("../../assets/css/documents.css"),
    include_str!("../../assets/css/document.css"),
    include_str!("../../assets/css/uploads.css"),
    include_str!("../../assets/css/jobs.css"),
    include_str!("../../assets/css/table.css"),
    include_str!("../../assets/css/overview.css"),
    include_str!("../../assets/css/docs.css"),
);

/// Name, extension, media type, content.
const FILES: [(&str, &str, &str, &str); 9] = [
    ("app", "css", "text/css; charset=utf-8", STYLES),
    (
        "app",
        "js",
        "text/javascript; charset=utf-8",
        include_str!("../../assets/app.js"),
    ),
    (
        "upload",
        "js",
        "text/javascript; charset=utf-8",
        include_str!("../../assets/upload.js"),
    ),
    (
        "list",
        "js",
        "text/javascript; charset=utf-8",
        include_str!("../../assets/list.js"),
    ),
    (
        "steps",
        "js",
        "text/javascript; charset=utf-8",
        include_str!("../../assets/steps.js"),
    ),
    (
        "direct",
        "js",
        "text/javascript; charset=utf-8",
        include_str!("../../assets/direct.js"),
    ),
    (
        "docs",
        "js",
        "text/javascript; charset=utf-8",
        include_str!("../../assets/docs.js"),
    ),
    (
        "icons",
        "svg",
        "image/svg+xml",
        include_str!("../../assets/icons.svg"),
    ),
    (
        "favicon",
        "svg",
        "image/svg+xml",
        include_str!("../../assets/favicon.svg"),
    ),
];

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| FILES.into_iter().map(Asset::new).collect());

struct Asset {
    name: String,
    url: String,
    media_type: &'static str,
    content: &'static str,
    packed: Bytes,
}

impl Asset {
    fn new((stem, extension, media_type, content): (&str, &str, &'static str, &'static str)) -> Self {
        let hash: String = Sha256::digest(content)
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Asset {
            name: format!("{stem}.{extension}"),
            url: format!("/assets/{stem}.{hash}.{extension}"),
            media_type,
            content,
            packed: gzip(content),
        }
    }
}

fn gzip(content: &str) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let packed = encoder
        .write_all(content.as_bytes())
        .and_then(|()| encoder.finish());
    packed.expect("a vector takes all bytes").into()
}

/// The URL of a static file, such as `/assets/app.1f2e3d4c.css` for `app.css`.
///
/// # Panics
///
/// If there is no such file: names are written in templates, and a test renders them all.
pub fn url(name: &str) -> &'static str {
    let asset = ASSETS.iter().find(|asset| asset.name == name);
    &asset
        .unwrap_or_else(|| panic!("there is no static file {name}"))
        .url
}

/// Every icon of the sprite as it is written in pages, by name: a page of the list has hundreds.
static ICONS: LazyLock<Vec<(&'static str, String)>> = LazyLock::new(|| {
    let sprite = url("icons.svg");
    let names = include_str!("../../assets/icons.svg")
        .split("<symbol id=\"")
        .skip(1)
        .filter_map(|symbol| symbol.split('"').next());
    let mut icons: Vec<_> = names
        .map(|name| {
            let icon =
                format!(r##"<svg class="icon" aria-hidden="true"><use href="{sprite}#{name}"/></svg>"##);
            (name, icon)
        })
        .collect();
    icons.sort_unstable();
    icons
});

/// The HTML of an icon.
///
/// # Panics
///
/// If there is no such icon: names are written in templates and beside them, and a test renders them all.
pub fn icon(name: &str) -> &'static str {
    let place = ICONS.binary_search_by_key(&name, |(name, _)| name);
    &ICONS[place.unwrap_or_else(|_| panic!("there is no icon {name}"))].1
}

/// `GET /assets/{file}`: answers only to the name with the hash of what it holds.
pub async fn serve(request: HttpRequest, file: web::Path<String>) -> HttpResponse {
    let Some(asset) = ASSETS
        .iter()
        .find(|asset| asset.url.strip_prefix("/assets/") == Some(file.as_str()))
    else {
        return HttpResponse::NotFound().finish();
    };
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((CONTENT_TYPE, asset.media_type))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((VARY, "Accept-Encoding"));
    if takes_gzip(&request) {
        answer
            .insert_header((CONTENT_ENCODING, "gzip"))
            .body(asset.packed.clone())
    } else {
        answer.body(asset.content)
    }
}

fn takes_gzip(request: &HttpRequest) -> bool {
    let gzip = Encoding::gzip();
    AcceptEncoding::parse(request)
        .ok()
        .and_then(|accepted| accepted.negotiate([&gzip, &Encoding::identity()].into_iter()))
        == Some(gzip)
}

/// `GET /favicon.ico`: for browsers that ask for it whatever the page says.
pub async fn favicon() -> HttpResponse {
    HttpResponse::MovedPermanently()
        .insert_header((LOCATION, url("favicon.svg")))
        .finish()
}

/// URL and content of every static file.
#[cfg(test)]
pub(super) fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    ASSETS.iter().map(|asset| (asset.url.as_str(), asset.content))
}

#[cfg(test)]
mod contrast;

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;
    use actix_web::http::StatusCode;
    use actix_web::test::TestRequest;
    use flate2::read::GzDecoder;

    use super::*;

    fn file_of(name: &str) -> web::Path<String> {
        web::Path::from(url(name).trim_start_matches("/assets/").to_owned())
    }

    #[actix_web::test]
    async fn a_static_file_is_kept_for_ever_and_not_sniffed() {
        let answer = serve(TestRequest::get().to_http_request(), file_of("app.css")).await;
        assert_eq!(answer.status(), StatusCode::OK);
        for (name, value) in [
            (CONTENT_TYPE, "text/css; charset=utf-8"),
            (CACHE_CONTROL, "public, max-age=31536000, immutable"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ] {
            assert_eq!(answer.headers().get(&name).unwrap(), value);
        }
        let body = to_bytes(answer.into_body()).await.unwrap();
        assert_eq!(body, STYLES.as_bytes());
    }

    #[actix_web::test]
    async fn a_static_file_is_packed_for_who_can_unpack_it() {
        for (accepts, is_packed) in [
            ("gzip, deflate, br, zstd", true),
            ("gzip;q=0, *", false),
            ("br", false),
            ("identity, gzip;q=0.5", false),
            ("", false),
        ] {
            let request = TestRequest::get().insert_header(("Accept-Encoding", accepts));
            let answer = serve(request.to_http_request(), file_of("app.css")).await;
            assert_eq!(answer.headers().get(VARY).unwrap(), "Accept-Encoding");
            assert_eq!(
                answer.headers().contains_key(CONTENT_ENCODING),
                is_packed,
                "{accepts}"
            );
            let body = to_bytes(answer.into_body()).await.unwrap();
            if !is_packed {
                assert_eq!(body, STYLES.as_bytes());
                continue;
            }
            assert!(body.len() * 3 < STYLES.len(), "{} bytes", body.len());
            let mut unpacked = String::new();
            std::io::Read::read_to_string(&mut GzDecoder::new(&body[..]), &mut unpacked).unwrap();
            assert_eq!(unpacked, STYLES);
        }
    }

    #[actix_web::test]
    async fn a_name_without_its_hash_or_with_another_is_not_found() {
        for file in ["app.css", "app.00000000.css", "", "../app.css", "/assets/app.css"] {
            assert_eq!(
                serve(
                    TestRequest::get().to_http_request(),
                    web::Path::from(file.to_owned())
                )
                .await
                .status(),
                StatusCode::NOT_FOUND,
                "{file}"
            );
        }
    }

    #[test]
    fn a_url_names_its_content() {
        let (stem, hash) = url("upload.js").trim_end_matches(".js").rsplit_once('.').unwrap();
        assert_eq!(stem, "/assets/upload");
        assert!(
            hash.len() == 8 && hash.chars().all(|digit| digit.is_ascii_hexdigit()),
            "{hash}"
        );
    }

    #[test]
    fn nothing_is_fetched_from_elsewhere() {
        for (stem, extension, _, content) in FILES {
            let text = content.replace("http://www.w3.org/2000/svg", "");
            assert!(
                !text.contains("http://") && !text.contains("https://"),
                "{stem}.{extension}"
            );
            assert!(
                !text.contains("@import") && !text.contains("url("),
                "{stem}.{extension}"
            );
        }
    }
}
