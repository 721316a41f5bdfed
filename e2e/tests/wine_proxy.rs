//! The Windows agent's ways to the real server, under Wine: its own TLS and WinHTTP, through proxies.
//!
//! Not shown here: Negotiate and NTLM themselves (Wine's need Samba and a domain), and what a proxy script of
//! several proxies gives (Wine hands on the first only).

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use mngntime_e2e::fake_proxy::{FakeProxy, Manner};
use mngntime_e2e::root;
use mngntime_e2e::server::{CONTRACT, Server};
use mngntime_e2e::wine::{Wine, prefix_from_environment, windows_path};

const EXE: &str = r"C:\mngntime-proxy\MngnTimeCliSvc.exe";
const CONFIG: &str = r"C:\mngntime-proxy\config.toml";
/// hanako:p@ss
const LOGIN: &str = "aGFuYWtvOnBAc3M=";

/// A running server and the Windows agent, not installed.
struct Pc {
    server: Server,
    wine: Wine,
    _directory: tempfile::TempDir,
}

impl Pc {
    fn start(tls: bool) -> Result<Self> {
        let program: PathBuf = root().join("dist/windows-test/MngnTimeCliSvc.exe");
        ensure!(program.exists(), "{} is missing; run the tests with: cargo xtask test", program.display());
        let directory = tempfile::tempdir()?;
        let mut server = Server::create(directory.path(), tls)?;
        server.start()?;
        let wine = Wine::start(&prefix_from_environment(&root()))?;
        let _ = std::fs::remove_dir_all(wine.file(r"C:\mngntime-proxy")?);
        wine.put(&program, EXE)?;
        Ok(Self { server, wine, _directory: directory })
    }

    /// What `doctor` says of the server, with `lines` in the configuration.
    fn verdict(&self, lines: &str) -> Result<String> {
        let (url, key) = (self.server.url(), &self.server.enrollment_key);
        let config = format!(
            "server_url = \"{url}\"\ncontract_code = \"{CONTRACT}\"\nenrollment_key = \"{key}\"\nstate_dir = 'C:\\mngntime-proxy\\state'\n{lines}"
        );
        self.wine.write(CONFIG, config.as_bytes())?;
        let output = self.wine.run(EXE, &["--config", CONFIG, "doctor"])?;
        let report = String::from_utf8(output.stdout)?;
        let line = report.lines().find(|line| line.contains(" server: ")).map(str::to_owned);
        line.with_context(|| format!("doctor does not speak of the server: {report}"))
    }

    fn ca_file(&self) -> Result<String> {
        Ok(format!("ca_file = '{}'\n", windows_path(&self.server.ca_file())?))
    }
}

/// By another name than the server's: Wine takes a proxy of the same name for the server itself.
fn through(proxy: &FakeProxy) -> String {
    let name = proxy.name().replace("127.0.0.1", "localhost");
    format!("proxy = \"http://hanako:p%40ss@{name}\"\n")
}

#[test]
fn over_tls_through_a_proxy_with_a_password_and_by_the_systems_settings() -> Result<()> {
    let pc = Pc::start(true)?;
    let proxy = FakeProxy::start(Manner::WantsBasic(LOGIN))?;
    let ours = pc.ca_file()?;
    let fine = pc.verdict(&format!("{ours}{}", through(&proxy)))?;
    assert!(fine.starts_with("ok") && proxy.passed() == 1, "{fine}");
    // Wine's machine has no proxy and no network announces one: the direct way is what is left.
    let direct = pc.verdict(&format!("{ours}proxy = \"system\"\n"))?;
    assert!(direct.starts_with("ok"), "{direct}");
    let untrusted = pc.verdict("proxy = \"none\"\n")?;
    assert!(untrusted.contains("信頼されていません") && untrusted.contains("ca_file"), "{untrusted}");
    Ok(())
}

#[test]
fn winhttp_takes_over_from_a_proxy_that_offers_negotiate_and_brings_the_receipt() -> Result<()> {
    let pc = Pc::start(false)?;
    let proxy = FakeProxy::start(Manner::WantsWindows(LOGIN))?;
    let fine = pc.verdict(&through(&proxy))?;
    assert!(fine.starts_with("ok") && proxy.passed() == 1, "{fine} {:?}", proxy.heads());
    let heads = proxy.heads();
    assert!(heads[0].starts_with("CONNECT"), "{heads:?}");
    assert!(heads.iter().any(|head| head.starts_with("POST http://127.0.0.1")), "{heads:?}");
    Ok(())
}

#[test]
fn winhttp_trusts_windows_own_store_only_and_says_so() -> Result<()> {
    let pc = Pc::start(true)?;
    let proxy = FakeProxy::start(Manner::WantsWindows(LOGIN))?;
    let refused = pc.verdict(&format!("{}{}", pc.ca_file()?, through(&proxy)))?;
    // Windows names the certificate; Wine's WinHTTP only says that TLS failed.
    assert!(refused.starts_with("WRONG") && refused.contains("ca_file does not count"), "{refused}");
    Ok(())
}
