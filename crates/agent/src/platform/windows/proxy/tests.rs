//! Settings of Windows as routes; and WinHTTP itself, against listeners on this PC.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use ureq::Proxy;

use super::*;
use crate::config::{Config, ProxySetting};
use crate::transport::Client;

const URL: &str = "https://time.example.co.jp/api/v1/events";

fn info(proxies: &str, bypass: &str) -> ProxyInfo {
    ProxyInfo { proxies: Some(proxies.to_owned()), bypass: bypass.to_owned() }
}

#[test]
fn a_setting_becomes_routes() {
    assert_eq!(routes_of(&ProxyInfo::default(), URL), Ok(vec![]));
    let both = vec![Route::proxy("a:1").unwrap(), Route::proxy("b:2").unwrap()];
    assert_eq!(routes_of(&info("a:1;b:2", ""), URL), Ok(both));
    assert_eq!(routes_of(&info("a:1", "*.example.co.jp;<local>"), URL), Ok(vec![Route::Direct]));
    assert_eq!(routes_of(&info("http=a:1", ""), URL), Ok(vec![]));
    assert!(routes_of(&info("https=socks5://s:1", ""), URL).is_err());
}

#[test]
fn the_strongest_scheme_is_taken_and_basic_only_with_a_password() {
    let all = WINHTTP_AUTH_SCHEME_BASIC | WINHTTP_AUTH_SCHEME_NTLM | WINHTTP_AUTH_SCHEME_NEGOTIATE;
    assert_eq!(scheme(all, true), Some(WINHTTP_AUTH_SCHEME_NEGOTIATE));
    assert_eq!(
        scheme(WINHTTP_AUTH_SCHEME_BASIC | WINHTTP_AUTH_SCHEME_NTLM, true),
        Some(WINHTTP_AUTH_SCHEME_NTLM)
    );
    assert_eq!(scheme(WINHTTP_AUTH_SCHEME_BASIC, true), Some(WINHTTP_AUTH_SCHEME_BASIC));
    assert_eq!(scheme(WINHTTP_AUTH_SCHEME_BASIC, false), None);
    assert_eq!(scheme(0, true), None);
}

#[test]
fn the_shares_are_the_whole() {
    let shares = shares(Duration::from_secs(24));
    assert_eq!(shares.resolve + shares.connect + shares.send + shares.receive, Duration::from_secs(24));
}

#[test]
fn every_place_answers_within_its_time() {
    for source in PROXY_SOURCES {
        let began = Instant::now();
        // What comes out depends on the PC; that something does, in time, must not.
        let answer = look_up_proxy(source, URL, Duration::from_secs(8));
        assert!(began.elapsed() < Duration::from_secs(9), "{source:?}: {answer:?}");
        assert!(answer.is_ok() || answer.as_ref().is_err_and(|problem| !problem.is_empty()), "{source:?}");
    }
}

#[test]
fn a_script_that_is_not_there_is_a_problem_in_words() {
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let script = Source::Script(format!("http://{dead}/proxy.pac"));
    assert!(look_up_proxy(&script, URL, Duration::from_secs(8)).is_err());
}

/// A key of the tests' own in this user's part of the registry, gone afterwards.
struct Key(String);

impl Key {
    fn create(name: &str) -> Self {
        let key = Self(format!(r"Software\MngnTime-{name}"));
        key.reg(&["add", "/f"]);
        key
    }

    fn set(&self, name: &str, kind: &str, value: &str) {
        self.reg(&["add", "/v", name, "/t", kind, "/d", value, "/f"]);
    }

    fn reg(&self, words: &[&str]) {
        let mut command = std::process::Command::new("reg");
        command.arg(words[0]).arg(format!(r"HKCU\{}", self.0)).args(&words[1..]);
        assert!(command.output().unwrap().status.success(), "{command:?}");
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.reg(&["delete", "/f"]);
    }
}

