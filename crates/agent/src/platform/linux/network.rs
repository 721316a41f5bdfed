//! What the interfaces show, to word a failure with, and when they change, to try again at once. Never a
//! gate: sending is always tried.

use std::fs;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketType, bind, recv, socket};

use crate::platform::{FactSink, NetworkVerdict, ShellEvent};

/// Multicast groups of rtnetlink(7): addresses and routes of both families.
const RTMGRP_IPV4_IFADDR: u32 = 0x10;
const RTMGRP_IPV4_ROUTE: u32 = 0x40;
const RTMGRP_IPV6_IFADDR: u32 = 0x100;
const RTMGRP_IPV6_ROUTE: u32 = 0x400;
/// A network that comes up makes a flurry of messages; one attempt to send after it is enough.
const SETTLE: Duration = Duration::from_secs(2);

/// Sends [`ShellEvent::NetworkChanged`] whenever addresses or routes have changed.
///
/// # Errors
/// When the OS grants no socket or thread.
pub(super) fn watch_network(sink: FactSink) -> anyhow::Result<()> {
    let socket =
        socket(AddressFamily::NETLINK, SocketType::RAW, None).context("cannot open a netlink socket")?;
    let groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE;
    bind(&socket, &SocketAddrNetlink::new(0, groups)).context("cannot listen for network changes")?;
    thread::Builder::new()
        .name("network".to_owned())
        .stack_size(64 * 1024)
        .spawn(move || {
            let mut message = [0_u8; 8192];
            // An overrun (ENOBUFS) means changes as well; any other error would repeat for ever.
            while matches!(
                recv(&socket, &mut message[..], RecvFlags::empty()),
                Ok(_) | Err(rustix::io::Errno::NOBUFS | rustix::io::Errno::INTR)
            ) {
                thread::sleep(SETTLE);
                while recv(&socket, &mut message[..], RecvFlags::DONTWAIT).is_ok() {}
                if sink.send(ShellEvent::NetworkChanged).is_err() {
                    return;
                }
            }
        })
        .context("cannot start the thread that watches the network")?;
    Ok(())
}

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
    interfaces.filter_map(Result::ok).filter(|interface| interface.file_name() != "lo").any(|interface| {
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
    routes.lines().skip(1).any(|line| line.split_whitespace().nth(1) == Some("00000000"))
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
        assert!(has_default_v4(&format!("{header}eth0\t00000000\t0202000A\t0003\n")));
        assert!(!has_default_v4(&format!("{header}eth0\t0002000A\t00000000\t0001\n")));
        let reject = "00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo";
        assert!(!has_default_v6(reject));
        assert!(has_default_v6(&reject.replace("lo", "eth0")));
    }
}
