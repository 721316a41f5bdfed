//! The group policy templates as one file: laid out as the Central Store is, so that whoever unpacks it into
//! `Policies` of SYSVOL (or into `C:\Windows`) has every file where the policy editor looks for it.
//!
//! The same templates give the same bytes: entries stand in one order, and all have the oldest time that a zip knows.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use zip::write::SimpleFileOptions;
use zip::{DateTime, ZipWriter};

use crate::process::root;

/// Windows' name of the folder.
const FOLDER: &str = "PolicyDefinitions";
/// What the policy editor reads; the schema beside them is for our tests.
const FILES: [&str; 3] = ["MngnTime.admx", "en-US/MngnTime.adml", "ja-JP/MngnTime.adml"];

/// Writes `MngnTime-<version>-PolicyDefinitions.zip` into `folder`.
///
/// # Errors
/// When a template cannot be read, or the file cannot be written.
pub fn pack(folder: &Path, version: &str) -> anyhow::Result<PathBuf> {
    let path = folder.join(format!("MngnTime-{version}-{FOLDER}.zip"));
    let written = || format!("write {}", path.display());
    let mut zip = ZipWriter::new(File::create(&path).with_context(written)?);
    let options =
        SimpleFileOptions::default().last_modified_time(DateTime::default()).unix_permissions(0o644);
    for name in FILES {
        let text = fs::read(sources().join(name)).with_context(|| format!("read the template {name}"))?;
        zip.start_file(format!("{FOLDER}/{name}"), options).with_context(written)?;
        zip.write_all(&text).with_context(written)?;
    }
    zip.finish().with_context(written)?;
    Ok(path)
}

fn sources() -> PathBuf {
    root().join("packaging/windows/policy")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read as _;

    use super::*;

    fn unpacked(path: &Path) -> BTreeMap<String, Vec<u8>> {
        let mut zip = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
        let count = zip.len();
        let read = |at| {
            let mut entry = zip.by_index(at).unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.name().unwrap().into_owned(), bytes)
        };
        (0..count).map(read).collect()
    }

    /// Every template below the sources, whatever languages come.
    fn templates(folder: &Path, below: &str, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{below}/{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                templates(&entry.path(), &name, found);
            } else if name.ends_with(".admx") || name.ends_with(".adml") {
                found.insert(name, fs::read(entry.path()).unwrap());
            }
        }
    }

    /// `crates/agent/tests/policy.rs` holds the sources against the keys that the agent reads.
    #[test]
    fn every_template_is_in_the_file_where_windows_looks_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = pack(folder.path(), "1.2.3").unwrap();
        assert_eq!(path.file_name().unwrap(), "MngnTime-1.2.3-PolicyDefinitions.zip");
        let mut expected = BTreeMap::new();
        templates(&sources(), FOLDER, &mut expected);
        assert_eq!(expected.len(), FILES.len());
        let packed = unpacked(&path);
        assert_eq!(packed, expected);
        let admx = String::from_utf8(packed["PolicyDefinitions/MngnTime.admx"].clone()).unwrap();
        for key in ["server_url", "contract_code", "enrollment_key", "proxy", "ca_file", "state_dir"] {
            assert!(admx.contains(&format!("valueName=\"{key}\"")), "{key}");
        }
    }

    #[test]
    fn the_same_templates_give_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let once = fs::read(pack(folder.path(), "1.2.3").unwrap()).unwrap();
        assert_eq!(fs::read(pack(folder.path(), "1.2.3").unwrap()).unwrap(), once);
        assert!(pack(&folder.path().join("gone"), "1.2.3").is_err());
    }
}
