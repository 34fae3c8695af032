//! Files in and out with nothing else: a `PUT` handler that checks each body's MD5 and writes it down, and actix-files.

use std::fs::File;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use actix_files::Files;
use actix_web::error::{ErrorBadRequest, ErrorInternalServerError};
use actix_web::http::header::ETAG;
use actix_web::{App, Error, HttpRequest, HttpResponse, HttpServer, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use md5::{Digest as _, Md5};

use crate::Outcome;

pub async fn serve(listener: TcpListener, directory: &str) -> Outcome<()> {
    let directory = PathBuf::from(directory);
    let app = move || {
        App::new()
            .app_data(web::Data::new(directory.clone()))
            .route("/taken/{name}", web::put().to(put))
            .service(Files::new("/", &directory))
    };
    Ok(HttpServer::new(app).listen(listener)?.run().await?)
}

async fn put(
    request: HttpRequest,
    directory: web::Data<PathBuf>,
    name: web::Path<u64>,
    mut body: web::Payload,
) -> Result<HttpResponse, Error> {
    let path = Path::new(directory.as_ref()).join(format!("part-{name}"));
    let mut file = File::create(path).map_err(ErrorInternalServerError)?;
    let mut md5 = Md5::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk?;
        md5.update(&chunk);
        file.write_all(&chunk).map_err(ErrorInternalServerError)?;
    }
    let sum = STANDARD.encode(md5.finalize());
    let wanted = request
        .headers()
        .get("Content-MD5")
        .and_then(|sum| sum.to_str().ok());
    if wanted != Some(&sum) {
        return Err(ErrorBadRequest("other bytes"));
    }
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, format!("\"{sum}\"")))
        .finish())
}
