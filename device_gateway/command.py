"""`sinew gateway`: finds the word's module in `commands` and steps aside; without a word it runs the gateway."""

from __future__ import annotations

import importlib
import sys
from typing import NamedTuple


class Word(NamedTuple):
    """A module of `commands` with `main(argv) -> int`, and what it is for."""

    module: str
    purpose: str


WORDS = {
    "run": Word("run", "run the gateway of one patient's home (the same without a word)"),
    "install": Word("install", "make it a service that starts with the computer and minds itself"),
    "exercise": Word("exercise", "exercise without a phone, led through at this terminal"),
    "pair": Word("pair", "a code by which a phone or a display may follow"),
    "phones": Word("phones", "which of them may, and letting one in no more"),
    "status": Word("status", "say in ten lines what is well and what to do"),
    "config": Word("config", "print a complete settings file, or check one"),
}

_ELSEWHERE = """With virtual sensors: sinew gateway --simulate --help.
A sensor's firmware: sinew gateway --update-firmware FILE --help, or --revert-firmware --help."""


def usage() -> str:
    """The words, and what is done by options."""
    lines = [f"  {name:9} {word.purpose}" for name, word in WORDS.items()]
    head = "usage: sinew gateway [WORD] [options]      (sinew gateway WORD --help says more)"
    return "\n".join([head, "", *lines, "", _ELSEWHERE])


def main(argv: list[str]) -> int:
    """Do what the first word says. Returns the exit code; 1 where it cannot be done, and the reason is printed."""
    if sys.maxsize <= 2**32:
        print("sinew gateway: this Python is a 32-bit one: install a 64-bit system on this computer.", file=sys.stderr)
        return 1
    word, *rest = argv if argv and not argv[0].startswith("-") else ["run", *argv]
    if word not in WORDS:
        print(f"sinew gateway: there is no word '{word}'.\n\n{usage()}", file=sys.stderr)
        return 2
    if argv in (["-h"], ["--help"]):
        print(usage())
        return 0
    module = importlib.import_module(f"{__package__}.commands.{WORDS[word].module}")
    code: int = module.main(rest)
    return code
