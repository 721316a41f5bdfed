//! The way from the real agent to the real server: proxies, certificates, and what else stands in between.

use std::net::TcpListener;
use std::path::PathBuf;

use anyhow::{Context, Result};
use mngntime_e2e::agent::Agent;
use mngntime_e2e::bus::{Bus, short_directory};
use mngntime_e2e::fake_proxy::{FakeProxy, Manner};
use mngntime_e2e::fake_server::http;
use mngntime_e2e::server::{CONTRACT, Server};

/// hanako:p@ss
const LOGIN: &str = "aGFuYWtvOnBAc3M=";

/// A running server over HTTPS and an agent that is not started.
struct Office {
    server: Server,
    agent: Agent,
    path: PathBuf,
    _directory: tempfile::TempDir,
}

impl Office {
    fn open() -> Result<Self> {
        let (directory, path) = short_directory()?;
        let mut server = Server::create(&path.join("server"), true)?;
        server.start()?;
        // No bus: what is looked at here is the way to the server.
        let agent = Agent::create(&path.join("agent"), "unix:path=/nonexistent", "")?;
        Ok(Self { server, agent, path, _directory: directory })
    }

    /// Sets the agent up for the server, trusting its authority, with further `lines`.
    fn configure(&self, lines: &str) -> Result<()> {
        let ca_file = self.server.ca_file();
        self.configure_for(&self.server.url(), &format!("ca_file = \"{}\"\n{lines}", ca_file.display()))
    }

    fn configure_for(&self, url: &str, lines: &str) -> Result<()> {
        let key = &self.server.enrollment_key;
        self.agent.configure(&format!(
            "server_url = \"{url}\"\ncontract_code = \"{CONTRACT}\"\nenrollment_key = \"{key}\"\n{lines}"
        ))
    }

    /// What `doctor` says of the server.
    fn verdict(&self) -> Result<String> {
        self.verdict_with(&[])
    }

    fn verdict_with(&self, variables: &[(&str, &str)]) -> Result<String> {
        let report = String::from_utf8(self.agent.run_with(variables, &["doctor"])?.stdout)?;
        let line = report.lines().find(|line| line.contains(" server: ")).map(str::to_owned);
        line.with_context(|| format!("doctor does not speak of the server: {report}"))
    }

    /// `doctor` names the failure with all of `words` on one line.
    fn fails_with(&self, words: &[&str]) -> Result<()> {
        let verdict = self.verdict()?;
        assert!(verdict.starts_with("WRONG"), "{verdict}");
        for word in words {
            assert!(verdict.contains(word), "{word}: {verdict}");
        }
        assert!(!verdict.contains('\t'), "one field of an exported log: {verdict}");
        Ok(())
    }
}

fn through(proxy: &FakeProxy, login: &str) -> String {
    format!("proxy = \"http://{login}{}\"\n", proxy.name())
}

#[test]
fn a_punch_goes_through_a_proxy_that_wants_a_password() -> Result<()> {
    let office = Office::open()?;
    let bus = Bus::start(&office.path.join("bus"))?;
    let proxy = FakeProxy::start(Manner::WantsBasic(LOGIN))?;
    let mut agent = Agent::create(&office.path.join("pc"), bus.address(), "")?;
    agent.configure(&format!(
        "server_url = \"{}\"\ncontract_code = \"{CONTRACT}\"\nenrollment_key = \"{}\"\nca_file = \"{}\"\n{}",
        office.server.url(),
        office.server.enrollment_key,
        office.server.ca_file().display(),
        through(&proxy, "hanako:p%40ss@"),
    ))?;
    agent.start()?;
    bus.open_session("1", 1000, "hanako")?;
    office.server.wait_for_punches("hanako", 1)?;
    bus.close_session("1")?;
    office.server.wait_for_punches("hanako", 2)?;
    assert!(agent.stop()?);
    assert!(proxy.passed() > 0, "nothing went through the proxy");
    assert!(proxy.heads().iter().all(|head| head.starts_with("CONNECT 127.0.0.1:")), "{:?}", proxy.heads());
    Ok(())
}

