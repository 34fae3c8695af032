//! The File API: what can be done to a file that is stored.

use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::Stream;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use url::Url;

use super::body::{in_time, send_streamed};
use super::client::Filestack;
use super::error::FilestackError;
use super::handle::Handle;
use super::policy::Grant;
use super::reply;
use super::retry::Retries;

/// Something that can be asked about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataField {
    /// Size in bytes.
    Size,
    /// Mime type.
    Mimetype,
    /// File name.
    Filename,
    /// Width of an image.
    Width,
    /// Height of an image.
    Height,
    /// When it was uploaded.
    Uploaded,
    /// Whether it can be overwritten.
    Writeable,
    /// Which cloud service it came from.
    Cloud,
    /// Which address it came from.
    SourceUrl,
    /// MD5 of the content.
    Md5,
    /// SHA-1 of the content.
    Sha1,
    /// SHA-256 of the content.
    Sha256,
    /// SHA-512 of the content.
    Sha512,
    /// The kind of storage it is in.
    Location,
    /// Its path there.
    Path,
    /// Its bucket there.
    Container,
    /// EXIF data; needs [`Purpose::StatExif`](super::Purpose::StatExif).
    Exif,
}

impl MetadataField {
    fn as_str(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Mimetype => "mimetype",
            Self::Filename => "filename",
            Self::Width => "width",
            Self::Height => "height",
            Self::Uploaded => "uploaded",
            Self::Writeable => "writeable",
            Self::Cloud => "cloud",
            Self::SourceUrl => "source_url",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
            Self::Location => "location",
            Self::Path => "path",
            Self::Container => "container",
            Self::Exif => "exif",
        }
    }
}

/// What Filestack knows about a file; only what was asked for is there.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// Size in bytes.
    pub size: Option<u64>,
    /// Mime type.
    pub mimetype: Option<String>,
    /// File name.
    pub filename: Option<String>,
    /// Width of an image.
    pub width: Option<u32>,
    /// Height of an image.
    pub height: Option<u32>,
    /// When it was uploaded.
    #[serde(deserialize_with = "from_milliseconds")]
    pub uploaded: Option<SystemTime>,
    /// Whether it can be overwritten.
    pub writeable: Option<bool>,
    /// Which cloud service it came from: a name, or `false`.
    pub cloud: Option<Value>,
    /// Which address it came from.
    pub source_url: Option<String>,
    /// MD5 of the content, hex.
    pub md5: Option<String>,
    /// SHA-1 of the content, hex.
    pub sha1: Option<String>,
    /// SHA-256 of the content, hex.
    pub sha256: Option<String>,
    /// SHA-512 of the content, hex.
    pub sha512: Option<String>,
    /// The kind of storage it is in.
    pub location: Option<String>,
    /// Its path there.
    pub path: Option<String>,
    /// Its bucket there.
    pub container: Option<String>,
    /// EXIF data.
    pub exif: Option<Value>,
}

/// Filestack gives milliseconds since 1970, sometimes with a fraction.
fn from_milliseconds<'de, D: Deserializer<'de>>(input: D) -> Result<Option<SystemTime>, D::Error> {
    let milliseconds = Option::<f64>::deserialize(input)?;
    Ok(milliseconds.and_then(|ms| UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(ms / 1000.0).ok()?)))
}

/// A file whose content was replaced. Name and type stay what they were.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Overwritten {
    /// Its plain delivery address.
    pub url: String,
    /// Its name.
    pub filename: String,
    /// Its type.
    pub mimetype: String,
    /// The new size.
    pub size: u64,
}

impl Filestack {
    /// Asks about a file; with no fields, Filestack chooses which to tell.
    ///
    /// # Errors
    /// [`FilestackError::NotFound`] when there is no such file.
    pub async fn metadata(
        &self,
        handle: &Handle,
        grant: Grant,
        fields: &[MetadataField],
    ) -> Result<Metadata, FilestackError> {
        let mut url = self.file_url(handle, "/metadata");
        url.query_pairs_mut()
            .extend_pairs(fields.iter().map(|field| (field.as_str(), "true")));
        sign(&mut url, &grant);
        let mut retries = Retries::new(self.options());
        loop {
            let request = self
                .request(Method::GET, url.clone())
                .timeout(self.options().response_timeout);
            match reply::call(request).await {
                Ok(metadata) => return Ok(metadata),
                Err(error) => retries.after(error).await?,
            }
        }
    }

