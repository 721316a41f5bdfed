//! `cargo fuzz run event`: the body is `mngntime_fuzzed::event`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mngntime_fuzzed::event::run(data));
