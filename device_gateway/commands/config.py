"""`sinew gateway config`: print a complete settings file with every key explained, or check one."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from device_gateway.errors import GatewayError
from device_gateway.operations.configuration import commented_file, read_configuration


def main(argv: list[str]) -> int:
    """Returns 0, or 1 where the checked file cannot be used; the reason is printed."""
    parser = argparse.ArgumentParser(prog="sinew gateway config", description=__doc__)
    parser.add_argument("--check", metavar="FILE", type=Path, help="say whether the gateway could start with this file")
    options = parser.parse_args(argv)
    if options.check is None:
        print(commented_file({}), end="")
        return 0
    try:
        read_configuration(options.check)
    except GatewayError as trouble:
        print(f"sinew gateway: {trouble}", file=sys.stderr)
        return 1
    print(f"{options.check} is in order.")
    return 0
