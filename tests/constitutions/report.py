"""Searches every constitution with more members than `make test` does, and writes what came of it to `report.md`.

`make constitutions`, or `python -m tests.constitutions.report [--members N]`. Times are those of one machine. The exit
code is 1 if a preset has a flaw, or a broken constitution has none, or one that the floor does not mend.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from tests.constitutions.pin import BROKEN, LIBRARY

from hansa.contracts import program
from hansa.governance.levers import vocabulary
from hansa.governance.search import DEPTH, Report, search
from hansa.governance.traces import lines, trace
from hansa.node import shipped

REPORT = Path(__file__).with_name("report.md")
PLAIN = ("majority", "m_of_n", "single", "two_thirds", "unanimous")
"""The presets under which members are all alike."""
TOGETHER_MEMBERS = 4
"""So many at most where those under which they are not change into others: there are many more states."""
BROKEN_MEMBERS = 4
_LIBRARY = program.check(LIBRARY.read_text("utf-8"), "governance")


def searched(
    names: tuple[str, ...], members: int, progress: Progress, *, fewest: int = 1, floor: bool = False
) -> Report:
    presets = shipped.constitutions()
    checked = {}
    for name in names:
        source = (presets.get(name) or BROKEN / f"{name}.py").read_text("utf-8")
        checked[name] = program.check(source, "constitution", {_LIBRARY.digest: _LIBRARY})
    programs = {name: program.compiled(one) for name, one in checked.items()}
    task = progress.add_task(f"{', '.join(names)}{' on the floor' * floor}", total=1)

    def tell(depth: int, examined: int, known: int) -> None:
        progress.update(task, completed=examined, total=known)

    report = search(programs, vocabulary(checked), members=members, fewest=fewest, floor=floor, progress=tell)
    progress.update(task, completed=report.states, total=report.states)
    return report


def row(begins: str, into: str, report: Report, seconds: float) -> str:
    found = ", ".join(f"{count} {flaw}" for flaw, count in report.found.items() if count) or "none"
    members = f"{report.fewest} to {report.members}"
    return f"| {begins} | {into} | {members} | {report.states:,} | {report.asked:,} | {seconds:.0f} | {found} |"


HEAD = [
    "| begins under | may be changed into | members | states | questions | CPU s | flaws |",
    "|---|---|--:|--:|--:|--:|---|",
]


def run(members: int, progress: Progress) -> Iterator[tuple[str, bool]]:
    """The lines of the report; and with each whether it is as it should be."""
    yield f"# Searches of constitutions, to depth {DEPTH}", True
    yield "", True
    yield (
        "Made by `make constitutions`. What is searched and what the words mean: docs/explanation/constitutions.md.",
        True,
    )
    yield "", True
    yield "## Presets, by themselves, without the floor\n", True
    for line in HEAD:
        yield line, True
    presets = list(shipped.constitutions())
    plans = [((name,), members) for name in presets]
    plans += [((name, *(other for other in PLAIN if other != name)), members) for name in PLAIN[:1]]
    plans += [
        ((name, "majority", "unanimous"), min(members, TOGETHER_MEMBERS)) for name in presets if name not in PLAIN
    ]
    for names, most in plans:
        begun = time.process_time()
        report = searched(names, most, progress)
        others = ", ".join(names[1:]) or "itself"
        yield row(names[0], others, report, time.process_time() - begun), not report.findings
    yield "\n## Broken ones\n", True
    for line in HEAD:
        yield line, True
    traces: list[str] = []
    for name in sorted(path.stem for path in BROKEN.glob("*.py")):
        fewest = 3 if name == "fixed_number" else 2
        for floor in (False, True):
            begun = time.process_time()
            report = searched((name,), BROKEN_MEMBERS, progress, fewest=fewest, floor=floor)
            flaws = {finding.flaw for finding in report.findings} - ({"inequality"} if floor else set())
            title = f"{name}, on the floor" if floor else name
            yield row(title, "itself", report, time.process_time() - begun), bool(flaws) != floor
            if not floor:
                traces += ["\n".join(["```", *lines(trace(finding)), "```"]) for finding in report.findings]
    yield "\nHow they are led there:\n", True
    yield "\n\n".join(traces), True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=7)
    members: int = parser.parse_args().members
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,} states"),
        TimeElapsedColumn(),
    )
    told: list[str] = []
    is_good = True
    with Progress(*columns, console=console) as progress:
        for line, good in run(members, progress):
            told.append(line)
            is_good = is_good and good
            print(line, flush=True)
    REPORT.write_text("\n".join(told) + "\n", "utf-8")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
