//! Where Windows keeps its proxies, and requests through a proxy that wants a login of Windows.
//!
//! The agent is a service, so the Internet options of the person at the screen are not its own: WinHTTP has
//! a setting of the machine, the network may announce a script, and only then the person's options are
//! read, from their part of the registry. Asking can take long (name look-ups, a script that is fetched and
//! run by another service), so it happens on a thread of its own and is given up after a while.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use mngntime_wire::limits::ANSWER_BYTES_MAX;
use ureq::http::Uri;
use windows_sys::Win32::Networking::WinHttp::{
    ERROR_WINHTTP_CANNOT_CONNECT, ERROR_WINHTTP_CONNECTION_ERROR, ERROR_WINHTTP_NAME_NOT_RESOLVED,
    ERROR_WINHTTP_RESEND_REQUEST, ERROR_WINHTTP_SECURE_CERT_CN_INVALID,
    ERROR_WINHTTP_SECURE_CERT_DATE_INVALID, ERROR_WINHTTP_SECURE_CHANNEL_ERROR, ERROR_WINHTTP_SECURE_FAILURE,
    ERROR_WINHTTP_SECURE_INVALID_CA, ERROR_WINHTTP_TIMEOUT, WINHTTP_AUTH_SCHEME_BASIC,
    WINHTTP_AUTH_SCHEME_NEGOTIATE, WINHTTP_AUTH_SCHEME_NTLM,
};

use super::ffi::winhttp::{self, Patience, ProxyInfo, Request, Target};
use super::ffi::{WindowsError, registry, sessions as table};
use super::sessions::list_sessions;
use crate::platform::ProxyLogin;
use crate::runtime::chain;
use crate::transport::{
    Certificate, Connect, Given, Kind, Peer, Reply, Route, Source, Trouble, is_bypassed, listed, name_of,
};

/// Windows runs proxy scripts.
pub const HAS_PROXY_SCRIPTS: bool = true;

/// What `proxy = "system"` asks, in order.
pub const PROXY_SOURCES: &[Source] = &[Source::MachineSetting, Source::AutoDetection, Source::ConsoleUser];

/// For one look-up. A network without WPAD says so within a few seconds.
const LOOK_UP_TIME: Duration = Duration::from_secs(8);
/// Answers of 407 after which the login has failed: Negotiate and NTLM need two exchanges.
const LOGIN_TRIES: usize = 3;
/// Below a user's part of the registry.
const INTERNET_SETTINGS: &str = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings";

/// A look-up that was given up may still be going on; there is never a second one beside it.
static LOOKING_UP: AtomicBool = AtomicBool::new(false);

/// Asks one place for routes to `url`.
///
/// # Errors
/// When there is no answer in time, or none that can be used; in words.
pub fn look_up_proxy(source: &Source, url: &str, patience: Duration) -> Result<Vec<Route>, String> {
    if LOOKING_UP.swap(true, Ordering::AcqRel) {
        return Err("a proxy look-up before this one has not ended yet".to_owned());
    }
    let (answer, answered) = channel();
    let (source, url) = (source.clone(), url.to_owned());
    let patience = patience.min(LOOK_UP_TIME);
    let started = thread::Builder::new().name("proxy-look-up".to_owned()).spawn(move || {
        let routes = ask(&source, &url, patience);
        LOOKING_UP.store(false, Ordering::Release);
        // Nobody waits any more when the time is over.
        let _ = answer.send(routes);
    });
    if let Err(error) = started {
        LOOKING_UP.store(false, Ordering::Release);
        return Err(format!("no thread for the proxy look-up: {error}"));
    }
    answered
        .recv_timeout(patience)
        .unwrap_or_else(|_| Err(format!("the proxy look-up took longer than {} s", patience.as_secs())))
}

