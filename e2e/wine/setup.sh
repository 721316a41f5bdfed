#!/bin/sh
# Makes the Wine prefix in which the Windows agent is tested. Run it as often as you like: what is there
# stays. The prefix lies in $MNGNTIME_WINEPREFIX, or in target/wine-prefix.
#
# Put into it beside Wine's own: bcryptprimitives.dll (Rust's std needs it, Wine 8 lacks it), C:\control.exe
# (sends control codes to a service), C:\message.exe (words an event) and, over Wine's own, ncrypt.dll (a key
# store with P-256 that a test can switch on; ncrypt.c says how).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
prefix=${MNGNTIME_WINEPREFIX:-$here/../../target/wine-prefix}
gcc=x86_64-w64-mingw32-gcc
packages="wine wine64 gcc-mingw-w64-x86-64"

missing() {
    ! command -v wine >/dev/null || ! command -v wineserver >/dev/null || ! command -v $gcc >/dev/null
}

if missing; then
    if [ "$(id -u)" != 0 ]; then
        echo "setup.sh: as root, install: $packages" >&2
        exit 1
    fi
    apt-get -o DPkg::Lock::Timeout=900 install -y -qq --no-install-recommends $packages >&2
fi

mkdir -p "$prefix"
prefix=$(cd "$prefix" && pwd)
export WINEPREFIX="$prefix" WINEDEBUG=-all WINEDLLOVERRIDES=mscoree,mshtml= DISPLAY=

# The stamp says that an earlier run came to its end.
stamp="$prefix/mngntime-ready"
if [ ! -e "$stamp" ]; then
    wineboot --init >/dev/null 2>&1
    wineserver -w
fi

if [ ! -e "$stamp" ] || [ -n "$(find "$here" -name '*.c' -newer "$stamp")" ]; then
    system32="$prefix/drive_c/windows/system32"
    $gcc -O2 -shared -o "$system32/bcryptprimitives.dll" "$here/bcryptprimitives.c" -ladvapi32
    # Wine's own file may be a link to the one that all prefixes share.
    rm -f "$system32/ncrypt.dll"
    $gcc -O2 -shared -o "$system32/ncrypt.dll" "$here/ncrypt.c" -lbcrypt -ladvapi32
    $gcc -O2 -o "$prefix/drive_c/control.exe" "$here/control.c"
    $gcc -O2 -o "$prefix/drive_c/message.exe" "$here/message.c"
    touch "$stamp"
fi

echo "$prefix"
