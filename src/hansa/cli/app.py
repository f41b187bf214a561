"""`hansa app`: where the example applications lie, and the stories of those that have one, told on a real ledger."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from hansa.cli import output
from hansa.cli.letter import before_letter, tell_letter
from hansa.cli.output import Output
from hansa.cli.temporary import free_folder, kept_told, temporary_folder
from hansa.stories import apps

if TYPE_CHECKING:
    from hansa.stories.letter_of_credit import Story

LETTER_OF_CREDIT: Final = "letter-of-credit"
_STORIES: Final = {
    LETTER_OF_CREDIT: "a standby letter of credit from application to expiry, from SWIFT messages, by four members",
}


@click.group()
def app() -> None:
    """The example applications that come with Hansa: their contracts, and the stories of some."""


@app.command(name="list")
@click.pass_obj
def list_(out: Output) -> None:
    """List the applications, and the stories that `hansa app run` tells."""
    found = [{"name": name, "about": apps.about(path), "path": str(path)} for name, path in apps.contracts().items()]
    stories = [{"name": name, "about": about} for name, about in _STORIES.items()]
    fields = {"apps": found, "stories": stories}
    out.show(fields, lambda: "\n\n".join((_table("APPLICATION", found), _table("STORY", stories))))


def _table(head: str, rows: list[dict[str, str]]) -> str:
    return output.table((head, "ABOUT"), [(row["name"], row["about"]) for row in rows])


@app.command()
@click.argument("name")
@click.pass_obj
def path(out: Output, name: str) -> None:
    """Print where an application's contract lies, for commands that take a file: `$(hansa app path escrow)`."""
    found = apps.contract_of(name)
    out.show({"app": found.parent.name, "path": str(found)}, str(found))


@app.command()
@click.argument("name", type=click.Choice(list(_STORIES)), metavar="STORY")
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
    return kept_told(kept, told.ledger, told.proofs[0].seq, "issue")
