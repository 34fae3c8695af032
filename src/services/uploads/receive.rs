//! Receiving one file: read ahead, choose the way to Filestack, send while reading, record.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::body::{Body, Part, Size, Source, too_large};
use super::intent::{By, Intent, named};
use crate::crypto::hex;
use crate::db::models::documents::{Document, NewDocument};
use crate::db::models::search::name_key;
use crate::db::models::users::User;
use crate::error::AppError;
use crate::failpoints;
use crate::filestack::{FilestackError, Grant, NewStore, NewUpload, PartBytes, Purpose, StoredFile, Upload};
use crate::services::idempotency::{Held, fingerprint_of_file};
use crate::services::processing::chain::{self, Step, Wish};
use crate::services::{Services, documents, names, quotas, sniff, upstream};

/// Bytes of a part, and how far a file is read before the way to Filestack is chosen. Intelligent ingestion has parts of this size; so
/// have regular uploads, to need no second look at what was read.
pub const LOOKAHEAD: usize = 8 * 1_024 * 1_024;
/// Files over 10 000 parts of [`LOOKAHEAD`] get larger parts (`filestack-protocol` §3.7).
const MOST_PARTS: u64 = 10_000;
/// A policy to upload lives so long and is made anew in time; an upload may take hours.
const GRANT: Duration = Duration::from_secs(600);
/// Chunks on their way into a streamed store: the parser gives up to 64 KiB at once.
const CHUNKS: usize = 8;
/// Bytes of a streamed store that are hashed in one go, beside the sending.
const HASHED_AT_ONCE: usize = 512 * 1_024;
/// The memory that a streamed store is taken to need: chunks on their way, a load being hashed, and the next one.
const CHUNK_MEMORY: usize = CHUNKS * 64 * 1_024 + 2 * HASHED_AT_ONCE;

/// A file to receive.
#[derive(Clone, Debug)]
pub struct NewFile {
    /// What the client calls it, as it came.
    pub name: String,
    /// What the client says it is, as it came.
    pub declared_type: String,
    /// What is known of its size.
    pub size: Size,
    /// What is to be done with it besides storing it.
    pub wish: Wish,
}

/// A file that was received.
#[derive(Debug)]
pub struct Received {
    /// The document that it is now.
    pub document: Document,
    /// What is done with it next.
    pub steps: Vec<Step>,
}

/// Receives a file for its owner and gives the document, with the steps that follow.
///
/// Filestack must be told the exact size before the first byte. A file that ends within [`LOOKAHEAD`] is read to its end first, in
/// memory set aside for it. A longer one is uploaded in parts when the client declared its size; parts are sent side by side and
/// again when one fails. Of any other, Filestack's REST store takes the bytes as they come: one request that cannot be
/// repeated, and the only call of Filestack's that needs no size. The request's own length is no size of a file: what follows the
/// file in the form is known only once it is there, and an upload that was begun with another size is lost by then.
///
/// # Errors
///
/// For the client: no name, too large, broken off, stalled, not the size announced. [`AppError::Upstream`] for Filestack. Nothing
/// is left behind in any case: no document, and no completed file.
pub async fn receive<S: Source>(
    services: &Services,
    owner: &User,
    by: By,
    file: NewFile,
    source: &mut S,
) -> Result<Received, AppError> {
    receive_once(services, owner, by, file, source, None).await
}

/// The same for a request that is to be done once, whose answer is kept with the document.
pub async fn receive_once<S: Source>(
    services: &Services,
    owner: &User,
    by: By,
    file: NewFile,
    source: &mut S,
    once: Option<Held>,
) -> Result<Received, AppError> {
    let _at_work = services.meters.upload();
    let source = &mut services.meters.count(source);
    let taken_in = tokio::select! {
        taken_in = take_in(services, owner, file, source, once) => taken_in?,
        () = services.stopped() => return Err(AppError::Unavailable {
            code: "stopping",
            detail: "The server is stopping. Nothing was stored; try again in a moment.".to_owned(),
            retry_after: Duration::from_secs(5),
        }),
    };
    // What is stored from here on must not be denied, also by a server that stops.
    finish(services, owner, by, taken_in).await
}

