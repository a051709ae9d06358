"""The sentences that a session says by itself."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

from analytics.domain.live import Cue, CueLevel
from analytics.domain.program import Dose

ALL_DONE = Cue(code="all_done", text="Well done, that was all for today. You can end the session.", level=CueLevel.GOOD)
HURTS = Cue(
    code="hurts",
    text="Stop. Rest the joint. If the pain does not go away, call your physiotherapist. "
    "Chest pain or short of breath: call your emergency number.",
    level=CueLevel.STOP,
)

ABANDONED = Cue(
    code="abandoned",
    text="Nobody has moved for a long time, so this session is over. Start again when you want to go on.",
    level=CueLevel.INFO,
)


def eased_cue(reason: str, dose: Dose, *, test: bool = False) -> Cue:
    """Why less is asked for, and what is asked for now. A test stays what it is: the patient decides how much."""
    far = "" if dose.target_excursion_deg is None else f", to {floor(dose.target_excursion_deg)}°"
    less = "Do no more than is comfortable." if test else f"From now on: {dose.repetitions} repetitions a set{far}."
    return Cue(code="eased", text=f"{reason} {less}", level=CueLevel.WARN)


def stopped_cue(reason: str) -> Cue:
    """Why nothing more is asked for."""
    return Cue(code="stopped", text=reason, level=CueLevel.STOP)


def precautions_cue(precautions: Sequence[str]) -> Cue:
    """What must not happen today, said before it begins."""
    return Cue(code="precautions", text=" ".join(precautions), level=CueLevel.INFO)
