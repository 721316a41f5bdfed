//! What the network interfaces show. Words a failure; never decides whether to send.

use std::net::IpAddr;

use windows_sys::Win32::Networking::WinSock::{
    NetworkConnectivityLevelHintConstrainedInternetAccess, NetworkConnectivityLevelHintInternetAccess,
    NetworkConnectivityLevelHintLocalAccess,
};

use super::ffi::network::{self, Interface};
use crate::platform::NetworkVerdict;

/// What the interfaces and, from Windows 10 2004 on, Windows' own opinion show now. A list that cannot be
/// read counts as connected: then the failure is worded by what the connection itself met.
#[must_use]
pub fn network_verdict() -> NetworkVerdict {
    network::interfaces()
        .map_or(NetworkVerdict::Connected, |interfaces| verdict(&interfaces, network::connectivity_hint()))
}

/// Windows' opinion decides how far a network reaches, where it has one; it can be wrong (its probe is
/// blocked by some firewalls), which is why it only words a failure. Whether there is a network at all is
/// seen from the interfaces: early after the start the opinion is "unknown" or "none" for a while.
fn verdict(interfaces: &[Interface], hint: Option<i32>) -> NetworkVerdict {
    let usable: Vec<&Interface> = interfaces
        .iter()
        .filter(|interface| !interface.is_loopback && interface.addresses.iter().any(is_usable))
        .collect();
    let has_way_out = usable.iter().any(|interface| interface.has_gateway);
    match hint {
        Some(hint) if hint == NetworkConnectivityLevelHintInternetAccess => NetworkVerdict::Connected,
        Some(_) | None if usable.is_empty() => NetworkVerdict::NotConnected,
        Some(hint)
            if hint == NetworkConnectivityLevelHintLocalAccess
                || hint == NetworkConnectivityLevelHintConstrainedInternetAccess =>
        {
            NetworkVerdict::LocalOnly
        }
        Some(_) | None if has_way_out => NetworkVerdict::Connected,
        Some(_) | None => NetworkVerdict::LocalOnly,
    }
}

/// Whether somebody gave the address to this PC. An interface with a link-local address only (169.254/16,
/// fe80::/10) has found no network.
fn is_usable(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            !address.is_link_local() && !address.is_loopback() && !address.is_unspecified()
        }
        IpAddr::V6(address) => {
            !address.is_unicast_link_local() && !address.is_loopback() && !address.is_unspecified()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(address: &str, has_gateway: bool) -> Interface {
        Interface { is_loopback: false, addresses: vec![address.parse().unwrap()], has_gateway }
    }

    fn shown(interfaces: &[Interface]) -> NetworkVerdict {
        verdict(interfaces, None)
    }

    #[test]
    fn three_situations_are_told_apart() {
        assert_eq!(shown(&[]), NetworkVerdict::NotConnected);
        assert_eq!(shown(&[interface("169.254.3.4", false)]), NetworkVerdict::NotConnected);
        assert_eq!(shown(&[interface("192.168.1.4", false)]), NetworkVerdict::LocalOnly);
        assert_eq!(shown(&[interface("192.168.1.4", true)]), NetworkVerdict::Connected);
        assert_eq!(shown(&[interface("fe80::1", true)]), NetworkVerdict::NotConnected);
        assert_eq!(shown(&[interface("2001:db8::1", true)]), NetworkVerdict::Connected);
    }

    #[test]
    fn the_loopback_is_no_network() {
        let loopback = Interface { is_loopback: true, ..interface("10.0.0.1", true) };
        assert_eq!(shown(&[loopback]), NetworkVerdict::NotConnected);
    }

    #[test]
    fn windows_opinion_says_how_far_the_network_reaches() {
        let (inside, routed) = ([interface("192.168.1.4", false)], [interface("192.168.1.4", true)]);
        let internet = Some(NetworkConnectivityLevelHintInternetAccess);
        let local = Some(NetworkConnectivityLevelHintLocalAccess);
        let portal = Some(NetworkConnectivityLevelHintConstrainedInternetAccess);
        assert_eq!(verdict(&inside, internet), NetworkVerdict::Connected);
        assert_eq!(verdict(&[], internet), NetworkVerdict::Connected, "an adapter we do not understand");
        assert_eq!(verdict(&routed, local), NetworkVerdict::LocalOnly);
        assert_eq!(verdict(&routed, portal), NetworkVerdict::LocalOnly);
        assert_eq!(verdict(&[], local), NetworkVerdict::NotConnected);
        for no_opinion in [0, 1, 5, 77] {
            assert_eq!(verdict(&routed, Some(no_opinion)), NetworkVerdict::Connected);
            assert_eq!(verdict(&[], Some(no_opinion)), NetworkVerdict::NotConnected);
        }
    }

    #[test]
    fn this_pc_can_be_asked() {
        assert!(network::interfaces().is_ok());
    }

    #[test]
    fn there_is_one_watcher_or_a_reason_why_there_is_none() {
        let first = network::network_notices().map(|_| ());
        // Wine 8 takes the registration and never calls; that must not pass for a watcher.
        assert!(first.is_ok() || first.is_err_and(|error| error.to_string().contains("watch")));
        assert!(network::network_notices().is_err(), "one watcher for the process");
    }
}
