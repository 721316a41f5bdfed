//! What a client is still sending when its answer is ready.
//!
//! Over HTTP/1.1 a client reads the answer when it has sent its request. A server that answers early (too large, nobody
//! signed in) and closes the connection with bytes unread makes the system reset it, and the answer is lost on the way:
//! a browser shows "the connection was reset" instead of the page that says why. So the rest of the body is read and
//! thrown away before the answer goes out, within bounds of size and time. Nothing of it is kept.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody as _};
use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::{Stream as _, StreamExt as _, stream};

/// Most bytes that are thrown away: thirty times the largest file that can be uploaded. Who announces more gets the
/// answer at once, and may lose it.
const REST_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Longest time for them, as for a body that is read.
const REST_TIME_MAX: Duration = Duration::from_secs(30);

/// Layer that reads what a handler has left of the request.
pub async fn read_it(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let announced = body.size_hint().lower();
    if body.is_end_stream() || announced > REST_BYTES_MAX {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let waits = parts.headers.contains_key(header::EXPECT);
    let owned = Arc::new(Mutex::new(body.into_data_stream()));
    let begun = Arc::new(AtomicBool::new(false));
    let lent = lend(owned.clone(), begun.clone());
    let response = next.run(Request::from_parts(parts, lent)).await;
    // Who asks first whether to send at all (`Expect: 100-continue`) has sent nothing, and is told now.
    if !waits || begun.load(Ordering::Relaxed) {
        // A handler that goes on reading by itself leaves nothing to us.
        if let Some(rest) = Arc::into_inner(owned) {
            throw_away(rest.into_inner().unwrap_or_else(PoisonError::into_inner)).await;
        }
    }
    response
}

fn lend(owned: Arc<Mutex<BodyDataStream>>, begun: Arc<AtomicBool>) -> Body {
    Body::from_stream(stream::poll_fn(move |cx| {
        begun.store(true, Ordering::Relaxed);
        let mut body = owned.lock().unwrap_or_else(PoisonError::into_inner);
        Pin::new(&mut *body).poll_next(cx)
    }))
}

async fn throw_away(mut rest: BodyDataStream) {
    let reading = async {
        let mut left = REST_BYTES_MAX;
        while let Some(Ok(bytes)) = rest.next().await {
            match left.checked_sub(bytes.len() as u64) {
                Some(less) => left = less,
                None => break,
            }
        }
    };
    // Whoever is too slow gets the answer now, and may lose it.
    let _ = tokio::time::timeout(REST_TIME_MAX, reading).await;
}
