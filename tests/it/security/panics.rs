//! A handler that panics is an answer like any other failure (X3).

use actix_web::{HttpResponse, HttpServer, web};
use satchel::app;
use satchel::error::AppError;
use satchel::web::{AppState, application_of, enter};

use super::headers::is_protected;
use crate::support::app::TestApp;
use crate::support::wire::{Reply, get};

/// The application round handlers that break down, each in another way, and one that does not.
fn configure(routes: &mut web::ServiceConfig) {
    enter(
        routes,
        vec![
            web::resource("/api/at-once").route(web::get().to(|| async { broken() })),
            web::resource("/later").route(web::get().to(|| async {
                actix_web::rt::task::yield_now().await;
                broken()
            })),
            web::resource("/api/blocking").route(web::get().to(|state: web::Data<AppState>| async move {
                let read = state.services.db.run(|_| panic!("a secret of ours")).await;
                read.map(|()| HttpResponse::Ok().finish()).map_err(AppError::from)
            })),
            web::resource("/api/well").route(web::get().to(HttpResponse::Ok)),
        ],
    );
}

fn broken() -> HttpResponse {
    panic!("a secret of ours")
}

#[actix_web::test]
async fn x3_a_handler_that_panics_is_a_500_with_an_id_and_the_server_goes_on() {
    let scene = TestApp::sqlite().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let settings = app::web_settings(&scene.config, &scene.services, address, Some("/script.js"));
    let state = AppState::new(scene.services.clone(), settings.expect("usable settings"));
    let server = HttpServer::new(move || application_of(state.clone(), configure))
        .workers(1)
        .disable_signals()
        .listen(listener)
        .expect("a server")
        .run();
    let handle = server.handle();
    let serving = actix_web::rt::spawn(server);
    let ask = async |target: &'static str| -> Reply {
        web::block(move || get(target).send(address))
            .await
            .expect("an answer")
    };
    for _ in 0..3 {
        for target in ["/api/at-once", "/later", "/api/blocking"] {
            let reply = ask(target).await;
            assert_eq!(reply.status, 500, "{target}: {}", reply.text());
            is_protected(&reply, target);
            assert!(!reply.text().contains("secret"), "{target}: {}", reply.text());
            let id = reply.header("x-request-id").expect("an id").to_owned();
            assert!(reply.text().contains(&id), "{target}: {}", reply.text());
        }
        // The one thread that answers goes on.
        assert_eq!(ask("/api/well").await.status, 200);
    }
    assert_eq!(ask("/api/at-once").await.json()["code"], "internal");
    handle.stop(false).await;
    serving.await.expect("no panic").expect("a clean end");
}
