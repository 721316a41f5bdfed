//! The configuration file, key by key.
//!
//! A wrong value must not stop the recording: every key is checked by itself, a bad one is reported with
//! its name, its value and the rule it breaks, and the others stay in force. What cannot work then (no
//! `server_url`, no sending) says so at the moment it is needed; records wait in the spool.

use std::fmt;
use std::path::{Path, PathBuf};

use mngntime_model::{ContractCode, Language};
use mngntime_wire::PublicKey;
use toml::{Table, Value};
use ureq::http::Uri;

use crate::platform;
use crate::transport::Route;

/// Every key the file may hold.
pub const KEYS: [&str; 12] = [
    "server_url",
    "contract_code",
    "enrollment_key",
    "state_dir",
    "proxy",
    "ca_file",
    "language",
    "server_key",
    "allow_plain_http",
    "reconcile_seconds",
    "heartbeat_seconds",
    "retry_cap_seconds",
];

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

/// What is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The file it was read from.
    pub path: PathBuf,
    /// Address of the server, without a slash at the end.
    pub server_url: Option<String>,
    /// 契約主コード.
    pub contract_code: Option<ContractCode>,
    /// The contract's enrolment key. Secret: never shown.
    pub enrollment_key: Option<String>,
    /// Where journal and key are.
    pub state_dir: PathBuf,
    /// How to reach the server.
    pub proxy: ProxySetting,
    /// PEM file with certificate authorities to trust besides the OS's own.
    pub ca_file: Option<PathBuf>,
    /// Language of the event log lines.
    pub language: Language,
    /// The server's public key, when it is to be known before enrolment.
    pub server_key: Option<PublicKey>,
    /// Whether plain HTTP is allowed to other hosts than this one.
    pub allow_plain_http: bool,
    /// Comparison with the OS's session list, in seconds, 1 to 3600.
    pub reconcile_seconds: u32,
    /// Sign that the PC is alive while somebody is logged on, in seconds, 1 to 3600.
    pub heartbeat_seconds: u32,
    /// Largest wait between two attempts to send, in seconds, 1 to 3600.
    pub retry_cap_seconds: u32,
    /// Keys that the file sets.
    pub set_keys: Vec<String>,
    /// What is wrong with the file.
    pub problems: Vec<ConfigProblem>,
}

/// One thing wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The file.
    pub path: PathBuf,
    /// The key, or `None` when the file as a whole cannot be used.
    pub key: Option<String>,
    /// The value as written, unless it is a secret.
    pub value: Option<String>,
    /// What is wrong and what would be right.
    pub reason: String,
}

impl ConfigProblem {
    /// The line for the event log.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let path = self.path.display();
        let value = self.value.as_deref().map(|value| format!(" = {value}")).unwrap_or_default();
        match (language, &self.key) {
            (Language::Japanese, Some(key)) => {
                format!("設定ファイル {path} の {key}{value} が正しくありません。{}", self.reason)
            }
            (Language::Japanese, None) => format!("設定ファイル {path} を使用できません。{}", self.reason),
            (Language::English, Some(key)) => {
                format!("The configuration file {path} is wrong at {key}{value}: {}", self.reason)
            }
            (Language::English, None) => {
                format!("The configuration file {path} cannot be used: {}", self.reason)
            }
        }
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::English))
    }
}

impl Config {
    /// Reads the file. Always gives a configuration to work with; `problems` says what is wrong.
    #[must_use]
    pub fn load(path: &Path) -> Self {
        let mut config = Self::defaults(path);
        match std::fs::read_to_string(path) {
            Ok(text) => config.read(&text),
            Err(error) => config.problem(None, None, format!("{error}")),
        }
        config
    }

