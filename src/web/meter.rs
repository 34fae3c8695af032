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
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

/// How far all uploads together are read ahead. What else is under way on a fast network is in the system's own buffers.
const AHEAD_OF_ALL: usize = 8 * 1_024 * 1_024;
/// How far one of them is: few go on in large steps, many hold little each.
const MOST_AHEAD: usize = 64 * 1_024;
const LEAST_AHEAD: usize = 8 * 1_024;
/// What is read in one go while nobody counts: then whoever is to take the bytes may say so.
const AT_ONCE: usize = 16 * 1_024;

/// How many uploads of one server are counted. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn ahead_of_each(&self) -> usize {
        let uploads = self.0.load(Ordering::Relaxed).max(1);
        (AHEAD_OF_ALL / uploads).clamp(LEAST_AHEAD, MOST_AHEAD)
    }
}

/// What the connection and whoever takes its bytes have in common. Clones share it.
#[derive(Clone, Debug)]
pub struct Meter {
    gauge: Rc<RefCell<Gauge>>,
    counted: Counted,
}

#[derive(Debug, Default)]
struct Gauge {
    /// How many more bytes may be read; `None` while nobody counts.
    allowance: Option<usize>,
    /// Read in one go while nobody counts.
    at_once: usize,
    /// Who wants to read and may not.
    waiting: Option<Waker>,
}

impl Meter {
    /// From now on bytes are read only as they are [taken](Counting::take), until what this gives is dropped.
    pub fn count(&self) -> Counting {
        self.counted.0.fetch_add(1, Ordering::Relaxed);
        self.allow(|_| Some(self.counted.ahead_of_each()));
        Counting(self.clone())
    }

    fn allow(&self, change: impl FnOnce(Option<usize>) -> Option<usize>) {
        let waiting = {
            let mut gauge = self.gauge.borrow_mut();
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
        let ahead = self.0.counted.ahead_of_each();
        self.0
            .allow(|allowance| allowance.map(|allowance| allowance.saturating_add(bytes).min(ahead)));
    }

    /// Nothing is left to take: what was read and not taken was no part of the body, such as the lengths of a chunked body's chunks.
    pub fn want(&self) {
        let ahead = self.0.counted.ahead_of_each();
        self.0.allow(|allowance| allowance.map(|_| ahead));
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.0.counted.0.fetch_sub(1, Ordering::Relaxed);
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
    pub fn new(stream: TcpStream, counted: Counted) -> Self {
        let gauge = Rc::default();
        Metered {
            stream,
            meter: Meter { gauge, counted },
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

impl Gauge {
    /// How many bytes may be read now; `None` when the reader has to come again later, and will be woken for it.
    fn room(&mut self, context: &mut Context<'_>) -> Option<usize> {
        match self.allowance {
            Some(0) => {
                self.waiting = Some(context.waker().clone());
                None
            }
            Some(allowance) => Some(allowance),
            None if self.at_once >= AT_ONCE => {
                self.at_once = 0;
                context.waker().wake_by_ref();
                None
            }
            None => Some(AT_ONCE - self.at_once),
        }
    }

    /// So many bytes were read; none when there were none.
    fn note(&mut self, bytes: usize) {
        match &mut self.allowance {
            Some(allowance) => *allowance = allowance.saturating_sub(bytes),
            None if bytes == 0 => self.at_once = 0,
            None => self.at_once += bytes,
        }
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(room) = self.meter.gauge.borrow_mut().room(context) else {
            return Poll::Pending;
        };
        let before = into.filled().len();
        let mut some = (&mut self.stream).take(room as u64);
        let outcome = Pin::new(&mut some).poll_read(context, into);
        let read = into.filled().len() - before;
        self.meter.gauge.borrow_mut().note(read);
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
            Metered::new(server.expect("accepted").0, Counted::default()),
        )
    }

    #[actix_web::test]
    async fn bytes_are_read_only_as_they_are_taken() {
        let (mut client, mut server) = pair().await;
        let counting = server.meter().count();
        client.write_all(&[7; 3 * MOST_AHEAD]).await.expect("sent");
        let mut got = vec![0; 3 * MOST_AHEAD];
        server.read_exact(&mut got[..MOST_AHEAD]).await.expect("read");
        assert!(
            server.read(&mut got).now_or_never().is_none(),
            "nothing was taken"
        );
        counting.take(10);
        assert_eq!(server.read(&mut got).await.expect("read"), 10);
        assert!(server.read(&mut got).now_or_never().is_none());
        drop(counting);
        server
            .read_exact(&mut got[..2 * MOST_AHEAD - 10])
            .await
            .expect("the rest");
    }

    #[actix_web::test]
    async fn many_uploads_are_read_ahead_less_each_and_never_more_than_their_share() {
        let counted = Counted::default();
        let meters: Vec<Meter> = (0..1_000)
            .map(|_| Meter {
                gauge: Rc::default(),
                counted: counted.clone(),
            })
            .collect();
        let counting: Vec<Counting> = meters.iter().map(Meter::count).collect();
        counting.iter().for_each(|counting| counting.take(MOST_AHEAD));
        let ahead: usize = meters
            .iter()
            .map(|meter| meter.gauge.borrow().allowance.expect("counted"))
            .sum();
        assert!(ahead <= AHEAD_OF_ALL, "{ahead}");
        drop(counting);
        assert_eq!(counted.ahead_of_each(), MOST_AHEAD);
    }

    #[actix_web::test]
    async fn who_reads_while_nobody_counts_comes_up_for_air() {
        let (mut client, mut server) = pair().await;
        client.write_all(&[7; 3 * AT_ONCE]).await.expect("sent");
        let mut got = vec![0; 3 * AT_ONCE];
        let mut read = 0;
        while let Some(more) = server.read(&mut got[read..]).now_or_never() {
            read += more.expect("read");
        }
        assert_eq!(read, AT_ONCE, "in one go");
        server.read_exact(&mut got[read..]).await.expect("the rest");
    }

    #[actix_web::test]
    async fn who_waits_to_read_is_woken_when_bytes_are_taken() {
        let (mut client, mut server) = pair().await;
        let counting = server.meter().count();
        client.write_all(&[7; 2 * MOST_AHEAD]).await.expect("sent");
        let mut got = vec![0; 2 * MOST_AHEAD];
        server.read_exact(&mut got[..MOST_AHEAD]).await.expect("read");
        let taking = async {
            // Twice round, so that the reader is asleep.
            tokio::task::yield_now().await;
            counting.take(MOST_AHEAD);
        };
        let (read, ()) = futures_util::join!(server.read_exact(&mut got[..MOST_AHEAD]), taking);
        read.expect("read");
    }
}
