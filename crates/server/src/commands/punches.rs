//! `mngntime punches`: the list in a terminal or for a script, from the data directory or a server.

use std::fs::File;
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;
use data_encoding::BASE64;
use mngntime_store::PunchFilter;

use super::administrators::{choose_contract, password_from_stdin};
use super::{BadUse, UP_DIRECTORY, block_on, install_tls_provider, open_existing, print};
use crate::api::punches::{NEXT_HEADER, PAGE_LINES_MAX};
use crate::punch_line::PunchLine;
use crate::web::visible::in_one_line;

/// Bytes of one page of the API that are read: a thousand lines of the longest names.
const PAGE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Form of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Columns for reading.
    Table,
    /// One JSON object per line.
    Jsonl,
}

/// Arguments of `punches`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The server's data directory; the one of `mngntime up` when neither --data nor --url is given.
    #[arg(long, conflicts_with = "url")]
    data: Option<PathBuf>,
    /// Address of a server, such as https://time.example.co.jp.
    #[arg(long)]
    url: Option<String>,
    /// File with a token of that server, made on the page /me/security: for people with a second factor, and for
    /// programs. MNGNTIME_TOKEN holds the token itself.
    #[arg(long, requires = "url", conflicts_with = "login")]
    token_file: Option<PathBuf>,
    /// Login at that server, with --password-stdin.
    #[arg(long, requires = "url", requires = "password_stdin")]
    login: Option<String>,
    /// Read the password from standard input.
    #[arg(long, requires = "login")]
    password_stdin: bool,
    /// Code of the contract, with --data; needed when there are several.
    #[arg(long, conflicts_with = "url")]
    contract: Option<String>,
    /// Form of the list.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// エラーデータのみを表示する: only punches with an error.
    #[arg(long)]
    errors_only: bool,
    /// At most this many, newest first.
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

/// Prints the list.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let lines = match &arguments.url {
        Some(url) => from_server(arguments, url)?,
        None => block_on(from_directory(arguments))?,
    };
    print(|out| match arguments.format {
        Format::Table => print_table(out, &lines),
        Format::Jsonl => print_jsonl(out, &lines),
    })
}

async fn from_directory(arguments: &Arguments) -> anyhow::Result<Vec<PunchLine>> {
    let directory = arguments.data.clone().unwrap_or_else(|| UP_DIRECTORY.into());
    let store = open_existing(&directory)?;
    let contract = choose_contract(&*store, arguments.contract.as_deref()).await?;
    let filter = PunchFilter { errors_only: arguments.errors_only, ..PunchFilter::default() };
    store
        .note_hourly(contract, "read_punches", "mngntime punches", serde_json::json!({}), super::act())
        .await?;
    let (mut lines, mut at) = (Vec::new(), None);
    while lines.len() < arguments.limit {
        let wanted = PAGE_LINES_MAX.min(arguments.limit - lines.len());
        let page = store.list_punches(contract.into(), filter.clone(), at, wanted).await?;
        lines.extend(page.rows.iter().map(PunchLine::from));
        at = page.further();
        if at.is_none() {
            break;
        }
    }
    Ok(lines)
}

fn from_server(arguments: &Arguments, url: &str) -> anyhow::Result<Vec<PunchLine>> {
    let credentials = credentials(arguments, std::env::var(TOKEN_VARIABLE).ok())?;
    let agent = http_client()?;
    let (mut lines, mut after) = (Vec::new(), None::<String>);
    while lines.len() < arguments.limit {
        let wanted = PAGE_LINES_MAX.min(arguments.limit - lines.len());
        let page = page_url(url, arguments.errors_only, wanted, after.as_deref());
        let (text, next) = fetch(&agent, &page, &credentials)?;
        for line in text.lines() {
            lines.push(
                serde_json::from_str(line).with_context(|| format!("{url} did not answer with punches"))?,
            );
        }
        after = next;
        if after.is_none() {
            break;
        }
    }
    Ok(lines)
}

/// The environment variable that holds a token.
const TOKEN_VARIABLE: &str = "MNGNTIME_TOKEN";

/// Bytes of a token's file that are read: a token has some forty, a longer file holds something else.
const TOKEN_BYTES_MAX: u64 = 1_000;

/// What is shown to the server.
#[derive(Debug, PartialEq, Eq)]
enum Credentials {
    /// Login and password.
    Basic(String),
    /// A token.
    Bearer(String),
}

impl Credentials {
    fn header(&self) -> String {
        match self {
            Self::Basic(text) => format!("Basic {text}"),
            Self::Bearer(token) => format!("Bearer {token}"),
        }
    }

    /// What a refusal means. The server does not say whether it was the password or a second factor.
    fn refused(&self) -> &'static str {
        match self {
            Self::Basic(_) => {
                "the server does not know this login and password, or it wants a second factor: who has one, or whose \
                 role must have one, makes a token on the page /me/security and gives it with --token-file FILE or in \
                 MNGNTIME_TOKEN"
            }
            Self::Bearer(_) => {
                "the server does not take this token: it has ended or was taken away, or whoever made it may not sign \
                 in; make one on the page /me/security"
            }
        }
    }
}

