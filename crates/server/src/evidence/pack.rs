//! The file: a ZIP whose comment is the seal.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use mngntime_evidence::format::RECORD_FILE;
use mngntime_evidence::verify::FaultKind;
use mngntime_evidence::{Fault, Report, Seal, SealFault, Verifier, seal};
use mngntime_model::Language;
use mngntime_store::{LogFault, LogLook, Store, StoreError};
use mngntime_wire::{Context, PublicKey, SealFailed, SecretKey, Signed};
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::lettering::FontFile;
use super::new_file::NewFile;
use super::record::{RecordError, Request, Writer, Written};
use super::summary::{self, SummaryError};
use super::words::COMPARE;

/// Explains the pack to whoever opens it.
const README: &str = include_str!("readme.txt");

/// Why there is no pack.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The file could not be written.
    #[error("could not write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The record could not be written.
    #[error("could not write the record of {}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: RecordError,
    },
    /// The summary could not be made.
    #[error(transparent)]
    Summary(#[from] SummaryError),
    /// The store could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something stored would be left out, since the log does not tell of it; or something is gone.
    #[error("the log does not tell of everything that was taken in: {}", COMPARE.1)]
    Gap(#[source] LogFault),
    /// What is stored contradicts what was signed.
    #[error("the record contradicts what was signed ({why})")]
    Contradicts {
        /// The file.
        path: PathBuf,
        /// The first contradiction.
        why: Contradiction,
        /// Whether somebody was just changing what contradicts: then the next attempt has it as it is afterwards.
        changed_meanwhile: bool,
    },
    /// The seal could not be made.
    #[error("could not seal {}", path.display())]
    Seal {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: SealFailed,
    },
}

/// How the record contradicts what was signed.
#[derive(Debug, thiserror::Error)]
pub enum Contradiction {
    /// The pack cannot be read.
    #[error(transparent)]
    Unreadable(CheckError),
    /// The first fault of its record.
    #[error("{}", mngntime_evidence::words::fault(.0, Language::English))]
    Fault(Fault),
}

/// A pack that is complete and was checked, and has no name yet. Dropped, it leaves nothing.
#[derive(Debug)]
pub struct Finished {
    file: NewFile,
    /// What it holds.
    pub written: Written,
}

impl Finished {
    /// Gives the pack its name; another file is never written over.
    ///
    /// # Errors
    /// [`PackError::Write`]; then nothing is left.
    pub fn publish(self) -> Result<Written, PackError> {
        let path = self.file.path().to_owned();
        self.file.publish().map_err(|source| PackError::Write { path, source })?;
        Ok(self.written)
    }

    /// The pack to be read, without a name: it is gone when the file is closed.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn into_file(self) -> io::Result<File> {
        File::open(self.file.unfinished())
    }
}

/// Makes a pack and checks it as a stranger would.
///
/// # Errors
/// [`PackError`]; nothing is left behind.
pub async fn make(
    store: &dyn Store,
    request: &Request,
    key: &SecretKey,
    font: &FontFile,
    path: &Path,
) -> Result<Finished, PackError> {
    if let Some(fault) = store.log_gap(request.contract.id, LogLook::Receipts).await? {
        return Err(PackError::Gap(fault));
    }
    let failed = |source: io::Error| PackError::Write { path: path.to_owned(), source };
    let broken = |source: RecordError| PackError::Record { path: path.to_owned(), source };
    let mut new = NewFile::beside(path).map_err(failed)?;
    let mut zip = ZipWriter::new(OnceFailing::new(BufWriter::new(new.file())));
    // A fixed date: a pack says itself when it was made.
    let options = SimpleFileOptions::default().large_file(true);
    zip.start_file(RECORD_FILE, options).map_err(|error| failed(error.into()))?;
    let writer = Writer::new(store, request, BufWriter::new(&mut zip)).await.map_err(broken)?;
    let written = writer.write().await.map_err(broken)?;
    let pdf = summary::make(request, &written, font)?;
    for (name, bytes) in [("summary.pdf", &pdf[..]), ("README.txt", README.as_bytes())] {
        zip.start_file(name, options).map_err(|error| failed(error.into()))?;
        zip.write_all(bytes).map_err(failed)?;
    }
    let file = zip.finish().map_err(|error| failed(error.into()))?;
    let file = file.into_inner().map_err(failed)?;
    file.into_inner().map_err(|error| failed(error.into_error()))?;
    add_seal(new.file(), request, key, path)?;
    check_own(&new, key, &written)?;
    Ok(Finished { file: new, written })
}

