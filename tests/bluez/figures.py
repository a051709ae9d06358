"""The figures of a run as a table. An emulated processor is many times slower than a Raspberry Pi's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

STREAMS = {
    "stream": "100/s, 5 samples each, AcquireNotify",
    "acquire_notify": "500/s, 1 sample each, AcquireNotify",
    "start_notify": "500/s, 1 sample each, StartNotify",
}
TIMES = (
    ("power", "begun_s", "from the kernel's begin to the first scenario"),
    ("power", "seconds", "adapter switched on and scanned with"),
    ("scan", "seconds", "scan until all five are found"),
    ("connect", "seconds", "connect all five"),
    ("disconnection", "latency_s", "the sensor hangs up until the callback"),
    ("disconnection", "reconnect_s", "… and until it is connected again"),
    ("out_of_range", "latency_s", "out of range until the callback (supervision timeout 2 s)"),
    ("out_of_range", "reconnect_s", "back in range until it streams again"),
    ("pairing", "seconds", "pairing, Just Works"),
    ("hang_up", "seconds", "disconnect all five"),
)


def table(results: dict[str, Any]) -> Iterator[str]:
    """Lines to print. A scenario that failed has no figures."""
    for scenario, figure, what in TIMES:
        if figure in results.get(scenario, {}):
            yield f"{results[scenario][figure]:8.3f} s  {what}"
    yield f"{'notifications':38} {'each s':>7} {'lost':>5}  CPU of an emulated core [%]"
    for scenario, what in STREAMS.items():
        if "error" not in results.get(scenario, {"error": ""}):
            streamed = results[scenario]
            cpu = ", ".join(f"{name} {percent:.0f}" for name, percent in streamed["cpu_percent"].items())
            yield f"{what:38} {streamed['notifications_per_s']:7.1f} {sum(streamed['lost']):5}  {cpu}"