#[test]
fn a_proxy_that_wants_a_login_is_named_with_407_and_its_schemes() -> Result<()> {
    let office = Office::open()?;
    let proxy = FakeProxy::start(Manner::WantsBasic(LOGIN))?;
    office.configure(&through(&proxy, ""))?;
    office.fails_with(&["コード:407", &proxy.name(), "Basic", "ユーザー名とパスワードを指定"])?;
    office.configure(&through(&proxy, "hanako:geheim@"))?;
    office.fails_with(&["コード:407", "Basic", "認証できませんでした"])?;
    assert!(!office.verdict()?.contains("geheim"), "the password is shown");
    assert_eq!(proxy.passed(), 0);
    let windows = FakeProxy::start(Manner::Offers(&["Negotiate", "NTLM"]))?;
    office.configure(&through(&windows, ""))?;
    office.fails_with(&["コード:407", &windows.name(), "Negotiate NTLM", "プロキシの管理者"])?;
    office.configure(&format!("{}language = \"en\"\n", through(&windows, "")))?;
    office.fails_with(&["407", &windows.name(), "Negotiate NTLM", "administrator"])
}

#[test]
fn a_dead_proxy_is_named_without_its_password_and_nothing_goes_past_it() -> Result<()> {
    let office = Office::open()?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    office.configure(&format!("proxy = \"http://hanako:geheim@127.0.0.1:{port}\"\n"))?;
    office.fails_with(&[&format!("プロキシ 127.0.0.1:{port}"), "拒否"])?;
    assert!(!office.verdict()?.contains("geheim"), "the password is shown");
    for (manner, word) in [
        (Manner::Hangs, "切断"),
        (Manner::HangsUp, "切断"),
        (Manner::Refuses("403 Forbidden", "<html>社内規定"), "HTTP 403"),
        (Manner::Refuses("502 Bad Gateway", ""), "HTTP 502"),
    ] {
        let proxy = FakeProxy::start(manner.clone())?;
        office.configure(&through(&proxy, ""))?;
        office
            .fails_with(&[&format!("プロキシ {}", proxy.name()), word])
            .with_context(|| format!("{manner:?}"))?;
    }
    Ok(())
}

#[test]
fn the_environments_proxy_is_used_and_its_exceptions_are_kept() -> Result<()> {
    let office = Office::open()?;
    let proxy = FakeProxy::start(Manner::Open)?;
    office.configure("proxy = \"system\"\n")?;
    let address = format!("http://{}", proxy.name());
    let nobody = ("no_proxy", "");
    let fine = office.verdict_with(&[("https_proxy", &address), nobody])?;
    assert!(fine.starts_with("ok") && proxy.passed() == 1, "{fine}");
    let fine = office.verdict_with(&[("https_proxy", &address), ("no_proxy", "127.0.0.1")])?;
    assert!(fine.starts_with("ok") && proxy.passed() == 1, "{fine}");
    let wrong = office.verdict_with(&[("all_proxy", "socks5://127.0.0.1:1"), nobody])?;
    assert!(wrong.starts_with("WRONG") && wrong.contains("127.0.0.1:1"), "{wrong}");
    Ok(())
}

#[test]
fn scripts_are_refused_where_nothing_can_run_them() -> Result<()> {
    let office = Office::open()?;
    for setting in ["pac:http://127.0.0.1:1/proxy.pac", "wpad"] {
        office.configure(&format!("proxy = \"{setting}\"\n"))?;
        let report = String::from_utf8(office.agent.run(&["doctor"])?.stdout)?;
        assert!(report.contains("WRONG configuration") && report.contains("Windows"), "{report}");
    }
    Ok(())
}