/// A file that fails once. The ZIP library finishes its archive when it is dropped, too, and writes to the terminal
/// when that fails: a file that has failed, whose archive nobody will see, takes everything from then on, and says of
/// itself what a file would that had taken it.
struct OnceFailing<W> {
    inner: W,
    failure: Option<io::ErrorKind>,
    position: u64,
    end: u64,
}

impl<W> OnceFailing<W> {
    fn new(inner: W) -> Self {
        Self { inner, failure: None, position: 0, end: 0 }
    }

    /// What was written, if all of it was.
    fn into_inner(self) -> io::Result<W> {
        self.failure.map_or(Ok(self.inner), |failure| Err(failure.into()))
    }

    fn unless_failed<T>(
        &mut self,
        after_a_failure: T,
        work: impl FnOnce(&mut W) -> io::Result<T>,
    ) -> io::Result<T> {
        if self.failure.is_some() {
            return Ok(after_a_failure);
        }
        work(&mut self.inner).inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                self.failure = Some(error.kind());
            }
        })
    }
}

impl<W: Write> Write for OnceFailing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.unless_failed(bytes.len(), |inner| inner.write(bytes))?;
        self.position = self.position.saturating_add(written as u64);
        self.end = self.end.max(self.position);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_failed((), Write::flush)
    }
}

impl<W: Seek> Seek for OnceFailing<W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let there = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.end.checked_add_signed(by),
        };
        let there = there.ok_or(io::ErrorKind::InvalidInput)?;
        self.position = self.unless_failed(there, |inner| inner.seek(to))?;
        Ok(self.position)
    }
}

/// What is given out has been read as a stranger reads it: each line when it was written, and the file from the disk.
fn check_own(new: &NewFile, key: &SecretKey, written: &Written) -> Result<(), PackError> {
    let contradicts = |why: Contradiction| {
        let changed_meanwhile = match &why {
            Contradiction::Fault(Fault { kind: FaultKind::NotAsNoted { id, .. }, .. }) => {
                written.changed_meanwhile.contains(id)
            }
            Contradiction::Fault(_) | Contradiction::Unreadable(_) => false,
        };
        PackError::Contradicts { path: new.path().to_owned(), why, changed_meanwhile }
    };
    if let Some(fault) = written.report.faults.first() {
        return Err(contradicts(Contradiction::Fault(fault.clone())));
    }
    let failed = |source| PackError::Write { path: new.path().to_owned(), source };
    let bytes = std::fs::read(new.unfinished()).map_err(failed)?;
    let mut hasher = Sha256::new();
    let read = read_record(&bytes, &key.public(), |line| {
        hasher.update(line);
        hasher.update(b"\n");
    });
    read.map_err(|error| contradicts(Contradiction::Unreadable(error)))?;
    if mngntime_ledger::Digest::from_bytes(hasher.finalize().into()) != written.digest {
        let other = io::Error::other("the disk gives back another record than was written");
        return Err(contradicts(Contradiction::Unreadable(CheckError::Record(other))));
    }
    Ok(())
}

