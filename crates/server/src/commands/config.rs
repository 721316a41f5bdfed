//! `mngntime config check`.

use std::path::Path;

use super::print;
use crate::settings::{SettingsError, Sources};

/// Prints every value with its origin, and fails when one cannot be used.
pub fn check(file: Option<&Path>) -> anyhow::Result<()> {
    let sources = sources(file)?;
    print(|out| out.write_all(sources.explain().as_bytes()))?;
    sources.settle()?;
    println!("The configuration can be used.");
    Ok(())
}

/// Defaults, file and environment of this process.
pub fn sources(file: Option<&Path>) -> Result<Sources, SettingsError> {
    let defaults = Sources::defaults();
    let sources = match file {
        Some(path) => defaults.with_file(path)?,
        None => defaults,
    };
    sources.with_environment(|name| std::env::var(name).ok())
}
