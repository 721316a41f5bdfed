//! Windows' own HTTP client (winhttp.dll): which proxy it would use, and requests through it.
//!
//! Looked up when first needed: an agent without proxies never loads the DLL.

use core::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::OnceLock;
use std::time::Duration;

use windows_sys::Win32::Foundation::GlobalFree;
use windows_sys::Win32::Networking::WinHttp::{
    WINHTTP_ACCESS_TYPE_NAMED_PROXY, WINHTTP_ACCESS_TYPE_NO_PROXY, WINHTTP_AUTH_TARGET_PROXY,
    WINHTTP_AUTO_DETECT_TYPE_DHCP, WINHTTP_AUTO_DETECT_TYPE_DNS_A, WINHTTP_AUTOLOGON_SECURITY_LEVEL_LOW,
    WINHTTP_AUTOLOGON_SECURITY_LEVEL_PROXY_ONLY, WINHTTP_AUTOPROXY_AUTO_DETECT, WINHTTP_AUTOPROXY_CONFIG_URL,
    WINHTTP_AUTOPROXY_OPTIONS, WINHTTP_DISABLE_COOKIES, WINHTTP_DISABLE_REDIRECTS, WINHTTP_FLAG_SECURE,
    WINHTTP_OPTION_AUTOLOGON_POLICY, WINHTTP_OPTION_DISABLE_FEATURE, WINHTTP_PROXY_INFO,
    WINHTTP_QUERY_CUSTOM, WINHTTP_QUERY_FLAG_NUMBER, WINHTTP_QUERY_STATUS_CODE,
};
use windows_sys::core::BOOL;

use super::error::WindowsError;
use super::library::Library;
use super::text::{Wide, copied, until_zero};

/// Longest value of a header that is read, in UTF-16 units.
const HEADER_UNITS_MAX: usize = 1024;

type Handle = *mut c_void;
type Open = unsafe extern "system" fn(*const u16, u32, *const u16, *const u16, u32) -> Handle;
type Connect = unsafe extern "system" fn(Handle, *const u16, u16, u32) -> Handle;
type OpenRequest = unsafe extern "system" fn(
    Handle,
    *const u16,
    *const u16,
    *const u16,
    *const u16,
    *const *const u16,
    u32,
) -> Handle;
type SetTimeouts = unsafe extern "system" fn(Handle, i32, i32, i32, i32) -> BOOL;
type SetOption = unsafe extern "system" fn(Handle, u32, *const c_void, u32) -> BOOL;
type SetCredentials =
    unsafe extern "system" fn(Handle, u32, u32, *const u16, *const u16, *mut c_void) -> BOOL;
type SendRequest = unsafe extern "system" fn(Handle, *const u16, u32, *const c_void, u32, u32, usize) -> BOOL;
type ReceiveResponse = unsafe extern "system" fn(Handle, *mut c_void) -> BOOL;
type QueryHeaders =
    unsafe extern "system" fn(Handle, u32, *const u16, *mut c_void, *mut u32, *mut u32) -> BOOL;
type QueryAuthSchemes = unsafe extern "system" fn(Handle, *mut u32, *mut u32, *mut u32) -> BOOL;
type ReadData = unsafe extern "system" fn(Handle, *mut c_void, u32, *mut u32) -> BOOL;
type CloseHandle = unsafe extern "system" fn(Handle) -> BOOL;
type DefaultProxy = unsafe extern "system" fn(*mut WINHTTP_PROXY_INFO) -> BOOL;
type ProxyForUrl = unsafe extern "system" fn(
    Handle,
    *const u16,
    *mut WINHTTP_AUTOPROXY_OPTIONS,
    *mut WINHTTP_PROXY_INFO,
) -> BOOL;

