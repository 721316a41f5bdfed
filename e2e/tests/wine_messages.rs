//! The message file as Event Viewer uses it: every event id has its text in both languages.

use anyhow::{Context, Result, ensure};
use mngntime_agent_core::{Message, MessageId};
use mngntime_e2e::root;
use mngntime_e2e::wine::{Wine, prefix_from_environment, windows_path};
use mngntime_model::Language;

/// LANGIDs of the message file: Japanese (Japan), English (United States).
const LANGUAGES: [(Language, &str); 2] = [(Language::Japanese, "0x411"), (Language::English, "0x409")];

/// What the file says for each id, with the inserts `<1>` to `<9>`.
fn worded(wine: &Wine, language: &str, ids: &[String]) -> Result<Vec<String>> {
    let file = windows_path(&root().join("dist/windows-test/MngnTimeMsg1.dll"))?;
    let mut arguments = vec![file.as_str(), language];
    arguments.extend(ids.iter().map(String::as_str));
    let output = wine.run(r"C:\message.exe", &arguments)?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).context("the texts are no UTF-8")?;
    Ok(text.lines().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect())
}

#[test]
fn every_event_id_resolves_in_both_languages() -> Result<()> {
    let wine = Wine::start(&prefix_from_environment(&root()))?;
    let ids: Vec<String> = MessageId::ALL.iter().map(|id| id.number().to_string()).collect();
    for (language, tag) in LANGUAGES {
        let found = worded(&wine, tag, &ids)?;
        let inserts: Vec<String> = (2..=9).map(|number| format!("<{number}>")).collect();
        let expected: Vec<String> = MessageId::ALL
            .iter()
            .map(|id| format!("{} {}", id.number(), Message::new(*id, inserts.clone()).text(language)))
            .collect();
        assert_eq!(found, expected, "{language:?}");
    }
    println!("{} event ids in {} languages", ids.len(), LANGUAGES.len());
    Ok(())
}

#[test]
fn an_id_that_is_not_ours_has_no_text() -> Result<()> {
    let wine = Wine::start(&prefix_from_environment(&root()))?;
    let found = worded(&wine, "0x411", &["999".to_owned()])?;
    assert!(found.iter().all(|line| line.starts_with("999 error")) && found.len() == 1, "{found:?}");
    Ok(())
}
