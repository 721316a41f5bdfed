//! systemd-logind over D-Bus: who is logged on, and what happens to them.
//!
//! One thread holds one connection and turns signals into facts. When the connection or logind itself goes
//! away, the thread comes back by itself and asks the core to compare with the list, so that nothing that
//! happened meanwhile is missed for longer than the comparison takes.
//!
//! Only sessions of class `user` count: greeters, lock screens, `background` and the user manager are not
//! people at work. A session in state `closing` has ended for its person; logind keeps it only for
//! processes left behind. `LockedHint` is what the desktop says, hence a hint (org.freedesktop.login1(5)).

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use futures_lite::StreamExt;
use mngntime_agent_core::input::{OsFact, OsSession, SessionChange};
use mngntime_model::{AccountIdentity, UtcMillis};
use zbus::message::Message;
use zbus::{Connection, MatchRule, MessageStream, OwnedFd, OwnedObjectPath, OwnedVariant};

use super::host;
use super::inhibitor::Inhibitors;
use super::network::watch_network;
use super::order::{Order, Place};
use crate::platform::{FactSink, Listed, SettleFor};

/// logind answers in well under a millisecond; after this it is taken for unavailable.
const METHOD_TIMEOUT: Duration = Duration::from_secs(5);
/// Pause before connecting again: short beside the minute in which a comparison is due anyway.
const RECONNECT_AFTER: Duration = Duration::from_secs(5);

#[zbus::proxy(
    interface = "org.freedesktop.login1.Manager",
    default_service = "org.freedesktop.login1",
    default_path = "/org/freedesktop/login1"
)]
trait Manager {
    fn list_sessions(&self) -> zbus::Result<Vec<(String, u32, String, String, OwnedObjectPath)>>;
    #[zbus(name = "GetSessionByPID")]
    fn get_session_by_pid(&self, pid: u32) -> zbus::Result<OwnedObjectPath>;
    fn inhibit(&self, what: &str, who: &str, why: &str, mode: &str) -> zbus::Result<OwnedFd>;
}

#[zbus::proxy(interface = "org.freedesktop.DBus.Properties", default_service = "org.freedesktop.login1")]
trait Properties {
    fn get_all(&self, interface: &str) -> zbus::Result<std::collections::HashMap<String, OwnedVariant>>;
}

/// What `loginctl show-session` shows, as far as we need it.
#[derive(Debug, Default)]
struct Session {
    id: String,
    uid: u32,
    name: String,
    timestamp_us: u64,
    class: String,
    state: String,
    remote: bool,
    remote_host: String,
    locked: bool,
}

async fn connect() -> zbus::Result<Connection> {
    zbus::connection::Builder::system().method_timeout(METHOD_TIMEOUT).build().await
}

/// The error in its own words. They hold those of its source, which a chain of causes would repeat.
fn in_words(error: zbus::Error) -> anyhow::Error {
    anyhow::Error::msg(error)
}

async fn read_session(connection: &Connection, path: &OwnedObjectPath) -> zbus::Result<Session> {
    let proxy = PropertiesProxy::builder(connection).path(path.clone()).build().await?;
    let mut properties = proxy.get_all("org.freedesktop.login1.Session").await?;
    let mut take = |name: &str| properties.remove(name);
    let text = |value: Option<OwnedVariant>| value.and_then(|v| String::try_from(v).ok()).unwrap_or_default();
    let flag = |value: Option<OwnedVariant>| value.and_then(|v| bool::try_from(v).ok()).unwrap_or_default();
    let user: Option<(u32, OwnedObjectPath)> = take("User").and_then(|value| value.try_into().ok());
    Ok(Session {
        id: text(take("Id")),
        uid: user.map_or(0, |(uid, _)| uid),
        name: text(take("Name")),
        timestamp_us: take("Timestamp").and_then(|value| u64::try_from(value).ok()).unwrap_or_default(),
        class: text(take("Class")),
        state: text(take("State")),
        remote: flag(take("Remote")),
        remote_host: text(take("RemoteHost")),
        locked: flag(take("LockedHint")),
    })
}

impl Session {
    fn is_a_persons(&self) -> bool {
        self.class == "user" && self.state != "closing" && !self.name.is_empty()
    }

