//! Settings: defaults, below a TOML file, below environment variables `MNGNTIME_…`.
//!
//! Every value remembers where it came from, so that `mngntime config check` can say so. A key that is not
//! known is refused with its line: a misspelt limit must not be passed over in silence.

mod fields;
mod provider;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use crate::database::{self, DatabaseUrl};
use crate::source_address::Network;

pub(crate) use fields::day_boundary;
use fields::{
    absolute_path, boolean, connections_max, contact_seconds, display_name, failures_per_address,
    idle_minutes, listen, networks, not_empty, public_url, web_address,
};
pub use provider::ProviderSettings;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// A line of the configuration file.
    File {
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable.
    Environment(String),
    /// The command line.
    CommandLine,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { line } => write!(f, "file, line {line}"),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::CommandLine => f.write_str("command line"),
        }
    }
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file could not be read.
    #[error("could not read the configuration file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("the configuration file {} is not TOML:\n{message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What the parser says, with line and column.
        message: String,
    },
    /// A key that does not exist.
    #[error("unknown key `{key}` (value {value}, {origin}); the keys are: {known}")]
    UnknownKey {
        /// The key.
        key: String,
        /// Its value.
        value: String,
        /// Where it stands.
        origin: Origin,
        /// Every key there is.
        known: String,
    },
    /// A value that cannot be used.
    #[error("{key} = {value} ({origin}) cannot be used: {rule}")]
    Value {
        /// The key.
        key: &'static str,
        /// The value.
        value: String,
        /// Where it stands.
        origin: Origin,
        /// What it must be.
        rule: String,
    },
    /// Values that do not go together.
    #[error("{0}")]
    Contradiction(String),
}

/// How the database's address is called among the values; no key of a file, see [`crate::database`].
const DATABASE: &str = "database_url";

const DATABASE_MEANING: &str =
    "PostgreSQL database that keeps the data instead of a file in data_dir; environment only";

/// Every key with its default and what it is for.
const KEYS: [(&str, &str, &str); 26] = [
    ("listen", "127.0.0.1:8320", "address and port; port 0 lets the system choose"),
    ("data_dir", "/var/lib/mngntime", "directory of the database and the server's key"),
    (
        "public_url",
        "",
        "how browsers and PCs reach the server, such as https://time.example; passkeys belong to its name",
    ),
    ("tls_certificate", "", "PEM file with the certificate chain; read again when it changes"),
    ("tls_key", "", "PEM file with the private key"),
    ("display_name", "MINAGINE", "how the server is called in messages"),
    ("contact_seconds", "900", "how often a PC gives a sign of life"),
    ("day_boundary", "05:00", "until when a night belongs to the day before, HH:MM"),
    (
        "trusted_proxies",
        "",
        "addresses or networks (10.0.0.0/8) of proxies whose X-Forwarded-For is believed",
    ),
    ("allow_plain_http", "false", "serve without TLS on an address other PCs can reach"),
    ("connections_max", "8192", "connections at the same time; more are closed at once"),
    ("packages_dir", "", "directory of the agent's packages (.msi, .deb, .rpm, .zip), offered on the pages"),
    ("downloads_url", "", "where the agent's packages are, when they are not in packages_dir"),
    (
        "operators_second_factor",
        "false",
        "operators must have a second factor; they belong to no contract, so no contract can ask it of them",
    ),
    (
        "operators_idle_minutes",
        "60",
        "minutes without use after which an operator is signed out; 0 for never",
    ),
    (
        "sign_in_failures_per_address",
        "50",
        "failed sign-ins of one address that pass at once; as many more pass in 1000 seconds",
    ),
    (
        "metrics_token_file",
        "",
        "file with the token that /metrics asks for; without it everybody may read the figures",
    ),
    ("oidc_issuer", "", "address of an OpenID Connect provider that people may sign in with"),
    ("oidc_name", "OpenID Connect", "what the sign-in button calls that provider"),
    ("oidc_client_id", "", "what that provider calls this server"),
    ("oidc_client_secret_file", "", "file with the secret that provider has given"),
    ("oidc_scopes", "openid,email", "what that provider is asked for"),
    (
        "oidc_login_claim",
        "",
        "claim that says the login of people not linked yet: email (only verified), or one you vouch for",
    ),
    ("oidc_contract", "", "contract code whose people may sign in with that provider"),
    ("oidc_second_factor", "", "words of its amr or acr that count as a second factor, such as mfa"),
    ("log", "info", "what is logged: error, warn, info, debug, or a tracing filter"),
];

