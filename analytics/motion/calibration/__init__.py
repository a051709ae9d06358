"""From what a patient does at home to sensors that can be trusted: a still pose, the joint's axis from a few slow
repetitions, which sensor is where, and whether each sits as it should.

Every step answers with figures of its quality and with `refusal`: None where it is good enough to go by, else one
sentence that says what to do again.
"""

from .first_movement import STILL_S, AxisFinder, FunctionalAxis
from .hinge_axis import FunctionalHinge, functional_hinge
from .mounting import Fault, Mounting, check_mounting, check_slipped, check_strap
from .placement import WhereSensorsAre, turned_deg, which_is_where
from .still_pose import StillPose, still_pose
from .walking import walks
from .zero import JointZero, joint_zero

__all__ = [
    "STILL_S",
    "AxisFinder",
    "Fault",
    "FunctionalAxis",
    "FunctionalHinge",
    "JointZero",
    "Mounting",
    "StillPose",
    "WhereSensorsAre",
    "check_mounting",
    "check_slipped",
    "check_strap",
    "functional_hinge",
    "joint_zero",
    "still_pose",
    "turned_deg",
    "walks",
    "which_is_where",
]
