//! The network interfaces (IP Helper API), how far the network reaches, and the notice that it changed.

use core::ffi::c_void;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr::{null, null_mut};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use windows_sys::Win32::Foundation::{
    ERROR_BUFFER_OVERFLOW, ERROR_NO_DATA, ERROR_NOT_SUPPORTED, ERROR_SUCCESS, HANDLE,
};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    CancelMibChangeNotify2, GAA_FLAG_INCLUDE_GATEWAYS, GAA_FLAG_SKIP_ANYCAST, GAA_FLAG_SKIP_DNS_SERVER,
    GAA_FLAG_SKIP_MULTICAST, GetAdaptersAddresses, IF_TYPE_SOFTWARE_LOOPBACK, IP_ADAPTER_ADDRESSES_LH,
    MIB_IPINTERFACE_ROW, MIB_NOTIFICATION_TYPE, MIB_UNICASTIPADDRESS_ROW, NotifyIpInterfaceChange,
    NotifyUnicastIpAddressChange,
};
use windows_sys::Win32::NetworkManagement::Ndis::IfOperStatusUp;
use windows_sys::Win32::Networking::WinSock::{
    AF_INET, AF_INET6, AF_UNSPEC, NL_NETWORK_CONNECTIVITY_HINT, SOCKADDR, SOCKADDR_IN, SOCKADDR_IN6,
};

use super::error::WindowsError;
use super::library::Library;

/// First try for the adapters' buffer, in bytes, as the documentation recommends.
const BUFFER_BYTES: u32 = 16 * 1024;
/// Tries when the list grows between asking and filling.
const TRIES: u32 = 4;

/// One network interface that is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Whether it is the loopback.
    pub is_loopback: bool,
    /// Its own addresses.
    pub addresses: Vec<IpAddr>,
    /// Whether a gateway is configured.
    pub has_gateway: bool,
}

/// Every interface that is up.
///
/// # Errors
/// When Windows refuses the list. A PC without interfaces is an empty list.
pub fn interfaces() -> Result<Vec<Interface>, WindowsError> {
    let mut bytes = BUFFER_BYTES;
    let mut code = ERROR_BUFFER_OVERFLOW;
    for _ in 0..TRIES {
        // u64 units, because the structs in it want 8-byte alignment.
        let mut buffer = vec![0_u64; (bytes as usize).div_ceil(8)];
        code = adapters_into(&mut buffer, &mut bytes);
        match code {
            // SAFETY: the call succeeded, so the buffer begins with the first struct of the list.
            ERROR_SUCCESS => return Ok(unsafe { interfaces_in(buffer.as_ptr().cast()) }),
            ERROR_NO_DATA => return Ok(Vec::new()),
            ERROR_BUFFER_OVERFLOW => {}
            _ => break,
        }
    }
    Err(WindowsError::from_code("list", "the network interfaces", code))
}

fn adapters_into(buffer: &mut [u64], bytes: &mut u32) -> u32 {
    let flags = GAA_FLAG_INCLUDE_GATEWAYS
        | GAA_FLAG_SKIP_ANYCAST
        | GAA_FLAG_SKIP_MULTICAST
        | GAA_FLAG_SKIP_DNS_SERVER;
    // SAFETY: the buffer has at least `bytes` bytes.
    unsafe {
        GetAdaptersAddresses(
            u32::from(AF_UNSPEC),
            flags,
            null(),
            buffer.as_mut_ptr().cast(),
            std::ptr::from_mut(bytes),
        )
    }
}

/// # Safety
/// `first` is null or the head of a list that GetAdaptersAddresses made, alive during the call.
unsafe fn interfaces_in(first: *const IP_ADAPTER_ADDRESSES_LH) -> Vec<Interface> {
    let mut interfaces = Vec::new();
    let mut next = first;
    // SAFETY: the caller vouches for the list; every `Next` is null or the next struct of it.
    while let Some(adapter) = unsafe { next.as_ref() } {
        if adapter.OperStatus == IfOperStatusUp {
            interfaces.push(Interface {
                is_loopback: adapter.IfType == IF_TYPE_SOFTWARE_LOOPBACK,
                // SAFETY: as above, the adapter belongs to the list.
                addresses: unsafe { addresses_of(adapter) },
                has_gateway: !adapter.FirstGatewayAddress.is_null(),
            });
        }
        next = adapter.Next;
    }
    interfaces
}

/// # Safety
/// `adapter` belongs to a list that GetAdaptersAddresses made, alive during the call.
unsafe fn addresses_of(adapter: &IP_ADAPTER_ADDRESSES_LH) -> Vec<IpAddr> {
    let mut addresses = Vec::new();
    let mut next = adapter.FirstUnicastAddress.cast_const();
    // SAFETY: the caller vouches for the list; every `Next` is null or the next struct of it.
    while let Some(unicast) = unsafe { next.as_ref() } {
        // SAFETY: the socket address belongs to the same list and says its family itself.
        addresses.extend(unsafe { address_in(unicast.Address.lpSockaddr) });
        next = unicast.Next;
    }
    addresses
}

/// # Safety
/// `socket` is null or a socket address of the family it names.
unsafe fn address_in(socket: *const SOCKADDR) -> Option<IpAddr> {
    // SAFETY: the caller vouches for the address.
    let family = unsafe { socket.as_ref() }?.sa_family;
    match family {
        AF_INET => {
            // SAFETY: the family says that it is a SOCKADDR_IN; every reading of the union is a number.
            let number = unsafe { socket.cast::<SOCKADDR_IN>().read_unaligned().sin_addr.S_un.S_addr };
            Some(IpAddr::V4(Ipv4Addr::from(number.to_ne_bytes())))
        }
        AF_INET6 => {
            // SAFETY: the family says that it is a SOCKADDR_IN6; every reading of the union is bytes.
            let bytes = unsafe { socket.cast::<SOCKADDR_IN6>().read_unaligned().sin6_addr.u.Byte };
            Some(IpAddr::V6(Ipv6Addr::from(bytes)))
        }
        _ => None,
    }
}

