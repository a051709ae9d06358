"""A simulated body with exact truth: joint trajectories, the motion of its segments, what worn sensors measure.

`simulate` plays any parts (`repeat`, `rest`, `walk`, ...) of any movement; `seated_knee_extensions` is one scene.
"""

from .mounting import NO_SKIN_MOTION, Mounting, SkinMotion, worn
from .movement import (
    MOVEMENTS,
    ON_THE_LEFT_SIDE,
    ON_THE_RIGHT_SIDE,
    PRONE,
    SITTING,
    STANDING,
    SUPINE,
    Movement,
    Position,
)
from .moving_frame import GRAVITY_M_S2
from .part import Part, TrueRepetition, repeat, rest, sit_down, stand_up, walk
from .performance import Person
from .scene import calibration_while_walking, exercise_session
from .seated_knee import SimulatedBody, seated_knee_extensions
from .sensor import GOOD, IDEAL, INEXPENSIVE, MagneticField, SensorModel
from .session import SimulatedSession, simulate

__all__ = [
    "GOOD",
    "GRAVITY_M_S2",
    "IDEAL",
    "INEXPENSIVE",
    "MOVEMENTS",
    "NO_SKIN_MOTION",
    "ON_THE_LEFT_SIDE",
    "ON_THE_RIGHT_SIDE",
    "PRONE",
    "SITTING",
    "STANDING",
    "SUPINE",
    "MagneticField",
    "Mounting",
    "Movement",
    "Part",
    "Person",
    "Position",
    "SensorModel",
    "SimulatedBody",
    "SimulatedSession",
    "SkinMotion",
    "TrueRepetition",
    "calibration_while_walking",
    "exercise_session",
    "repeat",
    "rest",
    "seated_knee_extensions",
    "simulate",
    "sit_down",
    "stand_up",
    "walk",
    "worn",
]
