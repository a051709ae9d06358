"""What a simulated person does for exercises of the catalogue, by their codes: all that have one angle, but for rows,
swings and slides of the shoulder, hands and knees, and tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .movement import MOVEMENTS, ON_THE_LEFT_SIDE, PRONE, SITTING, STANDING, SUPINE, Movement, Pose, Position, both

FLEXION, ADDUCTION, ROTATION = 0, 1, 2
KNEES_BENT = Position("right_foot", STANDING.orientation, both(hip=40.0, knee=100.0, ankle=-30.0), SUPINE.sway_deg)
"""On the back, feet flat."""
STEPPED_FORWARD = Position(
    "right_foot",
    STANDING.orientation,
    {"right_hip": (35.0, 0, 0), "right_knee": (15.0, 0, 0), "right_ankle": (-20.0, 0, 0), "left_hip": (-30.0, 0, 0)},
    STANDING.sway_deg,
)
FOOT_ON_STEP = Position(
    "right_foot",
    STANDING.orientation,
    {"right_hip": (67.0, 0, 0), "right_knee": (65.0, 0, 0), "right_ankle": (10.0, 0, 0)},
    STANDING.sway_deg,
)
BENT_ELBOW = {"right_elbow": (90.0, 0.0, 0.0)}
ARM_UP = {"right_shoulder": (90.0, 90.0, -90.0)}


def _one(
    position: Position, joint: str, degrees: float, axis: int = FLEXION, *, start: Pose | None = None, held: str = ""
) -> Movement:
    """One angle of one joint goes there and back."""
    by_axis = ((degrees, 0.0, 0.0), (0.0, degrees, 0.0), (0.0, 0.0, degrees))
    return Movement(position, joint, {joint: by_axis[axis]}, axis, start=start or {}, held=held)


def _legs(position: Position, joint: str, axis: int = FLEXION, **degrees: float) -> Movement:
    return Movement(position, joint, {f"right_{name}": (deg, 0.0, 0.0) for name, deg in degrees.items()}, axis)


MOVEMENT_OF: Mapping[str, Movement] = {
    "ankle.dorsiflexion.seated": MOVEMENTS["ankle_dorsiflexion"],
    "ankle.plantarflexion.seated": _one(SITTING, "right_ankle", -30.0),
    "ankle.inversion.band": _one(SITTING, "right_ankle", 22.0, 1),
    "ankle.eversion.band": _one(SITTING, "right_ankle", -16.0, 1),
    "ankle.heel_raise": MOVEMENTS["heel_raise"],
    "elbow.flexion.curl": MOVEMENTS["elbow_flexion"],
    "elbow.extension.supine": _one(SUPINE, "right_elbow", -100.0, start={**ARM_UP, "right_elbow": (110.0, 0.0, 0.0)}),
    "elbow.pronation": MOVEMENTS["forearm_pronation"],
    "elbow.supination": _one(SITTING, "right_elbow", -70.0, 2, start={"right_elbow": (90.0, 0.0, 30.0)}),
    "hip.abduction.side_lying": MOVEMENTS["side_lying_hip_abduction"],
    "hip.abduction.standing": MOVEMENTS["standing_hip_abduction"],
    "hip.bridge": Movement(KNEES_BENT, "right_hip", both(hip=-50.0, knee=-25.0)),
    "hip.clamshell": _one(
        ON_THE_LEFT_SIDE, "right_hip", -35.0, 2, start={"right_hip": (45.0, 0, 0), "right_knee": (90.0, 0, 0)}
    ),
    "hip.extension.prone": _one(PRONE, "right_hip", -18.0),
    "hip.extension.standing": _one(STANDING, "right_hip", -20.0, held="left_foot"),
    "hip.flexion.standing": Movement(
        STANDING, "right_hip", {"right_hip": (75.0, 0, 0), "right_knee": (80.0, 0, 0)}, held="left_foot"
    ),
    "hip.flexion.supine": _legs(SUPINE, "right_hip", hip=60.0, knee=90.0),
    "hip.straight_leg_raise.supine": MOVEMENTS["straight_leg_raise"],
    "knee.curl.prone": MOVEMENTS["prone_knee_flexion"],
    "knee.curl.standing": _one(STANDING, "right_knee", 90.0, held="left_foot"),
    "knee.extension.seated": MOVEMENTS["seated_knee_extension"],
    "knee.extension.terminal_standing": _legs(
        Position("right_foot", STANDING.orientation, both(hip=18.0, knee=36.0, ankle=18.0), STANDING.sway_deg),
        "right_knee",
        hip=-16.0,
        knee=-32.0,
        ankle=-16.0,
    ),
    "knee.heel_slide": MOVEMENTS["heel_slide"],
    "knee.lunge": _legs(STEPPED_FORWARD, "right_knee", hip=45.0, knee=70.0, ankle=25.0),
    "knee.mini_squat": Movement(STANDING, "right_knee", both(hip=45.0, knee=45.0, ankle=18.0)),
    "knee.short_arc": _one(SUPINE, "right_knee", -35.0, start={"right_hip": (35.0, 0, 0), "right_knee": (40.0, 0, 0)}),
    "knee.sit_to_stand": Movement(
        Position("right_foot", STANDING.orientation, both(hip=110.0, knee=95.0, ankle=15.0), SITTING.sway_deg),
        "right_knee",
        both(hip=-110.0, knee=-95.0, ankle=-15.0),
    ),
    "knee.squat": MOVEMENTS["squat"],
    "knee.step_down": _legs(STANDING, "right_knee", hip=45.0, knee=55.0, ankle=22.0),
    "knee.step_up": _legs(FOOT_ON_STEP, "right_knee", hip=-67.0, knee=-63.0, ankle=-10.0),
    "knee.wall_sit": replace(
        Movement(STANDING, "right_knee", both(hip=75.0, knee=75.0, ankle=0.0)), tempo_s=(2.0, 8.0, 2.0)
    ),
    "neck.flexion": _one(SITTING, "neck", 45.0),
    "neck.extension": _one(SITTING, "neck", -40.0),
    "neck.lateral_flexion": _one(SITTING, "neck", 35.0, 1),
    "neck.rotation": MOVEMENTS["neck_rotation"],
    "shoulder.abduction.standing": MOVEMENTS["shoulder_abduction"],
    "shoulder.flexion.standing": MOVEMENTS["shoulder_flexion"],
    "shoulder.external_rotation.band": MOVEMENTS["shoulder_rotation"],
    "shoulder.internal_rotation.band": _one(
        SITTING, "right_shoulder", 50.0, 2, start={"right_shoulder": (0.0, 0.0, -20.0), **BENT_ELBOW}
    ),
    "shoulder.scaption": _one(STANDING, "right_shoulder", 110.0, 1, start={"right_shoulder": (35.0, 0.0, -35.0)}),
    "trunk.extension.prone": _one(PRONE, "trunk", -25.0),
    "trunk.flexion.seated": MOVEMENTS["trunk_flexion"],
    "trunk.lateral_flexion.standing": MOVEMENTS["trunk_side_bend"],
    "trunk.rotation.seated": _one(SITTING, "trunk", 40.0, 2),
    "trunk.pelvic_tilt": replace(Movement(KNEES_BENT, "right_hip", both(hip=-14.0)), tempo_s=(1.5, 5.0, 1.5)),
    "wrist.flexion": MOVEMENTS["wrist_flexion"],
    "wrist.extension": _one(SITTING, "right_wrist", -50.0, start=BENT_ELBOW),
    "wrist.radial_deviation": _one(SITTING, "right_wrist", -20.0, 1, start=BENT_ELBOW),
    "wrist.ulnar_deviation": _one(SITTING, "right_wrist", 28.0, 1, start=BENT_ELBOW),
}
