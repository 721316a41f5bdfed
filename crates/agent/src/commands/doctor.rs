//! `doctor`: every stage from the configuration to a test exchange; the first that fails says what to do.

use std::io::Write;

use mngntime_agent_core::input::{EnrollOutcome, SendOutcome};
use mngntime_model::{EnrollmentRefusal, FailureCause};
use mngntime_wire::Signer as _;

use super::enroll::refused;
use super::known_enrollment;
use super::status::rfc3339;
use crate::config::Config;
use crate::identity::{self, DeviceKey, KeyClass};
use crate::journal::disk::Directory;
use crate::journal::{self, Enrollment, Journal, JournalError};
use crate::platform::{self, Finding, NetworkVerdict};
use crate::runtime::{contract_in_force, enrollment_in_force, enrollment_request, pinned_server_key};
use crate::transport::{self, BatchParts, Client, Finished};

/// Looks at one stage.
type Stage = fn(&Config) -> Finding;

/// Checks all stages and writes what it finds to `out`; exit 0 when all are fine.
pub fn doctor(config: &Config, out: &mut dyn Write) -> anyhow::Result<u8> {
    let stages: [(&str, Stage); 7] = [
        ("configuration", configuration),
        ("state directory", state_directory),
        ("device key", device_key),
        ("journal", journal),
        ("sessions", sessions),
        ("network", network),
        ("server", server),
    ];
    let mut wrong = 0;
    for (name, finding) in platform::registration_findings() {
        wrong += print(out, name, finding);
    }
    for (name, check) in stages {
        wrong += print(out, name, check(config));
    }
    Ok(u8::from(wrong > 0))
}

/// Writes what a stage found; how many things are wrong.
fn print(out: &mut dyn Write, name: &str, finding: Finding) -> u32 {
    match finding {
        Finding::Fine(what) => say!(to out, "ok    {name}: {what}"),
        Finding::Wrong { what, cure } => {
            say!(to out, "WRONG {name}: {what}\n      -> {cure}");
            return 1;
        }
    }
    0
}

fn configuration(config: &Config) -> Finding {
    if config.problems.is_empty() {
        return Finding::Fine(config.path.display().to_string());
    }
    let texts: Vec<String> = config.problems.iter().map(|problem| problem.text(config.language)).collect();
    Finding::Wrong {
        what: texts.join("\n      "),
        cure: "correct it there; the running agent takes it over by itself",
    }
}

fn state_directory(config: &Config) -> Finding {
    match platform::protect_directory(&config.state_dir) {
        Ok(()) => Finding::Fine(config.state_dir.display().to_string()),
        Err(error) => Finding::Wrong {
            what: format!("{error:#}"),
            cure: "run doctor as the account the service runs under (root, administrator), or correct state_dir",
        },
    }
}

/// Signs something: a key of a copied disk or a cleared TPM is seen by nothing else. Makes no key.
fn device_key(config: &Config) -> Finding {
    let signed = find_key(config).and_then(|key| {
        key.as_ref().map(|key| key.sign(b"doctor")).transpose()?;
        Ok(key.map(|key| key.class()))
    });
    match signed {
        Ok(None) => Finding::Fine("not made yet; the agent makes it when it first runs".to_owned()),
        Ok(Some(class)) => Finding::Fine(place_of(class, platform::HAS_KEY_STORE)),
        Err(error) => Finding::Wrong {
            what: format!("{error:#}"),
            cure: "records are kept meanwhile; do not remove the journal",
        },
    }
}

fn find_key(config: &Config) -> anyhow::Result<Option<DeviceKey>> {
    let enrollment = known_enrollment(&config.state_dir);
    Ok(identity::find_key(&config.state_dir, enrollment.as_ref())?)
}

fn place_of(class: KeyClass, has_key_store: bool) -> String {
    let remark = match class {
        KeyClass::File if has_key_store => {
            " (neither TPM nor key store could be used when it was made; event 205 says why)"
        }
        KeyClass::Tpm | KeyClass::Software | KeyClass::File => "",
    };
    format!("{}{remark}", class.name())
}