/// What was named on the command line wins over the environment.
fn credentials(arguments: &Arguments, in_environment: Option<String>) -> anyhow::Result<Credentials> {
    if let Some(path) = &arguments.token_file {
        return Ok(Credentials::Bearer(token_of(path)?));
    }
    if let Some(login) = &arguments.login {
        let both = format!("{login}:{}", password_from_stdin()?);
        return Ok(Credentials::Basic(BASE64.encode(both.as_bytes())));
    }
    match in_environment.filter(|token| !token.trim().is_empty()) {
        Some(token) => Ok(Credentials::Bearer(token.trim().to_owned())),
        None => Err(BadUse(
            "--url needs --token-file FILE (or MNGNTIME_TOKEN), or --login LOGIN with --password-stdin"
                .into(),
        )
        .into()),
    }
}

fn token_of(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(TOKEN_BYTES_MAX).read_to_string(&mut text));
    let shown = path.display();
    read.map_err(|error| BadUse(format!("the token file {shown} cannot be read: {error}")))?;
    let token = text.trim();
    if text.len() as u64 == TOKEN_BYTES_MAX || token.is_empty() || token.contains(char::is_whitespace) {
        return Err(BadUse(format!("the token file {shown} holds no token")).into());
    }
    Ok(token.to_owned())
}

fn page_url(url: &str, errors_only: bool, limit: usize, after: Option<&str>) -> String {
    let after = after.map(|after| format!("&after={after}")).unwrap_or_default();
    format!("{}/api/v1/punches?errors_only={errors_only}&limit={limit}{after}", url.trim_end_matches('/'))
}

fn http_client() -> anyhow::Result<ureq::Agent> {
    install_tls_provider()?;
    let verifier = ureq::tls::TlsConfig::builder().root_certs(ureq::tls::RootCerts::PlatformVerifier).build();
    let config = ureq::Agent::config_builder()
        .tls_config(verifier)
        .http_status_as_error(false)
        .timeout_global(Some(std::time::Duration::from_secs(60)))
        .build();
    Ok(config.into())
}

fn fetch(
    agent: &ureq::Agent,
    url: &str,
    credentials: &Credentials,
) -> anyhow::Result<(String, Option<String>)> {
    let request = agent.get(url).header("authorization", credentials.header());
    let mut response = request.call().with_context(|| format!("could not ask {url}"))?;
    let next = response.headers().get(NEXT_HEADER).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let status = response.status().as_u16();
    let text = response.body_mut().with_config().limit(PAGE_BYTES_MAX).read_to_string()?;
    match status {
        200 => Ok((text, next)),
        401 => Err(BadUse(credentials.refused().into()).into()),
        403 => Err(BadUse("whoever this is may not read attendance".into()).into()),
        _ => anyhow::bail!("{url} answered with HTTP status {status}: {}", text.trim()),
    }
}

