//! What is known about a file: §5.1.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use actix_web::HttpResponse;
use md5::Md5;
use serde_json::{Map, Value, json};
use sha1::Sha1;
use sha2::digest::DynDigest;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use tokio::task::spawn_blocking;

use super::State;
use super::credentials::Query;
use crate::emulator::apps::App;
use crate::emulator::errors::{Host, On, Problem};
use crate::emulator::policy::{Ask, Credentials, Refusal};
use crate::emulator::store::Meta;

/// Given when nothing is asked for.
const BASIC: [&str; 5] = ["size", "mimetype", "filename", "uploaded", "writeable"];
/// Given as well when the file is in storage of the customer's own.
const STORAGE: [&str; 3] = ["location", "path", "container"];
const FACTS: [&str; 6] = ["width", "height", "cloud", "source_url", "sourceUrl", "exif"];
const HASHES: [&str; 6] = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"];
const BLOCK_BYTES: usize = 256 * 1024;

/// Answers with the fields asked for.
pub(super) async fn describe(
    host: Host,
    state: &State,
    app: &App,
    handle: &str,
    credentials: &Credentials,
    query: &Query,
) -> Result<HttpResponse, Problem> {
    let ask = Ask {
        calls: &["stat"],
        handle: Some(handle),
        ..Ask::default()
    };
    let grant = state.permit(host, app, credentials, &ask)?;
    let asked = asked(query);
    // Never implied (§2.1).
    if asked.contains(&"exif") && !grant.allows("exif") {
        return Err(Problem::refused(host, &app.key, &Refusal::Call));
    }
    let (store, name) = (state.controls.store().clone(), handle.to_owned());
    let facts = move || {
        store
            .content(&name)?
            .map(|(meta, file)| fields(&meta, file, asked))
            .transpose()
    };
    let facts = spawn_blocking(facts)
        .await
        .on(host)?
        .ok_or_else(|| Problem::not_found(host))?;
    Ok(HttpResponse::Ok()
        .insert_header(("Cache-Control", "no-store"))
        .json(facts))
}

fn asked(query: &Query) -> Vec<&'static str> {
    let known = || BASIC.iter().chain(&STORAGE).chain(&FACTS).chain(&HASHES);
    let wanted = |name: &str| {
        query
            .iter()
            .any(|(other, value)| other == name && value != "false")
    };
    known().copied().filter(|name| wanted(name)).collect()
}

/// The facts about a file by the names asked for; for none, the basic ones. Blocks.
pub(super) fn fields(
    meta: &Meta,
    mut file: File,
    asked: Vec<&'static str>,
) -> io::Result<Map<String, Value>> {
    let names = match (asked.is_empty(), &meta.container) {
        (false, _) => asked,
        (true, None) => BASIC.to_vec(),
        (true, Some(_)) => BASIC.iter().chain(&STORAGE).copied().collect(),
    };
    let hashes = names
        .iter()
        .copied()
        .filter(|name| HASHES.contains(name))
        .collect();
    let mut facts = digests(&mut file, hashes)?;
    let image = if names.contains(&"width") || names.contains(&"height") {
        dimensions(file)?
    } else {
        None
    };
    for name in names {
        let value = match name {
            "size" => json!(meta.size),
            "mimetype" => json!(meta.mimetype),
            "filename" => json!(meta.filename),
            "uploaded" => json!(meta.uploaded_ms),
            "writeable" => json!(true),
            "width" => json!(image.map(|(width, _)| width)),
            "height" => json!(image.map(|(_, height)| height)),
            "location" => json!(meta.location),
            "path" => json!(meta.key),
            "container" => json!(meta.container),
            // Nothing comes from a cloud drive.
            "cloud" => json!(false),
            "source_url" | "sourceUrl" => json!(meta.source_url),
            // Not read out of pictures: a documented, empty answer.
            "exif" => json!({}),
            _ => continue,
        };
        facts.insert(
            if name == "sourceUrl" { "source_url" } else { name }.to_owned(),
            value,
        );
    }
    Ok(facts)
}

/// The file read once for all hashes; not at all for none.
fn digests(file: &mut File, names: Vec<&'static str>) -> io::Result<Map<String, Value>> {
    if names.is_empty() {
        return Ok(Map::new());
    }
    let mut sums: Vec<(&str, Box<dyn DynDigest>)> =
        names.into_iter().map(|name| (name, hasher(name))).collect();
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        let count = file.read(&mut block)?;
        if count == 0 {
            break;
        }
        for (_, sum) in &mut sums {
            sum.update(&block[..count]);
        }
    }
    file.rewind()?;
    let hex = |sum: Box<dyn DynDigest>| {
        sum.finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    Ok(sums
        .into_iter()
        .map(|(name, sum)| (name.to_owned(), hex(sum).into()))
        .collect())
}

fn hasher(name: &str) -> Box<dyn DynDigest> {
    match name {
        "md5" => Box::new(Md5::default()),
        "sha1" => Box::new(Sha1::default()),
        "sha224" => Box::new(Sha224::default()),
        "sha384" => Box::new(Sha384::default()),
        "sha512" => Box::new(Sha512::default()),
        _ => Box::new(Sha256::default()),
    }
}

/// From the picture's header alone; `None` for everything that is not a picture.
pub(super) fn dimensions(file: File) -> io::Result<Option<(u32, u32)>> {
    let reader = image::ImageReader::new(BufReader::new(file)).with_guessed_format()?;
    Ok(reader.into_dimensions().ok())
}
