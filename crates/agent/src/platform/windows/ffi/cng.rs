//! Keys of the PC in a CNG key storage provider (`ncrypt.h`).
//!
//! Every call may go to another process or to the TPM and take seconds; none belongs on a callback.
//!
//! Looked up instead of imported, and so optional: Wine 8 has `ncrypt.dll`, but for RSA only, and remembers
//! no key.

use core::ffi::c_void;
use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr::null;

use windows_sys::Win32::Security::Cryptography::{
    BCRYPT_ECCPUBLIC_BLOB, BCRYPT_ECDSA_P256_ALGORITHM, BCRYPT_ECDSA_PUBLIC_P256_MAGIC,
    MS_KEY_STORAGE_PROVIDER, MS_PLATFORM_CRYPTO_PROVIDER, NCRYPT_EXPORT_POLICY_PROPERTY,
    NCRYPT_MACHINE_KEY_FLAG, NCRYPT_PERSIST_FLAG, NCRYPT_SECURITY_DESCR_PROPERTY, NCRYPT_SILENT_FLAG,
};
use windows_sys::Win32::Security::{DACL_SECURITY_INFORMATION, GetSecurityDescriptorLength};

use super::error::WindowsError;
use super::library::Library;
use super::security::descriptor_from;
use super::text::Wide;

/// `BCRYPT_ECCKEY_BLOB`: magic and length of a coordinate, 4 bytes each, then x and y.
const BLOB_BYTES: usize = 8 + 64;
const COORDINATE_BYTES: u32 = 32;

/// Provider or key; both are freed alike.
type Handle = usize;
type OpenStorageProvider = unsafe extern "system" fn(*mut Handle, *const u16, u32) -> i32;
type OpenKey = unsafe extern "system" fn(Handle, *mut Handle, *const u16, u32, u32) -> i32;
type CreatePersistedKey =
    unsafe extern "system" fn(Handle, *mut Handle, *const u16, *const u16, u32, u32) -> i32;
type SetProperty = unsafe extern "system" fn(Handle, *const u16, *const u8, u32, u32) -> i32;
type FinalizeKey = unsafe extern "system" fn(Handle, u32) -> i32;
type ExportKey =
    unsafe extern "system" fn(Handle, Handle, *const u16, *const c_void, *mut u8, u32, *mut u32, u32) -> i32;
type SignHash =
    unsafe extern "system" fn(Handle, *const c_void, *const u8, u32, *mut u8, u32, *mut u32, u32) -> i32;
type DeleteKey = unsafe extern "system" fn(Handle, u32) -> i32;
type FreeObject = unsafe extern "system" fn(Handle) -> i32;

/// The functions of `ncrypt.dll`.
pub struct Cng {
    open_storage_provider: OpenStorageProvider,
    open_key: OpenKey,
    create_persisted_key: CreatePersistedKey,
    set_property: SetProperty,
    finalize_key: FinalizeKey,
    export_key: ExportKey,
    sign_hash: SignHash,
    delete_key: DeleteKey,
    free_object: FreeObject,
}

/// Microsoft's own providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderName {
    /// `Microsoft Platform Crypto Provider`: the TPM.
    Platform,
    /// `Microsoft Software Key Storage Provider`.
    Software,
}

impl ProviderName {
    fn as_ptr(self) -> *const u16 {
        match self {
            Self::Platform => MS_PLATFORM_CRYPTO_PROVIDER,
            Self::Software => MS_KEY_STORAGE_PROVIDER,
        }
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Platform => "Microsoft Platform Crypto Provider",
            Self::Software => "Microsoft Software Key Storage Provider",
        })
    }
}

impl Cng {
    /// Looks all functions up; `None` when one is missing.
    #[must_use]
    pub fn load() -> Option<Self> {
        let dll = Library::system("ncrypt.dll")?;
        // SAFETY: the types are those of ncrypt.h, in which every handle is a ULONG_PTR, every security
        // descriptor a byte pointer and every status a LONG.
        unsafe {
            Some(Self {
                open_storage_provider: dll.function(c"NCryptOpenStorageProvider")?,
                open_key: dll.function(c"NCryptOpenKey")?,
                create_persisted_key: dll.function(c"NCryptCreatePersistedKey")?,
                set_property: dll.function(c"NCryptSetProperty")?,
                finalize_key: dll.function(c"NCryptFinalizeKey")?,
                export_key: dll.function(c"NCryptExportKey")?,
                sign_hash: dll.function(c"NCryptSignHash")?,
                delete_key: dll.function(c"NCryptDeleteKey")?,
                free_object: dll.function(c"NCryptFreeObject")?,
            })
        }
    }

