"""`sinew train form`: trains the model that judges how a repetition was done."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from analytics.exercises import exercise
from analytics.form.bundle import FormScorer
from analytics.form.card import BundleError
from analytics.signals.recording import RecordingError
from analytics.training.dataset import (
    DataError,
    describe_simulated,
    describe_uci,
    simulated_repetitions,
    uci_folder,
    uci_repetitions,
)

CODE = "knee.extension.seated"


def main(argv: list[str]) -> int:
    """Arguments after `sinew train`. Answers the exit code."""
    parser = argparse.ArgumentParser(prog="sinew train", description="Train a model and write it with its card.")
    tasks = parser.add_subparsers(dest="task", required=True)
    form = tasks.add_parser("form", help="how a repetition was done", description="Train the model that judges form.")
    form.add_argument(
        "--data",
        type=Path,
        help="folder with uci_physical_therapy (default: SINEW_DATA; without either, simulated bodies)",
    )
    form.add_argument("--out", type=Path, default=Path(f"{CODE}.tflite"), help="file to write (default: %(default)s)")
    form.add_argument("--seed", type=int, default=0)
    form.add_argument("--version", type=int, default=1, help="version of the model, in its card (default: %(default)s)")
    options = parser.parse_args(argv)
    try:
        return _train_form(options.data, options.out, options.seed, options.version)
    except ImportError as error:
        print(f"Training needs scikit-learn, which is not installed ({error}); install sinew[train].", file=sys.stderr)
    except (DataError, RecordingError, BundleError) as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(f"{options.out} cannot be written ({error.strerror}); choose another --out.", file=sys.stderr)
    return 1


def _train_form(data: Path | None, out: Path, seed: int, version: int) -> int:
    from analytics.training.form import train  # noqa: PLC0415 - scikit-learn is there only with the extra `train`

    chosen = exercise(CODE)
    if data is None and (named := os.environ.get("SINEW_DATA")):
        data = Path(named)
    if data is None:
        print("No data named: training on simulated bodies, and the card says so.", flush=True)
        labelled = simulated_repetitions(chosen, seed, _say)
        about = describe_simulated(labelled)
    else:
        folder = uci_folder(data)
        labelled = uci_repetitions(folder, chosen, _say)
        about = describe_uci(folder, labelled)
    bundle = train(chosen, labelled, about, seed=seed, version=version, progress=_say)
    scorer = FormScorer(bundle)  # as the gateway will: card, golden values and all
    out.write_bytes(bundle)
    print(
        f"Wrote {out} ({len(bundle)} bytes), model {scorer.name}, {about.repetitions} repetitions of {about.subjects}."
    )
    return 0


def _say(line: str) -> None:
    print(line, flush=True)
