"""What an exercise is: where sensors sit, which angle counts, how a repetition goes, what to say, when not to do it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from .base import Word
from .body import Direction, Joint, Part, Segment, Side, movements
from .drawing import Drawing
from .program import WeightBearing
from .timed_test import TimedTest

__all__ = ["Direction", "Exercise", "Joint", "NoSingleAngleError", "Part", "Segment", "Side"]

CODE = r"^[a-z0-9_]+(\.[a-z0-9_]+)+$"
Sentence = Annotated[str, Field(min_length=1, max_length=160)]
Spoken = Annotated[str, Field(min_length=1, max_length=60)]
"""Words short enough to be spoken between two repetitions."""


class NoSingleAngleError(ValueError):
    """Asked for the angle between two sensors of an exercise that is not followed by one."""


class Posture(StrEnum):
    SITTING = "sitting"
    STANDING = "standing"
    SUPINE = "supine"
    PRONE = "prone"
    SIDE_LYING = "side_lying"
    KNEELING = "kneeling"
    HANDS_AND_KNEES = "hands_and_knees"


class RepetitionKind(StrEnum):
    OUT_AND_BACK = "out_and_back"
    HOLD = "hold"
    ALTERNATING = "alternating"
    CIRCLE = "circle"
    WALKING = "walking"


class Follows(StrEnum):
    """What repetitions are counted on."""

    ANGLE = "angle"
    PATTERN = "pattern"


class Alone(Word):
    """One sensor in place of all: enough for as long as other segments keep still."""

    segment: Part
    still: tuple[Part, ...] = Field(default=(), description="segments that must not move, or it holds no longer")
    follows: Follows = Follows.ANGLE


class Layout(Word):
    """One way to follow an exercise: which segments must wear a sensor, and what repetitions are counted on.

    Two segments and an angle: the angle between them. One segment and an angle: how far it turns against gravity.
    """

    segments: tuple[Part, ...]
    still: tuple[Part, ...] = ()
    follows: Follows

    def on(self, side: Side) -> tuple[Segment, ...]:
        """From the body outwards."""
        return tuple(part.on(side) for part in self.segments)


class Sensors(Word):
    """Segments with sensors, named from the body outwards."""

    required: tuple[Part, ...] = Field(min_length=1, max_length=2)
    optional: tuple[Part, ...] = Field(default=(), description="each lets a compensation be seen")
    alone: tuple[Alone, ...] = ()


class PrimaryAngle(Word):
    """The angle that makes a repetition. Its zero is the joint's, not the rest pose's."""

    direction: Direction = Field(description="which way it goes in the first half of a repetition")
    rest_deg: float = Field(ge=-180, le=180, description="in the pose a repetition starts from and returns to")
    least_excursion_deg: float = Field(gt=0, le=180, description="a smaller movement is not a repetition")


class RepetitionForm(Word):
    """How one repetition goes. A time that is left out is the patient's own."""

    kind: RepetitionKind
    out_s: float | None = Field(default=None, gt=0, le=60)
    hold_s: float = Field(default=0, ge=0, le=120)
    back_s: float | None = Field(default=None, gt=0, le=60)

    @model_validator(mode="after")
    def _holds(self) -> Self:
        if self.kind is RepetitionKind.HOLD and self.hold_s == 0:
            raise ValueError("hold_s must be above 0 where the kind is hold")
        return self


class DefaultDose(Word):
    """Where a physiotherapist starts from; see `program.Dose` for what is then prescribed."""

    sets: int = Field(ge=1, le=20)
    repetitions: int = Field(ge=1, le=100)
    rest_s: float = Field(default=60, ge=0, le=600)
    target_excursion_deg: float | None = Field(default=None, gt=0, le=180)


class Compensation(Word):
    """A movement that people help themselves with. What leans or turns both ways is limited both ways."""

    cue: str
    name: Sentence
    joint: Joint
    direction: Direction
    limit_deg: float = Field(gt=0, le=90, description="away from the start of the repetition")

    @property
    def needs(self) -> tuple[Part, ...]:
        """The segments that must wear a sensor for it to be seen."""
        return _parts(self.joint, self.direction)


