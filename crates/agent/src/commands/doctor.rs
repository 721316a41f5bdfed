//! `doctor`: every stage from the configuration to a test exchange; the first that fails says what to do.

use std::io::Write;

use mngntime_agent_core::input::{EnrollOutcome, SendOutcome};
use mngntime_model::FailureCause;
use mngntime_wire::Signer as _;

use crate::config::Config;
use crate::identity;
use crate::journal::Journal;
use crate::journal::disk::Directory;
use crate::platform::{self, Finding, NetworkVerdict};
use crate::runtime::enrollment_request;
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

/// Signs something: a key of a copied disk or a cleared TPM is seen by nothing else.
fn device_key(config: &Config) -> Finding {
    let signed = identity::load_or_make_key(&config.state_dir).and_then(|key| {
        key.sign(b"doctor")?;
        Ok(key.class())
    });
    match signed {
        Ok(class) => Finding::Fine(class.name().to_owned()),
        Err(error) => Finding::Wrong {
            what: format!("{error:#}"),
            cure: "records are kept meanwhile; do not remove the journal",
        },
    }
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
            Finding::Fine(format!("{} events, {} waiting", reading.events, journal.pending().count()))
        }
        Ok((_, reading)) => Finding::Wrong {
            what: format!("{} findings", reading.findings.len()),
            cure: "run fsck; damage is declared to the server by itself, keep the directory for support",
        },
        Err(error) => {
            Finding::Wrong { what: error.to_string(), cure: "check the permissions of the directory" }
        }
    }
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
    match exchange(config) {
        Ok(what) => Finding::Fine(what),
        Err(Refusal::Cause(cause)) => {
            let res = cause.res().map(|res| format!("[res={res}] ")).unwrap_or_default();
            let what = format!("{res}{}", cause.text(config.language, "MINAGINE"));
            Finding::Wrong { what, cure: cure(&cause) }
        }
        Err(Refusal::Local(error)) => {
            Finding::Wrong { what: format!("{error:#}"), cure: "correct the stages above first" }
        }
    }
}

enum Refusal {
    Cause(FailureCause),
    Local(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Local(error.into())
    }
}

/// A sign of life when enrolled, else an enrolment; neither leaves anything behind on this PC.
fn exchange(config: &Config) -> Result<String, Refusal> {
    let key = identity::load_or_make_key(&config.state_dir)?;
    let client = Client::new(config);
    let path = config.state_dir.join("journal");
    let journal = if path.is_dir() { Some(Journal::open_to_read(Directory::new(&path))?.0) } else { None };
    let Some(enrollment) = journal.as_ref().and_then(Journal::enrollment) else {
        let request = enrollment_request(config, &platform::host(), &key)?;
        let url = config.server_url.clone().unwrap_or_default();
        let prepared = transport::prepare_enrollment(&request, &url, config.server_key, &key)?;
        return match transport::enroll(&client, &prepared) {
            Finished::Enrolled(EnrollOutcome::Done { .. }, _) => {
                Ok("accepts this PC; not enrolled here yet".into())
            }
            Finished::Enrolled(EnrollOutcome::Failed { cause, .. }, _)
            | Finished::Sent(SendOutcome::Failed { cause, .. }, _) => Err(Refusal::Cause(cause)),
            Finished::Sent(SendOutcome::Answered(_), _) => Ok("answers".into()),
        };
    };
    let boot = platform::boot_id()?;
    let makeup = identity::makeup(&platform::host());
    let parts = BatchParts {
        enrollment,
        contract: &enrollment.contract,
        now: platform::clocks(),
        boot: boot.as_str(),
        makeup: &makeup,
        waiting: 0,
        events: Vec::new(),
    };
    match transport::send(&client, &transport::prepare_batch(parts, &key)?) {
        Finished::Sent(SendOutcome::Answered(answer), _) => match answer.refused {
            None => Ok(format!("{} gives receipts", answer.wishes.display_name)),
            Some(res) => Err(Refusal::Cause(refusal(res))),
        },
        Finished::Sent(SendOutcome::Failed { cause, .. }, _)
        | Finished::Enrolled(EnrollOutcome::Failed { cause, .. }, _) => Err(Refusal::Cause(cause)),
        Finished::Enrolled(EnrollOutcome::Done { .. }, _) => Ok("answers".into()),
    }
}

fn refusal(res: u8) -> FailureCause {
    mngntime_model::PunchResult::from_res(Some(res))
        .map_or(FailureCause::UnknownResult(res), FailureCause::Result)
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
