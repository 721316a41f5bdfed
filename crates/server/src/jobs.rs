//! What the server does by itself, once a minute.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Mutex;
use std::time::Duration;

use mngntime_model::UtcMillis;
use mngntime_store::{LINKS_BY_SID_MAX, StoreError, local_date};

use crate::app::{App, Shared};
use crate::log_heads::{SigningError, ahead_words};
use crate::problem::chain;
use crate::{retention, watched};

/// Time between two rounds. A punch that could not be judged waits no longer than this.
const ROUND: Duration = Duration::from_secs(60);

/// Punches judged again in one round and contract: a few milliseconds of the writer's time.
const REJUDGED_PER_ROUND: usize = 500;

/// Pieces of work in one round for which a contract's day boundary has changed: some ten seconds of the writer's time.
const REDATED_PER_ROUND: usize = 200;

/// What every node does for itself; the other jobs are done by one node for all.
const OF_EVERY_NODE: [&str; 4] = [
    "count the terminals",
    "read the heads of the log",
    "ask which node does the jobs",
    "read what is watched",
];

/// Jobs that failed when they last ran, by their names in the program's log.
#[derive(Debug, Default)]
pub struct FailedJobs(Mutex<BTreeSet<&'static str>>);

impl FailedJobs {
    /// Their names.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.0.lock().map_or_else(|_| Vec::new(), |jobs| jobs.iter().copied().collect())
    }

    fn note(&self, job: &'static str, failed: bool) {
        if let Ok(mut jobs) = self.0.lock() {
            if failed {
                jobs.insert(job)
            } else {
                jobs.remove(job)
            };
        }
    }

    /// Another node does the rest from now on.
    fn keep_own(&self) {
        if let Ok(mut jobs) = self.0.lock() {
            jobs.retain(|job| OF_EVERY_NODE.contains(job));
        }
    }
}

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
    report(app, "count the terminals", app.count_terminals()).await;
    // Another process, an export say, may have signed meanwhile.
    report(app, "read the heads of the log", app.log_heads.load(&*app.store)).await;
    let leads = app.store.leads().await;
    match &leads {
        Ok(true) => for_everybody(app, now).await,
        // Another node does it. When that one is gone, the lock is free within the minute.
        Ok(false) => app.failed_jobs.keep_own(),
        Err(_) => {}
    }
    report(app, "ask which node does the jobs", async { leads.map(drop) }).await;
    report(app, "read what is watched", watched::watch(app)).await;
    tell_months_ahead(app);
    app.rates.note(now, app.metrics.counts());
    app.enrollment_limit.forget_idle();
    app.quarantine_limit.forget_idle();
}

/// What is done once for a database, however many nodes there are.
async fn for_everybody(app: &App, now: UtcMillis) {
    report(app, "judge failed punches again", app.store.rejudge_failed(now, REJUDGED_PER_ROUND)).await;
    report(app, "link accounts by their SIDs", link_by_sid(app, now)).await;
    report(app, "put dates right for another day boundary", redate(app)).await;
    let signed = app.log_heads.sign_all(&*app.store, &app.key, || app.now()).await;
    // A failure of another kind says nothing about the log: what was known of it stays.
    match signed.as_ref().map_err(SigningError::fault) {
        Ok(()) => app.metrics.log_is_whole(true),
        Err(Some(_)) => app.metrics.log_is_whole(false),
        Err(None) => {}
    }
    report(app, "sign the log", async { signed }).await;
    report(app, "make the months ahead", make_months(app, now)).await;
    report(app, "remove ended sessions", app.store.delete_ended_sessions(now)).await;
    report(app, "keep what is kept by days", once_a_day(app, now)).await;
    report(app, "delete events of retired months", retention::empty_some(app, || app.now())).await;
}

/// A few at a time: punches are taken in between.
async fn link_by_sid(app: &App, now: UtcMillis) -> Result<(), StoreError> {
    for (contract, accounts) in app.store.accounts_to_link_by_sid(local_date(now)).await? {
        let mut links = 0;
        for some in accounts.chunks(LINKS_BY_SID_MAX) {
            links += app.store.link_by_sid(contract, some.to_vec(), app.now()).await?.links;
        }
        if links > 0 {
            tracing::info!(
                contract = contract.0,
                links,
                "accounts were linked by the SIDs of their employees"
            );
        }
    }
    Ok(())
}

/// A piece at a time: punches are taken in between, and what is left when the round is over is done in the next.
async fn redate(app: &App) -> Result<(), StoreError> {
    let minutes = app.settings.day_boundary_minutes;
    let mut pieces = 0..REDATED_PER_ROUND;
    for contract in app.store.contracts_to_redate(minutes).await? {
        while pieces.next().is_some() {
            if app.store.redate_some(contract, minutes, app.now()).await? {
                tracing::info!(
                    contract = contract.0,
                    "the dates of nights follow the contract's day boundary"
                );
                break;
            }
        }
    }
    Ok(())
}

/// Once a day; reading what stands there costs less than writing it each minute.
async fn once_a_day(app: &App, now: UtcMillis) -> Result<(), StoreError> {
    let day = jiff::Timestamp::from_millisecond(now.0).unwrap_or_default();
    let day = day.to_zoned(jiff::tz::TimeZone::UTC).date();
    if app.store.sizes(1).await?.first().is_some_and(|(newest, _)| *newest >= day) {
        return Ok(());
    }
    app.store.forget_day_figures(now).await?;
    report(app, "forget what is long in quarantine", forget_quarantined(app, now)).await;
    report(app, "retire months whose time is over", retention::retire_due(app, now)).await;
    report(app, "drop empty months", drop_months(app, now)).await;
    app.store.note_size(day, app.store.database_bytes().await?).await
}

async fn forget_quarantined(app: &App, now: UtcMillis) -> Result<(), StoreError> {
    let entries = app.store.forget_quarantined(now).await?;
    if entries > 0 {
        tracing::info!(entries, "what was long in quarantine was deleted");
    }
    Ok(())
}

/// Nothing depends on it, so that nobody is waited for.
async fn make_months(app: &App, now: UtcMillis) -> Result<(), StoreError> {
    if !app.store.make_months(now).await? {
        tracing::warn!(
            "the database's next months are not made yet: somebody reads these tables for long, or much has come for a \
             month already; events are stored all the same, and the months are tried again in a minute"
        );
    }
    Ok(())
}

/// What went was said in the audit log when its months were retired; here goes the place where it lay.
async fn drop_months(app: &App, now: UtcMillis) -> Result<(), StoreError> {
    for month in app.store.drop_months(now).await? {
        tracing::info!(month, "nothing is left of a month of the database; its place was given back");
    }
    Ok(())
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
    app: &App,
    job: &'static str,
    work: impl Future<Output = Result<T, E>>,
) {
    let outcome = work.await;
    app.failed_jobs.note(job, outcome.is_err());
    if let Err(error) = outcome {
        tracing::error!(job, error = chain(&error), "a job failed; it runs again in a minute");
    }
}
