//! Multipart upload: the caller cuts parts, the client sends them in a bounded window.
//!
//! `session` speaks the calls of one upload, `part` sends one part until it is there, this file keeps the order: nothing is
//! completed unless every byte that was announced has been stored, and dropping an [`Upload`] stops what is under way.

mod bytes;
mod part;
mod session;
mod whole;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::{JoinError, JoinSet};

pub use self::bytes::PartBytes;
use self::session::{Completion, Session};
use super::client::Filestack;
use super::error::FilestackError;
use super::options::MOST_PARTS;
use super::policy::Grant;
use super::retry::{Retries, backoff};
use super::store::{StoreOptions, StoredFile};
use super::transfers;

/// Parts of an intelligent upload have this size, unless there would be too many.
const INTELLIGENT_PART: u64 = 8 * 1024 * 1024;
const MOST_TAGS: usize = 10;
const LONGEST_TAG_KEY: usize = 128;
const LONGEST_TAG_VALUE: usize = 256;

/// A file to upload, whose size is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewUpload {
    /// The file's name.
    pub filename: String,
    /// The file's type.
    pub mimetype: String,
    /// The file's exact size: an upload that turns out shorter or longer is never completed.
    pub size: u64,
    /// Where to put it; one that ends in `/` is a folder. Without it Filestack chooses.
    pub path: Option<String>,
    /// Which storage.
    pub store: StoreOptions,
    /// Tags that come back in the upload's webhook; at most 10, keys up to 128 and values up to 256 bytes.
    pub tags: BTreeMap<String, String>,
}

impl NewUpload {
    fn check(&self) -> Result<(), FilestackError> {
        self.store.check()?;
        if self.filename.is_empty() {
            return Err(FilestackError::invalid("a file to upload needs a name"));
        }
        let fits = |(key, value): (&String, &String)| {
            (1..=LONGEST_TAG_KEY).contains(&key.len()) && value.len() <= LONGEST_TAG_VALUE
        };
        if self.tags.len() > MOST_TAGS || !self.tags.iter().all(fits) {
            return Err(FilestackError::invalid(
                "there are too many upload tags, or one is too long",
            ));
        }
        Ok(())
    }
}

/// An upload that has begun.
///
/// Parts are sent by tasks of their own, so they move on while the caller waits for its next bytes. Dropping it stops them
/// and completes nothing; Filestack forgets unfinished uploads by itself.
#[derive(Debug)]
pub struct Upload {
    session: Arc<Session>,
    part_size: u64,
    pushed: u64,
    next_part: u32,
    sending: JoinSet<Result<(u32, String), FilestackError>>,
    etags: BTreeMap<u32, String>,
    failed: bool,
}

impl Filestack {
    /// Begins an upload; the grant is for [`Purpose::Upload`](super::Purpose::Upload).
    ///
    /// # Errors
    /// [`FilestackError::Invalid`] when the name is empty or there are too many tags or workflows.
    pub async fn start_upload(&self, new: NewUpload, grant: Grant) -> Result<Upload, FilestackError> {
        new.check()?;
        let size = new.size;
        let client = self.clone();
        let session = self
            .transfer(async move { Session::start(&client, new, grant).await })
            .await?;
        let wanted = if session.is_intelligent() {
            INTELLIGENT_PART
        } else {
            self.options().part_size as u64
        };
        Ok(Upload {
            session: Arc::new(session),
            part_size: wanted.max(size.div_ceil(MOST_PARTS)),
            pushed: 0,
            next_part: 1,
            sending: JoinSet::new(),
            etags: BTreeMap::new(),
            failed: false,
        })
    }
}

impl Upload {
    /// The bytes of each part but the last.
    pub fn part_size(&self) -> usize {
        usize::try_from(self.part_size).unwrap_or(usize::MAX)
    }

    /// The bytes that the next part must have; 0 once all have been pushed.
    pub fn next_part_len(&self) -> usize {
        let rest = self.session.size() - self.pushed;
        usize::try_from(rest.min(self.part_size)).unwrap_or(usize::MAX)
    }

    /// Puts a newer grant in the place of the first one. An upload may take longer than a policy should be good for.
    pub fn renew(&mut self, grant: Grant) {
        self.session.renew(grant);
    }

