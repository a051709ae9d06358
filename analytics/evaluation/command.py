"""`sinew evaluate TASK --data DIR [--json]`."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from analytics.evaluation.report import Report
from analytics.signals.recording import RecordingError

TASKS = {
    "orientation": "how far orientations are inclined from an optical reference",
    "hinge": "the angle of a mechanical hinge against an optical reference",
    "rom": "knee flexion and range of motion against an optical reference",
    "repetitions": "repetitions counted against repetitions labelled",
}
"""Each is a module of this package with `evaluate(folder, say) -> Report`."""


def main(argv: list[str]) -> int:
    """Arguments after `sinew evaluate`. Answers the exit code."""
    parser = argparse.ArgumentParser(prog="sinew evaluate", description="Measure the methods on recordings you name.")
    tasks = parser.add_subparsers(dest="task", required=True)
    for name, purpose in TASKS.items():
        task = tasks.add_parser(name, help=purpose, description=f"Measure {purpose}.")
        task.add_argument("--data", type=Path, required=True, help="folder with recordings (.npz), searched to the end")
        task.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args(argv)
    module = importlib.import_module(f"{__package__}.{options.task}")
    try:
        report: Report = module.evaluate(options.data, _say)
    except RecordingError as error:
        print(error, file=sys.stderr)
        return 1
    print(report.as_json(options.task, str(options.data)) if options.json else report.as_text())
    return 0


def _say(line: str) -> None:
    """Progress goes beside the result, never into it."""
    print(line, file=sys.stderr, flush=True)