fn print_jsonl(out: &mut dyn Write, lines: &[PunchLine]) -> io::Result<()> {
    for line in lines {
        serde_json::to_writer(&mut *out, line)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

const COLUMNS: [&str; 10] =
    ["terminal", "seq", "kind", "account", "employee", "occurred_at", "received_at", "res", "error", "how"];

fn print_table(out: &mut dyn Write, lines: &[PunchLine]) -> io::Result<()> {
    // Names come from PCs: none of them may command the terminal or begin a line.
    let rows: Vec<[String; 10]> =
        lines.iter().map(|line| cells(line).map(|cell| in_one_line(&cell))).collect();
    let mut widths = COLUMNS.map(width);
    for row in &rows {
        for (kept, cell) in widths.iter_mut().zip(row) {
            *kept = (*kept).max(width(cell));
        }
    }
    print_row(out, &COLUMNS.map(str::to_owned), &widths)?;
    rows.iter().try_for_each(|row| print_row(out, row, &widths))
}

fn cells(line: &PunchLine) -> [String; 10] {
    let bounds = match (&line.not_before, &line.not_after) {
        (Some(from), Some(to)) => format!(" [{from} .. {to}]"),
        _ => String::new(),
    };
    // What stands by the server's clock did not come at once in any sense that a person has.
    let how = match &line.stamped_at {
        Some(_) if line.how != "inferred" => format!("{} サーバーの時計", line.how),
        _ => how_in_japanese(&line.how),
    };
    let stamped = line.stamped_at.as_ref().map_or_else(String::new, |at| format!(" [PCの時計 {at}]"));
    [
        line.terminal.clone(),
        line.seq.to_string(),
        line.kind.clone(),
        line.account.clone(),
        line.employee.clone().unwrap_or_else(|| "-".into()),
        line.occurred_at.clone(),
        line.received_at.clone(),
        line.res.map_or_else(|| "-".into(), |res| res.to_string()),
        if line.res.is_some() { "○".into() } else { String::new() },
        format!("{how}{bounds}{}{stamped}", unattended(line)),
    ]
}

/// That nobody made the logon, and when somebody came.
fn unattended(line: &PunchLine) -> String {
    match (line.unattended, &line.present_from) {
        (Some(true), Some(from)) => format!(" unattended 無人 [{from} ..]"),
        (Some(true), None) => " unattended 無人".to_owned(),
        (Some(false) | None, _) => String::new(),
    }
}

fn how_in_japanese(how: &str) -> String {
    let word = match how {
        "immediate" => "即時",
        "resent" => "再送",
        "found_at_start" => "開始時検出",
        "inferred" => "推定",
        _ => return how.to_owned(),
    };
    format!("{how} {word}")
}

fn print_row(out: &mut dyn Write, row: &[String; 10], widths: &[usize; 10]) -> io::Result<()> {
    let padded = row.iter().zip(widths).map(|(cell, wide)| {
        let space = wide.saturating_sub(width(cell));
        format!("{cell}{}", " ".repeat(space))
    });
    writeln!(out, "{}", padded.collect::<Vec<_>>().join("  ").trim_end())
}

/// Columns a text takes: East Asian characters take two. Names are the only texts that have any, so the
/// blocks they come from are enough.
fn width(text: &str) -> usize {
    let wide = |c: char| matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ff60}' | '\u{20000}'..='\u{3fffd}');
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> PunchLine {
        PunchLine {
            terminal: "t".into(),
            seq: 1,
            kind: "logon".into(),
            account: "EXAMPLE\\花子".into(),
            employee: None,
            occurred_at: "2026-11-23T00:00:00.000Z".into(),
            stamped_at: None,
            received_at: "2026-11-23T00:00:01.000Z".into(),
            res: Some(7),
            error: Some("user_unusable".into()),
            how: "immediate".into(),
            not_before: None,
            not_after: None,
            unattended: None,
            present_from: None,
            present_not_after: None,
        }
    }

    #[test]
    fn the_table_lines_up_under_wide_characters() {
        let mut out = Vec::new();
        let narrow = PunchLine { account: "EXAMPLE\\taro".into(), ..line() };
        print_table(&mut out, &[line(), narrow]).unwrap();
        let text = String::from_utf8(out).unwrap();
        let columns: Vec<usize> =
            text.lines().skip(1).map(|row| width(row.split("2026-11-23").next().unwrap())).collect();
        assert_eq!(columns[0], columns[1], "{text}");
        assert!(text.contains('○') && text.contains("即時"));
    }

    #[test]
    fn an_unattended_logon_says_so_and_when_somebody_came() {
        let arso = PunchLine {
            unattended: Some(true),
            present_from: Some("2026-11-23T23:55:00.000Z".into()),
            ..line()
        };
        let mut out = Vec::new();
        print_table(&mut out, &[arso]).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("unattended 無人 [2026-11-23T23:55:00.000Z ..]"), "{text}");
    }

    #[test]
    fn a_token_comes_from_a_file_or_the_environment_and_never_from_nowhere() {
        use clap::Parser as _;

        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            arguments: Arguments,
        }
        let of = |line: &[&str]| Line::try_parse_from([&["punches", "--url", "http://a"], line].concat());
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        std::fs::write(&path, "mngntime_x\n").unwrap();
        let shown = path.to_str().unwrap();
        let told = |line: &[&str], variable: Option<&str>| {
            let line = of(line).unwrap_or_else(|error| panic!("{error}"));
            credentials(&line.arguments, variable.map(str::to_owned)).map_err(|error| error.to_string())
        };
        let bearer = |token: &str| Ok(Credentials::Bearer(token.to_owned()));
        assert_eq!(told(&["--token-file", shown], Some("mngntime_y")), bearer("mngntime_x"));
        assert_eq!(told(&[], Some(" mngntime_y\n")), bearer("mngntime_y"));
        assert!(told(&[], None).unwrap_err().contains("--token-file"));
        assert!(told(&[], Some(" ")).unwrap_err().contains("MNGNTIME_TOKEN"));
        std::fs::write(&path, "two words").unwrap();
        assert!(told(&["--token-file", shown], None).unwrap_err().contains("holds no token"));
        assert!(told(&["--token-file", "/no/such"], None).unwrap_err().contains("/no/such"));
        assert!(of(&["--token-file", shown, "--login", "x", "--password-stdin"]).is_err(), "one of both");
        assert!(of(&["--login", "x"]).is_err(), "a login without a password");
    }

    #[test]
    fn json_lines_have_exactly_the_promised_names() {
        let mut out = Vec::new();
        print_jsonl(&mut out, &[line()]).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let mut names: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        names.sort();
        let mut promised = COLUMNS.map(str::to_owned).to_vec();
        promised.sort();
        assert_eq!(names, promised);
    }
}
