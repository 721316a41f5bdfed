//! The agent's configuration file.

use std::path::Path;

use mngntime_agent::config::{Config, KEYS};
use mngntime_model::Language;

/// How the enrolment keys of the corpus begin: what begins so is in no other value and in no word of ours.
const SECRET: &str = "SECRET-";

/// The bytes are the file. There is a configuration in any case, and its problems, which every user of the PC may
/// read, do not tell the key.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // `ca_file` is opened: not what never ends.
    if text.contains("/dev") || text.contains("/proc") || text.contains('\\') {
        return;
    }
    let config = Config::of_text(Path::new("/etc/mngntime/config.toml"), text);
    let shown: Vec<String> = config.effective().into_iter().map(|key| key.value).collect();
    assert_eq!(shown.len(), KEYS.len());
    let told = [Language::Japanese, Language::English]
        .into_iter()
        .flat_map(|language| config.problems.iter().map(move |problem| problem.text(language)));
    let told: String = told.chain(shown).collect();
    for seconds in [config.reconcile_seconds, config.heartbeat_seconds, config.retry_cap_seconds] {
        assert!((1..=3600).contains(&seconds), "{seconds}");
    }
    if let Some(key) = config.enrollment_key.filter(|key| key.starts_with(SECRET) && key.len() > 12) {
        assert!(text.matches(key.as_str()).count() != 1 || !told.contains(&key), "{told}");
    }
}