/// The functions of winhttp.dll that are used; all of them are as old as Windows XP.
struct Functions {
    open: Open,
    connect: Connect,
    open_request: OpenRequest,
    set_timeouts: SetTimeouts,
    set_option: SetOption,
    set_credentials: SetCredentials,
    send_request: SendRequest,
    receive_response: ReceiveResponse,
    query_headers: QueryHeaders,
    query_auth_schemes: QueryAuthSchemes,
    read_data: ReadData,
    close_handle: CloseHandle,
    default_proxy: DefaultProxy,
    proxy_for_url: ProxyForUrl,
}

impl Functions {
    fn load() -> Option<Self> {
        let library = Library::system("winhttp.dll")?;
        // SAFETY: every type above is the one that winhttp.h declares for the function of that name.
        unsafe {
            Some(Self {
                open: library.function(c"WinHttpOpen")?,
                connect: library.function(c"WinHttpConnect")?,
                open_request: library.function(c"WinHttpOpenRequest")?,
                set_timeouts: library.function(c"WinHttpSetTimeouts")?,
                set_option: library.function(c"WinHttpSetOption")?,
                set_credentials: library.function(c"WinHttpSetCredentials")?,
                send_request: library.function(c"WinHttpSendRequest")?,
                receive_response: library.function(c"WinHttpReceiveResponse")?,
                query_headers: library.function(c"WinHttpQueryHeaders")?,
                query_auth_schemes: library.function(c"WinHttpQueryAuthSchemes")?,
                read_data: library.function(c"WinHttpReadData")?,
                close_handle: library.function(c"WinHttpCloseHandle")?,
                default_proxy: library.function(c"WinHttpGetDefaultProxyConfiguration")?,
                proxy_for_url: library.function(c"WinHttpGetProxyForUrl")?,
            })
        }
    }
}

fn functions() -> Result<&'static Functions, WindowsError> {
    static FUNCTIONS: OnceLock<Option<Functions>> = OnceLock::new();
    let loaded = FUNCTIONS.get_or_init(Functions::load).as_ref();
    loaded.ok_or_else(|| WindowsError::finding("load", "winhttp.dll", "not on this system".to_owned()))
}

/// A session, connection or request, closed when dropped.
struct Owned(Handle, &'static Functions);

// SAFETY: WinHTTP's handles may be used from any thread; this one is used by one at a time.
unsafe impl Send for Owned {}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the handle came from WinHTTP and is closed here only.
        unsafe { (self.1.close_handle)(self.0) };
    }
}

fn owned(handle: Handle, functions: &'static Functions, object: &str) -> Result<Owned, WindowsError> {
    if handle.is_null() { Err(WindowsError::last("open", object)) } else { Ok(Owned(handle, functions)) }
}

// ---- which proxy --------------------------------------------------------------------------------------

/// A proxy setting as Windows gives it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProxyInfo {
    /// The list of proxies; `None` for no proxy.
    pub proxies: Option<String>,
    /// What is reached without them.
    pub bypass: String,
}

/// The machine's setting (`netsh winhttp show proxy`).
///
/// # Errors
/// When it cannot be read.
pub fn default_proxy() -> Result<ProxyInfo, WindowsError> {
    let functions = functions()?;
    let mut info = WINHTTP_PROXY_INFO::default();
    // SAFETY: the address is a live local.
    if unsafe { (functions.default_proxy)(&raw mut info) } == 0 {
        return Err(WindowsError::last("read", "the proxy setting of WinHTTP"));
    }
    // SAFETY: the call has filled the structure.
    Ok(unsafe { taken(&info) })
}

