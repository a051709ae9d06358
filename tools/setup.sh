#!/usr/bin/env bash
# Makes .venv and installs the locked dependencies and Sinew itself into it. Safe to run again.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\033[1m▸ %s\033[0m\n' "$*"; }
fail() { printf 'sinew: %s\n' "$*" >&2; exit 1; }

# Kivy publishes wheels for CPython up to 3.13.
find_python() {
    local name
    for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    fail "needs Python 3.11, 3.12 or 3.13; none was found. Install one, or name it: make install PYTHON=/path/to/python3.12"
}

python=$(find_python)
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    tools/debian-packages.sh python3-venv ||
        fail "needs Python's venv module, which $python lacks. Install the system package python3-venv (or your system's name for it) and try again."
fi
if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    say "Making .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv .venv
fi
if ! .venv/bin/uv --version >/dev/null 2>&1; then
    say "Installing the installer (uv)"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
fi
say "Installing the locked dependencies (about 800 MB on disk; seconds from a warm cache, minutes from a cold one)"
export VIRTUAL_ENV="$PWD/.venv"
.venv/bin/uv pip sync --require-hashes requirements/all.txt
.venv/bin/uv pip install --quiet --no-deps --no-build-isolation --editable .
touch .venv/.installed
say "Ready: .venv/bin/sinew"
