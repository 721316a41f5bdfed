//! `mngntime-agent`, on Windows `MngnTimeCliSvc.exe`: records the logons and logoffs of this PC.
//!
//! | room | what |
//! |---|---|
//! | `config` | the configuration file |
//! | `runtime` | the loop that joins the core to the PC |
//! | `journal` | durable records |
//! | `transport` | to the server and back |
//! | `identity` | the terminal's key |
//! | `platform` | the operating system |
//! | `commands` | one file for each command |
//!
//! There is no async runtime: a few threads and channels. The rules are in `mngntime-agent-core`.

mod commands;
mod config;
mod identity;
mod journal;
mod platform;
mod runtime;
mod transport;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::main()
}
