"""Whole commands: the demo on a real recording at real speed and at twenty times it, and how soon its page answers."""

import contextlib
import re
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from running import SINEW, run_sinew

RECORDING = Path("uci_physical_therapy") / "s1_e1_test.npz"
BATCH_MS = 40.0
"""At 25 Hz a notification holds one sample."""
PROCESSING_MS = 100.0
"""At life's own speed a person sees their movement this long after it at most, on top of the batch it comes in."""


@pytest.mark.parametrize("speed", [20, 1])
def test_replay_of_thirty_knee_extensions(
    speed: int, benchmark: BenchmarkFixture, data_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("demo", "--headless", "--recording", data_folder / RECORDING, "--speed", str(speed), "--port", "0")
    run = benchmark.pedantic(run_sinew, (*command, "--home", tmp_path), rounds=1)
    result: dict[str, Any] = run.result
    latency = result["latency_ms"]
    with capsys.disabled():
        print(
            f"\n  speed {speed}: sent {result['samples_sent']}, stored {result['samples_stored']}, "
            f"lost {result['samples_lost']}; {result['repetitions']} repetitions of 30; movement to its angle event "
            f"p50 {latency['p50']} p95 {latency['p95']} p99 {latency['p99']} ms "
            f"over the angles among {result['live_events']} live events "
            f"(one batch is {BATCH_MS / speed:g} ms); "
            f"{result['wall_s']} s in all"
        )
    assert result["samples_lost"] == 0
    assert 29 <= result["repetitions"] <= 31
    if speed == 1:
        assert latency["p95"] <= PROCESSING_MS + BATCH_MS / speed


def test_demo_to_a_page_that_answers(
    benchmark: BenchmarkFixture, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the command to the sign-in page, with the clinic simulated on the way."""

    def first_page() -> float:
        began = time.perf_counter()
        command = [*SINEW, "demo", "--port", "0", "--home", str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as demo:
            assert demo.stdout is not None
            with contextlib.closing(demo.stdout) as output:
                address = next(found[0] for line in output if (found := re.search(r"http://\S+", line)))
                with urllib.request.urlopen(f"{address}/sign-in") as page:
                    assert page.status == 200
            took = time.perf_counter() - began
            demo.terminate()
            return took

    took_s = benchmark.pedantic(first_page, rounds=1)
    with capsys.disabled():
        print(f"\n  demo to a page that answers: {took_s:.1f} s")
