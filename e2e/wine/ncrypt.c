/* Test-only: a key store for the agent's device key. Wine 8's ncrypt knows RSA only and forgets every key.

   Put over Wine's ncrypt.dll by setup.sh. A test chooses where new keys can be by the mere existence of a file:
     C:\mngntime-test-cng   the "Microsoft Software Key Storage Provider" makes keys
     C:\mngntime-test-tpm   the "Microsoft Platform Crypto Provider" (the TPM) makes keys
   With neither, both refuse, and the agent keeps its key in a file, as under Wine alone. Keys that are there open
   in any case; a test that wants one gone deletes its file.

   Keys are ECDSA P-256 by Wine's own bcrypt.dll, kept as files C:\mngntime-test-keys\PROVIDER-NAME. As the real
   providers do, this one refuses a key that is not the PC's, an export of the private half, and the use of a
   key before it is finished. It also refuses a property that would not be stored with the key, and to finish a key
   whose export was not forbidden or whose rights were not set, so that a test sees all of it done. It cannot show what only real Windows can: that the secret stays in. */
#include <windows.h>
#include <bcrypt.h>
#include <ncrypt.h>
#include <stdio.h>

#define FOLDER L"C:\\mngntime-test-keys"
#define EXPORT __declspec(dllexport)

enum kind { PROVIDER = 1, KEY = 2 };

struct object {
    enum kind kind;
    WCHAR provider;             /* 't' or 's' */
    WCHAR path[MAX_PATH];       /* a key's file */
    BCRYPT_KEY_HANDLE key;
    BOOL export_forbidden, rights_set, finished;
};

static BOOL exists(const WCHAR *path)
{
    return GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES;
}

static BCRYPT_ALG_HANDLE algorithm(void)
{
    static BCRYPT_ALG_HANDLE handle;
    if (!handle) BCryptOpenAlgorithmProvider(&handle, BCRYPT_ECDSA_P256_ALGORITHM, NULL, 0);
    return handle;
}

static struct object *as(ULONG_PTR handle, enum kind kind)
{
    struct object *object = (struct object *)handle;
    return object && object->kind == kind ? object : NULL;
}

static struct object *new_key(const struct object *provider, const WCHAR *name)
{
    struct object *key = calloc(1, sizeof(*key));
    key->kind = KEY;
    key->provider = provider->provider;
    swprintf(key->path, MAX_PATH, FOLDER L"\\%c-%ls", provider->provider, name);
    return key;
}

EXPORT SECURITY_STATUS WINAPI NCryptFreeObject(NCRYPT_HANDLE handle)
{
    struct object *object = (struct object *)handle;
    if (!object) return NTE_INVALID_HANDLE;
    if (object->key) BCryptDestroyKey(object->key);
    object->kind = 0;
    free(object);
    return 0;
}

EXPORT SECURITY_STATUS WINAPI NCryptOpenStorageProvider(NCRYPT_PROV_HANDLE *out, LPCWSTR name, DWORD flags)
{
    BOOL tpm = !wcscmp(name, L"Microsoft Platform Crypto Provider");
    if (!tpm && wcscmp(name, L"Microsoft Software Key Storage Provider")) return NTE_INVALID_PARAMETER;
    struct object *provider = calloc(1, sizeof(*provider));
    provider->kind = PROVIDER;
    provider->provider = tpm ? 't' : 's';
    *out = (ULONG_PTR)provider;
    return 0;
}

EXPORT SECURITY_STATUS WINAPI NCryptCreatePersistedKey(NCRYPT_PROV_HANDLE handle, NCRYPT_KEY_HANDLE *out,
    LPCWSTR id, LPCWSTR name, DWORD spec, DWORD flags)
{
    struct object *provider = as(handle, PROVIDER);
    if (!provider) return NTE_INVALID_HANDLE;
    if (wcscmp(id, L"ECDSA_P256")) return NTE_NOT_SUPPORTED;
    if (flags != NCRYPT_MACHINE_KEY_FLAG) return NTE_PERM;
    if (!exists(provider->provider == 't' ? L"C:\\mngntime-test-tpm" : L"C:\\mngntime-test-cng"))
        return NTE_DEVICE_NOT_READY;
    struct object *key = new_key(provider, name);
    if (exists(key->path)) { NCryptFreeObject((ULONG_PTR)key); return NTE_EXISTS; }
    NTSTATUS status = BCryptGenerateKeyPair(algorithm(), &key->key, 256, 0);
    if (!status) status = BCryptFinalizeKeyPair(key->key, 0);
    if (status) { NCryptFreeObject((ULONG_PTR)key); return status; }
    *out = (ULONG_PTR)key;
    return 0;
}

