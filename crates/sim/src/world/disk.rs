//! A disk that does to the journal what disks do.
//!
//! Each file has what is on the platter and what only the page cache has: the writes since the last good sync.
//! - A **power cut** keeps of those writes nothing, all, a prefix, or any subset of their sectors (what is
//!   missing in between reads as zeros). A file that was being made or removed is there or not. Synced bytes are
//!   never touched.
//! - A **kill** of the process keeps the page cache, and at most the write it was in is short.
//! - A **failed sync** leaves each unsynced write dirty, on the platter, or (as Linux does) clean in the cache
//!   although it never reached the platter: no later sync will write it.
//! - Beside these: no room, a write that fails half way, flipped bits in synced bytes, copies of the disk.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

use mngntime_agent::journal::disk::Disk;

use crate::random::Chance;

/// The journal's reserve. Its content is never read, so only its length is kept.
const RESERVE: &str = "reserve";

/// What ends when the operation that was chosen for it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crash {
    /// The process: the page cache stays.
    Process,
    /// The PC: the page cache is gone.
    Power,
}

/// A write that is in the page cache only.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    pub(crate) offset: usize,
    pub(crate) bytes: Vec<u8>,
}

/// One file.
#[derive(Debug, Clone, Default)]
pub(crate) struct File {
    pub(crate) durable: Vec<u8>,
    pub(crate) cache: Vec<u8>,
    pub(crate) unsynced: Vec<Write>,
    /// Bytes that only count.
    hidden: u64,
}

impl File {
    /// A file with synced content.
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        Self { cache: bytes.clone(), durable: bytes, ..Self::default() }
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) {
        put(&mut self.cache, offset, bytes);
        self.unsynced.push(Write { offset, bytes: bytes.to_vec() });
    }

    fn sync(&mut self) {
        for write in std::mem::take(&mut self.unsynced) {
            put(&mut self.durable, write.offset, &write.bytes);
        }
    }

    fn bytes(&self) -> u64 {
        self.cache.len() as u64 + self.hidden
    }
}

fn put(file: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    file.resize(file.len().max(offset + bytes.len()), 0);
    file[offset..offset + bytes.len()].copy_from_slice(bytes);
}

/// Everything that a copy of the disk copies, and its faults.
#[derive(Debug, Clone)]
struct State {
    files: BTreeMap<String, File>,
    room: Option<u64>,
    failing_syncs: u32,
    failing_writes: u32,
    crash_at: Option<(u64, Crash)>,
    crashed: Option<Crash>,
    operations: u64,
    generation: u64,
    chance: Chance,
}

/// Clones share the disk, as the two owners of one directory do; [`FaultyDisk::copy`] makes another.
#[derive(Debug, Clone)]
pub(crate) struct FaultyDisk {
    state: Rc<RefCell<State>>,
}

impl FaultyDisk {
    pub(crate) fn new(chance: Chance) -> Self {
        Self::of(State {
            files: BTreeMap::new(),
            room: None,
            failing_syncs: 0,
            failing_writes: 0,
            crash_at: None,
            crashed: None,
            operations: 0,
            generation: 0,
            chance,
        })
    }

    fn of(state: State) -> Self {
        Self { state: Rc::new(RefCell::new(state)) }
    }

    /// A disk of its own with what is on the platter of this one, without its faults.
    pub(crate) fn copy(&self) -> Self {
        let mut state = self.state.borrow().clone();
        for file in state.files.values_mut() {
            file.cache.clone_from(&file.durable);
            file.unsynced.clear();
        }
        state.generation += 1;
        let copy = Self::of(state);
        copy.heal();
        copy
    }

    /// Takes over the content of another disk: a snapshot is restored.
    pub(crate) fn become_copy_of(&self, other: &Self) {
        let generation = self.state.borrow().generation;
        let operations = self.state.borrow().operations;
        let taken = other.copy().state.borrow().clone();
        *self.state.borrow_mut() = State { generation: generation + 1, operations, ..taken };
    }

    /// Ends all faults that are under way.
    pub(crate) fn heal(&self) {
        let mut state = self.state.borrow_mut();
        state.room = None;
        state.failing_syncs = 0;
        state.failing_writes = 0;
        state.crash_at = None;
        state.crashed = None;
    }

    /// The process or the PC ends in the middle of the `after`-th operation from now (from 1).
    pub(crate) fn crash_in(&self, after: u64, crash: Crash) {
        let mut state = self.state.borrow_mut();
        state.crash_at = Some((state.operations + after, crash));
    }

