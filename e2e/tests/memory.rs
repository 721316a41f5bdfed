//! Backups, images and copies: the real agent and the real server, one of which remembers less than the other.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result};
use mngntime_e2e::agent::Agent;
use mngntime_e2e::bus::{Bus, short_directory};
use mngntime_e2e::server::{CONTRACT, Server, text};
use mngntime_e2e::{copy_directory, wait_for};
use serde_json::Value;

/// A running server, and a PC whose agent is not started.
struct Office {
    pc: Pc,
    server: Server,
    path: PathBuf,
    _directory: tempfile::TempDir,
}

/// A PC: its sessions and its agent.
struct Pc {
    bus: Bus,
    agent: Agent,
}

impl Office {
    fn open() -> Result<Self> {
        let (directory, path) = short_directory()?;
        let mut server = Server::create(&path.join("server"), false)?;
        server.start()?;
        let pc = Pc::new(&path, "1", &server)?;
        Ok(Self { pc, server, path, _directory: directory })
    }

    /// The value of `word=…` in the terminal's line of `terminal list`; there is one terminal.
    fn terminal_says(&self, word: &str) -> Result<String> {
        let output = String::from_utf8(self.server.command(&["terminal", "list"], None)?.stdout)?;
        assert_eq!(output.lines().count(), 1, "no second terminal was made: {output}");
        let value = output.split_whitespace().find_map(|part| part.strip_prefix(&format!("{word}=")));
        value.map(str::to_owned).with_context(|| format!("no {word} in {output}"))
    }

    /// Whether its standing becomes `standing`, with every number there.
    fn is_shown_as(&self, standing: &str) -> Result<()> {
        wait_for(&format!("the terminal to be shown as {standing}"), || {
            let found = (self.terminal_says("standing")?, self.terminal_says("missing")?);
            Ok((found == (standing.to_owned(), "0".to_owned())).then_some(()))
        })
        .with_context(|| {
            format!("it is {:?}, {:?}", self.terminal_says("standing"), self.terminal_says("missing"))
        })
    }

    /// Number, account, kind and time of each punch, by number; no fact is there under two numbers.
    fn facts(&self) -> Result<Vec<(u64, String)>> {
        let punches = self.server.punches()?;
        let fact = |punch: &Value| {
            format!("{} {} {}", text(punch, "account"), text(punch, "kind"), text(punch, "occurred_at"))
        };
        let number = |punch: &Value| punch["seq"].as_u64().context("a punch without a number");
        let mut facts =
            punches.iter().map(|punch| Ok((number(punch)?, fact(punch)))).collect::<Result<Vec<_>>>()?;
        facts.sort();
        let distinct: BTreeSet<&String> = facts.iter().map(|(_, fact)| fact).collect();
        assert_eq!(distinct.len(), facts.len(), "a fact stands there twice: {facts:#?}");
        Ok(facts)
    }
}

impl Pc {
    fn new(path: &std::path::Path, name: &str, server: &Server) -> Result<Self> {
        let bus = Bus::start(&path.join(format!("bus{name}")))?;
        let values = format!(
            "server_url = \"{}\"\ncontract_code = \"{CONTRACT}\"\nenrollment_key = \"{}\"\n",
            server.url(),
            server.enrollment_key
        );
        let agent = Agent::create(&path.join(format!("agent{name}")), bus.address(), &values)?;
        Ok(Self { bus, agent })
    }

    /// A stay of `name` from logon to logoff, both on the server.
    fn stay(&self, id: &str, uid: u32, name: &str, server: &Server) -> Result<()> {
        self.bus.open_session(id, uid, name)?;
        server.wait_for_punches(name, 1)?;
        self.bus.close_session(id)?;
        server.wait_for_punches(name, 2)?;
        self.agent.wait_until_idle()
    }

    /// `fsck`, which must find nothing wrong, and what it prints.
    fn fsck(&self) -> Result<String> {
        let output = self.agent.run(&["fsck"])?;
        let printed = String::from_utf8(output.stdout)?;
        assert!(output.status.success(), "{printed}");
        Ok(printed)
    }
}

const BOOTS: [&str; 3] = [
    "11111111-1111-4111-8111-111111111111",
    "22222222-2222-4222-8222-222222222222",
    "33333333-3333-4333-8333-333333333333",
];

