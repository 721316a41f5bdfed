//! The MngnTime server: takes in what terminals report, judges it, keeps it and shows it.
//!
//! - [`ingest`]: what terminals send, and the signed answers.
//! - [`sign_in`]: who asks, for the API.
//! - [`api`]: the documented HTTP API for programs.
//! - [`days`]: what is known of each day of a terminal.
//! - [`evidence`]: packs that a stranger can check.
//! - [`log_heads`]: signs what was stored, so that outsiders can check it.
//! - [`web`]: the pages for people.
//! - [`app`]: everything a handler shares, and the router.
//! - [`packages`]: the agent's packages, for those who roll it out.
//! - [`serving`]: sockets, TLS, limits on connections, orderly stop.
//! - [`backup`]: copies of everything that is kept, and back.
//! - [`database`]: which database keeps it all.
//! - [`condition`]: how this process and its host are doing.
//! - [`commands`]: the executable's commands.
//!
//! Handlers decide nothing about storage: they ask `mngntime-store`, which finishes a change even when the
//! client hangs up and the handler is dropped.

pub mod access;
mod admission;
pub mod api;
pub mod app;
pub mod backup;
pub mod commands;
pub mod condition;
pub mod database;
pub mod days;
pub mod evidence;
pub mod ingest;
pub mod invitation;
pub mod jobs;
pub mod limiter;
pub mod log_heads;
pub mod logins;
pub mod metrics;
pub mod metrics_token;
pub mod packages;
pub mod passwords;
pub mod person_days;
pub mod problem;
pub mod provider;
pub mod punch_line;
pub mod rate_limit;
pub mod rest_of_body;
pub mod retention;
pub mod second_factor;
pub mod secrets;
pub mod seldom;
pub mod server_key;
pub mod serving;
pub mod sessions;
pub mod settings;
pub mod sign_in;
pub mod source_address;
pub mod tries;
pub mod watched;
pub mod web;