    /// Opens a provider.
    ///
    /// # Errors
    /// When this PC has none of that name, or its device is not ready.
    pub fn provider(&self, name: ProviderName) -> Result<Provider<'_>, WindowsError> {
        let mut handle = 0;
        // SAFETY: the address is a live local, the name a zero-ended constant.
        let status = unsafe { (self.open_storage_provider)(&raw mut handle, name.as_ptr(), 0) };
        checked(status, "open", name)?;
        Ok(Provider { handle: Owned { cng: self, handle }, name })
    }
}

/// An open provider or key; freed when dropped.
struct Owned<'cng> {
    cng: &'cng Cng,
    handle: Handle,
}

impl Drop for Owned<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle came from the provider and is freed here only.
        unsafe { (self.cng.free_object)(self.handle) };
    }
}

/// An open provider.
pub struct Provider<'cng> {
    handle: Owned<'cng>,
    name: ProviderName,
}

impl<'cng> Provider<'cng> {
    /// Opens the PC's key `name`.
    ///
    /// # Errors
    /// When there is no such key, or access is denied.
    pub fn open_key(&self, name: &str) -> Result<Key<'cng>, WindowsError> {
        let cng = self.handle.cng;
        let (wide, flags) = (Wide::new(name), NCRYPT_MACHINE_KEY_FLAG | NCRYPT_SILENT_FLAG);
        let mut handle = 0;
        // SAFETY: the provider is open, the address a live local, the name zero-ended.
        let status = unsafe { (cng.open_key)(self.handle.handle, &raw mut handle, wide.as_ptr(), 0, flags) };
        self.key(status, "open", name, handle)
    }

    /// Makes a P-256 signing key of the PC that cannot be exported and that only those in `sddl` may use.
    ///
    /// # Errors
    /// When the name is taken, or the provider refuses the algorithm, the export policy or the rights.
    pub fn create_key(&self, name: &str, sddl: &str) -> Result<Key<'cng>, WindowsError> {
        let cng = self.handle.cng;
        let (wide, algorithm) = (Wide::new(name), BCRYPT_ECDSA_P256_ALGORITHM);
        let mut handle = 0;
        // SAFETY: the provider is open, the address a live local, both names zero-ended.
        let status = unsafe {
            (cng.create_persisted_key)(
                self.handle.handle,
                &raw mut handle,
                algorithm,
                wide.as_ptr(),
                0,
                NCRYPT_MACHINE_KEY_FLAG,
            )
        };
        let key = self.key(status, "create", name, handle)?;
        key.forbid_export()?;
        key.set_rights(sddl)?;
        // SAFETY: the key is open and not finished yet.
        let status = unsafe { (cng.finalize_key)(key.handle.handle, NCRYPT_SILENT_FLAG) };
        checked(status, "finish", &key.name)?;
        Ok(key)
    }

    fn key(
        &self,
        status: i32,
        operation: &'static str,
        name: &str,
        handle: Handle,
    ) -> Result<Key<'cng>, WindowsError> {
        let name = format!("key \"{name}\" in {}", self.name);
        checked(status, operation, &name)?;
        Ok(Key { handle: Owned { cng: self.handle.cng, handle }, name })
    }
}

/// An open key.
pub struct Key<'cng> {
    handle: Owned<'cng>,
    /// What errors call it.
    name: String,
}

