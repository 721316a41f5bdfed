//! The committed corpora, played again: what the fuzzer once found stays found, without the fuzzer.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use mngntime_fuzzed::{TARGETS, evidence};

/// All corpora together: they are read by everybody who fetches the repository.
const CORPORA_BYTES_MAX: u64 = 2_000_000;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn files(target: &str) -> Vec<PathBuf> {
    let folder = fuzz().join("corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn play(target: &str) {
    let (_, run) = TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    let files = files(target);
    assert!(files.len() > 1, "a corpus of {}", files.len());
    for file in files {
        let data = fs::read(&file).unwrap();
        // The harness shows what was printed before a panic: which file it was.
        println!("{}", file.display());
        run(&data);
    }
}

macro_rules! corpora {
    ($($name:ident)*) => {
        $(#[test] fn $name() { play(stringify!($name)); })*

        /// Each target has its program, its corpus and its test here.
        #[test]
        fn every_target_is_played() {
            let played = BTreeSet::from([$(stringify!($name)),*]);
            let bodies: BTreeSet<_> = TARGETS.iter().map(|(name, _)| *name).collect();
            assert_eq!(played, bodies);
            let programs = fs::read_dir(fuzz().join("fuzz_targets")).unwrap();
            let programs: BTreeSet<String> = programs
                .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
                .collect();
            assert_eq!(programs, bodies.iter().map(|name| (*name).to_owned()).collect());
        }
    };
}

corpora! { config envelope event evidence ingest journal log os_log seal }

#[test]
fn the_corpora_stay_small() {
    let bytes: u64 = TARGETS
        .iter()
        .flat_map(|(target, _)| files(target))
        .map(|file| fs::metadata(file).unwrap().len())
        .sum();
    assert!(bytes < CORPORA_BYTES_MAX, "{bytes}");
}

/// Else the target `evidence` would change what was refused anyway.
#[test]
fn the_record_that_is_changed_is_authentic_before() {
    let report = evidence::verify(evidence::record());
    assert_eq!(report.faults, [], "make it anew: examples/seeds.rs");
    assert!(report.events > 0 && report.hidden > 0 && report.receipts > 0 && report.trees.len() == 2);
}