/// The last two bytes of a ZIP file without a comment say how long its comment is: they are written before
/// everything is hashed.
fn add_seal(file: &mut File, request: &Request, key: &SecretKey, path: &Path) -> Result<(), PackError> {
    let failed = |source: io::Error| PackError::Write { path: path.to_owned(), source };
    let bytes = file.seek(SeekFrom::End(0)).map_err(failed)?;
    let sealed = |sha256: String| {
        let seal = Seal {
            v: 1,
            contract: request.contract.code.clone(),
            sealed_at: request.made_at.0,
            bytes,
            sha256,
        };
        let envelope = Signed::seal(Context::EvidenceSeal, &seal, key);
        let text = envelope.and_then(|envelope| envelope.to_json().map_err(SealFailed::Encoding));
        text.map_err(|source| PackError::Seal { path: path.to_owned(), source })
    };
    // All digests, and all signatures of this kind, have one length.
    let length = u16::try_from(sealed("0".repeat(64))?.len()).unwrap_or(u16::MAX);
    file.seek(SeekFrom::End(-2)).and_then(|_| file.write_all(&length.to_le_bytes())).map_err(failed)?;
    file.rewind().map_err(failed)?;
    let mut hasher = Sha256::new();
    copy(file, &mut hasher).map_err(failed)?;
    let digest = mngntime_ledger::Digest::from_bytes(hasher.finalize().into());
    let comment = sealed(digest.to_string())?;
    file.seek(SeekFrom::End(0)).and_then(|_| file.write_all(comment.as_bytes())).map_err(failed)
}

fn copy(file: &mut File, hasher: &mut Sha256) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(()),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// Why a file was not checked to the end.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The seal does not hold.
    #[error(transparent)]
    Seal(#[from] SealFault),
    /// What is sealed is no pack.
    #[error(
        "the file is sealed, but it is no evidence pack: it must hold record.jsonl, summary.pdf and README.txt"
    )]
    NoPack,
    /// A line of the record is longer than any.
    #[error("a line of the record has more than {} MiB", LINE_BYTES_MAX >> 20)]
    LongLine,
    /// The record cannot be read.
    #[error("the record cannot be read")]
    Record(#[source] io::Error),
}

/// What a pack holds, in this order and nothing else.
const ENTRIES: [&str; 3] = [RECORD_FILE, "summary.pdf", "README.txt"];

/// Bytes of one line with its end: a request has 1 MiB, and what a PC writes into a batch is at most twice as long as the text
/// of a line.
const LINE_BYTES_MAX: u64 = 4 << 20;

/// Checks the bytes of a pack.
///
/// # Errors
/// [`CheckError`].
pub fn check(bytes: &[u8], key: &PublicKey) -> Result<(Seal, Report), CheckError> {
    check_with(bytes, key, Verifier::new(*key))
}

/// The same with a verifier that keeps what is asked of it.
///
/// # Errors
/// [`CheckError`].
pub fn check_with(
    bytes: &[u8],
    key: &PublicKey,
    mut verifier: Verifier,
) -> Result<(Seal, Report), CheckError> {
    let seal = read_record(bytes, key, |line| verifier.read(line))?;
    let report = verifier.finish_with(&seal);
    Ok((seal, report))
}

/// Gives the lines of a pack that is sealed and has the form of one.
fn read_record(bytes: &[u8], key: &PublicKey, mut line: impl FnMut(&str)) -> Result<Seal, CheckError> {
    let seal = seal::check(bytes, key)?;
    let mut archive = ZipArchive::new(io::Cursor::new(bytes)).map_err(|_| CheckError::NoPack)?;
    if !holds_the_entries(bytes, &archive) || !reads_the_same_from_the_beginning(bytes, &mut archive) {
        return Err(CheckError::NoPack);
    }
    let entry = archive.by_name(RECORD_FILE).map_err(|_| CheckError::NoPack)?;
    let (told, mut bytes) = (entry.size(), 0);
    let mut record = BufReader::new(entry);
    while let Some(text) = read_line(&mut record)? {
        bytes += text.len() as u64 + 1;
        line(&text);
    }
    // Another reader stops where the list says that the file ends.
    if bytes == told { Ok(seal) } else { Err(CheckError::NoPack) }
}

/// The end of the ZIP file counts its entries; two of one name would be shown as one.
fn holds_the_entries(bytes: &[u8], archive: &ZipArchive<io::Cursor<&[u8]>>) -> bool {
    let counted = seal::split(bytes).and_then(|(body, _)| body.get(body.len() - 18..body.len() - 10));
    let names = archive.file_names().map(|name| name.map(std::borrow::Cow::into_owned).unwrap_or_default());
    // One disk, and the number of entries twice.
    counted == Some(&[0, 0, 0, 0, 3, 0, 3, 0]) && names.eq(ENTRIES)
}

