"""`sinew demo`: the whole system on this computer, with one patient exercising."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from demo.command_line import INTERRUPTED, add_playback_arguments, run_to_the_end
from demo.run import DemoOptions, run_demo

PORT = 8420


def main(argv: list[str]) -> int:
    """Run the demo. Returns 0 after an orderly end, 1 after one sentence on what stood in the way, 130 cut short."""
    arguments = _parser().parse_args(argv)
    options = DemoOptions(
        home=arguments.home.expanduser(),
        port=arguments.port,
        recording=arguments.recording,
        speed=arguments.speed,
        headless=arguments.headless,
        open_browser=not arguments.headless and bool(os.environ.get("DISPLAY") or sys.platform in {"darwin", "win32"}),
    )

    async def demo() -> int:
        if result := await run_demo(options):
            print(result.model_dump_json(), flush=True)
        return 0

    ended = INTERRUPTED if options.headless else 0  # without a result to wait for, Ctrl+C is how a demo ends
    return run_to_the_end("sinew demo", demo, options.home, interrupted=ended)


def _parser() -> argparse.ArgumentParser:
    data = Path(os.environ.get("XDG_DATA_HOME", "~/.local/share"))
    parser = argparse.ArgumentParser(prog="sinew demo", description=__doc__)
    parser.add_argument("--headless", action="store_true", help="no browser; one session; a JSON object as last line")
    add_playback_arguments(parser)
    parser.add_argument(
        "--port", metavar="N", type=int, default=PORT, help=f"the server's port (default {PORT}; 0: any)"
    )
    parser.add_argument(
        "--home", metavar="DIR", type=Path, default=data / "sinew" / "demo", help="where everything is kept"
    )
    return parser
