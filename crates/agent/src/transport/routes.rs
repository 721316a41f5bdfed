//! Which ways lead to the server, and in which order they are tried. No I/O.
//!
//! A plan is a list of steps: a route that is known, or a place to ask for routes (the machine's proxy
//! setting, a proxy script). Places are asked only when the routes before them have failed, because asking
//! can take seconds. The next route is tried only when the one before was dead: nobody answered there. An
//! answer, whatever it says, ends the search, or a refusal would be hidden by a route that happens to work.

use std::collections::VecDeque;

use ureq::{Proxy, ProxyProtocol};

use crate::config::ProxySetting;

/// One way to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// Without a proxy.
    Direct,
    /// Through this one. Its `Debug` form hides the password.
    Proxy(Proxy),
}

impl Route {
    /// The route through `host:port`, a full `http://…` address, or `None` for what is no address of an
    /// HTTP proxy (SOCKS and TLS to the proxy are not spoken).
    #[must_use]
    pub fn proxy(text: &str) -> Option<Self> {
        let proxy = Proxy::new(text).ok()?;
        // "host:port" without a scheme is read as an HTTP proxy; a host is what must be there.
        (proxy.protocol() == ProxyProtocol::Http && !proxy.host().is_empty()).then_some(Self::Proxy(proxy))
    }
}

/// The proxy's name for people: host and port, never the password.
#[must_use]
pub fn name_of(proxy: &Proxy) -> String {
    format!("{}:{}", proxy.host(), proxy.port())
}

/// A place to ask for routes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `https_proxy`, `no_proxy` and so on of the process. The proxy named there is the only route.
    Environment,
    /// `netsh winhttp` (Windows).
    MachineSetting,
    /// WPAD: the network names the script (Windows).
    AutoDetection,
    /// The script at this address (Windows).
    Script(String),
    /// The Internet options of the user at the console (Windows).
    ConsoleUser,
}

impl Source {
    /// Whether only an administrator of this PC decides what it says. The network writes the scripts, and the
    /// user at the console his own options.
    fn is_an_administrators(&self) -> bool {
        match self {
            Self::Environment | Self::MachineSetting => true,
            Self::AutoDetection | Self::Script(_) | Self::ConsoleUser => false,
        }
    }
}

/// A route, and whose word it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The route.
    pub route: Route,
    /// Whether an administrator named it, in the configuration or in the machine's setting. Only such a
    /// proxy may get the PC's own account: anybody else could name a machine of his own and use the login
    /// against a third one.
    pub may_get_the_pcs_account: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Take(Way),
    Ask(Source),
}

/// The routes of one exchange, one after the other, none twice.
#[derive(Debug)]
pub struct Itinerary {
    steps: VecDeque<Step>,
    given: Vec<Route>,
    /// What was asked without success, in words.
    pub problems: Vec<String>,
}

impl Itinerary {
    /// The plan for a setting, with `remembered`, the way that worked last, in front. `system` are the
    /// places that this platform asks for `proxy = "system"`.
    #[must_use]
    pub fn new(setting: &ProxySetting, system: &[Source], remembered: Option<Way>) -> Self {
        let first = remembered.map(Step::Take);
        let steps = first.into_iter().chain(plan(setting, system)).collect();
        Self { steps, given: Vec::new(), problems: Vec::new() }
    }

    /// The next way to try; `ask` asks a place for routes.
    pub fn next(&mut self, mut ask: impl FnMut(&Source) -> Result<Vec<Route>, String>) -> Option<Way> {
        while let Some(step) = self.steps.pop_front() {
            match step {
                Step::Take(way) if self.given.contains(&way.route) => {}
                Step::Take(way) => {
                    self.given.push(way.route.clone());
                    return Some(way);
                }
                Step::Ask(source) => match ask(&source) {
                    Ok(routes) => {
                        let may_get_the_pcs_account = source.is_an_administrators();
                        for route in routes.into_iter().rev() {
                            self.steps.push_front(Step::Take(Way { route, may_get_the_pcs_account }));
                        }
                    }
                    Err(problem) => self.problems.push(problem),
                },
            }
        }
        None
    }
}

