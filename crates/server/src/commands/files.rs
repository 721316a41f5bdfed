//! Small files that only their owner may read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::Context as _;

/// Makes a directory, and its parents, that only its owner may enter. One that is there stays as it is.
pub fn make_private_directory(path: &Path) -> anyhow::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("could not make the directory {}: is its parent writable?", path.display()))
}

/// Writes a file with mode 0600 that is either the old or the new one, even after a power cut.
pub fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let written = || -> io::Result<()> {
        let unfinished = path.with_extension("new");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, path)?;
        path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
    };
    written().with_context(|| format!("could not write {}", path.display()))
}

/// See [`crate::secrets::new_secret`].
pub fn new_secret() -> anyhow::Result<String> {
    crate::secrets::new_secret().map_err(|error| anyhow::anyhow!("could not draw random bytes: {error}"))
}