/// A program that reads from the beginning on, and not by the list of contents at the end, must find the same: the entries
/// follow each other without anything between, and say of themselves what the list says (APPNOTE 4.3.7).
fn reads_the_same_from_the_beginning(bytes: &[u8], archive: &mut ZipArchive<io::Cursor<&[u8]>>) -> bool {
    let (mut next, mut listed) = (0, archive.central_directory_start());
    for (index, name) in ENTRIES.iter().enumerate() {
        let Some((form, bytes_of_listed)) = form_as_listed(bytes, listed) else { return false };
        listed = listed.saturating_add(bytes_of_listed);
        let Ok(entry) = archive.by_index_raw(index) else { return false };
        let header = usize::try_from(next).ok().and_then(|next| bytes.get(next..));
        let told = header.and_then(LocalHeader::read);
        let same = told.is_some_and(|told| {
            told.name == name.as_bytes()
                && (form, told.form) == (PLAINLY_DEFLATED, PLAINLY_DEFLATED)
                && (told.crc32, told.bytes, told.compressed_bytes)
                    == (entry.crc32(), entry.size(), entry.compressed_size())
        });
        let Some(data) = entry.data_start().filter(|_| same && entry.header_start() == next) else {
            return false;
        };
        next = data.saturating_add(entry.compressed_size());
    }
    next == archive.central_directory_start() && ends_with_the_list(bytes, next, listed)
}

/// Whether the list of contents, which begins and ends at these places, goes to the end, and the end says so (APPNOTE 4.3.16).
fn ends_with_the_list(bytes: &[u8], place: u64, listed: u64) -> bool {
    let Some((body, _)) = seal::split(bytes) else { return false };
    let four = |before_the_end: usize| {
        let at = body.len().checked_sub(before_the_end)?;
        body.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes).map(u64::from)
    };
    let list = (body.len() as u64).checked_sub(22 + place);
    list == listed.checked_sub(place) && (four(10), four(6)) == (list, Some(place))
}

/// Flags and method of every entry: not encrypted, its lengths before its data, deflated (APPNOTE 4.4.4, 4.4.5). A program
/// that believes other ones would find something else, or nothing.
const PLAINLY_DEFLATED: (u16, u16) = (0, 8);

/// Flags and method of an entry as the list of contents has them at this place, and how long it is there (APPNOTE 4.3.12).
fn form_as_listed(bytes: &[u8], place: u64) -> Option<((u16, u16), u64)> {
    let entry = bytes.get(usize::try_from(place).ok()?..)?;
    let two = |at: usize| entry.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes);
    // Whoever reads the list shows no comments.
    (two(32)? == 0).then_some(())?;
    let lengths = [28, 30].map(two);
    let texts = lengths.into_iter().try_fold(0, |sum, length| Some(sum + u64::from(length?)))?;
    Some(((two(8)?, two(10)?), 46 + texts))
}

/// What an entry says before its data.
struct LocalHeader<'a> {
    /// Flags and method.
    form: (u16, u16),
    name: &'a [u8],
    crc32: u32,
    bytes: u64,
    compressed_bytes: u64,
}

impl<'a> LocalHeader<'a> {
    const BYTES: usize = 30;
    /// In the place of a length that stands in the extra field (APPNOTE 4.5.3): its tag, its length, both lengths.
    const IN_THE_EXTRA_FIELD: u32 = u32::MAX;
    const EXTRA_FIELD: [u8; 4] = [1, 0, 16, 0];

    fn read(bytes: &'a [u8]) -> Option<Self> {
        let two = |at: usize| bytes.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes);
        let four = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
        let eight = |at: usize| bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes);
        let name = bytes.get(Self::BYTES..Self::BYTES + usize::from(two(26)?))?;
        let extra = Self::BYTES + name.len();
        let (compressed, whole) = (four(18)?, four(22)?);
        let (bytes_whole, compressed_bytes) = match (whole, compressed) {
            (Self::IN_THE_EXTRA_FIELD, Self::IN_THE_EXTRA_FIELD) => {
                (bytes.get(extra..extra + 4)? == Self::EXTRA_FIELD).then_some(())?;
                (eight(extra + 4)?, eight(extra + 12)?)
            }
            short => (u64::from(short.0), u64::from(short.1)),
        };
        let form = (two(6)?, two(8)?);
        Some(Self { form, name, crc32: four(14)?, bytes: bytes_whole, compressed_bytes })
    }
}

