//! Whose address counts: the connection's own, or what a trusted proxy says about it.
//!
//! Proxies write an address with or without a port, an IPv6 one with or without brackets. An entry that is none of these is
//! told in the log (never what it is: it may be somebody's), and the address of the proxy that passed it on counts.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap};

use crate::seldom::{MINUTE, Seldom};

/// A network: all addresses whose first bits are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads an address, which is a network of itself, or `address/bits`.
    ///
    /// # Errors
    /// What it must be.
    pub fn read(text: &str) -> Result<Self, String> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let rule = || format!("{text} is no address and no network such as 10.0.0.0/8");
        let address: IpAddr = address.parse().map_err(|_| rule())?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let plain = |bits: &&str| bits.bytes().all(|byte| byte.is_ascii_digit());
        let bits = match bits {
            Some(bits) => bits_of(Some(bits).filter(plain), all).ok_or_else(rule)?,
            None => all,
        };
        if bits == 0 {
            return Err(format!("{text} is everybody: name the network that the proxies are in"));
        }
        Ok(Self { address, bits })
    }

    fn holds(&self, other: IpAddr) -> bool {
        let same = |one: u128, other: u128, all: u8| (one ^ other) >> (all - self.bits) == 0;
        match (self.address, other) {
            (IpAddr::V4(one), IpAddr::V4(other)) => same(one.to_bits().into(), other.to_bits().into(), 32),
            (IpAddr::V6(one), IpAddr::V6(other)) => same(one.to_bits(), other.to_bits(), 128),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

fn bits_of(text: Option<&str>, all: u8) -> Option<u8> {
    text?.parse().ok().filter(|bits| *bits <= all)
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// The address that counts of a request.
#[must_use]
pub fn of_request(extensions: &Extensions, headers: &HeaderMap, trusted: &[Network]) -> Option<IpAddr> {
    let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(behind_proxies(peer.ip(), headers, trusted))
}

/// The source that is counted. A proxy on this machine, or no address at all, stands for everybody.
#[must_use]
pub fn counted(address: Option<IpAddr>) -> Option<IpAddr> {
    address.map(network_of).filter(|address| !address.is_loopback())
}

/// What counts as one source: an IPv4 address, or an IPv6 network of 64 bits, since one host owns all of it.
#[must_use]
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
        address @ (IpAddr::V4(_) | IpAddr::V6(_)) => address,
    }
}

/// An address as people and the audit log read it.
#[must_use]
pub fn text(address: IpAddr) -> String {
    address.to_canonical().to_string()
}

/// Walks `X-Forwarded-For` from its end, as long as the one who added an entry is trusted.
#[must_use]
pub fn behind_proxies(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let forwarded = headers.get_all("x-forwarded-for").iter();
    let pieces = forwarded.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    // What is no text is no address, and spoils no other entry.
    let mut hops: Vec<&str> =
        pieces.map(|piece| std::str::from_utf8(piece).unwrap_or_default().trim()).collect();
    let mut address = peer;
    while trusted.iter().any(|network| network.holds(address.to_canonical())) {
        let Some(hop) = hops.pop() else { return address };
        match read_hop(hop) {
            Some(hop) => address = hop,
            None => {
                tell_unreadable();
                return address;
            }
        }
    }
    address
}

/// `address`, `address:port`, `[address]` or `[address]:port`.
fn read_hop(hop: &str) -> Option<IpAddr> {
    let bare = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    let with_port = || hop.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    hop.parse().ok().or_else(with_port).or_else(bare)
}

fn tell_unreadable() {
    static TOLD: Seldom = Seldom::new(MINUTE);
    if let Some(untold) = TOLD.due() {
        tracing::warn!(
            untold,
            "a trusted proxy has sent an X-Forwarded-For that is no address; the proxy's own address counts instead, for \
             limits and in the audit log"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &str, trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", forwarded.parse().unwrap());
        let trusted: Vec<_> = trusted.iter().map(|text| Network::read(text).unwrap()).collect();
        behind_proxies(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_may_say_who_is_behind_it() {
        assert_eq!(seen("192.0.2.9", "198.51.100.1", &[]), "192.0.2.9");
        assert_eq!(seen("10.0.0.1", "198.51.100.1", &["10.0.0.1"]), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", "203.0.113.5, 198.51.100.1", &["10.0.0.1"]), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", "198.51.100.1, 10.0.0.2", &["10.0.0.1", "10.0.0.2"]), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", "nonsense", &["10.0.0.1"]), "10.0.0.1");
    }

    #[test]
    fn bytes_that_are_no_text_spoil_no_other_entry() {
        let mut headers = HeaderMap::new();
        let value = axum::http::HeaderValue::from_bytes(b"\xff, 198.51.100.1").unwrap();
        headers.insert("x-forwarded-for", value);
        let trusted = [Network::read("127.0.0.1").unwrap()];
        assert_eq!(
            behind_proxies("127.0.0.1".parse().unwrap(), &headers, &trusted).to_string(),
            "198.51.100.1"
        );
    }

    #[test]
    fn a_network_of_proxies_is_trusted_and_its_neighbour_is_not() {
        let networks = ["10.0.0.0/8", "2001:db8::/33"];
        assert_eq!(seen("10.255.3.1", "198.51.100.1, 10.9.9.9", &networks), "198.51.100.1");
        assert_eq!(seen("11.0.0.1", "198.51.100.1", &networks), "11.0.0.1");
        assert_eq!(seen("::ffff:10.0.0.1", "198.51.100.1", &networks), "198.51.100.1");
        assert_eq!(seen("2001:db8:7fff::1", "198.51.100.1", &networks), "198.51.100.1");
        assert_eq!(seen("2001:db8:8000::1", "198.51.100.1", &networks), "2001:db8:8000::1");
        for wrong in ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "::/129", "0.0.0.0/0", "::/0", "proxy", ""] {
            assert!(Network::read(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Network::read("10.0.0.1").unwrap().to_string(), "10.0.0.1/32");
    }

    #[test]
    fn an_entry_may_have_a_port_and_brackets() {
        for (entry, address) in [
            ("203.0.113.77:5555", "203.0.113.77"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("unknown", "10.0.0.1"),
            ("203.0.113.77:", "10.0.0.1"),
        ] {
            assert_eq!(seen("10.0.0.1", entry, &["10.0.0.1"]), address, "{entry}");
        }
    }
}