#[test]
fn a_users_options_are_read_from_their_part_of_the_registry() {
    let sid = super::super::sessions::current_session().unwrap().account.key;
    assert!(sid.starts_with("S-1-"), "{sid}");
    let key = Key::create("options-test");
    let read = || options_of(&sid, &key.0);
    assert_eq!(read(), None);
    key.set("ProxyServer", "REG_SZ", "a:1");
    key.set("ProxyOverride", "REG_SZ", "*.example.co.jp;<local>");
    assert_eq!(read(), None, "a proxy that is switched off");
    key.set("ProxyEnable", "REG_DWORD", "1");
    assert_eq!(read(), Some(Options::Fixed(info("a:1", "*.example.co.jp;<local>"))));
    key.set("AutoConfigURL", "REG_SZ", "http://wpad.example/proxy.pac");
    assert_eq!(read(), Some(Options::Script("http://wpad.example/proxy.pac".to_owned())));
    assert_eq!(options_of("S-1-5-21-0-0-0-1", &key.0), None, "somebody whose registry is not loaded");
}

/// A listener that gives a script which answers `routes`, and a client that uses it.
fn client_with_script(routes: String, server_url: String) -> (Client, Arc<Mutex<Vec<String>>>) {
    let script = format!("function FindProxyForURL(url, host) {{ return '{routes}'; }}");
    let kind = "content-type: application/x-ns-proxy-autoconfig\r\nconnection: close\r\n";
    let (port, fetched) = listener(move |_| answer("200 OK", kind, &script));
    let mut config = Config::defaults(Path::new("config.toml"));
    config.server_url = Some(server_url);
    config.proxy = ProxySetting::Script(format!("http://127.0.0.1:{port}/proxy.pac"));
    (Client::new(&config), fetched)
}

const OURS: &str = "content-type: application/json\r\nmngntime-server: 1\r\nconnection: close\r\n";

#[test]
fn a_script_names_the_proxy_and_the_client_remembers_it() {
    let (live, asked) = listener(|request| {
        let tunnel = request.starts_with("CONNECT");
        if tunnel { "HTTP/1.1 200 OK\r\n\r\n".to_owned() } else { answer("200 OK", OURS, "{}") }
    });
    let routes = format!("PROXY 127.0.0.1:{live}");
    let (client, fetched) = client_with_script(routes, "http://time.example.co.jp".to_owned());
    for _ in 0..2 {
        assert_eq!(client.post("/api/v1/events", "{}").map(|reply| reply.status), Ok(200));
    }
    assert_eq!(fetched.lock().unwrap().len(), 1, "the second time the route is known");
    let asked = asked.lock().unwrap();
    assert!(asked[0].starts_with("CONNECT time.example.co.jp:80"), "{asked:?}");
}

/// Wine 8 hands on only the first proxy of a script's answer; what comes after it is our own direct way.
#[test]
fn past_a_dead_proxy_of_a_script_the_direct_way_is_tried_and_past_a_dead_script_as_well() {
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (server, asked) = listener(|_| answer("200 OK", OURS, "{}"));
    let url = || format!("http://127.0.0.1:{server}");
    let (client, _) = client_with_script(format!("PROXY {dead}; DIRECT"), url());
    assert_eq!(client.post("/api/v1/events", "{}").map(|reply| reply.status), Ok(200));
    let mut config = Config::defaults(Path::new("config.toml"));
    config.server_url = Some(url());
    config.proxy = ProxySetting::Script(format!("http://{dead}/proxy.pac"));
    assert_eq!(Client::new(&config).post("/api/v1/events", "{}").map(|reply| reply.status), Ok(200));
    assert!(asked.lock().unwrap().iter().all(|request| request.starts_with("POST /api")), "{asked:?}");
}

