//! What a durable, signed punch costs: `cargo run --release --example ingest -- --help`.
//!
//! A server (the one of `mngntime serve`, TLS included) and PCs that send to it over connections they keep, in one
//! process on two sets of threads, against SQLite or a PostgreSQL that is started for it, synced to disk as in earnest.
//! Beside the rate it tells where the time goes: processor time by thread and by PostgreSQL's processes for each event,
//! and what parsing, checking and signing cost by themselves. The references are measured in the same run: one row per
//! transaction and many rows per statement, by `pgbench` and by SQLite's C API, into the very table of events.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement ends when something is wrong")]

#[path = "../../../store/tests/suite/cluster.rs"]
mod cluster;
mod load;
mod office;
mod processor;
mod reference;

use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use mngntime_server::app::{App, router, system_clock};
use mngntime_server::passwords::Passwords;
use mngntime_server::serving;
use mngntime_server::settings::{Settings, TlsFiles};
use mngntime_store::sqlite::SqliteStore;
use mngntime_store::{Store, postgres};
use mngntime_wire::SecretKey;

use cluster::Cluster;

/// What a durable, signed punch costs.
#[derive(Debug, Parser)]
struct Arguments {
    /// `sqlite`, `postgres`, or the address of a PostgreSQL.
    #[arg(long, default_value = "sqlite")]
    store: String,
    /// Connections that send, each one batch after the other. Several numbers: one run each.
    #[arg(long, value_delimiter = ',', default_value = "1,16,256")]
    connections: Vec<usize>,
    /// Length of a run.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Events in a batch.
    #[arg(long, default_value_t = 1)]
    batch: usize,
    /// Terminals, each with an account.
    #[arg(long, default_value_t = 2_000)]
    terminals: usize,
    /// Contracts among which the terminals are shared out.
    #[arg(long, default_value_t = 4)]
    contracts: usize,
    /// Measure the references only.
    #[arg(long)]
    reference: bool,
    /// Where the data goes; removed afterwards.
    #[arg(long, default_value = "target")]
    directory: std::path::PathBuf,
}

fn main() {
    let arguments = Arguments::parse();
    let directory = tempfile::tempdir_in(&arguments.directory).unwrap();
    let cluster = (arguments.store == "postgres").then(|| Cluster::start(&reference::SETTINGS));
    let store: Arc<dyn Store> = match &cluster {
        Some(cluster) => {
            cluster.create("bench", None);
            Arc::new(postgres::open(&cluster.url("bench")).unwrap())
        }
        None if arguments.store == "sqlite" => Arc::new(SqliteStore::open(directory.path()).unwrap()),
        None => Arc::new(postgres::open(&arguments.store).unwrap()),
    };
    let office = office::Office::make(store.as_ref(), arguments.terminals, arguments.contracts);
    if arguments.reference {
        match &cluster {
            Some(cluster) => reference::postgres(cluster, arguments.terminals, arguments.seconds),
            None => reference::sqlite(directory.path(), arguments.seconds),
        }
        return;
    }
    office::parts(&office);
    let address = serve(store, directory.path());
    let mut pcs = office.pcs;
    println!(
        "| connections | events/s | p50 ms | p99 ms | max ms | processor time for each event, µs |\n|---|---|---|---|---|---|"
    );
    for connections in &arguments.connections {
        let length = Duration::from_secs(arguments.seconds);
        let plan = load::Plan { address, connections: *connections, length, batch: arguments.batch };
        load::run(&plan, directory.path(), &mut pcs);
    }
}

/// Starts the server on threads of its own; where it listens.
fn serve(store: Arc<dyn Store>, directory: &std::path::Path) -> std::net::SocketAddr {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = TlsFiles { cert: directory.join("cert.pem"), key: directory.join("key.pem") };
    std::fs::write(&tls.cert, made.cert.pem()).unwrap();
    std::fs::write(&tls.key, made.signing_key.serialize_pem()).unwrap();
    let settings = Settings { tls: Some(tls.clone()), ..Settings::for_directory(directory).unwrap() };
    let key = SecretKey::from_seed(&[42; 32]);
    let app = App::new(store, key, settings, Passwords::new().unwrap(), system_clock());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().thread_name("serve").enable_all().build().unwrap();
    let (bound, address) = {
        let _inside = runtime.enter();
        let bound = serving::bind("127.0.0.1:0".parse().unwrap(), Some(&tls)).unwrap();
        let address = bound.address;
        (bound, address)
    };
    runtime.spawn(bound.serve(router(app.clone()), app, std::future::pending()));
    // It serves until the process ends.
    std::mem::forget(runtime);
    address
}
