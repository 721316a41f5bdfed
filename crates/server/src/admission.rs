//! Which connections are let in, and when.
//!
//! - Beyond `connections_max` a connection is closed at once, so that a flood costs a file descriptor for an instant.
//! - Of those within it, [`YOUNG_MAX`] at a time are *young*: in their TLS handshake, or with a first request that has no
//!   answer yet. The others wait before their handshake, in the order of their coming, as a socket and nothing more. At
//!   nine o'clock a whole company opens connections within seconds; when the machine is slower than they come, a
//!   handshake for everybody at once would take 70 KB for each, and end in 503 for requests that had already cost the most.
//! - Whoever is young without a word holds up others for [`YOUNG_TIME_MAX`] at most; after that it is one of those who are
//!   let in, and the limits on handshakes and heads end it.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};
use tower::Service;

use crate::app::Shared;

/// Young connections at a time, with 54 MB at most: fewer than the writer's queue takes (1,024), so that none of them is told to
/// come later, and more than a group of punches.
pub const YOUNG_MAX: usize = 768;

/// How long one stays young at most.
const YOUNG_TIME_MAX: Duration = Duration::from_secs(2);

/// Lets connections in.
#[derive(Clone)]
pub(crate) struct Admission {
    room: Arc<Semaphore>,
    young: Arc<Semaphore>,
    app: Shared,
}

impl Admission {
    pub(crate) fn new(app: Shared) -> Self {
        let room = Arc::new(Semaphore::new(app.settings.connections_max));
        Self { room, young: Arc::new(Semaphore::new(YOUNG_MAX)), app }
    }
}

impl<S: Send + 'static> Accept<TcpStream, S> for Admission {
    type Stream = Counted;
    type Service = FirstAnswer<S>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Counted, FirstAnswer<S>)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let Ok(room) = self.room.clone().try_acquire_owned() else {
            self.app.metrics.refused_connection();
            return Box::pin(std::future::ready(Err(io::Error::other("too many connections"))));
        };
        let young = self.young.clone();
        Box::pin(async move {
            stream.set_nodelay(true)?;
            let young = Young::new(young.acquire_owned().await.map_err(io::Error::other)?);
            let until = Some(Box::pin(sleep(YOUNG_TIME_MAX)));
            Ok((Counted { stream, _room: room, young: young.clone(), until }, FirstAnswer { service, young }))
        })
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