    /// Deletes a file, record and content.
    ///
    /// When an attempt was cut off and its repetition finds no file, the first one did it: that is a success.
    ///
    /// # Errors
    /// [`FilestackError::NotFound`] when there was no such file to begin with.
    pub async fn delete(&self, handle: &Handle, grant: Grant) -> Result<(), FilestackError> {
        let mut url = self.file_url(handle, "");
        url.query_pairs_mut().append_pair("key", self.api_key().as_str());
        sign(&mut url, &grant);
        let mut retries = Retries::new(self.options());
        let mut may_be_done = false;
        loop {
            let request = self
                .request(Method::DELETE, url.clone())
                .timeout(self.options().response_timeout);
            match reply::command(request).await {
                Ok(()) => return Ok(()),
                Err(FilestackError::NotFound) if may_be_done => return Ok(()),
                Err(error) => {
                    may_be_done |= matches!(error, FilestackError::Unavailable { .. });
                    retries.after(error).await?;
                }
            }
        }
    }

    /// Replaces a file's content; doing it twice does no harm, so it is repeated after a failure.
    ///
    /// # Errors
    /// [`FilestackError::NotFound`] when there is no such file.
    pub async fn overwrite(
        &self,
        handle: &Handle,
        grant: Grant,
        content: Bytes,
    ) -> Result<Overwritten, FilestackError> {
        let url = self.overwrite_url(handle, &grant);
        let mut retries = Retries::new(self.options());
        loop {
            let request = self
                .request(Method::POST, url.clone())
                .header(CONTENT_TYPE, "application/octet-stream")
                .timeout(self.options().time_for(content.len()))
                .body(content.clone());
            match reply::call(request).await {
                Ok(overwritten) => return Ok(overwritten),
                Err(error) => retries.after(error).await?,
            }
        }
    }

    /// Replaces a file's content by a body of unknown length, sent once while it comes in.
    ///
    /// # Errors
    /// [`FilestackError::Interrupted`] with the stream's own error when it broke off.
    pub async fn overwrite_stream<S, E>(
        &self,
        handle: &Handle,
        grant: Grant,
        body: S,
    ) -> Result<Overwritten, FilestackError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let url = self.overwrite_url(handle, &grant);
        let request = self
            .request(Method::POST, url)
            .header(CONTENT_TYPE, "application/octet-stream");
        let (response, _) = send_streamed(self.options(), request, body).await?;
        in_time(self.options(), reply::read_json(response)).await
    }

    /// Has Filestack replace a file's content by what is at an address.
    ///
    /// # Errors
    /// [`FilestackError::NotFound`] when there is no such file.
    pub async fn overwrite_from_url(
        &self,
        handle: &Handle,
        grant: Grant,
        source: &Url,
    ) -> Result<Overwritten, FilestackError> {
        let url = self.overwrite_url(handle, &grant);
        let mut retries = Retries::new(self.options());
        loop {
            let request = self
                .request(Method::POST, url.clone())
                .timeout(self.options().complete_timeout)
                .form(&[("url", source.as_str())]);
            match reply::call(request).await {
                Ok(overwritten) => return Ok(overwritten),
                Err(error) => retries.after(error).await?,
            }
        }
    }

    fn overwrite_url(&self, handle: &Handle, grant: &Grant) -> Url {
        let mut url = self.file_url(handle, "");
        sign(&mut url, grant);
        url
    }
}

fn sign(url: &mut Url, grant: &Grant) {
    url.query_pairs_mut()
        .append_pair("policy", grant.policy())
        .append_pair("signature", grant.signature());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_read_as_loosely_as_it_is_written() {
        let text = r#"{"size":12,"width":null,"uploaded":1700000000123.4567,"cloud":false,"new":1,"writeable":true}"#;
        let metadata: Metadata = serde_json::from_str(text).unwrap();
        assert_eq!(
            (metadata.size, metadata.width, metadata.writeable),
            (Some(12), None, Some(true))
        );
        let since = metadata.uploaded.unwrap().duration_since(UNIX_EPOCH).unwrap();
        assert_eq!(since.as_millis(), 1_700_000_000_123);
        assert_eq!(
            serde_json::from_str::<Metadata>("{}").unwrap(),
            Metadata::default()
        );
        let odd: Metadata = serde_json::from_str(r#"{"uploaded":-5e300}"#).unwrap();
        assert_eq!(odd.uploaded, None);
    }
}
