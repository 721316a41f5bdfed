//! What the network interfaces show. Words a failure; never decides whether to send.

use std::net::IpAddr;

use super::ffi::network::{self, Interface};
use crate::platform::NetworkVerdict;

/// What the interfaces show now. A list that cannot be read counts as connected: then the failure is
/// worded by what the connection itself met.
#[must_use]
pub fn network_verdict() -> NetworkVerdict {
    network::interfaces().map_or(NetworkVerdict::Connected, |interfaces| verdict(&interfaces))
}

fn verdict(interfaces: &[Interface]) -> NetworkVerdict {
    let usable: Vec<&Interface> = interfaces
        .iter()
        .filter(|interface| !interface.is_loopback && interface.addresses.iter().any(is_usable))
        .collect();
    if usable.is_empty() {
        NetworkVerdict::NotConnected
    } else if usable.iter().any(|interface| interface.has_gateway) {
        NetworkVerdict::Connected
    } else {
        NetworkVerdict::LocalOnly
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

    #[test]
    fn three_situations_are_told_apart() {
        assert_eq!(verdict(&[]), NetworkVerdict::NotConnected);
        assert_eq!(verdict(&[interface("169.254.3.4", false)]), NetworkVerdict::NotConnected);
        assert_eq!(verdict(&[interface("192.168.1.4", false)]), NetworkVerdict::LocalOnly);
        assert_eq!(verdict(&[interface("192.168.1.4", true)]), NetworkVerdict::Connected);
        assert_eq!(verdict(&[interface("fe80::1", true)]), NetworkVerdict::NotConnected);
        assert_eq!(verdict(&[interface("2001:db8::1", true)]), NetworkVerdict::Connected);
    }

    #[test]
    fn the_loopback_is_no_network() {
        let loopback = Interface { is_loopback: true, ..interface("10.0.0.1", true) };
        assert_eq!(verdict(&[loopback]), NetworkVerdict::NotConnected);
    }

    #[test]
    fn this_pc_can_be_asked() {
        assert!(network::interfaces().is_ok());
    }
}
