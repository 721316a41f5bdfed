//! The zip as support gets it, without the OS's own logs, which tests bring themselves.

use std::io::Read;

use mngntime_model::{AccountIdentity, BootId, Event, EventKind, Evidence};

use super::*;
use crate::journal::Journal;
use crate::journal::disk::Directory;
use crate::platform::{ExportProblem, ExportedPart, WindowsLog};

const NOW: UtcMillis = UtcMillis(1_793_608_265_000);
const KEY: &str = "ek-Geheim-4711";
const PASSWORD: &str = "pw-Geheim-4712";
const DEVICE_KEY: &str = "00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee";

struct Pc {
    folder: tempfile::TempDir,
    config: Config,
}

impl Pc {
    /// A PC whose agent has run; nobody listens where its server should be.
    fn with_records() -> Self {
        let pc = Self::new(&format!(
            "server_url = \"http://127.0.0.1:9\"\ncontract_code = \"demo\"\nenrollment_key = \"{KEY}\"\nproxy = \"http://bob:{PASSWORD}@127.0.0.1:9\"\n"
        ));
        let state = &pc.config.state_dir;
        platform::protect_directory(&state.join("journal")).unwrap();
        fs::write(state.join("device.key"), format!("{DEVICE_KEY}\n")).unwrap();
        let (mut journal, _) = Journal::open(Directory::new(&state.join("journal"))).unwrap();
        for (sequence, kind) in [(1, EventKind::Logon), (2, EventKind::Lock), (3, EventKind::Lock)] {
            journal.append(&event(sequence, kind)).unwrap();
        }
        pc
    }

    fn new(values: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        // Forward slashes are good on Windows too, and need no escape in TOML.
        let state = folder.path().join("state").display().to_string().replace('\\', "/");
        fs::write(&path, format!("state_dir = \"{state}\"\n{values}")).unwrap();
        Self { config: Config::load(&path), folder }
    }

    fn export(&self, os_logs: impl FnOnce(&Path) -> Vec<ExportedPart>) -> (Contents, Vec<(String, Vec<u8>)>) {
        let path = self.folder.path().join("out.zip");
        let contents =
            fill(make_file(&path).unwrap(), &self.config, &moment(), NOW.plus(-31 * DAY_MS), os_logs)
                .unwrap();
        let mut zip = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
        let files = (0..zip.len()).map(|index| {
            let mut entry = zip.by_index(index).unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            assert_eq!(entry.last_modified().unwrap().to_string(), "2026-11-02 08:31:04");
            (entry.name().unwrap().into_owned(), bytes)
        });
        (contents, files.collect())
    }
}

fn moment() -> Moment {
    Moment { wall: NOW, offset_seconds: 32_400, biased_ms: 7_000, unbiased_ms: 5_000 }
}

fn event(sequence: u64, kind: EventKind) -> Event {
    let account = AccountIdentity {
        key: "S-1-5-21-1".into(),
        domain: "EXAMPLE".into(),
        name: "hanako".into(),
        upn: None,
    };
    Event {
        sequence,
        boot: BootId::new("boot-1").unwrap(),
        kind,
        evidence: Evidence::Notice,
        occurred_at: NOW,
        bounds: None,
        recorded_at: moment(),
        session: None,
        account: Some(account),
        remote: None,
        client: None,
        cause: None,
        supersedes: None,
    }
}

fn text<'a>(files: &'a [(String, Vec<u8>)], name: &str) -> &'a str {
    let found = files.iter().find(|(file, _)| file == name);
    let names: Vec<_> = files.iter().map(|(file, _)| file).collect();
    std::str::from_utf8(&found.unwrap_or_else(|| panic!("no {name} in {names:?}")).1).unwrap()
}

fn no_os_logs(_: &Path) -> Vec<ExportedPart> {
    Vec::new()
}

#[test]
fn everything_is_in_it_and_the_spool_in_numbers_only() {
    let pc = Pc::with_records();
    let (contents, files) = pc.export(|folder| {
        fs::create_dir(folder.join("LocaleMetaData")).unwrap();
        fs::write(folder.join("Application.txt"), "一行目\nline 2\n").unwrap();
        fs::write(folder.join("LocaleMetaData/Application_1041.MTA"), [0xff, 0]).unwrap();
        ["Application.txt", "LocaleMetaData/Application_1041.MTA"]
            .map(|name| ExportedPart::File(name.to_owned()))
            .to_vec()
    });
    assert_eq!(contents.problems, []);
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "README.txt",
            "versions.txt",
            "status.txt",
            "doctor.txt",
            "fsck.txt",
            "spool-summary.json",
            "Application.txt",
            "LocaleMetaData/Application_1041.MTA"
        ]
    );
    assert_eq!(text(&files, "Application.txt"), "\u{feff}一行目\r\nline 2\r\n");
    assert!(text(&files, "versions.txt").contains("2026-11-02T08:31:05Z"));
    assert!(text(&files, "status.txt").contains("enrollment_key     (set)"));
    assert!(text(&files, "doctor.txt").contains("WRONG server"));
    assert!(text(&files, "fsck.txt").contains("events=3"));
    let spool: serde_json::Value = serde_json::from_str(text(&files, "spool-summary.json")).unwrap();
    assert_eq!(spool["waiting_by_kind"], serde_json::json!({"logon": 1, "lock": 2}));
    assert_eq!((&spool["waiting"], &spool["segments"]), (&3.into(), &1.into()));
    assert_eq!(spool["last_seen_at"], "2026-11-02T08:31:05Z");
    for (name, bytes) in &files {
        assert!(!bytes.windows(6).any(|part| part == b"hanako"), "{name} names a person");
    }
}