    /// What has ended, if something has: every operation fails until [`Self::restart`].
    pub(crate) fn crashed(&self) -> Option<Crash> {
        self.state.borrow().crashed
    }

    /// There is an operating system again.
    pub(crate) fn restart(&self) {
        let mut state = self.state.borrow_mut();
        state.crashed = None;
        state.crash_at = None;
    }

    /// `bytes` of room are left, until [`Self::heal`] or `None`.
    pub(crate) fn room(&self, bytes: Option<u64>) {
        self.state.borrow_mut().room = bytes;
    }

    pub(crate) fn fail_syncs(&self, count: u32) {
        self.state.borrow_mut().failing_syncs = count;
    }

    pub(crate) fn fail_writes(&self, count: u32) {
        self.state.borrow_mut().failing_writes = count;
    }

    /// An operating system that goes down in order writes its page cache back.
    pub(crate) fn write_back(&self) {
        let mut state = self.state.borrow_mut();
        state.files.values_mut().for_each(|file| {
            file.sync();
            file.cache.clone_from(&file.durable);
        });
        state.generation += 1;
    }

    /// The page cache is gone.
    pub(crate) fn cut_power(&self) {
        let mut state = self.state.borrow_mut();
        let State { files, chance, .. } = &mut *state;
        for file in files.values_mut() {
            survive(file, chance);
            file.cache.clone_from(&file.durable);
        }
        state.generation += 1;
    }

    /// The page cache is gone, and nothing of it has reached the platter.
    pub(crate) fn cut_power_to_nothing(&self) {
        let mut state = self.state.borrow_mut();
        for file in state.files.values_mut() {
            file.unsynced.clear();
            file.cache.clone_from(&file.durable);
        }
        state.generation += 1;
    }

    /// Flips one bit of what is on the platter of a segment; where, if there is any such byte.
    pub(crate) fn flip_a_bit(&self) -> Option<(String, usize)> {
        let mut state = self.state.borrow_mut();
        let State { files, chance, .. } = &mut *state;
        let mut segments: Vec<_> = files
            .iter_mut()
            .filter(|(name, file)| name.ends_with(".journal") && !file.durable.is_empty())
            .collect();
        let count = segments.len();
        let (name, file) = segments.get_mut(chance.index(count)?)?;
        let offset = chance.index(file.durable.len())?;
        let bit = 1 << chance.between(0, 7);
        file.durable[offset] ^= bit;
        file.cache[offset] ^= bit;
        let flipped = ((*name).clone(), offset);
        state.generation += 1;
        Some(flipped)
    }

    /// Rises whenever synced bytes may have changed.
    pub(crate) fn generation(&self) -> u64 {
        self.state.borrow().generation
    }

    /// Shows what is on the platter of each segment.
    pub(crate) fn look(&self, mut see: impl FnMut(&str, &[u8])) {
        let state = self.state.borrow();
        state
            .files
            .iter()
            .filter(|(name, _)| name.ends_with(".journal"))
            .for_each(|(name, file)| see(name, &file.durable));
    }

    /// Operations that may crash, so far.
    pub(crate) fn operations(&self) -> u64 {
        self.state.borrow().operations
    }

    /// The files as they are: for the enumeration of crash points.
    pub(crate) fn files(&self) -> BTreeMap<String, File> {
        self.state.borrow().files.clone()
    }

    /// Puts files there as they are.
    pub(crate) fn with_files(files: BTreeMap<String, File>) -> Self {
        let disk = Self::new(Chance::new(0, 0));
        disk.state.borrow_mut().files = files;
        disk
    }

    fn with<T>(&self, name: &str, work: impl FnOnce(&mut File) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state.borrow_mut();
        work(state.files.get_mut(name).ok_or(io::ErrorKind::NotFound)?)
    }

    fn alive(&self) -> io::Result<()> {
        if self.crashed().is_some() { Err(io::Error::other("nobody is there any more")) } else { Ok(()) }
    }

    /// Counts an operation; whether it is the one in which something ends.
    fn begin(&self) -> io::Result<Option<Crash>> {
        self.alive()?;
        let mut state = self.state.borrow_mut();
        state.operations += 1;
        let operations = state.operations;
        state.crashed = state.crash_at.filter(|(at, _)| *at <= operations).map(|(_, crash)| crash);
        Ok(state.crashed)
    }

