//! The calls of one multipart upload, and what they have in common.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use reqwest::header::{CONTENT_LENGTH, ETAG, HOST, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING};
use reqwest::{Method, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

use super::NewUpload;
use super::bytes::PartBytes;
use crate::filestack::client::Filestack;
use crate::filestack::endpoints::{at, resolve_location, resolve_storage};
use crate::filestack::error::FilestackError;
use crate::filestack::options::Options;
use crate::filestack::policy::Grant;
use crate::filestack::reply;
use crate::filestack::retry::Retries;
use crate::filestack::store::{StoreReply, StoredFile};

const INTELLIGENT: &str = "intelligent_ingestion";
/// Storage takes no smaller chunks.
pub(super) const SMALLEST_CHUNK: usize = 32 * 1024;

#[derive(Deserialize)]
struct Started {
    uri: String,
    region: String,
    upload_id: String,
    location_url: String,
    location_region: Option<String>,
    upload_type: Option<String>,
}

/// Where storage wants some bytes.
#[derive(Deserialize)]
pub(super) struct Slot {
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

/// What Filestack says to `complete`.
pub(super) enum Completion {
    Stored(Box<StoreReply>),
    Merging,
}

/// One upload as Filestack knows it.
pub(super) struct Session {
    fs: Filestack,
    new: NewUpload,
    started: Started,
    base: Url,
    intelligent: bool,
    grant: RwLock<Grant>,
    /// The largest chunk of a part that has not failed yet; only intelligent uploads use it.
    chunk: AtomicUsize,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("new", &self.new)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Begins an upload. Repeating the call after a failure is safe: at worst an upload is begun that nobody completes.
    pub(super) async fn start(fs: &Filestack, new: NewUpload, grant: Grant) -> Result<Self, FilestackError> {
        let mut order = json!({
            "apikey": fs.api_key().as_str(),
            "filename": new.filename,
            "mimetype": new.mimetype,
            "size": new.size,
            "store": new.store.to_json(new.path.as_deref()),
            "policy": grant.policy(),
            "signature": grant.signature(),
        });
        // An empty file has no parts, and so nothing to be intelligent about.
        let ask = fs.options().intelligent && new.size > 0;
        if ask {
            order["fii"] = true.into();
        }
        let url = at(&fs.endpoints().upload, "/multipart/start");
        let mut retries = Retries::new(fs.options());
        let started: Started = loop {
            let request = fs
                .request(Method::POST, url.clone())
                .timeout(fs.options().response_timeout)
                .json(&order);
            match reply::call(request).await.map_err(FilestackError::about_call) {
                Ok(started) => break started,
                Err(error) => retries.after(error).await?,
            }
        };
        let base = resolve_location(&fs.endpoints().upload, &started.location_url)?;
        let intelligent = ask && started.upload_type.as_deref() == Some(INTELLIGENT);
        Ok(Self {
            fs: fs.clone(),
            new,
            started,
            base,
            intelligent,
            grant: RwLock::new(grant),
            chunk: AtomicUsize::new(usize::MAX),
        })
    }

    pub(super) fn client(&self) -> &Filestack {
        &self.fs
    }

    pub(super) fn options(&self) -> &Options {
        self.fs.options()
    }

    pub(super) fn size(&self) -> u64 {
        self.new.size
    }

    /// Whether intelligent ingestion was asked for and the account grants it.
    pub(super) fn is_intelligent(&self) -> bool {
        self.intelligent
    }

    pub(super) fn chunk(&self) -> usize {
        self.chunk.load(Ordering::Relaxed)
    }

    /// Halves the chunks of all parts; `false` when they are as small as they can be.
    pub(super) fn shrink_chunks(&self, failed: usize) -> bool {
        let smaller = (failed / 2).max(SMALLEST_CHUNK);
        self.chunk.fetch_min(smaller, Ordering::Relaxed);
        failed > SMALLEST_CHUNK
    }

    pub(super) fn renew(&self, grant: Grant) {
        *self.grant.write().unwrap_or_else(PoisonError::into_inner) = grant;
    }

    /// Asks where to put `size` bytes of a part; `offset` is set for a chunk of an intelligent upload.
    pub(super) async fn slot(
        &self,
        part: u32,
        size: usize,
        md5: &str,
        offset: Option<usize>,
    ) -> Result<Slot, FilestackError> {
        let mut extra = json!({"part": part, "size": size, "md5": md5});
        if let Some(offset) = offset {
            extra["offset"] = offset.into();
            extra["fii"] = true.into();
        }
        reply::read_json(
            self.post("upload", extra, self.options().response_timeout)
                .await?,
        )
        .await
    }

    /// Puts bytes where storage wants them; gives the `ETag` exactly as it came, when one did.
    pub(super) async fn put(&self, slot: Slot, bytes: PartBytes) -> Result<Option<String>, FilestackError> {
        let url = resolve_storage(&self.fs.endpoints().upload, &slot.url)?;
        let limit = self.options().time_for(bytes.len());
        let request = self
            .fs
            .storage_request(url)
            .headers(storage_headers(&slot.headers)?)
            .timeout(limit);
        let response = reply::send(bytes.send_with(request))
            .await
            .map_err(FilestackError::about_call)?;
        let etag = response.headers().get(ETAG).map(HeaderValue::to_str).transpose();
        Ok(etag
            .map_err(|_| FilestackError::protocol("the ETag of a part is not text"))?
            .map(str::to_owned))
    }

    /// Tells Filestack that all chunks of a part are there.
    pub(super) async fn commit(&self, part: u32) -> Result<(), FilestackError> {
        let extra = json!({"part": part, "size": self.new.size, "fii": true});
        self.post("commit", extra, self.options().response_timeout)
            .await
            .map(drop)
    }

    /// Asks once to put the file together. 202, and 206 for chunks, mean that storage is not done yet.
    pub(super) async fn complete(&self, etags: &BTreeMap<u32, String>) -> Result<Completion, FilestackError> {
        let mut extra = json!({
            "filename": self.new.filename,
            "mimetype": self.new.mimetype,
            "size": self.new.size,
        });
        if self.is_intelligent() {
            extra["fii"] = true.into();
        } else {
            let part = |(number, etag)| json!({"part_number": number, "etag": etag});
            extra["parts"] = etags.iter().map(part).collect();
        }
        if !self.new.tags.is_empty() {
            extra["upload_tags"] = json!(self.new.tags);
        }
        let response = self
            .post("complete", extra, self.options().complete_timeout)
            .await?;
        match response.status().as_u16() {
            202 => Ok(Completion::Merging),
            206 if self.is_intelligent() => Ok(Completion::Merging),
            _ => Ok(Completion::Stored(Box::new(reply::read_json(response).await?))),
        }
    }

    pub(super) fn stored(&self, reply: StoreReply) -> Result<StoredFile, FilestackError> {
        reply.into_file(
            &self.fs,
            &self.new.filename,
            &self.new.mimetype,
            Some(self.new.size),
        )
    }

    async fn post(&self, call: &str, extra: Value, limit: Duration) -> Result<Response, FilestackError> {
        let mut order = self.common();
        if let Value::Object(extra) = extra {
            order.extend(extra);
        }
        let url = at(&self.base, &format!("/multipart/{call}"));
        let mut request = self.fs.request(Method::POST, url).timeout(limit).json(&order);
        if let Some(region) = &self.started.location_region {
            request = request.header("Filestack-Upload-Region", region);
        }
        reply::send(request).await.map_err(FilestackError::about_call)
    }

    fn common(&self) -> Map<String, Value> {
        let grant = self.grant.read().unwrap_or_else(PoisonError::into_inner);
        let fields = [
            ("apikey", self.fs.api_key().as_str()),
            ("uri", &self.started.uri),
            ("region", &self.started.region),
            ("upload_id", &self.started.upload_id),
            ("policy", grant.policy()),
            ("signature", grant.signature()),
        ];
        let mut order: Map<String, Value> = fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        order.insert(
            "store".into(),
            self.new.store.to_json(self.new.path.as_deref()).into(),
        );
        order
    }
}

/// The headers exactly as given, but for those that belong to the connection and not to the request.
fn storage_headers(given: &BTreeMap<String, String>) -> Result<HeaderMap, FilestackError> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let name = HeaderName::from_bytes(name.as_bytes());
        let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) else {
            return Err(FilestackError::protocol("a storage header it names is malformed"));
        };
        if ![HOST, CONTENT_LENGTH, TRANSFER_ENCODING].contains(&name) {
            headers.insert(name, value);
        }
    }
    Ok(headers)
}
