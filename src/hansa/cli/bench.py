"""`hansa bench`: the project's own figures on this machine, in about a minute."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from hansa.cli import output
from hansa.cli.output import Output

if TYPE_CHECKING:
    from hansa.bench.figures import Bench

_METHOD: Final = (
    "Method: a temporary ledger of 64 members, a real node in a process of its own, loopback, signed transfers made "
    "beforehand; every answer comes after the sync of its block, and must say that it was applied. Load and node "
    "share the cores. {rounds} rounds in shuffled order behind one that is not counted: median, least, most; what has "
    "no least and most was measured once.",
    "Beside them stand the figures of the project's reference machine (2 virtual cores of an AMD EPYC, ext4, longer "
    "rounds, 10,000 accounts where these have 2,000), where the same was measured there; no PostgreSQL runs here.",
    "{transfers:,} transfers were answered as applied; the ledger held {before:,} entries before, {entries:,} after.",
)


@click.command()
@click.option(
    "--seconds", type=click.FloatRange(1, 3600), default=60.0, show_default=True, help="About how long it may take."
)
@click.option("--out", "report", type=click.Path(path_type=Path), help="Write the report here too, as Markdown.")
@click.option("--force", is_flag=True, help="Replace the report's file if it is there already.")
@click.option(
    "--in", "where", type=click.Path(path_type=Path, file_okay=False, exists=True), default=Path(),
    help="The folder whose disk is measured.  [default: this one]",
)  # fmt: skip
@click.pass_obj
def bench(out: Output, seconds: float, report: Path | None, force: bool, where: Path) -> None:
    """Measure this machine: payments a second, latency, receipts, restart, memory. Runs a node in a temporary folder.

    Nothing else should run meanwhile, or it measures that. However it is ended, the folder and the node go with it,
    but for kill -9: then the node ends, and the folder `hansa-bench-...` with the keys of its members stays.
    """
    from hansa.bench.figures import measure
    from hansa.cli.temporary import temporary_folder
    from hansa.store.files import trouble_told

    if report is not None:
        output.check_writable(report, replace=force)
    with trouble_told(where), temporary_folder("hansa-bench-", where.absolute()) as place:
        measured = measure(seconds, place, out.note)
    if report is not None:
        output.write_file(report, _markdown(measured).encode())
    fields = msgspec.to_builtins(measured)
    for figure, told in zip(measured.figures, fields["figures"], strict=True):
        told["ratio"] = figure.ratio
    out.show(fields, lambda: _text(measured))


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _rows(measured: "Bench") -> list[list[str]]:
    return [
        [
            figure.meaning,
            figure.unit,
            _number(figure.median),
            "-" if figure.measurements == 1 else _number(figure.least),
            "-" if figure.measurements == 1 else _number(figure.most),
            "-" if figure.reference is None else _number(figure.reference),
            "-" if figure.ratio is None else f"{figure.ratio:.2f}",
        ]
        for figure in measured.figures
    ]


_HEAD: Final = ["figure", "unit", "median", "least", "most", "reference", "times reference"]


def _method(measured: "Bench") -> list[str]:
    facts = {
        "rounds": measured.rounds,
        "transfers": measured.transfers,
        "before": measured.entries_before,
        "entries": measured.entries,
    }
    return [line.format(**facts) for line in _METHOD]


def _text(measured: "Bench") -> str:
    machine = [f"{name:11} {output.shown(value)}" for name, value in measured.machine.items()]
    table = output.table(_HEAD, _rows(measured))
    return "\n".join([*machine, f"{'took':11} {measured.seconds:.0f} s", "", table, "", *_method(measured)])


def _markdown(measured: "Bench") -> str:
    lines = ["# hansa bench", "", *[f"- {name}: {value}" for name, value in measured.machine.items()], ""]
    lines += [f"| {' | '.join(_HEAD)} |", f"|{'---|' * len(_HEAD)}"]
    lines += [f"| {' | '.join(row)} |" for row in _rows(measured)]
    return "\n".join([*lines, "", "\n\n".join(_method(measured))]) + "\n"