impl Key<'_> {
    /// The public half: the byte 4, x and y.
    ///
    /// # Errors
    /// When the provider refuses or the key is no P-256 signing key.
    pub fn public_point(&self) -> Result<[u8; 65], WindowsError> {
        let mut blob = [0; BLOB_BYTES];
        let mut length = 0;
        // SAFETY: the key is open, the buffer has the length that is announced; no wrapping key, no
        // parameters.
        let status = unsafe {
            (self.handle.cng.export_key)(
                self.handle.handle,
                0,
                BCRYPT_ECCPUBLIC_BLOB,
                null(),
                blob.as_mut_ptr(),
                BLOB_BYTES as u32,
                &raw mut length,
                0,
            )
        };
        checked(status, "read the public half of", &self.name)?;
        let header = [BCRYPT_ECDSA_PUBLIC_P256_MAGIC.to_le_bytes(), COORDINATE_BYTES.to_le_bytes()].concat();
        if length as usize != BLOB_BYTES || blob[..8] != header {
            let text = "it is no P-256 signing key".to_owned();
            return Err(WindowsError::finding("read the public half of", &self.name, text));
        }
        let mut point = [4; 65];
        point[1..].copy_from_slice(&blob[8..]);
        Ok(point)
    }

    /// Signs a SHA-256 digest: `r` and `s`, 32 bytes each, big-endian.
    ///
    /// # Errors
    /// When the provider refuses; a TPM that did not make the key does.
    pub fn sign(&self, digest: &[u8; 32]) -> Result<[u8; 64], WindowsError> {
        let mut signature = [0; 64];
        let mut length = 0;
        // SAFETY: the key is open, both buffers have the lengths that are announced; ECDSA has no padding.
        let status = unsafe {
            (self.handle.cng.sign_hash)(
                self.handle.handle,
                null(),
                digest.as_ptr(),
                digest.len() as u32,
                signature.as_mut_ptr(),
                signature.len() as u32,
                &raw mut length,
                NCRYPT_SILENT_FLAG,
            )
        };
        checked(status, "sign with", &self.name)?;
        if length as usize != signature.len() {
            let text = format!("the signature has {length} bytes");
            return Err(WindowsError::finding("sign with", &self.name, text));
        }
        Ok(signature)
    }

    /// Deletes the key from its store.
    ///
    /// # Errors
    /// When the provider refuses.
    pub fn delete(self) -> Result<(), WindowsError> {
        let Self { handle, name } = self;
        let handle = ManuallyDrop::new(handle);
        // SAFETY: the key is open.
        let status = unsafe { (handle.cng.delete_key)(handle.handle, NCRYPT_SILENT_FLAG) };
        if status != 0 {
            // Deleting would have freed the handle; refusing has not.
            drop(ManuallyDrop::into_inner(handle));
        }
        checked(status, "delete", name)
    }

    fn forbid_export(&self) -> Result<(), WindowsError> {
        self.set(
            NCRYPT_EXPORT_POLICY_PROPERTY,
            &0_u32.to_le_bytes(),
            NCRYPT_PERSIST_FLAG,
            "forbid the export of",
        )
    }

    fn set_rights(&self, sddl: &str) -> Result<(), WindowsError> {
        let descriptor = descriptor_from(sddl)?;
        let address: *mut c_void = descriptor.as_ptr();
        // SAFETY: the descriptor is valid, self-relative and lives until the end of this function, so as many
        // bytes may be read as it says of itself.
        let bytes = unsafe {
            let length = GetSecurityDescriptorLength(address);
            std::slice::from_raw_parts(address.cast::<u8>().cast_const(), length as usize)
        };
        let flags = NCRYPT_PERSIST_FLAG | DACL_SECURITY_INFORMATION;
        self.set(NCRYPT_SECURITY_DESCR_PROPERTY, bytes, flags, "set the rights of")
    }

    /// `property` is a zero-ended constant. Only what has `NCRYPT_PERSIST_FLAG` is stored with the key
    /// (Windows documentation: NCryptSetProperty).
    fn set(
        &self,
        property: *const u16,
        value: &[u8],
        flags: u32,
        operation: &'static str,
    ) -> Result<(), WindowsError> {
        // SAFETY: the key is open, the property a zero-ended constant of ncrypt.h, the value has the length
        // that is given.
        let status = unsafe {
            (self.handle.cng.set_property)(
                self.handle.handle,
                property,
                value.as_ptr(),
                value.len() as u32,
                flags,
            )
        };
        checked(status, operation, &self.name)
    }
}

/// A status of ncrypt.h is zero or an error.
fn checked(status: i32, operation: &'static str, object: impl fmt::Display) -> Result<(), WindowsError> {
    if status == 0 {
        return Ok(());
    }
    Err(WindowsError::from_code(operation, object, status.cast_unsigned()))
}
