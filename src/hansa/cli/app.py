"""`hansa app`: the example applications that have a story, told on a real ledger whose clock is told."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from hansa.cli import output
from hansa.cli.letter import before_letter, tell_letter
from hansa.cli.output import Output
from hansa.cli.temporary import free_folder, temporary_folder
from hansa.store.folder import Folder

if TYPE_CHECKING:
    from hansa.stories.letter_of_credit import Story

LETTER_OF_CREDIT: Final = "letter-of-credit"
_STORIES: Final = {
    LETTER_OF_CREDIT: "a standby letter of credit from application to expiry, from SWIFT messages, by four members",
}


@click.group()
def app() -> None:
    """The example applications that have a story to tell."""


@app.command(name="list")
@click.pass_obj
def list_(out: Output) -> None:
    """List the stories."""
    listed = [{"name": name, "about": about} for name, about in _STORIES.items()]
    out.show({"apps": listed}, lambda: output.table(("NAME", "ABOUT"), list(_STORIES.items())))


@app.command()
@click.argument("name", type=click.Choice(list(_STORIES)))
@click.option("--keep", type=click.Path(path_type=Path), metavar="DIR", help="Keep the ledger in this new folder.")
@click.pass_obj
def run(out: Output, name: str, keep: Path | None) -> None:
    """Tell a story: on a ledger in a temporary folder, whose clock is told the dates that the story has."""
    from hansa.stories import letter_of_credit

    output.log_to_stderr()
    kept = None if keep is None else free_folder(keep.absolute())
    before_letter(out)
    with temporary_folder() as scratch:
        told = letter_of_credit.tell(kept or scratch / "ledger")
    out.note("")
    tell_letter(out, told, _STORIES[name][0].upper() + _STORIES[name][1:])
    fields = {"app": name, "folder": kept and str(kept), **msgspec.structs.asdict(told)}
    out.show(fields, lambda: _end(kept, told))


def _end(kept: Path | None, told: "Story") -> str:
    if kept is None:
        return f"Keep the ledger with `hansa app run {LETTER_OF_CREDIT} --keep DIR`."
    folder, genesis_file = str(kept), str(Folder(kept).genesis)
    commands = [
        ("audit", folder),
        ("receipt", "get", str(told.proofs[0].seq), "--data", folder, "--out", "issue"),
        ("receipt", "verify", "issue", "--genesis", genesis_file, "--ledger", told.ledger),
        ("up", "--data", folder),
    ]
    return "\n".join([f"The ledger is in {folder}. Try:", *(f"  hansa {shlex.join(words)}" for words in commands)])
