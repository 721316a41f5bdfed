//! The few things the journal asks of a disk, so that tests can give it a bad one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Files of one directory.
pub trait Disk {
    /// Names of all files.
    ///
    /// # Errors
    /// What the OS says.
    fn list(&self) -> io::Result<Vec<String>>;
    /// A whole file.
    ///
    /// # Errors
    /// What the OS says.
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;
    /// `length` bytes of a file from `offset`.
    ///
    /// # Errors
    /// What the OS says; an early end is an error.
    fn read_at(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>>;
    /// Makes an empty file whose existence is durable. It must not exist.
    ///
    /// # Errors
    /// What the OS says.
    fn create(&self, name: &str) -> io::Result<()>;
    /// Adds to the end of a file. On error, an unknown part may have been added, except for
    /// [`io::ErrorKind::StorageFull`], after which the file is as it was.
    ///
    /// # Errors
    /// What the OS says.
    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()>;
    /// Writes over a part of a file, which is made when missing.
    ///
    /// # Errors
    /// What the OS says.
    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Returns when everything appended is on stable storage.
    ///
    /// # Errors
    /// What the OS says; nothing appended since the last good sync may be relied upon then.
    fn sync(&self, name: &str) -> io::Result<()>;
    /// Removes a file; it does not come back after a power cut. Of several, some would, and leave a hole.
    ///
    /// # Errors
    /// What the OS says.
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// A real directory.
#[derive(Debug, Clone)]
pub struct Directory {
    path: PathBuf,
}

impl Directory {
    /// Uses `path`, which must exist.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Disk for Directory {
    fn list(&self) -> io::Result<Vec<String>> {
        fs::read_dir(&self.path)?
            .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
            .collect()
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.file(name))
    }

    fn read_at(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.file(name))?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn create(&self, name: &str) -> io::Result<()> {
        OpenOptions::new().write(true).create_new(true).open(self.file(name))?.sync_all()?;
        crate::platform::sync_directory(&self.path)
    }

    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).open(self.file(name))?;
        let length = file.metadata()?.len();
        let written = file.write_all(bytes);
        if written.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::StorageFull) {
            OpenOptions::new().write(true).open(self.file(name))?.set_len(length)?;
        }
        written
    }

    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(self.file(name))?;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        // A handle with write access: Windows refuses to flush others. Any handle flushes the whole file.
        OpenOptions::new().append(true).open(self.file(name))?.sync_data()
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.file(name))?;
        crate::platform::sync_directory(&self.path)
    }
}
