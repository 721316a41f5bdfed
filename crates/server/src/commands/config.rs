//! `mngntime config check`: every value with its origin, and everything that `serve` would fail on, as far as it can be
//! looked at without starting: the files are opened, the filter is read. What cannot be looked at is named.

use std::fs::File;
use std::path::Path;

use tracing_subscriber::EnvFilter;

use super::{BadUse, install_tls_provider, print};
use crate::metrics_token::MetricsToken;
use crate::problem::chain;
use crate::serving;
use crate::settings::{Settings, SettingsError, Sources};

/// Prints every value with its origin, and fails when one cannot be used.
pub fn check(file: Option<&Path>) -> anyhow::Result<()> {
    let sources = sources(file)?;
    print(|out| out.write_all(sources.explain().as_bytes()))?;
    let settings = sources.settle()?;
    install_tls_provider()?;
    let problems = problems(&settings);
    if !problems.is_empty() {
        return Err(BadUse(problems.join("\nmngntime: ")).into());
    }
    let unchecked = unchecked(&settings);
    print(|out| {
        unchecked.iter().try_for_each(|what| writeln!(out, "Not checked: {what}."))?;
        writeln!(out, "The configuration can be used.")
    })
}

/// Everything at once: who has mended one thing need not come back for the next.
fn problems(settings: &Settings) -> Vec<String> {
    let secret = settings.provider.as_ref().and_then(|provider| provider.client_secret_file.as_deref());
    let token = settings.metrics_token_file.as_deref();
    [
        log_filter(&settings.log).err().map(|error| error.to_string()),
        certificate(settings),
        settings.packages_dir.as_deref().and_then(directory),
        secret.and_then(|file| unreadable("oidc_client_secret_file", file, File::open(file).map(drop))),
        token.and_then(|file| MetricsToken::read(file).err()).map(|error| chain(&error)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Reads what is to be logged.
pub fn log_filter(filter: &str) -> Result<EnvFilter, BadUse> {
    EnvFilter::try_new(filter)
        .map_err(|error| BadUse(format!("log = {filter} cannot be used as a filter: {error}")))
}

/// Loads it as `serve` does.
fn certificate(settings: &Settings) -> Option<String> {
    serving::load(settings.tls.as_ref()?).err().map(|error| chain(&error))
}

fn directory(path: &Path) -> Option<String> {
    unreadable("packages_dir", path, std::fs::read_dir(path).map(drop))
}

fn unreadable(key: &str, path: &Path, read: std::io::Result<()>) -> Option<String> {
    read.err().map(|error| format!("{key} = {} could not be read: {error}", path.display()))
}

/// What only a running server finds out.
fn unchecked(settings: &Settings) -> Vec<String> {
    let database = match settings.database {
        Some(_) => "the PostgreSQL database".to_owned(),
        None => format!("the database in {}", settings.data_dir.display()),
    };
    let provider = settings.provider.as_ref().map(|provider| {
        format!(
            "whether {} answers (oidc_issuer), and whether there is a contract {} (oidc_contract)",
            provider.issuer, provider.contract
        )
    });
    let listen = format!("whether {} is free (listen)", settings.listen);
    let key = format!(
        "the server's key in {} (data_dir), and whether a restore there was left unfinished",
        settings.data_dir.display()
    );
    [Some(listen), Some(database), Some(key), provider].into_iter().flatten().collect()
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