/// The server's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where the data is.
    pub data_dir: PathBuf,
    /// The PostgreSQL database that keeps it; absent when a file in the data directory does.
    pub database: Option<DatabaseUrl>,
    /// How browsers and PCs reach the server, without a slash at the end; absent for the address it listens on.
    pub public_url: Option<String>,
    /// Certificate chain and private key, when the server speaks TLS itself.
    pub tls: Option<TlsFiles>,
    /// How the server is called in messages.
    pub display_name: String,
    /// How often a PC gives a sign of life, in seconds.
    pub contact_seconds: u32,
    /// Until when a night belongs to the day before, in minutes after midnight.
    pub day_boundary_minutes: u32,
    /// Proxies that are believed.
    pub trusted_proxies: Vec<Network>,
    /// Whether plain HTTP is meant on an address other PCs can reach.
    pub allow_plain_http: bool,
    /// Whether operators must have a second factor.
    pub operators_second_factor: bool,
    /// Minutes without use after which an operator is signed out; absent for never.
    pub operators_idle_minutes: Option<u16>,
    /// Failed sign-ins of one address that pass at once.
    pub sign_in_failures_per_address: u32,
    /// File with the token that `/metrics` asks for; absent when everybody may read it.
    pub metrics_token_file: Option<PathBuf>,
    /// Another provider that people may sign in with.
    pub provider: Option<ProviderSettings>,
    /// Connections at the same time.
    pub connections_max: usize,
    /// Directory of the agent's packages.
    pub packages_dir: Option<PathBuf>,
    /// Where the agent's packages are otherwise.
    pub downloads_url: Option<String>,
    /// What is logged.
    pub log: String,
}

/// Files of the server's TLS identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificate chain, PEM.
    pub cert: PathBuf,
    /// Private key, PEM.
    pub key: PathBuf,
}

