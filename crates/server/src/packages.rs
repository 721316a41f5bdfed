//! The agent's packages in a directory of the server: listed with size and SHA-256, and streamed.
//!
//! Only regular files that lie in the directory itself and end like a package count; a name from an address is
//! never made into a path, it is looked for among them. A link is not followed. The digest of a file is computed
//! once and kept until its size or time of change differs.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use axum::body::{Body, Bytes};
use futures_util::stream;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt as _;

/// Endings of packages.
const ENDINGS: [&str; 4] = ["msi", "deb", "rpm", "zip"];

/// Packages listed at most: two languages and a few versions are a dozen.
const PACKAGES_MAX: usize = 100;

/// Bytes read in one go.
const PIECE: usize = 64 * 1024;

/// A package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its file's name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 in lower-case hex.
    pub sha256: String,
}

/// Why there are no packages to list.
#[derive(Debug, thiserror::Error)]
#[error("could not read the packages in {}", directory.display())]
pub struct PackagesError {
    directory: PathBuf,
    #[source]
    source: io::Error,
}

/// Size, time of change and digest of a file.
type Known = (u64, Option<SystemTime>, String);

/// The directory, with the digests that are known.
#[derive(Debug, Default)]
pub struct Packages {
    directory: Option<PathBuf>,
    digests: Mutex<BTreeMap<String, Known>>,
}

impl Packages {
    /// Packages in `directory`; none when there is none.
    #[must_use]
    pub fn new(directory: Option<PathBuf>) -> Self {
        Self { directory, digests: Mutex::default() }
    }

    /// All packages by name. Blocks: reads files whose digest is not known.
    ///
    /// # Errors
    /// [`PackagesError`] when the directory or a file in it cannot be read.
    pub fn list(&self) -> Result<Vec<Package>, PackagesError> {
        let Some(directory) = &self.directory else {
            return Ok(Vec::new());
        };
        let failed = |source| PackagesError { directory: directory.clone(), source };
        let names = names(directory).map_err(failed)?;
        let packages = names.into_iter().map(|name| self.package(directory, name));
        packages.collect::<io::Result<Vec<_>>>().map_err(failed)
    }

    fn package(&self, directory: &Path, name: String) -> io::Result<Package> {
        let mut file = open(&directory.join(&name))?;
        let metadata = file.metadata()?;
        let (bytes, changed) = (metadata.len(), metadata.modified().ok());
        let known = self.digests().get(&name).filter(|known| (known.0, known.1) == (bytes, changed)).cloned();
        let sha256 = match known {
            Some((_, _, sha256)) => sha256,
            None => digest(&mut file)?,
        };
        self.digests().insert(name.clone(), (bytes, changed, sha256.clone()));
        Ok(Package { name, bytes, sha256 })
    }

    fn digests(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Known>> {
        // What another thread was doing when it panicked leaves a map that is whole.
        self.digests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the package with this name; `None` when there is none. Blocks.
    ///
    /// # Errors
    /// [`PackagesError`] when the directory or the file cannot be read.
    pub fn open(&self, name: &str) -> Result<Option<(File, u64)>, PackagesError> {
        let Some(directory) = &self.directory else {
            return Ok(None);
        };
        let failed = |source| PackagesError { directory: directory.clone(), source };
        let names = names(directory).map_err(failed)?;
        let Some(found) = names.into_iter().find(|found| found == name) else {
            return Ok(None);
        };
        let file = open(&directory.join(found)).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        Ok(Some((file, bytes)))
    }
}

/// Names of the packages there are.
fn names(directory: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().into_string().ok().filter(|name| is_package(name));
        if let Some(name) = name.filter(|_| names.len() < PACKAGES_MAX)
            && entry.file_type()?.is_file()
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn is_package(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+' | '~');
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    name.chars().all(plain)
        && !name.starts_with('.')
        && ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

fn open(path: &Path) -> io::Result<File> {
    let no_link = rustix::fs::OFlags::NOFOLLOW.bits();
    OpenOptions::new().read(true).custom_flags(no_link.cast_signed()).open(path)
}

fn digest(file: &mut File) -> io::Result<String> {
    let (mut hash, mut piece) = (Sha256::new(), vec![0; PIECE]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(data_encoding::HEXLOWER.encode(&hash.finalize())),
            read => hash.update(&piece[..read]),
        }
    }
}

/// The file as a body, piece by piece. Should reading fail half-way, the transfer breaks off.
pub fn body(file: File) -> Body {
    let file = tokio::fs::File::from_std(file);
    Body::from_stream(stream::try_unfold(file, |mut file| async move {
        let mut piece = vec![0; PIECE];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        Ok::<_, io::Error>((read > 0).then(|| (Bytes::from(piece), file)))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_packages_of_the_directory_itself_are_there() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret.msi"), "secret").unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for name in ["b.deb", "a.MSI", "notes.txt", ".hidden.msi", "ä.msi", "msi"] {
            std::fs::write(path(name), name).unwrap();
        }
        std::fs::create_dir(path("d.zip")).unwrap();
        std::fs::write(path("d.zip/inner.zip"), "inner").unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret.msi"), path("link.msi")).unwrap();
        let packages = Packages::new(Some(directory.path().to_owned()));
        let names: Vec<_> = packages.list().unwrap().into_iter().map(|found| found.name).collect();
        assert_eq!(names, ["a.MSI", "b.deb"]);
        for wrong in
            ["../secret.msi", "link.msi", "d.zip", "d.zip/inner.zip", "notes.txt", "", ".", "/etc/passwd"]
        {
            assert!(packages.open(wrong).unwrap().is_none(), "{wrong}");
        }
        let (mut file, bytes) = packages.open("b.deb").unwrap().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), bytes), ("b.deb", 5));
    }

    #[test]
    fn a_digest_follows_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let packages = Packages::new(Some(directory.path().to_owned()));
        let sum = |text: &str| {
            std::fs::write(directory.path().join("a.msi"), text).unwrap();
            packages.list().unwrap()[0].sha256.clone()
        };
        assert_eq!(sum("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_ne!(sum("abcd"), sum("abc"));
    }

    #[test]
    fn a_directory_that_is_gone_is_named() {
        let error = Packages::new(Some("/nowhere/at/all".into())).list().unwrap_err();
        assert!(error.to_string().contains("/nowhere/at/all"));
        assert_eq!(Packages::default().list().unwrap(), []);
    }
}
