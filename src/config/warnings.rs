//! What a working configuration still lacks for production, in sentences that say what to set.

use std::net::SocketAddr;

use super::background::BackgroundConfig;
use super::database::DatabaseConfig;
use super::filestack::{FilestackMode, FilestackSettings, Hosts};
use super::http::HttpConfig;
use super::parse::is_loopback;

/// The part of the Filestack settings that matters here, the same before and after secrets are made up.
pub(super) enum Filestack<'a> {
    Emulator(SocketAddr),
    Service(&'a Hosts),
}

pub(super) fn filestack_of(mode: &FilestackMode) -> Filestack<'_> {
    match mode {
        FilestackMode::Emulator { bind, .. } => Filestack::Emulator(*bind),
        FilestackMode::Service { hosts, .. } => Filestack::Service(hosts),
    }
}

pub(super) fn filestack_of_settings(settings: &FilestackSettings) -> Filestack<'_> {
    match &settings.service {
        Some(service) => Filestack::Service(&service.hosts),
        None => Filestack::Emulator(settings.emulator_bind),
    }
}

pub(super) fn warnings(
    http: &HttpConfig,
    database: &DatabaseConfig,
    filestack: &Filestack<'_>,
    webhook: Option<&str>,
    background: &BackgroundConfig,
) -> Vec<String> {
    let mut found = Vec::new();
    match filestack {
        Filestack::Emulator(bind) => {
            found.push(
                "Files are kept by the embedded emulator, on this machine only: set FILESTACK_API_KEY and \
                 FILESTACK_APP_SECRET to use Filestack."
                    .to_owned(),
            );
            if !bind.ip().is_loopback() {
                found.push(format!(
                    "SATCHEL_EMULATOR_BIND is {bind}, which other machines can reach: the emulator is made for \
                     development and should listen on 127.0.0.1."
                ));
            }
            if matches!(database, DatabaseConfig::Sqlite { .. }) {
                found.push(
                    "The database is SQLite, which serves one machine: set DATABASE_URL=postgres://… to run several \
                     servers."
                        .to_owned(),
                );
            }
        }
        Filestack::Service(hosts) => found.extend(local_hosts(hosts).or_else(|| plain_hosts(hosts))),
    }
    found.extend(public_url(http));
    found.extend(webhook.map(str::to_owned));
    if background.job_threads == 0 && matches!(database, DatabaseConfig::Sqlite { .. }) {
        found.push(
            "Nobody does the background work: SATCHEL_JOB_THREADS is 0, and on SQLite there are no other workers. Webhooks are kept \
             and change nothing, and what is to be checked stays in quarantine. Set it to 1 or more."
                .to_owned(),
        );
    }
    found
}

/// An address left from a test, beside credentials meant for production, would go unnoticed until the files are looked for (X8).
fn local_hosts(hosts: &Hosts) -> Option<String> {
    let local = [&hosts.api, &hosts.upload, &hosts.cdn, &hosts.process]
        .into_iter()
        .find(|url| is_loopback(url))?;
    Some(format!(
        "Filestack is reached at {local}, which is this machine, so Filestack itself keeps no files: unset \
         FILESTACK_BASE_URL and the single hosts to use it."
    ))
}

/// Policies travel in URLs and bodies; over plain http anybody on the way can use them.
fn plain_hosts(hosts: &Hosts) -> Option<String> {
    let plain = [&hosts.api, &hosts.upload, &hosts.cdn, &hosts.process]
        .into_iter()
        .find(|url| url.scheme() != "https" && !is_loopback(url))?;
    Some(format!(
        "Filestack is reached at {plain} without encryption: files and signed policies can be read on the way."
    ))
}

fn public_url(http: &HttpConfig) -> Option<String> {
    match &http.public_url {
        Some(url) if url.scheme() != "https" && !is_loopback(url) => Some(format!(
            "SATCHEL_PUBLIC_URL is {url}, which is neither https nor this machine: sign-in would fail, because browsers \
             send the session cookie over https only. Put a TLS proxy in front and set SATCHEL_PUBLIC_URL=https://…"
        )),
        None if !http.bind.ip().is_loopback() => Some(format!(
            "SATCHEL_PUBLIC_URL is not set while SATCHEL_BIND={} can be reached from other machines: sign-in from those \
             needs https, because browsers send the session cookie over https only. Set SATCHEL_PUBLIC_URL=https://…",
            http.bind
        )),
        _ => None,
    }
}
