//! Files that appear whole, under a name that nobody has, or not at all.
//!
//! Each is written under a name of its own in the directory where it is to be, so that two exports to one name do not
//! write into each other. It gets its name when it is on the disk, and the name is on the disk before anybody is told.
//! A process that is killed leaves `.mngntime-….unfinished`, which nothing reads and anybody may remove.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file without its name. Dropped, it leaves nothing.
#[derive(Debug)]
pub struct NewFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl NewFile {
    /// Begins the file that is to be at `path`; only its owner can read it.
    ///
    /// # Errors
    /// What the operating system says of the directory.
    pub fn beside(path: &Path) -> io::Result<Self> {
        let mut name = tempfile::Builder::new();
        let file = name.prefix(".mngntime-").suffix(".unfinished").tempfile_in(directory(path))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Where it is to be.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file as it is.
    pub fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Where it is now.
    #[must_use]
    pub fn unfinished(&self) -> &Path {
        self.file.path()
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] when there is a file of that name, which stays as it is; otherwise what the
    /// operating system says. Then nothing is left.
    pub fn publish(self) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        self.file.persist_noclobber(&self.path).map_err(|error| error.error)?;
        let synced = File::open(directory(&self.path)).and_then(|directory| directory.sync_all());
        if synced.is_err() {
            // The name is ours; that it cannot be removed either changes nothing about the failure.
            let _ = std::fs::remove_file(&self.path);
        }
        synced
    }
}

/// The directory in which a file of this name is.
#[must_use]
pub fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn names(directory: &Path) -> Vec<std::ffi::OsString> {
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn of_two_files_for_one_name_one_gets_it_and_the_other_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pack.zip");
        let mut files = [NewFile::beside(&path).unwrap(), NewFile::beside(&path).unwrap()];
        for (file, letter) in files.iter_mut().zip(["a", "b"]) {
            file.file().write_all(letter.repeat(1000).as_bytes()).unwrap();
            assert!(!path.exists());
        }
        let [first, second] = files;
        second.publish().unwrap();
        assert_eq!(first.publish().unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "b".repeat(1000));
        assert_eq!(names(directory.path()), ["pack.zip"]);
    }

    #[test]
    fn what_is_given_up_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        drop(NewFile::beside(&directory.path().join("key")).unwrap());
        assert!(names(directory.path()).is_empty());
        assert!(NewFile::beside(&directory.path().join("no/key")).is_err());
        assert_eq!(super::directory(Path::new("key")), Path::new("."));
    }
}
