//! The configuration, key by key, from several sources.
//!
//! Highest first: the policy of the PC's administrators (`HKLM\SOFTWARE\Policies\MngnTime`), the
//! configuration file, what the installer was told (`HKLM\SOFTWARE\MngnTime\Agent`), the defaults. Each key
//! is taken from the highest source that sets it well, and remembers which that was.
//!
//! A wrong value must not stop the recording: every key is checked by itself, a bad one is reported with
//! its name, its value, its source and the rule it breaks, and the next lower source counts. What cannot
//! work then (no `server_url`, no sending) says so at the moment it is needed; records wait in the spool.

mod problem;
mod proxy;
mod sources;
#[cfg(test)]
mod tests;
mod value;

use std::path::{Path, PathBuf};

use mngntime_model::{ContractCode, Language};
use mngntime_wire::PublicKey;

pub use problem::{ConfigProblem, Origin, Reason};
pub use proxy::ProxySetting;

use crate::platform;
use proxy::proxy;
use sources::{FileSource, Layer, Layers, Sources};
use value::{Raw, absolute, non_empty, readable, server_url};

/// Every key a source may hold.
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

/// Keys that are yes or no.
const BOOLEAN_KEYS: &[&str] = &["allow_plain_http"];
/// Keys without which nothing can be sent.
const REQUIRED_KEYS: [&str; 3] = ["server_url", "contract_code", "enrollment_key"];
/// Keys whose values hold secrets (a proxy's address may hold a password).
const SECRET_KEYS: [&str; 2] = ["enrollment_key", "proxy"];

/// What is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The configuration file, which need not exist.
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
    /// What is wrong with the sources.
    pub problems: Vec<ConfigProblem>,
    /// Where the keys that are not at their default come from.
    origins: Vec<(&'static str, Origin)>,
    /// What all of this was made of.
    sources: Sources,
}

/// One key as it is in force, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// The key.
    pub key: &'static str,
    /// Its value; secrets only as set or not.
    pub value: String,
    /// Where the value comes from.
    pub origin: Origin,
}

impl Config {
    /// Reads the file at `path` and the other sources. Always gives a configuration to work with;
    /// `problems` says what is wrong.
    #[must_use]
    pub fn load(path: &Path) -> Self {
        Self::from_sources(path, Sources::read(path))
    }

    /// What a file at `path` with this text gives when no other source sets anything.
    #[must_use]
    pub fn of_text(path: &Path, text: &str) -> Self {
        Self::from_sources(path, Sources { file: FileSource::Text(text.to_owned()), registry: Vec::new() })
    }

    /// Reads the sources again; `None` while they are as they were. The state directory stays: it is open.
    #[must_use]
    pub fn reloaded(&self) -> Option<Self> {
        let sources = Sources::read(&self.path);
        (sources != self.sources)
            .then(|| Self { state_dir: self.state_dir.clone(), ..Self::from_sources(&self.path, sources) })
    }