    fn into_fact(self) -> OsSession {
        OsSession {
            logon_identity: format!("logind:{}@{}", self.id, self.timestamp_us),
            session_id: self.id,
            account: AccountIdentity {
                key: format!("uid:{}@{}", self.uid, host::machine_id()),
                domain: host::name(),
                name: self.name,
                upn: None,
            },
            logon_at: i64::try_from(self.timestamp_us / 1000).ok().filter(|ms| *ms > 0).map(UtcMillis),
            remote: Some(self.remote),
            client: Some(self.remote_host).filter(|host| !host.is_empty()),
            locked: Some(self.locked),
            input_seen: None,
        }
    }
}

/// Sessions of people, as logind lists them now.
///
/// # Errors
/// When there is no system bus or no logind.
pub fn list_sessions() -> anyhow::Result<Vec<OsSession>> {
    static CONNECTION: Mutex<Option<Connection>> = Mutex::new(None);
    let mut kept = CONNECTION.lock().unwrap_or_else(PoisonError::into_inner);
    let listed = zbus::block_on(async {
        let connection = match kept.take() {
            Some(connection) => connection,
            None => connect().await.map_err(in_words).context("cannot reach the system bus")?,
        };
        let sessions = list(&connection)
            .await
            .map_err(in_words)
            .context("cannot list the sessions of systemd-logind")?;
        anyhow::Ok((connection, sessions))
    });
    let (connection, sessions) = listed?;
    *kept = Some(connection);
    Ok(sessions)
}

async fn list(connection: &Connection) -> zbus::Result<Vec<OsSession>> {
    let listed = ManagerProxy::new(connection).await?.list_sessions().await?;
    let mut sessions = Vec::with_capacity(listed.len());
    for (.., path) in listed {
        match read_session(connection, &path).await {
            Ok(session) if session.is_a_persons() => sessions.push(session.into_fact()),
            Ok(_) => {}
            // A session may go between the list and this call; it is then no longer one.
            Err(error) if says_gone(&error) => {}
            // Whatever else went wrong says nothing about the session: a list without it would log it off.
            Err(error) => return Err(error),
        }
    }
    Ok(sessions)
}

/// Whether this is logind's own word that there is no such session. Names: sd-bus-errors(3), and `NoSuchSession`
/// of org.freedesktop.login1(5).
fn says_gone(error: &zbus::Error) -> bool {
    use zbus::fdo::Error::{UnknownInterface, UnknownMethod, UnknownObject};
    if let zbus::Error::FDO(error) = error {
        return matches!(**error, UnknownInterface(_) | UnknownMethod(_) | UnknownObject(_));
    }
    matches!(error, zbus::Error::MethodError(name, ..) if name.as_str() == "org.freedesktop.login1.NoSuchSession")
}

/// The session of the calling process, for `punch`.
///
/// # Errors
/// When logind knows none, or cannot be reached.
pub fn current_session() -> anyhow::Result<OsSession> {
    zbus::block_on(async {
        let connection = connect().await.map_err(in_words).context("cannot reach the system bus")?;
        let manager = ManagerProxy::new(&connection).await.map_err(in_words)?;
        let path = manager
            .get_session_by_pid(std::process::id())
            .await
            .map_err(in_words)
            .context("systemd-logind knows no session of this process")?;
        Ok(read_session(&connection, &path).await.map_err(in_words)?.into_fact())
    })
}

/// How often a list is made anew because something was told meanwhile. More than twice in a row hardly happens; the
/// last one is then as good as one of which no signal is known.
const LISTS_MAX: usize = 5;

/// Keeps the delay locks; the watching thread lives as long as the process.
#[derive(Debug)]
pub struct Watch {
    inhibitors: Inhibitors,
    order: Order,
}

impl Watch {
    /// People's sessions now, and the checkpoint behind everything that logind told before it made the list.
    ///
    /// # Errors
    /// When there is no system bus or no logind.
    pub fn list_sessions(&self) -> anyhow::Result<Listed> {
        for _ in 1..LISTS_MAX {
            let before = self.order.told();
            let sessions = list_sessions()?;
            match zbus::block_on(self.order.place(before)) {
                Place::Behind(checkpoint) => return Ok(Listed { sessions, checkpoint: Some(checkpoint) }),
                Place::ToldMeanwhile => {}
                Place::Unknown => return Ok(Listed { sessions, checkpoint: None }),
            }
        }
        Ok(Listed { sessions: list_sessions()?, checkpoint: None })
    }

