//! Documents that promise something name the test that would break; a test that is named must exist.
//!
//! A name is what stands in back quotes and is `FILE.rs::name`, which must be in that file, or a bare name of at
//! least four words, which may be in any test. `…` at the end of a name stands for the rest of it.

use std::path::Path;

use anyhow::Context;

use crate::process::root;

/// Documents whose tests are looked for.
const DOCUMENTS: &[&str] = &["docs/promises.md", "docs/threat-model.md"];

/// A bare name in back quotes with as many underscores is taken for that of a test.
const UNDERSCORES_MIN: usize = 3;

/// Names every test that is not there; `sources` are all Rust files.
pub fn check(sources: &[std::path::PathBuf], faults: &mut Vec<String>) -> anyhow::Result<()> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let texts = sources.iter().map(|path| read(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let tests: Vec<&str> =
        sources.iter().zip(&texts).filter_map(|(path, text)| part_with_tests(path, text)).collect();
    for document in DOCUMENTS {
        let text = read(&root().join(document))?;
        for name in quoted(&text) {
            let found = match name.split_once(".rs::") {
                Some((file, test)) => has_test(&read(&root().join(format!("{file}.rs")))?, test),
                None if is_a_tests_name(name) => tests.iter().any(|text| has_test(text, name)),
                None => true,
            };
            if !found {
                faults.push(format!("{document}: there is no test {name}"));
            }
        }
    }
    Ok(())
}

/// All of a file that is a test, or what follows the first test in it.
fn part_with_tests<'a>(path: &Path, text: &'a str) -> Option<&'a str> {
    let is_test = path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs");
    if is_test { Some(text) } else { text.find("#[cfg(test)]").map(|begin| &text[begin..]) }
}

fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

fn is_a_tests_name(name: &str) -> bool {
    name.matches('_').count() >= UNDERSCORES_MIN
        && name
            .trim_end_matches('…')
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn has_test(text: &str, name: &str) -> bool {
    match name.strip_suffix('…') {
        Some(beginning) => text.contains(&format!("fn {beginning}")),
        None => text.contains(&format!("fn {name}(")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_from_other_words_in_back_quotes() {
        let text =
            "`a_test_with_a_name`, `tests/x.rs::y`, `row_12_of_the_…`, `max_file_bytes`, `MNGNTIME_A_B_C`";
        let names: Vec<_> = quoted(text).filter(|word| is_a_tests_name(word)).collect();
        assert_eq!(names, ["a_test_with_a_name", "row_12_of_the_…"]);
        assert!(has_test("async fn row_12_of_the_table() {", "row_12_of_the_…"));
        assert!(!has_test("fn a_test_with_a_name_more()", "a_test_with_a_name"));
    }
}
