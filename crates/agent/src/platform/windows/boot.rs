//! Which run of Windows this is.
//!
//! Windows has no boot id that a program may read. What it has cannot serve alone: boot time by the wall
//! clock moves whenever somebody sets the clock, and the prefetcher's boot counter stands still where
//! prefetching is switched off. So the first process of ours in a boot makes an id and puts it into a
//! *volatile* registry key, which lives in memory exactly as long as the running Windows, sleep, hibernation
//! and Fast Startup included (the counters in a [`mngntime_model::Moment`] go on through those too). Every
//! later process reads it there.
//!
//! The id is `<boot counter>-<boot time, seconds since 1970>-<random>`; the first two parts are for
//! reading, the third makes it unique even on a PC whose clock forgets the date at every power-off.
//!
//! A process without the right to write the key (foreground run by an ordinary user, before the service
//! ever ran in this boot) uses counter and boot time to the minute: good for trying things out, not used
//! by the service.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, anyhow};
use mngntime_model::{BootId, Moment};

use super::clocks::clocks;
use super::ffi::registry::{self, Lifetime, WritableKey};

/// Where the id of this boot is kept, below HKLM. Administrators can write it, everyone can read it.
const BOOT_KEY: &str = r"SOFTWARE\MngnTime\ThisBoot";
/// The value with the id.
const BOOT_VALUE: &str = "Id";
/// Where Windows' prefetcher counts the boots.
const COUNTER_KEY: &str =
    r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters";
/// The value with the count.
const COUNTER_VALUE: &str = "BootId";
/// How long a process that comes second waits for the first one's id: two processes may start at once.
const SETTLE: Duration = Duration::from_millis(20);

/// The running boot's id.
///
/// # Errors
/// When the random source fails or what the registry holds is no id.
pub fn boot_id() -> anyhow::Result<BootId> {
    let text = match kept()? {
        Some(text) => text,
        None => match keep(&new_id(&clocks())?) {
            Ok(text) => text,
            Err(_not_allowed) => provisional_id(&clocks()),
        },
    };
    BootId::new(&text).with_context(|| format!("cannot use the boot id in HKLM\\{BOOT_KEY}"))
}

fn kept() -> anyhow::Result<Option<String>> {
    Ok(registry::text(BOOT_KEY, BOOT_VALUE)?)
}

/// Writes the id and answers what stands there a moment later, so that two processes that started at once
/// agree on the later writer's.
fn keep(id: &str) -> anyhow::Result<String> {
    WritableKey::create(BOOT_KEY, Lifetime::ThisBoot)?.set_text(BOOT_VALUE, id)?;
    sleep(SETTLE);
    kept()?.ok_or_else(|| anyhow!("HKLM\\{BOOT_KEY} lost the boot id that was just written"))
}

fn new_id(now: &Moment) -> anyhow::Result<String> {
    let mut random = [0_u8; 6];
    getrandom::fill(&mut random)
        .map_err(|error| anyhow!("cannot draw random bytes for a boot id: {error}"))?;
    let random = random.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    Ok(format!("{}-{}-{random:012x}", counter(), now.boot_began().0.div_euclid(1000)))
}

fn provisional_id(now: &Moment) -> String {
    format!("{}-{}-provisional", counter(), now.boot_began().0.div_euclid(60_000) * 60)
}

fn counter() -> u32 {
    registry::dword(COUNTER_KEY, COUNTER_VALUE).ok().flatten().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boot_has_one_id() {
        assert_eq!(boot_id().unwrap(), boot_id().unwrap());
    }

    #[test]
    fn made_ids_are_valid_and_different() {
        let (one, other) = (new_id(&clocks()).unwrap(), new_id(&clocks()).unwrap());
        assert!(BootId::new(&one).is_ok() && BootId::new(&provisional_id(&clocks())).is_ok());
        assert_ne!(one, other);
    }
}