/// Reads a file that is not to be stored again, for what tells it from others.
///
/// # Errors
///
/// Those of the file itself.
pub async fn fingerprint<S: Source>(
    services: &Services,
    name: &str,
    source: &mut S,
) -> Result<String, AppError> {
    let name = names::sanitise(name).unwrap_or_default();
    let (mut hasher, mut read) = (Hasher::default(), 0);
    while let Some(chunk) = source.chunk().await? {
        read += chunk.len() as u64;
        if read > services.max_upload_bytes {
            return Err(too_large(services.max_upload_bytes));
        }
        hasher.update(services, PartBytes::from(vec![chunk])).await?;
    }
    Ok(fingerprint_of_file(&name, &hasher.finish().await?))
}

/// All that comes before Filestack makes a file of it.
async fn take_in<S: Source>(
    services: &Services,
    owner: &User,
    file: NewFile,
    source: &mut S,
    once: Option<Held>,
) -> Result<TakenIn, AppError> {
    let limit = services.max_upload_bytes;
    let name = names::sanitise(&file.name).ok_or_else(|| {
        AppError::invalid(
            "empty-filename",
            "The file has no name. Send it with a filename of at least one visible character.",
        )
    })?;
    if let Size::Declared(bytes) = file.size
        && bytes > limit
    {
        return Err(too_large(limit));
    }
    let part_size = part_size(file.size);
    let mut body = Body::new(source, &services.budget, file.size, limit);
    let first = body.part(part_size).await?;
    let whole = body.at_end().await?;
    let head = first.as_ref().map_or(&[][..], |part| {
        let head = part.head();
        &head[..head.len().min(sniff::SNIFF_BYTES)]
    });
    let details = Details {
        content_type: sniff::content_type(head, &name),
        declared_type: sniff::declared_type(&file.declared_type),
        name,
        wish: file.wish,
    };
    let exact = match file.size {
        Size::Declared(bytes) if whole && bytes != body.read() => return Err(not_as_declared(bytes)),
        Size::Declared(bytes) => Some(bytes),
        Size::AtMost(_) => whole.then(|| body.read()),
    };
    let (least, most) = match exact {
        Some(bytes) => (bytes, bytes),
        None => (body.read(), file.size.most().min(limit).max(body.read())),
    };
    let intent = Intent::begin(services, owner, &details.name, details.wish, (least, most), once).await?;
    let sent = match exact {
        Some(size) => send_parts(services, &intent, &details, size, first, &mut body).await,
        None => send_stream(services, owner, &intent, &details, first, &mut body).await,
    };
    match sent {
        Ok(sent) => Ok(TakenIn {
            intent,
            details,
            sent,
        }),
        Err(error) => {
            intent.fail(error.code(), None).await;
            Err(error)
        }
    }
}

/// An upload whose bytes are all here.
struct TakenIn {
    intent: Intent,
    details: Details,
    sent: Sent,
}

/// What a document is called and taken for.
struct Details {
    name: String,
    content_type: String,
    declared_type: String,
    wish: Wish,
}

/// All bytes have been taken in and handed to Filestack; `ending` makes a file of them.
struct Sent {
    size: u64,
    sha256: String,
    ending: Ending,
}

enum Ending {
    Complete(Box<Upload>),
    Stored(JoinHandle<Result<StoredFile, FilestackError>>),
}

fn part_size(size: Size) -> usize {
    let needed = match size {
        Size::Declared(bytes) => bytes.div_ceil(MOST_PARTS),
        Size::AtMost(_) => 0,
    };
    LOOKAHEAD.max(usize::try_from(needed).unwrap_or(usize::MAX))
}

fn grant(services: &Services, intent: &Intent) -> Grant {
    let purpose = Purpose::Upload {
        path: &intent.path,
        max_size: services.max_upload_bytes,
    };
    services
        .filestack
        .grant(purpose, services.clock.now().system(), GRANT)
}