EXPORT SECURITY_STATUS WINAPI NCryptSetProperty(NCRYPT_HANDLE handle, LPCWSTR property, PBYTE value, DWORD length,
    DWORD flags)
{
    struct object *key = as(handle, KEY);
    if (!key) return NTE_INVALID_HANDLE;
    if (!wcscmp(property, L"Export Policy")) {
        if (flags != NCRYPT_PERSIST_FLAG || length != sizeof(DWORD)) return NTE_INVALID_PARAMETER;
        key->export_forbidden = *(DWORD *)value == 0;
        return 0;
    }
    if (!wcscmp(property, L"Security Descr")) {
        BOOL present = FALSE, defaulted;
        PACL list = NULL;
        if (flags != (NCRYPT_PERSIST_FLAG | DACL_SECURITY_INFORMATION) || !IsValidSecurityDescriptor(value)
            || GetSecurityDescriptorLength(value) != length
            || !GetSecurityDescriptorDacl(value, &present, &list, &defaulted)) return NTE_INVALID_PARAMETER;
        key->rights_set = present && list && list->AceCount == 2;
        return 0;
    }
    return NTE_NOT_SUPPORTED;
}

EXPORT SECURITY_STATUS WINAPI NCryptFinalizeKey(NCRYPT_KEY_HANDLE handle, DWORD flags)
{
    struct object *key = as(handle, KEY);
    BYTE blob[256];
    ULONG length;
    DWORD written = 0;
    if (!key || key->finished) return NTE_INVALID_HANDLE;
    if (!key->export_forbidden || !key->rights_set) return NTE_PERM;
    NTSTATUS status = BCryptExportKey(key->key, 0, BCRYPT_ECCPRIVATE_BLOB, blob, sizeof(blob), &length, 0);
    if (status) return status;
    CreateDirectoryW(FOLDER, NULL);
    HANDLE file = CreateFileW(key->path, GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) return NTE_FAIL;
    WriteFile(file, blob, length, &written, NULL);
    CloseHandle(file);
    key->finished = written == length;
    return key->finished ? 0 : NTE_FAIL;
}

EXPORT SECURITY_STATUS WINAPI NCryptOpenKey(NCRYPT_PROV_HANDLE handle, NCRYPT_KEY_HANDLE *out, LPCWSTR name,
    DWORD spec, DWORD flags)
{
    struct object *provider = as(handle, PROVIDER);
    BYTE blob[256];
    DWORD length = 0;
    if (!provider) return NTE_INVALID_HANDLE;
    if (!(flags & NCRYPT_MACHINE_KEY_FLAG)) return NTE_BAD_KEYSET;
    struct object *key = new_key(provider, name);
    HANDLE file = CreateFileW(key->path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) { NCryptFreeObject((ULONG_PTR)key); return NTE_BAD_KEYSET; }
    ReadFile(file, blob, sizeof(blob), &length, NULL);
    CloseHandle(file);
    NTSTATUS status = BCryptImportKeyPair(algorithm(), NULL, BCRYPT_ECCPRIVATE_BLOB, &key->key, blob, length, 0);
    if (status) { NCryptFreeObject((ULONG_PTR)key); return status; }
    key->finished = TRUE;
    *out = (ULONG_PTR)key;
    return 0;
}

EXPORT SECURITY_STATUS WINAPI NCryptExportKey(NCRYPT_KEY_HANDLE handle, NCRYPT_KEY_HANDLE wrapping, LPCWSTR type,
    NCryptBufferDesc *parameters, PBYTE out, DWORD size, DWORD *length, DWORD flags)
{
    struct object *key = as(handle, KEY);
    if (!key || !key->finished) return NTE_INVALID_HANDLE;
    if (wcscmp(type, BCRYPT_ECCPUBLIC_BLOB)) return NTE_NOT_SUPPORTED;
    return BCryptExportKey(key->key, 0, BCRYPT_ECCPUBLIC_BLOB, out, size, length, 0);
}

EXPORT SECURITY_STATUS WINAPI NCryptSignHash(NCRYPT_KEY_HANDLE handle, void *padding, PBYTE hash, DWORD hash_length,
    PBYTE out, DWORD size, DWORD *length, DWORD flags)
{
    struct object *key = as(handle, KEY);
    if (!key || !key->finished) return NTE_INVALID_HANDLE;
    return BCryptSignHash(key->key, NULL, hash, hash_length, out, size, length, 0);
}

EXPORT SECURITY_STATUS WINAPI NCryptDeleteKey(NCRYPT_KEY_HANDLE handle, DWORD flags)
{
    struct object *key = as(handle, KEY);
    if (!key || !DeleteFileW(key->path)) return NTE_FAIL;
    return NCryptFreeObject(handle);
}