fn ask(source: &Source, url: &str, patience: Duration) -> Result<Vec<Route>, String> {
    let by_script = |script: Option<&str>| {
        let info = winhttp::proxy_for_url(url, script, &shares(patience)).map_err(|error| chain(&error))?;
        // A script decides for each address by itself; one that names no proxy means the direct way.
        let routes = listed(info.proxies.as_deref().unwrap_or_default(), scheme_of(url))?;
        Ok(if routes.is_empty() { vec![Route::Direct] } else { routes })
    };
    match source {
        Source::Environment => Ok(Vec::new()),
        Source::MachineSetting => {
            let info = winhttp::default_proxy().map_err(|error| chain(&error))?;
            routes_of(&info, url)
        }
        Source::AutoDetection => by_script(None),
        Source::Script(address) => by_script(Some(address)),
        Source::ConsoleUser => match console_users_options() {
            Some(Options::Script(address)) => by_script(Some(&address)),
            Some(Options::Fixed(info)) => routes_of(&info, url),
            None => Ok(Vec::new()),
        },
    }
}

/// The steps of an exchange share the time that is left; the answer gets half of it.
fn shares(left: Duration) -> Patience {
    Patience { resolve: left / 8, connect: left / 4, send: left / 8, receive: left / 2 }
}

/// The routes that a setting gives for `url`; none when no proxy is set.
fn routes_of(info: &ProxyInfo, url: &str) -> Result<Vec<Route>, String> {
    let Some(list) = &info.proxies else {
        return Ok(Vec::new());
    };
    let uri: Uri = url.parse().map_err(|_| format!("not an address: {url}"))?;
    if is_bypassed(uri.host().unwrap_or_default(), &info.bypass) {
        return Ok(vec![Route::Direct]);
    }
    listed(list, scheme_of(url))
}

fn scheme_of(url: &str) -> &'static str {
    if url.starts_with("http://") { "http" } else { "https" }
}

/// What a user set under Internet options.
#[derive(Debug, PartialEq, Eq)]
enum Options {
    Script(String),
    Fixed(ProxyInfo),
}

/// Those of the user at the PC's own screen, if their part of the registry is loaded.
fn console_users_options() -> Option<Options> {
    let console = table::console()?.to_string();
    let session = list_sessions().ok()?.into_iter().find(|session| session.session_id == console)?;
    options_of(&session.account.key, INTERNET_SETTINGS)
}

fn options_of(sid: &str, path: &str) -> Option<Options> {
    let text = |name: &str| registry::user_text(sid, path, name).filter(|text| !text.is_empty());
    if let Some(address) = text("AutoConfigURL") {
        return Some(Options::Script(address));
    }
    let enabled = registry::user_dword(sid, path, "ProxyEnable") == Some(1);
    let bypass = text("ProxyOverride").unwrap_or_default();
    let proxies = text("ProxyServer").filter(|_| enabled)?;
    Some(Options::Fixed(ProxyInfo { proxies: Some(proxies), bypass }))
}

// ---- login --------------------------------------------------------------------------------------------

/// Posts by WinHTTP, which logs in with user and password of the setting, or with the account of this
/// process: for the service that is the PC's own account.
#[must_use]
pub fn post_with_proxy_login(login: &ProxyLogin<'_>) -> Option<Result<Reply, Trouble>> {
    Some(post(login))
}

fn post(login: &ProxyLogin<'_>) -> Result<Reply, Trouble> {
    let proxy = name_of(login.proxy);
    let told = |error: WindowsError| trouble_of(&error, &proxy);
    let request = open(login, &proxy).map_err(told)?;
    let account = login.proxy.username().map(|user| (user, login.proxy.password().unwrap_or_default()));
    if account.is_none() {
        request.use_own_account().map_err(told)?;
    }
    for _ in 0..LOGIN_TRIES {
        let headers = "content-type: application/json\r\naccept: application/json\r\n";
        let left = login.ends.saturating_duration_since(Instant::now());
        match request.exchange(headers, login.body.as_bytes(), &shares(left)) {
            Ok(()) => {}
            // Windows has taken a step of the login and wants to send again.
            Err(error) if error.code() == Some(ERROR_WINHTTP_RESEND_REQUEST) => continue,
            Err(error) => return Err(told(error)),
        }
        let status = u16::try_from(request.status().map_err(told)?).unwrap_or_default();
        if status != 407 {
            return reply(&request, status, login.ends);
        }
        match scheme(request.offered_schemes(), account.is_some()) {
            Some(scheme) => request.set_login(scheme, account).map_err(told)?,
            None => break,
        }
    }
    let schemes = schemes_of(|index| request.header("Proxy-Authenticate", index));
    Err(Trouble::with(Kind::ProxyLogin { proxy, schemes, given: Given::Refused }, "WinHTTP"))
}