    /// Every key at its default; `path` is where the values are said to come from.
    #[must_use]
    pub fn defaults(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            server_url: None,
            contract_code: None,
            enrollment_key: None,
            state_dir: platform::default_state_dir(),
            proxy: ProxySetting::System,
            ca_file: None,
            language: Language::Japanese,
            server_key: None,
            allow_plain_http: false,
            reconcile_seconds: 60,
            heartbeat_seconds: 30,
            retry_cap_seconds: 300,
            set_keys: Vec::new(),
            problems: Vec::new(),
        }
    }

    fn read(&mut self, text: &str) {
        let table: Table = match text.strip_prefix('\u{feff}').unwrap_or(text).parse() {
            Ok(table) => table,
            Err(error) => return self.problem(None, None, error.to_string().trim_end().to_owned()),
        };
        // Read first: whether an http address is wrong depends on it.
        if let Some(value) = table.get("allow_plain_http") {
            self.set("allow_plain_http", value);
        }
        for (key, value) in table.iter().filter(|(key, _)| *key != "allow_plain_http") {
            self.set(key, value);
        }
        for key in ["server_url", "contract_code", "enrollment_key"] {
            if !table.contains_key(key) {
                self.problem(
                    Some(key),
                    None,
                    "the key is missing; without it nothing can be sent".to_owned(),
                );
            }
        }
    }

    fn set(&mut self, key: &str, value: &Value) {
        self.set_keys.push(key.to_owned());
        if let Err(reason) = self.apply(key, value) {
            let shown = (key != "enrollment_key" && key != "proxy").then(|| value.to_string());
            self.problem(Some(key), shown, reason);
        }
    }

    fn apply(&mut self, key: &str, value: &Value) -> Result<(), String> {
        match key {
            "server_url" => self.server_url = Some(server_url(text(value)?, self.allow_plain_http)?),
            "contract_code" => {
                self.contract_code = Some(ContractCode::new(text(value)?).map_err(|e| e.to_string())?);
            }
            "enrollment_key" => self.enrollment_key = Some(non_empty(text(value)?)?.to_owned()),
            "state_dir" => self.state_dir = absolute(text(value)?)?,
            "ca_file" => self.ca_file = Some(readable(text(value)?)?),
            "proxy" => self.proxy = proxy(text(value)?)?,
            "language" => {
                self.language = Language::from_tag(text(value)?).ok_or("it must be \"ja\" or \"en\"")?;
            }
            "server_key" => {
                self.server_key = Some(PublicKey::parse(text(value)?).map_err(|e| e.to_string())?);
            }
            "allow_plain_http" => {
                self.allow_plain_http = value.as_bool().ok_or("it must be true or false, without quotes")?;
            }
            "reconcile_seconds" => self.reconcile_seconds = seconds(value)?,
            "heartbeat_seconds" => self.heartbeat_seconds = seconds(value)?,
            "retry_cap_seconds" => self.retry_cap_seconds = seconds(value)?,
            _ => return Err(format!("there is no such key; known are {}", KEYS.join(", "))),
        }
        Ok(())
    }

    fn problem(&mut self, key: Option<&str>, value: Option<String>, reason: String) {
        self.problems.push(ConfigProblem {
            path: self.path.clone(),
            key: key.map(str::to_owned),
            value,
            reason,
        });
    }
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| "it must be a text in quotes".to_owned())
}

fn non_empty(text: &str) -> Result<&str, String> {
    if text.trim().is_empty() { Err("it must not be empty".to_owned()) } else { Ok(text) }
}

fn seconds(value: &Value) -> Result<u32, String> {
    value
        .as_integer()
        .and_then(|seconds| u32::try_from(seconds).ok())
        .filter(|seconds| (1..=3600).contains(seconds))
        .ok_or_else(|| "it must be a number of seconds from 1 to 3600".to_owned())
}

fn absolute(path: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(non_empty(path)?);
    if path.is_absolute() { Ok(path) } else { Err("it must be an absolute path".to_owned()) }
}

fn readable(path: &str) -> Result<PathBuf, String> {
    let path = absolute(path)?;
    std::fs::File::open(&path).map_err(|error| format!("the file cannot be read: {error}"))?;
    Ok(path)
}

fn server_url(text: &str, allow_plain_http: bool) -> Result<String, String> {
    let text = text.trim().trim_end_matches('/');
    let uri: Uri =
        text.parse().map_err(|_| "it must be an address such as https://mngntime.example.co.jp")?;
    let host = uri.host().ok_or("the name of the server is missing")?;
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if is_loopback(host) || allow_plain_http => {}
        Some("http") => {
            return Err("plain http is only allowed to this PC itself; use https, or set allow_plain_http = true to send in the clear".to_owned());
        }
        _ => return Err("it must begin with https://".to_owned()),
    }
    if uri.query().is_some() {
        return Err("it must not hold a question mark".to_owned());
    }
    Ok(text.to_owned())
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn proxy(text: &str) -> Result<ProxySetting, String> {
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
        Err("proxy scripts (pac:, wpad) are for Windows; this system has no interpreter for them. Name the proxy: http://[user:password@]host:port".to_owned())
    }
}

