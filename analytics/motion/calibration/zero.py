"""Where 0° of a joint comes from: a patient who cannot straighten the knee must not read 0°."""

from __future__ import annotations

from dataclasses import dataclass

from analytics.domain.session import Zero

LEAST_DEG, MOST_DEG = -30.0, 180.0
"""Beyond these no human joint is measured."""


@dataclass(frozen=True, slots=True)
class JointZero:
    """flexion_deg: flexion in the pose from which excursions are counted."""

    flexion_deg: float
    source: Zero

    @property
    def verified(self) -> bool:
        """Whether a clinician measured it, or it is only what the pose should be."""
        return self.source is Zero.GONIOMETER


def joint_zero(assumed_deg: float, goniometer_deg: float | None = None) -> JointZero:
    """The clinician's goniometer value of the pose where there is one, else what the exercise assumes of it.

    Raises ValueError for a value that no joint has.
    """
    if goniometer_deg is None:
        return JointZero(assumed_deg, Zero.REST_POSE_UNVERIFIED)
    if not LEAST_DEG <= goniometer_deg <= MOST_DEG:
        raise ValueError(
            f"A joint angle of {goniometer_deg:g}° cannot be; enter one between {LEAST_DEG:g}° and {MOST_DEG:g}°."
        )
    return JointZero(goniometer_deg, Zero.GONIOMETER)
