//! The few things the journal asks of a disk, so that tests can give it a bad one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::platform;

/// Files of one directory.
pub trait Disk {
    /// Names of all files.
    ///
    /// # Errors
    /// What the OS says.
    fn list(&self) -> io::Result<Vec<String>>;
    /// A whole file, or the first [`FILE_BYTES_MAX`] bytes of a longer one.
    ///
    /// # Errors
    /// What the OS says.
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;
    /// `length` bytes of a file from `offset`.
    ///
    /// # Errors
    /// What the OS says; an early end is an error.
    fn read_at(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>>;
    /// How many bytes a file has.
    ///
    /// # Errors
    /// What the OS says.
    fn length(&self, name: &str) -> io::Result<u64>;
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

/// A name of ours stands for something else than a file.
#[derive(Debug, thiserror::Error)]
#[error("it is not a file")]
struct NoFile;

/// Bytes of a file that are read. A segment of ours has at most what closes it and one more frame, a tenth of this; a longer
/// file was made longer by somebody else, and a sparse one of terabytes takes no room on a disk, but would in memory.
pub const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// How often a disk is asked for bytes that it does not give: a passing fault of a cable declares nothing lost.
const READ_ATTEMPTS: usize = 3;

/// Whether the error says that the bytes are gone as far as anybody can tell: the medium or the file system's own
/// structure is damaged, or there is no file. All else (permissions, locks, shortages) can pass or be cured.
#[must_use]
pub fn is_lasting(error: &io::Error) -> bool {
    is_no_file(error) || error.raw_os_error().is_some_and(|code| platform::MEDIUM_ERRORS.contains(&code))
}

pub(super) fn is_no_file(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<NoFile>())
}

/// A whole file, asked for more than once where the medium is at fault.
pub(super) fn read_whole(disk: &impl Disk, name: &str) -> io::Result<Vec<u8>> {
    let mut read = disk.read(name);
    for _ in 1..READ_ATTEMPTS {
        match &read {
            Err(error) if is_lasting(error) => read = disk.read(name),
            _ => break,
        }
    }
    read
}

/// How many bytes of a file [`read_whole`] has not read.
pub(super) fn unread(disk: &impl Disk, name: &str, read: &[u8]) -> u64 {
    let read = read.len() as u64;
    if read < FILE_BYTES_MAX { 0 } else { disk.length(name).unwrap_or(read).saturating_sub(read) }
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

    /// Opens a file, and nothing else: behind a name of ours may stand a pipe by now, whose other end nobody holds.
    fn open(&self, name: &str, options: &mut OpenOptions) -> io::Result<File> {
        let path = self.file(name);
        let opened = platform::without_waiting(options).open(&path);
        let is_file = match &opened {
            Ok(file) => file.metadata()?.is_file(),
            Err(_) => !is_something_else(&path),
        };
        if is_file { opened } else { Err(io::Error::other(NoFile)) }
    }
}

/// What cannot be opened as a file because it is none: a directory, a socket, a link to nowhere.
fn is_something_else(path: &Path) -> bool {
    match fs::metadata(path) {
        Ok(metadata) => !metadata.is_file(),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => false,
        Err(_) => fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()),
    }
}

impl Disk for Directory {
    fn list(&self) -> io::Result<Vec<String>> {
        fs::read_dir(&self.path)?
            .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
            .collect()
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = self.open(name, OpenOptions::new().read(true))?;
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn read_at(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut file = self.open(name, OpenOptions::new().read(true))?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        fs::metadata(self.file(name)).map(|metadata| metadata.len())
    }

    fn create(&self, name: &str) -> io::Result<()> {
        OpenOptions::new().write(true).create_new(true).open(self.file(name))?.sync_all()?;
        platform::sync_directory(&self.path)
    }

    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.open(name, OpenOptions::new().append(true))?;
        let length = file.metadata()?.len();
        let written = file.write_all(bytes);
        if written.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::StorageFull) {
            self.open(name, OpenOptions::new().write(true))?.set_len(length)?;
        }
        written
    }

    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.open(name, OpenOptions::new().write(true).create(true).truncate(false))?;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        // A handle with write access: Windows refuses to flush others. Any handle flushes the whole file.
        self.open(name, OpenOptions::new().append(true))?.sync_data()
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.file(name))?;
        platform::sync_directory(&self.path)
    }
}