/// What a proxy script says about `url`: the one at `script`, or the one that the network announces
/// (WPAD by DHCP and DNS).
///
/// # Errors
/// When there is no script, or it cannot be fetched or run.
pub fn proxy_for_url(
    url: &str,
    script: Option<&str>,
    patience: &Patience,
) -> Result<ProxyInfo, WindowsError> {
    let functions = functions()?;
    let session = open_session(functions, "mngntime-agent", None)?;
    set_timeouts(&session, patience)?;
    let address = script.map(Wide::new);
    let mut options = WINHTTP_AUTOPROXY_OPTIONS {
        dwFlags: if script.is_some() { WINHTTP_AUTOPROXY_CONFIG_URL } else { WINHTTP_AUTOPROXY_AUTO_DETECT },
        dwAutoDetectFlags: if script.is_some() {
            0
        } else {
            WINHTTP_AUTO_DETECT_TYPE_DHCP | WINHTTP_AUTO_DETECT_TYPE_DNS_A
        },
        lpszAutoConfigUrl: address.as_ref().map_or(null(), Wide::as_ptr),
        // Whoever names the script may be an ordinary user or the network: never the PC's account for them.
        fAutoLogonIfChallenged: 0,
        ..Default::default()
    };
    let (wide, mut info) = (Wide::new(url), WINHTTP_PROXY_INFO::default());
    // SAFETY: the session is open, the texts are zero-ended, the structures are live locals.
    let done =
        unsafe { (functions.proxy_for_url)(session.0, wide.as_ptr(), &raw mut options, &raw mut info) };
    if done == 0 {
        return Err(WindowsError::last(
            "run",
            script.unwrap_or("the proxy script that the network announces"),
        ));
    }
    // SAFETY: the call has filled the structure.
    Ok(unsafe { taken(&info) })
}

/// Copies the texts and gives their memory back.
///
/// # Safety
/// WinHTTP has filled `info`; its texts are null or memory of GlobalAlloc that is ours to free.
unsafe fn taken(info: &WINHTTP_PROXY_INFO) -> ProxyInfo {
    // SAFETY: the caller vouches for the texts.
    let (proxies, bypass) = unsafe { (copied(info.lpszProxy), copied(info.lpszProxyBypass)) };
    for text in [info.lpszProxy, info.lpszProxyBypass] {
        if !text.is_null() {
            // SAFETY: as above, and the text has been copied.
            unsafe { GlobalFree(text.cast()) };
        }
    }
    let named = info.dwAccessType == WINHTTP_ACCESS_TYPE_NAMED_PROXY && !proxies.is_empty();
    ProxyInfo { proxies: named.then_some(proxies), bypass }
}

// ---- requests -----------------------------------------------------------------------------------------

/// Where a request goes.
#[derive(Debug)]
pub struct Target<'a> {
    /// Host, an IPv6 address in brackets.
    pub host: &'a str,
    /// Port.
    pub port: u16,
    /// Whether over TLS. Windows judges the certificate.
    pub secure: bool,
    /// Path with query.
    pub path: &'a str,
    /// The proxy, `host:port`.
    pub proxy: &'a str,
    /// `User-Agent`.
    pub agent: &'a str,
}

/// A POST request through a proxy, in one thread. Redirects are not followed, cookies not kept.
pub struct Request {
    // In the order in which they are closed.
    request: Owned,
    _connection: Owned,
    _session: Owned,
}

impl Request {
    /// Prepares the request; nothing is sent yet.
    ///
    /// # Errors
    /// When Windows refuses a part of it.
    pub fn open(target: &Target<'_>) -> Result<Self, WindowsError> {
        let functions = functions()?;
        let session = open_session(functions, target.agent, Some(target.proxy))?;
        let host = Wide::new(target.host);
        // SAFETY: the session is open, the text zero-ended.
        let connection = unsafe { (functions.connect)(session.0, host.as_ptr(), target.port, 0) };
        let connection = owned(connection, functions, "a connection of WinHTTP")?;
        let (verb, path) = (Wide::new("POST"), Wide::new(target.path));
        let flags = if target.secure { WINHTTP_FLAG_SECURE } else { 0 };
        // SAFETY: the connection is open, the texts are zero-ended; null means HTTP/1.1, no referrer and any
        // answer.
        let request = unsafe {
            (functions.open_request)(
                connection.0,
                verb.as_ptr(),
                path.as_ptr(),
                null(),
                null(),
                null(),
                flags,
            )
        };
        let request = owned(request, functions, "a request of WinHTTP")?;
        let request = Self { request, _connection: connection, _session: session };
        request.set_number(
            WINHTTP_OPTION_DISABLE_FEATURE,
            WINHTTP_DISABLE_REDIRECTS | WINHTTP_DISABLE_COOKIES,
        )?;
        Ok(request)
    }

