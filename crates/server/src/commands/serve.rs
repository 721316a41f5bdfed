//! `mngntime serve`. Standard output gets one line, `ready url=…`; as long as nobody can sign in, a second one with the link
//! by which the first operator does. Everything else goes to standard error.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use mngntime_store::{Act, NewAdministrator, Role, WhoSignsIn};
use tokio::signal::unix::{SignalKind, signal};

use super::{BadUse, config, files, install_tls_provider, start_logging};
use crate::app::{App, Shared, router, system_clock};
use crate::backup::restore::refuse_unfinished;
use crate::metrics_token::MetricsToken;
use crate::passwords::Passwords;
use crate::settings::Settings;
use crate::{database, invitation, jobs, server_key, serving};

/// Serves until SIGTERM or SIGINT.
pub fn run(file: Option<&Path>) -> anyhow::Result<()> {
    let settings = config::sources(file)?.settle()?;
    start_logging(&settings.log)?;
    runtime()?.block_on(async {
        // Who has read that we are ready may ask us to end at once.
        let stop = stop_signal()?;
        let (app, bound) = prepare(settings).await?;
        // A server whose database is away starts all the same, and the next start makes the link.
        let link = first_link(&app).await.unwrap_or_else(|error| {
            tracing::warn!(error = format!("{error:#}"), "no set-up link was made for a first operator");
            String::new()
        });
        // One line for whoever waits for the server: connections are accepted from here on.
        say(&format!("ready url={}{link}", app.url()));
        serve(app, bound, stop).await
    })
}

/// Whoever listened may have read what it waited for and gone: that is no reason for a server to end.
fn say(text: &str) {
    if let Err(error) = writeln!(io::stdout(), "{text}") {
        tracing::debug!(%error, "nobody reads the standard output");
    }
}

/// Login of the first operator.
const FIRST_LOGIN: &str = "first-operator";

/// While nobody can sign in: a line with a set-up link for the first operator, who is made when there is nobody. The link
/// of the start before counts no more. There is no password that a server begins with.
async fn first_link(app: &Shared) -> anyhow::Result<String> {
    let (store, act) = (&*app.store, Act::server(app.now()));
    let operator = match store.who_signs_in().await? {
        WhoSignsIn::Somebody => return Ok(String::new()),
        WhoSignsIn::Invited(operator) => operator,
        WhoSignsIn::Nobody => {
            let new = NewAdministrator::new(FIRST_LOGIN, Role::Operator, None);
            store.create_administrator(new, act.clone()).await.context("could not make the first operator")?
        }
    };
    let made =
        invitation::invite(store, None, operator, act).await.context("could not make a set-up link")?;
    Ok(format!("\nsetup-link={}", made.address(&app.url())))
}

/// A runtime for the server.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    install_tls_provider()?;
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Opens the store and the socket: everything that can fail before serving.
pub async fn prepare(settings: Settings) -> anyhow::Result<(Shared, serving::Bound)> {
    files::make_private_directory(&settings.data_dir)?;
    refuse_unfinished(&settings.data_dir)?;
    let store = database::open(&settings.data_dir, settings.database.as_ref())?;
    let key = server_key::of_server(&settings.data_dir, &*store, system_clock()()).await?;
    let token = settings.metrics_token_file.as_deref().map(MetricsToken::read).transpose()?;
    let bound = serving::bind(settings.listen, settings.tls.as_ref())?;
    let app = App::new(store, key, settings, Passwords::new()?, system_clock());
    app.note_address(bound.address);
    if let Some(token) = token {
        app.note_metrics_token(token);
    }
    Ok((app, bound))
}

/// Serves until `stop` is done.
pub async fn serve(
    app: Shared,
    bound: serving::Bound,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let jobs = tokio::spawn(jobs::run(app.clone()));
    let served = bound.serve(router(app.clone()), app, stop).await;
    jobs.abort();
    // A job that is still there when the runtime ends would take its cancelled read for a failure of the database.
    jobs.await.ok();
    tracing::info!("stopped");
    served.context("the server ended")
}

/// Done when the process is asked to end.
pub fn stop_signal() -> anyhow::Result<impl Future<Output = ()> + Send + use<>> {
    let mut terminate = signal(SignalKind::terminate()).context("could not wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("could not wait for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Reads an address for a command line.
pub fn check_listen(text: &str) -> Result<SocketAddr, BadUse> {
    text.parse().map_err(|_| {
        BadUse(format!(
            "--listen {text} cannot be used: it must be an address with a port, such as 127.0.0.1:8320"
        ))
    })
}
