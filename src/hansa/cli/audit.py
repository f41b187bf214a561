"""`hansa audit`: reads a stopped ledger again from genesis and says what is not as it must be."""

from pathlib import Path
from typing import Any, Final

import click
import msgspec

from hansa.cli import output
from hansa.cli.output import Output
from hansa.cli.progress import Progress
from hansa.merkle import receipt
from hansa.wire.problems import HansaError

_EVIDENCE_BYTES_MAX: Final = 64 * 1024
"""A receipt or checkpoint that somebody kept: several times the largest."""


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
@click.option("--at", type=click.IntRange(0), metavar="HEIGHT", help="Read to this block alone.")
@click.option(
    "--governance", is_flag=True, help="Show members, users, keys, limits and constitution as of the last block read."
)
@click.option("--workers", type=click.IntRange(1, 64), help="Processes that execute again; by default one a core.")
@click.pass_obj
def audit(
    out: Output, folder: Path, at_least: tuple[Path, ...], at: int | None, governance: bool, workers: int | None
) -> int:
    """Audit a ledger that no node uses. Exits with 1 if anything is found.

    Every signature, hash, root and checkpoint is checked, every action executed again. A tail that was lost together
    with everything that had seen it can only be noticed against something outside: give receipts with --at-least.
    """
    from hansa.node.audit import audit as run

    for path in at_least:
        _check_evidence(path)
    output.log_to_stderr()
    with Progress(out, "entries read") as progress:
        report = run(folder, at_least, progress.tell, workers, at, governance=governance)
    fields = {"sound": report.is_sound, **msgspec.structs.asdict(report), "at_least": [str(path) for path in at_least]}
    out.show(fields, lambda: _text(out, report, at_least))
    return output.DONE if report.is_sound else output.FAILED


def _check_evidence(path: Path) -> None:
    """Refuses early a file that can be no evidence. Raises `HansaError` `receipt.form`."""
    if path.is_dir():
        return
    evidence = output.read_file(path, _EVIDENCE_BYTES_MAX)
    try:
        receipt.signed_head(evidence)
    except HansaError:
        kinds = "Give a receipt (.cose), a checkpoint, or the folder of a state."
        raise HansaError("receipt.form", f"{path} is neither a receipt nor a checkpoint", remedy=kinds) from None


def _text(out: Output, report: Any, at_least: tuple[Path, ...]) -> str:
    lines = [
        f"ledger       {output.shown(report.name)}  {report.ledger}",
        f"entries      {report.entries:,} in {report.blocks:,} blocks; {report.executed:,} executed again",
        f"root         {report.root}",
        f"checkpoints  {report.checkpoints:,}",
    ]
    lines += [f"note         {output.shown(note)}" for note in report.notes]
    if report.governance is not None:
        lines += ["", *_governance(report.governance), ""]
    if report.is_sound:
        lines += [f"evidence     {path}: what it has seen is there, unchanged" for path in at_least]
        return "\n".join([*lines, "", out.style("sound: everything is as it must be", fg="green")])
    lines += ["", out.style(f"{len(report.findings)} finding(s):", fg="red")]
    lines += [f"  {finding.where}: {output.shown(finding.detail)} [{finding.code}]" for finding in report.findings]
    return "\n".join(lines)


def _governance(found: Any) -> list[str]:
    """Who belonged to the ledger and by which rules it was decided, a line each."""
    rules, limits = found.constitution, ", ".join(f"{name} {value:,}" for name, value in found.limits.items())
    lines = [f"as of block {found.height}: {found.entries:,} entries, {output.moment(found.time)}"]
    if rules is not None:
        lines.append(f"constitution {rules['version']}  {rules['digest']}, time lock {rules['lock']:,} ms")
    lines.append(f"limits       {limits}")
    for kind, rows in (("member", found.members), ("user", found.users)):
        for row in rows:
            of = f", weight {row['weight']}" if kind == "member" else ""
            removed = ", removed" if row["removed"] else ""
            attributes = f" ({', '.join(row['attributes'])})" if row["attributes"] else ""
            lines.append(output.shown(f"{kind:<12} {row['id']}  {row['name']}{attributes}{of}{removed}"))
    lines += [f"node         {row['id']} of {row['member']}" for row in found.nodes]
    for row in found.keys:
        removed = ", removed" if row["removed"] else ""
        lines.append(f"key          {row['kid']}  {row['status']}, {row['purpose']} of {row['owner']}{removed}")
    lines += [
        f"contract     {row['name']} {row['version']}{', paused' if row['paused'] else ''}" for row in found.contracts
    ]
    return lines
