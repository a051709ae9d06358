"""`sinew gateway exercise`: today's exercise on the gateway that runs here, without a phone. Ctrl+C ends it."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from analytics.domain.check_in import CheckIn, Swelling
from analytics.domain.live import Command, SessionState, Snapshot
from analytics.safety.rules import load_rules
from device_gateway.errors import GatewayError
from device_gateway.live.control import ask

from .home import add_home_options, home_of

LOOK_EVERY_S = 0.5
OVER = {SessionState.IDLE, SessionState.FINISHED}

Say = Callable[[Command | None], Snapshot]


def main(argv: list[str]) -> int:
    """Returns 0 after an exercise, or 1 where there is none; the reason is printed."""
    parser = argparse.ArgumentParser(prog="sinew gateway exercise", description=__doc__)
    add_home_options(parser)
    parser.add_argument("do", nargs="?", choices=("start", "stop"), default="start", help="default: start")
    options = parser.parse_args(argv)
    try:
        home = home_of(options)
        before = _say(home, None)  # before anybody answers questions that no gateway hears
        if options.do == "stop":
            _say(home, Command(command="stop"))
            return 0
        answers = _check_in() if sys.stdin.isatty() else None
        try:
            _say(home, Command(command="start", check_in=answers))
            return follow(lambda command: _say(home, command), before)
        except KeyboardInterrupt:
            _say(home, Command(command="stop"))
            print("\nThe exercise is over.")
            return 0
    except GatewayError as trouble:
        print(f"sinew gateway: {trouble}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, EOFError):
        print("\nNothing was begun.", file=sys.stderr)
        return 1


def follow(say: Say, before: Snapshot, wait: Callable[[float], None] = time.sleep) -> int:
    """Print what happens until the session that began after `before` is over."""
    seen = before
    while True:
        now = say(None)
        for line in news(seen, now):
            print(line, flush=True)
        begun = now.session_id is not None and now.session_id != before.session_id
        if begun and now.state in OVER:
            return 0
        if not begun and now.cue is not None and now.cue != before.cue and now.cue.code == "gateway.refused":
            return 1
        if begun and now.state is SessionState.RATING is not seen.state and sys.stdin.isatty():
            say(Command(command="rate", pain=_number("How much does it hurt now"), effort=_number("How hard was it")))
        seen = now
        wait(LOOK_EVERY_S)


def news(before: Snapshot, now: Snapshot) -> list[str]:
    """What has changed, a line each: where it stands, repetitions, what is said."""
    lines = []
    if now.state is not before.state:
        lines.append(f"[{now.state.replace('_', ' ')}]")
    if now.total_repetitions != before.total_repetitions and now.total_repetitions:
        asked = f" of {now.dose.repetitions}" if now.dose is not None else ""
        lines.append(f"Repetition {now.repetitions}{asked}, set {now.set_number}")
    if now.cue is not None and now.cue != before.cue:
        lines.append(now.cue.text)
    return lines


def _say(home: Path, command: Command | None) -> Snapshot:
    details = {} if command is None else {"command": command.model_dump(mode="json")}
    return Snapshot.model_validate(ask(home, "exercise", **details))


def _check_in() -> CheckIn:
    """The questions before exercising; a red flag ends them."""
    for flag, rule in load_rules().red_flag.items():
        if _one_of(f"{rule.question} (yes/no)", "yes", "no") == "yes":
            return CheckIn(red_flags=(flag,), given_at=datetime.now(UTC))
    now, morning = _number("How much does it hurt now"), _number("How much did it hurt this morning")
    swollen = _one_of("Is the joint more swollen than before the last session? (none/same/more)", *Swelling)
    return CheckIn(
        pain_now=now, pain_this_morning=morning, swelling=Swelling(swollen), red_flags=(), given_at=datetime.now(UTC)
    )


def _number(question: str) -> int:
    return int(_one_of(f"{question}, 0 to 10?", *map(str, range(11))))


def _one_of(question: str, *answers: str) -> str:
    while True:
        answer = input(f"{question} ").strip().lower()
        if answer in answers:
            return answer
        print(f"Please answer with one of: {', '.join(answers)}.")
