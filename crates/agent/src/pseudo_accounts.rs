//! Accounts that are no people, told by their SID and never by name: names are translated, SIDs are not.
//!
//! Windows shows them in its session list for moments and writes type-2 logons for them into the Security
//! log (windows.md 1.2; table A 37).

/// The three service accounts.
const SIDS: [&str; 3] = ["S-1-5-18", "S-1-5-19", "S-1-5-20"];
/// By the SID's beginning: services, IIS pools, virtual machines, window manager (DWM-n), font driver
/// (UMFD-n).
const SID_PREFIXES: [&str; 5] = ["S-1-5-80-", "S-1-5-82-", "S-1-5-83-", "S-1-5-90-", "S-1-5-96-"];

/// Whether the SID is that of a service, the window manager, a virtual machine or the like.
#[must_use]
pub(crate) fn is_pseudo(sid: &str) -> bool {
    SIDS.contains(&sid) || SID_PREFIXES.iter().any(|prefix| sid.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::is_pseudo;

    #[test]
    fn services_and_the_window_manager_are_no_people() {
        for sid in ["S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-5-80-1-2-3-4-5", "S-1-5-90-0-1", "S-1-5-96-0-2"]
        {
            assert!(is_pseudo(sid), "{sid}");
        }
        for sid in ["S-1-5-21-1-2-3-500", "S-1-12-1-1-2-3-4", "S-1-5-180", "S-1-5-21-18"] {
            assert!(!is_pseudo(sid), "{sid}");
        }
    }
}
