//! The job that links accounts whose SIDs were entered at employees, from the first punch to the evidence pack.

use mngntime_server::jobs;
use mngntime_store::{AccountFilter, ContractSettings, Directory, NewEmployee, Sid};

use crate::evidence::kind;
use crate::support::{Pc, Server, results};

/// What stands behind `S-1-5-21-` in the SID of somebody.
const HANAKO: &str = "1004336348-1177238915-682003330-1101";

impl Server {
    async fn link_by_sid(&self, on: bool) {
        let settings = ContractSettings { links_by_sid: on, ..ContractSettings::default() };
        self.app.store.change_settings(self.contract, "demo".into(), settings, self.act()).await.unwrap();
    }

    async fn links(&self) -> Vec<(String, usize)> {
        let found = self.app.store.list_accounts(self.contract.into(), AccountFilter::All, 9).await.unwrap();
        found.into_iter().map(|account| (account.name, account.links.len())).collect()
    }
}

#[tokio::test]
async fn a_round_links_whoever_was_entered_with_the_sid_and_a_pack_says_why() {
    let server = Server::start().await;
    let directory = Directory { upn: None, sid: Sid::parse(&format!("S-1-5-21-{HANAKO}")) };
    let new = NewEmployee { directory, ..NewEmployee::named("E1", "山田 花子") };
    server.app.store.add_employee(server.contract, new, server.act()).await.unwrap();
    let mut pc = Pc::enrolled(&server, 1).await;
    let events = [pc.logon(HANAKO), pc.logon("taro")];
    assert_eq!(results(&server.deliver(&pc.batch(&events)).await), [Some(7), Some(7)]);
    jobs::round(&server.app).await;
    assert!(server.links().await.iter().all(|(_, links)| *links == 0), "nobody has said so");
    server.link_by_sid(true).await;
    jobs::round(&server.app).await;
    assert_eq!(server.links().await, [(HANAKO.to_owned(), 1), ("taro".to_owned(), 0)]);
    let event = pc.logon(HANAKO);
    assert_eq!(results(&server.deliver(&pc.batch(&[event])).await), [None], "accepted at once");
    jobs::round(&server.app).await;
    assert_eq!(server.links().await, [(HANAKO.to_owned(), 1), ("taro".to_owned(), 0)]);
    assert_eq!(server.app.failed_jobs.names(), [""; 0]);
    for lines in [server.record(None).await, server.record(Some("E1")).await] {
        let entry = lines.iter().find(|line| kind(line) == "audit" && line.contains("link_account"));
        let entry = entry.expect("the link's entry");
        for part in [r#"\"by\":\"server\""#, "directory_sid", r#"\"allowed_by\":\"command-line\""#] {
            assert!(entry.contains(part), "{part}: {entry}");
        }
        let report = server.verify(&lines);
        assert_eq!((report.unbacked_links, report.faults), (0, vec![]));
    }
}
