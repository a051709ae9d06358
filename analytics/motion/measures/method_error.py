"""How far a measure taken with worn sensors lies from the same measure taken with cameras, in two cases of three.

Measured on a person's squats, lunges and steps (tools/measure_tables.py prints the table of docs/measures.md); each
figure is the larger one of squats and of lunges and steps, rounded up, since one must hold for the other. All of the
difference is put down to the sensors.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class MethodError:
    """One standard deviation: a part that is always there, and a share of the value, independent of each other."""

    fixed: float = 0.0
    share: float = 0.0

    def of(self, value: float) -> float:
        return hypot(self.fixed, self.share * value)


FROM_RATE = ".rate"
"""Marks smoothness that is taken from a sensor's angular rate rather than from the joint angle's velocity. It sees the
wobble of skin and straps in all directions, and LDLJ, twice differentiated, hardly anything else."""

METHOD_ERROR = MappingProxyType(
    {
        "peak_velocity": MethodError(share=0.15),
        "mean_velocity": MethodError(share=0.11),
        "time": MethodError(fixed=0.03),
        # Of both ends; the recordings are cut to the movement and test the turning point only.
        "duration": MethodError(fixed=0.04),
        "sparc": MethodError(fixed=0.07),
        "ldlj": MethodError(fixed=1.0),
        "sparc" + FROM_RATE: MethodError(fixed=0.22),
        "ldlj" + FROM_RATE: MethodError(fixed=3.2),
        # Of leans up to 20° and of straight knees, against cameras: hardly ever too large, beyond 20° far too small.
        "lean": MethodError(fixed=1.0, share=0.25),
        "bend": MethodError(fixed=2.0, share=0.1),
        # Of simulated people.
        "twist": MethodError(fixed=1.0, share=0.05),
    }
)
