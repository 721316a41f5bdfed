//! Authenticode signatures by osslsigncode.
//!
//! | variable | what |
//! |---|---|
//! | `MNGNTIME_SIGN_CERTIFICATE` | certificate with its chain, PEM; or a PKCS#12 file (`.p12`, `.pfx`) |
//! | `MNGNTIME_SIGN_KEY` | its key, PEM; not with PKCS#12 |
//! | `MNGNTIME_SIGN_PASSWORD_FILE` | file that holds the key's password, if it has one |
//! | `MNGNTIME_SIGN_TIMESTAMP_URL` | RFC 3161 server, so that signatures outlive the certificate |
//!
//! Without the first nothing is signed, and the last line says so.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::dist::packages;
use crate::process::finish;

/// Debian packages for signing, each with a file that shows that it is there.
const PACKAGES: &[(&str, &str)] =
    &[("osslsigncode", "/usr/bin/osslsigncode"), ("openssl", "/usr/bin/openssl")];
/// What Windows shows as the signed program's name.
const DESCRIPTION: &str = "MngnTime";

/// With what is signed.
#[derive(Debug)]
pub struct Signer {
    certificate: PathBuf,
    key: Option<PathBuf>,
    password_file: Option<PathBuf>,
    timestamp_url: Option<String>,
}

impl Signer {
    /// The signer that the environment names, or `None`.
    ///
    /// # Errors
    /// When the variables contradict each other.
    pub fn from_environment() -> anyhow::Result<Option<Self>> {
        let file = |name: &str| env::var_os(name).map(PathBuf::from);
        let Some(certificate) = file("MNGNTIME_SIGN_CERTIFICATE") else {
            return Ok(None);
        };
        let key = file("MNGNTIME_SIGN_KEY");
        match (is_pkcs12(&certificate), &key) {
            (true, Some(_)) => {
                bail!("MNGNTIME_SIGN_KEY is not used with a PKCS#12 file, which holds its key")
            }
            (false, None) => bail!("MNGNTIME_SIGN_CERTIFICATE is set, but not MNGNTIME_SIGN_KEY"),
            (true, None) | (false, Some(_)) => {}
        }
        let password_file = file("MNGNTIME_SIGN_PASSWORD_FILE");
        let timestamp_url = env::var("MNGNTIME_SIGN_TIMESTAMP_URL").ok();
        Ok(Some(Self { certificate, key, password_file, timestamp_url }))
    }

    /// A signer that nobody trusts, for tests: its certificate is `test-certificate.pem` in `folder`.
    ///
    /// # Errors
    /// When openssl fails.
    pub fn for_tests(folder: &Path) -> anyhow::Result<Self> {
        packages::require(PACKAGES)?;
        fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
        let certificate = folder.join("test-certificate.pem");
        let key = folder.join("test-key.pem");
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30"]);
        openssl.args(["-subj", "/CN=MngnTime test", "-addext", "extendedKeyUsage=codeSigning"]);
        openssl.arg("-keyout").arg(&key).arg("-out").arg(&certificate);
        finish(&mut openssl)?;
        Ok(Self { certificate, key: Some(key), password_file: None, timestamp_url: None })
    }
}

/// Signs `file` in its place; a signature it has is replaced. Without a signer nothing happens.
///
/// # Errors
/// When osslsigncode fails.
pub fn sign(signer: Option<&Signer>, file: &Path) -> anyhow::Result<()> {
    let Some(signer) = signer else { return Ok(()) };
    packages::require(PACKAGES)?;
    let signed = file.with_extension("signed");
    if signed.exists() {
        fs::remove_file(&signed).with_context(|| format!("remove {}", signed.display()))?;
    }
    let mut command = Command::new("osslsigncode");
    command.args(["sign", "-h", "sha256", "-n", DESCRIPTION]);
    if is_pkcs12(&signer.certificate) {
        command.arg("-pkcs12").arg(&signer.certificate);
    } else {
        command.arg("-certs").arg(&signer.certificate);
    }
    if let Some(key) = &signer.key {
        command.arg("-key").arg(key);
    }
    if let Some(password_file) = &signer.password_file {
        command.arg("-readpass").arg(password_file);
    }
    if let Some(url) = &signer.timestamp_url {
        command.args(["-ts", url]);
    }
    finish(command.arg("-in").arg(file).arg("-out").arg(&signed))?;
    fs::rename(&signed, file).with_context(|| format!("replace {}", file.display()))
}

/// One line about who signed.
pub fn describe(signer: Option<&Signer>) -> String {
    match signer {
        Some(signer) => format!("signed with {}", signer.certificate.display()),
        None => "not signed: MNGNTIME_SIGN_CERTIFICATE is not set".to_owned(),
    }
}

fn is_pkcs12(certificate: &Path) -> bool {
    certificate.extension().is_some_and(|extension| extension == "p12" || extension == "pfx")
}
