//! `cargo xtask dist …`: what is shipped, in `dist/`.

mod linux;
mod packages;
mod report;
mod sbom;
pub mod windows;

use anyhow::bail;

/// Dispatches to one system's build; `words` follow `dist`.
pub fn run(words: &[&str]) -> anyhow::Result<()> {
    match words {
        ["windows", options @ ..] => windows::run(&windows::Options::parse(options)?),
        ["linux"] => linux::run(),
        _ => bail!("usage: cargo xtask dist windows [--features F] [--version X.Y.Z] [--no-build] | linux"),
    }
}
