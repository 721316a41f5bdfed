//! What all rows share: how large they are, where their data goes, which programs they measure.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use super::cluster::Cluster;

/// PostgreSQL as on a small server: commits wait for the disk, a quarter of 4 GB for its own cache.
const POSTGRES: [&str; 4] = ["fsync=on", "shared_buffers=1GB", "max_wal_size=8GB", "max_connections=300"];

/// Which database keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// One whole measurement.
pub struct Bench {
    pub runs: usize,
    pub is_quick: bool,
    /// Where the data goes.
    pub directory: PathBuf,
    /// `mngntime`.
    pub program: PathBuf,
    /// `mngntime-agent`.
    pub agent: PathBuf,
    cluster: OnceCell<Cluster>,
}

impl Bench {
    pub fn new(runs: usize, is_quick: bool, directory: PathBuf, program: PathBuf, agent: PathBuf) -> Self {
        Self { runs, is_quick, directory, program, agent, cluster: OnceCell::new() }
    }

    /// The one size for a quick look, the other in earnest.
    pub fn pick<T>(&self, quick: T, earnest: T) -> T {
        if self.is_quick { quick } else { earnest }
    }

    /// Length of a run with a length.
    pub fn seconds(&self) -> f64 {
        self.pick(1.0, 10.0)
    }

    /// The PostgreSQL of this measurement, started when it is first wanted.
    pub fn cluster(&self) -> &Cluster {
        self.cluster.get_or_init(|| Cluster::start(&POSTGRES))
    }

    /// A directory for data that is gone afterwards.
    pub fn scratch(&self) -> anyhow::Result<tempfile::TempDir> {
        Ok(tempfile::tempdir_in(&self.directory)?)
    }

    /// Says what is being done, for whoever waits.
    pub fn say(&self, what: &str) {
        eprintln!("  {what}");
    }
}

/// Bytes of the files in a directory, those below it included.
pub fn bytes_in(directory: &Path) -> std::io::Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let about = entry.metadata()?;
        sum += if about.is_dir() { bytes_in(&entry.path())? } else { about.len() };
    }
    Ok(sum)
}
