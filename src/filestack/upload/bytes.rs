//! The bytes of a part: in one piece, or in several as the caller's memory had them.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use reqwest::header::CONTENT_LENGTH;
use reqwest::{Body, RequestBuilder};

/// Bytes digested in one go: a tenth of a millisecond's work.
const DIGEST_STEP: usize = 64 * 1_024;

/// The bytes of a part. Clones share them.
///
/// Several megabytes need not be in one piece: a caller whose memory comes in equal blocks can use the same blocks again and again,
/// where large pieces of many sizes leave holes that nothing else fits in.
#[derive(Clone, Debug, Default)]
pub struct PartBytes {
    pieces: Vec<Bytes>,
    length: usize,
}

impl PartBytes {
    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The pieces, in order.
    pub fn pieces(&self) -> &[Bytes] {
        &self.pieces
    }

    /// Gives the bytes to a digest, in order. Between two steps whoever waits for the processor may have it: digests are most of an
    /// upload's work, and the system would let them go on for milliseconds while somebody waits for a small answer.
    pub fn digest_with(&self, mut update: impl FnMut(&[u8])) {
        let mut since = 0;
        for step in self.pieces.iter().flat_map(|piece| piece.chunks(DIGEST_STEP)) {
            update(step);
            since += step.len();
            if since >= DIGEST_STEP {
                since = 0;
                std::thread::yield_now();
            }
        }
    }

    /// So many bytes from this place on, or as many as there are; shared, not copied.
    pub(super) fn slice(&self, mut from: usize, most: usize) -> Self {
        let mut left = most.min(self.length.saturating_sub(from));
        let mut pieces = Vec::new();
        for piece in &self.pieces {
            if left == 0 {
                break;
            }
            if from >= piece.len() {
                from -= piece.len();
                continue;
            }
            let end = piece.len().min(from + left);
            left -= end - from;
            pieces.push(piece.slice(from..end));
            from = 0;
        }
        Self::from(pieces)
    }

    /// Sends them as the body of a request, with their length: storage takes no body without one.
    pub(super) fn send_with(self, request: RequestBuilder) -> RequestBuilder {
        let mut pieces = self.pieces;
        match pieces.len() {
            0 => request.body(Bytes::new()),
            1 => request.body(pieces.swap_remove(0)),
            _ => {
                let pieces = pieces.into_iter().map(Ok::<_, Infallible>);
                request
                    .header(CONTENT_LENGTH, self.length)
                    .body(Body::wrap_stream(stream::iter(pieces)))
            }
        }
    }
}

impl From<Bytes> for PartBytes {
    fn from(bytes: Bytes) -> Self {
        Self::from(vec![bytes])
    }
}

impl From<Vec<Bytes>> for PartBytes {
    fn from(mut pieces: Vec<Bytes>) -> Self {
        pieces.retain(|piece| !piece.is_empty());
        PartBytes {
            length: pieces.iter().map(Bytes::len).sum(),
            pieces,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_the_same_wherever_the_pieces_end() {
        let whole: Vec<u8> = (0..20).collect();
        let pieces = PartBytes::from(vec![
            Bytes::copy_from_slice(&whole[..7]),
            Bytes::new(),
            Bytes::copy_from_slice(&whole[7..8]),
            Bytes::copy_from_slice(&whole[8..]),
        ]);
        assert_eq!(pieces.len(), 20);
        for from in 0..22 {
            for most in 0..22 {
                let slice = pieces.slice(from, most);
                let expected: Vec<u8> = whole.iter().skip(from).take(most).copied().collect();
                assert_eq!(slice.pieces().concat(), expected, "{most} from {from}");
                assert_eq!(slice.len(), expected.len());
            }
        }
    }
}
