//! The least of Filestack's multipart upload: every byte is read and none is kept.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use actix_web::http::header::ETAG;
use actix_web::{App, HttpResponse, HttpServer, web};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::Outcome;

struct Sink {
    base: String,
    intelligent: bool,
    begun: AtomicU64,
    taken: AtomicU64,
    /// Folders that files of a browser lie in: file `D2-7` in the third.
    folders: Mutex<Vec<String>>,
}

pub async fn serve(listener: TcpListener, intelligent: bool) -> Outcome<()> {
    let sink = web::Data::new(Sink {
        base: format!("http://{}", listener.local_addr()?),
        intelligent,
        begun: AtomicU64::new(0),
        taken: AtomicU64::new(0),
        folders: Mutex::default(),
    });
    let app = move || {
        App::new()
            .app_data(sink.clone())
            .route("/multipart/start", web::post().to(start))
            .route("/multipart/upload", web::post().to(upload))
            .route("/storage", web::put().to(put))
            .route(
                "/multipart/commit",
                web::post().to(async || HttpResponse::Ok().json(json!({}))),
            )
            .route("/multipart/complete", web::post().to(complete))
            .route("/taken", web::get().to(taken))
            .route("/folders", web::post().to(add_folder))
            .route("/api/file/{handle}/metadata", web::get().to(metadata))
            .route(
                "/{security}/{handle}",
                web::get().to(async || HttpResponse::Ok().body("A file that a browser stored.\n")),
            )
    };
    Ok(HttpServer::new(app).listen(listener)?.run().await?)
}

async fn start(sink: web::Data<Sink>, order: web::Json<Value>) -> HttpResponse {
    let number = sink.begun.fetch_add(1, Ordering::Relaxed);
    let mut reply = json!({
        "uri": format!("/benchmark/{number}"),
        "region": "eu-west-1",
        "upload_id": number.to_string(),
        "location_url": sink.base,
    });
    if sink.intelligent && order["fii"] == true {
        reply["upload_type"] = "intelligent_ingestion".into();
    }
    HttpResponse::Ok().json(reply)
}

async fn upload(sink: web::Data<Sink>) -> HttpResponse {
    HttpResponse::Ok().json(json!({"url": format!("{}/storage", sink.base), "headers": {}}))
}

async fn put(sink: web::Data<Sink>, mut body: web::Payload) -> HttpResponse {
    while let Some(Ok(chunk)) = body.next().await {
        sink.taken.fetch_add(chunk.len() as u64, Ordering::Relaxed);
    }
    HttpResponse::Ok().insert_header((ETAG, "\"part\"")).finish()
}

async fn complete(sink: web::Data<Sink>, order: web::Json<Value>) -> HttpResponse {
    let handle = format!("{:0>20}", order["upload_id"].as_str().unwrap_or_default());
    HttpResponse::Ok().json(json!({
        "handle": handle,
        "url": format!("{}/{handle}", sink.base),
        "filename": order["filename"],
        "mimetype": order["mimetype"],
        "size": order["size"],
        "status": "Stored",
    }))
}

async fn taken(sink: web::Data<Sink>) -> HttpResponse {
    HttpResponse::Ok().json(sink.taken.load(Ordering::Relaxed))
}

/// Says that files lie in this folder; the answer is its number.
async fn add_folder(sink: web::Data<Sink>, folder: String) -> HttpResponse {
    let mut folders = sink.folders.lock().unwrap_or_else(PoisonError::into_inner);
    folders.push(folder);
    HttpResponse::Ok().json(folders.len() - 1)
}

async fn metadata(sink: web::Data<Sink>, handle: web::Path<String>) -> HttpResponse {
    let number = handle
        .strip_prefix('D')
        .and_then(|rest| rest.split_once('-')?.0.parse::<usize>().ok());
    let folders = sink.folders.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(folder) = number.and_then(|number| folders.get(number)) else {
        return HttpResponse::NotFound().finish();
    };
    HttpResponse::Ok().json(json!({
        "size": 30,
        "mimetype": "text/plain",
        "filename": "benchmark.txt",
        "path": format!("{folder}0123456789_benchmark.txt"),
    }))
}
