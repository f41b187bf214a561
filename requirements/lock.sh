#!/bin/sh
# Locks what pyproject.toml asks for, with hashes, for every platform. Needs `uv` (pip install uv). Run by hand.
set -eu
cd "$(dirname "$0")/.."
lock() { uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-annotate --no-header "$@"; }
lock pyproject.toml --output-file requirements/base.txt
lock --group build --output-file requirements/build.txt
lock pyproject.toml --group dev --group build --output-file requirements/dev.txt
