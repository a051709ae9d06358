"""From what a patient does at home to sensors that can be trusted: a still pose, the joint's axis from a few slow
repetitions, which sensor is where, and whether each sits as it should.

Every step answers with figures of its quality and with `refusal`: None where it is good enough to go by, else one
sentence that says what to do again.
"""

from .drawn import drawn_turns_deg
from .expected_turns import ALONE_MARGIN, ExpectedTurns
from .first_movement import MOVING_RAD_S, STILL_S, AxisFinder, FunctionalAxis
from .hinge_axis import FunctionalHinge, functional_hinge
from .mounting import Fault, Mounting, check_mounting, check_rest, check_slipped, check_strap, plain_name
from .placement import WhereSensorsAre, turned_deg, which_is_where
from .still_pose import StillPose, still_pose
from .walking import walks
from .zero import JointZero, joint_zero

__all__ = [
    "ALONE_MARGIN",
    "MOVING_RAD_S",
    "STILL_S",
    "AxisFinder",
    "ExpectedTurns",
    "Fault",
    "FunctionalAxis",
    "FunctionalHinge",
    "JointZero",
    "Mounting",
    "StillPose",
    "WhereSensorsAre",
    "check_mounting",
    "check_rest",
    "check_slipped",
    "check_strap",
    "drawn_turns_deg",
    "functional_hinge",
    "joint_zero",
    "plain_name",
    "still_pose",
    "turned_deg",
    "walks",
    "which_is_where",
]
