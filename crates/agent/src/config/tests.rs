//! Sources in layers: what counts, where it comes from, what is wrong.

use super::sources::FileSource;
use super::*;
use crate::platform::{SettingsRank, StoredContent, StoredSettings, StoredValue};

const FILE: &str = "/etc/mngntime/config.toml";
const POLICY: &str = r"HKLM\SOFTWARE\Policies\MngnTime";
const INSTALLER: &str = r"HKLM\SOFTWARE\MngnTime\Agent";

fn read(text: &str) -> Config {
    Config::of_text(Path::new(FILE), text)
}

fn layered(file: FileSource, registry: Vec<StoredSettings>) -> Config {
    Config::from_sources(Path::new(FILE), Sources { file, registry })
}

fn stored(rank: SettingsRank, place: &str, values: &[(&str, StoredValue)]) -> StoredSettings {
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    StoredSettings { rank, place: place.to_owned(), content: StoredContent::Values(values) }
}

fn policy(values: &[(&str, StoredValue)]) -> StoredSettings {
    stored(SettingsRank::Policy, POLICY, values)
}

fn text(text: &str) -> StoredValue {
    StoredValue::Text(text.to_owned())
}

fn origins(config: &Config) -> Vec<String> {
    let set = config.effective().into_iter().filter(|key| key.origin != Origin::Default);
    set.map(|key| format!("{} = {} ({})", key.key, key.value, key.origin)).collect()
}

#[cfg(windows)]
const STATE_DIR: &str = "C:/x";
#[cfg(not(windows))]
const STATE_DIR: &str = "/var/lib/x";
#[cfg(windows)]
const GOOD: &str = "server_url = \"https://mngntime.example.co.jp/\"\ncontract_code = \"demo\"\nenrollment_key = \"k\"\nstate_dir = \"C:/x\"\n";
#[cfg(not(windows))]
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
    assert_eq!(config.state_dir, Path::new(STATE_DIR));
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
    for broken in ["enrollment_key = geheim", "enrollment_key = \"geheim", "enrolment_key = \"geheim\""] {
        let texts: String = read(broken).problems.iter().map(ToString::to_string).collect();
        assert!(!texts.is_empty() && !texts.contains("geheim"), "{texts}");
    }
}

#[test]
fn misspelt_and_missing_keys_are_named() {
    let config = read("server_ulr = \"https://a\"\n");
    let keys: Vec<_> = config.problems.iter().filter_map(|problem| problem.key.as_deref()).collect();
    assert_eq!(keys, ["server_ulr", "server_url", "contract_code", "enrollment_key"]);
}

#[test]
fn broken_toml_names_the_line() {
    for (text, line) in
        [("server_url = \"https://a\ncontract_code = 1", "line 1"), ("a = 1\n\nb = 2 3\n", "line 3")]
    {
        let reason = read(text).problems[0].reason.clone();
        assert!(reason.english.contains(line), "{reason:?}");
    }
}

#[test]
fn a_password_in_the_server_s_address_is_refused_and_not_shown() {
    let config = read(&GOOD.replace("https://mngn", "https://u:geheim@mngn"));
    let text = config.problems[0].to_string();
    assert!(text.contains("server_url") && text.contains("password") && !text.contains("geheim"), "{text}");
    assert_eq!(config.server_url, None);
}

#[test]
fn plain_http_is_for_this_pc_unless_said_otherwise() {
    for local in ["http://127.0.0.1:8320", "http://localhost:1", "http://[::1]:2"] {
        assert_eq!(read(&GOOD.replace("https://mngntime.example.co.jp/", local)).problems, []);
    }
    let plain = GOOD.replace("https://", "http://");
    assert!(read(&plain).problems[0].reason.english.contains("allow_plain_http"));
    assert_eq!(read(&format!("{plain}allow_plain_http = true\n")).problems, []);
}

#[test]
fn a_file_saved_by_notepad_is_read() {
    assert_eq!(read(&format!("\u{feff}{GOOD}")).problems, []);
}

#[test]
fn the_highest_source_counts_and_every_value_names_its_own() {
    let config = layered(
        FileSource::Text("contract_code = \"file\"\nlanguage = \"en\"\nreconcile_seconds = 5\n".to_owned()),
        vec![
            policy(&[
                ("server_url", text("https://policy.example")),
                ("Reconcile_Seconds", StoredValue::Number(7)),
                ("allow_plain_http", StoredValue::Number(1)),
            ]),
            stored(
                SettingsRank::Installer,
                INSTALLER,
                &[("server_url", text("https://installer.example")), ("proxy", text("none"))],
            ),
            stored(SettingsRank::InstallerSecret, r"HKLM\X", &[("enrollment_key", text("geheim"))]),
        ],
    );
    assert_eq!(config.problems, []);
    assert_eq!(
        origins(&config),
        [
            format!("server_url = https://policy.example ({POLICY})"),
            format!("contract_code = file ({FILE})"),
            r"enrollment_key = (set) (HKLM\X)".to_owned(),
            format!("proxy = none ({INSTALLER})"),
            format!("language = en ({FILE})"),
            format!("allow_plain_http = true ({POLICY})"),
            format!("reconcile_seconds = 7 ({POLICY})"),
        ]
    );
}

