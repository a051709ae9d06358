"""How the gateway is, for a person in ten lines, and for `/healthz`, `/metrics` and `--json` from the same words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import IntEnum
from importlib.metadata import version

from pydantic import BaseModel, ConfigDict, Field

from analytics.domain.exercise import Segment
from analytics.domain.live import Condition, SensorState, SessionState
from analytics.domain.session import SensorRecord
from device_gateway.conditions import Trouble

from .stored import Stored

UNREACHED = {
    Trouble.CLINIC_UNCLAIMED,
    Trouble.CLINIC_SHUT_OUT,
    Trouble.CLINIC_UNREACHABLE,
    Trouble.CLINIC_REFUSES,
    Trouble.ANOTHER_GATEWAY,
}
VERSION = version("sinew")
WIDTH = 10


class Verdict(IntEnum):
    """The exit code of `sinew gateway status`."""

    WELL = 0
    SOMETHING_TO_DO = 1
    NOT_RUNNING = 2


class GatewayStatus(BaseModel):
    """Nothing of the person it serves: no name, no exercise, no measured value."""

    model_config = ConfigDict(frozen=True)

    version: str = VERSION
    server_url: str
    now: datetime
    running_s: float | None = Field(description="how long it has run; None where it does not")
    ended: str | None = Field(None, description="why it could not run when it was started last")
    session: SessionState = SessionState.IDLE
    sensors: tuple[SensorState, ...] = Field(
        (), description="of the session that runs, else those known, not connected"
    )
    records: tuple[SensorRecord, ...] = Field((), description="what the sensors of the running session delivered")
    listeners: int = Field(0, description="phones and room displays connected now")
    versions: dict[str, int] = Field(default_factory=dict, description="models and exercises from the clinic")
    stored: Stored | None = Field(None, description="None where the disk does not answer")
    days_left: int | None = Field(None, description="of exercising that fit on the disk; None where nobody can say")
    conditions: tuple[Condition, ...] = ()

    @property
    def verdict(self) -> Verdict:
        if self.running_s is None:
            return Verdict.NOT_RUNNING
        return Verdict.SOMETHING_TO_DO if self.to_do else Verdict.WELL

    @property
    def to_do(self) -> list[str]:
        """What is not well, one sentence each, in the order in which a person should look at it."""
        return [condition.sentence for condition in self.conditions]


def with_state(known: Iterable[Segment], seen: Iterable[SensorState]) -> tuple[SensorState, ...]:
    """Every sensor: as it was seen last, or not connected where it was not seen since the start."""
    states = {segment: SensorState(segment=segment, name="", connected=False) for segment in known}
    states |= {sensor.segment: sensor for sensor in seen}
    return tuple(states[segment] for segment in sorted(states))


def describe(status: GatewayStatus) -> list[str]:
    """The ten lines, and one more for each thing to do beyond the first."""
    codes = {condition.code for condition in status.conditions}
    lines = [
        ("Gateway", f"Sinew {status.version}, {_running(status)}"),
        ("Clinic", f"{status.server_url}, {_clinic(status, codes)}"),
        ("Program", _program(status)),
        ("Sensors", "; ".join(map(_sensor, status.sensors)) or "none is known: name them in the settings file"),
        ("Session", "none is running" if status.session in _OVER else status.session.value),
        ("Phones", f"{status.listeners} connected"),
        ("Disk", _disk(status)),
        ("Uploads", _uploads(status.stored)),
        ("Clock", f"{_minute(status.now)}{', which may be wrong' if Trouble.CLOCK_WRONG in codes else ''}"),
    ]
    told = [f"{name:{WIDTH}}{text}" for name, text in lines]
    first, *others = _advice(status)
    return [*told, f"{'To do':{WIDTH}}{first}", *(f"{'':{WIDTH}}{other}" for other in others)]


_OVER = {SessionState.IDLE, SessionState.FINISHED}


def _advice(status: GatewayStatus) -> list[str]:
    if status.verdict is Verdict.NOT_RUNNING:
        return [status.ended or "Start it with `sudo systemctl start sinew-gateway`."]
    return status.to_do or ["Nothing: all is well."]


def _running(status: GatewayStatus) -> str:
    return "not running" if status.running_s is None else f"running for {_duration(status.running_s)}"


def _clinic(status: GatewayStatus, codes: set[str]) -> str:
    if status.running_s is None:
        return "not asked, because the gateway does not run"
    return "cannot be reached or says no, see below" if codes & UNREACHED else "no trouble"


def _program(status: GatewayStatus) -> str:
    program = status.stored.program_version if status.stored else None
    versions = [f"{name} version {version}" for name, version in sorted(status.versions.items())]
    return "; ".join(["none yet" if program is None else f"version {program}", *versions])


def _sensor(sensor: SensorState) -> str:
    told = [] if sensor.connected else [f"not connected: {sensor.problem}" if sensor.problem else "not connected"]
    if sensor.battery_percent is not None:
        told.append(f"battery {sensor.battery_percent} %")
    if sensor.signal_dbm is not None:
        told.append(f"signal {sensor.signal_dbm} dBm")
    return f"{sensor.segment.replace('_', ' ')}: {', '.join(told) or 'connected'}"


def _disk(status: GatewayStatus) -> str:
    stored = status.stored
    if stored is None:
        return "does not answer"
    lasts = "" if status.days_left is None else f", enough for {_days(status.days_left)} more"
    return f"{_size(stored.store_bytes)} used, {_size(stored.free_bytes)} free{lasts}"


def _uploads(stored: Stored | None) -> str:
    if stored is None or stored.waiting_since is None:
        return "unknown" if stored is None else "none waits"
    sessions = "1 session" if stored.sessions_waiting == 1 else f"{stored.sessions_waiting} sessions"
    return f"{sessions} ({stored.chunks_waiting} chunks) since {_minute(stored.waiting_since)}"


def _minute(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _duration(seconds: float) -> str:
    minutes = int(seconds // 60)
    for unit, size in (("days", 1440), ("hours", 60)):
        if minutes >= 2 * size:
            return f"{minutes // size} {unit}"
    return f"{minutes} minutes"


def _days(days: int) -> str:
    return "more than 10 years" if days > 3650 else f"{days} days"


def _size(size_bytes: float) -> str:
    for unit, bytes_ in (("GB", 1e9), ("MB", 1e6)):
        if size_bytes >= bytes_:
            return f"{size_bytes / bytes_:.1f} {unit}"
    return f"{size_bytes / 1e3:.0f} kB"
