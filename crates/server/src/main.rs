//! The executable `mngntime`. Exit status: 0 done, 1 failed, 2 bad use or configuration.
//!
//! The server makes and drops some hundred small pieces of memory for each connection, on several threads. What measured
//! that is in `docs/performance.md` (nine o'clock).

use std::process::ExitCode;

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    mngntime_server::commands::main()
}
