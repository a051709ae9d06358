"""Which gateway on this computer is meant, for the words that speak to one that runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from device_gateway.operations.configuration import read_configuration


def add_home_options(parser: argparse.ArgumentParser) -> None:
    """`--config` and `--home`, which `home_of` reads."""
    parser.add_argument("--config", metavar="FILE", type=Path, help="settings file (default: /etc/sinew/gateway.toml)")
    parser.add_argument("--home", metavar="DIR", type=Path, help="folder of what the gateway keeps, in place of a file")


def home_of(options: argparse.Namespace) -> Path:
    """The home that was named, else that of the settings file. Raises GatewayError where that is spoilt or missing."""
    home: Path | None = options.home
    return read_configuration(options.config).home if home is None else home.expanduser()