/// A listener that answers every request with what `answer_to` says, until the tests end; what was asked so
/// far.
fn listener(answer_to: impl Fn(&str) -> String + Send + Sync + 'static) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, answer_to): (Arc<Mutex<Vec<String>>>, _) = (Arc::default(), Arc::new(answer_to));
    let notes = Arc::clone(&asked);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (notes, answer_to) = (Arc::clone(&notes), Arc::clone(&answer_to));
            thread::spawn(move || serve(stream, &notes, &*answer_to));
        }
    });
    (port, asked)
}

fn serve(mut stream: TcpStream, notes: &Mutex<Vec<String>>, answer_to: &dyn Fn(&str) -> String) {
    while let Some(request) = request_of(&mut stream) {
        let answer = answer_to(&request);
        notes.lock().unwrap().push(request);
        // A client that goes away in the middle is part of the game.
        if stream.write_all(answer.as_bytes()).is_err() || answer.contains("connection: close") {
            return;
        }
    }
}

fn request_of(stream: &mut TcpStream) -> Option<String> {
    let (mut request, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok()
            });
            if body.len() >= length.unwrap_or(0) {
                return Some(text);
            }
        }
        let count = stream.read(&mut piece).ok().filter(|count| *count > 0)?;
        request.extend_from_slice(&piece[..count]);
    }
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

fn posted(proxy: &str) -> Result<Reply, Trouble> {
    let proxy = Proxy::new(proxy).unwrap();
    post(&ProxyLogin {
        url: "http://time.example.co.jp/api/v1/events",
        proxy: &proxy,
        body: "{\"a\":1}",
        agent: "mngntime-agent/test",
        ends: Instant::now() + Duration::from_secs(20),
    })
}

/// hanako:p@ss
const BASIC: &str = "Basic aGFuYWtvOnBAc3M=";

/// A proxy that wants hanako's password and then answers as our server does.
fn proxy_with_password(request: &str) -> String {
    if request.contains(BASIC) {
        let headers =
            "content-type: application/json; charset=utf-8\r\nmngntime-server: 1\r\nretry-after: 7\r\n";
        answer("200 OK", headers, "{}")
    } else {
        answer("407 Proxy Authentication Required", "proxy-authenticate: Basic realm=\"x\"\r\n", "")
    }
}

#[test]
fn winhttp_posts_through_a_proxy_that_wants_basic() {
    let (port, asked) = listener(proxy_with_password);
    let reply = posted(&format!("http://hanako:p%40ss@127.0.0.1:{port}")).unwrap();
    assert_eq!((reply.status, reply.content_type.as_str()), (200, "application/json"));
    assert_eq!(reply.body, b"{}");
    assert_eq!((reply.from_our_server, reply.retry_after_seconds), (true, Some(7)));
    let asked = asked.lock().unwrap();
    let last = asked.last().unwrap();
    assert!(last.starts_with("POST http://time.example.co.jp") && last.ends_with("{\"a\":1}"), "{asked:?}");
}

#[test]
fn a_login_that_the_proxy_does_not_take_ends_and_names_407() {
    let (port, asked) = listener(proxy_with_password);
    let trouble = posted(&format!("http://hanako:wrong@127.0.0.1:{port}")).unwrap_err();
    assert_eq!(trouble.http_status(), Some(407), "{trouble}");
    assert!(trouble.to_string().contains("Basic") && !trouble.to_string().contains("wrong"), "{trouble}");
    assert!(asked.lock().unwrap().len() <= 2 * LOGIN_TRIES, "{asked:?}");
}

