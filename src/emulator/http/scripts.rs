//! What `static.filestackapi.com` serves to browsers: a client and a picker, here stand-ins of our own (§9.1).
//!
//! Any version that a page asks for gets the same files. A page names the first one in its `<script>`; the second is loaded
//! by whichever client the page has, ours or Filestack's own with `session.urls.pickerUrl` pointed here.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{self, Bytes};

use super::State;

/// The stand-in for the browser client.
pub const CLIENT: &str = include_str!("../../../assets/emulator/filestack.js");
const PICKER: &str = include_str!("../../../assets/emulator/picker.js");

/// `GET /filestack-js/VERSION/filestack.min.js`.
pub(super) async fn client(state: web::Data<State>) -> HttpResponse {
    script(state.client_script.clone())
}

/// `GET /picker/picker.js` and `/picker/VERSION/picker.js`.
pub(super) async fn picker() -> HttpResponse {
    script(Bytes::from_static(PICKER.as_bytes()))
}

fn script(text: Bytes) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/javascript; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header(("Cross-Origin-Resource-Policy", "cross-origin"))
        .body(text)
}
