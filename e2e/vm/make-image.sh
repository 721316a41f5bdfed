#!/bin/bash
# Builds the Debian 12 disk image that the Linux agent is tested in: real
# systemd, logind, D-Bus, PAM and sshd. Run as root: make-image.sh OUT_DIR
#
# OUT_DIR then holds: root.img (sparse raw ext4), vmlinuz, cmdline, id_ed25519
# and, last of all, image.stamp (the hash of this script). With a fitting stamp
# the script exits at once, so a test may call it every time.
set -euo pipefail

SUITE=bookworm
IMAGE_SIZE=1200M
HOST_PACKAGES=(debootstrap debian-archive-keyring qemu-system-x86 qemu-utils e2fsprogs openssh-client)
GUEST_PACKAGES=systemd-sysv,dbus,libpam-systemd,linux-image-cloud-amd64,openssh-server,login,passwd,ca-certificates,iproute2,procps

die() { echo "make-image: $*" >&2; exit 1; }
say() { echo "make-image: $* (${SECONDS}s)" >&2; }

install_host_packages() {
    local missing=() name
    for name in "${HOST_PACKAGES[@]}"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || missing+=("$name")
    done
    [[ ${#missing[@]} -gt 0 ]] || return 0
    say "installing ${missing[*]}"
    local apt=(apt-get -q -o DPkg::Lock::Timeout=900)
    apt-cache show "${missing[@]}" >/dev/null 2>&1 || "${apt[@]}" update >&2
    DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >&2
}

# The mirror is whatever this machine's apt uses: a name written here would be
# wrong on the next machine.
apt_mirror() {
    # awk reads to the end: an early exit would fail apt-get under pipefail.
    # shellcheck disable=SC2016  # $(RELEASE) is apt's own syntax
    apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(CREATED_BY) $(REPO_URI)' |
        awk -v suite="$SUITE" '$1 == suite && $2 == "main" && $3 == "Packages" && !uri { uri = $4 } END { print uri }'
}

bootstrap() {
    local root=$1 mirror
    mirror=$(apt_mirror)
    [[ -n $mirror ]] || die "apt on this machine has no source for $SUITE main"
    say "debootstrap $SUITE"
    if ! debootstrap --variant=minbase --include="$GUEST_PACKAGES" "$SUITE" "$root" "$mirror" >"$OUT/debootstrap.log" 2>&1; then
        tail -n 30 "$OUT/debootstrap.log" >&2
        die "debootstrap of $SUITE failed, see $OUT/debootstrap.log"
    fi
}

# hanako and taro are the people whose attendance is recorded. Only hanako has
# a password: it is typed on the second serial console.
configure_users() {
    local root=$1 user home
    chroot "$root" useradd -m -u 1000 -s /bin/bash hanako
    chroot "$root" useradd -m -u 1001 -s /bin/bash taro
    echo 'hanako:hanako' | chroot "$root" chpasswd
    for user in root hanako taro; do
        home=/home/$user
        [[ $user != root ]] || home=/root
        chroot "$root" install -d -m 700 -o "$user" -g "$user" "$home/.ssh"
        install -m 600 "$OUT/id_ed25519.pub" "$root$home/.ssh/authorized_keys"
        chroot "$root" chown "$user:$user" "$home/.ssh/authorized_keys"
    done
}

# Address without gateway and without name server: the guest reaches 10.0.2.2
# (the host's 127.0.0.1) and nothing else. Static, because DHCP costs seconds.
configure_network() {
    local root=$1
    cat >"$root/etc/systemd/network/10-vm.network" <<'NET'
[Match]
Type=ether
[Network]
Address=10.0.2.15/24
LinkLocalAddressing=no
IPv6AcceptRA=no
NET
    : >"$root/etc/resolv.conf"
    echo mngntime-vm >"$root/etc/hostname"
    printf '127.0.0.1 localhost mngntime-vm\n10.0.2.2 host.vm\n' >"$root/etc/hosts"
    chroot "$root" systemctl enable systemd-networkd.service 2>/dev/null
}

# A second sshd without PAM on port 2222: the test can look around as root
# without opening a logind session that the agent would see.
configure_control_sshd() {
    local root=$1
    cat >"$root/etc/systemd/system/ssh-control.service" <<'UNIT'
[Unit]
Description=Test control: sshd without PAM, opens no session
After=network.target
[Service]
RuntimeDirectory=sshd
RuntimeDirectoryPreserve=yes
ExecStart=/usr/sbin/sshd -D -p 2222 -o UsePAM=no -o PidFile=none
KillMode=process
[Install]
WantedBy=multi-user.target
UNIT
    chroot "$root" systemctl enable ssh-control.service 2>/dev/null
}

# The image is for a slow emulated CPU: what no test needs does not start.
configure_boot() {
    local root=$1
    chroot "$root" systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
        e2scrub_all.timer e2scrub_reap.service fstrim.timer systemd-networkd-wait-online.service \
        systemd-fsck-root.service systemd-pstore.service systemd-rfkill.socket \
        getty@tty1.service serial-getty@ttyS0.service 2>/dev/null
    # ttyS0 is the boot log; people log in on ttyS1.
    ln -s /lib/systemd/system/serial-getty@.service \
        "$root/etc/systemd/system/getty.target.wants/serial-getty@ttyS1.service"
    mkdir -p "$root/var/log/journal"
    echo '/dev/nvme0n1 / ext4 defaults,errors=remount-ro 0 0' >"$root/etc/fstab"
    # Empty, not absent: every fresh disk makes its own machine-id at first boot.
    : >"$root/etc/machine-id"
    rm -f "$root/var/lib/dbus/machine-id"
    ln -s /etc/machine-id "$root/var/lib/dbus/machine-id"
}

shrink() {
    local root=$1
    rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/*.log \
        "$root"/usr/share/{doc,man,locale,info}/* "$root"/boot/initrd* "$root"/initrd*
}

# No initrd: the cloud kernel has ext4 and NVMe (not virtio-blk) built in.
export_boot_files() {
    local root=$1 kernels=("$1"/boot/vmlinuz-*)
    [[ -f ${kernels[0]} ]] || die "no kernel in $root/boot"
    cp "${kernels[0]}" "$OUT/vmlinuz"
    echo "root=/dev/nvme0n1 rw rootwait rootfstype=ext4 console=ttyS0 loglevel=4 fsck.mode=skip net.ifnames=0 mitigations=off" >"$OUT/cmdline"
}

build() {
    local root=$1/root
    rm -f "$OUT/id_ed25519" "$OUT/id_ed25519.pub"
    ssh-keygen -q -t ed25519 -N '' -C mngntime-vm -f "$OUT/id_ed25519"
    bootstrap "$root"
    say "configuring"
    configure_users "$root"
    configure_network "$root"
    configure_control_sshd "$root"
    configure_boot "$root"
    export_boot_files "$root"
    shrink "$root"
    say "mke2fs"
    rm -f "$OUT/root.img"
    mke2fs -q -t ext4 -L mngntime -E lazy_itable_init=0,lazy_journal_init=0 -d "$root" "$OUT/root.img" "$IMAGE_SIZE"
}

[[ $# -eq 1 ]] || die "usage: make-image.sh OUT_DIR"
[[ $EUID -eq 0 ]] || die "must be run as root (debootstrap and chroot)"
mkdir -p "$1"
OUT=$(cd "$1" && pwd)
VERSION=$(sha256sum <"$0")

# Two tests may ask at once: the second waits and then finds the image.
exec 9>"$OUT/.lock"
flock 9
if [[ -f $OUT/image.stamp && $(<"$OUT/image.stamp") == "$VERSION" ]]; then
    exit 0
fi
rm -f "$OUT/image.stamp"
install_host_packages
WORK=$(mktemp -d "$OUT/build.XXXXXX")
# debootstrap mounts proc and sys inside; they must go before rm does.
cleanup() {
    umount -q "$WORK/root/proc" "$WORK/root/sys" || true
    rm -rf --one-file-system "$WORK"
}
trap cleanup EXIT
build "$WORK"
echo "$VERSION" >"$OUT/image.stamp"
say "done: $(du -h "$OUT/root.img" | cut -f1) used in $OUT/root.img"
