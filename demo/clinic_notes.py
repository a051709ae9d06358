"""What the demo notes about its clinic, beside the database, so that it can be run again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from analytics.simulation.patient import SESSION_SD_DEG, TrueRecovery
from demo.errors import DemoError


@dataclass(frozen=True, slots=True)
class Login:
    role: str
    login: str
    password: str


@dataclass(frozen=True, slots=True)
class DemoClinic:
    """Who lives here, how the live patient truly recovers, and how to get in."""

    live_patient_id: str
    live_patient_name: str
    live_surgery_on: date
    live_truth: TrueRecovery
    logins: tuple[Login, ...]

    def login_of(self, role: str) -> Login:
        return next(login for login in self.logins if login.role == role)

    def live_range_deg(self, now: datetime, rng: np.random.Generator, *, largest_deg: float) -> float:
        """What the live patient's knee can do in a session now: the true course, and how people differ from day to day.

        Never drawn from what was measured before: the error of each session would be the next one's ability.
        """
        operated_at = datetime.combine(self.live_surgery_on, time(), tzinfo=UTC)
        able_deg = self.live_truth.range_deg((now - operated_at) / timedelta(days=1))
        return float(min(able_deg + rng.normal(0, SESSION_SD_DEG), largest_deg))


_CLINIC = TypeAdapter(DemoClinic)


def recall(home: Path) -> DemoClinic | None:
    """What was noted in this folder; None where nothing was. Raises DemoError where it cannot be read."""
    path = home / "demo.json"
    try:
        return _CLINIC.validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as damage:
        raise DemoError(
            f"What the demo notes in {path} is damaged or of another version: delete the folders server and gateway-* "
            f"in {home.parent}, which hold nothing but simulated patients, or choose another folder with --home."
        ) from damage


def remember(home: Path, clinic: DemoClinic) -> None:
    """Whole or not at all, whenever the demo may be interrupted."""
    beside = home / "demo.json.new"
    beside.touch(mode=0o600)
    beside.write_text(json.dumps(asdict(clinic), indent=1, default=str), "utf-8")
    beside.replace(home / "demo.json")
