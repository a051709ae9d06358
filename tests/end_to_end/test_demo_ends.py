"""How `sinew demo` ends before it is through: a script must not take it for a result, and nobody wants a traceback."""

import itertools
import signal
import subprocess
from pathlib import Path

from running import SINEW


def test_interrupted_without_a_result_is_no_success(tmp_path: Path) -> None:
    command = [*SINEW, "demo", "--headless", "--port", "0", "--home", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        assert demo.stderr is not None
        told = list(itertools.takewhile(lambda line: " repetitions" not in line, demo.stderr))
        assert demo.poll() is None, told
        demo.send_signal(signal.SIGINT)
        output, errors = demo.communicate(timeout=30)
    assert (demo.returncode, output) == (130, "")
    assert "Traceback" not in errors


def test_it_ends_quietly_when_nobody_reads(tmp_path: Path) -> None:
    """`sinew demo | true`"""
    command = [*SINEW, "demo", "--speed", "8", "--port", "0", "--home", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        demo.stdout.close()
        assert demo.stderr is not None
        errors = demo.stderr.read()
        assert demo.wait(30) == 0
    assert "Error" not in errors