    /// Lets the PC sleep or go down: our records are on disk.
    pub fn settle(&self, kind: SettleFor) {
        self.inhibitors.release(kind);
    }

    /// Nothing here sends checkpoints: logind's delays are let go by [`Watch::settle`].
    pub fn reached(&self, _number: u64) {}
}

/// Starts the watching thread.
///
/// # Errors
/// When the OS grants no thread. A missing logind is no error: the thread keeps trying.
pub fn watch(sink: FactSink) -> anyhow::Result<Watch> {
    watch_network(sink.clone())?;
    let (inhibitors, order) = (Inhibitors::default(), Order::new(sink));
    let watcher = Watcher { order: order.clone(), inhibitors: inhibitors.clone() };
    thread::Builder::new()
        .name("logind".to_owned())
        .stack_size(256 * 1024)
        .spawn(move || watcher.run())
        .context("cannot start the thread that watches systemd-logind")?;
    Ok(Watch { inhibitors, order })
}

struct Watcher {
    order: Order,
    inhibitors: Inhibitors,
}

impl Watcher {
    fn run(&self) {
        loop {
            // The reason of a failure reaches the event log through the comparison that follows it.
            let _ = zbus::block_on(self.follow());
            self.order.begin(None);
            thread::sleep(RECONNECT_AFTER);
        }
    }

    async fn follow(&self) -> zbus::Result<()> {
        let connection = connect().await?;
        let mut signals = subscribe(&connection).await?;
        self.take_locks(&connection).await;
        self.order.begin(Some(connection.clone()));
        self.compare();
        while let Some(message) = signals.next().await {
            let message = message?;
            if !self.order.passes(&message) {
                self.signal(&connection, &message).await;
            }
        }
        Ok(())
    }

    async fn take_locks(&self, connection: &Connection) {
        for (what, kind) in [("sleep", SettleFor::Sleep), ("shutdown", SettleFor::Shutdown)] {
            self.take_lock(connection, what, kind).await;
        }
    }

    async fn take_lock(&self, connection: &Connection, what: &str, kind: SettleFor) {
        let why = "Writing the logoff record";
        if let Ok(manager) = ManagerProxy::new(connection).await
            && let Ok(lock) = manager.inhibit(what, "MngnTime", why, "delay").await
        {
            self.inhibitors.hold(kind, lock);
        }
    }

    async fn signal(&self, connection: &Connection, message: &Message) {
        let header = message.header();
        let Some(member) = header.member() else { return };
        match member.as_str() {
            "SessionNew" => self.session_new(connection, message).await,
            "SessionRemoved" => self.session_removed(message),
            "PrepareForSleep" => self.prepare_for_sleep(connection, message).await,
            "PrepareForShutdown" => self.prepare_for_shutdown(connection, message).await,
            "PropertiesChanged" => self.properties_changed(connection, message).await,
            "NameOwnerChanged" => {
                self.take_locks(connection).await;
                self.compare();
            }
            _ => {}
        }
    }

    async fn session_new(&self, connection: &Connection, message: &Message) {
        let Ok((id, path)) = message.body().deserialize::<(String, OwnedObjectPath)>() else {
            return;
        };
        let session = read_session(connection, &path).await.ok();
        if session.as_ref().is_some_and(|session| !session.is_a_persons()) {
            return;
        }
        self.notice(id, SessionChange::Began, session);
    }

    fn session_removed(&self, message: &Message) {
        if let Ok((id, _)) = message.body().deserialize::<(String, OwnedObjectPath)>() {
            self.notice(id, SessionChange::Ended, None);
        }
    }

    async fn prepare_for_sleep(&self, connection: &Connection, message: &Message) {
        match message.body().deserialize::<bool>() {
            Ok(true) => self.send(OsFact::SuspendAnnounced),
            Ok(false) => {
                self.take_lock(connection, "sleep", SettleFor::Sleep).await;
                self.send(OsFact::Resumed { user_present: false });
            }
            Err(_) => {}
        }
    }

