//! Settings in the registry: the administrators' policy and what the installer was told.

use windows_sys::Win32::Foundation::ERROR_ACCESS_DENIED;

use super::ffi::registry::{self, Datum};
use crate::platform::{SettingsRank, StoredContent, StoredSettings, StoredValue};
use crate::runtime::chain;

/// Where group policy and Intune write what `MngnTime.admx` offers. Only administrators can write there.
const POLICY_KEY: &str = r"SOFTWARE\Policies\MngnTime";
/// Where the installer keeps its public properties.
const INSTALLER_KEY: &str = r"SOFTWARE\MngnTime\Agent";
/// The same for what users must not read.
const INSTALLER_SECRET_KEY: &str = r"SOFTWARE\MngnTime\Agent\Secret";

/// All settings of the registry, highest first; keys that do not exist are left out.
#[must_use]
pub fn registry_settings() -> Vec<StoredSettings> {
    [
        (SettingsRank::Policy, POLICY_KEY),
        (SettingsRank::Installer, INSTALLER_KEY),
        (SettingsRank::InstallerSecret, INSTALLER_SECRET_KEY),
    ]
    .into_iter()
    .filter_map(|(rank, key)| {
        let content = content_of(key)?;
        Some(StoredSettings { rank, place: format!(r"HKLM\{key}"), content })
    })
    .collect()
}

fn content_of(key: &str) -> Option<StoredContent> {
    match registry::values(key) {
        Ok(None) => None,
        Ok(Some(values)) => {
            let values = values.into_iter().map(|(name, datum)| (name, stored(datum)));
            Some(StoredContent::Values(values.collect()))
        }
        Err(error) if error.code() == Some(ERROR_ACCESS_DENIED) => Some(StoredContent::Denied),
        Err(error) => Some(StoredContent::Unreadable(chain(&error))),
    }
}

fn stored(datum: Datum) -> StoredValue {
    match datum {
        Datum::Text(text) => StoredValue::Text(text),
        Datum::Dword(number) => StoredValue::Number(number),
        Datum::Other => StoredValue::Other("neither REG_SZ nor REG_DWORD"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::ffi::registry::{Lifetime, WritableKey};
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_policy_is_taken_over_while_running_and_named_as_the_origin() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("config.toml");
        std::fs::write(&path, "language = \"en\"\nheartbeat_seconds = 9\n").unwrap();
        let before = Config::load(&path);
        assert_eq!(before.heartbeat_seconds, 9, "{:?}", before.problems);
        {
            let key = WritableKey::create(POLICY_KEY, Lifetime::ThisBoot).unwrap();
            key.set_dword("heartbeat_seconds", 11).unwrap();
            key.set_text("server_url", "https://policy.example").unwrap();
        }
        let after = before.reloaded();
        registry::delete_tree(POLICY_KEY).unwrap();
        let after = after.expect("a change");
        assert_eq!(after.heartbeat_seconds, 11);
        assert_eq!(after.origin("server_url").to_string(), r"HKLM\SOFTWARE\Policies\MngnTime");
        assert_eq!(after.reloaded().expect("another change").heartbeat_seconds, 9);
    }
}
