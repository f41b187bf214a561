"""`hansa contract diagram`: draws the states that a contract declares, as SVG or as text for Mermaid."""

from pathlib import Path

import click

from hansa.cli import output
from hansa.cli.output import Output
from hansa.cli.sources import deployed_name, library_option, read_libraries, read_source
from hansa.wire.problems import HansaError


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["svg", "mermaid"]),
    default="svg",
    show_default=True,
    help="A picture, or text that Mermaid draws.",
)
@click.option("--record", help="Of this record type alone.")
@click.option("--out", "to", type=click.Path(path_type=Path), metavar="FILE", help="Write it there, not to stdout.")
@click.option("--force", is_flag=True, help="Replace the file of --out.")
@click.option("--name", help="The contract's name; by default the file's or its folder's.")
@library_option()
@click.pass_obj
def diagram(
    out: Output,
    file: Path,
    form: str,
    record: str | None,
    to: Path | None,
    force: bool,
    name: str | None,
    libraries: tuple[Path, ...],
) -> None:
    """Draw the states of a contract's records: who may take which action in which state, and where it leads.

    A picture has at most 400 actions on its arrows; --format mermaid has any number.
    """
    from hansa.contracts import program
    from hansa.contracts.diagram import mermaid, state_machines
    from hansa.contracts.drawing import svg

    if to is not None:
        output.check_writable(to, replace=force)
    source, wanted = read_source(file), deployed_name(file, name)
    manifest = program.check(source, wanted, read_libraries(libraries)).manifest
    machines = state_machines(manifest)
    if record is not None:
        if record not in manifest.records:
            there = ", ".join(manifest.records) or "none"
            raise HansaError("argument.action", f"{wanted} has no record type {record[:60]!a}; there is {there}")
        machines = [machine for machine in machines if machine.record == record]
    if not machines:
        of = "no record type of it has" if record is None else f"{record} has no"
        raise HansaError(
            "argument.value",
            f"{wanted} has nothing to draw: {of} states",
            remedy="States are declared by `class States:` in a contract or a record type.",
        )
    drawn = svg(machines) if form == "svg" else mermaid(machines)
    if to is not None:
        output.write_file(to, drawn.encode())
    found = {"contract": wanted, "format": form, "machines": machines, "file": to, "diagram": drawn}
    found = {key: str(value) if isinstance(value, Path) else value for key, value in found.items()}
    out.show(found, drawn.rstrip("\n") if to is None else f"{out.style('drawn', fg='green')}  {to}")
