//! What the server does by itself, once a minute.

use std::future::Future;
use std::time::Duration;

use mngntime_model::UtcMillis;
use mngntime_store::StoreError;

use crate::app::{App, Shared};
use crate::log_heads::{SigningError, ahead_words};
use crate::problem::chain;
use crate::retention;

/// Time between two rounds. A punch that could not be judged waits no longer than this.
const ROUND: Duration = Duration::from_secs(60);

/// Punches judged again in one round and contract: a few milliseconds of the writer's time.
const REJUDGED_PER_ROUND: usize = 500;

/// Runs rounds for ever.
pub async fn run(app: Shared) {
    let mut ticks = tokio::time::interval(ROUND);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        round(&app).await;
    }
}

/// One round. A part that fails is logged and tried again in the next round.
pub async fn round(app: &App) {
    let now = app.now();
    report("count the terminals", app.count_terminals()).await;
    // Another process, an export say, may have signed meanwhile.
    report("read the heads of the log", app.log_heads.load(&*app.store)).await;
    match app.store.leads().await {
        Ok(true) => for_everybody(app, now).await,
        // Another node does it. When that one is gone, the lock is free within the minute.
        Ok(false) => {}
        Err(error) => report::<(), _>("ask which node does the jobs", async { Err(error) }).await,
    }
    tell_months_ahead(app);
    app.rates.note(now, app.metrics.counts());
    app.enrollment_limit.forget_idle();
}

/// What is done once for a database, however many nodes there are.
async fn for_everybody(app: &App, now: UtcMillis) {
    report("judge failed punches again", app.store.rejudge_failed(now, REJUDGED_PER_ROUND)).await;
    let signed = app.log_heads.sign_all(&*app.store, &app.key, || app.now()).await;
    // A failure of another kind says nothing about the log: what was known of it stays.
    match signed.as_ref().map_err(SigningError::fault) {
        Ok(()) => app.metrics.log_is_whole(true),
        Err(Some(_)) => app.metrics.log_is_whole(false),
        Err(None) => {}
    }
    report("sign the log", async { signed }).await;
    report("remove ended sessions", app.store.delete_ended_sessions(now)).await;
    report("keep what is kept by days", once_a_day(app, now)).await;
    report("delete events of retired months", retention::empty_some(app, || app.now())).await;
}

/// Once a day; reading what stands there costs less than writing it each minute.
async fn once_a_day(app: &App, now: UtcMillis) -> Result<(), StoreError> {
    let day = jiff::Timestamp::from_millisecond(now.0).unwrap_or_default();
    let day = day.to_zoned(jiff::tz::TimeZone::UTC).date();
    if app.store.sizes(1).await?.first().is_some_and(|(newest, _)| *newest >= day) {
        return Ok(());
    }
    app.store.forget_day_figures(now).await?;
    report("retire months whose time is over", retention::retire_due(app, now)).await;
    app.store.note_size(day, app.store.database_bytes().await?).await
}

/// Once in the log of this process, always in the figures and at `/healthz`.
fn tell_months_ahead(app: &App) {
    let now = app.now();
    app.metrics.logs_ahead(app.log_heads.ahead_of(now).len());
    for found in app.log_heads.newly_ahead_of(now) {
        tracing::error!(contract = found.contract.0, "{}", ahead_words(&found.month));
    }
}

async fn report<T, E: std::error::Error + Send + Sync + 'static>(
    job: &str,
    work: impl Future<Output = Result<T, E>>,
) {
    if let Err(error) = work.await {
        tracing::error!(job, error = chain(&error), "a job failed; it runs again in a minute");
    }
}
