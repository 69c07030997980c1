#!/bin/sh
# Writes requirements-dev.txt anew: the newest packages that pyproject.toml allows, as found in an empty environment.
set -eu

CDPATH= cd -- "$(dirname -- "$0")/.."
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV
export PIP_DISABLE_PIP_VERSION_CHECK=1

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT INT TERM

sh scripts/setup.sh
.venv/bin/python -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet '.[dev]'
{
    printf '# The versions with which Watchword is developed and checked. Made by `make lock`, used as constraints by scripts/setup.sh.\n'
    "$work/venv/bin/python" -m pip freeze --exclude watchword | LC_ALL=C sort -f
} >"$work/requirements"
cp -- "$work/requirements" requirements-dev.txt
