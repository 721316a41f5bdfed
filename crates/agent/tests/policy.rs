//! The group policy templates offer what the agent takes, in both languages.
//!
//! That they are well formed and keep to the schema is shown by `e2e/tests/policy.rs` with `xmllint`; here
//! their words are held against each other and against the agent's keys.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use mngntime_agent::config::KEYS;
use mngntime_model::Language;

const KEY: &str = r"Software\Policies\MngnTime";
const LANGUAGES: [&str; 2] = ["ja-JP", "en-US"];

/// The start of an element: its name and attributes.
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

fn file(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/windows/policy");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// All start tags. Enough of XML for files that a validator has seen: attributes stand in double quotes.
fn tags(text: &str) -> Vec<Tag> {
    let mut rest = text;
    let mut without_comments = String::new();
    while let Some((before, after)) = rest.split_once("<!--") {
        without_comments.push_str(before);
        rest = after.split_once("-->").unwrap().1;
    }
    without_comments.push_str(rest);
    without_comments.split('<').skip(1).filter(|part| !part.starts_with(['/', '?'])).map(tag).collect()
}

fn tag(part: &str) -> Tag {
    let end = part.find('>').unwrap();
    let inside = part[..end].trim_end_matches('/');
    let name_end = inside.find(char::is_whitespace).unwrap_or(inside.len());
    let quoted: Vec<&str> = inside[name_end..].split('"').collect();
    let attributes = quoted
        .chunks_exact(2)
        .map(|pair| (pair[0].trim().trim_end_matches('=').to_owned(), pair[1].to_owned()))
        .collect();
    Tag { name: inside[..name_end].to_owned(), attributes }
}

fn values<'a>(tags: &'a [Tag], element: &str, attribute: &str) -> Vec<&'a str> {
    tags.iter().filter(|tag| tag.name == element).filter_map(|tag| tag.get(attribute)).collect()
}

/// What `$(kind.X)` names, everywhere in the file.
fn references(tags: &[Tag], kind: &str) -> BTreeSet<String> {
    let begin = format!("$({kind}.");
    tags.iter()
        .flat_map(|tag| &tag.attributes)
        .filter_map(|(_, value)| value.strip_prefix(&begin)?.strip_suffix(')'))
        .map(str::to_owned)
        .collect()
}

fn unique(names: &[&str]) -> BTreeSet<String> {
    let set: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(set.len(), names.len(), "a name stands twice in {names:?}");
    set
}

#[test]
fn every_key_has_one_policy_and_every_policy_is_a_key() {
    let admx = tags(&file("MngnTime.admx"));
    let written: Vec<&str> = admx.iter().filter_map(|tag| tag.get("valueName")).collect();
    let keys: BTreeSet<String> = KEYS.iter().map(|key| (*key).to_owned()).collect();
    assert_eq!(unique(&written), keys);
    assert!(values(&admx, "policy", "key").iter().all(|key| *key == KEY));
    assert!(values(&admx, "policy", "class").iter().all(|class| *class == "Machine"));
    assert_eq!(unique(&values(&admx, "policy", "name")).len(), KEYS.len());
    // One value for each policy, so that one can be set without another.
    assert_eq!(written.len(), values(&admx, "policy", "name").len());
}

#[test]
fn every_word_is_there_in_both_languages_and_none_is_left_over() {
    let admx = tags(&file("MngnTime.admx"));
    for language in LANGUAGES {
        let adml = tags(&file(&format!("{language}/MngnTime.adml")));
        assert_eq!(unique(&values(&adml, "string", "id")), references(&admx, "string"), "{language}");
        let presentations = unique(&values(&adml, "presentation", "id"));
        assert_eq!(presentations, references(&admx, "presentation"), "{language}");
    }
}

#[test]
fn every_field_of_a_policy_is_shown_and_every_shown_field_exists() {
    let admx = tags(&file("MngnTime.admx"));
    let fields = ["text", "decimal", "enum"].map(|element| values(&admx, element, "id")).concat();
    for language in LANGUAGES {
        let adml = tags(&file(&format!("{language}/MngnTime.adml")));
        let shown = ["textBox", "decimalTextBox", "dropdownList"].map(|box_| values(&adml, box_, "refId"));
        assert_eq!(unique(&shown.concat()), unique(&fields), "{language}");
    }
}

#[test]
fn types_and_limits_are_those_the_agent_takes() {
    let admx = tags(&file("MngnTime.admx"));
    for tag in admx.iter().filter(|tag| tag.get("valueName").is_some()) {
        let key = tag.get("valueName").unwrap();
        let expected = match key {
            "allow_plain_http" => "policy",
            "language" => "enum",
            key if key.ends_with("_seconds") => "decimal",
            _ => "text",
        };
        assert_eq!(tag.name, expected, "{key}");
        if expected == "decimal" {
            assert_eq!((tag.get("minValue"), tag.get("maxValue")), (Some("1"), Some("3600")), "{key}");
        }
    }
    // The values of the yes-or-no policy; the agent takes 1 and 0.
    assert_eq!(values(&admx, "decimal", "value"), ["1", "0"]);
    let offered: Vec<String> = file("MngnTime.admx")
        .split("<string>")
        .skip(1)
        .map(|rest| rest.split_once('<').unwrap().0.to_owned())
        .collect();
    assert_eq!(offered, ["ja", "en"].map(str::to_owned));
    assert!(offered.iter().all(|tag| Language::from_tag(tag).is_some()));
}

#[test]
fn the_defaults_that_are_shown_are_the_agents() {
    let config = mngntime_agent::config::Config::defaults(Path::new("x"));
    let defaults = [config.reconcile_seconds, config.heartbeat_seconds, config.retry_cap_seconds];
    let defaults = defaults.map(|seconds| seconds.to_string());
    for language in LANGUAGES {
        let adml = tags(&file(&format!("{language}/MngnTime.adml")));
        assert_eq!(values(&adml, "decimalTextBox", "defaultValue"), defaults, "{language}");
    }
}
