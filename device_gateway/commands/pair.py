"""`sinew gateway pair`: a code by which one more phone or display may follow this gateway."""

from __future__ import annotations

import argparse
import sys

from device_gateway.errors import GatewayError
from device_gateway.live.control import ask

from .home import add_home_options, home_of


def main(argv: list[str]) -> int:
    """Returns 0, or 1 where the gateway does not run; the reason is printed."""
    parser = argparse.ArgumentParser(prog="sinew gateway pair", description=__doc__)
    add_home_options(parser)
    label = parser.add_mutually_exclusive_group()
    label.add_argument("--label", action="store_true", help="the code of the gateway's label, to print it again")
    label.add_argument("--new-label", action="store_true", help="a new label: the code on the old one holds no more")
    label.add_argument("--no-label", action="store_true", help="no code on a label holds any more")
    options = parser.parse_args(argv)
    try:
        home = home_of(options)
        if options.label or options.new_label or options.no_label:
            do = "renew" if options.new_label else "off" if options.no_label else "show"
            print(_label(ask(home, "label", do=do)["code"]))
        else:
            print(_one_time(**ask(home, "pair")))
    except GatewayError as trouble:
        print(f"sinew gateway: {trouble}", file=sys.stderr)
        return 1
    return 0


def _one_time(code: str, minutes: float, url: str) -> str:
    where = f"The gateway is at {url}." if url else "The gateway does not listen now: see `sinew gateway status`."
    return f"Pairing code: {code}\nIt holds for {minutes:.0f} minutes and for one phone. {where}"


def _label(code: str | None) -> str:
    if code is None:
        return "This gateway's label is switched off; --new-label makes a new one."
    return (
        f"Pairing code on the label: {code}\nIt holds for every phone, so keep the label where only the home sees it."
    )