class Exercise(Word):
    """One entry of the catalogue."""

    code: str = Field(pattern=CODE)
    name: str = Field(min_length=1, max_length=60)
    joint: Joint
    posture: Posture
    position: Sentence = Field(description="how to take the starting position")
    instructions: tuple[Sentence, ...] = Field(min_length=1, max_length=6)
    sensors: Sensors
    angle: PrimaryAngle | None = Field(default=None, description="without one, a demonstration is followed")
    repetition: RepetitionForm
    dose: DefaultDose
    weight_bearing: WeightBearing = Field(
        default=WeightBearing.NONE, description="the least that must be allowed to the leg for this to be done"
    )
    compensations: tuple[Compensation, ...] = ()
    cues: dict[str, Spoken] = Field(description="cue code to words short enough to be spoken")
    contraindications: dict[str, Sentence] = Field(description="code to words: do not prescribe it then")
    precautions: dict[str, Sentence] = Field(default_factory=dict, description="code to words: take care then")
    drawing: Drawing
    test: TimedTest | None = None
    sources: tuple[str, ...] = Field(min_length=1)
    codes: dict[str, str] = Field(default_factory=dict, description="in other systems: loinc, snomed_ct")

    @property
    def follows(self) -> Follows:
        return Follows.PATTERN if self.angle is None else Follows.ANGLE

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """The ways to follow it, the best first."""
        alone = (Layout(segments=(one.segment,), still=one.still, follows=one.follows) for one in self.sensors.alone)
        return (Layout(segments=self.sensors.required, follows=self.follows), *alone)

    def layout(self, worn: Collection[Segment], side: Side) -> Layout | None:
        """The best way to follow it with the sensors that are worn; None where they are too few."""
        return next((one for one in self.layouts if set(one.on(side)) <= set(worn)), None)

    @property
    def direction(self) -> Direction:
        return self._angle().direction

    @property
    def toward(self) -> int:
        """Whether the primary angle grows (1) or falls (-1) in the first half of a repetition."""
        return movements(self.joint)[self.direction].sign

    @property
    def rest_flexion_deg(self) -> float:
        """The primary angle in the rest pose, whatever it is called."""
        return self._angle().rest_deg

    @property
    def least_excursion_deg(self) -> float:
        return self._angle().least_excursion_deg

    @property
    def proximal(self) -> Part:
        """The segment on the body's side of the joint."""
        return self._pair()[0]

    @property
    def distal(self) -> Part:
        """The segment beyond the joint."""
        return self._pair()[1]

    def proximal_segment(self, side: Side) -> Segment:
        return self.proximal.on(side)

    def distal_segment(self, side: Side) -> Segment:
        return self.distal.on(side)

    def _angle(self) -> PrimaryAngle:
        if self.angle is None:
            raise NoSingleAngleError(f"{self.name} has no single angle: it is followed by a demonstration.")
        return self.angle

    def _pair(self) -> tuple[Part, Part]:
        self._angle()
        if len(self.sensors.required) != 2:
            raise NoSingleAngleError(f"{self.name} is followed by one sensor, not by the angle between two.")
        return self.sensors.required[0], self.sensors.required[1]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for check in (self._check_angle, self._check_dose, self._check_compensations, self._check_codes):
            check()
        return self

    def _check_angle(self) -> None:
        if self.angle is None:
            return
        _check_direction("angle.direction", self.joint, self.angle.direction)
        needed = _parts(self.joint, self.angle.direction)
        if self.sensors.required != needed:
            raise ValueError(f"sensors.required must be {_listed(needed)}: this angle of the {self.joint} needs those")

    def _check_dose(self) -> None:
        if (self.angle is None) != (self.dose.target_excursion_deg is None):
            raise ValueError("dose.target_excursion_deg belongs to an angle: give both or neither")
        target_deg = self.dose.target_excursion_deg
        if self.angle and target_deg and target_deg < self.angle.least_excursion_deg:
            raise ValueError("dose.target_excursion_deg is below angle.least_excursion_deg: raise it to that at least")

    def _check_compensations(self) -> None:
        worn = {*self.sensors.required, *self.sensors.optional}
        for one in self.compensations:
            _check_direction(f"the direction of the compensation {one.cue}", one.joint, one.direction)
            if one.cue not in self.cues:
                raise ValueError(f"the compensation {one.cue} has no words: add them under cues")
            if missing := set(one.needs) - worn:
                raise ValueError(
                    f"the compensation {one.cue} is seen only with a sensor on {_listed(sorted(missing))}: "
                    "add it to sensors.optional"
                )

    def _check_codes(self) -> None:
        if unknown := set(self.codes) - {"loinc", "snomed_ct"}:
            raise ValueError(f"codes has {_listed(sorted(unknown))}; allowed are loinc and snomed_ct")


def _parts(joint: Joint, direction: Direction) -> tuple[Part, ...]:
    return joint.parts[-1:] if movements(joint)[direction].angle.against_gravity else joint.parts


def _check_direction(field: str, joint: Joint, direction: Direction) -> None:
    if direction not in movements(joint):
        raise ValueError(f"{field} is {direction}, which a {joint} cannot do; allowed are {_listed(movements(joint))}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