/// Multipart upload: parts go out while the next one is read, and are hashed beside both.
async fn send_parts<S: Source>(
    services: &Services,
    intent: &Intent,
    details: &Details,
    size: u64,
    first: Option<Part>,
    body: &mut Body<'_, S>,
) -> Result<Sent, AppError> {
    let new = NewUpload {
        filename: details.name.clone(),
        mimetype: details.content_type.clone(),
        size,
        path: Some(intent.path.clone()),
        ..NewUpload::default()
    };
    let mut granted_at = services.clock.now();
    failpoints::reach("upload.before-start");
    let mut upload = services
        .filestack
        .start_upload(new, grant(services, intent))
        .await
        .map_err(upstream)?;
    failpoints::reach("upload.after-start");
    let mut hasher = Hasher::default();
    let mut next = first;
    let mut given = 0;
    while let Some(part) = next {
        let wanted = upload.next_part_len();
        if part.len() != wanted {
            return Err(not_as_declared(size));
        }
        given += wanted as u64;
        let bytes = PartBytes::from(part.hold());
        hasher.update(services, bytes.clone()).await?;
        if services.clock.now().since(granted_at) > GRANT / 2 {
            granted_at = services.clock.now();
            upload.renew(grant(services, intent));
        }
        failpoints::reach("upload.before-part");
        upload.push(bytes).await.map_err(upstream)?;
        upload.ready().await.map_err(upstream)?;
        failpoints::reach("upload.after-part");
        next = body.part(upload.next_part_len().max(1)).await?;
        if next.is_some() && given == size {
            return Err(not_as_declared(size));
        }
    }
    if given != size {
        return Err(not_as_declared(size));
    }
    upload.renew(grant(services, intent));
    Ok(Sent {
        size,
        sha256: hasher.finish().await?,
        ending: Ending::Complete(Box::new(upload)),
    })
}

/// REST store: one request whose body is the file as it comes in.
///
/// The channel is the back pressure, and its end mark tells the end of the file from our own end: a request that is dropped half-way
/// must never look like a finished file.
async fn send_stream<S: Source>(
    services: &Services,
    owner: &User,
    intent: &Intent,
    details: &Details,
    first: Option<Part>,
    body: &mut Body<'_, S>,
) -> Result<Sent, AppError> {
    let (sender, receiver) = mpsc::channel::<Option<Bytes>>(CHUNKS);
    let chunks = stream::unfold(Some(receiver), |receiver| async {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Some(chunk)) => Some((Ok(chunk), Some(receiver))),
            Some(None) => None,
            None => Some((Err(io::Error::other("the upload was abandoned")), None)),
        }
    });
    let new = NewStore {
        filename: details.name.clone(),
        mimetype: details.content_type.clone(),
        path: Some(intent.path.clone()),
        ..NewStore::default()
    };
    let (filestack, grant) = (services.filestack.clone(), grant(services, intent));
    failpoints::reach("upload.before-store");
    let storing = tokio::spawn(async move { filestack.store_stream(new, grant, chunks).await });

    let mut feed = Feed {
        sender,
        hasher: Hasher::default(),
        unhashed: Vec::new(),
        waiting: 0,
        size: 0,
    };
    // What was read ahead keeps its memory until it is gone; a little of it stands for the chunks after that.
    let mut chunk_memory = None;
    let mut open = true;
    if let Some(mut part) = first {
        chunk_memory = Some(part.take_memory(CHUNK_MEMORY));
        for block in part.hold() {
            open = open && feed.send(services, block).await?;
        }
    }
    while open && let Some(chunk) = body.chunk().await? {
        if intent.room.is_some_and(|room| body.read() > room) {
            return Err(quotas::refusal(services, owner.id, intent.room).await);
        }
        open = feed.send(services, chunk).await?;
    }
    // Closed early means that Filestack has answered before the end: its answer says why. Any error above drops the channel without
    // the end mark, the request breaks off, and nothing is stored.
    feed.hash(services).await?;
    let sha256 = feed.hasher.finish().await?;
    drop(chunk_memory);
    if open {
        failpoints::reach("upload.before-end");
        let _ = feed.sender.send(None).await;
    }
    Ok(Sent {
        size: feed.size,
        sha256,
        ending: Ending::Stored(storing),
    })
}

/// Counts chunks on their way into a streamed store, and has them hashed in loads.
struct Feed {
    sender: mpsc::Sender<Option<Bytes>>,
    hasher: Hasher,
    unhashed: Vec<Bytes>,
    waiting: usize,
    size: u64,
}

impl Feed {
    /// `false` when nobody takes chunks any more.
    async fn send(&mut self, services: &Services, chunk: Bytes) -> Result<bool, AppError> {
        self.size += chunk.len() as u64;
        self.waiting += chunk.len();
        self.unhashed.push(chunk.clone());
        if self.waiting >= HASHED_AT_ONCE {
            self.hash(services).await?;
        }
        Ok(self.sender.send(Some(chunk)).await.is_ok())
    }

    async fn hash(&mut self, services: &Services) -> Result<(), AppError> {
        self.waiting = 0;
        let load = PartBytes::from(std::mem::take(&mut self.unhashed));
        self.hasher.update(services, load).await
    }
}

