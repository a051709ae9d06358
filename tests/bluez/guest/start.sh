#!/bin/sh
# A small Debian with BlueZ as on a Raspberry Pi, whose Bluetooth adapter is the serial port named hci.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/run PYTHONDONTWRITEBYTECODE=1
cd "$PROJECT"

port() { basename "$(dirname "$(grep -lx "$1" /sys/class/virtio-ports/*/name)")"; }

grep -q '^messagebus:' /etc/passwd || echo 'messagebus:x:101:101::/nonexistent:/usr/sbin/nologin' >>/etc/passwd
grep -q '^messagebus:' /etc/group || echo 'messagebus:x:101:' >>/etc/group
grep -q '^bluetooth:' /etc/group || echo 'bluetooth:x:112:' >>/etc/group
[ -s /etc/machine-id ] || echo 0123456789abcdef0123456789abcdef >/etc/machine-id
mkdir -p /run/dbus /var/lib/bluetooth /var/lib/dbus
chmod 700 /var/lib/bluetooth

dbus-daemon --system --fork
/usr/libexec/bluetooth/bluetoothd --nodetach >/out/bluetoothd.log 2>&1 &
"$PYTHON" tests/bluez/guest/hci_bridge.py "/dev/$(port hci)" >/out/bridge.log 2>&1 &
echo "booted; Python and its libraries take a while in an emulated processor"
# First of all, as bluetoothd throws notifications away that are not read in time. What it has no time for itself waits.
nice -n -10 "$PYTHON" tests/bluez/guest/scenarios.py "/dev/$(port stage)" /out/results.json 2>&1 || echo "scenarios.py failed"
dmesg >/out/dmesg.log
sync
