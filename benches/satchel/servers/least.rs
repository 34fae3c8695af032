//! The smallest actix + diesel + askama server that shows a page of documents: one query, one template, no session.

use std::net::TcpListener;

use actix_web::error::ErrorInternalServerError;
use actix_web::{App, Error, HttpServer, web};
use askama::Template;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool};

use crate::Outcome;

diesel::table! {
    documents (id) {
        id -> Text,
        owner_id -> Text,
        handle -> Text,
        name -> Text,
        content_type -> Text,
        size_bytes -> BigInt,
        status -> Text,
        created_at -> BigInt,
        trashed_at -> Nullable<BigInt>,
        tags -> Text,
    }
}

diesel::table! {
    users (seq) {
        seq -> BigInt,
        id -> Text,
    }
}

#[derive(Queryable)]
struct Row {
    id: String,
    handle: String,
    name: String,
    content_type: String,
    size_bytes: i64,
    status: String,
    created_at: i64,
    tags: String,
}

#[derive(Template)]
#[template(path = "../benches/satchel/servers/least.html")]
struct Page {
    rows: Vec<Row>,
}

type Connections = Pool<ConnectionManager<SqliteConnection>>;

struct State {
    connections: Connections,
    owner: String,
}

pub async fn serve(listener: TcpListener, database: &str) -> Outcome<()> {
    let connections = Pool::new(ConnectionManager::new(database))?;
    let owner = users::table
        .order(users::seq)
        .select(users::id)
        .first(&mut connections.get()?)?;
    let state = web::Data::new(State { connections, owner });
    let app = move || {
        App::new()
            .app_data(state.clone())
            .route("/", web::get().to(index))
    };
    Ok(HttpServer::new(app).listen(listener)?.run().await?)
}

async fn index(state: web::Data<State>) -> Result<web::Html, Error> {
    let rows = web::block(move || state.rows().map_err(|error| error.to_string()))
        .await?
        .map_err(ErrorInternalServerError)?;
    let page = Page { rows }.render().map_err(ErrorInternalServerError)?;
    Ok(web::Html::new(page))
}

impl State {
    fn rows(&self) -> Outcome<Vec<Row>> {
        let rows = documents::table
            .filter(documents::owner_id.eq(&self.owner))
            .filter(documents::trashed_at.is_null())
            .order((documents::created_at.desc(), documents::id.desc()))
            .limit(50)
            .select((
                documents::id,
                documents::handle,
                documents::name,
                documents::content_type,
                documents::size_bytes,
                documents::status,
                documents::created_at,
                documents::tags,
            ))
            .load(&mut self.connections.get()?)?;
        Ok(rows)
    }
}
