"""The gateway's systemd unit, with a reason beside what is not plain (systemd.exec(5), systemd.service(5))."""

from __future__ import annotations

from pathlib import Path

from .configuration import FILE

SERVICE = "sinew-gateway.service"
STATE = "sinew-gateway"

_UNIT = """\
# Written by `sinew gateway install`. Own changes belong beside it: systemctl edit sinew-gateway
[Unit]
Description=Sinew gateway
Wants=network-online.target bluetooth.service
After=network-online.target bluetooth.service dbus.service
# It is to come back for as long as there is power, however often it has ended.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={python} -m sinew gateway run --config {config}
Restart=always
RestartSec=10
# A first start may wait for a clinic that does not answer; an end may have a session to write down.
TimeoutStartSec=180
TimeoutStopSec=60
WatchdogSec=60
# The watchdog ends it by SIGABRT: the journal is to say where it hung, but a dump would hold somebody's movement.
Environment=PYTHONFAULTHANDLER=1
LimitCORE=0
MemoryHigh=256M
MemoryMax=384M
TasksMax=64

# A user of its own that exists only while it runs; its home is {state}.
DynamicUser=yes
StateDirectory={state_name}
StateDirectoryMode=0700
UMask=0077
{groups}
# Of devices it needs none: Bluetooth is spoken to over D-Bus.
PrivateDevices=yes
DevicePolicy=closed
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateMounts=yes
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectClock=yes
ProtectHostname=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
# Not ProcSubset=pid: LiteRT learns from /proc/cpuinfo what the processor can do.
ProtectProc=invisible
# AF_UNIX for D-Bus, AF_NETLINK for the list of network interfaces, which mDNS needs; no AF_BLUETOOTH.
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
# Not PrivateUsers=yes: D-Bus tells users apart by their numbers.
LockPersonality=yes
MemoryDenyWriteExecute=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""


def unit(python: Path, *, bluetooth_group: bool, config: Path = FILE) -> str:
    """The unit's text. bluetooth_group: whether this system has the group that Debian lets speak to BlueZ."""
    groups = "SupplementaryGroups=bluetooth\n" if bluetooth_group else ""
    return _UNIT.format(
        python=_quoted(python), config=_quoted(config), state=f"/var/lib/{STATE}", state_name=STATE, groups=groups
    )


def _quoted(path: Path) -> str:
    """As one word (systemd.service(5), "Command lines"; systemd.unit(5), "Specifiers")."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"' if escaped != str(path) or " " in escaped else escaped
