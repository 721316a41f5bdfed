//! An office's HTTP proxy, well-behaved or not.
//!
//! Tunnels (`CONNECT`) and plain requests in absolute form, each connection on a thread of its own.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

/// How a proxy behaves.
#[derive(Debug, Clone)]
pub enum Manner {
    /// Lets everything through.
    Open,
    /// Wants this `user:password`, base64, by Basic.
    WantsBasic(&'static str),
    /// The same, but its first answer offers Negotiate beside Basic.
    WantsWindows(&'static str),
    /// 407 to everything, with these lines of `Proxy-Authenticate`.
    Offers(&'static [&'static str]),
    /// Answers every wish for a tunnel with this status line and page.
    Refuses(&'static str, &'static str),
    /// Says yes to a tunnel and then answers itself, with these bytes.
    AnswersItself(Vec<u8>),
    /// Takes the connection and says nothing.
    Hangs,
    /// Closes the connection at once.
    HangsUp,
}

/// A proxy on loopback. Ends when dropped.
pub struct FakeProxy {
    port: u16,
    tunnels: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
    ended: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl FakeProxy {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// When there is none.
    pub fn start(manner: Manner) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let (tunnels, heads) = (Arc::new(AtomicUsize::new(0)), Arc::<Mutex<Vec<String>>>::default());
        let ended = Arc::new(AtomicBool::new(false));
        let (counter, notes, end) = (Arc::clone(&tunnels), Arc::clone(&heads), Arc::clone(&ended));
        let thread = thread::spawn(move || {
            for stream in listener.incoming().map_while(std::result::Result::ok) {
                if end.load(Ordering::Relaxed) {
                    return;
                }
                let one = One {
                    manner: manner.clone(),
                    tunnels: Arc::clone(&counter),
                    heads: Arc::clone(&notes),
                    ended: Arc::clone(&end),
                };
                // A client that goes away in the middle is part of the game.
                thread::spawn(move || one.serve(stream));
            }
        });
        Ok(Self { port, tunnels, heads, ended, thread: Some(thread) })
    }

    /// `host:port`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Requests that went through to a server.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.tunnels.load(Ordering::Relaxed)
    }

    /// The heads of all requests so far.
    #[must_use]
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for FakeProxy {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the listener, which then sees that it has ended.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One connection.
struct One {
    manner: Manner,
    tunnels: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
    ended: Arc<AtomicBool>,
}

impl One {
    fn serve(&self, mut client: TcpStream) -> Result<()> {
        match &self.manner {
            Manner::HangsUp => return Ok(()),
            Manner::Hangs => {
                while !self.ended.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(50));
                }
                return Ok(());
            }
            Manner::Open
            | Manner::WantsBasic(_)
            | Manner::WantsWindows(_)
            | Manner::Offers(_)
            | Manner::Refuses(..)
            | Manner::AnswersItself(_) => {}
        }
        let head = head_of(&mut client)?;
        let first = {
            let mut heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
            heads.push(head.clone());
            heads.len() == 1
        };
        match &self.manner {
            Manner::WantsWindows(_) if first => {
                let offers = ["Negotiate", "Basic realm=\"office\""];
                refuse(&mut client, "407 Proxy Authentication Required", &offers, "")
            }
            Manner::WantsBasic(login) | Manner::WantsWindows(login)
                if !head.contains(&format!("Basic {login}")) =>
            {
                refuse(&mut client, "407 Proxy Authentication Required", &["Basic realm=\"office\""], "")
            }
            Manner::Offers(schemes) => refuse(&mut client, "407 Proxy Authentication Required", schemes, ""),
            Manner::Refuses(status, page) => refuse(&mut client, status, &[], page),
            Manner::AnswersItself(answer) => {
                client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
                head_of(&mut client)?;
                client.write_all(answer)?;
                // What the client still sends must not turn the close into a reset.
                client.shutdown(Shutdown::Write)?;
                std::io::copy(&mut client, &mut std::io::sink())?;
                Ok(())
            }
            Manner::Open
            | Manner::WantsBasic(_)
            | Manner::WantsWindows(_)
            | Manner::Hangs
            | Manner::HangsUp => self.pass(client, &head),
        }
    }

    /// Opens the way to the server and lets bytes flow until one side closes.
    fn pass(&self, mut client: TcpStream, head: &str) -> Result<()> {
        let mut words = head.split_whitespace();
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut server = if method == "CONNECT" {
            let server = TcpStream::connect(target)?;
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
            server
        } else {
            let (host, path) = target
                .strip_prefix("http://")
                .and_then(|rest| rest.split_once('/'))
                .context("a request that is neither CONNECT nor in absolute form")?;
            let mut server = TcpStream::connect(host)?;
            server.write_all(head.replacen(target, &format!("/{path}"), 1).as_bytes())?;
            server
        };
        self.tunnels.fetch_add(1, Ordering::Relaxed);
        let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
        let upwards = thread::spawn(move || {
            let _ = std::io::copy(&mut from_client, &mut to_server);
            let _ = to_server.shutdown(Shutdown::Write);
        });
        let _ = std::io::copy(&mut server, &mut client);
        let _ = client.shutdown(Shutdown::Both);
        let _ = upwards.join();
        Ok(())
    }
}

/// First byte of a TLS handshake, which has no head that could be waited for.
const HANDSHAKE: u8 = 0x16;

/// A request's head; the bytes after it stay in the stream.
fn head_of(stream: &mut TcpStream) -> Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && head.len() < 65536 && stream.read(&mut byte)? > 0 {
        head.push(byte[0]);
        if head == [HANDSHAKE] {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn refuse(client: &mut TcpStream, status: &str, schemes: &[&str], page: &str) -> Result<()> {
    let offers: String = schemes.iter().map(|scheme| format!("Proxy-Authenticate: {scheme}\r\n")).collect();
    let length = page.len();
    write!(
        client,
        "HTTP/1.1 {status}\r\n{offers}connection: close\r\ncontent-length: {length}\r\n\r\n{page}"
    )?;
    // The rest of the request, if any, must not turn the close into a reset.
    client.shutdown(Shutdown::Write)?;
    client.set_read_timeout(Some(Duration::from_secs(5)))?;
    let _gone_or_silent = std::io::copy(client, &mut std::io::sink());
    Ok(())
}