#[test]
fn a_page_of_somebody_else_is_an_unexpected_answer_with_type_digest_and_beginning() -> Result<()> {
    let office = Office::open()?;
    let page = http("200 OK", "content-type: text/html; charset=utf-8\r\n", "<html>Welcome to the hotel");
    let portal = FakeProxy::start(Manner::AnswersItself(page))?;
    office.configure_for("http://127.0.0.1:9", &through(&portal, ""))?;
    // printf '<html>Welcome to the hotel' | sha256sum
    office.fails_with(&[
        "コード:200",
        "予期しない応答",
        "text/html",
        "90ce276a67c4",
        "Welcome to the hotel",
    ])?;
    let away = http("302 Found", "location: https://login.hotel.example/?token=geheim\r\n", "");
    let portal = FakeProxy::start(Manner::AnswersItself(away))?;
    office.configure_for("http://127.0.0.1:9", &through(&portal, ""))?;
    office.fails_with(&["コード:302", "予期しない応答", "login.hotel.example"])?;
    assert!(!office.verdict()?.contains("geheim"), "what follows the host may be secret");
    // Where TLS is expected, the page is noise.
    let page = http("200 OK", "content-type: text/html\r\n", "<html>");
    let portal = FakeProxy::start(Manner::AnswersItself(page))?;
    office.configure(&through(&portal, ""))?;
    office.fails_with(&["TLS"])
}

#[test]
fn an_answer_that_is_cut_or_too_long_does_not_count() -> Result<()> {
    let office = Office::open()?;
    let cut = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{\"pay";
    let proxy = FakeProxy::start(Manner::AnswersItself(cut.to_vec()))?;
    office.configure_for("http://127.0.0.1:9", &through(&proxy, ""))?;
    office.fails_with(&["コード:200", "5 バイトで途切れました"])?;
    let long = http("200 OK", "content-type: application/json\r\n", &"x".repeat(300_000));
    let proxy = FakeProxy::start(Manner::AnswersItself(long))?;
    office.configure_for("http://127.0.0.1:9", &through(&proxy, ""))?;
    office.fails_with(&["コード:200", "予期しない応答", "262144"])
}

#[test]
fn a_certificate_says_what_is_wrong_with_it_and_what_to_do() -> Result<()> {
    let mut office = Office::open()?;
    office.configure_for(&office.server.url(), "")?;
    office.fails_with(&["信頼されていません", "ca_file"])?;
    let by_name = office.server.url().replace("127.0.0.1", "localhost");
    office.configure_for(&by_name, &format!("ca_file = \"{}\"\n", office.server.ca_file().display()))?;
    office.fails_with(&["一致しません", "server_url", "127.0.0.1"])?;
    for (years, words) in [
        ((2019, 2020), ["有効期限が切れています", "時計", "2020-01-01"]),
        ((2090, 2091), ["まだ始まっていません", "時計", "2090-01-01"]),
    ] {
        office.server.stop()?;
        office.server.show_certificate(&["127.0.0.1"], years)?;
        office.server.start()?;
        office.configure("")?;
        office.fails_with(&words)?;
    }
    Ok(())
}

#[test]
fn authorities_of_the_system_and_of_the_file_both_count() -> Result<()> {
    let office = Office::open()?;
    let (_directory, path) = short_directory()?;
    let other = Server::create(&path, true)?;
    let (ours, others) = (office.server.ca_file(), other.ca_file());
    let (ours, others) = (ours.to_string_lossy(), others.to_string_lossy());
    // The variable stands for the system's store (rustls-native-certs).
    office.configure_for(&office.server.url(), &format!("ca_file = \"{others}\"\n"))?;
    let by_system = office.verdict_with(&[("SSL_CERT_FILE", &ours)])?;
    assert!(by_system.starts_with("ok"), "{by_system}");
    office.configure_for(&office.server.url(), &format!("ca_file = \"{ours}\"\n"))?;
    let by_file = office.verdict_with(&[("SSL_CERT_FILE", &others)])?;
    assert!(by_file.starts_with("ok"), "{by_file}");
    office.configure_for(&office.server.url(), &format!("ca_file = \"{others}\"\n"))?;
    let by_nobody = office.verdict_with(&[("SSL_CERT_FILE", &others)])?;
    assert!(by_nobody.contains("信頼されていません"), "{by_nobody}");
    Ok(())
}
