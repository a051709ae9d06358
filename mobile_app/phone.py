# mypy: allow-subclassing-any
"""The app without its window: which screen is shown, and what happens between them.

Everything the patient does comes in through the view models; everything the clinic and the gateway say comes in through
the clients; both meet here and in the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import OptionProperty

from analytics.domain.exercise import Side
from analytics.domain.live import AngleEvent, Command, FinishedEvent, LiveEvent, RepetitionEvent, Snapshot
from analytics.domain.program import Assignment, Dose
from analytics.domain.session import EasingAction, Feedback, SessionReport
from analytics.exercises import UnknownExercise, exercise_among
from analytics.safety.envelope import restricted_to
from analytics.safety.precautions import precautions
from analytics.safety.today import dose_today

from . import words
from .account import Account, TokenStore
from .clients.clinic import Clinic, ClinicError, ClinicUnreachable, GatewayAddress, SignInRefused
from .clients.follow import Follower, Link
from .store import SavedSession, Store, StoreError
from .sync import FeedbackSync, Outcome
from .tasks import Tasks
from .urgent import Urgent, must_be_heard
from .view_models.after import AfterViewModel
from .view_models.exercise import UNDER_WAY, ExerciseViewModel
from .view_models.sign_in import SignInViewModel
from .view_models.today import TodayViewModel, due

ASK_WITHIN = timedelta(hours=24)
"""How long after a session the patient is still asked how it felt."""


def was_refused(report: SessionReport) -> bool:
    """The answers to the first questions spoke against exercising."""
    stopped = any(easing.action is EasingAction.STOPPED for easing in report.easings)
    return report.check_in is not None and stopped and not report.hurts and not report.repetitions


class Phone(EventDispatcher):
    screen = OptionProperty("sign_in", options=["sign_in", "today", "exercise", "after"])

    def __init__(
        self, store: Store, clinic: Clinic, tokens: TokenStore, *, now: Callable[[], datetime], random: Random
    ) -> None:
        """`now` answers in UTC."""
        super().__init__()
        self._store = store
        self._clinic = clinic
        self._tokens = tokens
        self._now = now
        self._assignment: Assignment | None = None
        self._gateway: GatewayAddress | None = None
        self._following: asyncio.Task[None] | None = None
        self._feedback_id: UUID | None = None
        self._finished_session: UUID | None = None
        self.tasks = Tasks()
        self.sign_in = SignInViewModel(clinic, self.tasks, self._signed_in)
        self.today = TodayViewModel()
        self.exercise = ExerciseViewModel(
            self._command,
            now=now,
            on_retry=self._retry_gateway,
            on_leave=self.show_today,
            on_rated=self._leave_exercise,
        )
        self.after = AfterViewModel(now, self._keep_feedback)
        self._urgent = Urgent(store, now)
        self._follower = Follower(self._find_gateway, self._hear, self._hear_link, random=random)
        self._sync = FeedbackSync(store, clinic, tokens, now=now, random=random, on_round=self._sent_round)
        if store.set_aside is not None:
            self.sign_in.notice = (
                "This phone's memory was damaged and has been begun anew. Nothing at your clinic is lost."
            )

    def start(self) -> None:
        """Begin what runs in the background. Needs a running asyncio loop."""
        self.tasks.start(self._sync.run())
        account = self._tokens.recall()
        if account is not None:
            self._signed_in(account)

    def stop(self) -> None:
        """Cancel all work, before the window that shows it is gone."""
        self.tasks.cancel()

    async def close(self) -> None:
        await self.tasks.close()

    # Signing in and out

    def _signed_in(self, account: Account) -> None:
        self._tokens.keep(account)
        self._assignment = self._store.assignment(account.patient_id)
        self._sync.wake()
        self.show_today()

    def sign_out(self) -> None:
        """Forget the token here and at the clinic. What the phone has saved stays."""
        account = self._tokens.recall()
        self._forget_account("")
        if account is not None:
            self.tasks.start(self._sign_out_at_clinic(account.token))

    async def _sign_out_at_clinic(self, token: str) -> None:
        try:
            await self._clinic.sign_out(token)
        except ClinicError:
            return  # the token is forgotten here, and ends at the clinic by itself

    def _forget_account(self, notice: str) -> None:
        self._stop_following()
        self._tokens.forget()
        self._assignment = self._gateway = None
        self.sign_in.notice = notice
        self.screen = "sign_in"

    # Today

    def show_today(self) -> None:
        account = self._tokens.recall()
        if account is None:
            return
        self._stop_following()
        if self._store.untold(account.patient_id):
            self._following = self.tasks.start(self._follower.run())
        self.today.greet(account.name, self._now().astimezone())
        self._show_assignment()
        self._show_waiting()
        self.screen = "today"
        self.tasks.start(self._refresh(account))

    def _show_assignment(self) -> None:
        if self._assignment is None:
            self.today.can_start = False
        else:
            self.today.show(self._assignment, self._now().astimezone(), self._done_today())

    def _done_today(self) -> set[tuple[str, Side]]:
        """What the gateway counts as done, as far as this phone has heard."""
        account, now = self._tokens.recall(), self._now()
        reports = self._store.reports_since(account.patient_id, now - timedelta(days=1)) if account else []
        today = now.astimezone().date()
        return {
            (report.exercise, report.side)
            for report in reports
            if report.repetitions and report.started_at.astimezone().date() == today
        }

    def _show_waiting(self) -> None:
        account = self._tokens.recall()
        if account is not None:
            waiting = self._store.waiting_feedback(account.patient_id)
            untold = words.STILL_UNTOLD if self._store.untold(account.patient_id) else ""
            self.today.waiting = " ".join(filter(None, (untold, words.waiting_in_words(len(waiting)))))
            since = self._now() - ASK_WITHIN
            self.today.ask_about(self._store.session_without_feedback(account.patient_id, since=since))

    def refresh(self) -> None:
        account = self._tokens.recall()
        if account is not None:
            self.tasks.start(self._refresh(account))

    async def _refresh(self, account: Account) -> None:
        """Fetch the program that is in force. Without a network the saved one stands, and the screen says so."""
        try:
            assignment = await self._clinic.assignment(account.token)
        except SignInRefused:
            if self._tokens.recall() == account:
                self._forget_account("Your sign-in has ended. Please sign in again; nothing saved here is lost.")
            return
        except ClinicError as error:
            saved = isinstance(error, ClinicUnreachable) and self._assignment is not None
            self.today.notice = "No network: this is the program as this phone last knew it." if saved else str(error)
            return
        with suppress(StoreError):  # the program is fetched again each time; a full disk must not hide it
            self._store.save_assignment(assignment, now=self._now())
        if self._tokens.recall() == account:
            self._assignment = assignment
            self._show_assignment()
            self._sync.wake()

    def answer_about_last_session(self) -> None:
        session = self.today.unrated_session and self._store.session(self.today.unrated_session)
        if session:
            self._show_after(session, pain=self.exercise.pain if session.id == self.exercise.session_id else None)

    # Exercise

    def start_exercise(self) -> None:
        """Go to the exercise and follow the gateway. The session begins with Start there."""
        if self._assignment is None or not self.today.can_start:
            return
        program = self._assignment.program
        prescription = due(program, self._done_today())
        today = self._now().astimezone().date()
        self.exercise.prepare(
            exercise=prescription.exercise,
            side=prescription.side,
            dose=dose_today(prescription, program.restrictions, today),
            limit_deg=restricted_to(prescription, program.restrictions, today),
            precautions=precautions(prescription, program.restrictions, today),
            own=self._assignment.exercises,
        )
        self._finished_session = None
        self.screen = "exercise"
        self._stop_following()
        self._following = self.tasks.start(self._follower.run())

    def _stop_following(self) -> None:
        if self._following is not None:
            self._following.cancel()
            self._following = None

    async def _find_gateway(self) -> GatewayAddress:
        account = self._tokens.recall()
        if account is None:
            raise SignInRefused("Please sign in again.")
        try:
            self._gateway = await self._clinic.gateway(account.token)
        except ClinicUnreachable:
            if self._gateway is None:
                raise
        return self._gateway

    def _retry_gateway(self) -> None:
        self._follower.try_now()

    def _command(self, command: Command) -> None:
        """Send it; what must be heard is saved first."""
        unheard = words.NOT_HEARD
        account = self._tokens.recall()
        if account is not None and must_be_heard(command):
            try:
                self._store.keep_urgent(account.patient_id, self.exercise.session_id, command)
                unheard = words.HEARD_LATER
            except StoreError:
                unheard = words.NOT_KEPT
        self.tasks.start(self._send_command(command, unheard))

    async def _send_command(self, command: Command, unheard: str) -> None:
        if not await self._follower.send(command):
            self.exercise.could_not_send(unheard)

    def _hear_link(self, link: Link, trouble: str) -> None:
        if link is Link.CONNECTED:
            self._urgent.connected()
        self.exercise.hear_link(link, trouble)

    def _hear(self, event: LiveEvent) -> None:
        self._settle_urgent(event)
        if self.screen == "exercise":
            self._follow(event)

    def _settle_urgent(self, event: LiveEvent) -> None:
        """Tell what is owed to the gateway; on the other screens the line is only there for that."""
        account = self._tokens.recall()
        if account is None or isinstance(event, AngleEvent):
            return
        try:
            told = self._urgent.hear(account.patient_id, event)
        except StoreError:
            return  # it stays owed, and the gateway takes the same again
        for command in told:
            self.tasks.start(self._send_command(command, words.HEARD_LATER))
        if self.screen == "today":
            self._show_waiting()
            if not self._store.untold(account.patient_id):
                self._stop_following()

    def _follow(self, event: LiveEvent) -> None:
        """Save first, then show: what the patient sees counted is on the disk."""
        if isinstance(event, FinishedEvent) and was_refused(event.report):
            self.exercise.hear(event)  # nothing was done: there is nothing to save, and nothing to ask about
            return
        state, session_id = self.exercise.state, self.exercise.session_id
        try:
            self._save(event, session_id)
        except StoreError as error:
            self.exercise.unheard = str(error)
        self.exercise.hear(event)
        if isinstance(event, FinishedEvent):
            self._finish(event.report.id)
        elif isinstance(event, Snapshot) and state in UNDER_WAY and event.state not in UNDER_WAY:
            self._finish(session_id)  # it ended while the line was down

    def _save(self, event: LiveEvent, session_id: UUID | None) -> None:
        account = self._tokens.recall()
        if account is None:
            return
        if isinstance(event, RepetitionEvent) and session_id is not None:
            self._store.save_repetition(account.patient_id, session_id, event.repetition, now=self._now())
        elif isinstance(event, FinishedEvent) and event.report.patient_id == account.patient_id:
            self._store.save_report(event.report, now=self._now())

    def _finish(self, session_id: UUID | None) -> None:
        self._finished_session = session_id
        self._leave_exercise()

    def _leave_exercise(self) -> None:
        """Go on to the questions once the session has ended and pain, if any, has been rated."""
        if self._finished_session is None or self.exercise.hurt == "asking":
            return
        session = self._store.session(self._finished_session)
        if session is not None:
            self._stop_following()
            self._show_after(session, pain=self.exercise.pain)

    # After

    def _show_after(self, session: SavedSession, *, pain: int | None) -> None:
        self.after.open(session, *self._asked_in(session), pain=pain)
        self.screen = "after"

    def _asked_in(self, session: SavedSession) -> tuple[Dose | None, str]:
        """The dose that stands for that session's exercise, and its joint; of one not heard to its end, today's."""
        program = self._assignment.program if self._assignment is not None else None
        if session.report is not None:
            code, side = session.report.exercise, session.report.side
        elif program is not None:
            first = due(program, self._done_today())
            code, side = first.exercise, first.side
        else:
            return None, self.today.joint.lower()
        doses = {(p.exercise, p.side): p.dose for p in program.prescriptions} if program is not None else {}
        try:
            own = self._assignment.exercises if self._assignment is not None else {}
            joint = words.joint_in_words(side, exercise_among(own, code).joint)
        except UnknownExercise:
            joint = self.today.joint
        return doses.get((code, side)), joint.lower()

    def _keep_feedback(self, feedback: Feedback) -> None:
        account = self._tokens.recall()
        if account is not None:
            self._feedback_id = feedback.id
            try:
                self._store.queue_feedback(account.patient_id, feedback)
            except StoreError as error:
                self.after.could_not_save(str(error))
            else:
                self._sync.wake()

    def _sent_round(self, outcome: Outcome) -> None:
        if outcome is Outcome.SIGN_IN_AGAIN and self._tokens.recall() is not None:
            self._forget_account("Your sign-in has ended. Please sign in again; your answers are saved on this phone.")
            return
        self._show_waiting()
        if self._feedback_id is not None:
            sent, refusal = self._store.feedback_outcome(self._feedback_id)
            if sent:
                self.after.sent()
            elif refusal is not None:
                self.after.refused(refusal)