fn script_address(text: &str) -> Result<String, String> {
    let uri: Uri =
        text.parse().map_err(|_| "after pac: there must be the address of the script".to_owned())?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https"), Some(_)) if !text.contains('@') => Ok(text.to_owned()),
        _ => Err("after pac: there must be an http:// or https:// address without a password".to_owned()),
    }
}

fn explicit_proxy(text: &str) -> Result<String, String> {
    let right =
        "it must be \"none\", \"system\", \"wpad\", \"pac:ADDRESS\" or http://[user:password@]host:port";
    let is_http = text.starts_with("http://") && Route::proxy(text).is_some();
    if is_http { Ok(text.to_owned()) } else { Err(right.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Config {
        let mut config = Config::defaults(Path::new("/etc/mngntime/config.toml"));
        config.read(text);
        config
    }

    const GOOD: &str = "server_url = \"https://mngntime.example.co.jp/\"\ncontract_code = \"demo\"\nenrollment_key = \"k\"\nstate_dir = \"/var/lib/x\"\n";

    #[test]
    fn a_good_file_has_no_problems() {
        let config = read(GOOD);
        assert_eq!(config.problems, []);
        assert_eq!(config.server_url.as_deref(), Some("https://mngntime.example.co.jp"));
    }

    #[test]
    fn a_bad_value_is_named_with_key_value_and_cure_and_the_rest_stays_in_force() {
        let config = read(&GOOD.replace("https://mngn", "ftp://mngn"));
        let text = config.problems[0].to_string();
        assert!(text.contains("server_url = \"ftp://mngntime.example.co.jp/\""), "{text}");
        assert!(text.contains("https://"), "{text}");
        assert_eq!(config.state_dir, Path::new("/var/lib/x"));
        assert_eq!(config.contract_code.unwrap().as_str(), "demo");
    }

    #[test]
    fn secrets_are_never_shown() {
        let config = read(
            &GOOD.replace("enrollment_key = \"k\"", "enrollment_key = 987654\nproxy = \"ftp://u:geheim@h\""),
        );
        let texts: String = config.problems.iter().map(ToString::to_string).collect();
        assert!(texts.contains("enrollment_key") && texts.contains("proxy"), "{texts}");
        assert!(!texts.contains("987654") && !texts.contains("geheim"), "{texts}");
    }

    #[test]
    fn misspelt_and_missing_keys_are_named() {
        let config = read("server_ulr = \"https://a\"\n");
        let keys: Vec<_> = config.problems.iter().filter_map(|problem| problem.key.as_deref()).collect();
        assert_eq!(keys, ["server_ulr", "server_url", "contract_code", "enrollment_key"]);
    }

    #[test]
    fn broken_toml_names_the_line() {
        let config = read("server_url = \"https://a\ncontract_code = 1");
        assert!(config.problems[0].reason.contains("line 1"), "{}", config.problems[0].reason);
    }

    #[test]
    fn plain_http_is_for_this_pc_unless_said_otherwise() {
        for local in ["http://127.0.0.1:8320", "http://localhost:1", "http://[::1]:2"] {
            assert_eq!(read(&GOOD.replace("https://mngntime.example.co.jp/", local)).problems, []);
        }
        let plain = GOOD.replace("https://", "http://");
        assert!(read(&plain).problems[0].reason.contains("allow_plain_http"));
        assert_eq!(read(&format!("{plain}allow_plain_http = true\n")).problems, []);
    }

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
            assert!(script.unwrap_err().contains("Windows"));
            assert!(detection.unwrap_err().contains("Windows"));
        }
    }

    #[test]
    fn a_file_saved_by_notepad_is_read() {
        assert_eq!(read(&format!("\u{feff}{GOOD}")).problems, []);
    }
}
