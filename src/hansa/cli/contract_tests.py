"""`hansa contract test`: runs the tests that lie beside contract files, and shows which lines they reached."""

import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hansa.cli import output
from hansa.cli.output import Output
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.testing.plugin import Report

_PATTERN: Final = "test_*.py"
_CONTRACT: Final = re.compile(r"^class \w+\(Contract, version=", re.MULTILINE)
_SOURCE_CHARS: Final = 80
_STDERR: Final = 2  # the descriptor: with --json all else goes there
_RAN: Final = (0, 1, 2)
"""Exit codes of pytest behind which there is a report: all passed, some failed, some could not be read."""


@click.command()
@click.argument("where", metavar="FILE|FOLDER", type=click.Path(path_type=Path))
@click.argument("words", metavar="[-- PYTEST WORDS]", nargs=-1)
@click.option(
    "--coverage-min",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Fail unless so many of the contracts' lines are reached.",
)
@click.pass_obj
def test(out: Output, where: Path, words: tuple[str, ...], coverage_min: float | None) -> int:
    """Run the tests beside a contract file, or in a folder, with pytest. Exits with 1 if any fails.

    Every call in them runs on both forms of the contract: as it is written, and as nodes run it. At the end stand the
    lines of contracts that no test reached. Words behind `--` are pytest's own.
    """
    folder = where if where.is_dir() else where.parent
    if not where.exists():
        raise HansaError("argument.file", f"{where}: there is no such file or folder")
    if next(folder.glob(_PATTERN if where.is_file() else f"**/{_PATTERN}"), None) is None:
        raise HansaError(
            "argument.file",
            f"there is no test ({_PATTERN}) beside {where}"
            if where.is_file()
            else f"there is no {_PATTERN} in {where}",
            remedy="`hansa contract new NAME` makes a contract with its tests, to begin from.",
        )
    if find_spec("pytest") is None:
        raise HansaError("argument.extra", "pytest is not installed", remedy="Run `pip install pytest hypothesis`.")
    tests = sorted(folder.glob(_PATTERN)) if where.is_file() else [folder]
    report = _run(out, tests, words)
    fields = _fields(report, where)
    enough = coverage_min is None or (fields["percent"] >= coverage_min and not fields["untested"])
    good = report.failed == 0 and enough and report.passed > 0
    out.show({"passed": good, **fields}, lambda: _text(out, fields, coverage_min))
    return output.DONE if good else output.FAILED


def _run(out: Output, tests: list[Path], words: tuple[str, ...]) -> "Report":
    """Runs pytest apart, so that what it imports and warns of is its own; its words go to people."""
    import msgspec

    from hansa.testing.plugin import Report

    with tempfile.TemporaryDirectory(prefix="hansa-test-") as place:
        file = Path(place, "report.json")
        color = "yes" if out.color else "no"
        command = [sys.executable, "-m", "pytest", "-p", "hansa.testing.plugin", "--hansa-report", str(file)]
        command += ["--import-mode=importlib", f"--color={color}", "-q", *map(str, tests), *words]
        done = subprocess.run(command, check=False, stdout=_STDERR if out.json else None)  # noqa: S603
        if done.returncode not in _RAN or not file.exists():
            told = (
                "pytest found no tests"
                if done.returncode == 5
                else f"pytest ran no tests: it ended with exit code {done.returncode}"
            )
            raise HansaError("argument.value", told, remedy="Read what pytest wrote above.")
        return msgspec.json.decode(file.read_bytes(), type=Report)


def _fields(report: "Report", where: Path) -> dict[str, Any]:
    """All that is to be told, for machines."""
    root = where.resolve()
    files: list[dict[str, Any]] = []
    for each in report.files:
        path = Path(each.file)
        if path == root or root in path.parents:
            shown = str(path.relative_to(root.parent if where.is_file() else root))
            text = path.read_text("utf-8").split("\n")
            missed = [
                {"line": line, "in": body, "source": text[line - 1].strip() if line <= len(text) else ""}
                for line, body in each.missed.items()
            ]
            count = len(each.reached) + len(missed)
            percent = round(100 * len(each.reached) / count, 1) if count else 100.0
            files.append({"file": shown, "lines": count, "reached": each.reached, "missed": missed, "percent": percent})
    lines = sum(each["lines"] for each in files)
    reached = sum(len(each["reached"]) for each in files)
    return {
        "tests": {"passed": report.passed, "failed": report.failed, "skipped": report.skipped},
        "failures": report.failures,
        "files": files,
        "untested": _untested(root, {Path(each.file) for each in report.files}),
        "percent": round(100 * reached / lines, 1) if lines else 0.0,
    }


def _untested(root: Path, deployed: set[Path]) -> list[str]:
    """The contract files that no test deployed, as far as a look at them tells what they are."""
    files = [root] if root.is_file() else sorted(root.glob("**/*.py"))
    return [
        str(path.relative_to(root)) if root.is_dir() else path.name
        for path in files
        if path not in deployed
        and not path.match(_PATTERN)
        and _CONTRACT.search(path.read_text("utf-8", errors="replace")) is not None
    ]


def _text(out: Output, fields: dict[str, Any], coverage_min: float | None) -> str:
    tests = fields["tests"]
    lines: list[str] = [""]
    for each in fields["files"]:
        lines.append(
            f"{each['percent']:5.1f} %  {each['file']}: {len(each['reached'])} of {each['lines']} lines reached"
        )
        for missed in each["missed"]:
            source = output.shown(missed["source"])[:_SOURCE_CHARS]
            lines.append(f"         {missed['line']:5d}  {missed['in']}: {source}")
    lines += [f"{0:5.1f} %  {file}: no test deploys it" for file in fields["untested"]]
    if not fields["files"]:
        lines.append("no test deployed a contract file from here: use the fixture `ledger` and `ledger.deploy(FILE)`")
    counts = ", ".join(f"{count} {name}" for name, count in tests.items() if count)
    good = tests["failed"] == 0 and tests["passed"] > 0
    lines.append(f"{out.style('good' if good else 'failed', fg='green' if good else 'red')}  {counts}")
    if coverage_min is not None and fields["untested"]:
        lines.append(f"{out.style('failed', fg='red')}  {len(fields['untested'])} contract file(s) without a test")
    if coverage_min is not None and fields["percent"] < coverage_min:
        short = f"{fields['percent']:g} % of the lines are reached, {coverage_min:g} % are asked for"
        lines.append(f"{out.style('failed', fg='red')}  {short}")
    return "\n".join(lines)