/// Windows' own opinion on how far the network reaches: `NL_NETWORK_CONNECTIVITY_LEVEL_HINT`. `None` before
/// Windows 10 2004 and under Wine.
#[must_use]
pub fn connectivity_hint() -> Option<i32> {
    type GetHint = unsafe extern "system" fn(*mut NL_NETWORK_CONNECTIVITY_HINT) -> u32;
    let library = Library::system("iphlpapi.dll")?;
    // SAFETY: the type is the one that netioapi.h declares.
    let get: GetHint = unsafe { library.function(c"GetNetworkConnectivityHint") }?;
    let mut hint = NL_NETWORK_CONNECTIVITY_HINT::default();
    // SAFETY: the address is a live local.
    let code = unsafe { get(&raw mut hint) };
    (code == ERROR_SUCCESS).then_some(hint.ConnectivityLevel)
}

/// Says when the network of this PC changed, until dropped.
pub struct NetworkNotices(Vec<HANDLE>);

// SAFETY: the handles may be cancelled from any thread; the documentation forbids only the callback's own.
unsafe impl Send for NetworkNotices {}

/// Lives as long as the process: a notice may be on its way while the registration is cancelled.
static SENDER: OnceLock<SyncSender<()>> = OnceLock::new();

/// Begins to watch addresses and, from Windows 10 2004 on, how far the network reaches. One message may wait
/// in the queue; it stands for any number of changes.
///
/// # Errors
/// When somebody watches already, or the platform cannot tell: under Wine 8 both calls succeed and do
/// nothing, and so does the older NotifyAddrChange.
pub fn network_notices() -> Result<(NetworkNotices, Receiver<()>), WindowsError> {
    let (sender, receiver) = sync_channel(1);
    // The first try decides, whatever comes of it: a second could only fail the same way.
    if SENDER.set(sender).is_err() {
        return Err(WindowsError::finding("watch", "the network of this PC", "watched already".into()));
    }
    let addresses = watch_addresses().or_else(|_| watch_interfaces())?;
    let handles = std::iter::once(addresses).chain(watch_connectivity()).collect();
    Ok((NetworkNotices(handles), receiver))
}

fn watch_addresses() -> Result<HANDLE, WindowsError> {
    let mut handle: HANDLE = null_mut();
    // SAFETY: the callback is a function without context, the address a live local.
    let code = unsafe {
        NotifyUnicastIpAddressChange(AF_UNSPEC, Some(address_changed), null(), false, &raw mut handle)
    };
    registered(code, handle)
}

fn watch_interfaces() -> Result<HANDLE, WindowsError> {
    let mut handle: HANDLE = null_mut();
    // SAFETY: as above.
    let code = unsafe {
        NotifyIpInterfaceChange(AF_UNSPEC, Some(interface_changed), null(), false, &raw mut handle)
    };
    registered(code, handle)
}

/// Success without a handle is a stub (Wine), from which no notice would ever come.
fn registered(code: u32, handle: HANDLE) -> Result<HANDLE, WindowsError> {
    if code == ERROR_SUCCESS && !handle.is_null() {
        return Ok(handle);
    }
    let code = if code == ERROR_SUCCESS { ERROR_NOT_SUPPORTED } else { code };
    Err(WindowsError::from_code("watch", "the addresses of this PC", code))
}

fn watch_connectivity() -> Option<HANDLE> {
    type Callback = unsafe extern "system" fn(*const c_void, NL_NETWORK_CONNECTIVITY_HINT);
    type Notify = unsafe extern "system" fn(Callback, *const c_void, bool, *mut HANDLE) -> u32;
    let library = Library::system("iphlpapi.dll")?;
    // SAFETY: the type is the one that netioapi.h declares; BOOLEAN is one byte, as bool is.
    let notify: Notify = unsafe { library.function(c"NotifyNetworkConnectivityHintChange") }?;
    let mut handle: HANDLE = null_mut();
    // SAFETY: the callback is a function without context, the address a live local.
    let code = unsafe { notify(connectivity_changed, null(), false, &raw mut handle) };
    registered(code, handle).ok()
}

impl Drop for NetworkNotices {
    fn drop(&mut self) {
        for handle in &self.0 {
            // SAFETY: the handle came from a Notify… call and is cancelled here only.
            unsafe { CancelMibChangeNotify2(*handle) };
        }
    }
}

fn tell() {
    if let Some(sender) = SENDER.get() {
        // A full queue says the same already.
        let _waiting_already = sender.try_send(());
    }
}

/// What Windows calls on a thread of its own.
unsafe extern "system" fn address_changed(
    _context: *const c_void,
    _row: *const MIB_UNICASTIPADDRESS_ROW,
    _kind: MIB_NOTIFICATION_TYPE,
) {
    tell();
}

/// The same for an interface.
unsafe extern "system" fn interface_changed(
    _context: *const c_void,
    _row: *const MIB_IPINTERFACE_ROW,
    _kind: MIB_NOTIFICATION_TYPE,
) {
    tell();
}

/// The same for how far the network reaches.
unsafe extern "system" fn connectivity_changed(_context: *const c_void, _hint: NL_NETWORK_CONNECTIVITY_HINT) {
    tell();
}
