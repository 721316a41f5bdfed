//! What happens on one PC over the days: a plausible Japanese office.

use jiff::civil::{Date, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};
use mngntime_agent_core::input::OsSession;
use mngntime_model::{AccountIdentity, UtcMillis};

use crate::random::Chance;

const MINUTE_MS: i64 = 60_000;
/// Japan has no daylight saving time.
const JAPAN: Offset = jiff::tz::offset(9);

/// Something that happens to a PC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    PowerOn,
    Logon(OsSession),
    Lock(String),
    Unlock(String),
    Logoff(String),
    /// An orderly shutdown.
    ShutDown,
    /// The power goes; nobody is told.
    PowerCut,
    NetworkDown,
    NetworkUp,
}

/// An action and its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) at: UtcMillis,
    pub(crate) action: Action,
}

/// The script of PC `number` for the `days` days that end at `now`, in order of time. Steps after `now` are
/// left out: somebody who is at work now is logged on now.
pub(crate) fn script(number: usize, days: u32, now: UtcMillis, chance: &mut Chance) -> Vec<Step> {
    let mut steps = Vec::new();
    let Ok(today) = Timestamp::from_millisecond(now.0).map(|t| t.to_zoned(TimeZone::fixed(JAPAN)).date())
    else {
        return steps;
    };
    for ago in (0..i64::from(days)).rev() {
        let Ok(date) = today.checked_sub(ago.days()) else {
            continue;
        };
        let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        if !weekend || chance.percent(4) {
            day(number, date, chance, &mut steps);
        }
    }
    steps.sort_by_key(|step| step.at);
    steps.retain(|step| step.at <= now);
    steps
}

fn day(number: usize, date: Date, chance: &mut Chance, steps: &mut Vec<Step>) {
    if chance.percent(4) {
        return; // a day off
    }
    let mut add = |minute: i64, action: Action| steps.push(Step { at: at(date, minute), action });
    let power_on = chance.between(8 * 60 + 20, 9 * 60 + 25);
    let logon = power_on + chance.between(1, 5);
    let leave = if chance.percent(20) {
        chance.between(20 * 60, 23 * 60)
    } else {
        chance.between(17 * 60 + 30, 19 * 60)
    };
    add(power_on, Action::PowerOn);
    let session = session(number, 0, at(date, logon), chance);
    let id = session.session_id.clone();
    add(logon, Action::Logon(session));
    lunch(&id, chance, &mut add);
    if chance.percent(6) {
        let down = chance.between(10 * 60, 16 * 60);
        add(down, Action::NetworkDown);
        add(down + chance.between(20, 180), Action::NetworkUp);
    }
    if number % 25 == 7 {
        colleague(number, date, chance, &mut add);
    }
    if chance.percent(3) {
        add(leave, Action::PowerCut);
    } else {
        add(leave, Action::Logoff(id));
        add(leave + 1, Action::ShutDown);
    }
}

fn lunch(id: &str, chance: &mut Chance, add: &mut impl FnMut(i64, Action)) {
    let begin = chance.between(11 * 60 + 45, 12 * 60 + 20);
    add(begin, Action::Lock(id.to_owned()));
    add(begin + chance.between(35, 65), Action::Unlock(id.to_owned()));
}

/// A PC that two people share.
fn colleague(number: usize, date: Date, chance: &mut Chance, add: &mut impl FnMut(i64, Action)) {
    let begin = chance.between(13 * 60 + 30, 14 * 60);
    let session = session(number, 1, at(date, begin), chance);
    let id = session.session_id.clone();
    add(begin, Action::Logon(session));
    add(begin + chance.between(60, 180), Action::Logoff(id));
}

fn at(date: Date, minute: i64) -> UtcMillis {
    let midnight = JAPAN.to_timestamp(date.at(0, 0, 0, 0)).map_or(0, Timestamp::as_millisecond);
    // Seconds that differ from day to day without another random number.
    let seconds = (i64::from(date.day()) * 37 + minute * 13) % 60;
    UtcMillis(midnight + minute * MINUTE_MS + seconds * 1000)
}

fn session(number: usize, who: usize, began: UtcMillis, chance: &mut Chance) -> OsSession {
    let remote = chance.percent(6);
    OsSession {
        session_id: (who + 1).to_string(),
        logon_identity: format!("luid:0x{:x}", chance.next() & 0xffff_ffff),
        account: account(number, who),
        logon_at: Some(began),
        remote: Some(remote),
        client: remote.then(|| format!("192.0.2.{}", number % 250 + 1)),
        locked: Some(false),
        input_seen: None,
    }
}

/// Common family and given names in Latin letters, as accounts are named.
const FAMILY: [&str; 20] = [
    "sato",
    "suzuki",
    "takahashi",
    "tanaka",
    "ito",
    "watanabe",
    "yamamoto",
    "nakamura",
    "kobayashi",
    "kato",
    "yoshida",
    "yamada",
    "sasaki",
    "yamaguchi",
    "matsumoto",
    "inoue",
    "kimura",
    "hayashi",
    "shimizu",
    "saito",
];
const GIVEN: [&str; 16] = [
    "hanako", "taro", "yui", "haruto", "aoi", "ren", "sakura", "yuto", "mei", "sota", "hina", "riku",
    "misaki", "kaito", "akari", "daiki",
];

fn account(number: usize, who: usize) -> AccountIdentity {
    let person = number * 2 + who;
    let (family, given) = (FAMILY[person / 2 % FAMILY.len()], GIVEN[(person * 7) % GIVEN.len()]);
    let serial = person / (FAMILY.len() * 2);
    let name = if serial == 0 { format!("{family}.{given}") } else { format!("{family}.{given}{serial}") };
    AccountIdentity {
        key: format!("S-1-5-21-1004336348-1177238915-682003330-{}", 1100 + person),
        domain: "EXAMPLE".to_owned(),
        upn: Some(format!("{name}@example.co.jp")),
        name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UtcMillis = UtcMillis(1_795_400_000_000);

    #[test]
    fn the_same_seed_gives_the_same_days_and_another_gives_others() {
        let play = |seed| script(3, 14, NOW, &mut Chance::new(seed, 3));
        assert_eq!(play(1), play(1));
        assert_ne!(play(1), play(2));
    }

    #[test]
    fn steps_are_in_order_and_none_is_in_the_future() {
        let steps = script(7, 30, NOW, &mut Chance::new(5, 7));
        assert!(steps.windows(2).all(|pair| pair[0].at <= pair[1].at));
        assert!(steps.iter().all(|step| step.at <= NOW));
        assert!(steps.iter().filter(|step| matches!(step.action, Action::Logon(_))).count() > 20);
    }

    #[test]
    fn no_two_people_share_an_account() {
        let mut names: Vec<String> =
            (0..500).flat_map(|pc| [account(pc, 0).name, account(pc, 1).name]).collect();
        names.sort();
        let before = names.len();
        names.dedup();
        assert_eq!(names.len(), before);
    }
}
