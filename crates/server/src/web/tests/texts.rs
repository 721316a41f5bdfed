//! Both languages say the same, and nothing is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Keys with the variables of their texts.
fn keys(language: &str) -> BTreeMap<String, BTreeSet<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("locales").join(language).join("web.ftl");
    let text = std::fs::read_to_string(path).unwrap();
    let (mut keys, mut here) = (BTreeMap::new(), String::new());
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some((key, _)) = line.split_once(" =").filter(|_| !line.starts_with(' ')) {
            here = key.to_owned();
            assert!(keys.insert(here.clone(), BTreeSet::new()).is_none(), "{key} twice");
        }
        for variable in line.split('$').skip(1) {
            let name = variable.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap();
            keys.get_mut(&here).unwrap().insert(name.to_owned());
        }
    }
    keys
}

fn sources(directory: &Path, all: &mut String) {
    for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            sources(&entry.path(), all);
        } else {
            all.push_str(&std::fs::read_to_string(entry.path()).unwrap());
        }
    }
}

fn all_sources() -> String {
    let (root, mut all) = (Path::new(env!("CARGO_MANIFEST_DIR")), String::new());
    sources(&root.join("templates"), &mut all);
    sources(&root.join("src/web"), &mut all);
    // The command line says them, too.
    all.push_str(&std::fs::read_to_string(root.join("src/logins.rs")).unwrap());
    all
}

#[test]
fn both_languages_have_the_same_keys_and_variables() {
    let (japanese, english) = (keys("ja"), keys("en"));
    assert_eq!(japanese.keys().collect::<Vec<_>>(), english.keys().collect::<Vec<_>>());
    for (key, variables) in &japanese {
        // A number that only chooses a plural form does not stand in Japanese.
        let extra: Vec<_> =
            english[key].symmetric_difference(variables).filter(|name| *name != "n").collect();
        assert!(extra.is_empty(), "{key}: {extra:?}");
    }
}

#[test]
fn every_key_that_is_named_has_a_text_and_every_text_is_named() {
    let (keys, sources) = (keys("ja"), all_sources());
    for call in [".t(", ".n(", ".v(", ".around(", ".numbers(", ".with("] {
        // A call that is long stands in several lines.
        for part in sources.split(call).skip(1).filter_map(|part| part.trim_start().strip_prefix('"')) {
            let key = part.split('"').next().unwrap();
            let is_key = !key.is_empty()
                && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
            assert!(!is_key || keys.contains_key(key), "{key} has no text");
        }
    }
    let built = |key: &str| key.starts_with("oops-");
    for key in keys.keys().filter(|key| !built(key)) {
        assert!(sources.contains(&format!("\"{key}\"")), "{key} is used nowhere");
    }
}

#[test]
fn templates_mark_nothing_as_safe_and_hold_no_inline_style_or_script() {
    let mut all = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"), &mut all);
    for bad in ["|safe", "| safe", "style=\"", "<style", "onclick", "onload", "<script>", "javascript:"] {
        assert!(!all.contains(bad), "{bad}");
    }
}