    /// Writes, unless there is no room or the write is to fail.
    fn write(&self, name: &str, offset: Option<u64>, bytes: &[u8]) -> io::Result<()> {
        let crash = self.begin()?;
        let mut state = self.state.borrow_mut();
        let State { files, room, failing_writes, chance, .. } = &mut *state;
        let file = files.get_mut(name).ok_or(io::ErrorKind::NotFound)?;
        let offset =
            offset.map_or(Ok(file.cache.len()), |at| usize::try_from(at).map_err(io::Error::other))?;
        let grows = (offset + bytes.len()).saturating_sub(file.cache.len()) as u64;
        if let Some(room) = room {
            if *room < grows {
                return Err(io::ErrorKind::StorageFull.into());
            }
            *room -= grows;
        }
        if name == RESERVE {
            file.hidden += grows;
            return Ok(());
        }
        let fails = failing_writes.checked_sub(1).map(|left| *failing_writes = left).is_some();
        if crash == Some(Crash::Process) || fails {
            let kept = chance.index(bytes.len() + 1).unwrap_or(0);
            file.write(offset, &bytes[..kept]);
        } else {
            file.write(offset, bytes);
        }
        if crash.is_some() || fails { Err(io::Error::other("the write was cut short")) } else { Ok(()) }
    }
}

/// What of the unsynced writes of a file survives a power cut.
fn survive(file: &mut File, chance: &mut Chance) {
    let writes = std::mem::take(&mut file.unsynced);
    let sector = [1, 16, 64, 512][chance.index(4).unwrap_or(0)];
    match chance.index(4) {
        Some(0) => {}
        Some(1) => writes.iter().for_each(|write| put(&mut file.durable, write.offset, &write.bytes)),
        Some(2) => {
            // In order, up to some byte.
            let mut left = chance.index(writes.iter().map(|write| write.bytes.len()).sum::<usize>() + 1);
            for write in &writes {
                let kept = left.unwrap_or(0).min(write.bytes.len());
                put(&mut file.durable, write.offset, &write.bytes[..kept]);
                left = left.map(|left| left - kept);
                if kept < write.bytes.len() {
                    break;
                }
            }
        }
        _ => {
            for write in &writes {
                for (number, piece) in write.bytes.chunks(sector).enumerate() {
                    if chance.percent(50) {
                        put(&mut file.durable, write.offset + number * sector, piece);
                    }
                }
            }
        }
    }
}

impl Disk for FaultyDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        self.alive()?;
        Ok(self.state.borrow().files.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        self.alive()?;
        self.with(name, |file| Ok(file.cache.clone()))
    }

    fn read_at(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.alive()?;
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let part = |file: &mut File| file.cache.get(start..start + length).map(<[u8]>::to_vec);
        self.with(name, |file| part(file).ok_or(io::ErrorKind::UnexpectedEof.into()))
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        self.alive()?;
        self.with(name, |file| Ok(file.cache.len() as u64))
    }

    fn create(&self, name: &str) -> io::Result<()> {
        let crash = self.begin()?;
        let mut state = self.state.borrow_mut();
        if state.files.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if crash.is_none() || state.chance.percent(50) {
            state.files.insert(name.to_owned(), File::default());
        }
        if crash.is_some() {
            return Err(io::Error::other("nobody is there any more"));
        }
        Ok(())
    }

    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.write(name, None, bytes)
    }

    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.alive()?;
        self.state.borrow_mut().files.entry(name.to_owned()).or_default();
        self.write(name, Some(offset), bytes)
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        let crash = self.begin()?;
        let mut state = self.state.borrow_mut();
        let State { files, failing_syncs, chance, .. } = &mut *state;
        let file = files.get_mut(name).ok_or(io::ErrorKind::NotFound)?;
        let fails = failing_syncs.checked_sub(1).map(|left| *failing_syncs = left).is_some();
        match (crash, fails) {
            (None, false) => {
                file.sync();
                return Ok(());
            }
            (Some(Crash::Process), _) if chance.percent(50) => file.sync(),
            (Some(_), _) => {}
            (None, true) => match chance.index(3) {
                Some(0) => {}
                Some(1) => file.sync(),
                _ => file.unsynced.clear(),
            },
        }
        Err(io::Error::other("the sync failed"))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let crash = self.begin()?;
        let mut state = self.state.borrow_mut();
        if crash.is_some() && state.chance.percent(50) {
            return Err(io::Error::other("nobody is there any more"));
        }
        let file = state.files.remove(name).ok_or(io::ErrorKind::NotFound)?;
        if let Some(room) = &mut state.room {
            *room += file.bytes();
        }
        state.generation += 1;
        if crash.is_some() { Err(io::Error::other("nobody is there any more")) } else { Ok(()) }
    }
}
