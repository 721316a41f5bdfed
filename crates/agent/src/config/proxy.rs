//! How to reach the server.

use ureq::http::Uri;

use super::problem::Reason;
use crate::platform;
use crate::transport::Route;

/// How to reach the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxySetting {
    /// Directly.
    None,
    /// As this PC is set up. Windows: `netsh winhttp`, else what the network announces (WPAD), else the
    /// Internet options of the user at the console, else directly. Linux: the environment of the process
    /// (`https_proxy`, `no_proxy`).
    System,
    /// As the proxy script (PAC) at this address says; directly when it cannot be had. Windows only.
    Script(String),
    /// As the script that the network announces (WPAD) says; directly when there is none. Windows only.
    AutoDetection,
    /// Through this one: `http://[user:password@]host:port`.
    Explicit(String),
}

impl ProxySetting {
    /// The setting for people. An explicit proxy is not named: it may hold a password.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::System => "system".to_owned(),
            Self::AutoDetection => "wpad".to_owned(),
            Self::Script(address) => format!("pac:{address}"),
            Self::Explicit(_) => "explicit".to_owned(),
        }
    }
}

/// Reads the key `proxy`.
pub(super) fn proxy(text: &str) -> Result<ProxySetting, Reason> {
    let setting = match text {
        "none" => ProxySetting::None,
        "system" => ProxySetting::System,
        "wpad" => ProxySetting::AutoDetection,
        other => match other.strip_prefix("pac:") {
            Some(script) => ProxySetting::Script(script_address(script)?),
            None => ProxySetting::Explicit(explicit_proxy(other)?),
        },
    };
    if platform::HAS_PROXY_SCRIPTS
        || !matches!(setting, ProxySetting::Script(_) | ProxySetting::AutoDetection)
    {
        Ok(setting)
    } else {
        Err(Reason::new(
            "プロキシスクリプト(pac:、wpad)はWindowsだけで使えます。http://[user:password@]host:port の形でプロキシを指定してください。",
            "proxy scripts (pac:, wpad) are for Windows; this system has no interpreter for them. Name the proxy: http://[user:password@]host:port",
        ))
    }
}

fn script_address(text: &str) -> Result<String, Reason> {
    let uri: Uri = text.parse().map_err(|_| {
        Reason::new(
            "pac: の後にスクリプトのアドレスを指定してください。",
            "after pac: there must be the address of the script",
        )
    })?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https"), Some(_)) if !text.contains('@') => Ok(text.to_owned()),
        _ => Err(Reason::new(
            "pac: の後は、パスワードを含まない http:// または https:// のアドレスにしてください。",
            "after pac: there must be an http:// or https:// address without a password",
        )),
    }
}

fn explicit_proxy(text: &str) -> Result<String, Reason> {
    let right = || {
        Reason::new(
            "\"none\"、\"system\"、\"wpad\"、\"pac:アドレス\"、http://[user:password@]host:port のどれかで指定してください。",
            "it must be \"none\", \"system\", \"wpad\", \"pac:ADDRESS\" or http://[user:password@]host:port",
        )
    };
    let is_http = text.starts_with("http://") && Route::proxy(text).is_some();
    if is_http { Ok(text.to_owned()) } else { Err(right()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_word_a_script_or_an_http_address() {
        let explicit = "http://u:p%40ss@proxy.example.co.jp:8080";
        assert_eq!(proxy(explicit), Ok(ProxySetting::Explicit(explicit.to_owned())));
        assert_eq!(proxy("none"), Ok(ProxySetting::None));
        for wrong in ["proxy:8080", "socks5://a:1", "https://a:1", "ftp://a", "", "http://"] {
            assert!(proxy(wrong).is_err(), "{wrong}");
        }
        let (script, detection) = (proxy("pac:http://wpad.example/proxy.pac"), proxy("wpad"));
        if cfg!(windows) {
            assert_eq!(script, Ok(ProxySetting::Script("http://wpad.example/proxy.pac".to_owned())));
            assert_eq!(detection, Ok(ProxySetting::AutoDetection));
            assert!(proxy("pac:file.pac").is_err());
        } else {
            assert!(script.unwrap_err().english.contains("Windows"));
            assert!(detection.unwrap_err().english.contains("Windows"));
        }
    }
}