    async fn prepare_for_shutdown(&self, connection: &Connection, message: &Message) {
        match message.body().deserialize::<bool>() {
            Ok(true) => self.send(OsFact::ShutdownAnnounced),
            Ok(false) => {
                self.take_lock(connection, "shutdown", SettleFor::Shutdown).await;
                self.send(OsFact::ShutdownCancelled);
            }
            Err(_) => {}
        }
    }

    /// A session's lock hint or state has changed. The signal's content is not needed: the session itself
    /// says what it is now.
    async fn properties_changed(&self, connection: &Connection, message: &Message) {
        let header = message.header();
        let Some(path) = header.path() else { return };
        let Ok(session) = read_session(connection, &path.to_owned().into()).await else {
            return;
        };
        if session.class != "user" {
            return;
        }
        let change = match (session.state.as_str(), session.locked) {
            ("closing", _) => SessionChange::Ended,
            (_, true) => SessionChange::Locked,
            (_, false) => SessionChange::Unlocked,
        };
        self.notice(session.id.clone(), change, Some(session));
    }

    fn notice(&self, session_id: String, change: SessionChange, session: Option<Session>) {
        let session = session.map(|session| Box::new(session.into_fact()));
        self.send(OsFact::SessionNotice { session_id, change, session });
    }

    /// Asks for a comparison with the list.
    fn compare(&self) {
        self.notice(String::new(), SessionChange::Other, None);
    }

    fn send(&self, fact: OsFact) {
        self.order.tell(fact);
    }
}

/// Every signal we follow, on one stream.
async fn subscribe(connection: &Connection) -> zbus::Result<MessageStream> {
    let bus = zbus::fdo::DBusProxy::new(connection).await?;
    let signal = || MatchRule::builder().msg_type(zbus::message::Type::Signal);
    let rules = [
        signal()
            .sender("org.freedesktop.login1")
            .interface("org.freedesktop.login1.Manager")
            .path("/org/freedesktop/login1")
            .build()?,
        signal()
            .sender("org.freedesktop.login1")
            .interface("org.freedesktop.DBus.Properties")
            .path_namespace("/org/freedesktop/login1/session")
            .build()?,
        signal()
            .sender("org.freedesktop.DBus")
            .interface("org.freedesktop.DBus")
            .member("NameOwnerChanged")
            .arg(0, "org.freedesktop.login1")
            .build()?,
    ];
    for rule in rules {
        bus.add_match_rule(rule).await?;
    }
    Ok(MessageStream::from(connection))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_os_says_of_the_bus_is_told_once() {
        let error = zbus::Error::from(std::io::Error::from_raw_os_error(2));
        let told = format!("{:#}", in_words(error).context("cannot reach the system bus"));
        assert_eq!(told.matches("os error 2").count(), 1, "{told}");
    }

    #[test]
    fn greeters_lock_screens_and_closing_sessions_are_nobodys() {
        let session = |class: &str, state: &str| Session {
            name: "hanako".into(),
            class: class.into(),
            state: state.into(),
            ..Session::default()
        };
        assert!(session("user", "active").is_a_persons());
        for class in ["greeter", "lock-screen", "background", "manager", ""] {
            assert!(!session(class, "active").is_a_persons(), "{class}");
        }
        assert!(!session("user", "closing").is_a_persons());
        assert!(!Session { class: "user".into(), ..Session::default() }.is_a_persons());
    }

    #[test]
    fn only_logind_itself_can_say_that_a_session_is_gone() {
        let answer = |name: &str| {
            let call = Message::method_call("/a", "B").build(&()).unwrap();
            let reply = Message::error(&call.header(), name).build(&()).unwrap();
            zbus::Error::from(reply)
        };
        assert!(says_gone(&answer("org.freedesktop.DBus.Error.UnknownObject")));
        assert!(says_gone(&answer("org.freedesktop.login1.NoSuchSession")));
        for other in ["NoReply", "ServiceUnknown", "AccessDenied", "LimitsExceeded"] {
            assert!(!says_gone(&answer(&format!("org.freedesktop.DBus.Error.{other}"))), "{other}");
        }
        assert!(!says_gone(&std::io::Error::from(std::io::ErrorKind::BrokenPipe).into()));
    }
}
