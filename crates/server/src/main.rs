//! The executable `mngntime`. Exit status: 0 done, 1 failed, 2 bad use or configuration.

use std::process::ExitCode;

fn main() -> ExitCode {
    mngntime_server::commands::main()
}
