//! The evidence pack: one file with which a stranger can check a record without asking anybody.
//!
//! A pack is a ZIP file with `record.jsonl`, `summary.pdf` and `README.txt`. Its comment is the seal: the server's
//! signature over all bytes before it, so that no changed bit goes unseen. The record has one JSON object a line, in
//! a fixed order ([`format`]); [`verify`] reads it line by line and says what is proven, and [`words`] says it in
//! Japanese and English; [`against`] compares two packs, or a pack and the receipts of a PC. Everything here is free of I/O. `docs/protocol/evidence.md` specifies the format, and
//! `e2e/verifier/verify.py` checks the same packs without any code of ours.

pub mod against;
pub mod format;
pub mod japan;
pub mod months;
pub mod nights;
pub mod seal;
pub mod verify;
pub mod words;

pub use format::Line;
pub use seal::{Seal, SealFault};
pub use verify::{Fault, Report, Verifier};