fn journal(config: &Config) -> Finding {
    let path = config.state_dir.join("journal");
    match path.try_exists() {
        Ok(true) => {}
        Ok(false) => return Finding::Fine("nothing recorded yet".to_owned()),
        Err(error) => {
            return Finding::Wrong {
                what: format!("cannot look into {}: {error}", path.display()),
                cure: "run doctor as the account the service runs under (root, administrator)",
            };
        }
    }
    match Journal::open_to_read(Directory::new(&path)) {
        Ok((journal, reading)) if reading.findings.is_empty() => {
            let waiting = journal.pending().count();
            Finding::Fine(format!("{} events, {waiting} waiting{}", reading.events, rolled_back(&journal)))
        }
        Ok((_, reading)) => found(&reading.findings),
        Err(error) => Finding::Wrong { what: crate::runtime::chain(&error), cure: cure_of_refusal(&error) },
    }
}

fn found(findings: &[journal::Finding]) -> Finding {
    let mut unreadable = Vec::new();
    for finding in findings {
        if let journal::Finding::Unreadable { segment, what } = finding {
            unreadable.push(format!("{segment:06}.journal: {what}"));
        }
    }
    if unreadable.is_empty() {
        return Finding::Wrong {
            what: format!("{} findings", findings.len()),
            cure: "run fsck; damage is declared to the server by itself, keep the directory for support",
        };
    }
    Finding::Wrong {
        what: format!("{} findings; cannot be read: {}", findings.len(), unreadable.join(", ")),
        cure: "check the disk (its health, the system log, chkdsk or fsck of the file system): it does not give records back; what they were is declared lost, the others are kept and sent",
    }
}

/// Only what a person can change there is named.
fn cure_of_refusal(error: &JournalError) -> &'static str {
    let denied = matches!(error, JournalError::Disk { source, .. }
        if source.kind() == std::io::ErrorKind::PermissionDenied);
    if denied {
        "give the account the service runs under (root, SYSTEM) its rights to the directory and to each file in it again; nothing is lost"
    } else {
        "the system refuses it for now (too many open files, another program that holds the file); run doctor again, and restart the PC if it stays so"
    }
}

/// No fault of the journal, and nothing to cure here; but somebody should know why.
fn rolled_back(journal: &Journal<Directory>) -> String {
    journal.rolled_back_at().map_or_else(String::new, |time| {
        let time = rfc3339(time.0);
        format!(
            "; the records had gone back to an earlier state, found out {time} (event 206): if nobody restored an image, a second PC may use this identity"
        )
    })
}

fn sessions(_: &Config) -> Finding {
    match platform::list_sessions() {
        Ok(sessions) => Finding::Fine(format!("{} logged on", sessions.len())),
        Err(error) => Finding::Wrong {
            what: format!("{error:#}"),
            cure: "on Linux: is systemd-logind running? (systemctl status systemd-logind)",
        },
    }
}

fn network(_: &Config) -> Finding {
    match platform::network_verdict() {
        NetworkVerdict::Connected => Finding::Fine("connected".to_owned()),
        NetworkVerdict::LocalOnly => Finding::Fine("local network without a default route".to_owned()),
        NetworkVerdict::NotConnected => Finding::Wrong {
            what: "no network interface is up".to_owned(),
            cure: "check LAN cable and Wi-Fi; records are kept meanwhile",
        },
    }
}

fn server(config: &Config) -> Finding {
    let enrollment = known_enrollment(&config.state_dir);
    match exchange(config, enrollment.as_ref()) {
        Ok(what) => Finding::Fine(what),
        Err(Refusal::Cause(cause, reason)) => {
            let elsewhere = enrolled_elsewhere(enrollment.as_ref(), config);
            let what = format!("{}{elsewhere}", refused(&cause, reason, config.language));
            Finding::Wrong { what, cure: reason.map_or_else(|| cure(&cause), cure_of) }
        }
        Err(Refusal::Local(error)) => {
            Finding::Wrong { what: format!("{error:#}"), cure: "correct the stages above first" }
        }
    }
}

/// What to add where there is an enrolment that the configuration contradicts.
fn enrolled_elsewhere(enrollment: Option<&Enrollment>, config: &Config) -> String {
    let Some(enrollment) = enrollment.filter(|known| enrollment_in_force(Some(known), config).is_none())
    else {
        return String::new();
    };
    format!(
        "; not enrolled with this configuration: the enrolment is with contract {} at {}, server key {}",
        enrollment.contract, enrollment.server_url, enrollment.server_key
    )
}

enum Refusal {
    Cause(FailureCause, Option<EnrollmentRefusal>),
    Local(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Local(error.into())
    }
}

