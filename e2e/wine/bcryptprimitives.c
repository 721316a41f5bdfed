/* Test-only: Rust's std takes its random bytes from bcryptprimitives.dll!ProcessPrng, which Wine 8 lacks.
   This puts Wine's own generator behind that name. */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T length)
{
    return RtlGenRandom(buffer, (ULONG)length);
}
