//! Pages with very many rows behind them, beside the same pages with ten times fewer: what a page costs must not grow with the table.

use super::Outcome;
use super::http::Connection;
use super::install::Installation;
use super::list::{next_page, time};
use super::options::Options;
use super::process::Server;
use super::report::{Report, percentile};

const PART: &str = "rows";
/// Pages walked down from the first one, as far as there are so many.
const DEEP: usize = 40;
/// Requests for each page before it is measured.
const WARM_UP: usize = 20;
/// How much dearer a page may be with ten times the rows.
const TIMES: f64 = 2.0;
/// The dashboard and its tables, and the searches: those that the server has.
const PAGES: [(&str, &str); 16] = [
    ("dashboard", "/admin"),
    ("users", "/admin/users"),
    ("users, by size", "/admin/users?sort=-size"),
    ("users, search", "/admin/users?email=ana"),
    ("users, one found", "/admin/users?email=ana40%40"),
    (
        "users, one found, by size",
        "/admin/users?email=ana40%40&sort=-size",
    ),
    ("documents", "/admin/documents"),
    ("documents, search", "/admin/documents?q=invoice"),
    ("documents, rare search", "/admin/documents?q=kestrel"),
    ("webhooks", "/admin/webhooks"),
    ("jobs", "/admin/jobs"),
    ("audit", "/admin/audit"),
    ("settings", "/admin/settings"),
    ("system", "/admin/system"),
    ("one's own list", "/documents"),
    ("one's own list, search", "/documents?q=invoice"),
];

pub async fn measure(options: &Options, report: &mut Report) -> Outcome<()> {
    let (documents, users) = options.very_many();
    eprintln!("pages with {documents} documents and {users} users, and with ten times fewer");
    let many = Installation::with_history(documents, users)?;
    let few = Installation::with_history(documents / 10, users / 10)?;
    let (many_server, few_server) = (many.serve()?, few.serve()?);
    let mut sides = [
        Side::open(&many_server, &many.token).await?,
        Side::open(&few_server, &few.token).await?,
    ];
    for (name, path) in PAGES {
        if sides[0].connection.get(path, &many.token).await?.status != 200 {
            report.note(PART, name, format!("not measured: {path} shows nothing"));
            continue;
        }
        let first = [path.to_owned(), path.to_owned()];
        compare(options, report, name, &mut sides, first).await?;
        let (far, pages) = sides[0].deep(path).await?;
        let (less_far, _) = sides[1].deep(path).await?;
        if pages > 1 {
            let name = format!("{name}, page {pages}");
            compare(options, report, &name, &mut sides, [far, less_far]).await?;
        }
    }
    Ok(())
}

/// One of the two servers.
struct Side<'a> {
    connection: Connection,
    token: &'a str,
}

impl<'a> Side<'a> {
    async fn open(server: &Server, token: &'a str) -> Outcome<Self> {
        let connection = Connection::open(server.address).await?;
        Ok(Side { connection, token })
    }

    /// A page far down, and its number.
    async fn deep(&mut self, first: &str) -> Outcome<(String, usize)> {
        let mut path = first.to_owned();
        for number in 1..DEEP {
            match next_page(&mut self.connection, &path, self.token).await? {
                Some(next) => path = next,
                None => return Ok((path, number)),
            }
        }
        Ok((path, DEEP))
    }
}

/// Asks both for the page in turn, so that both see the same machine.
async fn compare(
    options: &Options,
    report: &mut Report,
    name: &str,
    sides: &mut [Side<'_>; 2],
    paths: [String; 2],
) -> Outcome<()> {
    let mut times = [Vec::new(), Vec::new()];
    for (side, path) in sides.iter_mut().zip(&paths) {
        // Whatever a page is asked for the first time.
        for _ in 0..WARM_UP {
            time(&mut side.connection, path, side.token).await?;
        }
    }
    for _ in 0..options.page_samples() {
        for ((side, path), times) in sides.iter_mut().zip(&paths).zip(&mut times) {
            times.push(time(&mut side.connection, path, side.token).await?);
        }
    }
    let [many, few] = times.map(|times| (percentile(&times, 50.0), percentile(&times, 99.0)));
    let ratio = many.1 / few.1;
    report.target(
        PART,
        name,
        format!(
            "p50 {:.2} ms, p99 {:.2} ms; with a tenth {:.2} ms, {:.2} ms; p99 {ratio:.2} ×",
            many.0, many.1, few.0, few.1
        ),
        format!("≤ {TIMES} ×"),
        ratio <= TIMES,
    );
    Ok(())
}
