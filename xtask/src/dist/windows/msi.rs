//! One installer: wixl makes the package from `MngnTime.wxs`, msibuild adds what wixl does not know
//! (`tables.sql`) and the words of the language (`ja-JP.sql`, `en-US.sql`).
//!
//! Codes are made from what they stand for, not by chance. The ProductCode is that of a version in a language:
//! the same version cannot be installed twice side by side. The package code is that of the contents.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use sha2::{Digest, Sha256};

use super::PROGRAM;
use crate::message_file;
use crate::process::{self, root};

/// A language the installer speaks.
pub struct Language {
    /// As in the file's name.
    culture: &'static str,
    /// Windows' number of the language.
    number: &'static str,
    /// Windows' code page: what the strings in the database are stored in.
    codepage: &'static str,
}

/// Every language.
pub const LANGUAGES: [Language; 2] = [
    Language { culture: "ja-JP", number: "1041", codepage: "932" },
    Language { culture: "en-US", number: "1033", codepage: "1252" },
];

/// Builds `MngnTime-<version>-x64-<culture>.msi` in `folder` from the program and the message file there.
///
/// # Errors
/// When a tool fails or a source cannot be read.
pub fn build(folder: &Path, version: &str, language: &Language) -> anyhow::Result<PathBuf> {
    let sources = root().join("packaging/windows").canonicalize().context("find packaging/windows")?;
    let installer = folder.join(format!("MngnTime-{version}-x64-{}.msi", language.culture));
    let product = code(&[b"product", version.as_bytes(), language.culture.as_bytes()]);
    let mut wixl = tool("wixl", folder);
    wixl.args(["--arch", "x64", "--includedir", "."]).arg("--output").arg(&installer);
    for (name, value) in [
        ("ProductCode", product.as_str()),
        ("Version", version),
        ("Language", language.number),
        ("Codepage", language.codepage),
    ] {
        wixl.args(["--define", &format!("{name}={value}")]);
    }
    finish(wixl.arg(sources.join("MngnTime.wxs")))?;

    let words = read(&sources.join(format!("{}.sql", language.culture)))?;
    let tables = read(&sources.join("tables.sql"))?
        .replace("$VERSION$", version)
        .replace("$FILEVERSION$", concat!(env!("CARGO_PKG_VERSION"), ".0"));
    let contents = [fs::read(folder.join(PROGRAM))?, fs::read(folder.join(message_file::NAME))?];
    let wxs = read(&sources.join("MngnTime.wxs"))?;
    let package =
        code(&[product.as_bytes(), wxs.as_bytes(), tables.as_bytes(), words.as_bytes(), &contents.concat()]);
    set_codepage(&installer, folder, language.codepage)?;
    let template = format!("x64;{}", language.number);
    let braced = format!("{{{package}}}");
    finish(
        tool("msibuild", folder).arg(&installer).args(["-s", "MngnTime", "MngnTime", &template, &braced]),
    )?;
    for statement in statements(&tables).chain(statements(&words)) {
        finish(tool("msibuild", folder).arg(&installer).args(["-q", statement]))?;
    }
    Ok(installer)
}

/// wixl 0.101 sets the code page of the summary only; the database needs it before it gets any word outside
/// ASCII.
fn set_codepage(installer: &Path, folder: &Path, codepage: &str) -> anyhow::Result<()> {
    let table = folder.join("codepage.idt");
    fs::write(&table, format!("\r\n\r\n{codepage}\t_ForceCodepage\r\n")).context("write codepage.idt")?;
    finish(tool("msibuild", folder).arg(installer).arg("-i").arg(&table))?;
    fs::remove_file(&table).context("remove codepage.idt")
}

/// The statements of a file: they end with `;` at the end of a line; lines with `--` are comments.
fn statements(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.starts_with("--") && !line.is_empty())
        .map(|line| line.trim_end_matches(';'))
}

/// A code in Windows' notation, made from `parts`: a UUID of version 8, whose bits mean what its maker says.
fn code(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(Sha256::digest(part));
    }
    let mut bytes: Vec<u8> = hash.finalize()[..16].to_vec();
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = data_encoding::HEXUPPER.encode(&bytes);
    let groups = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    groups.join("-")
}

fn tool(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(name);
    command.current_dir(folder);
    command
}

/// Runs a tool to its end. msibuild tells some failures only in words.
fn finish(command: &mut Command) -> anyhow::Result<()> {
    let output = process::finish(command)?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(said.trim().is_empty(), "{command:?}: {said}");
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_depends_on_every_part_and_looks_like_windows_own() {
        let one = code(&[b"product", b"0.1.0", b"ja-JP"]);
        assert_eq!(one.len(), 36);
        assert_eq!(one, code(&[b"product", b"0.1.0", b"ja-JP"]));
        assert_ne!(one, code(&[b"product", b"0.1.1", b"ja-JP"]));
        assert_ne!(one, code(&[b"product", b"0.1.0", b"en-US"]));
        assert_eq!(one.as_bytes()[14], b'8');
    }

    #[test]
    fn comments_and_empty_lines_are_no_statements() {
        let text = "-- why\n\nUPDATE `A` SET `B` = 'c; d';\n-- more\nDROP TABLE `E`;\n";
        assert_eq!(statements(text).collect::<Vec<_>>(), ["UPDATE `A` SET `B` = 'c; d'", "DROP TABLE `E`"]);
    }
}
