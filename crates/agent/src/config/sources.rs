//! The places where values are set, read as they are.
//!
//! Highest first: the policy of the PC's administrators (registry), the configuration file, what the
//! installer was told (registry). Only Windows has a registry.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::problem::{ConfigProblem, Origin, Reason};
use super::value::Raw;
use super::{BOOLEAN_KEYS, KEYS};
use crate::platform::{self, SettingsRank, StoredContent, StoredSettings, StoredValue};

/// Largest configuration file, in bytes: a hundred times the longest sensible one.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// What the installer may set; other values of its key are its own business.
const INSTALLER_KEYS: &[&str] = &["server_url", "contract_code", "proxy"];
/// What the installer may set in the part that users cannot read.
const INSTALLER_SECRET_KEYS: &[&str] = &["enrollment_key"];

/// Everything the configuration is made of, as it was at one moment. Two that are equal give the same
/// configuration, so a comparison finds every change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Sources {
    pub(super) file: FileSource,
    pub(super) registry: Vec<StoredSettings>,
}

/// The configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum FileSource {
    /// There is none, in the words of the OS.
    Missing(String),
    /// It is there and cannot or must not be used.
    Unusable(String),
    /// Its text.
    Text(String),
    /// Nobody looked.
    #[default]
    Unread,
}

impl Sources {
    /// Reads the file at `path` and the registry.
    pub(super) fn read(path: &Path) -> Self {
        Self { file: read_file(path), registry: platform::registry_settings() }
    }
}

fn read_file(path: &Path) -> FileSource {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return FileSource::Missing(error.to_string());
        }
        Err(error) => return FileSource::Unusable(error.to_string()),
    };
    // Whoever can write the file can send the records to a server of his own.
    if let Err(error) = platform::ensure_trusted_file(path) {
        return FileSource::Unusable(format!("{error:#}"));
    }
    let mut text = String::new();
    match file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text) {
        Ok(_) if text.len() as u64 > FILE_BYTES_MAX => {
            FileSource::Unusable(format!("it is longer than {FILE_BYTES_MAX} bytes"))
        }
        Ok(_) => FileSource::Text(text),
        Err(error) => FileSource::Unusable(error.to_string()),
    }
}

/// One source with its values by name.
pub(super) struct Layer {
    pub(super) origin: Origin,
    pub(super) values: Vec<(String, Raw)>,
}

/// The layers, highest first, and what is wrong with sources as a whole.
#[derive(Default)]
pub(super) struct Layers {
    pub(super) layers: Vec<Layer>,
    pub(super) problems: Vec<ConfigProblem>,
    /// Keys that may be set where this account may not look, with the place.
    pub(super) denied: Vec<(&'static str, String)>,
    /// Why there is no file, when there is none.
    pub(super) missing_file: Option<String>,
}

impl Layers {
    pub(super) fn of(path: &Path, sources: &Sources) -> Self {
        let mut layers = Self::default();
        let (above, below): (Vec<_>, Vec<_>) =
            sources.registry.iter().partition(|stored| stored.rank == SettingsRank::Policy);
        above.into_iter().for_each(|stored| layers.add_stored(stored));
        layers.add_file(path, &sources.file);
        below.into_iter().for_each(|stored| layers.add_stored(stored));
        layers
    }

    fn add_file(&mut self, path: &Path, file: &FileSource) {
        let origin = Origin::File(path.to_owned());
        match file {
            FileSource::Unread => {}
            FileSource::Missing(words) => self.missing_file = Some(words.clone()),
            FileSource::Unusable(words) => self.unusable(origin, Reason::as_told(words)),
            FileSource::Text(text) => match text.strip_prefix('\u{feff}').unwrap_or(text).parse() {
                Ok(table) => self.layers.push(Layer { origin, values: values_of(&table) }),
                Err(error) => self.unusable(origin, syntax_problem(text, &error)),
            },
        }
    }

    fn add_stored(&mut self, stored: &StoredSettings) {
        let allowed = match stored.rank {
            SettingsRank::Policy => None,
            SettingsRank::Installer => Some(INSTALLER_KEYS),
            SettingsRank::InstallerSecret => Some(INSTALLER_SECRET_KEYS),
        };
        match &stored.content {
            StoredContent::Values(values) => self.layers.push(Layer {
                origin: Origin::Registry(stored.place.clone()),
                values: values.iter().filter_map(|(name, value)| setting(name, value, allowed)).collect(),
            }),
            StoredContent::Denied => {
                let keys = allowed.unwrap_or(&KEYS).iter();
                self.denied.extend(keys.map(|key| (*key, stored.place.clone())));
            }
            StoredContent::Unreadable(words) => {
                self.unusable(Origin::Registry(stored.place.clone()), Reason::as_told(words));
            }
        }
    }

    fn unusable(&mut self, origin: Origin, reason: Reason) {
        self.problems.push(ConfigProblem { origin, key: None, value: None, reason });
    }
}

fn values_of(table: &toml::Table) -> Vec<(String, Raw)> {
    table.iter().map(|(key, value)| (key.clone(), Raw::from_toml(value))).collect()
}

/// Where the file stops being TOML, and why. Without the line itself, which may hold a secret: problems go to
/// the event log, where every user of the PC reads.
fn syntax_problem(text: &str, error: &toml::de::Error) -> Reason {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let (line, words) = (before.matches('\n').count() + 1, error.message().replace('\n', ", "));
    Reason::new(format!("{line}行目の書き方が正しくありません。({words})"), format!("line {line}: {words}"))
}

/// A value of the registry as a setting; `None` when it is none. Names there know no case. With `allowed`
/// only those keys count, and an empty text is one that the installer was not told.
fn setting(name: &str, value: &StoredValue, allowed: Option<&[&str]>) -> Option<(String, Raw)> {
    let known = KEYS.iter().find(|key| key.eq_ignore_ascii_case(name));
    let name = known.map_or(name, |key| *key);
    if allowed.is_some_and(|allowed| !allowed.contains(&name) || *value == StoredValue::Text(String::new())) {
        return None;
    }
    let raw = match value {
        StoredValue::Text(text) => Raw::Text(text.clone()),
        StoredValue::Number(number @ (0 | 1)) if BOOLEAN_KEYS.contains(&name) => Raw::Boolean(*number == 1),
        StoredValue::Number(number) => Raw::Number(i64::from(*number)),
        StoredValue::Other(kind) => Raw::Other(format!("({kind})")),
    };
    Some((name.to_owned(), raw))
}
