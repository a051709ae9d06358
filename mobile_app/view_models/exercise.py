# mypy: allow-subclassing-any
"""The exercise as it happens: follows the gateway's live events and sends it commands."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty, OptionProperty, StringProperty

from analytics.domain.check_in import CheckIn
from analytics.domain.exercise import Exercise, Segment, Side
from analytics.domain.live import (
    AngleEvent,
    Command,
    Condition,
    ConditionsEvent,
    Cue,
    CueEvent,
    CueLevel,
    FinishedEvent,
    LiveEvent,
    RepetitionEvent,
    SensorEvent,
    SensorState,
    SessionState,
    Snapshot,
    StateEvent,
)
from analytics.domain.program import Dose
from analytics.domain.session import Repetition
from analytics.exercises import UnknownExercise, exercise_among
from mobile_app import words
from mobile_app.clients.follow import Link

from . import banner
from .banner import PRECAUTIONS, SET_DONE
from .check_in import CheckInViewModel

TRACE_POINTS = 1200
"""Enough for the plot's last seconds at the highest rate of angle events (60 Hz)."""
NOT_UNDER_WAY = {SessionState.IDLE, SessionState.CHOOSING, SessionState.FINISHED}
UNDER_WAY = set(SessionState) - NOT_UNDER_WAY
BEFORE = {SessionState.IDLE, SessionState.CHOOSING, SessionState.CHECKING_IN, SessionState.CONNECTING}
SHOWN_IN = {*BEFORE, SessionState.PLACING, SessionState.CALIBRATING, SessionState.EXERCISING}
"""Where the figure shows the movement as long as no angle moves it."""
LOW_BATTERY_PERCENT = 15


