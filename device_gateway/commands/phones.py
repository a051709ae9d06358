"""`sinew gateway phones`: which phones and displays may follow this gateway, and letting one in no more."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path

from device_gateway.errors import GatewayError
from device_gateway.live.control import ask

from .home import add_home_options, home_of


def main(argv: list[str]) -> int:
    """Returns 0, or 1 where it cannot be done; the reason is printed."""
    parser = argparse.ArgumentParser(prog="sinew gateway phones", description=__doc__)
    add_home_options(parser)
    parser.add_argument("--revoke", metavar="NUMBER", type=int, help="let the phone with this number in no more")
    options = parser.parse_args(argv)
    try:
        home = home_of(options)
        if options.revoke is not None:
            print(_revoke(home, options.revoke))
        for number, phone in enumerate(ask(home, "phones")["phones"], 1):
            print(f"{number:3}  {phone['name']}: let in {_day(phone['paired_at'])}, {_seen(phone['last_seen'])}")
    except GatewayError as trouble:
        print(f"sinew gateway: {trouble}", file=sys.stderr)
        return 1
    return 0


def _revoke(home: Path, number: int) -> str:
    phones = ask(home, "phones")["phones"]
    if not 1 <= number <= len(phones):
        raise GatewayError(f"There is no phone number {number}: `sinew gateway phones` lists them.")
    ask(home, "revoke", id=phones[number - 1]["id"])
    return f"'{phones[number - 1]['name']}' is let in no more. These are:"


def _day(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone():%d %b %Y}"


def _seen(text: str | None) -> str:
    return "never seen" if text is None else f"last seen {datetime.fromisoformat(text).astimezone():%d %b %Y, %H:%M}"
