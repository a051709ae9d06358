#!/usr/bin/env bash
# Installs the named Debian packages that are missing, after saying which. Exit code 1 where apt is not at hand or failed.
set -euo pipefail

command -v apt-get >/dev/null 2>&1 && command -v dpkg-query >/dev/null 2>&1 || exit 1
missing=()
for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || { echo "sinew: needs root to install: ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
fi
printf '\033[1m▸ Installing Debian packages%s: %s\033[0m\n' "${as_root:+ with sudo}" "${missing[*]}"
"${as_root[@]}" apt-get update -qq || exit 1
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || exit 1
