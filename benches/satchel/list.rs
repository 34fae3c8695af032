//! The list: page 1 and one far down, requests per second against the least that could answer, and search.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use super::Outcome;
use super::http::Connection;
use super::install::Installation;
use super::options::Options;
use super::report::{Report, median};
use super::servers;

const PART: &str = "list";
const FIRST: &str = "/documents";
/// Connections that ask at once.
const CONNECTIONS: usize = 12;
/// A part of very many names, of some, and of none.
const SEARCHES: [&str; 3] = ["invoice", "kestrel", "xyzzy"];

pub async fn measure(options: &Options, report: &mut Report) -> Outcome<()> {
    let (documents, users) = options.documents();
    eprintln!("the list of one of {users} users with {documents} documents");
    let begun = Instant::now();
    let installation = Installation::with_documents(documents, users)?;
    let filled = begun.elapsed().as_secs_f64();
    let app = installation.serve()?;
    let reference = servers::list(&installation.database())?;
    let token = installation.token.as_str();
    let mut connection = Connection::open(app.address).await?;
    let rows = format!("{documents} documents, {} the user's", documents / users);
    report.note(PART, format!("{rows}: made in"), format!("{filled:.1} s"));

    let number = options.deep_page();
    let deep = page_number(&mut connection, token, number).await?;
    let (mut one, mut far) = (Vec::new(), Vec::new());
    for _ in 0..options.page_samples() {
        one.push(time(&mut connection, FIRST, token).await?);
        far.push(time(&mut connection, &deep, token).await?);
    }
    let ratio = median(&far) / median(&one);
    report.note(PART, "page 1", format!("{:.2} ms", median(&one)));
    report.target(
        PART,
        format!("page {number}"),
        format!("{:.2} ms, {ratio:.2} × page 1", median(&far)),
        "≤ 1.2 ×",
        ratio <= 1.2,
    );

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let length = Duration::from_secs(options.load_seconds());
    for _ in 0..options.rounds() {
        theirs.push(requests_per_second(reference.address, "/", "", length).await?);
        ours.push(requests_per_second(app.address, FIRST, token, length).await?);
    }
    let sizes = [
        size(app.address, FIRST, token).await?,
        size(reference.address, "/", "").await?,
    ];
    let ratio = median(&ours) / median(&theirs);
    let show = |times: &[f64], size: usize| {
        format!(
            "{:.0} requests/s of {:.0} KiB",
            median(times),
            size as f64 / 1_024.0
        )
    };
    report.note(
        PART,
        format!("least actix + diesel + askama, {CONNECTIONS} connections"),
        show(&theirs, sizes[1]),
    );
    report.target(
        PART,
        format!("Satchel, {CONNECTIONS} connections"),
        format!("{}, {ratio:.2} × the least", show(&ours, sizes[0])),
        "≥ 0.5 ×",
        ratio >= 0.5,
    );

    // The one from before has been idle for so long that the server has closed it.
    let mut connection = Connection::open(app.address).await?;
    for text in SEARCHES {
        let path = format!("{FIRST}?q={text}");
        let mut times = Vec::new();
        for _ in 0..options.page_samples().min(100) {
            times.push(time(&mut connection, &path, token).await?);
        }
        report.note(
            PART,
            format!("search for {text}"),
            format!("{:.2} ms", median(&times)),
        );
    }
    Ok(())
}

/// The address of a page, found as a person finds it: by the links.
async fn page_number(connection: &mut Connection, token: &str, number: usize) -> Outcome<String> {
    let mut path = FIRST.to_owned();
    for at in 1..number {
        let next = next_page(connection, &path, token).await?;
        path = next.ok_or_else(|| format!("page {at} has no link to the next one"))?;
    }
    Ok(path)
}

/// Where the link to the next page leads, if there is one.
pub async fn next_page(connection: &mut Connection, path: &str, token: &str) -> Outcome<Option<String>> {
    let page = String::from_utf8(connection.get(path, token).await?.expect(200)?.body)?;
    let link = page
        .split("rel=\"next\" href=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    Ok(link.map(|link| link.replace("&#38;", "&").replace("&amp;", "&")))
}

/// Milliseconds that one request takes.
pub async fn time(connection: &mut Connection, path: &str, token: &str) -> Outcome<f64> {
    let begun = Instant::now();
    connection.get(path, token).await?.expect(200)?;
    Ok(begun.elapsed().as_secs_f64() * 1_000.0)
}

async fn size(address: SocketAddr, path: &str, token: &str) -> Outcome<usize> {
    let mut connection = Connection::open(address).await?;
    Ok(connection.get(path, token).await?.expect(200)?.body.len())
}

async fn requests_per_second(address: SocketAddr, path: &str, token: &str, length: Duration) -> Outcome<f64> {
    let begun = Instant::now();
    let askers = (0..CONNECTIONS).map(|_| async {
        let mut connection = Connection::open(address).await?;
        let mut answered = 0_u32;
        while begun.elapsed() < length {
            connection.get(path, token).await?.expect(200)?;
            answered += 1;
        }
        Outcome::Ok(answered)
    });
    let answered: u32 = try_join_all(askers).await?.into_iter().sum();
    Ok(f64::from(answered) / begun.elapsed().as_secs_f64())
}
