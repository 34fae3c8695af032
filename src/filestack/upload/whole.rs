//! Uploads in one call, for callers that do not cut parts themselves.

use std::error::Error;
use std::mem;
use std::pin::pin;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};

use super::NewUpload;
use crate::filestack::client::Filestack;
use crate::filestack::error::FilestackError;
use crate::filestack::policy::Grant;
use crate::filestack::store::StoredFile;

impl Filestack {
    /// Uploads bytes that are in memory; parts share them and copy nothing.
    ///
    /// # Errors
    /// [`FilestackError::Invalid`] when their number is not the announced size.
    pub async fn upload_bytes(
        &self,
        new: NewUpload,
        grant: Grant,
        mut bytes: Bytes,
    ) -> Result<StoredFile, FilestackError> {
        if new.size != bytes.len() as u64 {
            return Err(FilestackError::invalid(format!(
                "{} bytes were announced, not {}",
                new.size,
                bytes.len()
            )));
        }
        let mut upload = self.start_upload(new, grant).await?;
        while !bytes.is_empty() {
            let part = bytes.split_to(upload.next_part_len());
            upload.push(part).await?;
        }
        upload.complete().await
    }

    /// Uploads a body of known length while it comes in. At most the window and one part more are in memory.
    ///
    /// # Errors
    /// [`FilestackError::Interrupted`] with the stream's own error when it broke off; [`FilestackError::Invalid`] when it
    /// is shorter or longer than announced. Nothing is completed then.
    pub async fn upload_stream<S, E>(
        &self,
        new: NewUpload,
        grant: Grant,
        body: S,
    ) -> Result<StoredFile, FilestackError>
    where
        S: Stream<Item = Result<Bytes, E>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let mut upload = self.start_upload(new, grant).await?;
        let mut body = pin!(body);
        let mut part = BytesMut::new();
        while let Some(chunk) = body.next().await {
            let mut chunk = chunk.map_err(|error| FilestackError::Interrupted(error.into()))?;
            while !chunk.is_empty() {
                let wanted = upload.next_part_len();
                if wanted == 0 {
                    return Err(FilestackError::invalid("the body is longer than announced"));
                }
                if part.is_empty() {
                    upload.ready().await?;
                    part.reserve(wanted);
                }
                part.extend_from_slice(&chunk.split_to(chunk.len().min(wanted - part.len())));
                if part.len() == wanted {
                    upload.push(mem::take(&mut part).freeze()).await?;
                }
            }
        }
        upload.complete().await
    }
}
