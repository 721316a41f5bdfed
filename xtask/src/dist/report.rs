//! What was built: one line for each file, and `SHA256SUMS` beside them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// Prints size and SHA-256 of each file and writes `SHA256SUMS` for `sha256sum --check`.
///
/// # Errors
/// When a file cannot be read, or the list cannot be written.
pub fn publish(folder: &Path, files: &[PathBuf]) -> anyhow::Result<()> {
    let mut sums = String::new();
    for file in files {
        let bytes = fs::read(file).with_context(|| format!("read {}", file.display()))?;
        let sum = sha256(&bytes);
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        println!("{:>9} bytes  {sum}  {name}", bytes.len());
        sums.push_str(&format!("{sum}  {name}\n"));
    }
    let path = folder.join("SHA256SUMS");
    fs::write(&path, sums).with_context(|| format!("write {}", path.display()))
}

/// In hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}
