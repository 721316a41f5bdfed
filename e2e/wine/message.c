/* Test-only: `message.exe <dll> <language> <id>…` prints, in UTF-8, the text that Windows makes of each event id:
   what Event Viewer would show, with the inserts "<1>" to "<9>". An id without a text is "error <number>". */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>
#include <shellapi.h>

static WCHAR *inserts[] = {L"<1>", L"<2>", L"<3>", L"<4>", L"<5>", L"<6>", L"<7>", L"<8>", L"<9>"};

static void print(HMODULE file, DWORD language, DWORD id)
{
    WCHAR *text;
    char utf8[8192];
    DWORD flags = FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_ARGUMENT_ARRAY;

    if (!FormatMessageW(flags, file, id, language, (WCHAR *)&text, 0, (va_list *)inserts))
        printf("%lu error %lu\r\n", id, GetLastError());
    else if (WideCharToMultiByte(CP_UTF8, 0, text, -1, utf8, sizeof utf8, NULL, NULL))
        printf("%lu %s", id, utf8);
}

int main(void)
{
    int count;
    WCHAR **arguments = CommandLineToArgvW(GetCommandLineW(), &count);
    HMODULE file;

    if (count < 4) {
        fprintf(stderr, "usage: message <dll> <language> <id>...\n");
        return 2;
    }
    if (!(file = LoadLibraryExW(arguments[1], NULL, LOAD_LIBRARY_AS_DATAFILE))) {
        fprintf(stderr, "message: load the message file: error %lu\n", GetLastError());
        return 1;
    }
    for (int i = 3; i < count; i++)
        print(file, (DWORD)wcstoul(arguments[2], NULL, 0), (DWORD)_wtoi(arguments[i]));
    return 0;
}
