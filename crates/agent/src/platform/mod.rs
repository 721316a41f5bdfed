//! Everything that differs between operating systems, behind one list of functions.
//!
//! `imp` is the module of the OS we are built for; both offer exactly the items re-exported below, with
//! the meaning written here. This is a module swap, not a trait: nothing substitutes a platform at run
//! time, and tests send [`mngntime_agent_core::input::OsFact`]s instead.
//!
//! | item | contract |
//! |---|---|
//! | `clocks() -> Moment` | all clocks at one instant |
//! | `boot_id() -> anyhow::Result<BootId>` | the running boot; the same for every process of the boot |
//! | `list_sessions() -> anyhow::Result<Vec<OsSession>>` | people's sessions now: no greeters, no services, no pseudo accounts |
//! | `read_log(&LogWanted) -> anyhow::Result<LogReading>` | what the OS's own logs say since then; an error where there are none or no right to read them. Takes a few seconds at most |
//! | `log_positions(&[LogPosition]) -> Vec<LogPosition>` | the newest record of each of these logs; as given where a log cannot be asked |
//! | `current_session() -> anyhow::Result<OsSession>` | the session of the calling user, for `punch` |
//! | `watch(sink: FactSink) -> anyhow::Result<Watch>` | sends facts to `sink` from its own thread(s) until dropped; notices come live |
//! | `Watch::list_sessions(&self) -> anyhow::Result<Listed>` | the same list, and which notices were given before it was made, where the OS lets us know |
//! | `Watch::settle(&self, SettleFor)` | lets go of the OS's delay of a sleep or shutdown once our records are safe |
//! | `Watch::reached(&self, u64)` | a [`ShellEvent::Checkpoint`] has come through: everything sent before it is stored, or has been refused by the disk |
//! | `host() -> Host` | names for reading and the make-up digest's parts |
//! | `Notices::open(source) -> Notices`, `.write(&Message, Language)` | the OS's event log under the source/identifier `MngnTime`; never fails the caller |
//! | `protect_directory(&Path) -> anyhow::Result<()>` | creates the directory if need be and keeps other users out; refuses one that others can write to |
//! | `sync_directory(&Path) -> std::io::Result<()>` | makes a new directory entry durable (no-op on Windows) |
//! | `MEDIUM_ERRORS` | codes of the errors that mean: the disk does not give these bytes back |
//! | `without_waiting(&mut OpenOptions) -> &mut OpenOptions` | an open that returns at once, whatever is behind the name |
//! | `HAS_KEY_STORE` | whether the OS has a key store at all |
//! | `make_stored_key(name) -> MadeKey` | makes a P-256 key in the best key store that is there and lets us; it has been opened again and has signed. Without one the key becomes a file |
//! | `sign_with_stored_key(KeyStore, name, message) -> anyhow::Result<[u8; 64]>` | ECDSA with SHA-256, `r` and `s`; may take a second in a TPM |
//! | `delete_stored_key(KeyStore, name) -> anyhow::Result<()>` | for a key that nothing names |
//! | `default_config_path()`, `default_state_dir()` | where the installed agent keeps things |
//! | `personal_state_dir() -> Option<PathBuf>` | where `punch` keeps the records of an ordinary user, who may not write to `default_state_dir()`; `None` for administrators |
//! | `stop_signals(sink) -> anyhow::Result<()>` | sends [`ShellEvent::Stop`] when the OS asks the process to end (Linux: SIGTERM, SIGINT; Windows: console Ctrl-C; the service's controls come through `service::run`) |
//! | `ensure_trusted_file(&Path) -> anyhow::Result<()>` | for an administrator (root, the service): refuses a file that ordinary users could have written, or whose folder they can write to |
//! | `registry_settings() -> Vec<StoredSettings>` | settings in the OS's registry, highest first; keys that do not exist are left out (Linux: none) |
//! | `registration_findings() -> Vec<(&'static str, Finding)>` | how the OS knows the service, stage by stage, for `doctor` |
//! | `harden_process() -> anyhow::Result<()>` | first thing in the program: DLLs come from the system only (no-op on Linux) |
//! | `network_verdict() -> NetworkVerdict` | what the interfaces show; words a failure, never decides whether to send |
//! | `export_os_logs(since: UtcMillis, language, folder: &Path) -> Vec<ExportedPart>` | copies the lines of ours and of the PC's starts and stops from the OS's logs into `folder`; nobody else's |
//! | `HAS_PROXY_SCRIPTS`, `PROXY_SOURCES` | whether proxy scripts can be run here; what `proxy = "system"` asks, in order |
//! | `look_up_proxy(&Source, url, Duration) -> Result<Vec<Route>, String>` | asks one place for routes, for no longer than the time given; the error is in words |
//! | `post_with_proxy_login(&ProxyLogin) -> Option<Result<Reply, Trouble>>` | posts through a proxy that wants a login of the OS; `None` where the OS has no client for that |
//!
//! Windows alone has `service` (the SCM's side), `install` and `uninstall`.

use std::sync::mpsc::Sender;

use mngntime_agent_core::input::{OsFact, OsSession};
use mngntime_wire::PublicKey;

