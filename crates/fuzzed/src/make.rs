//! Values of the model out of a fuzzer's bytes: mostly sensible, sometimes at the edge of their type.

use arbitrary::{Result, Unstructured};
use mngntime_model::{
    AccountIdentity, BootId, Bounds, Declared, Event, EventKind, Evidence, Moment, SessionIdentity, UtcMillis,
};

/// 2026-11-23 09:00 in Tokyo.
pub(crate) const NOW: i64 = 1_795_392_000_000;

const EDGES: [u64; 9] = [
    0,
    1,
    (1 << 40) - 1,
    1 << 40,
    (1 << 40) + 1,
    i64::MAX as u64,
    i64::MAX as u64 + 1,
    u64::MAX - 1,
    u64::MAX,
];

/// A number, small more often than not.
pub(crate) fn number(u: &mut Unstructured<'_>) -> Result<u64> {
    Ok(match u.int_in_range(0..=7)? {
        0 => u.arbitrary()?,
        1 => *u.choose(&EDGES)?,
        _ => u64::from(u.arbitrary::<u8>()?),
    })
}

/// A time, near [`NOW`] more often than not.
pub(crate) fn time(u: &mut Unstructured<'_>) -> Result<i64> {
    Ok(match u.int_in_range(0..=7)? {
        0 => u.arbitrary()?,
        1 => *u.choose(&[i64::MIN, -1, 0, i64::MAX])?,
        _ => NOW + i64::from(u.arbitrary::<i32>()?),
    })
}

/// A short text.
pub(crate) fn text(u: &mut Unstructured<'_>) -> Result<String> {
    let common = ["", "1", "花子", "boot-1", "a\"b\\c", "\u{202e}x", "presence_begins", "unattended_logon"];
    Ok(match u.int_in_range(0..=3)? {
        0 => u.arbitrary::<&str>()?.to_owned(),
        1 => "あ".repeat(usize::from(u.arbitrary::<u8>()?) * 2),
        _ => (*u.choose(&common)?).to_owned(),
    })
}

fn boot(u: &mut Unstructured<'_>) -> Result<BootId> {
    let text = *u.choose(&["boot-1", "boot-2", "1f6b9d1e-6a6c-4b8e-8a54-0d7b4f3f8a11"])?;
    Ok(BootId::new(text).expect("a boot id"))
}

fn optional<T>(
    u: &mut Unstructured<'_>,
    make: impl FnOnce(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Option<T>> {
    if u.arbitrary()? { make(u).map(Some) } else { Ok(None) }
}

/// All clocks.
pub(crate) fn moment(u: &mut Unstructured<'_>) -> Result<Moment> {
    Ok(Moment {
        wall: UtcMillis(time(u)?),
        offset_seconds: *u.choose(&[32_400, 0, -43_200, i32::MAX, i32::MIN])?,
        biased_ms: number(u)?,
        unbiased_ms: number(u)?,
    })
}

fn account(u: &mut Unstructured<'_>) -> Result<AccountIdentity> {
    let name = *u.choose(&["hanako", "taro", "花子"])?;
    Ok(AccountIdentity {
        key: if u.ratio(7, 8)? { format!("S-1-5-21-{name}") } else { text(u)? },
        domain: if u.ratio(7, 8)? { "EXAMPLE".to_owned() } else { text(u)? },
        name: if u.ratio(7, 8)? { name.to_owned() } else { text(u)? },
        upn: optional(u, text)?,
    })
}

fn cause(u: &mut Unstructured<'_>, kind: EventKind) -> Result<Option<String>> {
    if kind != EventKind::Gap {
        return optional(u, text);
    }
    let (first, last) = (number(u)?, number(u)?);
    Ok(Some(match u.int_in_range(0..=4)? {
        0 => Declared::Unreadable { first, last }.to_string(),
        1 => Declared::NotHeld { first, last }.to_string(),
        2 => Declared::EarlierEnrollment { first, last }.to_string(),
        3 => Declared::RolledBack { first, last, after: number(u)? }.to_string(),
        _ => text(u)?,
    }))
}

/// An event with this number. It need not be one that the contract allows.
pub(crate) fn event(u: &mut Unstructured<'_>, sequence: u64) -> Result<Event> {
    let kind = *u.choose(&EventKind::ALL)?;
    let session = optional(u, |u| {
        let (boot, session_id) = (boot(u)?, (*u.choose(&["1", "2", "c3"])?).to_owned());
        Ok(SessionIdentity { boot, session_id, logon_identity: text(u)? })
    })?;
    Ok(Event {
        sequence,
        boot: boot(u)?,
        kind,
        evidence: *u.choose(&Evidence::ALL)?,
        occurred_at: UtcMillis(time(u)?),
        bounds: optional(u, |u| {
            Ok(Bounds { not_before: UtcMillis(time(u)?), not_after: UtcMillis(time(u)?) })
        })?,
        recorded_at: moment(u)?,
        session,
        account: if kind.is_punch() { Some(account(u)?) } else { optional(u, account)? },
        remote: u.arbitrary()?,
        client: optional(u, text)?,
        cause: cause(u, kind)?,
        supersedes: if u.ratio(1, 8)? { Some(number(u)?) } else { None },
    })
}