/// What the service would do: a sign of life when enrolled with this configuration, else an enrolment. It
/// leaves nothing behind on this PC; on the server an enrolment makes the terminal.
fn exchange(config: &Config, enrollment: Option<&Enrollment>) -> Result<String, Refusal> {
    let client = Client::new(config);
    match (find_key(config)?, enrollment_in_force(enrollment, config)) {
        (None, _) => reach(&client),
        (Some(key), Some(enrollment)) => sign_of_life(config, &client, &key, enrollment),
        (Some(key), None) => {
            let accepted = try_enrollment(config, &client, &key, enrollment)?;
            Ok(format!("{accepted}{}", enrolled_elsewhere(enrollment, config)))
        }
    }
}

/// Without a key there is nothing to enrol with; what can be seen is that the way to the server is free.
fn reach(client: &Client) -> Result<String, Refusal> {
    transport::reach(client).map_err(|cause| Refusal::Cause(cause, None))?;
    Ok("answers; not enrolled yet, there is no key".to_owned())
}

fn try_enrollment(
    config: &Config,
    client: &Client,
    key: &DeviceKey,
    enrollment: Option<&Enrollment>,
) -> Result<String, Refusal> {
    let request = enrollment_request(config, &platform::host(), key)?;
    let url = config.server_url.clone().unwrap_or_default();
    let server_key = pinned_server_key(enrollment, config);
    let prepared = transport::prepare_enrollment(&request, &url, server_key, key)?;
    match transport::enroll(client, &prepared) {
        Finished::Enrolled(EnrollOutcome::Done { .. }, _) => {
            Ok("accepts this PC; not enrolled here yet".into())
        }
        Finished::Enrolled(EnrollOutcome::Failed { cause, reason, .. }, _) => {
            Err(Refusal::Cause(cause, reason))
        }
        Finished::Sent(SendOutcome::Failed { cause, .. }, _) => Err(Refusal::Cause(cause, None)),
        Finished::Sent(SendOutcome::Answered(_), _) => Ok("answers".into()),
    }
}

fn sign_of_life(
    config: &Config,
    client: &Client,
    key: &DeviceKey,
    enrollment: &Enrollment,
) -> Result<String, Refusal> {
    let boot = platform::boot_id()?;
    let makeup = identity::makeup(&platform::host());
    let parts = BatchParts {
        enrollment,
        contract: contract_in_force(enrollment, config),
        now: platform::clocks(),
        boot: boot.as_str(),
        makeup: &makeup,
        waiting: 0,
        events: Vec::new(),
    };
    match transport::send(client, &transport::prepare_batch(parts, key)?) {
        Finished::Sent(SendOutcome::Answered(answer), _) => match answer.refused {
            None => Ok(format!("{} gives receipts", answer.wishes.display_name)),
            Some(res) => Err(Refusal::Cause(refusal(res), None)),
        },
        Finished::Sent(SendOutcome::Failed { cause, .. }, _)
        | Finished::Enrolled(EnrollOutcome::Failed { cause, .. }, _) => Err(Refusal::Cause(cause, None)),
        Finished::Enrolled(EnrollOutcome::Done { .. }, _) => Ok("answers".into()),
    }
}

fn refusal(res: u8) -> FailureCause {
    mngntime_model::PunchResult::from_res(Some(res))
        .map_or(FailureCause::UnknownResult(res), FailureCause::Result)
}

/// Where the server says what is wrong, only that is named.
fn cure_of(reason: EnrollmentRefusal) -> &'static str {
    match reason {
        EnrollmentRefusal::KeyUnknown => "correct enrollment_key in the configuration or the policy",
        EnrollmentRefusal::KeyExpired | EnrollmentRefusal::KeyUsedUp | EnrollmentRefusal::KeyRevoked => {
            "make a new key on the server's page 端末 > 登録キー (Terminals > Enrolment keys) and set enrollment_key"
        }
        EnrollmentRefusal::TerminalBlocked => {
            "on the server open this PC under 端末 (Terminals) and unblock it"
        }
    }
}

