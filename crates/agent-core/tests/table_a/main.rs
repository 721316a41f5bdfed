//! Table A: the situations a PC gets into (reference: windows.md, table A), row by row, as scripts of what
//! the operating system says, against the real core.
//!
//! A row is shown here if the core's part is all of it, or the deciding part; what is on disk, on the wire,
//! on the server or in Windows itself is shown elsewhere. [`cover`] has the whole table, every row once, with
//! the test that shows it; it also writes `docs/windows/table-a.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::wildcard_enum_match_arm, reason = "tests")]

mod cover;
mod delivery;
mod memory;
mod power;
mod remote;
mod sessions;
mod time;
mod world;
