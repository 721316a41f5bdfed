//! The rules of the house, checked.
//!
//! What formatting and lints cannot see: who may depend on whom, that pure crates stay pure, that every
//! file says what it is for, that nothing grows without bound. The same checks are a unit test.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use toml::Table;

use crate::named_tests;
use crate::process::{self, has, root};

/// Who may depend on whom: arrows point inward (`docs/architecture.md`).
const EDGES: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("ledger", &["model"]),
    ("wire", &["model", "ledger"]),
    ("agent-core", &["model"]),
    ("agent", &["model", "wire", "ledger", "agent-core"]),
    ("attendance", &["model"]),
    ("evidence", &["model", "wire", "ledger", "attendance"]),
    ("store", &["model", "ledger"]),
    ("sim", &["model", "wire", "ledger", "agent-core", "agent"]),
    // Nobody depends on it: it holds what is fuzzed, and may see everything.
    ("fuzzed", &["model", "wire", "ledger", "evidence", "agent", "sim", "store", "server"]),
    ("server", &["model", "wire", "ledger", "attendance", "evidence", "store", "sim"]),
];

/// Crates that do no I/O, and the only foreign crates they may use.
const PURE: &[(&str, &[&str])] = &[
    ("model", &["thiserror", "uuid"]),
    ("ledger", &["thiserror", "sha2", "data-encoding", "tlog_tiles", "serde", "serde_json"]),
    // aws-lc-rs: verification only, which reads no clock and draws no random number (reason: root Cargo.toml).
    ("wire", &["thiserror", "serde", "serde_json", "ed25519-dalek", "aws-lc-rs", "data-encoding", "utoipa"]),
    ("agent-core", &[]),
    ("attendance", &[]),
    // jiff: the calendar only; the zone is a fixed one.
    ("evidence", &["thiserror", "serde", "serde_json", "jiff"]),
];

/// What pure code does not name: clocks, chance, disks, networks, threads, unordered maps.
const IMPURE_WORDS: &[&str] = &[
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::env",
    "HashMap",
    "HashSet",
    "getrandom",
    "println!",
];

/// Production lines of a file, and lines of a function (style: principle 17).
const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;

/// The only place where unsafe code may be.
const UNSAFE_ROOM: &str = "crates/agent/src/platform/windows/ffi/";

/// Checks everything.
pub fn run_all_rules() -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    check_manifests(&mut faults)?;
    let sources = rust_files(&root())?;
    for path in &sources {
        check_file(path, &mut faults)?;
    }
    named_tests::check(&sources, &mut faults)?;
    Ok(faults)
}

/// `cargo xtask tidy`.
pub fn run() -> anyhow::Result<()> {
    let faults = run_all_rules()?;
    faults.iter().for_each(|fault| eprintln!("{fault}"));
    if !faults.is_empty() {
        bail!("{} rules broken", faults.len());
    }
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"])?;
    deny()
}

fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    process::run("cargo", arguments)
}

/// Licences, bans and sources. Advisories need a database from the network and are checked by the release.
fn deny() -> anyhow::Result<()> {
    if !has("cargo", &["deny"]) {
        cargo(&["install", "--debug", "--locked", "--quiet", "cargo-deny@0.20.2"])?;
    }
    cargo(&["deny", "--log-level", "error", "check", "bans", "licenses", "sources"])
}

fn check_manifests(faults: &mut Vec<String>) -> anyhow::Result<()> {
    for (room, allowed) in EDGES {
        let path = root().join("crates").join(room).join("Cargo.toml");
        if !path.exists() {
            continue;
        }
        let manifest: Table =
            read(&path)?.parse().with_context(|| format!("cannot read {}", path.display()))?;
        if manifest.get("lints").and_then(|lints| lints.get("workspace")).is_none() {
            faults.push(format!("crates/{room}: does not inherit the workspace's lints"));
        }
        for name in dependencies(&manifest, room, faults) {
            check_edge(room, allowed, &name, faults);
        }
    }
    Ok(())
}

fn check_edge(room: &str, allowed: &[&str], name: &str, faults: &mut Vec<String>) {
    if let Some(ours) = name.strip_prefix("mngntime-") {
        if !allowed.contains(&ours) {
            faults.push(format!("crates/{room}: may not depend on {ours}"));
        }
    } else if let Some((_, foreign)) = PURE.iter().find(|(pure, _)| *pure == room)
        && !foreign.contains(&name)
    {
        faults.push(format!("crates/{room}: is pure and may not use {name}"));
    }
}