/// Reports do not print them; what the OS's log holds is not ours to word, so it is looked through.
#[test]
fn no_file_holds_a_secret() {
    let pc = Pc::with_records();
    let (contents, files) = pc.export(|folder| {
        let leak = format!("old line: {KEY} bob:{PASSWORD}@ {DEVICE_KEY}");
        let wide: Vec<u8> = format!("\u{1}{KEY}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        fs::write(folder.join("journal.txt"), leak).unwrap();
        fs::write(folder.join("Application.evtx"), wide).unwrap();
        let why = format!("it said {PASSWORD}");
        let problem = ExportProblem { part: "x".to_owned(), why, by_hand: ByHand::Nothing };
        let files = ["journal.txt", "Application.evtx"].map(|name| ExportedPart::File(name.to_owned()));
        [files.to_vec(), vec![ExportedPart::Problem(problem)]].concat()
    });
    assert!(text(&files, "journal.txt").contains("old line: (secret) bob:(secret)@ (secret)"));
    assert!(text(&files, "problems.txt").contains("it said (secret)"));
    assert_eq!(contents.problems.iter().filter(|problem| problem.part == "Application.evtx").count(), 1);
    assert!(files.iter().all(|(name, _)| name != "Application.evtx"));
    for secret in [KEY, PASSWORD, DEVICE_KEY] {
        let wide: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (name, bytes) in &files {
            for needle in [secret.as_bytes(), &wide] {
                assert!(!bytes.windows(needle.len()).any(|part| part == needle), "{name} holds {secret}");
            }
        }
    }
}

#[test]
fn a_configuration_that_cannot_be_read_gives_no_secret_away() {
    for broken in [format!("enrollment_key = {KEY}\n"), format!("enrolment_key = \"{KEY}\"\n")] {
        let mut pc = Pc::new(&broken);
        // Where TOML breaks off, state_dir is the installed agent's, which is no business of a test.
        pc.config.state_dir = pc.folder.path().join("state");
        let (_, files) = pc.export(no_os_logs);
        assert!(text(&files, "status.txt").contains("WRONG"));
        for (name, bytes) in &files {
            assert!(!bytes.windows(KEY.len()).any(|part| part == KEY.as_bytes()), "{name} holds the key");
        }
    }
}

#[test]
fn where_the_agent_never_ran_nothing_is_made_and_the_gaps_are_told() {
    let pc = Pc::new("");
    let (contents, files) = pc.export(no_os_logs);
    let missing: Vec<&str> = contents.problems.iter().map(|problem| problem.part.as_str()).collect();
    assert_eq!(missing, ["doctor.txt", "fsck.txt", "spool-summary.json"]);
    assert!(text(&files, "problems.txt").contains("has never run"));
    assert!(text(&files, "status.txt").contains("nothing recorded yet"));
    assert!(!pc.config.state_dir.exists(), "a directory of the wrong account would keep the service out");
}

#[test]
fn a_part_of_the_os_is_missing_with_the_way_to_get_it_by_hand() {
    let pc = Pc::with_records();
    let (contents, files) = pc.export(|_| {
        let problem = |part: &str| {
            let by_hand = ByHand::EventViewer(WindowsLog::System);
            ExportedPart::Problem(ExportProblem { part: part.to_owned(), why: "denied".to_owned(), by_hand })
        };
        vec![problem("System.evtx"), problem("System.txt"), ExportedPart::File("gone.txt".to_owned())]
    });
    assert_eq!(contents.problems.len(), 3);
    let told = text(&files, "problems.txt");
    assert!(told.contains("■ System.evtx") && told.contains("■ gone.txt"), "{told}");
    assert_eq!(told.matches("[Windowsログ]-[システム]").count(), 1, "each way is told once: {told}");
}

#[test]
fn the_folder_in_between_is_closed_to_others_and_gone_afterwards() {
    let pc = Pc::with_records();
    let mut seen = PathBuf::new();
    pc.export(|folder| {
        fs::write(folder.join("file"), "x").unwrap();
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(folder).unwrap().permissions()) & 0o777,
            0o700
        );
        seen = folder.to_owned();
        Vec::new()
    });
    assert!(seen.is_absolute() && !seen.exists());
}

#[test]
fn another_file_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    fs::write(&path, "mine").unwrap();
    assert!(make_file(&path).unwrap_err().contains("exists already"));
    assert_eq!(fs::read(&path).unwrap(), b"mine");
    let nowhere = make_file(&folder.path().join("no/such/a.zip")).unwrap_err();
    assert!(nowhere.contains("--out"), "{nowhere}");
}

#[test]
fn the_default_name_holds_the_pc_and_the_time() {
    assert_eq!(default_name("PC-01", NOW), "mngntime-logs-PC-01-20261102T083105Z.zip");
    assert_eq!(default_name("..\\総務/1", NOW), "mngntime-logs-______1-20261102T083105Z.zip");
}