#[cfg(target_os = "linux")]
#[path = "linux/mod.rs"]
mod imp;
#[cfg(windows)]
#[path = "windows/mod.rs"]
mod imp;

pub use imp::*;

/// What the threads of the shell tell its main loop.
#[derive(Debug)]
pub enum ShellEvent {
    /// A fact for the core.
    Os(OsFact),
    /// The network may have changed.
    NetworkChanged,
    /// The process is asked to end.
    Stop {
        /// Whether because the OS goes down.
        system_is_going_down: bool,
    },
    /// Everything that the platform sent before this has been dealt with when it is received.
    Checkpoint(u64),
    /// The sender's thread has finished a job.
    Transport(crate::transport::Finished),
}

/// People's sessions, and where the list belongs among the facts.
#[derive(Debug)]
pub struct Listed {
    /// People's sessions.
    pub sessions: Vec<OsSession>,
    /// The list shows all facts before the [`ShellEvent::Checkpoint`] with this number, which is in the inbox already,
    /// and none behind it. Without one, it is not known which notices the list shows.
    pub checkpoint: Option<u64>,
}

/// Where platform threads put what they see.
pub type FactSink = Sender<ShellEvent>;

/// Which of the OS's delays to let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettleFor {
    /// The PC may sleep now; take a new delay after it wakes.
    Sleep,
    /// The PC may go down now.
    Shutdown,
}

/// What the PC is, for reading and for the make-up digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Name of the PC.
    pub name: String,
    /// Operating system and version.
    pub os: String,
    /// Parts of the make-up: machine id of the OS installation, hardware id where readable.
    pub makeup: Vec<String>,
}

/// Where a key can be that is no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStore {
    /// The PC's TPM.
    Tpm,
    /// The key store of Windows in software: the secret cannot be exported.
    Software,
}

impl KeyStore {
    /// Its word in `device.key`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tpm => "tpm",
            Self::Software => "software",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Tpm, Self::Software].into_iter().find(|store| store.name() == text)
    }
}

/// What came of making a key in a key store.
#[derive(Debug, Default)]
pub struct MadeKey {
    /// Where it is, and its public half.
    pub key: Option<(KeyStore, PublicKey)>,
    /// Better places that are there and failed.
    pub failures: Vec<StoreFailure>,
}

/// A key store that is there and did not make a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreFailure {
    /// Which.
    pub store: KeyStore,
    /// In the words of the OS.
    pub why: String,
}

/// What a check of `doctor` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// All is well.
    Fine(String),
    /// Something is wrong.
    Wrong {
        /// What.
        what: String,
        /// What to do.
        cure: &'static str,
    },
}

/// Settings below one key of the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSettings {
    /// Who set them.
    pub rank: SettingsRank,
    /// The key, as people write it: `HKLM\…`.
    pub place: String,
    /// What it holds.
    pub content: StoredContent,
}

/// Who set values of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingsRank {
    /// The administrators of all PCs; above the configuration file.
    Policy,
    /// The installer; below the configuration file.
    Installer,
    /// The installer, where users cannot read.
    InstallerSecret,
}

/// What a key of the registry holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredContent {
    /// Values by name.
    Values(Vec<(String, StoredValue)>),
    /// This account may not look.
    Denied,
    /// It cannot be read, in the words of the OS.
    Unreadable(String),
}

/// A value of the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredValue {
    /// `REG_SZ` or `REG_EXPAND_SZ`, not expanded.
    Text(String),
    /// `REG_DWORD`.
    Number(u32),
    /// Another type, by its name.
    Other(&'static str),
}

/// A request through a proxy that wants to know which account of the OS asks.
#[derive(Debug)]
pub struct ProxyLogin<'a> {
    /// The full address of the server.
    pub url: &'a str,
    /// The proxy; user and password in it go before the account of this PC.
    pub proxy: &'a ureq::Proxy,
    /// The JSON to post.
    pub body: &'a str,
    /// `User-Agent`.
    pub agent: &'a str,
    /// When everything must have ended.
    pub ends: std::time::Instant,
}

/// What the network interfaces show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkVerdict {
    /// No interface other than loopback is up with a usable address, and the OS knows no way out either.
    NotConnected,
    /// An interface is up, but there is no default route, or the OS has found that it leads nowhere.
    LocalOnly,
    /// A way out seems to be there.
    Connected,
}

/// What became of one part of an export of the OS's logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportedPart {
    /// The file of this name is in the folder; `/` stands between folders.
    File(String),
    /// Something is missing.
    Problem(ExportProblem),
}

/// A part of an export that could not be had, or not as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportProblem {
    /// Name of the file it is about.
    pub part: String,
    /// What happened, in the words of whatever failed.
    pub why: String,
    /// How a person gets it all the same.
    pub by_hand: ByHand,
}

/// How a person gets what an export lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByHand {
    /// Export the log with Event Viewer (the steps of the support page).
    EventViewer(WindowsLog),
    /// Run `journalctl` as root.
    Journalctl,
    /// Run the same command with the rights of an administrator.
    Administrator,
    /// Let `doctor` look, once the agent has run.
    Doctor,
    /// Nothing is to be done.
    Nothing,
}

/// A log of Windows, as Event Viewer calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowsLog {
    /// アプリケーション
    Application,
    /// システム
    System,
}
