"""What an exercise is: where sensors sit, which angle counts, how a repetition goes, what to say."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from .base import Word


class Side(StrEnum):
    LEFT = "left"
    RIGHT = "right"


class Direction(StrEnum):
    """Which way the joint angle goes in the first half of a repetition."""

    FLEXION = "flexion"
    EXTENSION = "extension"


class Segment(StrEnum):
    """A body segment that can wear a sensor."""

    CHEST = "chest"
    PELVIS = "pelvis"
    LEFT_THIGH = "left_thigh"
    RIGHT_THIGH = "right_thigh"
    LEFT_SHANK = "left_shank"
    RIGHT_SHANK = "right_shank"


class Exercise(Word):
    """One entry of the catalogue. Angles are joint flexion in degrees, 0 is the straight joint."""

    code: str
    name: str
    joint: str
    position: str
    proximal: str = Field(description="segment on the body's side of the joint, without its side: thigh")
    distal: str = Field(description="segment beyond the joint, without its side: shank")
    direction: Direction
    rest_flexion_deg: float = Field(description="flexion in the pose a repetition starts from and returns to")
    least_excursion_deg: float = Field(gt=0, description="a smaller movement is not a repetition")
    instructions: tuple[str, ...]
    cues: dict[str, str] = Field(description="cue code to words short enough to be spoken")

    def proximal_segment(self, side: Side) -> Segment:
        return Segment(f"{side}_{self.proximal}")

    def distal_segment(self, side: Side) -> Segment:
        return Segment(f"{side}_{self.distal}")
