//! Storing without multipart: a body of unknown length, or a file that is somewhere else.

use std::error::Error;

use bytes::Bytes;
use futures_util::Stream;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

use super::body::{in_time, send_streamed};
use super::client::Filestack;
use super::endpoints::at;
use super::error::FilestackError;
use super::handle::Handle;
use super::policy::Grant;
use super::reply;
use super::retry::Retries;

/// The kind of storage a file goes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Location {
    /// Amazon S3, Filestack's own storage included.
    #[default]
    S3,
    /// Google Cloud Storage.
    Gcs,
    /// Azure Blob Storage.
    Azure,
    /// Dropbox.
    Dropbox,
    /// Rackspace Cloud Files.
    Rackspace,
}

impl Location {
    /// Filestack's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::S3 => "S3",
            Self::Gcs => "gcs",
            Self::Azure => "azure",
            Self::Dropbox => "dropbox",
            Self::Rackspace => "rackspace",
        }
    }
}

/// Whether storage itself lets everybody read the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Only through Filestack.
    Private,
    /// Also directly.
    Public,
}

impl Access {
    /// Filestack's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Public => "public",
        }
    }
}

/// Where a file is kept, apart from its path. The default is Filestack's own storage, private.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreOptions {
    /// The kind of storage.
    pub location: Location,
    /// The bucket, for storage of one's own.
    pub container: Option<String>,
    /// Who may read it there.
    pub access: Option<Access>,
    /// The bucket's region.
    pub region: Option<String>,
    /// Workflows to run on it, by id; at most 20.
    pub workflows: Vec<String>,
}

const MOST_WORKFLOWS: usize = 20;

impl StoreOptions {
    pub(super) fn check(&self) -> Result<(), FilestackError> {
        if self.workflows.len() > MOST_WORKFLOWS {
            return Err(FilestackError::invalid(
                "a file can be given to at most 20 workflows",
            ));
        }
        Ok(())
    }

    /// The `store` object of JSON calls.
    pub(super) fn to_json(&self, path: Option<&str>) -> Map<String, Value> {
        let mut store: Map<String, Value> = self
            .pairs(path)
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        store.insert("location".into(), self.location.as_str().into());
        if !self.workflows.is_empty() {
            store.insert("workflows".into(), json!(self.workflows));
        }
        store
    }

    /// All that is set, except the location and the workflows.
    fn pairs<'a>(&'a self, path: Option<&'a str>) -> impl Iterator<Item = (&'static str, &'a str)> {
        [
            ("path", path),
            ("container", self.container.as_deref()),
            ("access", self.access.map(Access::as_str)),
            ("region", self.region.as_deref()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }
}

/// A file to store whose length need not be known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewStore {
    /// The file's name.
    pub filename: String,
    /// The file's type.
    pub mimetype: String,
    /// Where to put it; one that ends in `/` is a folder. Without it Filestack chooses.
    pub path: Option<String>,
    /// Which storage.
    pub store: StoreOptions,
}

/// A file that Filestack has stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// Its name at Filestack from now on.
    pub handle: Handle,
    /// Its plain delivery address, as Filestack gave it.
    pub url: String,
    /// The name it was given.
    pub filename: String,
    /// The type it was given.
    pub mimetype: String,
    /// Its size in bytes, as Filestack says: a caller that knows what it sent compares, and removes a file that is not whole.
    pub size: u64,
    /// Its key in storage, when Filestack said it.
    pub key: Option<String>,
    /// Its bucket, for storage of one's own.
    pub container: Option<String>,
    /// `Stored`, or `InTransit` while it moves to storage of one's own.
    pub status: Option<String>,
}

/// The reply to everything that stores; REST store says `type`, multipart says `mimetype`.
#[derive(Deserialize)]
pub(super) struct StoreReply {
    handle: Option<String>,
    url: Option<String>,
    filename: Option<String>,
    #[serde(alias = "type")]
    mimetype: Option<String>,
    size: Option<u64>,
    key: Option<String>,
    container: Option<String>,
    status: Option<String>,
}

