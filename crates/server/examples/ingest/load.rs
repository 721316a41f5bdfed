//! PCs that send, each over a connection that it keeps, one batch after the other.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::office::Pc;
use super::processor;

/// Bodies are made before the clock starts: at most so many a second are sent.
const BODIES_PER_SECOND: u64 = 40_000;

pub struct Plan {
    pub address: SocketAddr,
    pub connections: usize,
    pub length: Duration,
    pub batch: usize,
}

/// One measurement, told as a line of a table.
pub fn run(plan: &Plan, certificate: &Path, pcs: &mut [Pc]) {
    let certificate = CertificateDer::from_pem_file(certificate.join("cert.pem")).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let ready = bodies(plan, pcs);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().thread_name("load").enable_all().build().unwrap();
    let (mut took, begun, before, after, elapsed) = runtime.block_on(async {
        let mut connected = Vec::new();
        for _ in 0..plan.connections {
            let stream = TcpStream::connect(plan.address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            connected
                .push(connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap());
        }
        let (before, begun) = (processor::used(), Instant::now());
        let senders: Vec<_> = connected
            .into_iter()
            .zip(ready)
            .map(|(stream, bodies)| tokio::spawn(send(stream, bodies, begun + plan.length)))
            .collect();
        let mut took = Vec::new();
        for sender in senders {
            took.extend(sender.await.unwrap());
        }
        let (elapsed, after) = (begun.elapsed(), processor::used());
        (took, begun, before, after, elapsed)
    });
    let _ = begun;
    took.sort_unstable();
    let events = (took.len() * plan.batch) as u64;
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "| {} | {:.0} | {:.1} | {:.1} | {:.1} | {} |",
        plan.connections,
        events as f64 / elapsed.as_secs_f64(),
        at(0.5),
        at(0.99),
        at(1.0),
        processor::told(&before, &after, events),
    );
}

/// What each connection sends: its PCs take turns.
fn bodies(plan: &Plan, pcs: &mut [Pc]) -> Vec<Vec<String>> {
    let all = plan.length.as_secs() * BODIES_PER_SECOND / (plan.batch as u64).min(10);
    let each = usize::try_from(all).unwrap() / plan.connections;
    let mut ready: Vec<Vec<String>> = (0..plan.connections).map(|_| Vec::with_capacity(each)).collect();
    for turn in 0..each {
        for (n, bodies) in ready.iter_mut().enumerate() {
            let of_connection = pcs.len() / plan.connections;
            let pc = n + (turn % of_connection.max(1)) * plan.connections;
            bodies.push(pcs[pc].body(plan.batch));
        }
    }
    ready
}

/// Sends until the end; how long each answer took.
async fn send(mut stream: TlsStream<TcpStream>, bodies: Vec<String>, end: Instant) -> Vec<Duration> {
    let mut took = Vec::with_capacity(bodies.len());
    let mut answer = Vec::with_capacity(64 * 1024);
    for body in bodies {
        let begun = Instant::now();
        if begun >= end {
            break;
        }
        let head = format!(
            "POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await.unwrap();
        stream.flush().await.unwrap();
        read(&mut stream, &mut answer).await;
        took.push(begun.elapsed());
    }
    took
}

/// Reads one answer, which must be a receipt that says that everything is stored.
async fn read(stream: &mut TlsStream<TcpStream>, answer: &mut Vec<u8>) {
    answer.clear();
    loop {
        assert!(stream.read_buf(answer).await.unwrap() > 0, "the server has hung up");
        let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&answer[..head]).unwrap();
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if answer.len() == head + 4 + length.parse::<usize>().unwrap() {
            break;
        }
    }
    let text = std::str::from_utf8(answer).unwrap();
    assert!(text.contains("\"stored\":true") && !text.contains("\"stored\":false"), "{text}");
}
