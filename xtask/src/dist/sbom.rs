//! The software bill of materials: a CycloneDX 1.5 file with exactly the crates of one program on one target.
//!
//! Which crates those are, `cargo tree` says: it alone resolves features for one package and one target.
//! Licences and edges come from `cargo metadata`, checksums from `Cargo.lock`. Crates that only help to build
//! (build scripts, tests) are left out. The file is the same for the same commit.
//!
//! Own code, because cargo-cyclonedx would cost its own build on every machine and takes the features of the
//! whole workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use toml::Table;

use crate::process::{output_of, root};

/// Name and version.
type Crate = (String, String);

/// Writes the bill of materials of `package` for `target` to `path`.
///
/// # Errors
/// When cargo fails, or the file cannot be written.
pub fn write(path: &Path, package: &str, target: &str, version: &str) -> anyhow::Result<()> {
    let shipped = shipped_crates(package, target)?;
    let metadata = metadata(target)?;
    let checksums = checksums()?;
    let nodes: Vec<&Value> = metadata["packages"]
        .as_array()
        .context("cargo metadata lists no packages")?
        .iter()
        .filter(|node| shipped.contains(&crate_of(node)))
        .collect();
    ensure!(nodes.len() == shipped.len(), "cargo tree and cargo metadata disagree about {package}'s crates");
    let (main, others): (Vec<&Value>, Vec<&Value>) = nodes.iter().partition(|node| node["name"] == package);
    let main = main.first().with_context(|| format!("{package} is not in its own tree"))?;
    let mut program = component(main, &checksums);
    program["type"] = "application".into();
    program["version"] = version.into();
    let bill = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": commit_time()?,
            "component": program,
            "properties": [{ "name": "rust:target", "value": target }],
        },
        "components": others.iter().map(|node| component(node, &checksums)).collect::<Vec<_>>(),
        "dependencies": dependencies(&metadata, &shipped),
    });
    fs::write(path, format!("{bill:#}\n")).with_context(|| format!("write {}", path.display()))
}

fn shipped_crates(package: &str, target: &str) -> anyhow::Result<BTreeSet<Crate>> {
    let tree = cargo(&[
        "tree",
        "--package",
        package,
        "--target",
        target,
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ])?;
    Ok(tree.lines().filter_map(crate_in_tree).collect())
}

/// Reads `name v1.2.3 (proc-macro) (/path)`.
fn crate_in_tree(line: &str) -> Option<Crate> {
    let mut words = line.split_whitespace();
    let name = words.next()?;
    let version = words.next()?.strip_prefix('v')?;
    Some((name.to_owned(), version.to_owned()))
}

fn metadata(target: &str) -> anyhow::Result<Value> {
    let text = cargo(&["metadata", "--format-version", "1", "--locked", "--filter-platform", target])?;
    serde_json::from_str(&text).context("cargo metadata is not JSON")
}

fn crate_of(node: &Value) -> Crate {
    let word = |field: &str| node[field].as_str().unwrap_or_default().to_owned();
    (word("name"), word("version"))
}

fn reference((name, version): &Crate) -> String {
    format!("pkg:cargo/{name}@{version}")
}

fn component(node: &Value, checksums: &BTreeMap<Crate, String>) -> Value {
    let own = crate_of(node);
    let reference = reference(&own);
    let mut component = json!({
        "type": "library",
        "bom-ref": reference,
        "name": own.0,
        "version": own.1,
        "purl": reference,
    });
    if let Some(license) = node["license"].as_str() {
        // Cargo still knows `MIT/Apache-2.0`, which is no SPDX expression.
        component["licenses"] = json!([{ "expression": license.replace('/', " OR ") }]);
    }
    if let Some(checksum) = checksums.get(&own) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    if let Some(repository) = node["repository"].as_str() {
        component["externalReferences"] = json!([{ "type": "vcs", "url": repository }]);
    }
    component
}

/// Who uses whom, among the shipped crates.
fn dependencies(metadata: &Value, shipped: &BTreeSet<Crate>) -> Vec<Value> {
    let empty = Vec::new();
    let packages = metadata["packages"].as_array().unwrap_or(&empty);
    let by_id: BTreeMap<&str, Crate> =
        packages.iter().filter_map(|node| Some((node["id"].as_str()?, crate_of(node)))).collect();
    let shipped_by_id = |id: &Value| by_id.get(id.as_str()?).filter(|found| shipped.contains(*found));
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap_or(&empty);
    let mut rows: Vec<Value> = nodes
        .iter()
        .filter_map(|node| {
            let own = shipped_by_id(&node["id"])?;
            let used: BTreeSet<String> = node["deps"]
                .as_array()?
                .iter()
                .filter(|edge| is_normal(edge))
                .filter_map(|edge| shipped_by_id(&edge["pkg"]).map(reference))
                .collect();
            Some(json!({ "ref": reference(own), "dependsOn": used }))
        })
        .collect();
    rows.sort_by_key(|row| row["ref"].to_string());
    rows
}

fn is_normal(edge: &Value) -> bool {
    edge["dep_kinds"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
}

fn checksums() -> anyhow::Result<BTreeMap<Crate, String>> {
    let path = root().join("Cargo.lock");
    let lock: Table =
        fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?.parse()?;
    let packages = lock.get("package").and_then(|packages| packages.as_array()).context("an empty lock")?;
    let text = |package: &toml::Value, field: &str| package.get(field)?.as_str().map(str::to_owned);
    Ok(packages
        .iter()
        .filter_map(|p| Some(((text(p, "name")?, text(p, "version")?), text(p, "checksum")?)))
        .collect())
}

/// When the commit was made: the bill says nothing newer than the sources.
fn commit_time() -> anyhow::Result<String> {
    let mut git = Command::new("git");
    git.args(["log", "--max-count=1", "--format=%cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ"]);
    Ok(output_of(git.env("TZ", "UTC").current_dir(root()))?.trim().to_owned())
}

fn cargo(arguments: &[&str]) -> anyhow::Result<String> {
    output_of(Command::new("cargo").args(arguments).current_dir(root()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_windows_agents_bill_holds_its_crates_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bill.json");
        write(&path, "mngntime-agent", "x86_64-pc-windows-gnu", "9.8.7").unwrap();
        let bill: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(bill["metadata"]["component"]["version"], "9.8.7");
        let components = bill["components"].as_array().unwrap();
        let names: Vec<&str> = components.iter().filter_map(|c| c["name"].as_str()).collect();
        for present in ["windows-sys", "rustls", "aws-lc-sys", "mngntime-ledger"] {
            assert!(names.contains(&present), "{present} is missing in {names:?}");
        }
        for absent in ["zbus", "tokio", "rusqlite", "mngntime-agent", "tempfile", "cc"] {
            assert!(!names.contains(&absent), "{absent} is not in the Windows agent");
        }
        for foreign in components.iter().filter(|c| !c["name"].as_str().unwrap().starts_with("mngntime-")) {
            assert!(foreign["licenses"][0]["expression"].is_string(), "{foreign}");
            assert_eq!(foreign["hashes"][0]["content"].as_str().unwrap().len(), 64, "{foreign}");
        }
        assert_eq!(bill["dependencies"].as_array().unwrap().len(), components.len() + 1);
    }
}