fn open(login: &ProxyLogin<'_>, proxy: &str) -> Result<Request, WindowsError> {
    let uri = login.url.parse::<Uri>().unwrap_or_default();
    let secure = uri.scheme_str() != Some("http");
    Request::open(&Target {
        host: uri.host().unwrap_or_default(),
        port: uri.port_u16().unwrap_or(if secure { 443 } else { 80 }),
        secure,
        path: uri.path_and_query().map_or("/", |path| path.as_str()),
        proxy,
        agent: login.agent,
    })
}

fn reply(request: &Request, status: u16, ends: Instant) -> Result<Reply, Trouble> {
    let (mut body, mut piece) = (Vec::new(), [0; 8192]);
    while body.len() <= ANSWER_BYTES_MAX {
        let cut = |why: String, bytes| Trouble::with(Kind::Cut { status, bytes }, why);
        if Instant::now() > ends {
            return Err(cut("no time left".to_owned(), body.len()));
        }
        let count = request.read(&mut piece).map_err(|error| cut(chain(&error), body.len()))?;
        if count == 0 {
            break;
        }
        body.extend_from_slice(&piece[..count]);
    }
    let announced = request.header("Content-Length", 0).and_then(|text| text.trim().parse::<usize>().ok());
    if announced.is_some_and(|bytes| body.len() < bytes && body.len() <= ANSWER_BYTES_MAX) {
        return Err(Trouble::new(Kind::Cut { status, bytes: body.len() }));
    }
    Reply::of(status, |name| request.header(name, 0), body)
}

/// The strongest scheme on offer. Basic only with a password of its own, which it shows to the proxy.
fn scheme(offered: u32, has_password: bool) -> Option<u32> {
    let usable = [
        (WINHTTP_AUTH_SCHEME_NEGOTIATE, true),
        (WINHTTP_AUTH_SCHEME_NTLM, true),
        (WINHTTP_AUTH_SCHEME_BASIC, has_password),
    ];
    usable.into_iter().find(|(scheme, usable)| *usable && offered & scheme != 0).map(|(scheme, _)| scheme)
}

fn schemes_of(header: impl Fn(u32) -> Option<String>) -> Vec<String> {
    let word = |value: String| value.split_whitespace().next().map(|word| word.chars().take(32).collect());
    (0..8).map_while(header).filter_map(word).collect()
}

fn trouble_of(error: &WindowsError, proxy: &str) -> Trouble {
    let to_proxy = |how| Kind::NoConnection(Peer::Proxy(proxy.to_owned()), how);
    let kind = match error.code() {
        Some(ERROR_WINHTTP_NAME_NOT_RESOLVED) => to_proxy(Connect::NameUnknown),
        Some(ERROR_WINHTTP_CANNOT_CONNECT) => to_proxy(Connect::Unreachable),
        Some(ERROR_WINHTTP_TIMEOUT) => Kind::NoAnswer,
        Some(ERROR_WINHTTP_CONNECTION_ERROR) => Kind::HungUp,
        Some(ERROR_WINHTTP_SECURE_INVALID_CA) => Kind::Certificate(Certificate::UnknownAuthority),
        Some(ERROR_WINHTTP_SECURE_CERT_CN_INVALID) => {
            Kind::Certificate(Certificate::WrongName { presented: Vec::new() })
        }
        Some(ERROR_WINHTTP_SECURE_FAILURE | ERROR_WINHTTP_SECURE_CERT_DATE_INVALID) => {
            Kind::Certificate(Certificate::Other)
        }
        Some(ERROR_WINHTTP_SECURE_CHANNEL_ERROR) => Kind::Tls,
        Some(_) | None => Kind::Other,
    };
    let by_windows = matches!(kind, Kind::Certificate(_) | Kind::Tls);
    let note = if by_windows {
        "; on this route Windows' own certificate store decides and ca_file does not count"
    } else {
        ""
    };
    Trouble::with(kind, format_args!("{}{note}", chain(error)))
}

#[cfg(test)]
mod tests;
