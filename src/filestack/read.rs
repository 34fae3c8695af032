//! A stored file's bytes: the first ones, for whoever has to know what it is, or all of them as they come.

use bytes::{Bytes, BytesMut};
use reqwest::Method;
use reqwest::header::{ACCEPT_ENCODING, RANGE};

use super::client::Filestack;
use super::error::FilestackError;
use super::handle::Handle;
use super::policy::Grant;
use super::reply;
use super::retry::Retries;

impl Filestack {
    /// Reads a file's first bytes: so many, or all when it has fewer. The grant is for
    /// [`Purpose::Read`](super::Purpose::Read).
    ///
    /// # Errors
    /// [`FilestackError::NotFound`] when there is no such file.
    pub async fn read_start(
        &self,
        handle: &Handle,
        grant: Grant,
        length: usize,
    ) -> Result<Bytes, FilestackError> {
        let url = self.delivery_url(handle, Some(&grant));
        let range = format!("bytes=0-{}", length.saturating_sub(1));
        let mut retries = Retries::new(self.options());
        loop {
            let request = self
                .request(Method::GET, url.clone())
                .header(RANGE, &range)
                .header(ACCEPT_ENCODING, "identity")
                .timeout(self.options().response_timeout);
            match start_of(request, length).await {
                Ok(bytes) => return Ok(bytes),
                Err(error) => retries.after(error).await?,
            }
        }
    }
}

impl Filestack {
    /// Begins to read a file. The grant is for [`Purpose::Read`](super::Purpose::Read).
    ///
    /// # Errors
    /// [`FilestackError::NotFound`] when there is no such file.
    pub async fn read(&self, handle: &Handle, grant: &Grant) -> Result<Content, FilestackError> {
        let url = self.delivery_url(handle, Some(grant));
        let mut retries = Retries::new(self.options());
        loop {
            let request = self
                .request(Method::GET, url.clone())
                .header(ACCEPT_ENCODING, "identity");
            // The limit is for the head alone: a large file takes its time.
            let begun = tokio::time::timeout(self.options().response_timeout, reply::send(request)).await;
            let begun = begun
                .unwrap_or_else(|_| Err(FilestackError::unavailable("the answer did not arrive in time")));
            match begun {
                Ok(response) => return Ok(Content(response)),
                Err(error) => retries.after(error).await?,
            }
        }
    }
}

/// A file that is being read.
pub struct Content(reqwest::Response);

impl Content {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// When it broke off.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, FilestackError> {
        Ok(self.0.chunk().await?)
    }
}

/// A server may send the whole file all the same: the rest of it is not read.
async fn start_of(request: reqwest::RequestBuilder, length: usize) -> Result<Bytes, FilestackError> {
    let mut response = reply::send(request).await?;
    let mut start = BytesMut::new();
    while start.len() < length {
        let Some(chunk) = response.chunk().await? else {
            break;
        };
        let wanted = chunk.len().min(length - start.len());
        start.extend_from_slice(&chunk[..wanted]);
    }
    Ok(start.freeze())
}