fn plan(setting: &ProxySetting, system: &[Source]) -> Vec<Step> {
    let named = |route| Step::Take(Way { route, may_get_the_pcs_account: true });
    let asked = match setting {
        ProxySetting::None => return vec![named(Route::Direct)],
        ProxySetting::Explicit(address) => {
            return Route::proxy(address).map(named).into_iter().collect();
        }
        ProxySetting::System => system.to_vec(),
        ProxySetting::Script(address) => vec![Source::Script(address.clone())],
        ProxySetting::AutoDetection => vec![Source::AutoDetection],
    };
    // Whoever sets the environment means that and nothing else.
    let otherwise_direct = !asked.contains(&Source::Environment);
    let direct = otherwise_direct.then(|| named(Route::Direct));
    asked.into_iter().map(Step::Ask).chain(direct).collect()
}

/// The routes in a list as Windows writes it: `a:1;b:2`, `http=a:1;https=b:2`, with blanks for semicolons;
/// or as a proxy script answers: `PROXY a:1; DIRECT`. `scheme` is that of the server's address; entries
/// for other schemes are left out.
///
/// # Errors
/// When the list holds entries but none that can be used; names them.
pub fn listed(list: &str, scheme: &str) -> Result<Vec<Route>, String> {
    let (mut routes, mut unusable, mut kind) = (Vec::new(), Vec::new(), "PROXY".to_owned());
    for word in list.split([';', ' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()) {
        let (prefix, address) = word.split_once('=').unwrap_or((scheme, word));
        match word.to_ascii_uppercase().as_str() {
            "DIRECT" => routes.push(Route::Direct),
            "PROXY" | "HTTP" | "HTTPS" | "SOCKS" | "SOCKS4" | "SOCKS5" => kind = word.to_ascii_uppercase(),
            _ if !prefix.eq_ignore_ascii_case(scheme) => {}
            _ => {
                let speaks_http =
                    matches!(std::mem::replace(&mut kind, "PROXY".to_owned()).as_str(), "PROXY" | "HTTP");
                match Route::proxy(address).filter(|_| speaks_http) {
                    Some(route) => routes.push(route),
                    None => unusable.push(without_password(address)),
                }
            }
        }
    }
    if routes.is_empty() && !unusable.is_empty() {
        return Err(format!("no HTTP proxy among: {}", unusable.join(" ")));
    }
    Ok(routes)
}

/// An address with everything before its last `@` left out.
fn without_password(address: &str) -> String {
    address.rsplit('@').next().unwrap_or_default().to_owned()
}

/// Whether the host of an address is this PC itself. An IPv6 address may stand in brackets.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a bypass list as Windows writes it (`*.example.co.jp;10.*;<local>`) exempts `host`. `<local>`
/// stands for names without a dot. This PC itself is always exempt.
#[must_use]
pub fn is_bypassed(host: &str, list: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    if is_loopback(&host) {
        return true;
    }
    list.split([';', ' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()).any(|word| {
        let word = word.to_ascii_lowercase();
        if word == "<local>" {
            return !host.contains(['.', ':']);
        }
        fits(&host, host_of(&word))
    })
}

/// The host of a bypass entry, which may carry a scheme and a port.
fn host_of(entry: &str) -> &str {
    let entry = entry.split_once("://").map_or(entry, |(_, rest)| rest);
    if let Some(inside) = entry.strip_prefix('[') {
        return inside.split(']').next().unwrap_or_default();
    }
    match entry.split_once(':') {
        Some((host, port)) if !port.contains(':') => host,
        Some(_) | None => entry,
    }
}

/// Whether `text` fits `pattern`, in which `*` stands for any run of characters.
fn fits(text: &str, pattern: &str) -> bool {
    let Some((beginning, rest)) = pattern.split_once('*') else {
        return text == pattern;
    };
    let Some(mut text) = text.strip_prefix(beginning) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let ending = parts.pop().unwrap_or_default();
    for part in parts {
        match text.find(part) {
            Some(found) => text = &text[found + part.len()..],
            None => return false,
        }
    }
    text.ends_with(ending)
}

#[cfg(test)]
mod tests;
