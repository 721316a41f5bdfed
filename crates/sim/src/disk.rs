//! A disk in memory that never fails: what the journal of a simulated PC is on.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

use mngntime_agent::journal::disk::Disk;

/// Clones share their content, as two processes share a disk.
#[derive(Debug, Clone, Default)]
pub struct MemoryDisk(Rc<RefCell<BTreeMap<String, Vec<u8>>>>);

impl MemoryDisk {
    fn with<T>(&self, name: &str, work: impl FnOnce(&mut Vec<u8>) -> io::Result<T>) -> io::Result<T> {
        let mut files = self.0.borrow_mut();
        work(files.get_mut(name).ok_or(io::ErrorKind::NotFound)?)
    }
}

fn position(offset: u64) -> io::Result<usize> {
    usize::try_from(offset).map_err(io::Error::other)
}

impl Disk for MemoryDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.0.borrow().keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        self.with(name, |bytes| Ok(bytes.clone()))
    }

    fn read_at(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let start = position(offset)?;
        let part = |bytes: &mut Vec<u8>| bytes.get(start..start + length).map(<[u8]>::to_vec);
        self.with(name, |bytes| part(bytes).ok_or(io::ErrorKind::UnexpectedEof.into()))
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        self.with(name, |bytes| Ok(bytes.len() as u64))
    }

    fn create(&self, name: &str) -> io::Result<()> {
        // The reserve of a real disk would only cost memory here.
        if name == "reserve" {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.borrow_mut().insert(name.to_owned(), Vec::new());
        Ok(())
    }

    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.with(name, |file| {
            file.extend(bytes);
            Ok(())
        })
    }

    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let start = position(offset)?;
        let mut files = self.0.borrow_mut();
        let file = files.entry(name.to_owned()).or_default();
        file.resize(file.len().max(start + bytes.len()), 0);
        file[start..start + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn sync(&self, _name: &str) -> io::Result<()> {
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.borrow_mut().remove(name).map(|_| ()).ok_or(io::ErrorKind::NotFound.into())
    }
}