/// Names of all normal dependencies, those of one platform included.
fn dependencies(manifest: &Table, room: &str, faults: &mut Vec<String>) -> Vec<String> {
    let mut tables: Vec<&Table> =
        manifest.get("dependencies").and_then(|t| t.as_table()).into_iter().collect();
    if let Some(targets) = manifest.get("target").and_then(|t| t.as_table()) {
        tables.extend(targets.values().filter_map(|t| t.get("dependencies")?.as_table()));
    }
    let mut names = Vec::new();
    for (name, value) in tables.into_iter().flatten() {
        if value.get("workspace").is_none() {
            faults.push(format!("crates/{room}: {name} does not take its version from the workspace table"));
        }
        names.push(name.clone());
    }
    names
}

fn rust_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir()
            && !name.starts_with('.')
            && !matches!(name.as_str(), "target" | "dist" | "node_modules")
        {
            files.extend(rust_files(&path)?);
        } else if name.ends_with(".rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn check_file(path: &Path, faults: &mut Vec<String>) -> anyhow::Result<()> {
    let name = path.strip_prefix(root()).unwrap_or(path).display().to_string();
    let text = read(path)?;
    let production = text.split("#[cfg(test)]").next().unwrap_or_default();
    let is_test = name.contains("/tests/") || name.ends_with("/tests.rs");
    if !text.starts_with("//!") {
        faults.push(format!("{name}: does not begin by saying what it is for (//!)"));
    }
    if !is_test && production.lines().count() > FILE_LINES_MAX {
        faults.push(format!("{name}: {} lines, more than {FILE_LINES_MAX}", production.lines().count()));
    }
    for (function, line, length) in long_functions(&text) {
        faults.push(format!("{name}:{line}: {function} has {length} lines, more than {FUNCTION_LINES_MAX}"));
    }
    if contains_word(production, "unsafe") && !name.starts_with(UNSAFE_ROOM) && !name.starts_with("xtask/") {
        faults.push(format!("{name}: unsafe code belongs in {UNSAFE_ROOM}"));
    }
    // What is shipped is pure; a test may read the repository.
    if PURE.iter().any(|(room, _)| name.starts_with(&format!("crates/{room}/src/"))) {
        for word in IMPURE_WORDS.iter().filter(|word| production.contains(**word)) {
            faults.push(format!("{name}: is pure and may not name {word}"));
        }
    }
    Ok(())
}

fn contains_word(text: &str, word: &str) -> bool {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .any(|line| line.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|token| token == word))
}

/// Functions over the limit: name, first line, length. Reads rustfmt's indentation, not the grammar.
fn long_functions(text: &str) -> Vec<(String, usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        let closing = format!("{}}}", " ".repeat(indent));
        // What has no body ends with its signature: `) -> Answer<()>;`.
        let is_bare = |line: &str| line.len() - line.trim_start().len() == indent && line.ends_with(';');
        let is_end = |line: &&str| **line == closing || is_bare(line);
        let Some(length) = lines[index..].iter().position(is_end) else {
            continue;
        };
        if length + 1 > FUNCTION_LINES_MAX {
            found.push((name, index + 1, length + 1));
        }
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let (before, after) = line.split_once("fn ")?;
    let words = ["pub", "async", "const", "unsafe", "extern", "\"system\"", "pub(crate)", "pub(super)"];
    if !before.split_whitespace().all(|word| words.contains(&word))
        || line.ends_with('}')
        || line.ends_with(';')
    {
        return None;
    }
    Some(after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_keeps_its_rules() {
        let faults = run_all_rules().unwrap();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    #[test]
    fn a_forbidden_arrow_and_an_impure_crate_are_seen() {
        let mut faults = Vec::new();
        check_edge("model", &[], "mngntime-wire", &mut faults);
        check_edge("agent-core", &["model"], "tokio", &mut faults);
        check_edge("agent-core", &["model"], "mngntime-model", &mut faults);
        assert_eq!(faults.len(), 2, "{faults:?}");
    }

    #[test]
    fn a_long_function_is_measured() {
        let body = "    let x = 1;\n".repeat(80);
        let text = format!("pub fn long() {{\n{body}}}\n\nfn short() {{\n}}\n");
        assert_eq!(long_functions(&text), [("long".to_owned(), 1, 82)]);
        let bare = format!(
            "trait T {{\n    fn bare(\n        x: u8,\n    ) -> u8;\n{}\n    fn next() {{\n    }}\n}}\n",
            "\n".repeat(80)
        );
        assert_eq!(long_functions(&bare), []);
    }
}
