//! How to reach the server.

/// How to reach the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxySetting {
    /// Directly.
    None,
    /// As the environment of the process says (`https_proxy`, `no_proxy`).
    System,
    /// Through this one: `http://[user:password@]host:port`.
    Explicit(String),
}

impl ProxySetting {
    /// The setting for people; never the address, which may hold a password.
    #[must_use]
    pub fn shown(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::System => "system",
            Self::Explicit(_) => "explicit",
        }
    }
}

/// Reads the key `proxy`.
pub(super) fn proxy(text: &str) -> Result<ProxySetting, String> {
    match text {
        "none" => Ok(ProxySetting::None),
        "system" => Ok(ProxySetting::System),
        explicit => ureq::Proxy::new(explicit)
            .map(|_| ProxySetting::Explicit(explicit.to_owned()))
            .map_err(|_| "it must be \"none\", \"system\" or http://[user:password@]host:port".to_owned()),
    }
}
