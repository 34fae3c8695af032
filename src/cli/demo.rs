//! `satchel demo`: a database full of plausible users and documents.

mod content;

use std::collections::BTreeMap;
use std::time::Duration;

use super::{CliError, database, print};
use crate::app;
use crate::clock::{Clock, UtcTime};
use crate::config::{Config, FilestackMode};
use crate::crypto;
use crate::db::models::documents::{self, Description, NewDocument, STORED};
use crate::db::models::search::{self, name_key};
use crate::db::models::setup;
use crate::db::models::users::{self, NewUser, Role, User};
use crate::db::{Db, DbError};
use crate::emulator::Store;
use crate::ids::{DocumentId, UserId};
use crate::services::accounts;
use crate::services::audit::Actor;
use content::{Chance, Made, made_up, real_file, said};

/// Fill an empty database with made-up users and documents
///
/// The same every time, documents spread evenly over the users, some of them with tags and notes and some in the trash. Prints an API token of the first user, alone on stdout.
/// Never calls Filestack: with the emulator the first user's newest 50 documents have real small files, all other handles
/// are made up. Refuses a database that has users.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  satchel demo --documents 1000 --users 5")]
pub(super) struct Args {
    /// How many documents to make
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=10_000_000))]
    pub(super) documents: u64,
    /// How many users to share them among
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) users: u32,
}

/// Every demo user's password, printed with the result: the data is made up and so is its protection.
const PASSWORD: &str = "demo password, change me";
/// The first user's newest documents that have real files in emulator mode.
const REAL_FILES: u64 = 50;
/// The newest document is of this moment, and the oldest two years older, whenever the command runs.
const NEWEST: UtcTime = UtcTime::from_micros(1_793_520_000_000_000);
const SPAN: Duration = Duration::from_secs(2 * 365 * 24 * 3_600);
/// Documents written in one transaction: others may write in between.
const BATCH: u64 = 2_000;
/// The first user's token works for a year.
const TOKEN_LIFETIME: Duration = Duration::from_secs(365 * 24 * 3_600);

pub(super) async fn run(args: Args, config: Config) -> Result<(), CliError> {
    let db = database::open(&config)?;
    let failed = |error| database::failed(&config, error);
    let people = add_users(&db, args.users).map_err(failed)?.ok_or_else(|| {
        CliError::failed(
            "The database already has users",
            "Make demo data in an empty one, for example with SATCHEL_DATA_DIR=./demo-data",
        )
    })?;
    let store = match &config.filestack.mode {
        FilestackMode::Emulator { .. } => {
            let directory = app::emulator_directory(&config.data_dir);
            Some(Store::open(&directory).map_err(|error| app::StartError::Emulator { directory, error })?)
        }
        FilestackMode::Service { .. } => None,
    };
    let now = Clock::system().now();
    let owner_seq = people.iter().map(|user| (user.id, user.seq)).collect();
    for start in (0..args.documents).step_by(BATCH as usize) {
        let end = args.documents.min(start + BATCH);
        let batch = (start..end)
            .map(|n| document(n, args.documents, &people, store.as_ref()))
            .collect::<Result<Vec<_>, _>>()?;
        add_documents(&db, &owner_seq, start, batch, now).map_err(failed)?;
    }
    let services = app::services(&config, db, Clock::system(), None)?;
    let first = &people[0].email;
    let token =
        accounts::create_api_token(&services, &Actor::command(), first, "demo", TOKEN_LIFETIME).await?;
    eprintln!(
        "Made {} users and {} documents. Sign in as {first} with the password: {PASSWORD}",
        args.users, args.documents
    );
    print(&token)
}

/// The users; `None` when there are some already.
fn add_users(db: &Db, count: u32) -> Result<Option<Vec<User>>, DbError> {
    // One hash for all: each takes 40 ms, and they protect nothing.
    let password_hash = crypto::Scratch::default().hash(PASSWORD);
    let created_at = NEWEST.minus(SPAN);
    db.write_blocking(|c| {
        if users::any(c)? {
            return Ok(None);
        }
        let mut people = Vec::with_capacity(count as usize);
        for n in 0..count {
            let id = UserId::with_random(created_at, &Chance::new("user", u64::from(n)).bytes());
            let role = if n == 0 { Role::Admin } else { Role::Member };
            let email = content::email(n);
            users::insert(
                c,
                NewUser {
                    id,
                    email,
                    password_hash: password_hash.clone(),
                    role,
                    created_at,
                },
            )?;
            people.extend(users::find(c, id)?);
        }
        setup::close(c, created_at)?;
        Ok(Some(people))
    })
}

