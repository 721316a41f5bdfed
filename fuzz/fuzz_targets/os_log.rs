//! `cargo fuzz run os_log`: the body is `mngntime_fuzzed::os_log`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mngntime_fuzzed::os_log::run(data));
