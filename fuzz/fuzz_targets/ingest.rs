//! `cargo fuzz run ingest`: the body is `mngntime_fuzzed::ingest`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mngntime_fuzzed::ingest::run(data));
