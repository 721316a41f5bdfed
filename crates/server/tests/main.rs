//! Tests of the server from the outside: through its router, and as a process. One program for all of them, since each
//! links the whole server.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod against;
mod api;
mod backup;
mod balancer;
mod clocks;
#[path = "../../store/tests/suite/cluster.rs"]
mod cluster;
mod commands;
mod day_lines;
mod days;
mod enrollment;
mod evidence;
mod evidence_commands;
mod evidence_pages;
mod ingest;
mod links_by_sid;
mod load;
mod log;
mod postgres;
mod retention;
mod sockets;
mod summary;
mod support;
