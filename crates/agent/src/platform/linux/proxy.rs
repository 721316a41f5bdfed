//! Proxies as Linux services know them: the environment of the process.

use std::time::Duration;

use ureq::{Proxy, ProxyProtocol};

use crate::platform::ProxyLogin;
use crate::transport::{Reply, Route, Source, Trouble, name_of};

/// There is no interpreter for proxy scripts here.
pub const HAS_PROXY_SCRIPTS: bool = false;

/// What `proxy = "system"` asks.
pub const PROXY_SOURCES: &[Source] = &[Source::Environment];

/// Reads the environment; takes no time.
///
/// # Errors
/// When the proxy named there cannot be used, or the place does not exist on Linux.
pub fn look_up_proxy(source: &Source, url: &str, _: Duration) -> Result<Vec<Route>, String> {
    match source {
        Source::Environment => of_environment(Proxy::try_from_env(), url).map(|route| vec![route]),
        Source::MachineSetting | Source::AutoDetection | Source::Script(_) | Source::ConsoleUser => {
            Err("proxy scripts and the settings of Windows are for Windows".to_owned())
        }
    }
}

fn of_environment(proxy: Option<Proxy>, url: &str) -> Result<Route, String> {
    let Some(proxy) = proxy else {
        return Ok(Route::Direct);
    };
    if url.parse().is_ok_and(|url| proxy.is_no_proxy(&url)) {
        return Ok(Route::Direct);
    }
    if proxy.protocol() != ProxyProtocol::Http {
        let name = name_of(&proxy);
        return Err(format!(
            "the proxy {name} of the environment is no http:// proxy; set http://{name} or proxy"
        ));
    }
    Ok(Route::Proxy(proxy))
}

/// Linux has no account of the PC that a proxy could know.
#[must_use]
pub fn post_with_proxy_login(_: &ProxyLogin<'_>) -> Option<Result<Reply, Trouble>> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environments_proxy_is_taken_when_it_speaks_http() {
        let route = |proxy: Option<&str>| {
            of_environment(proxy.map(|proxy| Proxy::new(proxy).unwrap()), "https://time.example/")
        };
        assert_eq!(route(None), Ok(Route::Direct));
        assert_eq!(route(Some("http://a:1")), Ok(Route::proxy("a:1").unwrap()));
        let problem = route(Some("socks5://u:geheim@a:1")).unwrap_err();
        assert!(problem.contains("a:1") && !problem.contains("geheim"), "{problem}");
    }

    #[test]
    fn hosts_exempt_from_the_proxy_are_reached_directly() {
        let proxy =
            Proxy::builder(ProxyProtocol::Http).host("a").port(1).no_proxy("*.example").build().unwrap();
        assert_eq!(of_environment(Some(proxy.clone()), "https://time.example/"), Ok(Route::Direct));
        assert_eq!(of_environment(Some(proxy.clone()), "https://time.test/"), Ok(Route::Proxy(proxy)));
    }

    #[test]
    fn scripts_are_refused_in_words() {
        let asked = look_up_proxy(&Source::AutoDetection, "https://time.example/", Duration::from_secs(1));
        assert!(asked.unwrap_err().contains("Windows"));
    }
}