#[test]
fn a_server_restored_from_a_copy_gets_everything_back() -> Result<()> {
    let mut office = Office::open()?;
    office.pc.agent.start()?;
    office.pc.stay("1", 1000, "hanako", &office.server)?;
    office.server.stop()?;
    let backup = office.path.join("backup");
    copy_directory(&office.server.data(), &backup)?;
    office.server.start()?;
    for (number, name) in ["taro", "jiro", "saburo"].into_iter().enumerate() {
        office.pc.stay(&format!("s{number}"), 1001 + u32::try_from(number)?, name, &office.server)?;
    }
    let whole = office.facts()?;
    office.server.stop()?;
    copy_directory(&backup, &office.server.data())?;
    office.server.start()?;
    assert_eq!(office.facts()?.len(), 2, "the server has forgotten three of four");
    // The next thing that happens shows it: its number is far above what the server remembers.
    office.pc.bus.open_session("9", 1009, "shiro")?;
    office.server.wait_for_punches("shiro", 1)?;
    wait_for("all punches to be there again", || Ok((office.facts()?.len() > whole.len()).then_some(())))?;
    let healed = office.facts()?;
    assert_eq!(healed[..whole.len()], whole, "under the numbers they had");
    assert_eq!(healed.len(), whole.len() + 1);
    office.is_shown_as("complete")?;
    office.pc.agent.wait_for_line(&["受領済みの記録", "再送します"])?;
    office.pc.agent.wait_until_idle()?;
    assert!(office.pc.agent.stop()?);
    office.pc.fsck()?;
    Ok(())
}

#[test]
fn a_pc_whose_image_is_rolled_back_loses_and_doubles_nothing_and_is_shown_as_that() -> Result<()> {
    let mut office = Office::open()?;
    office.pc.agent.start_in_boot(BOOTS[0])?;
    office.pc.stay("1", 1000, "hanako", &office.server)?;
    assert!(office.pc.agent.stop()?);
    let image = office.path.join("image");
    copy_directory(&office.pc.agent.state(), &image)?;
    office.pc.agent.start_in_boot(BOOTS[1])?;
    office.pc.stay("2", 1001, "taro", &office.server)?;
    assert!(office.pc.agent.stop()?);
    office.is_shown_as("complete")?;
    let before = office.facts()?;

    copy_directory(&image, &office.pc.agent.state())?;
    office.pc.agent.start_in_boot(BOOTS[2])?;
    office.pc.stay("3", 1002, "jiro", &office.server)?;
    let after = office.facts()?;
    assert!(before.iter().all(|fact| after.contains(fact)), "what the server had stays: {after:#?}");
    assert_eq!(after.len(), before.len() + 2);
    office.is_shown_as("rolled_back")?;
    assert_eq!(office.terminal_says("rollbacks")?, "1");
    office.pc.agent.wait_for_line(&["この端末の記録が過去の状態に戻されています"])?;
    let status = String::from_utf8(office.pc.agent.run(&["status"])?.stdout)?;
    assert!(status.lines().any(|line| line.starts_with("rolled back")), "{status}");
    assert!(office.pc.agent.stop()?);
    let printed = office.pc.fsck()?;
    assert!(printed.lines().any(|line| line.starts_with("superseded seq=")), "{printed}");
    Ok(())
}

#[test]
fn two_pcs_with_one_identity_lose_nothing_and_are_shown_as_that() -> Result<()> {
    let mut office = Office::open()?;
    office.pc.agent.start_in_boot(BOOTS[0])?;
    office.pc.stay("1", 1000, "hanako", &office.server)?;
    assert!(office.pc.agent.stop()?);
    let mut copy = Pc::new(&office.path, "2", &office.server)?;
    copy_directory(&office.pc.agent.state(), &copy.agent.state())?;
    office.pc.agent.start_in_boot(BOOTS[1])?;
    copy.agent.start_in_boot(BOOTS[2])?;
    for (number, names) in [["taro", "jiro"], ["saburo", "shiro"]].into_iter().enumerate() {
        let uid = 1001 + 10 * u32::try_from(number)?;
        office.pc.stay(&format!("a{number}"), uid, names[0], &office.server)?;
        copy.stay(&format!("b{number}"), uid + 1, names[1], &office.server)?;
    }
    let facts = office.facts()?;
    assert_eq!(facts.len(), 10, "two of each: {facts:#?}");
    office.is_shown_as("cloned")?;

    // What the page says to do on the copy.
    assert!(copy.agent.stop()?);
    std::fs::remove_file(copy.agent.state().join("device.key"))?;
    assert!(copy.agent.run(&["enroll"])?.status.success());
    copy.agent.start_in_boot(BOOTS[2])?;
    copy.bus.open_session("c", 1030, "goro")?;
    office.server.wait_for_punches("goro", 1)?;
    copy.agent.wait_until_idle()?;
    let list = String::from_utf8(office.server.command(&["terminal", "list"], None)?.stdout)?;
    let standings = ["standing=cloned missing=0", "standing=complete missing=0"];
    assert!(standings.iter().all(|standing| list.contains(standing)), "two terminals, each whole: {list}");
    for mut pc in [office.pc, copy] {
        assert!(pc.agent.stop()?);
        pc.fsck()?;
    }
    Ok(())
}
