//! Something that answers where our server should be: a hotel's login page, a broken proxy, a liar.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Result;

use crate::wait_for;

/// A listener that gives every request the same bytes, on a port that our server has left. Ends when dropped.
pub struct FakeServer {
    port: u16,
    requests: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl FakeServer {
    /// Starts it on `port`.
    ///
    /// # Errors
    /// When the port does not become free.
    pub fn start(port: u16, answer: impl Fn(u16) -> Vec<u8> + Send + 'static) -> Result<Self> {
        Self::start_with(port, move |stream, _| serve(stream, &answer(port)))
    }

    /// Starts one on `port` that never comes to an end: after `beginning` it gives the bytes of `rest` over
    /// and over, one each `pause`, until the client goes away or this ends.
    ///
    /// # Errors
    /// When the port does not become free.
    pub fn start_endless(
        port: u16,
        beginning: &'static str,
        rest: &'static str,
        pause: Duration,
    ) -> Result<Self> {
        Self::start_with(port, move |mut stream, ended| {
            let ended = Arc::clone(ended);
            // Clients that try again while one still hangs are served as well.
            thread::spawn(move || {
                serve_part(&mut stream, beginning.as_bytes())?;
                for byte in rest.bytes().cycle().take_while(|_| !ended.load(Ordering::Relaxed)) {
                    thread::sleep(pause);
                    stream.write_all(&[byte])?;
                }
                Ok::<_, anyhow::Error>(())
            });
            Ok(())
        })
    }

    fn start_with(
        port: u16,
        serve: impl Fn(TcpStream, &Arc<AtomicBool>) -> Result<()> + Send + 'static,
    ) -> Result<Self> {
        let listener = wait_for("the port", || Ok(TcpListener::bind(("127.0.0.1", port)).ok()))?;
        let (requests, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (counter, end) = (Arc::clone(&requests), Arc::clone(&ended));
        let thread = thread::spawn(move || {
            for stream in listener.incoming().map_while(std::result::Result::ok) {
                if end.load(Ordering::Relaxed) {
                    return;
                }
                counter.fetch_add(1, Ordering::Relaxed);
                // A client that goes away in the middle is part of the game.
                let _ = serve(stream, &end);
            }
        });
        Ok(Self { port, requests, ended, thread: Some(thread) })
    }

    /// Requests so far.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the listener, which then sees that it has ended.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(mut stream: TcpStream, answer: &[u8]) -> Result<()> {
    serve_part(&mut stream, answer)
}

fn serve_part(stream: &mut TcpStream, answer: &[u8]) -> Result<()> {
    let mut request = [0; 65536];
    let mut read = 0;
    // Reads until the headers and, by their length, the body are there.
    while read < request.len() {
        let count = stream.read(&mut request[read..])?;
        read += count;
        if count == 0 || is_complete(&request[..read]) {
            break;
        }
    }
    stream.write_all(answer)?;
    Ok(())
}

fn is_complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok()
    });
    body.len() >= length.unwrap_or(0)
}

/// An HTTP answer.
#[must_use]
pub fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
        .into_bytes()
}
