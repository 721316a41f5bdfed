//! `mngntime sim --load` against the real executable: every punch that was sent is stored, once.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::support::process::{Running, mngntime, printed, run, text};

/// A server with TLS and the contract `acme`; its data, and its enrolment key.
struct Served {
    running: Running,
    key: String,
    directory: tempfile::TempDir,
}

impl Served {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        let data = data.to_str().unwrap();
        let created = run(&["contract", "create", "--data", data, "--code", "acme", "--name", "acme"]);
        let key = printed(&created, "enrollment-key");
        let made =
            rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("cert.pem"), made.cert.pem()).unwrap();
        std::fs::write(path("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let config = format!(
            "listen = \"127.0.0.1:0\"\ndata_dir = \"{data}\"\ntls_certificate = \"{}\"\ntls_key = \"{}\"\n",
            path("cert.pem").display(),
            path("key.pem").display()
        );
        std::fs::write(path("server.toml"), config).unwrap();
        let running = Running::start(&["serve", "--config", path("server.toml").to_str().unwrap()]);
        Self { running, key, directory }
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }

    /// Sends a load; its figures.
    fn load(&self, options: &[&str]) -> Value {
        let json = self.path("figures.json");
        let output = mngntime()
            .args(["sim", "--url", &self.running.value("url"), "--ca-file", &self.path("cert.pem")])
            .args(["--contract", "acme", "--enrollment-key", &self.key, "--json", &json])
            .args(options)
            .output()
            .unwrap();
        let (table, said) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{options:?}: {table}{said}");
        assert!(table.contains("| what | stored |") && table.contains("generator:"), "{table}");
        assert!(said.contains("sending: "), "it says how far it is: {said}");
        serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap()
    }

    /// What the store has, as terminal and number of each punch.
    fn stored(&self) -> Vec<(String, u64)> {
        let list = ["punches", "--format", "jsonl", "--limit", "1000000", "--data", &self.path("data")];
        let listed = run(&list);
        let lines = text(&listed.stdout);
        let values = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        values
            .map(|line| (line["terminal"].as_str().unwrap().to_owned(), line["seq"].as_u64().unwrap()))
            .collect()
    }
}

fn number(figures: &Value, place: &str) -> u64 {
    figures.pointer(place).and_then(Value::as_u64).unwrap_or_else(|| panic!("{place} in {figures:#}"))
}

/// That the store has `sent` punches, none of them twice.
fn check_stored_once(served: &Served, sent: u64) {
    let stored = served.stored();
    let different: BTreeSet<_> = stored.iter().collect();
    assert_eq!((stored.len() as u64, different.len()), (sent, stored.len()), "every punch once");
}

#[test]
fn every_punch_of_a_load_is_stored_once_over_kept_and_over_new_connections() {
    let served = Served::start();
    let rate = ["--load", "rate", "--rate", "40", "--seconds", "1", "--terminals", "8"];
    let kept = served.load(&[&rate[..], &["--connections", "4"]].concat());
    assert_eq!(number(&kept, "/report/main/stored_events"), 40);
    assert_eq!(number(&kept, "/report/main/connections"), 4);
    assert!(number(&kept, "/report/main/receipts_verified") > 0, "receipts are checked");
    check_stored_once(&served, 40);
    let new = served.load(&[&rate[..], &["--new-connections"]].concat());
    assert_eq!(number(&new, "/report/main/stored_events"), 40);
    assert_eq!(number(&new, "/report/main/connections"), 40);
    check_stored_once(&served, 80);
    let herd = served.load(&["--load", "herd", "--seconds", "0.5", "--terminals", "30"]);
    assert_eq!(number(&herd, "/report/main/stored_events"), 30);
    check_stored_once(&served, 110);
}

#[test]
fn a_recovery_and_a_maximum_lose_nothing_and_tell_of_fresh_punches_apart() {
    let served = Served::start();
    let recovery =
        served.load(&["--load", "recovery", "--terminals", "20", "--backlog", "5", "--rate", "50"]);
    assert_eq!(number(&recovery, "/report/main/stored_events"), 100);
    assert_eq!(number(&recovery, "/report/main/requests"), 20, "a batch for each terminal");
    let fresh = number(&recovery, "/report/fresh/stored_events");
    assert!(fresh > 0, "{recovery:#}");
    check_stored_once(&served, 100 + fresh);
    let maximum = served.load(&["--load", "maximum", "--seconds", "0.2", "--terminals", "8", "--batch", "5"]);
    let sent = number(&maximum, "/report/main/stored_events");
    assert_eq!(sent, 5 * number(&maximum, "/report/main/requests"));
    check_stored_once(&served, 100 + fresh + sent);
}

#[test]
fn terminals_with_another_story_and_wrong_options_are_refused() {
    let served = Served::start();
    let url = served.running.value("url");
    let (ca_file, path) = (served.path("cert.pem"), Path::new("unused.json"));
    let base = ["sim", "--url", &url, "--contract", "acme", "--ca-file", &ca_file, "--terminals", "3"];
    let with = |key: &str, options: &[&str]| {
        mngntime().args(base).args(["--enrollment-key", key]).args(options).output().unwrap()
    };
    for (options, said) in [
        (&["--load", "maximum", "--seconds", "1", "--rate", "3"][..], "leave out --rate with --load maximum"),
        (&["--load", "rate", "--seconds", "1"], "needs --rate"),
        (&["--load", "rate", "--rate", "-3", "--seconds", "1"], "--rate"),
        (&["--load", "herd", "--seconds", "1", "--days", "3"], "--days"),
        (&["--load", "everything"], "everything"),
        (&["--days", "1", "--seed", "1", "--json", path.to_str().unwrap()], "--json belongs to a load"),
        (&["--seed", "1"], "--days"),
    ] {
        let refused = with(&served.key, options);
        let told = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{options:?}: {told}");
        assert!(told.contains(said), "{options:?}: {told}");
    }
    let herd = ["--load", "herd", "--seconds", "0.1", "--seed", "5"];
    let refused = with("wrong", &herd);
    let told = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("check --contract and --enrollment-key"), "{told}");
    assert_eq!(with(&served.key, &herd).status.code(), Some(0));
    let again = with(&served.key, &herd);
    let told = text(&again.stderr);
    assert_eq!(again.status.code(), Some(1), "the same terminals have sent other events: {told}");
    assert!(told.contains("3 events have no receipt") && told.contains("leave out --seed"), "{told}");
    check_stored_once(&served, 3);
}
