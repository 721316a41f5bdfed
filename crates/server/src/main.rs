//! The executable `mngntime`. Exit status: 0 done, 1 failed, 2 bad use or configuration.
//!
//! The server makes and drops some hundred small pieces of memory for each connection, on several threads: with jemalloc nine
//! o'clock takes less memory and time than with glibc (`docs/performance.md`). What is free for a second goes back to the system,
//! also while nothing happens: a thread of jemalloc's own sees to it. That is chosen where it is built (`.cargo/config.toml`).

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    mngntime_server::commands::main()
}
