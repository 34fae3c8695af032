//! The list and the upload page in Chromium: how much of each comes over the network, and when something of it is to be seen.
//!
//! The files are the emulator's, so the list has the pictures that it has in earnest.

use serde_json::Value;

use super::Outcome;
use super::browser::Browser;
use super::install::Installation;
use super::options::Options;
use super::report::{Report, median};

const PART: &str = "pages";
/// The first user that `satchel demo` makes, and everybody's password there.
const EMAIL: &str = "ana@example.org";
const PASSWORD: &str = "demo password, change me";
/// What a page may weigh, thumbnails apart.
const MOST_BYTES: u64 = 100_000;

/// Sends the form and gives the address that it leads to.
const SIGN_IN: &str = "
    document.querySelector('#email').value = arguments[0];
    document.querySelector('#password').value = arguments[1];
    const form = document.querySelector('main form');
    return fetch(form.action, {method: 'POST', body: new URLSearchParams(new FormData(form))}).then((answer) => answer.url);";
/// The page's own bytes, those of everything from the same server, and the milliseconds to the first contentful paint.
const WEIGH: &str = "return new Promise((done) => {
    const weigh = () => {
        const paint = performance.getEntriesByName('first-contentful-paint')[0];
        if (!paint) return requestAnimationFrame(weigh);
        const parts = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
        const own = parts.filter((part) => new URL(part.name).origin === location.origin);
        done({paint: paint.startTime, page: own[0].encodedBodySize,
            all: own.reduce((sum, part) => sum + part.encodedBodySize, 0)});
    };
    weigh();
});";

pub async fn measure(options: &Options, report: &mut Report) -> Outcome<()> {
    eprintln!("the list and the upload page in Chromium");
    let Some(mut browser) = Browser::start().await? else {
        report.note(
            PART,
            "pages in Chromium",
            "not measured: there is no chromedriver",
        );
        return Ok(());
    };
    let installation = Installation::with_emulator(options.documents())?;
    let app = installation.serve()?;
    let base = format!("http://{}", app.address);
    browser.open(&format!("{base}/sign-in")).await?;
    let landed = browser.run(SIGN_IN, &[EMAIL, PASSWORD]).await?;
    if landed != format!("{base}/documents") {
        return Err(format!("signing in led to {landed}").into());
    }
    for (name, path) in [
        ("list of 50 documents", "/documents"),
        ("upload page", "/uploads/new"),
    ] {
        let url = format!("{base}{path}");
        let (mut first, mut again, mut weight) = (Vec::new(), Vec::new(), Value::Null);
        for _ in 0..options.paints() {
            browser.forget_files().await?;
            weight = weigh(&mut browser, &url).await?;
            first.push(paint(&weight)?);
            again.push(paint(&weigh(&mut browser, &url).await?)?);
        }
        let bytes = |part: &str| weight[part].as_u64().ok_or("the page has no size");
        let (page, all) = (bytes("page")?, bytes("all")?);
        report.target(
            PART,
            format!("{name}: HTML, thumbnails apart"),
            format!("{page} bytes, {all} with styles, scripts and icons"),
            format!("< {MOST_BYTES} bytes"),
            page < MOST_BYTES,
        );
        report.note(
            PART,
            format!("{name}: first contentful paint"),
            format!(
                "{:.0} ms, {:.0} ms with files kept",
                median(&first),
                median(&again)
            ),
        );
    }
    browser.end().await
}

async fn weigh(browser: &mut Browser, url: &str) -> Outcome<Value> {
    browser.open(url).await?;
    browser.run(WEIGH, &[]).await
}

fn paint(weight: &Value) -> Outcome<f64> {
    weight["paint"]
        .as_f64()
        .ok_or_else(|| "the page was not painted".into())
}
