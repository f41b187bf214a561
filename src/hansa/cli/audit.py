"""`hansa audit`: reads a stopped ledger again from genesis and says what is not as it must be."""

import sys
from pathlib import Path
from typing import Any

import click

from hansa.cli import output
from hansa.cli.output import Output


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--at-least",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="A receipt, a checkpoint, or a state's folder that somebody kept: the ledger must contain what it saw. "
    "May be repeated.",
)
@click.option("--workers", type=click.IntRange(1, 64), help="Processes that execute again; by default one a core.")
@click.pass_obj
def audit(out: Output, folder: Path, at_least: tuple[Path, ...], workers: int | None) -> int:
    """Audit a ledger that no node uses. Exits with 1 if anything is found.

    Every signature, hash, root and checkpoint is checked, every action executed again. A tail that was lost together
    with everything that had seen it can only be noticed against something outside: give receipts with --at-least.
    """
    from hansa.node.audit import audit as run

    output.log_to_stderr()
    with _Progress(out) as progress:
        report = run(folder, at_least, progress.tell, workers)
    out.show({"sound": report.is_sound, **_fields(report)}, lambda: _text(out, report))
    return output.DONE if report.is_sound else output.FAILED


def _fields(report: Any) -> dict[str, Any]:
    return {name: getattr(report, name) for name in report.__struct_fields__}


def _text(out: Output, report: Any) -> str:
    lines = [
        f"ledger       {output.shown(report.name)}  {report.ledger}",
        f"entries      {report.entries:,} in {report.blocks:,} blocks; {report.executed:,} executed again",
        f"root         {report.root}",
        f"checkpoints  {report.checkpoints:,}",
    ]
    lines += [f"note         {output.shown(note)}" for note in report.notes]
    if report.is_sound:
        return "\n".join([*lines, "", out.style("sound: everything is as it must be", fg="green")])
    lines += ["", out.style(f"{len(report.findings)} finding(s):", fg="red")]
    lines += [f"  {finding.where}: {output.shown(finding.detail)} [{finding.code}]" for finding in report.findings]
    return "\n".join(lines)


class _Progress:
    """A count of entries on stderr, where somebody looks at it."""

    def __init__(self, out: Output) -> None:
        self._shown = not out.json and not out.quiet and sys.stderr.isatty()
        self._progress: Any = None

    def __enter__(self) -> "_Progress":
        if self._shown:
            from rich.console import Console
            from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            columns = (SpinnerColumn(), TextColumn("{task.completed:,} entries read"), TimeElapsedColumn())
            self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
            self._progress.start()
            self._task = self._progress.add_task("audit", total=None)
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def tell(self, entries: int) -> None:
        """So many entries have been read."""
        if self._progress is not None:
            self._progress.update(self._task, completed=entries)
