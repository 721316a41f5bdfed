//! `receipts`: every receipt that this PC keeps, one a line, as the server signed it. Reads only.
//!
//! For whoever checks an evidence pack against what a PC was told: `mngntime verify FILE --against RECEIPTS`. Nothing is
//! judged here and nothing added: a line is the server's signed envelope, byte for byte.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};

use super::{BAD_USE, FAILED, is_there, make_file};
use crate::config::Config;
use crate::journal::disk::Directory;
use crate::journal::{self, Given};

/// Where to.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// File to write, which must not exist: one receipt a line, JSON
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Writes the receipts. Exit 0 when all are in the file, 1 when some cannot be read (damage that may have been one counts)
/// or there is no file, 2 when the file cannot be made where it was asked for. Receipts of segments that are gone are not
/// missed here: `fsck` does that.
pub fn receipts(config: &Config, options: &Options) -> anyhow::Result<u8> {
    let path = config.state_dir.join("journal");
    if !is_there(&path)? {
        bail!(
            "{} does not exist; no receipt has been kept there (state_dir in {})",
            path.display(),
            config.path.display()
        );
    }
    let file = match make_file(&options.out) {
        Ok(file) => file,
        Err(reason) => {
            eprintln!("mngntime-agent: {reason}");
            return Ok(BAD_USE);
        }
    };
    let shown = options.out.display();
    match fill(file, &Directory::new(&path)) {
        Ok(given) => {
            say!("{shown}: {} receipts", given.receipts);
            if given.unreadable > 0 {
                eprintln!(
                    "mngntime-agent: {} receipts, or places where one may have been, could not be read; run fsck",
                    given.unreadable
                );
            }
            Ok(if given.unreadable == 0 { 0 } else { FAILED })
        }
        Err(error) => {
            // A part that ends anywhere would be taken for all of it.
            let _ = fs::remove_file(&options.out);
            Err(error.context(format!("cannot write {shown}; there is no file")))
        }
    }
}

fn fill(file: fs::File, journal: &Directory) -> anyhow::Result<Given> {
    let mut lines = BufWriter::new(file);
    let mut written = Ok(());
    let given = journal::receipts(journal, &mut |receipt| {
        if written.is_ok() {
            written = writeln!(lines, "{receipt}");
        }
    })?;
    written?;
    lines.into_inner().context("the last lines cannot be written")?.sync_all()?;
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Enrollment, Journal};
    use crate::platform;
    use mngntime_wire::{Context as Purpose, Signed};

    const SERVER: [u8; 32] = [42; 32];

    fn config(folder: &std::path::Path) -> Config {
        let mut config = Config::defaults(&folder.join("config.toml"));
        config.state_dir = folder.join("state");
        config
    }

    /// What a server gives that has refused a whole batch: the shortest receipt.
    fn receipt(received_at: i64) -> String {
        let payload = serde_json::json!({
            "v": 1, "request": "0".repeat(64), "terminal": "t1", "received_at": received_at, "refused": 6,
            "items": [], "head": 0, "spread_seconds": 60, "contact_seconds": 900, "display_name": "勤怠",
            "what_a_newer_server_says": [1, 2],
        });
        let key = mngntime_wire::SecretKey::from_seed(&SERVER);
        Signed::seal(Purpose::Receipt, &payload, &key).unwrap().to_json().unwrap()
    }

    fn keep(config: &Config, receipts: &[String]) {
        let path = config.state_dir.join("journal");
        platform::protect_directory(&path).unwrap();
        let (mut journal, _) = Journal::open(Directory::new(&path)).unwrap();
        let enrollment = Enrollment {
            contract: "demo".into(),
            server_url: "http://127.0.0.1:9".into(),
            terminal: "t1".into(),
            server_key: mngntime_wire::SecretKey::from_seed(&SERVER).public().to_string(),
            display_name: "勤怠".into(),
            public_key: None,
        };
        journal.enroll(enrollment).unwrap();
        receipts.iter().for_each(|receipt| journal.acknowledge(&[], receipt).unwrap());
    }

    #[test]
    fn every_receipt_is_a_line_as_the_server_signed_it() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let kept = [receipt(1), receipt(2)];
        keep(&config, &kept);
        let out = folder.path().join("receipts.jsonl");
        assert_eq!(receipts(&config, &Options { out: out.clone() }).unwrap(), 0);
        let text = fs::read_to_string(&out).unwrap();
        assert_eq!(text, format!("{}\n{}\n", kept[0], kept[1]), "byte for byte, and nothing else");
        // Never over a file that is there.
        fs::write(&out, "mine").unwrap();
        assert_eq!(receipts(&config, &Options { out: out.clone() }).unwrap(), BAD_USE);
        assert_eq!(fs::read_to_string(&out).unwrap(), "mine");
    }

    #[test]
    fn where_there_is_no_journal_or_no_place_no_file_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let out = folder.path().join("receipts.jsonl");
        let error = receipts(&config, &Options { out: out.clone() }).unwrap_err();
        assert!(error.to_string().contains("does not exist; no receipt"), "{error}");
        assert!(!out.exists());
        keep(&config, &[]);
        assert_eq!(receipts(&config, &Options { out: out.clone() }).unwrap(), 0);
        assert_eq!(fs::read(&out).unwrap(), b"", "a PC without receipts");
        let nowhere = Options { out: folder.path().join("no/receipts.jsonl") };
        assert_eq!(receipts(&config, &nowhere).unwrap(), BAD_USE);
    }
}
