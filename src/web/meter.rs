//! How far a connection is read ahead of whoever takes its bytes.
//!
//! actix reads 128 KiB of every connection beyond what it has handed on, whether or not anybody wants them: some hundred uploads that
//! wait for memory would hold more of it than what they wait for. The bytes of an upload are read only as they are taken, and the rest
//! waits where it was sent from.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

/// How far an upload is read ahead. What else is under way on a fast network is in the system's own buffers.
const AHEAD: usize = 32 * 1_024;

/// What the connection and whoever takes its bytes have in common. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Meter(Rc<RefCell<Gauge>>);

#[derive(Debug, Default)]
struct Gauge {
    /// How many more bytes may be read; `None` while nobody counts.
    allowance: Option<usize>,
    /// Who wants to read and may not.
    waiting: Option<Waker>,
}

impl Meter {
    /// From now on bytes are read only as they are [taken](Counting::take), until what this gives is dropped.
    pub fn count(&self) -> Counting {
        self.allow(|_| Some(AHEAD));
        Counting(self.clone())
    }

    fn allow(&self, change: impl FnOnce(Option<usize>) -> Option<usize>) {
        let waiting = {
            let mut gauge = self.0.borrow_mut();
            gauge.allowance = change(gauge.allowance);
            gauge.waiting.take()
        };
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }
}

/// As long as it lives, bytes are counted.
#[derive(Debug)]
pub struct Counting(Meter);

impl Counting {
    /// So many bytes have been taken: as many more may be read.
    pub fn take(&self, bytes: usize) {
        self.0
            .allow(|allowance| allowance.map(|allowance| allowance.saturating_add(bytes).min(AHEAD)));
    }

    /// Nothing is left to take: what was read and not taken was no part of the body, such as the lengths of a chunked body's chunks.
    pub fn want(&self) {
        self.0.allow(|allowance| allowance.map(|_| AHEAD));
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.0.allow(|_| None);
    }
}

/// A connection that is read no further than its meter allows.
#[derive(Debug)]
pub struct Metered {
    stream: TcpStream,
    meter: Meter,
}

impl Metered {
    /// The connection, as yet with nobody who counts.
    pub fn new(stream: TcpStream) -> Self {
        Metered {
            stream,
            meter: Meter::default(),
        }
    }

    /// For whoever takes the bytes.
    pub fn meter(&self) -> Meter {
        self.meter.clone()
    }

    /// Who is at the other end.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.stream.peer_addr().ok()
    }

    fn stream(self: Pin<&mut Self>) -> Pin<&mut TcpStream> {
        Pin::new(&mut self.get_mut().stream)
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let allowance = {
            let mut gauge = self.meter.0.borrow_mut();
            if gauge.allowance == Some(0) {
                gauge.waiting = Some(context.waker().clone());
                return Poll::Pending;
            }
            gauge.allowance
        };
        let Some(allowance) = allowance else {
            return self.stream().poll_read(context, into);
        };
        let before = into.filled().len();
        let mut some = (&mut self.stream).take(allowance as u64);
        let outcome = Pin::new(&mut some).poll_read(context, into);
        let read = into.filled().len() - before;
        self.meter.0.borrow_mut().allowance = Some(allowance.saturating_sub(read));
        outcome
    }
}

impl AsyncWrite for Metered {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream().poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (TcpStream, Metered) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let client = TcpStream::connect(listener.local_addr().expect("an address"));
        let (client, server) = futures_util::join!(client, listener.accept());
        (
            client.expect("connected"),
            Metered::new(server.expect("accepted").0),
        )
    }

    #[actix_web::test]
    async fn bytes_are_read_only_as_they_are_taken() {
        let (mut client, mut server) = pair().await;
        let counting = server.meter().count();
        client.write_all(&[7; 3 * AHEAD]).await.expect("sent");
        let mut got = vec![0; 3 * AHEAD];
        server.read_exact(&mut got[..AHEAD]).await.expect("read");
        assert!(
            server.read(&mut got).now_or_never().is_none(),
            "nothing was taken"
        );
        counting.take(10);
        assert_eq!(server.read(&mut got).await.expect("read"), 10);
        assert!(server.read(&mut got).now_or_never().is_none());
        drop(counting);
        server
            .read_exact(&mut got[..2 * AHEAD - 10])
            .await
            .expect("the rest");
    }

    #[actix_web::test]
    async fn who_waits_to_read_is_woken_when_bytes_are_taken() {
        let (mut client, mut server) = pair().await;
        let counting = server.meter().count();
        client.write_all(&[7; 2 * AHEAD]).await.expect("sent");
        let mut got = vec![0; 2 * AHEAD];
        server.read_exact(&mut got[..AHEAD]).await.expect("read");
        let taking = async {
            // Twice round, so that the reader is asleep.
            tokio::task::yield_now().await;
            counting.take(AHEAD);
        };
        let (read, ()) = futures_util::join!(server.read_exact(&mut got[..AHEAD]), taking);
        read.expect("read");
    }
}
