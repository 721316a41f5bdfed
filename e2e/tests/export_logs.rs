//! The zip for support, from the real agent with records, receipts and secrets.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use anyhow::{Context, Result, ensure};
use mngntime_e2e::agent::Agent;
use mngntime_e2e::bus::{Bus, short_directory};
use mngntime_e2e::server::{CONTRACT, Server};

/// The password of a proxy that nobody asks.
const PASSWORD: &str = "pw-Geheim-4712";
/// What stands in for the OS's journal, which a test machine may not have.
const JOURNALCTL: &str = "#!/bin/sh\necho \"journalctl $*\"\n";

struct Pc {
    agent: Agent,
    folder: std::path::PathBuf,
    enrollment_key: String,
    _server: Server,
    _bus: Bus,
    _directory: tempfile::TempDir,
}

/// An agent that has recorded a session, has receipts for it, and then got a proxy with a password.
fn pc() -> Result<Pc> {
    let (directory, folder) = short_directory()?;
    let bus = Bus::start(&folder.join("bus"))?;
    let mut server = Server::create(&folder.join("server"), false)?;
    server.start()?;
    let values = format!(
        "server_url = \"{}\"\ncontract_code = \"{CONTRACT}\"\nenrollment_key = \"{}\"\n",
        server.url(),
        server.enrollment_key
    );
    let mut agent = Agent::create(&folder.join("agent"), bus.address(), &values)?;
    agent.start()?;
    bus.open_session("1", 1000, "hanako")?;
    server.wait_for_punches("hanako", 1)?;
    agent.wait_until_idle()?;
    ensure!(agent.stop()?, "the agent did not end well");
    let text = fs::read_to_string(agent.config())?;
    let proxy = format!("proxy = \"http://bob:{PASSWORD}@127.0.0.1:9\"");
    fs::write(agent.config(), text.replace("proxy = \"none\"", &proxy))?;
    let enrollment_key = server.enrollment_key.clone();
    Ok(Pc { agent, folder, enrollment_key, _server: server, _bus: bus, _directory: directory })
}

impl Pc {
    fn export(&self, path: &str, out: &Path) -> Result<Output> {
        let mut command = self.agent.command()?;
        Ok(command.env("PATH", path).arg("export-logs").arg("--out").arg(out).output()?)
    }

    /// A folder with `journalctl` in it.
    fn journalctl(&self) -> Result<String> {
        let folder = self.folder.join("bin");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("journalctl"), JOURNALCTL)?;
        fs::set_permissions(folder.join("journalctl"), fs::Permissions::from_mode(0o755))?;
        Ok(format!("{}:/usr/bin:/bin", folder.display()))
    }
}

fn unpack(path: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut zip = zip::ZipArchive::new(fs::File::open(path)?)?;
    (0..zip.len())
        .map(|index| {
            let mut entry = zip.by_index(index)?;
            let mut bytes = Vec::new();
            std::io::copy(&mut entry, &mut bytes)?;
            Ok((entry.name()?.into_owned(), bytes))
        })
        .collect()
}

fn text(files: &BTreeMap<String, Vec<u8>>, name: &str) -> Result<String> {
    let bytes = files.get(name).with_context(|| format!("no {name} in {:?}", files.keys()))?;
    Ok(String::from_utf8(bytes.clone())?)
}

#[test]
fn one_zip_holds_everything_for_support_and_no_secret() -> Result<()> {
    let pc = pc()?;
    let out = pc.folder.join("logs.zip");
    let done = pc.export(&pc.journalctl()?, &out)?;
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(String::from_utf8(done.stdout)?.trim_end(), out.display().to_string());
    assert_eq!(fs::metadata(&out)?.permissions().mode() & 0o777, 0o600, "it names accounts");
    let files = unpack(&out)?;
    assert!(!files.contains_key("problems.txt"));
    assert!(text(&files, "journal.txt")?.contains("--identifier=MngnTime --since=@"));
    assert!(text(&files, "journal-boots.txt")?.contains("--list-boots"));
    assert!(text(&files, "status.txt")?.contains("last receipt"));
    assert!(text(&files, "doctor.txt")?.contains("WRONG server"), "nobody listens at the proxy");
    let spool: serde_json::Value = serde_json::from_str(&text(&files, "spool-summary.json")?)?;
    assert_eq!(spool["waiting"], 0);
    assert!(spool["last_receipt_at"].is_string() && spool["terminal"].is_string(), "{spool}");
    let device_key = fs::read_to_string(pc.agent.state().join("device.key"))?;
    for secret in [pc.enrollment_key.as_str(), PASSWORD, device_key.trim()] {
        assert!(secret.len() > 8, "a secret to look for");
        for (name, bytes) in &files {
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{name} holds a secret");
        }
    }
    assert!(!text(&files, "spool-summary.json")?.contains("hanako"));
    Ok(())
}

#[test]
fn a_file_that_is_there_is_left_alone_and_a_missing_journalctl_is_told() -> Result<()> {
    let pc = pc()?;
    let out = pc.folder.join("logs.zip");
    fs::write(&out, "mine")?;
    let refused = pc.export(&pc.journalctl()?, &out)?;
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8(refused.stderr)?.contains("exists already"));
    assert_eq!(fs::read(&out)?, b"mine");
    let out = pc.folder.join("other.zip");
    let partial = pc.export("/nonexistent", &out)?;
    assert_eq!(partial.status.code(), Some(1));
    assert!(String::from_utf8(partial.stderr)?.contains("journal.txt: cannot run journalctl"));
    let files = unpack(&out)?;
    assert!(text(&files, "problems.txt")?.contains("sudo journalctl"));
    assert!(text(&files, "fsck.txt")?.contains("events="));
    Ok(())
}