impl StoreReply {
    /// The file of the reply; its size is what Filestack says, and what was sent only where it says nothing.
    pub(super) fn into_file(
        self,
        fs: &Filestack,
        filename: &str,
        mimetype: &str,
        sent: Option<u64>,
    ) -> Result<StoredFile, FilestackError> {
        let handle = match (&self.handle, &self.url) {
            (Some(handle), _) => Handle::new(handle.as_str()).ok(),
            (None, Some(url)) => Handle::from_url(url),
            (None, None) => None,
        };
        let handle = handle.ok_or_else(|| FilestackError::protocol("the reply names no handle"))?;
        let size = self
            .size
            .or(sent)
            .ok_or_else(|| FilestackError::protocol("the reply names no size"))?;
        Ok(StoredFile {
            url: self.url.unwrap_or_else(|| fs.delivery_url(&handle, None).into()),
            filename: self.filename.unwrap_or_else(|| filename.to_owned()),
            mimetype: self.mimetype.unwrap_or_else(|| mimetype.to_owned()),
            size,
            key: self.key,
            container: self.container,
            status: self.status,
            handle,
        })
    }
}

impl Filestack {
    /// Stores a body of unknown length through the REST store, while it comes in.
    ///
    /// The body is sent once: a stream cannot be sent again, so a failure of the network is the caller's to repeat. An
    /// error in the stream cuts the request, so that Filestack stores nothing.
    ///
    /// # Errors
    /// [`FilestackError::Interrupted`] with the stream's own error when it broke off.
    pub async fn store_stream<S, E>(
        &self,
        new: NewStore,
        grant: Grant,
        body: S,
    ) -> Result<StoredFile, FilestackError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        if new.store.region.is_some() || !new.store.workflows.is_empty() {
            return Err(FilestackError::invalid(
                "the REST store takes neither a region nor workflows",
            ));
        }
        let mut url = at(
            &self.endpoints().api,
            &format!("/store/{}", new.store.location.as_str()),
        );
        url.query_pairs_mut()
            .append_pair("key", self.api_key().as_str())
            .append_pair("filename", &new.filename)
            .append_pair("mimetype", &new.mimetype)
            .extend_pairs(new.store.pairs(new.path.as_deref()))
            .append_pair("policy", grant.policy())
            .append_pair("signature", grant.signature());
        let request = self
            .request(Method::POST, url)
            .header(CONTENT_TYPE, &new.mimetype);
        let options = self.options().clone();
        let call = async move {
            let (response, sent) = send_streamed(&options, request, body)
                .await
                .map_err(FilestackError::about_call)?;
            let reply: StoreReply = in_time(&options, reply::read_json(response)).await?;
            Ok((reply, sent))
        };
        let (reply, sent) = self.transfer(call).await?;
        reply.into_file(self, &new.filename, &new.mimetype, Some(sent))
    }

    /// Has Filestack fetch a file and store it.
    ///
    /// It is not repeated after a failure of the network, since that could store the file twice; it is when Filestack says
    /// that it is too busy.
    ///
    /// # Errors
    /// [`FilestackError::Rejected`] also when Filestack could not fetch the file.
    pub async fn store_url(
        &self,
        source: &Url,
        new: NewStore,
        grant: Grant,
    ) -> Result<StoredFile, FilestackError> {
        new.store.check()?;
        let mut params = new.store.to_json(new.path.as_deref());
        params.insert("filename".into(), new.filename.as_str().into());
        let security = json!({"policy": grant.policy(), "signature": grant.signature()});
        let order = json!({
            "apikey": self.api_key().as_str(),
            "sources": [source.as_str()],
            "tasks": [{"name": "store", "params": params}, {"name": "security", "params": security}],
        });
        let url = at(&self.endpoints().process, "/process");
        let mut retries = Retries::new(self.options());
        loop {
            let request = self
                .request(Method::POST, url.clone())
                .timeout(self.options().complete_timeout)
                .json(&order);
            match reply::call::<StoreReply>(request)
                .await
                .map_err(FilestackError::about_call)
            {
                Ok(reply) => return reply.into_file(self, &new.filename, &new.mimetype, None),
                Err(error @ FilestackError::RateLimited { .. }) => retries.after(error).await?,
                Err(error) => return Err(error),
            }
        }
    }
}
