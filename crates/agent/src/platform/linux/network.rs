//! What the interfaces show, to word a failure with. Never a gate: sending is always tried.

use std::fs;

use crate::platform::NetworkVerdict;

/// Looks at the kernel's interfaces and routes.
#[must_use]
pub fn network_verdict() -> NetworkVerdict {
    if !any_interface_up() {
        NetworkVerdict::NotConnected
    } else if !has_default_route() {
        NetworkVerdict::LocalOnly
    } else {
        NetworkVerdict::Connected
    }
}

/// An interface other than loopback whose link is up. `unknown` is what tunnels and some drivers report.
fn any_interface_up() -> bool {
    let Ok(interfaces) = fs::read_dir("/sys/class/net") else {
        return true;
    };
    interfaces
        .filter_map(Result::ok)
        .filter(|interface| interface.file_name() != "lo")
        .any(|interface| {
            let state = fs::read_to_string(interface.path().join("operstate")).unwrap_or_default();
            matches!(state.trim(), "up" | "unknown")
        })
}

fn has_default_route() -> bool {
    let v4 = fs::read_to_string("/proc/net/route").unwrap_or_default();
    let v6 = fs::read_to_string("/proc/net/ipv6_route").unwrap_or_default();
    has_default_v4(&v4) || has_default_v6(&v6)
}

/// Columns: interface, destination (hex), …
fn has_default_v4(routes: &str) -> bool {
    routes
        .lines()
        .skip(1)
        .any(|line| line.split_whitespace().nth(1) == Some("00000000"))
}

/// Columns: destination, prefix length (hex), …, interface. The kernel's own reject route is on `lo`.
fn has_default_v6(routes: &str) -> bool {
    routes.lines().any(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        columns.len() == 10 && columns[1] == "00" && columns[9] != "lo"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_route_is_one_to_everywhere() {
        let header = "Iface\tDestination\tGateway\n";
        assert!(has_default_v4(&format!(
            "{header}eth0\t00000000\t0202000A\t0003\n"
        )));
        assert!(!has_default_v4(&format!(
            "{header}eth0\t0002000A\t00000000\t0001\n"
        )));
        let reject = "00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo";
        assert!(!has_default_v6(reject));
        assert!(has_default_v6(&reject.replace("lo", "eth0")));
    }
}
