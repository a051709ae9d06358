"""Figures in plain words, as the patient reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from statistics import median

from analytics.domain.exercise import Joint, Segment, Side
from analytics.domain.program import Dose, Prescription, Restriction
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
    return f"You did {how_many} and moved your {joint} {range_deg(repetitions)}°."


def range_deg(repetitions: Sequence[Repetition]) -> int:
    """The range a session stands for: the median of its best three, as the clinic's course has it."""
    return round(median(sorted((repetition.excursion_deg for repetition in repetitions), reverse=True)[:3]))


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
    return "Degrees are counted from how you sat at the start; nobody has measured that position."


def waiting_in_words(waiting: int) -> str:
    """What the outbox holds; empty where it is empty."""
    if waiting == 0:
        return ""
    return f"{count(waiting, 'answer')} saved on this phone, will be sent when the network is back."