#[test]
fn a_redirect_is_not_followed() {
    let (port, asked) = listener(|_| answer("302 Found", "location: http://login.example/\r\n", ""));
    let reply = posted(&format!("http://u:p@127.0.0.1:{port}")).unwrap();
    assert_eq!((reply.status, reply.location.as_str()), (302, "http://login.example/"));
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[test]
fn a_cut_answer_is_no_answer() {
    let cut = |_: &str| "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5000\r\n\r\n{".to_owned();
    let (port, _) = listener(cut);
    let trouble = posted(&format!("http://u:p@127.0.0.1:{port}")).unwrap_err();
    assert!(matches!(trouble.kind, Kind::Cut { status: 200, .. }), "{trouble:?}");
}

#[test]
fn an_answer_longer_than_any_of_ours_is_refused() {
    let (port, _) = listener(|_| answer("200 OK", "", &"x".repeat(ANSWER_BYTES_MAX + 1)));
    let trouble = posted(&format!("http://u:p@127.0.0.1:{port}")).unwrap_err();
    assert!(matches!(trouble.kind, Kind::TooLong { status: 200, .. }), "{trouble:?}");
}

#[test]
fn a_proxy_that_is_not_there_is_named() {
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let trouble = posted(&format!("http://u:geheim@{dead}")).unwrap_err();
    assert!(trouble.is_dead_end(), "{trouble:?}");
    let text = trouble.to_string();
    assert!(text.contains(&dead.to_string()) && !text.contains("geheim"), "{text}");
}

/// The script is the network's word: whoever answers for it must not get the PC's account.
#[test]
fn a_proxy_that_a_script_named_gets_no_login_of_windows() {
    let (port, asked) = listener(|_| {
        let offer = "proxy-authenticate: Negotiate\r\nproxy-authenticate: NTLM\r\nconnection: close\r\n";
        answer("407 Proxy Authentication Required", offer, "")
    });
    let routes = format!("PROXY 127.0.0.1:{port}");
    let (client, _) = client_with_script(routes, "http://time.example.co.jp".to_owned());
    let cause = client.post("/api/v1/events", "{}").unwrap_err();
    let mngntime_model::FailureCause::Network { http_status, detail } = cause else { panic!("{cause:?}") };
    assert!(http_status == Some(407) && detail.contains("設定 proxy にこのプロキシ"), "{detail}");
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].starts_with("CONNECT") && !asked[0].contains("Proxy-Authorization"), "{asked:?}");
}

/// The same for whoever gives the script.
#[test]
fn whoever_gives_the_script_gets_no_login_of_windows() {
    let (port, asked) =
        listener(|_| answer("401 Unauthorized", "www-authenticate: NTLM\r\nconnection: close\r\n", ""));
    let script = Source::Script(format!("http://127.0.0.1:{port}/proxy.pac"));
    assert!(look_up_proxy(&script, URL, Duration::from_secs(8)).is_err());
    let asked = asked.lock().unwrap();
    assert!(!asked.is_empty());
    assert!(asked.iter().all(|request| !request.to_ascii_lowercase().contains("authorization")), "{asked:?}");
}

/// The whole way: a proxy that offers what only Windows can do makes the client change to WinHTTP, and stay.
#[test]
fn the_client_changes_to_winhttp_where_the_proxy_wants_it() {
    let (port, asked) = listener(|request| {
        if request.starts_with("CONNECT") {
            let offer = "proxy-authenticate: Negotiate\r\nproxy-authenticate: Basic realm=\"x\"\r\n";
            return answer("407 Proxy Authentication Required", &format!("{offer}connection: close\r\n"), "");
        }
        proxy_with_password(request)
    });
    let mut config = Config::defaults(Path::new("config.toml"));
    config.server_url = Some("http://time.example.co.jp".to_owned());
    config.proxy = ProxySetting::Explicit(format!("http://hanako:p%40ss@127.0.0.1:{port}"));
    let client = Client::new(&config);
    for _ in 0..2 {
        assert_eq!(client.post("/api/v1/events", "{}").map(|reply| reply.status), Ok(200));
    }
    let connects = |asked: &[String]| asked.iter().filter(|request| request.starts_with("CONNECT")).count();
    assert_eq!(connects(&asked.lock().unwrap()), 1, "remembered: {asked:?}");
    client.forget_routes();
    assert_eq!(client.post("/api/v1/events", "{}").map(|reply| reply.status), Ok(200));
    assert_eq!(connects(&asked.lock().unwrap()), 2, "another network, another look: {asked:?}");
}
