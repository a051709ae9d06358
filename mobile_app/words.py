"""Figures in plain words, as the patient reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from statistics import median

from analytics.domain.exercise import Exercise, Joint, Part, Posture, RepetitionKind, Segment, Side
from analytics.domain.program import Dose, Prescription, Restriction, WeightBearing
from analytics.domain.session import Form, FormLabel, Repetition, Zero
from analytics.safety.precautions import precaution

SECONDS_PER_REPETITION = 5.0
"""A calm repetition with the pause after it; only used to say about how long an exercise takes."""
SECONDS_TO_SETTLE = 60.0
"""Sitting down and letting the sensors find the joint's axis."""

NOT_HEARD = "Your gateway did not hear this. Please try again when it answers."
HEARD_LATER = "Your gateway did not hear this yet. It is kept on this phone, and told as soon as your gateway answers."
NOT_KEPT = "Your gateway did not hear this, and this phone could not keep it. Please call your clinic."
STILL_UNTOLD = "What you said of your health has not reached your gateway yet. This phone goes on trying."

PAIN_ENDS = ("no pain at all", "as bad as it can be")
EFFORT_ENDS = ("no effort at all", "everything I had")

SEGMENT_WORDS = {
    **{segment: segment.replace("_", " ") for segment in Segment},
    Segment.PELVIS: "hip",
    Segment.LEFT_SHANK: "left lower leg",
    Segment.RIGHT_SHANK: "right lower leg",
}


def greeting(hour: int) -> str:
    """What one says at this hour of the day."""
    if 4 <= hour < 12:
        return "Good morning"
    return "Good afternoon" if 12 <= hour < 18 else "Good evening"


def day_in_words(day: date) -> str:
    """'Monday, 23 November'."""
    return f"{day:%A}, {day.day} {day:%B}"


def count(number: int, one: str, many: str | None = None) -> str:
    """'1 repetition', '7 repetitions'."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def joint_in_words(side: Side, joint: str) -> str:
    """'Right knee', but 'Neck'."""
    return f"{side.value.capitalize()} {joint}" if Joint(joint).has_sides else joint.capitalize()


TAKE_POSITION = {
    Posture.SITTING: "Sit down comfortably.",
    Posture.STANDING: "Stand comfortably, with something firm near you.",
    Posture.SUPINE: "Lie down on your back.",
    Posture.PRONE: "Lie down on your front.",
    Posture.SIDE_LYING: "Lie down on your good side.",
    Posture.KNEELING: "Kneel down.",
    Posture.HANDS_AND_KNEES: "Go on to your hands and knees.",
}


def let_go(exercise: Exercise | None) -> str:
    """What brings relief when it hurts, wherever the movement stood."""
    if exercise is None:
        return "Let go."
    if exercise.weight_bearing is not WeightBearing.NONE:
        return "Sit down if you can."
    part = exercise.sensors.required[-1]
    if part in {Part.THIGH, Part.SHANK, Part.FOOT}:
        return "Put your foot down." if exercise.posture is Posture.SITTING else "Put your leg down."
    return "Let your arm rest." if part in {Part.UPPER_ARM, Part.FOREARM, Part.HAND} else "Let go."


def tempo(exercise: Exercise) -> str:
    """`2 s out, hold 3 s, 2 s back`: how a repetition goes; what is left out is the patient's own."""
    form = exercise.repetition
    parts = [
        f"{form.out_s:g} s out" if form.out_s else "",
        f"hold {form.hold_s:g} s" if form.hold_s else "",
        f"{form.back_s:g} s back" if form.back_s else "",
    ]
    return ", ".join(filter(None, parts)) or "At your own pace"


def hold(exercise: Exercise) -> str:
    """`hold for 10 s`, of exercises that are held; else nothing, since the turn matters more than how long it takes."""
    held = exercise.repetition.kind is RepetitionKind.HOLD
    return f"hold for {exercise.repetition.hold_s:g} s each time" if held else ""


def about_minutes(prescriptions: Sequence[Prescription]) -> int:
    """Whole minutes that a program takes, rounded up to at least one."""
    seconds = SECONDS_TO_SETTLE
    for dose in (prescription.dose for prescription in prescriptions):
        seconds += dose.sets * dose.repetitions * SECONDS_PER_REPETITION + (dose.sets - 1) * dose.rest_s
    return max(1, -(-int(seconds) // 60))


def restriction_in_words(restriction: Restriction, today: date) -> str | None:
    """None when the restriction has ended."""
    if not restriction.in_force(today):
        return None
    return precaution(restriction)


def what_you_did(repetitions: Sequence[Repetition], dose: Dose | None, joint: str) -> str:
    """One honest sentence: how many of how many, and how far. `joint` is e.g. 'right knee'."""
    done = len(repetitions)
    if done == 0:
        return "No repetition was counted this time."
    asked = dose.sets * dose.repetitions if dose is not None else None
    how_many = f"{done} of {count(asked, 'repetition')}" if asked is not None else count(done, "repetition")
    moved_deg = range_deg(repetitions)
    moved = "" if moved_deg is None else f" and moved your {joint} {moved_deg}°"
    return f"You did {how_many}{moved}."


def range_deg(repetitions: Sequence[Repetition]) -> int | None:
    """The range a session stands for: the median of its best three, as the clinic's course has it.

    None where no angle was followed.
    """
    ranges = (repetition.excursion_deg for repetition in repetitions)
    best = sorted((one for one in ranges if one is not None), reverse=True)[:3]
    return round(median(best)) if best else None


def how_it_looked(forms: Sequence[Form]) -> str:
    """What the model said of the form, and how often it said nothing. Empty where there is nothing to tell."""
    labels = Counter(form.label for form in forms)
    judged = len(forms) - labels[FormLabel.NOT_JUDGED]
    if judged == 0:
        return "How they were done could not be judged." if forms else ""
    parts = [f"{labels[FormLabel.CORRECT]} of {judged} were done well"]
    if labels[FormLabel.TOO_FAST]:
        parts.append(f"{labels[FormLabel.TOO_FAST]} a little too fast")
    if labels[FormLabel.LOW_AMPLITUDE]:
        parts.append(f"{labels[FormLabel.LOW_AMPLITUDE]} not far enough")
    tail = f" {labels[FormLabel.NOT_JUDGED]} could not be judged." if labels[FormLabel.NOT_JUDGED] else ""
    return ", ".join(parts) + "." + tail


def zero_in_words(zero: Zero | None) -> str:
    """Said once, in small words, where the zero of the joint was not measured."""
    if zero is not Zero.REST_POSE_UNVERIFIED:
        return ""
    return "Degrees are counted from your position at the start; nobody has measured that position."


def waiting_in_words(waiting: int) -> str:
    """What the outbox holds; empty where it is empty."""
    if waiting == 0:
        return ""
    return f"{count(waiting, 'answer')} saved on this phone, will be sent when the network is back."