fn cure(cause: &FailureCause) -> &'static str {
    match cause {
        FailureCause::Result(mngntime_model::PunchResult::ContractUnusable) => {
            "compare contract_code with the administrator's"
        }
        FailureCause::Result(_) => {
            "compare enrollment_key with the administrator's; on the server look at 端末 (terminals) for this PC"
        }
        FailureCause::UnknownResult(_) => "update the agent",
        FailureCause::ServerInternal { .. } => {
            "the server has a fault; tell its operator the time of this check"
        }
        FailureCause::NotConnected | FailureCause::LocalNetworkOnly => {
            "check cable, Wi-Fi and route to the server"
        }
        FailureCause::Network { .. } => {
            "check server_url, proxy, ca_file and the PC's clock; then the way with traceroute"
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};
    use std::thread::{self, JoinHandle};

    use mngntime_model::ContractCode;
    use mngntime_wire::SecretKey;

    use super::*;
    use crate::config::ProxySetting;

    /// Answers one request with 404 and `header`, and gives the request's first line.
    fn listener(header: &'static str) -> (String, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        (url, thread::spawn(move || answer(&listener.accept().unwrap().0, header)))
    }

    fn answer(mut stream: &TcpStream, header: &str) -> String {
        let mut bytes = [0; 65536];
        let length = stream.read(&mut bytes).unwrap();
        write!(stream, "HTTP/1.1 404 Not Found\r\n{header}content-length: 0\r\n\r\n").unwrap();
        // The rest of the request must not turn the close into a reset.
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let _the_rest = std::io::copy(&mut stream, &mut std::io::sink());
        let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
        text.lines().next().unwrap_or_default().to_owned()
    }

    fn config(state_dir: &std::path::Path, url: &str, contract: &str) -> Config {
        let mut config = Config::defaults(&state_dir.join("config.toml"));
        config.state_dir = state_dir.to_owned();
        config.server_url = Some(url.to_owned());
        config.contract_code = ContractCode::new(contract).ok();
        config.enrollment_key = Some("ek".to_owned());
        config.proxy = ProxySetting::None;
        config
    }

    fn enrollment(url: &str, key: &SecretKey) -> Enrollment {
        Enrollment {
            contract: "demo".into(),
            server_url: url.to_owned(),
            terminal: "0b0b0b0b-0b0b-4b0b-8b0b-0b0b0b0b0b0b".into(),
            server_key: SecretKey::from_seed(&[2; 32]).public().to_string(),
            display_name: "MINAGINE".into(),
            public_key: Some(mngntime_wire::Signer::public(key).to_string()),
        }
    }

    /// What is asked of the server, and whether the report says that the enrolment is another one.
    fn asked_with(contract: &str) -> (String, bool) {
        let state = tempfile::tempdir().unwrap();
        std::fs::write(state.path().join("device.key"), "07".repeat(32)).unwrap();
        let (url, listening) = listener("");
        let enrollment = enrollment(&url, &SecretKey::from_seed(&[7; 32]));
        platform::protect_directory(&state.path().join("journal")).unwrap();
        Journal::open(Directory::new(&state.path().join("journal"))).unwrap().0.enroll(enrollment).unwrap();
        let Finding::Wrong { what, .. } = server(&config(state.path(), &url, contract)) else {
            panic!("that was no server of ours")
        };
        (listening.join().unwrap(), what.contains("not enrolled with this configuration"))
    }

    #[test]
    fn the_server_is_asked_what_the_service_would_ask() {
        assert_eq!(asked_with("demo"), ("POST /api/v1/events HTTP/1.1".to_owned(), false));
        assert_eq!(asked_with("demq"), ("POST /api/v1/terminals HTTP/1.1".to_owned(), true));
    }

    #[test]
    fn looking_makes_no_key() {
        let state = tempfile::tempdir().unwrap();
        let config = config(state.path(), "http://127.0.0.1:9", "demo");
        let Finding::Fine(what) = device_key(&config) else { panic!("none is made yet, that is fine") };
        assert!(what.starts_with("not made yet"), "{what}");
        assert!(matches!(server(&config), Finding::Wrong { .. }), "nobody listens there");
        for (header, fine) in [("mngntime-server: 1\r\n", true), ("", false)] {
            let (url, listening) = listener(header);
            let finding = server(&self::config(state.path(), &url, "demo"));
            assert_eq!(matches!(finding, Finding::Fine(_)), fine, "{finding:?}");
            assert_eq!(listening.join().unwrap(), "POST /api/v1/terminals HTTP/1.1");
        }
        assert!(!state.path().join("device.key").exists());
    }

    #[test]
    fn a_key_in_a_file_is_remarked_on_where_there_is_a_better_place() {
        assert_eq!(place_of(KeyClass::File, false), "file");
        assert!(place_of(KeyClass::File, true).contains("205"));
        assert_eq!(place_of(KeyClass::Tpm, true), "tpm");
    }
}
