//! The servers beside the application: this program again, with a first argument that no user gives.

mod bare;
mod files;
mod least;
mod sink;
mod verify;

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::Outcome;
use super::http::Connection;
use super::process::Server;

/// The first argument that makes this program one of the servers.
pub const CHILD: &str = "--serve-for-the-benchmark";

/// Runs the server that the arguments name, for ever.
pub fn run(arguments: &[String]) -> Outcome<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    actix_web::rt::System::new().block_on(async {
        match arguments[..] {
            ["sink", intelligent] => sink::serve(listener, intelligent == "true").await,
            ["files", directory] => files::serve(listener, directory).await,
            ["bare"] => bare::serve(listener).await,
            ["verify"] => verify::serve(listener).await,
            ["list", database] => least::serve(listener, database).await,
            _ => Err(format!("{arguments:?} is no server").into()),
        }
    })
}

/// Takes uploads as Filestack does, and keeps nothing.
pub fn sink(intelligent: bool) -> Outcome<Server> {
    start(&["sink", if intelligent { "true" } else { "false" }])
}

/// Bytes of files that the sink has taken since it began.
pub async fn taken(sink: &Server) -> Outcome<u64> {
    let mut connection = Connection::open(sink.address).await?;
    let answer = connection.get("/taken", "").await?.expect(200)?;
    let taken: Value = serde_json::from_slice(&answer.body)?;
    taken.as_u64().ok_or_else(|| "the sink does not count".into())
}

/// Answers with a few bytes.
pub fn bare() -> Outcome<Server> {
    start(&["bare"])
}

/// Takes files into a directory by `PUT` and delivers what is in it, with as little as that takes.
pub fn files(directory: &Path) -> Outcome<Server> {
    start(&[
        "files",
        directory.to_str().ok_or("the directory's path is not UTF-8")?,
    ])
}

/// Verifies webhooks as the application does, and stores none.
pub fn verify() -> Outcome<Server> {
    start(&["verify"])
}

/// Shows the first page of the first user's documents, with as little as that takes.
pub fn list(database: &Path) -> Outcome<Server> {
    start(&[
        "list",
        database.to_str().ok_or("the database's path is not UTF-8")?,
    ])
}

fn start(arguments: &[&str]) -> Outcome<Server> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(CHILD).args(arguments);
    Server::start(command)
}
