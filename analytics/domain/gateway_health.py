"""What a gateway tells the clinic of its own health, once a day: figures and codes only.

No field can hold free text, a name or a measurement, so nothing personal can be in it whatever a later program puts in.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import Word

Version = Annotated[str, Field(pattern=r"^[0-9]{1,4}(\.[0-9]{1,6}){1,3}$")]
Code = Annotated[str, Field(pattern=r"^[a-z_]{1,20}\.[a-z_]{1,24}$")]
"""Of a condition, as `disk.full`."""
Count = Annotated[int, Field(ge=0, le=10**15)]


class GatewayHealth(Word):
    """Samples are those of the sessions sent since the program started."""

    sinew: Version
    python: Version
    machine: Literal["aarch64", "x86_64", "other"]
    uptime_s: Count
    conditions: tuple[Code, ...] = Field(max_length=40)
    disk_free_bytes: Count
    sessions_waiting: Count
    sessions_refused: Count
    samples_received: Count
    samples_lost: Count