/// Values by key, each with its origin.
#[derive(Debug, Clone)]
pub struct Sources(BTreeMap<&'static str, (String, Origin)>);

impl Sources {
    /// The defaults.
    #[must_use]
    pub fn defaults() -> Self {
        Self(KEYS.iter().map(|(key, value, _)| (*key, ((*value).to_owned(), Origin::Default))).collect())
    }

    /// Puts a file's values above.
    ///
    /// # Errors
    /// [`SettingsError`] naming key, value and line.
    pub fn with_file(self, path: &Path) -> Result<Self, SettingsError> {
        let read = std::fs::read_to_string(path);
        let text = read.map_err(|source| SettingsError::Read { path: path.to_owned(), source })?;
        self.with_toml(&text, path)
    }

    fn with_toml(mut self, text: &str, path: &Path) -> Result<Self, SettingsError> {
        let table = DeTable::parse(text)
            .map_err(|error| SettingsError::Syntax { path: path.to_owned(), message: error.to_string() })?;
        for (key, value) in table.get_ref() {
            let origin = Origin::File { line: line_of(text, key.span().start) };
            self.put(key.get_ref(), plain_text(value.get_ref()), origin)?;
        }
        Ok(self)
    }

    /// Puts environment variables above: `MNGNTIME_LISTEN` for `listen`, and so on.
    ///
    /// # Errors
    /// [`SettingsError`] naming the variable.
    pub fn with_environment(
        mut self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, SettingsError> {
        if let Some(url) = variable(database::VARIABLE).filter(|url| !url.is_empty()) {
            self.0.insert(DATABASE, (url, Origin::Environment(database::VARIABLE.to_owned())));
        }
        for (key, _, _) in KEYS {
            let name = format!("MNGNTIME_{}", key.to_uppercase());
            if let Some(value) = variable(&name) {
                self.put(key, value, Origin::Environment(name))?;
            }
        }
        Ok(self)
    }

    /// Puts a value of the command line above.
    ///
    /// # Errors
    /// [`SettingsError::UnknownKey`].
    pub fn with_argument(mut self, key: &str, value: Option<String>) -> Result<Self, SettingsError> {
        if let Some(value) = value {
            self.put(key, value, Origin::CommandLine)?;
        }
        Ok(self)
    }

    fn put(&mut self, key: &str, value: String, origin: Origin) -> Result<(), SettingsError> {
        let Some((known, _, _)) = KEYS.iter().find(|(known, _, _)| *known == key) else {
            let known: Vec<_> = KEYS.iter().map(|(known, _, _)| *known).collect();
            return Err(SettingsError::UnknownKey {
                key: key.to_owned(),
                value,
                origin,
                known: known.join(", "),
            });
        };
        self.0.insert(known, (value, origin));
        Ok(())
    }

    /// One line for each key: value, origin and meaning.
    #[must_use]
    pub fn explain(&self) -> String {
        let line = |(key, _, meaning): &(&'static str, &str, &str)| {
            let (value, origin) = self.get(key);
            let value = if value.is_empty() { "(not set)" } else { value };
            format!("{key} = {value}\n    from: {origin}; {meaning}\n")
        };
        let hidden = match self.0.get(DATABASE) {
            Some((_, origin)) => {
                format!("{DATABASE} = (PostgreSQL; not shown)\n    from: {origin}; {DATABASE_MEANING}\n")
            }
            None => format!("{DATABASE} = (not set)\n    from: default; {DATABASE_MEANING}\n"),
        };
        KEYS.iter().map(line).chain([hidden]).collect()
    }

    fn get(&self, key: &str) -> (&str, Origin) {
        match self.0.get(key) {
            Some((value, origin)) => (value, origin.clone()),
            None => ("", Origin::Default),
        }
    }

    /// Reads a value by `read`, whose error says what it must be.
    fn value<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, SettingsError> {
        let (value, origin) = self.get(key);
        read(value).map_err(|rule| SettingsError::Value { key, value: value.to_owned(), origin, rule })
    }

    /// Checks everything and makes the settings.
    ///
    /// # Errors
    /// [`SettingsError`] naming the first value that cannot be used.
    pub fn settle(&self) -> Result<Settings, SettingsError> {
        let settings = Settings {
            listen: self.value("listen", listen)?,
            data_dir: self.value("data_dir", |text| Ok(PathBuf::from(not_empty(text)?)))?,
            database: self.database()?,
            public_url: self.value("public_url", public_url)?,
            tls: self.tls()?,
            display_name: self.value("display_name", display_name)?,
            contact_seconds: self.value("contact_seconds", contact_seconds)?,
            day_boundary_minutes: self.value("day_boundary", day_boundary)?,
            trusted_proxies: self.value("trusted_proxies", networks)?,
            allow_plain_http: self.value("allow_plain_http", boolean)?,
            operators_second_factor: self.value("operators_second_factor", boolean)?,
            operators_idle_minutes: self.value("operators_idle_minutes", idle_minutes)?,
            sign_in_failures_per_address: self.value("sign_in_failures_per_address", failures_per_address)?,
            metrics_token_file: self.value("metrics_token_file", absolute_path)?,
            provider: self.provider()?,
            connections_max: self.value("connections_max", connections_max)?,
            packages_dir: self.value("packages_dir", absolute_path)?,
            downloads_url: self.value("downloads_url", web_address)?,
            log: self.value("log", |text| Ok(not_empty(text)?.to_owned()))?,
        };
        settings.check_plain_http()?;
        Ok(settings)
    }

    /// The address is not repeated in the error: it holds a password.
    fn database(&self) -> Result<Option<DatabaseUrl>, SettingsError> {
        DatabaseUrl::read(self.get(DATABASE).0).map_err(|error| {
            SettingsError::Contradiction(format!("{} cannot be used: {error}", database::VARIABLE))
        })
    }

    fn tls(&self) -> Result<Option<TlsFiles>, SettingsError> {
        let (cert, key) = (self.get("tls_certificate").0, self.get("tls_key").0);
        match (cert.is_empty(), key.is_empty()) {
            (true, true) => Ok(None),
            (false, false) => Ok(Some(TlsFiles { cert: cert.into(), key: key.into() })),
            (true, false) | (false, true) => Err(SettingsError::Contradiction(
                "tls_certificate and tls_key belong together: set both or neither".into(),
            )),
        }
    }
}

impl Settings {
    /// The defaults with another data directory: what command-line tools and tests need.
    ///
    /// # Errors
    /// Never: the defaults are valid.
    pub fn for_directory(directory: &Path) -> Result<Self, SettingsError> {
        let defaults = Sources::defaults().settle()?;
        Ok(Self { data_dir: directory.to_owned(), ..defaults })
    }

    /// Punches carry names; they cross a network in the clear only when somebody has said so.
    fn check_plain_http(&self) -> Result<(), SettingsError> {
        let local = self.listen.ip().is_loopback();
        if local || self.tls.is_some() || self.allow_plain_http || !self.trusted_proxies.is_empty() {
            return Ok(());
        }
        Err(SettingsError::Contradiction(format!(
            "listen = {} can be reached by other PCs, but there is no TLS: set tls_certificate and tls_key, or name the \
             TLS proxy in front in trusted_proxies, or set allow_plain_http = true",
            self.listen
        )))
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// A TOML value as the text an environment variable would hold. Lists are joined by commas.
fn plain_text(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(values) => {
            values.iter().map(|value| plain_text(value.get_ref())).collect::<Vec<_>>().join(",")
        }
        DeValue::Table(_) => "a table".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(toml: &str, environment: &[(&str, &str)]) -> Result<Settings, String> {
        let find =
            |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, v)| (*v).to_owned());
        Sources::defaults()
            .with_toml(toml, Path::new("server.toml"))
            .and_then(|sources| sources.with_environment(find))
            .and_then(|sources| sources.settle())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_environment_stands_above_the_file_and_the_file_above_the_defaults() {
        let toml =
            "listen = \"127.0.0.1:1\"\ncontact_seconds = 60\ntrusted_proxies = [\"10.0.0.1\", \"::1\"]\n";
        let settings = from(toml, &[("MNGNTIME_LISTEN", "127.0.0.1:2")]).unwrap();
        assert_eq!(settings.listen.port(), 2);
        assert_eq!(settings.contact_seconds, 60);
        assert_eq!(settings.trusted_proxies.len(), 2);
        assert_eq!(settings.display_name, "MINAGINE");
    }

    #[test]
    fn an_unknown_key_is_named_with_value_and_line() {
        let error = from("# x\nlisten = \"127.0.0.1:1\"\nlissten = \"y\"\n", &[]).unwrap_err();
        assert!(
            error.contains("`lissten`") && error.contains("value y") && error.contains("line 3"),
            "{error}"
        );
    }

    #[test]
    fn a_public_url_is_a_place_and_no_page() {
        let of = |url: &str| from(&format!("public_url = \"{url}\""), &[]).map(|found| found.public_url);
        assert_eq!(of("https://time.example:8443/").unwrap().as_deref(), Some("https://time.example:8443"));
        assert_eq!(of("").unwrap(), None);
        for bad in ["time.example", "ftp://time.example", "https://time.example/x", "https://a@time.example"]
        {
            assert!(of(bad).unwrap_err().contains("public_url"), "{bad}");
        }
    }

    #[test]
    fn a_bad_value_is_named_with_its_origin() {
        let error = from("contact_seconds = 5\n", &[]).unwrap_err();
        assert!(error.starts_with("contact_seconds = 5 (file, line 1)"), "{error}");
        let error = from("", &[("MNGNTIME_CONNECTIONS_MAX", "many")]).unwrap_err();
        assert!(error.contains("environment variable MNGNTIME_CONNECTIONS_MAX"), "{error}");
    }

    #[test]
    fn operators_idle_for_a_while_or_for_ever() {
        let minutes = |text| from(&format!("operators_idle_minutes = {text}"), &[]);
        let minutes = |text| minutes(text).map(|settings| settings.operators_idle_minutes);
        assert_eq!(from("", &[]).map(|settings| settings.operators_idle_minutes), Ok(Some(60)));
        assert_eq!((minutes("0"), minutes("5"), minutes("720")), (Ok(None), Ok(Some(5)), Ok(Some(720))));
        for bad in ["4", "721", "-5", "\"\"", "65536"] {
            assert!(minutes(bad).unwrap_err().contains("from 5 to 720, or 0 for never"), "{bad}");
        }
    }

    #[test]
    fn failures_of_an_address_are_a_number_and_proxies_may_be_a_network() {
        let failures = |text| {
            from(&format!("sign_in_failures_per_address = {text}"), &[])
                .map(|settings| settings.sign_in_failures_per_address)
        };
        let default = from("", &[]).unwrap();
        assert_eq!(default.sign_in_failures_per_address, crate::limiter::PER_ADDRESS);
        assert_eq!((failures("10"), failures("10000")), (Ok(10), Ok(10_000)));
        for bad in ["9", "10001", "-1", "\"\""] {
            assert!(failures(bad).unwrap_err().contains("from 10 to 10000"), "{bad}");
        }
        let proxies =
            |text| from(&format!("trusted_proxies = {text}"), &[]).map(|found| found.trusted_proxies);
        assert_eq!(proxies("[\"10.0.0.0/8\", \"fd00::/8\"]").unwrap().len(), 2);
        assert!(proxies("[\"0.0.0.0/0\"]").unwrap_err().contains("is everybody"));
        assert!(proxies("[\"proxy\"]").unwrap_err().contains("such as 10.0.0.0/8"));
        assert!(from("metrics_token_file = \"token\"", &[]).unwrap_err().contains("absolute path"));
    }

    #[test]
    fn the_day_boundary_is_a_time_of_the_morning() {
        let minutes = |text| from(&format!("day_boundary = \"{text}\""), &[]).map(|s| s.day_boundary_minutes);
        assert_eq!(from("", &[]).map(|settings| settings.day_boundary_minutes), Ok(300));
        assert_eq!((minutes("00:00"), minutes("12:00"), minutes("04:30")), (Ok(0), Ok(720), Ok(270)));
        for bad in ["12:01", "5:00", "05:60", "05-00", "", "+5:00", "05:0x"] {
            assert!(minutes(bad).unwrap_err().contains("from 00:00 to 12:00"), "{bad}");
        }
    }

    #[test]
    fn plain_http_to_the_world_needs_a_word() {
        assert!(from("listen = \"0.0.0.0:80\"", &[]).unwrap_err().contains("no TLS"));
        assert!(from("listen = \"0.0.0.0:80\"\nallow_plain_http = true", &[]).is_ok());
        assert!(from("listen = \"0.0.0.0:80\"\ntrusted_proxies = [\"10.0.0.1\"]", &[]).is_ok());
        assert!(from("listen = \"0.0.0.0:443\"\ntls_certificate = \"c\"\ntls_key = \"k\"", &[]).is_ok());
        assert!(from("tls_certificate = \"c\"", &[]).unwrap_err().contains("belong together"));
    }

    #[test]
    fn the_address_of_the_database_comes_from_the_environment_and_is_never_shown() {
        let url = ("MNGNTIME_DATABASE_URL", "postgres://u:hunter2@localhost/d");
        assert!(from("", &[url]).unwrap().database.is_some());
        assert_eq!(from("", &[("MNGNTIME_DATABASE_URL", "")]).unwrap().database, None);
        assert!(from("database_url = \"postgres://localhost/d\"", &[]).unwrap_err().contains("unknown key"));
        let error = from("", &[("MNGNTIME_DATABASE_URL", "mysql://u:hunter2@localhost/d")]).unwrap_err();
        assert!(error.contains("MNGNTIME_DATABASE_URL") && !error.contains("hunter2"), "{error}");
        let sources =
            Sources::defaults().with_environment(|name| (name == url.0).then(|| url.1.into())).unwrap();
        let told = sources.explain();
        assert!(
            told.contains("environment variable MNGNTIME_DATABASE_URL") && !told.contains("hunter2"),
            "{told}"
        );
    }

    #[test]
    fn packages_are_in_an_absolute_directory_or_at_an_address() {
        let settings =
            from("packages_dir = \"/srv/p\"\ndownloads_url = \"https://x.example/p\"", &[]).unwrap();
        assert_eq!(settings.packages_dir.as_deref(), Some(Path::new("/srv/p")));
        assert_eq!(settings.downloads_url.as_deref(), Some("https://x.example/p"));
        let none = from("", &[]).unwrap();
        assert_eq!((none.packages_dir, none.downloads_url), (None, None));
        assert!(from("packages_dir = \"p\"", &[]).unwrap_err().contains("absolute path"));
        for wrong in ["javascript:alert(1)", "//x", "https://a b"] {
            let error = from(&format!("downloads_url = \"{wrong}\""), &[]).unwrap_err();
            assert!(error.starts_with("downloads_url = "), "{error}");
        }
    }

    #[test]
    fn every_key_is_explained_with_its_origin() {
        let sources = Sources::defaults().with_toml("\nlog = \"debug\"\n", Path::new("x")).unwrap();
        let text = sources.explain();
        assert!(text.contains("log = debug\n    from: file, line 2"), "{text}");
        assert!(KEYS.iter().all(|(key, _, _)| text.contains(&format!("{key} = "))), "{text}");
    }
}