/// The bytes are all here: from now on the document comes to be whether or not the client waits for the answer.
async fn finish(services: &Services, owner: &User, by: By, taken_in: TakenIn) -> Result<Received, AppError> {
    let TakenIn {
        intent,
        details,
        sent,
    } = taken_in;
    let (services, owner) = (services.clone(), owner.clone());
    let finishing = tokio::spawn(async move {
        failpoints::reach("upload.before-complete");
        let stored = match sent.ending {
            Ending::Complete(upload) => upload.complete().await,
            Ending::Stored(storing) => match storing.await {
                Ok(stored) => stored,
                Err(error) => Err(FilestackError::Interrupted(Box::new(error))),
            },
        };
        failpoints::reach("upload.after-complete");
        let stored = match stored {
            Ok(stored) if stored.size == sent.size => stored,
            Ok(stored) => {
                let error =
                    FilestackError::Protocol(format!("{} of {} bytes were stored", stored.size, sent.size));
                intent
                    .fail("size-mismatch", Some(stored.handle.as_str().to_owned()))
                    .await;
                return Err(upstream(error));
            }
            Err(error) => {
                let error = unconfirmed(error);
                let (id, once) = (intent.id, intent.once.clone());
                intent.fail(error.code(), None).await;
                // Filestack's event may have confirmed it in the meantime, with the same content or not at all.
                let adopted = documents::get(&services, owner.id, id).await.ok();
                let Some(document) = adopted.filter(|document| document.sha256 == sent.sha256) else {
                    return Err(error);
                };
                // Its steps were put into the queue with it, as the kept wish says.
                let (known, made) = (document.id, document.clone());
                let steps = services.db.write(move |c| {
                    let steps = chain::list(c, known)?;
                    if let Some(once) = once {
                        once.record(c, &made, &named(&steps))?;
                    }
                    Ok(steps)
                });
                let steps = steps.await?;
                return Ok(Received { document, steps });
            }
        };
        let now = services.clock.now();
        let (status, kinds) = chain::plan(&services.background, &details.content_type, details.wish);
        let document = NewDocument {
            id: intent.id,
            owner_id: owner.id,
            handle: stored.handle.as_str().to_owned(),
            name_key: name_key(&details.name),
            name: details.name,
            content_type: details.content_type,
            declared_type: details.declared_type,
            size_bytes: sent.size as i64,
            sha256: sent.sha256,
            status,
            created_at: now,
            updated_at: now,
        };
        intent.record(&owner, document, kinds, by).await
    });
    finishing
        .await
        .map_err(|error| AppError::Internal(format!("finishing an upload: {error}")))?
}

/// SHA-256 over parts, off the async threads and beside whatever else happens; one part at a time.
#[derive(Default)]
struct Hasher(Option<JoinHandle<Sha256>>);

impl Hasher {
    /// Takes a part once the one before is done.
    async fn update(&mut self, services: &Services, part: PartBytes) -> Result<(), AppError> {
        let mut hasher = self.settle().await?;
        self.0 = Some(services.filestack.compute(move || {
            part.digest_with(|step| hasher.update(step));
            hasher
        }));
        Ok(())
    }

    async fn finish(mut self) -> Result<String, AppError> {
        Ok(hex(&self.settle().await?.finalize()))
    }

    async fn settle(&mut self) -> Result<Sha256, AppError> {
        match self.0.take() {
            None => Ok(Sha256::new()),
            Some(hashing) => hashing
                .await
                .map_err(|error| AppError::Internal(format!("hashing: {error}"))),
        }
    }
}

/// All bytes were sent, and Filestack did not say that it has them: it may have.
fn unconfirmed(error: FilestackError) -> AppError {
    let retry_after = match &error {
        FilestackError::Unavailable { retry_after, .. } => retry_after.unwrap_or(Duration::from_secs(10)),
        _ => return upstream(error),
    };
    AppError::Upstream {
        code: "filestack-unconfirmed",
        detail:
            "Filestack did not confirm that it has the file, so no document was made. Try again in a moment."
                .to_owned(),
        retry_after: Some(retry_after),
        source: error,
    }
}

fn not_as_declared(bytes: u64) -> AppError {
    AppError::invalid(
        "size-mismatch",
        format!(
            "The file does not have the {bytes} bytes that were announced. Send it again with its own size."
        ),
    )
}
