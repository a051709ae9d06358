"""What may differ between one clinic's server and another's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta, tzinfo
from pathlib import Path

from server.zone import local_zone

MEBIBYTE = 1024 * 1024

REJECTION_HOLDS = timedelta(days=7)
"""How long a rejected change is not proposed again. A week is three sessions or more, the same time after which a dose
may grow at all (analytics/safety/rules.toml, `progress`), so there is something new to judge by; a convention."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`home` is the only thing without a sensible default: the folder that holds everything the clinic must keep."""

    home: Path
    host: str = "127.0.0.1"
    port: int = 8000
    largest_body_bytes: int = 8 * MEBIBYTE
    """A report of an hour with its angle trace is below 1 MiB; anything near this limit is not ours."""
    largest_chunk_bytes: int = MEBIBYTE
    """Ten seconds of seven sensors at 400 Hz are 0.3 MiB before compression."""
    claim_code_lifetime: timedelta = timedelta(minutes=10)
    refit_after_points: int = 50
    """How many new course points make the population model stale. A refit takes about as long as a page view."""
    rejection_holds: timedelta = REJECTION_HOLDS
    zone: tzinfo = field(default_factory=local_zone)
    """The clinic's time zone: which day it is there, for restrictions and for the pages."""
    least_free_bytes: int = 64 * MEBIBYTE
    """The server does not start on a disk with less: it would accept an evening's sessions and then fail."""

    @property
    def database_path(self) -> Path:
        return self.home / "clinic.sqlite3"

    @property
    def releases_path(self) -> Path:
        """Where models and exercises for the gateways are put."""
        return self.home / "releases"

    @property
    def exercises_path(self) -> Path:
        """Where the clinic puts exercises of its own, a TOML file each."""
        return self.home / "exercises"
