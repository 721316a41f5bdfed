//! `cargo xtask dist windows`: the agent for Windows, ready to be handed out.
//!
//! | file in `dist/windows/` | what |
//! |---|---|
//! | `MngnTimeCliSvc.exe` | the agent |
//! | `MngnTimeMsg1.dll` | the texts of its lines in the event log |
//! | `MngnTime-<version>-x64-ja-JP.msi`, `…-en-US.msi` | the installers, with both files inside |
//! | `MngnTime-<version>-PolicyDefinitions.zip` | the group policy templates (ADMX, and ADML of each language) |
//! | `MngnTime-<version>-x64.cdx.json` | the crates in the agent (CycloneDX) |
//! | `SHA256SUMS` | of all these |
//!
//! With `--features …` (test builds) everything goes to `dist/windows-test/`, so that a test build is never
//! shipped by mistake. `--version` gives the installers another version than the workspace's; `--no-build`
//! takes the program that an earlier build left, so that a test has an upgrade within a second.

pub mod compiler;
mod msi;
mod policy;
pub mod sign;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};

use self::sign::Signer;
use super::{packages, report, sbom};
use crate::message_file;
use crate::process::root;

/// What is built.
const PACKAGE: &str = "mngntime-agent";
const TARGET: &str = "x86_64-pc-windows-gnu";
/// The name the service has had from the beginning.
const PROGRAM: &str = "MngnTimeCliSvc.exe";
/// Debian packages for the installers, each with a file that shows that it is there.
const PACKAGES: &[(&str, &str)] = &[("wixl", "/usr/bin/wixl"), ("msitools", "/usr/bin/msibuild")];

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// Cargo features of a test build.
    pub features: Option<String>,
    /// The installers' version, `X.Y.Z`: numbers to 255, 255 and 65535, as Windows Installer compares them.
    pub version: String,
    /// Whether to compile; otherwise the program of an earlier build is taken.
    pub compiles: bool,
}

impl Options {
    /// Reads `[--features F] [--version X.Y.Z] [--no-build]`.
    ///
    /// # Errors
    /// On anything else, and on a version that Windows Installer cannot compare.
    pub fn parse(words: &[&str]) -> anyhow::Result<Self> {
        let mut options =
            Self { features: None, version: env!("CARGO_PKG_VERSION").to_owned(), compiles: true };
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            let mut value = || rest.next().with_context(|| format!("{word} needs a value"));
            match *word {
                "--features" => options.features = Some((*value()?).to_owned()),
                "--version" => options.version = (*value()?).to_owned(),
                "--no-build" => options.compiles = false,
                _ => bail!("unknown: {word}; known are --features F, --version X.Y.Z and --no-build"),
            }
        }
        ensure!(
            is_comparable(&options.version),
            "--version {}: three numbers up to 255.255.65535",
            options.version
        );
        Ok(options)
    }

    /// The version after this one, for a test that upgrades.
    ///
    /// # Errors
    /// When there is none.
    pub fn next_version(&self) -> anyhow::Result<String> {
        let (head, patch) = self.version.rsplit_once('.').context("a version without numbers")?;
        let next = format!("{head}.{}", patch.parse::<u32>().context("a patch that is no number")? + 1);
        ensure!(is_comparable(&next), "no version follows {}", self.version);
        Ok(next)
    }

    fn folder(&self) -> PathBuf {
        root().join("dist").join(if self.features.is_some() { "windows-test" } else { "windows" })
    }
}

/// Builds everything, signed when the environment names a certificate.
///
/// # Errors
/// When a step fails; it is named.
pub fn run(options: &Options) -> anyhow::Result<()> {
    run_signed(options, Signer::from_environment()?.as_ref())
}

/// Builds everything, signed by `signer`.
///
/// # Errors
/// When a step fails; it is named.
pub fn run_signed(options: &Options, signer: Option<&Signer>) -> anyhow::Result<()> {
    packages::require(PACKAGES)?;
    let folder = options.folder();
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    let program = if options.compiles {
        compiler::compile(&folder, options.features.as_deref())?
    } else {
        folder.join(PROGRAM)
    };
    ensure!(program.exists(), "{} is missing; build it once without --no-build", program.display());
    let mut files = vec![program, message_file::build(&folder)?];
    // Before they are packed: what the installer installs is signed too.
    for file in &files {
        sign::sign(signer, file)?;
    }
    for language in &msi::LANGUAGES {
        let installer = msi::build(&folder, &options.version, language)?;
        sign::sign(signer, &installer)?;
        files.push(installer);
    }
    files.push(policy::pack(&folder, &options.version)?);
    let bill = folder.join(format!("MngnTime-{}-x64.cdx.json", options.version));
    sbom::write(&bill, PACKAGE, TARGET, &options.version)?;
    files.push(bill);
    println!("{}", sign::describe(signer));
    report::publish(&folder, &files)
}

fn is_comparable(version: &str) -> bool {
    let limits = [255, 255, 65_535];
    let numbers: Vec<Option<u32>> = version.split('.').map(|part| part.parse().ok()).collect();
    numbers.len() == limits.len()
        && numbers.iter().zip(limits).all(|(number, limit)| number.is_some_and(|number| number <= limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_versions_checked() {
        let given = ["--features", "simulated-sessions", "--no-build", "--version", "0.1.1"];
        let options = Options::parse(&given).unwrap();
        assert_eq!((options.features.as_deref(), options.compiles), (Some("simulated-sessions"), false));
        assert!(options.folder().ends_with("dist/windows-test"));
        assert!(Options::parse(&[]).unwrap().folder().ends_with("dist/windows"));
        for wrong in ["1.2", "256.0.0", "1.2.65536", "1.2.x", "1.2.3.4"] {
            assert!(Options::parse(&["--version", wrong]).is_err(), "{wrong}");
        }
        assert!(Options::parse(&["--features"]).is_err());
        assert!(Options::parse(&["--fast"]).is_err());
    }
}