#[test]
fn a_wrong_value_names_its_source_and_the_next_source_counts() {
    let config = layered(
        FileSource::Text(format!("{GOOD}heartbeat_seconds = 9\n")),
        vec![policy(&[
            ("heartbeat_seconds", StoredValue::Number(7200)),
            ("server_url", text("ftp://policy.example")),
            ("enrollment_key", StoredValue::Other("REG_BINARY")),
            ("sever_url", text("https://x")),
        ])],
    );
    let texts: Vec<String> = config.problems.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 4, "{texts:?}");
    assert!(texts.iter().all(|text| text.contains(POLICY)), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("heartbeat_seconds = 7200")), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("server_url = \"ftp://policy.example\"")), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("sever_url")), "{texts:?}");
    assert!(!texts.concat().contains("BINARY"), "the value of a secret is shown: {texts:?}");
    assert_eq!(config.heartbeat_seconds, 9);
    assert_eq!(config.server_url.as_deref(), Some("https://mngntime.example.co.jp"));
    assert_eq!(config.enrollment_key.as_deref(), Some("k"));
    assert_eq!(*config.origin("server_url"), Origin::File(PathBuf::from(FILE)));
}

#[test]
fn without_a_file_other_sources_are_enough() {
    let all =
        [("server_url", text("https://a")), ("contract_code", text("demo")), ("enrollment_key", text("k"))];
    let missing = || FileSource::Missing("not found".to_owned());
    assert_eq!(layered(missing(), vec![policy(&all)]).problems, []);
    let config = layered(missing(), vec![policy(&all[..1])]);
    let texts: Vec<String> = config.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [format!(
            "The configuration file {FILE} cannot be used: not found; contract_code, enrollment_key must be set there"
        )]
    );
}

#[test]
fn what_the_installer_was_not_told_and_its_other_values_do_not_count() {
    let installer = stored(
        SettingsRank::Installer,
        INSTALLER,
        &[
            ("server_url", text("")),
            ("InstallFolder", text("C:")),
            ("enrollment_key", text("readable by all")),
        ],
    );
    let config = layered(FileSource::Text(GOOD.replace("enrollment_key", "#")), vec![installer]);
    let keys: Vec<_> = config.problems.iter().filter_map(|problem| problem.key.as_deref()).collect();
    assert_eq!(keys, ["enrollment_key"], "{:?}", config.problems);
}

#[test]
fn a_secret_this_account_may_not_read_is_no_problem() {
    let denied = StoredSettings {
        rank: SettingsRank::InstallerSecret,
        place: r"HKLM\SOFTWARE\MngnTime\Agent\Secret".to_owned(),
        content: StoredContent::Denied,
    };
    let config = layered(FileSource::Text(GOOD.replace("enrollment_key", "#")), vec![denied]);
    assert_eq!(config.problems, []);
    assert_eq!(config.enrollment_key, None);
    assert!(config.origin("enrollment_key").to_string().contains("may not read"));
}

#[test]
fn a_file_that_must_not_be_used_is_one_problem_and_the_policy_stays_in_force() {
    let config = layered(
        FileSource::Unusable("everybody may write to it".to_owned()),
        vec![policy(&[("server_url", text("https://a"))])],
    );
    assert_eq!(config.problems.len(), 1, "{:?}", config.problems);
    assert_eq!(config.server_url.as_deref(), Some("https://a"));
}

#[test]
fn every_key_has_an_effective_value_and_reads_without_being_unknown() {
    let config = Config::defaults(Path::new(FILE));
    for Effective { key, value, .. } in config.effective() {
        assert!(!value.is_empty(), "{key}");
        let reason = config.clone().apply(key, &Raw::Other(String::new())).unwrap_err();
        assert!(!reason.english.contains("no such key"), "{key}: {reason:?}");
    }
}

#[test]
fn a_reload_sees_changes_of_the_file_and_nothing_else() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("config.toml");
    std::fs::write(&path, GOOD).unwrap();
    let config = Config::load(&path);
    assert_eq!(config.problems, []);
    assert_eq!(config.reloaded(), None);
    std::fs::write(&path, GOOD.replace("demo", "other")).unwrap();
    let reloaded = config.reloaded().unwrap();
    assert_eq!(reloaded.contract_code.as_ref().unwrap().as_str(), "other");
    assert_eq!(reloaded.state_dir, config.state_dir, "it is open and stays");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(reloaded.reloaded().unwrap().problems.len(), 1);
}
