//! Which connections are let in, and when.
//!
//! - Beyond `connections_max` a connection is closed at once, so that a flood costs a file descriptor for an instant.
//! - Of those within it, [`YOUNG_MAX`] at a time are *young*: in their TLS handshake, or with a first request that has no
//!   answer yet. The others wait at the [`Door`], in the order of their coming, as a socket and nothing more: no task, no
//!   buffer. At nine o'clock a whole company opens connections within seconds; when the machine is slower than they come,
//!   a handshake for everybody at once would take 70 KB for each, and end in 503 for requests that had already cost the most.
//! - Whoever is young without a word holds up others for [`YOUNG_TIME_MAX`] at most; after that it is one of those who are
//!   let in, and the limits on handshakes and heads end it.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener as BoundListener};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum_server::accept::Accept;
use axum_server::{AddrListener, Address};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};
use tower::Service;

use crate::app::Shared;

/// Young connections at a time, with 36 MB at most: fewer than the writer's queue takes (1,024), so that none of them is told to
/// come later, and more than a group of punches.
pub const YOUNG_MAX: usize = 512;

/// How long one stays young at most.
const YOUNG_TIME_MAX: Duration = Duration::from_secs(2);

/// Where connections come in: an address whose sockets wait at a [`Door`].
#[derive(Clone)]
pub(crate) struct Peer(SocketAddr);

impl Address for Peer {
    type Stream = Arrived;
    type Listener = Door;
}

impl Connected<Peer> for SocketAddr {
    fn connect_info(peer: Peer) -> Self {
        peer.0
    }
}

/// A socket with its places.
pub(crate) struct Arrived {
    stream: TcpStream,
    room: OwnedSemaphorePermit,
    young: OwnedSemaphorePermit,
}

/// One that has no place among the young yet.
struct Waiting {
    stream: TcpStream,
    peer: SocketAddr,
    room: OwnedSemaphorePermit,
}

/// A listening socket, and those who wait behind it.
pub(crate) struct Door {
    listener: TcpListener,
    waiting: Mutex<VecDeque<Waiting>>,
    room: Arc<Semaphore>,
    young: Arc<Semaphore>,
    app: Shared,
}

impl Door {
    /// Opens it; the socket is one that does not block.
    pub(crate) fn new(listener: BoundListener, app: Shared) -> io::Result<Self> {
        Ok(Self {
            listener: TcpListener::from_std(listener)?,
            waiting: Mutex::default(),
            room: Arc::new(Semaphore::new(app.settings.connections_max)),
            young: Arc::new(Semaphore::new(YOUNG_MAX)),
            app,
        })
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets one wait, or closes it.
    fn come(&self, stream: TcpStream, peer: SocketAddr) {
        match self.room.clone().try_acquire_owned() {
            Ok(room) => self.waiting().push_back(Waiting { stream, peer, room }),
            Err(_) => self.app.metrics.refused_connection(),
        }
    }

    fn next(&self, young: OwnedSemaphorePermit) -> Option<(Arrived, Peer)> {
        let Waiting { stream, peer, room } = self.waiting().pop_front()?;
        Some((Arrived { stream, room, young }, Peer(peer)))
    }
}

impl AddrListener<Arrived, Peer> for Door {
    /// Not offered: a door is opened on a socket that is already bound, so that a taken address is told before anything
    /// else is started.
    async fn bind_to(_: Peer) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The next one for whom there is a place. While there is none, those who come are taken from the kernel, whose own
    /// queue is short. Nothing is lost when this is dropped half-way.
    async fn accept_stream(&self) -> io::Result<(Arrived, Peer)> {
        loop {
            let somebody_waits = !self.waiting().is_empty();
            tokio::select! {
                biased;
                young = self.young.clone().acquire_owned(), if somebody_waits => {
                    if let Some(next) = self.next(young.map_err(io::Error::other)?) {
                        return Ok(next);
                    }
                }
                come = self.listener.accept() => {
                    let (stream, peer) = come?;
                    self.come(stream, peer);
                }
            }
        }
    }

    fn get_local_addr(&self) -> io::Result<Peer> {
        self.listener.local_addr().map(Peer)
    }
}

/// Makes a connection of a socket that was let in.
#[derive(Clone)]
pub(crate) struct Admission;

impl<S> Accept<Arrived, S> for Admission {
    type Stream = Counted;
    type Service = FirstAnswer<S>;
    type Future = std::future::Ready<io::Result<(Counted, FirstAnswer<S>)>>;

    fn accept(&self, Arrived { stream, room, young }: Arrived, service: S) -> Self::Future {
        let young = Young::new(young);
        let until = Some(Box::pin(sleep(YOUNG_TIME_MAX)));
        std::future::ready(stream.set_nodelay(true).map(|()| {
            (Counted { stream, _room: room, young: young.clone(), until }, FirstAnswer { service, young })
        }))
    }
}

/// One of the places for the young, until it is given back.
#[derive(Clone)]
pub(crate) struct Young(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

impl Young {
    fn new(place: OwnedSemaphorePermit) -> Self {
        Self(Arc::new(Mutex::new(Some(place))))
    }

    fn is_over(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn end(&self) {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// Ends a connection's youth with its first answer.
#[derive(Clone)]
pub(crate) struct FirstAnswer<S> {
    service: S,
    young: Young,
}

impl<S, R> Service<R> for FirstAnswer<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let (answer, young) = (self.service.call(request), self.young.clone());
        Box::pin(async move {
            let answer = answer.await;
            young.end();
            answer
        })
    }
}

/// A connection that counts until it is closed.
pub(crate) struct Counted {
    stream: TcpStream,
    _room: OwnedSemaphorePermit,
    young: Young,
    /// When its youth ends in any case; absent once it has.
    until: Option<Pin<Box<Sleep>>>,
}

impl Counted {
    /// Looks at the clock; whoever waits for bytes is woken by it, too.
    fn grow(&mut self, cx: &mut Context<'_>) {
        let Some(until) = &mut self.until else { return };
        if self.young.is_over() || until.as_mut().poll(cx).is_ready() {
            self.young.end();
            self.until = None;
        }
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.grow(cx);
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