    /// Lets Windows log in to the proxy with the account of this process; for a service that is the PC's
    /// own account.
    ///
    /// # Errors
    /// When Windows refuses.
    pub fn use_own_account(&self) -> Result<(), WindowsError> {
        // The first keeps the account away from the server behind the proxy; older Windows lacks it.
        self.set_number(WINHTTP_OPTION_AUTOLOGON_POLICY, WINHTTP_AUTOLOGON_SECURITY_LEVEL_PROXY_ONLY).or_else(
            |_| self.set_number(WINHTTP_OPTION_AUTOLOGON_POLICY, WINHTTP_AUTOLOGON_SECURITY_LEVEL_LOW),
        )
    }

    /// Sets how to log in to the proxy: the scheme (`WINHTTP_AUTH_SCHEME_…`), and user and password, or
    /// `None` for the account of this process.
    ///
    /// # Errors
    /// When Windows refuses.
    pub fn set_login(&self, scheme: u32, login: Option<(&str, &str)>) -> Result<(), WindowsError> {
        let texts = login.map(|(user, password)| (Wide::new(user), Wide::new(password)));
        let (user, password) =
            texts.as_ref().map_or((null(), null()), |(user, password)| (user.as_ptr(), password.as_ptr()));
        // SAFETY: the request is open, the texts are zero-ended or null as documented for the own account.
        let done = unsafe {
            (self.request.1.set_credentials)(
                self.request.0,
                WINHTTP_AUTH_TARGET_PROXY,
                scheme,
                user,
                password,
                null_mut(),
            )
        };
        if done == 0 { Err(WindowsError::last("set", "the login for the proxy")) } else { Ok(()) }
    }

    /// Sends headers (lines ended by CR LF) and body, and waits for the answer's head.
    ///
    /// # Errors
    /// When no answer comes; the code is one of `ERROR_WINHTTP_…`.
    pub fn exchange(&self, headers: &str, body: &[u8], patience: &Patience) -> Result<(), WindowsError> {
        set_timeouts(&self.request, patience)?;
        let (functions, request) = (self.request.1, self.request.0);
        let (headers, length) = (Wide::new(headers), body.len() as u32);
        // SAFETY: the request is open; the headers are zero-ended, which -1 says; the body has the length
        // given and lives until the answer is there.
        let sent = unsafe {
            (functions.send_request)(
                request,
                headers.as_ptr(),
                u32::MAX,
                body.as_ptr().cast(),
                length,
                length,
                0,
            )
        };
        // SAFETY: the request was sent; null is what the documentation demands.
        if sent == 0 || unsafe { (functions.receive_response)(request, null_mut()) } == 0 {
            return Err(WindowsError::last("exchange", "a request with the server by WinHTTP"));
        }
        Ok(())
    }

