//! What is fuzzed: one module for each decoder that reads what strangers wrote, and one for the ingest.
//!
//! Each has `run`, which takes a fuzzer's bytes, panics when a promise is broken and does nothing else. The
//! fuzzer (`fuzz/`, a workspace of its own) calls it with bytes that it makes up; `tests/corpora.rs` calls it with
//! the committed ones, on every test run and without the fuzzer. Most bytes are read with `arbitrary` as the
//! values that the product's own encoders then write, because made-up bytes seldom pass a signature or a checksum.
//!
//! | module | input | must hold |
//! |---|---|---|
//! | [`event`] | text, or the fields of an event | what is read can be written and read again |
//! | [`envelope`] | text | no signature holds; a batch's frame is the batch |
//! | [`journal`] | segments of sound and broken frames | opens; what is appended and what waited is there again |
//! | [`seal`] | a file | no file but the sealed one is accepted |
//! | [`evidence`] | changes to a valid record | an authentic record says nothing the server did not sign |
//! | [`log`] | sizes, places, hashes | no panic; a changed proof proves nothing |
//! | [`os_log`] | XML | no panic |
//! | [`config`] | TOML | always a configuration; no secret in its problems |
//! | [`ingest`] | a conversation of two PCs with the real router | see there |

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a broken promise is a panic here")]

pub mod config;
pub mod envelope;
pub mod event;
pub mod evidence;
pub mod ingest;
pub mod journal;
pub mod log;
mod make;
pub mod os_log;
pub mod seal;
pub mod seeds;
mod site;

/// What takes a fuzzer's bytes.
pub type Body = fn(&[u8]);

/// Every target: its name, which is that of its corpus, and its body.
pub const TARGETS: [(&str, Body); 9] = [
    ("config", config::run),
    ("envelope", envelope::run),
    ("event", event::run),
    ("evidence", evidence::run),
    ("ingest", ingest::run),
    ("journal", journal::run),
    ("log", log::run),
    ("os_log", os_log::run),
    ("seal", seal::run),
];