/// The next line without its end, which every line must have.
fn read_line(record: &mut impl BufRead) -> Result<Option<String>, CheckError> {
    let mut line = Vec::new();
    let bytes = record.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
    let bytes = bytes.map_err(CheckError::Record)?;
    if bytes == 0 {
        return Ok(None);
    }
    if line.pop_if(|last| *last == b'\n').is_none() {
        return Err(if bytes as u64 == LINE_BYTES_MAX {
            CheckError::LongLine
        } else {
            CheckError::Record(io::Error::other("the last line has no end"))
        });
    }
    let text = String::from_utf8(line);
    text.map(Some).map_err(|error| CheckError::Record(io::Error::new(io::ErrorKind::InvalidData, error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_an_end_and_no_more_than_four_mebibytes() {
        let longest = usize::try_from(LINE_BYTES_MAX).unwrap();
        let read = |text: &str| read_line(&mut text.as_bytes());
        let line = |letter: &str, bytes: usize| format!("{}\n", letter.repeat((bytes - 1) / letter.len()));
        assert_eq!(read("").unwrap(), None);
        assert_eq!(read("a\nb\n").unwrap(), Some("a".to_owned()));
        assert!(matches!(read("a"), Err(CheckError::Record(_))));
        assert_eq!(read(&line("a", longest)).unwrap().unwrap().len() + 1, longest);
        // Cut within a letter, too.
        for letter in ["a", "長"] {
            assert!(matches!(read(&line(letter, longest + 3)), Err(CheckError::LongLine)));
        }
        assert!(read_line(&mut &b"\xff\n"[..]).is_err());
    }

    /// A disk with room for some bytes.
    struct Full(io::Cursor<Vec<u8>>, usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0.get_ref().len() + bytes.len() > self.1 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for Full {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    /// Whatever the library does afterwards fails no second time, and what was not written is no archive. The record is
    /// larger than what is written in one go.
    #[test]
    fn a_full_disk_fails_once_and_is_never_taken_for_an_archive() {
        let noise: Vec<u8> =
            (0..40_000_u32).flat_map(|number| Sha256::digest(number.to_le_bytes())).collect();
        for room in (0..200).chain((200..noise.len()).step_by(70_001)).chain([noise.len(), noise.len() + 90])
        {
            let full = OnceFailing::new(BufWriter::new(Full(io::Cursor::default(), room)));
            let mut zip = ZipWriter::new(full);
            let options = SimpleFileOptions::default().large_file(true);
            let mut failed = zip.start_file("a", options).is_err();
            failed = failed || noise.chunks(3_000).any(|part| zip.write_all(part).is_err());
            failed = failed || zip.start_file("b", options).is_err();
            match zip.finish() {
                Ok(file) => {
                    let inner = file.into_inner().and_then(|inner| Ok(inner.into_inner()?));
                    assert_eq!(inner.err().map(|error| error.kind()), Some(io::ErrorKind::StorageFull));
                }
                Err(error) => assert!(!failed, "{room}: failed again: {error}"),
            }
        }
    }

    #[test]
    fn a_file_that_has_failed_says_where_it_would_be() {
        let mut file = OnceFailing::new(Full(io::Cursor::default(), 10));
        file.write_all(&[0; 8]).unwrap();
        assert_eq!(file.stream_position().unwrap(), 8);
        assert!(file.write(&[0; 4]).is_err());
        assert_eq!(file.stream_position().unwrap(), 8, "it did not take them");
        file.write_all(&[0; 4]).unwrap();
        assert_eq!((file.stream_position().unwrap(), file.seek(SeekFrom::Start(3)).unwrap()), (12, 3));
        assert_eq!(
            (file.seek(SeekFrom::Current(2)).unwrap(), file.seek(SeekFrom::End(-1)).unwrap()),
            (5, 11)
        );
        assert!(file.seek(SeekFrom::Current(-12)).is_err(), "before the beginning");
    }
}
