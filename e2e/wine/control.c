/* Test-only: `control.exe <service> <code>` sends a control code to a service; Wine's sc cannot.
   Prints nothing on success; on failure "control: <step>: error <GetLastError>" and status 1. */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

static int failed(const char *step)
{
    fprintf(stderr, "control: %s: error %lu\n", step, GetLastError());
    return 1;
}

int main(int count, char **arguments)
{
    SERVICE_STATUS status;
    SC_HANDLE manager, service;

    if (count != 3) {
        fprintf(stderr, "usage: control <service> <code>\n");
        return 2;
    }
    if (!(manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_CONNECT)))
        return failed("open the service manager");
    if (!(service = OpenServiceA(manager, arguments[1], SERVICE_USER_DEFINED_CONTROL | SERVICE_STOP)))
        return failed("open the service");
    if (!ControlService(service, (DWORD)atoi(arguments[2]), &status))
        return failed("send the control");
    return 0;
}