/// The nth document of so many, oldest first; they go round the users.
fn document(n: u64, count: u64, people: &[User], store: Option<&Store>) -> Result<NewDocument, CliError> {
    let owner = &people[(n % people.len() as u64) as usize];
    let mut chance = Chance::new("document", n);
    let step = SPAN.as_micros() as u64 / count.max(1);
    let created_at = NEWEST.minus(Duration::from_micros(
        step * (count - 1 - n) + chance.below(step.max(1)),
    ));
    let id = DocumentId::with_random(created_at, &chance.bytes());
    let is_real = n.is_multiple_of(people.len() as u64) && count - n <= REAL_FILES * people.len() as u64;
    let (made, handle) = match store.filter(|_| is_real) {
        Some(store) => {
            let (made, bytes) = real_file(n, &mut chance);
            let path = format!("user-uploads/{}/{id}/", owner.id);
            let handle = chance.handle();
            match store.put_as(&handle, &bytes, &made.name, made.content_type, Some(&path)) {
                // Left by demo data whose database has gone since: it is the same file.
                Err(error) if store.exists(&handle) => log::debug!("a demo file is already there: {error}"),
                done => done.map_err(|error| {
                    CliError::failed(
                        format!("A demo file could not be written: {error}"),
                        "Free some space, then begin with an empty database",
                    )
                })?,
            }
            (made, handle)
        }
        None => (made_up(n, &mut chance), chance.made_up_handle()),
    };
    let Made {
        name,
        content_type,
        size_bytes,
        sha256,
    } = made;
    Ok(NewDocument {
        id,
        owner_id: owner.id,
        handle,
        name_key: name_key(&name),
        name,
        content_type: content_type.to_owned(),
        declared_type: content_type.to_owned(),
        size_bytes,
        sha256,
        status: STORED,
        created_at,
        updated_at: created_at,
    })
}

/// Adds documents, counted on from those that are there already. What is said of them is the same every time; what is in the trash went there
/// now, so that it stays for as long as anything does.
fn add_documents(
    db: &Db,
    owner_seq: &BTreeMap<UserId, i64>,
    first: u64,
    batch: Vec<NewDocument>,
    now: UtcTime,
) -> Result<(), DbError> {
    db.write_blocking(|c| {
        // PostgreSQL takes 65 535 parameters in a statement, and a document has twelve.
        for some in batch.chunks(1_000) {
            documents::insert_batch(c, some)?;
        }
        let mut kept: BTreeMap<UserId, (i64, i64)> = BTreeMap::new();
        let mut trashed: BTreeMap<UserId, i64> = BTreeMap::new();
        for (n, document) in (first..).zip(&batch) {
            search::insert(c, owner_seq[&document.owner_id], document)?;
            let (count, bytes) = kept.entry(document.owner_id).or_default();
            *count += 1;
            *bytes += document.size_bytes;
            let said = said(&mut Chance::new("said", n));
            if !said.tags.is_empty() || !said.note.is_empty() {
                let description = Description {
                    name: &document.name,
                    tags: &said.tags,
                    note: &said.note,
                };
                documents::describe(
                    c,
                    document.owner_id,
                    document.id,
                    &description,
                    document.created_at,
                )?;
            }
            if said.is_trash && documents::trash(c, document.owner_id, document.id, now)? {
                let row = documents::find(c, document.id)?.ok_or(DbError::NotFound)?;
                search::delete(c, row.seq)?;
                *trashed.entry(document.owner_id).or_default() += 1;
            }
        }
        for (owner, (count, bytes)) in kept {
            users::add_usage(c, owner, count, bytes)?;
        }
        for (owner, count) in trashed {
            users::add_trashed(c, owner, count)?;
        }
        Ok(())
    })
}
