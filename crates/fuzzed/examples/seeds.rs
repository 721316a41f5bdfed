//! `cargo run -p mngntime-fuzzed --example seeds [-- --record]`: what the corpora begin with.
//!
//! With `--record` `crates/evidence/tests/record.jsonl` is made anew, which a new version of the evidence's rules needs; run it
//! once more without, so that the corpora hold the new one.

#![allow(clippy::unwrap_used, reason = "a tool for developers")]

use std::fs;
use std::path::Path;

use mngntime_fuzzed::seeds;

fn main() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    if std::env::args().any(|word| word == "--record") {
        fs::write(here.join("../evidence/tests/record.jsonl"), seeds::record()).unwrap();
        return;
    }
    let corpora = here.join("../../fuzz/corpus");
    for (target, name, bytes) in seeds::all() {
        fs::create_dir_all(corpora.join(target)).unwrap();
        fs::write(corpora.join(target).join(name), bytes).unwrap();
    }
    // The records that the agent's own tests read.
    for file in fs::read_dir(here.join("../agent/src/os_log/fixtures")).unwrap().map(Result::unwrap) {
        fs::create_dir_all(corpora.join("os_log")).unwrap();
        fs::copy(file.path(), corpora.join("os_log").join(file.file_name())).unwrap();
    }
}
