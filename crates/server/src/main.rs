//! The executable `mngntime`. Exit status: 0 done, 1 failed, 2 bad use or configuration.
//!
//! The server makes and drops some hundred small pieces of memory for each connection, on several threads: with mimalloc
//! nine o'clock takes less memory and time than with glibc (`docs/performance.md`). But mimalloc gives memory back only when more
//! is used, and a server in which nothing happens uses none: it is told to ([`give_back`]).

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How often memory that is free is given back to the system.
const GIVEN_BACK_EVERY: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    // Without the thread everything works, with some 20 MB more.
    drop(thread::Builder::new().name("memory".into()).spawn(give_back));
    mngntime_server::commands::main()
}

/// For ever.
fn give_back() {
    loop {
        thread::sleep(GIVEN_BACK_EVERY);
        #[allow(unsafe_code, reason = "the one call for which there is no safe one")]
        // SAFETY: it takes no pointer, and any thread may call it at any time.
        unsafe {
            libmimalloc_sys::mi_collect(true);
        }
    }
}