    /// HTTP status of the answer.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn status(&self) -> Result<u32, WindowsError> {
        let (mut status, mut bytes) = (0_u32, size_of::<u32>() as u32);
        let what = WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER;
        // SAFETY: the request is open, the buffer is a live local of the length given.
        let done = unsafe {
            (self.request.1.query_headers)(
                self.request.0,
                what,
                null(),
                (&raw mut status).cast(),
                &raw mut bytes,
                null_mut(),
            )
        };
        if done == 0 { Err(WindowsError::last("read", "the status of an answer")) } else { Ok(status) }
    }

    /// The `index`-th header of that name, from 0; `None` when there is none or it is longer than 1,023
    /// units.
    #[must_use]
    pub fn header(&self, name: &str, index: u32) -> Option<String> {
        let mut units = [0_u16; HEADER_UNITS_MAX];
        let (name, mut bytes, mut index) = (Wide::new(name), size_of_val(&units) as u32, index);
        // SAFETY: the request is open, the name zero-ended, the buffer has the length given, the index is a
        // live local.
        let done = unsafe {
            (self.request.1.query_headers)(
                self.request.0,
                WINHTTP_QUERY_CUSTOM,
                name.as_ptr(),
                units.as_mut_ptr().cast(),
                &raw mut bytes,
                &raw mut index,
            )
        };
        (done != 0).then(|| until_zero(&units))
    }

    /// The schemes that a 407 offers (`WINHTTP_AUTH_SCHEME_…` bits); 0 when Windows cannot say.
    #[must_use]
    pub fn offered_schemes(&self) -> u32 {
        let (mut offered, mut first, mut target) = (0_u32, 0_u32, 0_u32);
        // SAFETY: the request is open, the addresses are live locals.
        let done = unsafe {
            (self.request.1.query_auth_schemes)(
                self.request.0,
                &raw mut offered,
                &raw mut first,
                &raw mut target,
            )
        };
        if done == 0 || target != WINHTTP_AUTH_TARGET_PROXY { 0 } else { offered }
    }

    /// Reads the next bytes of the body; 0 at its end.
    ///
    /// # Errors
    /// When it breaks off.
    pub fn read(&self, buffer: &mut [u8]) -> Result<usize, WindowsError> {
        let mut read = 0_u32;
        // SAFETY: the request is open, the buffer has the length given.
        let done = unsafe {
            (self.request.1.read_data)(
                self.request.0,
                buffer.as_mut_ptr().cast(),
                buffer.len() as u32,
                &raw mut read,
            )
        };
        if done == 0 { Err(WindowsError::last("read", "an answer by WinHTTP")) } else { Ok(read as usize) }
    }

    fn set_number(&self, option: u32, value: u32) -> Result<(), WindowsError> {
        // SAFETY: the request is open; the option takes a DWORD, which is a live local.
        let done = unsafe {
            (self.request.1.set_option)(
                self.request.0,
                option,
                (&raw const value).cast(),
                size_of::<u32>() as u32,
            )
        };
        if done == 0 {
            Err(WindowsError::last("set", format_args!("option {option} of WinHTTP")))
        } else {
            Ok(())
        }
    }
}

fn open_session(
    functions: &'static Functions,
    agent: &str,
    proxy: Option<&str>,
) -> Result<Owned, WindowsError> {
    let (agent, name) = (Wide::new(agent), proxy.map(Wide::new));
    let access = if name.is_some() { WINHTTP_ACCESS_TYPE_NAMED_PROXY } else { WINHTTP_ACCESS_TYPE_NO_PROXY };
    // SAFETY: the texts are zero-ended or null; flags of 0 make a synchronous session.
    let session = unsafe {
        (functions.open)(agent.as_ptr(), access, name.as_ref().map_or(null(), Wide::as_ptr), null(), 0)
    };
    owned(session, functions, "a session of WinHTTP")
}

/// How long the steps of an exchange may take, each by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Name look-up.
    pub resolve: Duration,
    /// Connection.
    pub connect: Duration,
    /// Sending.
    pub send: Duration,
    /// Each piece of the answer.
    pub receive: Duration,
}

fn set_timeouts(handle: &Owned, patience: &Patience) -> Result<(), WindowsError> {
    // 0 would mean for ever.
    let millis = |time: Duration| i32::try_from(time.as_millis()).unwrap_or(i32::MAX).max(1);
    // SAFETY: the handle is open.
    let done = unsafe {
        (handle.1.set_timeouts)(
            handle.0,
            millis(patience.resolve),
            millis(patience.connect),
            millis(patience.send),
            millis(patience.receive),
        )
    };
    if done == 0 { Err(WindowsError::last("set", "the time limits of WinHTTP")) } else { Ok(()) }
}
