//! Limits on connections, and TLS with a certificate that changes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mngntime_server::app::{App, router, system_clock};
use mngntime_server::passwords::Passwords;
use mngntime_server::serving;
use mngntime_server::settings::{Settings, TlsFiles};
use mngntime_store::sqlite::SqliteStore;
use mngntime_wire::SecretKey;
use rustls::HandshakeKind;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::sync::oneshot;

/// A server on a real socket.
struct Served {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<Result<(), serving::ServeError>>,
    _directory: tempfile::TempDir,
}

fn serve(tls: Option<TlsFiles>, connections_max: usize) -> Served {
    let directory = tempfile::tempdir().unwrap();
    let settings =
        Settings { tls: tls.clone(), connections_max, ..Settings::for_directory(directory.path()).unwrap() };
    let store = Arc::new(SqliteStore::open(directory.path()).unwrap());
    let key = SecretKey::from_seed(&[1; 32]);
    let app = App::new(store, key, settings, Passwords::new().unwrap(), system_clock());
    let bound = serving::bind("127.0.0.1:0".parse().unwrap(), tls.as_ref()).unwrap();
    let address = bound.address;
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async move { drop(stopped.await) };
    let task = tokio::spawn(bound.serve(router(app.clone()), app, stopped));
    Served { address, stop, task, _directory: directory }
}