    /// Every key at its default.
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
            problems: Vec::new(),
            origins: Vec::new(),
            sources: Sources::default(),
        }
    }

    /// Where the value of `key` comes from.
    #[must_use]
    pub fn origin(&self, key: &str) -> &Origin {
        self.origins.iter().find(|(set, _)| *set == key).map_or(&Origin::Default, |(_, origin)| origin)
    }

    /// All keys as they are in force, without secrets.
    #[must_use]
    pub fn effective(&self) -> Vec<Effective> {
        KEYS.iter()
            .map(|key| Effective { key, value: self.shown(key), origin: self.origin(key).clone() })
            .collect()
    }

    /// Why the state directory may be another one than `state_dir`: the source that would say so cannot be read, or says it
    /// wrongly. A file that is not there says nothing, unless somebody named it.
    #[must_use]
    pub fn where_records_are_unknown(&self, file_was_named: bool) -> Option<String> {
        if matches!(self.origin("state_dir"), Origin::Registry(_)) {
            return None;
        }
        if let (FileSource::Missing(words), true) = (&self.sources.file, file_was_named) {
            return Some(format!("{}: {words}", self.path.display()));
        }
        let is_missing = matches!(self.sources.file, FileSource::Missing(_));
        let is_about_it = |problem: &&ConfigProblem| match problem.key.as_deref() {
            Some(key) => key == "state_dir",
            None => !is_missing && matches!(problem.origin, Origin::File(_)),
        };
        self.problems.iter().find(is_about_it).map(|problem| problem.text(self.language))
    }

    fn shown(&self, key: &str) -> String {
        let secret = |is_set: bool| if is_set { "(set)" } else { "-" }.to_owned();
        let text = |value: Option<&str>| value.unwrap_or("-").to_owned();
        match key {
            "server_url" => text(self.server_url.as_deref()),
            "contract_code" => text(self.contract_code.as_ref().map(|code| code.as_str())),
            "enrollment_key" => secret(self.enrollment_key.is_some()),
            "state_dir" => self.state_dir.display().to_string(),
            "proxy" => self.proxy.shown(),
            "ca_file" => text(self.ca_file.as_deref().and_then(Path::to_str)),
            "language" => self.language.tag().to_owned(),
            "server_key" => secret(self.server_key.is_some()),
            "allow_plain_http" => self.allow_plain_http.to_string(),
            "reconcile_seconds" => self.reconcile_seconds.to_string(),
            "heartbeat_seconds" => self.heartbeat_seconds.to_string(),
            "retry_cap_seconds" => self.retry_cap_seconds.to_string(),
            _ => String::new(),
        }
    }

    fn from_sources(path: &Path, sources: Sources) -> Self {
        let mut config = Self::defaults(path);
        let Layers { layers, problems, denied, missing_file } = Layers::of(path, &sources);
        let file_is_unusable = problems.iter().any(|problem| matches!(problem.origin, Origin::File(_)));
        config.problems = problems;
        for layer in &layers {
            config.name_unknown_keys(layer);
        }
        // Chosen first: whether an http address is wrong depends on it.
        config.choose("allow_plain_http", &layers);
        for key in KEYS {
            if key != "allow_plain_http" {
                config.choose(key, &layers);
            }
            if let Some((_, place)) = denied.iter().find(|(denied, _)| *denied == key)
                && *config.origin(key) == Origin::Default
            {
                config.origins.push((key, Origin::Denied(place.clone())));
            }
        }
        // What stands in a file that cannot be read is not missing, it cannot be read.
        if !file_is_unusable {
            config.name_missing_keys(missing_file);
        }
        config.sources = sources;
        config
    }

    /// Takes `key` from the highest layer that sets it well.
    fn choose(&mut self, key: &'static str, layers: &[Layer]) {
        for layer in layers {
            let Some((_, raw)) = layer.values.iter().find(|(name, _)| name == key) else {
                continue;
            };
            match self.apply(key, raw) {
                Ok(()) => return self.origins.push((key, layer.origin.clone())),
                Err(reason) => {
                    // An address with a user name before the @ may hold a password behind it.
                    let is_secret = SECRET_KEYS.contains(&key) || raw.shown().contains('@');
                    let shown = (!is_secret).then(|| raw.shown());
                    self.problem(layer.origin.clone(), Some(key), shown, reason);
                }
            }
        }
    }

    fn apply(&mut self, key: &str, raw: &Raw) -> Result<(), Reason> {
        match key {
            "server_url" => self.server_url = Some(server_url(raw.text()?, self.allow_plain_http)?),
            "contract_code" => {
                self.contract_code = Some(
                    ContractCode::new(raw.text()?)
                        .map_err(|error| Reason::malformed("契約主コード", error))?,
                );
            }
            "enrollment_key" => self.enrollment_key = Some(non_empty(raw.text()?)?.to_owned()),
            "state_dir" => self.state_dir = absolute(raw.text()?)?,
            "ca_file" => self.ca_file = Some(readable(raw.text()?)?),
            "proxy" => self.proxy = proxy(raw.text()?)?,
            "language" => {
                self.language = Language::from_tag(raw.text()?).ok_or_else(|| {
                    Reason::new("\"ja\" または \"en\" を指定してください。", "it must be \"ja\" or \"en\"")
                })?;
            }
            "server_key" => {
                self.server_key = Some(
                    PublicKey::parse(raw.text()?)
                        .map_err(|error| Reason::malformed("サーバーの公開鍵", error))?,
                );
            }
            "allow_plain_http" => self.allow_plain_http = raw.boolean()?,
            "reconcile_seconds" => self.reconcile_seconds = raw.seconds()?,
            "heartbeat_seconds" => self.heartbeat_seconds = raw.seconds()?,
            "retry_cap_seconds" => self.retry_cap_seconds = raw.seconds()?,
            _ => return Err(no_such_key()),
        }
        Ok(())
    }

    fn name_unknown_keys(&mut self, layer: &Layer) {
        for (name, _) in layer.values.iter().filter(|(name, _)| !KEYS.contains(&name.as_str())) {
            let reason = no_such_key();
            // Without its value: it may be a secret under a misspelt name.
            self.problem(layer.origin.clone(), Some(name), None, reason);
        }
    }

    /// Required keys that no source sets. Without a file that is one problem: there should be one.
    fn name_missing_keys(&mut self, missing_file: Option<String>) {
        let missing: Vec<&str> = REQUIRED_KEYS
            .into_iter()
            .filter(|key| *self.origin(key) == Origin::Default)
            .filter(|key| !self.problems.iter().any(|problem| problem.key.as_deref() == Some(key)))
            .collect();
        let file = Origin::File(self.path.clone());
        match missing_file {
            Some(words) if !missing.is_empty() => {
                let keys = missing.join(", ");
                let reason = Reason::new(
                    format!("{keys} を設定してください。({words})"),
                    format!("{words}; {keys} must be set there"),
                );
                self.problem(file, None, None, reason);
            }
            Some(_) => {}
            None => missing.into_iter().for_each(|key| {
                let reason = Reason::new(
                    "設定されていません。この値がないと、打刻を送信できません。",
                    "the key is missing; without it nothing can be sent",
                );
                self.problem(file.clone(), Some(key), None, reason);
            }),
        }
    }

    fn problem(&mut self, origin: Origin, key: Option<&str>, value: Option<String>, reason: Reason) {
        self.problems.push(ConfigProblem { origin, key: key.map(str::to_owned), value, reason });
    }
}

fn no_such_key() -> Reason {
    let keys = KEYS.join(", ");
    Reason::new(
        format!("この名前の設定はありません。使えるのは {keys} です。"),
        format!("there is no such key; known are {keys}"),
    )
}