class ExerciseViewModel(EventDispatcher):
    title = StringProperty("")
    joint = StringProperty("", doc="e.g. Right knee")
    exercise = ObjectProperty(None, allownone=True, doc="of the catalogue; None for one that this app does not know")
    side = ObjectProperty(None, allownone=True)
    followed = BooleanProperty(True, doc="by an angle; else repetitions are counted by their pattern, without degrees")
    showing = BooleanProperty(False, doc="the figure shows the movement by itself")
    tempo = StringProperty("", doc="how a repetition goes")
    hold = StringProperty("", doc="how long to hold, of what is held")
    last_s = NumericProperty(0, doc="how long the last repetition took; 0 before the first")
    let_go = StringProperty("", doc="what brings relief when it hurts")
    state = ObjectProperty(SessionState.IDLE)
    link = ObjectProperty(Link.SEARCHING)
    moving = BooleanProperty(False, doc="angles are coming in")
    excursion_deg = NumericProperty(0)
    target_deg = NumericProperty(0, doc="0 where no angle is asked for")
    limit_deg = ObjectProperty(None, allownone=True)
    best_deg = NumericProperty(0)
    repetitions = NumericProperty(0, doc="counted in this set")
    repetitions_asked = NumericProperty(0)
    total = NumericProperty(0)
    set_number = NumericProperty(1)
    sets = NumericProperty(1)
    banner_text = StringProperty("")
    banner_level = OptionProperty("info", options=["info", "good", "warn", "stop"])
    precautions_text = StringProperty("", doc="what must not happen today; until the movements begin")
    condition_text = StringProperty("", doc="the first thing about the gateway that is not well")
    sensors_text = StringProperty("")
    sensors_well = BooleanProperty(True)
    rest_s = NumericProperty(0, doc="of rest still to come")
    action = OptionProperty("", options=["", "start", "pause", "resume", "skip", "finish", "retry"])
    under_way = BooleanProperty(False)
    asking_end = BooleanProperty(False, doc="the patient wants to leave a session that is under way")
    hurt = OptionProperty("", options=["", "asking", "rated"], doc="what follows on 'It hurts'")
    unheard = StringProperty("", doc="that a command did not reach the gateway")

    def __init__(
        self,
        send: Callable[[Command], None],
        *,
        now: Callable[[], datetime],
        on_retry: Callable[[], None],
        on_leave: Callable[[], None],
        on_rated: Callable[[], None],
    ) -> None:
        super().__init__()
        self._send = send
        self._on_retry = on_retry
        self._on_leave = on_leave
        self._on_rated = on_rated
        self.check_in = CheckInViewModel(now, on_answered=self._start, on_close=self._leave_questions)
        self.dose: Dose | None = None
        self.session_id: UUID | None = None
        self.pain: int | None = None
        self.trace: deque[tuple[float, float]] = deque(maxlen=TRACE_POINTS)
        """(session time [s], excursion [°]) for the plot, oldest first."""
        self._cue: Cue | None = None
        self._trouble = ""
        self._code: str | None = None
        self._own: Mapping[str, str] = {}
        self._rest_deg = 0.0
        self._precautions: tuple[str, ...] = ()
        self._conditions: tuple[Condition, ...] = ()
        self._sensors: dict[Segment, SensorState] = {}
        self._say()

    def prepare(
        self,
        *,
        exercise: str,
        side: Side,
        dose: Dose,
        limit_deg: float | None,
        precautions: Sequence[str] = (),
        own: Mapping[str, str] | None = None,
    ) -> None:
        """What the program asks for, shown until the gateway tells of the session itself.

        own: TOML of the clinic's own exercises, by code.
        """
        self._own = own or {}
        self._precautions, self.limit_deg = tuple(precautions), limit_deg
        self._show_exercise(exercise, side)
        self.state, self.pain, self.unheard = SessionState.IDLE, None, ""
        self.hurt, self.asking_end, self.check_in.stage = "", False, ""
        self._new_session(None)
        self._show_dose(dose)
        self._say()

    def hear(self, event: LiveEvent) -> None:
        """Take in one live event."""
        match event:
            case AngleEvent():
                if not self.moving:
                    self.moving = self.followed = True
                    self._say()
                self.excursion_deg = event.excursion_deg
                self.trace.append((event.time_s, event.excursion_deg))
                return  # sixty times a second: nothing else changes
            case Snapshot():
                self._join(event)
            case RepetitionEvent():
                self.set_number, self.repetitions = event.set_number, event.count_in_set
                self.total = event.repetition.number
                self._take(event.repetition)
                self._cue = None  # it spoke of the repetition before
            case CueEvent():
                self._cue = event.cue if event.cue.code != PRECAUTIONS else self._cue
            case ConditionsEvent():
                self._conditions = event.conditions
            case SensorEvent():
                self._sensors[event.sensor.segment] = event.sensor
            case StateEvent():
                if event.set_number != self.set_number:
                    self._cue = self._set_done(self.set_number)
                    self.set_number, self.repetitions = event.set_number, 0
                elif event.state is not self.state:
                    self._cue = None
                if event.dose is not None:
                    self._show_dose(event.dose)
                self.state, self.rest_s = event.state, event.rest_s or 0
            case FinishedEvent():
                self.state = SessionState.FINISHED
        self._say()

    def _set_done(self, number: int) -> Cue:
        rest = (
            f"Rest for about {round(self.dose.rest_s)} seconds" if self.dose and self.dose.rest_s else "Rest a little"
        )
        return Cue(code=SET_DONE, text=f"Set {number} is done. {rest}, then go on.", level=CueLevel.GOOD)

    def _join(self, snapshot: Snapshot) -> None:
        if snapshot.session_id != self.session_id:
            self._new_session(snapshot.session_id)
        self.state, self.rest_s = snapshot.state, snapshot.rest_s or 0
        self.set_number, self.repetitions = snapshot.set_number, snapshot.repetitions
        self.total = snapshot.total_repetitions
        self._cue = snapshot.cue if snapshot.state in UNDER_WAY - {SessionState.CONNECTING} else None
        self._sensors = {sensor.segment: sensor for sensor in snapshot.sensors}
        self._conditions = snapshot.conditions
        if snapshot.state in UNDER_WAY:  # else it tells of the session before, which may be of another exercise
            self._show_led(snapshot)
        if snapshot.flexion_deg is not None:
            self.excursion_deg = abs(self._rest_deg - snapshot.flexion_deg)

    def _show_led(self, snapshot: Snapshot) -> None:
        """What the gateway leads through now, whatever was chosen here."""
        another = (snapshot.exercise, snapshot.side) != (self._code, self.side)
        if snapshot.limit_deg is not None or another:
            self.limit_deg = snapshot.limit_deg
        if snapshot.precautions or another:
            self._precautions = snapshot.precautions
        if another and snapshot.exercise is not None and snapshot.side is not None:
            self._show_exercise(snapshot.exercise, snapshot.side)
        if snapshot.exercise_name is not None:
            self.title = snapshot.exercise_name
        if snapshot.rest_flexion_deg is not None:
            self._rest_deg = snapshot.rest_flexion_deg
        if snapshot.dose is not None:
            self._show_dose(snapshot.dose)

    def _show_exercise(self, code: str, side: Side) -> None:
        self._code, self.side = code, side
        found: Exercise | None
        try:
            found = exercise_among(self._own, code)
        except UnknownExercise:  # a newer gateway may lead through more than this app knows
            found = None
        self.exercise = found
        self.title = found.name if found else "A new exercise"
        self.joint = words.joint_in_words(side, found.joint) if found else ""
        self.tempo = words.tempo(found) if found else ""
        self.hold = words.hold(found) if found else ""
        self.let_go = words.let_go(found)
        self.followed = found is None or found.angle is not None
        self._rest_deg = found.angle.rest_deg if found and found.angle else 0.0

    def _take(self, repetition: Repetition) -> None:
        self.last_s = repetition.end_s - repetition.start_s
        if repetition.excursion_deg is None:
            self.followed = False  # by its pattern, whatever the exercise could be followed by
        else:
            self.best_deg = max(self.best_deg, repetition.excursion_deg)

    def _new_session(self, session_id: UUID | None) -> None:
        self.session_id = session_id
        self.trace.clear()
        self.moving, self.excursion_deg, self.best_deg, self.last_s = False, 0, 0, 0
        self.repetitions, self.total, self.set_number = 0, 0, 1
        self._cue = None

    def _show_dose(self, dose: Dose) -> None:
        self.dose = dose
        self.sets, self.repetitions_asked = dose.sets, dose.repetitions
        self.target_deg = dose.target_excursion_deg or 0

    def hear_link(self, link: Link, trouble: str) -> None:
        """How the line to the gateway stands, with a sentence when it is down."""
        self.link, self._trouble = link, trouble
        if link is Link.CONNECTED:
            self.unheard = self.check_in.unheard = ""
        else:
            self.moving = False
        self._say()

    def _say(self) -> None:
        """Bring everything that follows from state, line and sensors up to date."""
        silent = next((s for s in self._sensors.values() if not s.connected), None)
        said = banner.choose(
            link=self.link,
            trouble=self._trouble,
            state=self.state,
            silent_sensor="" if silent is None else words.SEGMENT_WORDS[silent.segment],
            cue=self._cue,
            hurting=self.hurt != "",
            rest_s=round(self.rest_s),
            joint=self.joint.split(" ")[-1].lower(),
            position=words.TAKE_POSITION[self.exercise.posture] if self.exercise else "",
        )
        self.banner_text, self.banner_level = said.text, said.level.value
        self.precautions_text = "\n".join(self._precautions) if self.state in BEFORE else ""
        known = self.link is Link.CONNECTED and self._conditions
        self.condition_text = self._conditions[0].sentence if known else ""
        self.under_way = self.state in UNDER_WAY
        self.showing = not self.moving and self.hurt == "" and self.state in SHOWN_IN
        self.action = self._possible_action()
        self._say_sensors(silent)

    def _possible_action(self) -> str:
        if self.link is Link.UNREACHABLE:
            return "retry"
        if self.link is Link.SEARCHING:
            return ""
        match self.state:
            case SessionState.IDLE | SessionState.CHOOSING | SessionState.FINISHED:
                return "start"
            case SessionState.PLACING | SessionState.STILL | SessionState.CALIBRATING | SessionState.EXERCISING:
                return "pause"
            case SessionState.RESTING:
                return "skip"
            case SessionState.RATING:
                return "finish"
            case SessionState.PAUSED:
                return "resume"
            case _:
                return ""

    def _say_sensors(self, silent: SensorState | None) -> None:
        low = next((s for s in self._sensors.values() if _is_low(s.battery_percent)), None)
        self.sensors_well = self.link is Link.CONNECTED and silent is None and low is None
        if self.link is not Link.CONNECTED:
            self.sensors_text = "No gateway"
        elif silent is not None:
            self.sensors_text = "Sensor silent"
        elif low is not None:
            self.sensors_text = f"Battery {low.battery_percent} %"
        else:
            self.sensors_text = words.count(len(self._sensors), "sensor") + " on" if self._sensors else "Gateway ready"

    def act(self) -> None:
        """The main button."""
        match self.action:
            case "retry":
                self._on_retry()
            case "start":
                self.check_in.begin()
            case "finish":
                self._send(Command(command="stop"))
            case "pause" | "resume" | "skip":
                self._send(Command(command=self.action))

    def _start(self, check_in: CheckIn) -> None:
        """The questions are answered. The gateway judges the answers by the same rules, and tells the clinic."""
        self._send(Command(command="start", exercise=self._code, side=self.side, check_in=check_in))

    def _leave_questions(self) -> None:
        if not self.under_way:
            self._on_leave()

    def leave(self) -> None:
        """Go back; a session that is under way is paused, and the patient asked whether it shall end."""
        if self.under_way and self.link is Link.CONNECTED:
            self.asking_end = True
            self._send(Command(command="pause"))
        else:
            self._on_leave()

    def go_on(self) -> None:
        self.asking_end, self.hurt = False, ""
        if self.under_way:
            self._send(Command(command="resume"))
        self._say()

    def end(self) -> None:
        """End before all is done: what was done is kept and sent as it is."""
        self.asking_end, self.hurt = False, ""
        if self.under_way and self.link is Link.CONNECTED:
            self._send(Command(command="stop"))
            self._say()
        else:
            self._on_leave()

    def it_hurts(self) -> None:
        """Stop at once, then ask how much. The gateway hears of it before the question is answered."""
        self.hurt = "asking"
        self._send(Command(command="hurts"))
        self._say()

    def rate_pain(self, pain: int) -> None:
        self.pain = pain
        self.hurt = "rated"
        self._send(Command(command="hurts", pain=pain))
        self._on_rated()

    def could_not_send(self, sentence: str) -> None:
        """The line is down. Only what must be heard is told later: what else was meant may be wrong by then."""
        self.unheard = self.check_in.unheard = sentence


def _is_low(battery_percent: int | None) -> bool:
    return battery_percent is not None and battery_percent <= LOW_BATTERY_PERCENT
