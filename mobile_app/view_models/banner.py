"""The one line that speaks during an exercise: the most important thing there is to say now."""

from __future__ import annotations

from dataclasses import dataclass

from analytics.domain.live import Cue, CueLevel, SessionState
from mobile_app.clients.follow import Link

SET_DONE = "set_done"
PRECAUTIONS = "precautions"
"""The code of a cue that says what is shown beside the banner for as long as it helps."""

WHILE = {
    SessionState.CHOOSING: "{position} Press Start when you are ready.",
    SessionState.CHECKING_IN: "Your gateway waits for the answers to its questions.",
    SessionState.PLACING: "Move slowly and fully, a few times. The sensors are getting to know your {joint}.",
    SessionState.STILL: "Keep quite still for two seconds.",
    SessionState.RESTING: "Rest. {rest_s} seconds to go.",
    SessionState.RATING: "Well done, that was all for today. Press Finish.",
    SessionState.IDLE: "{position} Press Start when you are ready.",
    SessionState.CONNECTING: "Looking for your sensors. Make sure that they are switched on.",
    SessionState.CALIBRATING: "Move slowly and fully, a few times. The sensors are getting to know your {joint}.",
    SessionState.EXERCISING: "Go on calmly, at your own pace.",
    SessionState.PAUSED: "Paused. Take your time.",
    SessionState.FINISHED: "This session is finished.",
}


@dataclass(frozen=True)
class Banner:
    """Words and how urgent they are; the level is shown as a sign and a colour too."""

    text: str
    level: CueLevel


def choose(
    *,
    link: Link,
    trouble: str,
    state: SessionState,
    silent_sensor: str,
    cue: Cue | None,
    hurting: bool,
    joint: str,
    position: str,
    rest_s: int = 0,
) -> Banner:
    """The order of the cases is the order of importance."""
    if hurting:
        return Banner("Stopped. Rest, and breathe calmly.", CueLevel.STOP)
    if link is Link.UNREACHABLE:
        return Banner(trouble, CueLevel.WARN)
    if link is Link.SEARCHING:
        return Banner("Looking for your gateway.", CueLevel.INFO)
    if silent_sensor and state in {SessionState.CALIBRATING, SessionState.EXERCISING}:
        return Banner(
            f"The sensor on your {silent_sensor} is silent. Wait a moment, or bring it closer.", CueLevel.WARN
        )
    if cue is not None and not (state is SessionState.RESTING and cue.code == SET_DONE):
        return Banner(cue.text, cue.level)
    said = WHILE[state].format(joint=joint or "movement", position=position, rest_s=rest_s)
    return Banner(said.strip(), CueLevel.INFO)