fn get(stream: &mut (impl Read + Write)) -> String {
    let mut answer = vec![0; 4096];
    let asked =
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").and_then(|()| stream.read(&mut answer));
    String::from_utf8_lossy(&answer[..asked.unwrap_or(0)]).into_owned()
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_cap_are_closed_and_the_rest_served() {
    let server = serve(None, 10);
    let address = server.address;
    blocking(move || {
        let mut held: Vec<_> = (0..10).map(|_| TcpStream::connect(address).unwrap()).collect();
        assert!(held.iter_mut().all(|stream| get(stream).starts_with("HTTP/1.1 200")));
        assert_eq!(get(&mut TcpStream::connect(address).unwrap()), "", "the eleventh is closed");
        held.pop();
        let deadline = Instant::now() + Duration::from_secs(5);
        while !get(&mut TcpStream::connect(address).unwrap()).starts_with("HTTP/1.1 200") {
            assert!(Instant::now() < deadline, "a closed connection makes room");
            std::thread::sleep(Duration::from_millis(20));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_says_nothing_or_not_enough_is_closed() {
    let server = serve(None, 100);
    let address = server.address;
    let waits = |first: &'static [u8]| {
        blocking(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
            stream.write_all(first).unwrap();
            let began = Instant::now();
            let read = stream.read(&mut [0; 1024]);
            (read.is_ok(), began.elapsed())
        })
    };
    let (silent, slow, idle) = tokio::join!(
        waits(b""),
        waits(b"POST /api/v1/events HTTP/1.1\r\nhost: "),
        blocking(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
            assert!(get(&mut stream).starts_with("HTTP/1.1 200"));
            let began = Instant::now();
            let read = stream.read(&mut [0; 1024]);
            (read.is_ok(), began.elapsed())
        })
    );
    for (what, (closed, after)) in [("silent", silent), ("slow", slow), ("idle", idle)] {
        assert!(closed, "the {what} one is closed by the server, not by the test's patience");
        assert!(after < Duration::from_secs(30), "the {what} one is closed after {after:?}");
    }
}

/// Sends all of it before reading, as browsers do; returns the whole answer.
fn send_then_read(address: SocketAddr, head: &str, body: &[u8]) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(40)))?;
    stream.write_all(format!("{head}host: x\r\nconnection: close\r\n\r\n").as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_too_much_gets_an_answer_with_words_and_no_reset() {
    let server = serve(None, 100);
    let address = server.address;
    blocking(move || {
        let large = vec![b'x'; 6 * 1024 * 1024];
        let post = |path: &str, kind: &str, length: usize| {
            format!(
                "POST {path} HTTP/1.1\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\
                 sec-fetch-site: same-origin\r\naccept-language: en\r\n"
            )
        };
        let form = post("/login", "application/x-www-form-urlencoded", large.len());
        let page = send_then_read(address, &form, &large).unwrap();
        assert!(page.starts_with("HTTP/1.1 413") && page.contains("Too much was sent"), "{page}");
        let batch = post("/api/v1/events", "application/json", large.len());
        let problem = send_then_read(address, &batch, &large).unwrap();
        assert!(problem.starts_with("HTTP/1.1 413") && problem.contains("body_too_large"), "{problem}");
        // Answered before anything is read: nobody is signed in.
        let file = post("/employees/import", "multipart/form-data; boundary=b", large.len());
        let away = send_then_read(address, &file, &large).unwrap();
        assert!(away.starts_with("HTTP/1.1 303") && away.contains("location: /login"), "{away}");
        // The same without a length that is known before.
        let chunks: Vec<u8> = large
            .chunks(65_536)
            .flat_map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat())
            .chain(*b"0\r\n\r\n")
            .collect();
        let head = form.replace(&format!("content-length: {}", large.len()), "transfer-encoding: chunked");
        let page = send_then_read(address, &head, &chunks).unwrap();
        assert!(page.starts_with("HTTP/1.1 413"), "{page}");
        // Who asks first is not told to go on, and need not send.
        for (head, answer) in [(&file, "HTTP/1.1 303"), (&form, "HTTP/1.1 413"), (&batch, "HTTP/1.1 413")] {
            let asked = send_then_read(address, &format!("{head}expect: 100-continue\r\n"), b"").unwrap();
            assert!(asked.starts_with(answer), "{asked}");
        }
        let most = post("/login", "application/x-www-form-urlencoded", 512 * 1024);
        let asked = send_then_read(address, &format!("{most}expect: 100-continue\r\n"), &large[..512 * 1024]);
        assert!(asked.as_ref().is_ok_and(|told| told.starts_with("HTTP/1.1 100")), "{asked:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_names_its_host_once() {
    let server = serve(None, 100);
    let address = server.address;
    blocking(move || {
        let ask = |head: &str| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(format!("GET /healthz {head}connection: close\r\n\r\n").as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        for (head, status) in [
            ("HTTP/1.1\r\nhost: x\r\n", "200"),
            ("HTTP/1.0\r\n", "200"),
            ("HTTP/1.1\r\n", "400"),
            ("HTTP/1.1\r\nhost: x\r\nHost: x\r\n", "400"),
            ("HTTP/1.0\r\nhost: x\r\nhost: y\r\n", "400"),
        ] {
            let answer = ask(head);
            let found = answer.split(' ').nth(1).unwrap_or_default();
            assert_eq!(found, status, "{head:?}: {answer}");
            assert_eq!(answer.contains("host_header"), status == "400", "{answer}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_answers_what_is_in_flight() {
    let server = serve(None, 100);
    let address = server.address;
    let answer = blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        assert!(get(&mut stream).starts_with("HTTP/1.1 200"));
        stream
    })
    .await;
    server.stop.send(()).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(15), server.task).await.expect("it ends in time");
    ended.unwrap().unwrap();
    drop(answer);
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

fn write_certificate(directory: &Path) -> TlsFiles {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = TlsFiles { cert: directory.join("cert.pem"), key: directory.join("key.pem") };
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    std::fs::write(&files.cert, made.cert.pem()).unwrap();
    files
}

/// A client that trusts only the certificate in `files`, and remembers where it has been.
fn client(files: &TlsFiles) -> Arc<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&files.cert).unwrap()).unwrap();
    Arc::new(rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}

/// Asks over a new TLS connection; nothing when the handshake fails, and which kind of handshake it was.
fn ask_as(address: SocketAddr, client: &Arc<rustls::ClientConfig>) -> (String, Option<HandshakeKind>) {
    let name = ServerName::try_from("localhost").unwrap();
    let connection = rustls::ClientConnection::new(client.clone(), name).unwrap();
    let mut stream = rustls::StreamOwned::new(connection, TcpStream::connect(address).unwrap());
    (get(&mut stream), stream.conn.handshake_kind())
}

/// Asks over TLS as somebody new; `None` when the handshake fails.
fn ask_over_tls(address: SocketAddr, files: &TlsFiles) -> Option<String> {
    let (answer, _) = ask_as(address, &client(files));
    (!answer.is_empty()).then_some(answer)
}

/// More PCs than a server remembers that remembers sessions.
const OTHER_PCS: usize = 300;

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_resumes_his_session_however_many_came_in_between() {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let directory = tempfile::tempdir().unwrap();
    let files = write_certificate(directory.path());
    let server = serve(Some(files.clone()), 100);
    let address = server.address;
    blocking(move || {
        let comes_back = client(&files);
        assert_eq!(ask_as(address, &comes_back).1, Some(HandshakeKind::Full));
        for _ in 0..OTHER_PCS {
            assert_eq!(ask_as(address, &client(&files)).1, Some(HandshakeKind::Full));
        }
        let (answer, kind) = ask_as(address, &comes_back);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(kind, Some(HandshakeKind::Resumed));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_taken_up_and_a_broken_one_is_not() {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let used = write_certificate(old.path());
    let server = serve(Some(used.clone()), 100);
    let address = server.address;
    let fresh = write_certificate(new.path());
    blocking(move || {
        assert!(ask_over_tls(address, &used).unwrap().starts_with("HTTP/1.1 200"));
        assert_eq!(ask_over_tls(address, &fresh), None, "the new one is not in use yet");
        std::fs::write(&used.cert, "broken").unwrap();
        std::thread::sleep(Duration::from_secs(6));
        std::fs::copy(&fresh.key, &used.key).unwrap();
        std::fs::copy(&fresh.cert, &used.cert).unwrap();
        let deadline = Instant::now() + Duration::from_secs(15);
        while ask_over_tls(address, &fresh).is_none() {
            assert!(Instant::now() < deadline, "the new certificate is taken up");
            std::thread::sleep(Duration::from_millis(100));
        }
    })
    .await;
}

#[test]
fn a_certificate_that_cannot_be_used_is_found_at_start() {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let directory = tempfile::tempdir().unwrap();
    let files = write_certificate(directory.path());
    std::fs::write(&files.key, "no key").unwrap();
    let refused = serving::bind("127.0.0.1:0".parse().unwrap(), Some(&files));
    assert!(matches!(refused, Err(serving::ServeError::Tls { .. })));
}

/// Twice as many connections as may be young at a time, which say nothing: they are not let in in the order of their coming.
fn silent(address: SocketAddr) -> Vec<TcpStream> {
    (0..2 * serving::YOUNG_MAX).map(|_| TcpStream::connect(address).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_say_nothing_hold_up_nobody_for_long() {
    let server = serve(None, 3 * serving::YOUNG_MAX);
    let address = server.address;
    blocking(move || {
        let mut known = TcpStream::connect(address).unwrap();
        assert!(get(&mut known).starts_with("HTTP/1.1 200"));
        let began = Instant::now();
        let silent = silent(address);
        let mut waiting = TcpStream::connect(address).unwrap();
        waiting.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        assert!(get(&mut known).starts_with("HTTP/1.1 200"), "who has had an answer waits for nobody");
        assert!(get(&mut waiting).starts_with("HTTP/1.1 200"), "whoever comes after them has their turn");
        // Two turns of two seconds; without a limit there is nothing to wait for.
        assert!(began.elapsed() >= Duration::from_secs(3), "the silent ones had their time first");
        drop(silent);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_at_once_than_may_be_young_are_all_answered() {
    let server = serve(None, 4 * serving::YOUNG_MAX);
    let address = server.address;
    blocking(move || {
        let mut all: Vec<_> =
            (0..3 * serving::YOUNG_MAX).map(|_| TcpStream::connect(address).unwrap()).collect();
        for stream in &mut all {
            stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        }
        for (number, stream) in all.iter_mut().enumerate() {
            let mut answer = [0; 64];
            let read = stream.read(&mut answer).unwrap();
            assert!(answer[..read].starts_with(b"HTTP/1.1 200"), "number {number}");
        }
    })
    .await;
}
