//! Forms (§3.8, §3.10): however a body is cut into pieces, it is read the same, and never more of it than is allowed.

use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use bytes::Bytes;
use futures_util::stream;

use super::form_data::{FormData, MAX_FIELDS, Trouble};

/// Bytes of all values together.
const MOST: usize = 4096;
/// Everything is there from the start, so waiting this long means waiting for ever.
const SILENCE: Duration = Duration::from_secs(5);

/// The first line is the content type, the first byte of the rest the size of its pieces.
pub fn run(data: &[u8]) {
    let split = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let Ok(kind) = HeaderValue::from_bytes(&data[..split]) else { return };
    let Some((size, body)) = data.get(split + 1..).and_then(<[u8]>::split_first) else {
        return;
    };
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, kind);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime of one thread can be made");
    runtime.block_on(async {
        let whole = pairs(&headers, body, body.len()).await;
        let pieces = pairs(&headers, body, usize::from(*size)).await;
        if let (Ok(whole), Ok(pieces)) = (&whole, &pieces) {
            assert_eq!(whole, pieces);
        }
        for pairs in [whole, pieces].into_iter().flatten() {
            assert!(pairs.len() <= MAX_FIELDS);
            assert!(pairs.iter().map(|(_, value)| value.len()).sum::<usize>() <= MOST);
        }
        read_over(&headers, body, usize::from(*size)).await;
    });
}

async fn pairs(headers: &HeaderMap, body: &[u8], size: usize) -> Result<Vec<(String, String)>, Trouble> {
    let pairs = form(headers, body, size).pairs(MOST).await;
    assert_ne!(pairs, Err(Trouble::Silent), "it waits although all is there");
    pairs
}

/// As the REST store reads: some fields to their end, some not at all.
async fn read_over(headers: &HeaderMap, body: &[u8], size: usize) {
    let mut form = form(headers, body, size);
    let mut fields = 0;
    while let Ok(Some(mut field)) = form.next().await {
        fields += 1;
        assert!(fields <= MAX_FIELDS);
        let _ = (field.filename().map(str::len), field.mimetype());
        let mut taken = 0;
        while fields % 2 == 1
            && let Ok(Some(bytes)) = field.bytes().await
        {
            taken += bytes.len();
        }
        assert!(taken <= body.len());
    }
}

fn form(headers: &HeaderMap, body: &[u8], size: usize) -> FormData {
    let pieces: Vec<_> = body
        .chunks(size.max(1))
        .map(|piece| Ok::<_, PayloadError>(Bytes::copy_from_slice(piece)))
        .collect();
    FormData::new(headers, stream::iter(pieces), SILENCE)
}