    /// Waits until another part can be sent at once. Call it before reading bytes, to have none waiting in memory.
    ///
    /// # Errors
    /// The failure of an earlier part, after which the upload is over.
    pub async fn ready(&mut self) -> Result<(), FilestackError> {
        if self.failed {
            return Err(FilestackError::invalid("this upload has already failed"));
        }
        while let Some(done) = self.sending.try_join_next() {
            self.settle(done)?;
        }
        while self.sending.len() >= self.session.options().window {
            self.settle_next().await?;
        }
        Ok(())
    }

    /// Sends the next part, which must have [`next_part_len`](Self::next_part_len) bytes, and returns when it is under way;
    /// waits before that while the window is full. The bytes are shared, not copied, and released once they are stored.
    ///
    /// # Errors
    /// The failure of an earlier part, after which the upload is over; [`FilestackError::Invalid`] for a wrong length.
    pub async fn push(&mut self, part: impl Into<PartBytes>) -> Result<(), FilestackError> {
        let part = part.into();
        if part.is_empty() || part.len() != self.next_part_len() {
            self.give_up();
            return Err(FilestackError::invalid(format!(
                "part {} has {} bytes where {} belong",
                self.next_part,
                part.len(),
                self.next_part_len()
            )));
        }
        self.ready().await?;
        self.pushed += part.len() as u64;
        transfers::spawn(
            self.session.options().transfers.as_ref(),
            &mut self.sending,
            part::send(Arc::clone(&self.session), self.next_part, part),
        );
        self.next_part += 1;
        Ok(())
    }

    /// Waits for all parts and has Filestack put the file together.
    ///
    /// The same `complete` may be sent several times: Filestack itself asks for that while parts are being merged, so it
    /// has to recognise the repetition by its upload id, and it does no harm after a broken connection either. If such a
    /// repetition is refused, the lost answer may have been a success; that is [`FilestackError::Unavailable`] and not
    /// `Rejected`, because the file may exist.
    ///
    /// # Errors
    /// [`FilestackError::Invalid`], and nothing is completed, when bytes are missing; the failure of any part.
    pub async fn complete(mut self) -> Result<StoredFile, FilestackError> {
        if self.failed || self.pushed != self.session.size() {
            let (pushed, size) = (self.pushed, self.session.size());
            return Err(FilestackError::invalid(format!(
                "{pushed} of {size} bytes were pushed, nothing is completed"
            )));
        }
        while !self.sending.is_empty() {
            self.settle_next().await?;
        }
        let client = self.session.client().clone();
        client.transfer(self.put_together()).await
    }

    /// Stops, and returns when nothing is under way any more and all bytes are released. Dropping it stops as well, but
    /// does not wait.
    pub async fn abort(mut self) {
        self.sending.shutdown().await;
    }

    async fn put_together(self) -> Result<StoredFile, FilestackError> {
        let options = self.session.options();
        let (mut retries, mut merging, mut answer_lost) = (Retries::new(options), 0, false);
        loop {
            match self.session.complete(&self.etags).await {
                Ok(Completion::Stored(reply)) => return self.session.stored(*reply),
                Ok(Completion::Merging) => {
                    merging += 1;
                    if merging >= options.complete_attempts {
                        return Err(FilestackError::unavailable("the parts were not merged in time"));
                    }
                    tokio::time::sleep(backoff(options, merging - 1)).await;
                }
                Err(FilestackError::Rejected { status, message }) if answer_lost => {
                    return Err(FilestackError::unavailable(format!(
                        "an answer was lost, and then the upload was refused ({status}: {message}); the file may exist"
                    )));
                }
                Err(error) => {
                    answer_lost |= matches!(error, FilestackError::Unavailable { .. });
                    retries.after(error).await?;
                }
            }
        }
    }

    async fn settle_next(&mut self) -> Result<(), FilestackError> {
        match self.sending.join_next().await {
            Some(done) => self.settle(done),
            None => Ok(()),
        }
    }

    fn settle(
        &mut self,
        done: Result<Result<(u32, String), FilestackError>, JoinError>,
    ) -> Result<(), FilestackError> {
        // A task that ended without a result panicked, or the runtime is being shut down.
        let done =
            done.unwrap_or_else(|_| Err(FilestackError::unavailable("sending a part was interrupted")));
        match done {
            Ok((number, etag)) => {
                self.etags.insert(number, etag);
                Ok(())
            }
            Err(error) => {
                self.give_up();
                Err(error)
            }
        }
    }

    fn give_up(&mut self) {
        self.failed = true;
        self.sending.abort_all();
    }
}
