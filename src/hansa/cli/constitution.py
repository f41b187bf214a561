"""`hansa constitution`: the constitutions that come with Hansa, and what votes could lead one to."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
import msgspec

from hansa.cli import output
from hansa.cli.output import Output
from hansa.cli.places import connect, data_option, url_option
from hansa.cli.progress import Progress
from hansa.cli.sources import check_constitution, library_option, name_of, read_libraries, read_source
from hansa.client.governance import VERSION
from hansa.node import shipped
from hansa.stories import apps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hansa.contracts.checked import Checked
    from hansa.contracts.declarations import Libraries
    from hansa.governance.motions import Vocabulary
    from hansa.governance.search import Report

_Command = TypeVar("_Command", bound="Callable[..., Any]")

MEMBERS_MOST: Final = 8
DEPTH_MOST: Final = 20


@click.group()
def constitution() -> None:
    """Constitutions: the rules by which members vote, as files in the contract dialect."""


@constitution.command(name="list")
@click.pass_obj
def list_(out: Output) -> None:
    """List the constitutions that come with Hansa."""
    found = [
        {"name": name, "about": apps.about(path), "path": str(path)} for name, path in shipped.constitutions().items()
    ]
    rows = [(row["name"], row["about"]) for row in found]
    out.show({"constitutions": found}, lambda: output.table(("CONSTITUTION", "ABOUT"), rows))


@constitution.command()
@click.argument("name", required=False)
@data_option()
@url_option()
@click.pass_obj
def show(out: Output, name: str | None, data: Path, url: str | None) -> None:
    """Print the constitution in force on a ledger, or one that comes with Hansa, by its NAME.

    Of the one in force also version, digest (the SHA-256 of the text) and time lock, apart from the text. `governance`
    is the library that those that come with Hansa use.
    """
    if name is None:
        return _show_in_force(out, data, url)
    if url is not None:
        raise click.UsageError("NAME is of those that come with Hansa; leave it out to read a ledger's.")
    text = shipped.library() if name == shipped.LIBRARY else shipped.constitution(name)
    out.show({"constitution": name, "source": text}, text.rstrip("\n"))
    return None


def _show_in_force(out: Output, data: Path, url: str | None) -> None:
    with connect(data, url) as node:
        found = node.get("/gov/service/constitution", **VERSION)
    out.note(f"constitution {found['version']}  {found['digest']}, since entry {found['seq']}")
    out.note(f"time lock {found['lock']:,} ms")
    out.show(found, found["source"].rstrip("\n"))


def _bound(name: str, most: int, default: int, help: str) -> "Callable[[_Command], _Command]":
    """An option that bounds the search."""
    return click.option(name, type=click.IntRange(1, most), default=default, show_default=True, metavar="N", help=help)


@constitution.command()
@click.argument("what", metavar="FILE|NAME")
@library_option()
@_bound("--members", MEMBERS_MOST, 4, "At most so many members.")
@_bound("--fewest", MEMBERS_MOST, 1, "So many members at least to begin with.")
@_bound("--depth", DEPTH_MOST, 6, "At most so many accepted proposals one after the other.")
@click.option(
    "--with", "others", multiple=True, metavar="FILE|NAME", help="Another that votes may set; again for each."
)
@click.pass_obj
def check(
    out: Output,
    what: str,
    libraries: tuple[Path, ...],
    members: int,
    fewest: int,
    depth: int,
    others: tuple[str, ...],
) -> int:
    """Check a constitution: its file, and what votes can lead it to.

    Goes through every state of governance that members can vote themselves into, and shows how the rules can be locked
    for ever, or one member get all power against the will of another. Exits with 1 if it finds such a way.
    """
    from hansa.contracts import program
    from hansa.governance.levers import vocabulary

    if fewest > members:
        raise click.UsageError("--fewest is more than --members.")
    known = read_libraries(libraries)
    found: dict[str, Checked] = {}
    for one in (what, *others):
        checked = _checked(out, one, known)
        if checked is None:
            return output.FAILED
        found[_name(one)] = checked
    tried = vocabulary(found)
    programs = {name: program.compiled(one) for name, one in found.items()}

    def searched(*, floor: bool) -> "Report":
        from hansa.governance.search import search

        with Progress(out, "states") as progress:
            return search(
                programs,
                tried,
                members=members,
                fewest=fewest,
                depth=depth,
                floor=floor,
                progress=lambda _, examined, known: progress.tell(examined, of=known),
            )

    alone = searched(floor=False)
    floored = searched(floor=True) if alone.findings else None
    manifest = found[_name(what)].manifest
    fields = {
        "valid": True,
        "constitution": _name(what),
        "version": manifest.version,
        "digest": found[_name(what)].digest.hex(),
        "tried": {
            "weights": list(tried.weights),
            "attributes": list(tried.attributes),
            "names": list(tried.names),
            "actions": list(tried.ordinary),
            "unseen": list(tried.unseen),
        },
        "search": _report(alone),
        "floor": None if floored is None else _report(floored),
    }
    out.show(fields, lambda: _told(out, f"{_name(what)} {manifest.version}", tried, alone, floored))
    return output.FAILED if alone.findings else output.DONE


def _name(what: str) -> str:
    """What a constitution is called here: a file by its name, one that comes with Hansa by its own."""
    return name_of(Path(what)) if _is_file(what) else what.replace("-", "_")


def _is_file(what: str) -> bool:
    return what.endswith(".py") or "/" in what or Path(what).is_file()


def _checked(out: Output, what: str, libraries: "Libraries") -> "Checked | None":
    """The checked file of a constitution; None, and shown why, if it can be none."""
    from hansa.contracts import program

    library = program.check(shipped.library(), shipped.LIBRARY)
    known = {library.digest: library, **libraries}
    if _is_file(what):
        return check_constitution(out, Path(what), read_source(Path(what)), known)
    text = shipped.constitution(what)
    return check_constitution(out, shipped.constitutions()[_name(what)], text, known)


def _report(report: "Report") -> "Mapping[str, Any]":
    from hansa.governance.traces import trace

    return {
        "fewest": report.fewest,
        "members": report.members,
        "depth": report.depth,
        "states": report.states,
        "asked": report.asked,
        "found": report.found,
        "traces": [msgspec.to_builtins(trace(one)) for one in report.findings],
    }


def _told(out: Output, title: str, tried: "Vocabulary", alone: "Report", floored: "Report | None") -> str:
    from hansa.governance.traces import lines, trace

    head = out.style("flawed", fg="red") if alone.findings else out.style("good", fg="green")
    texts = [
        f"{head}  {output.shown(title)}",
        f"searched {alone.fewest} to {alone.members} members, {alone.depth} proposals deep: "
        f"{alone.states:,} states, {alone.asked:,} questions to the constitution",
        f"tried weights {', '.join(map(str, tried.weights))}; attributes {', '.join(tried.attributes) or 'none'}; "
        f"names {', '.join(tried.names) or 'none'}; besides members and rules {', '.join(tried.ordinary)}",
        *(f"not seen: {why}" for why in tried.unseen),
    ]
    for finding in alone.findings:
        texts += ["", *map(output.shown, lines(trace(finding)))]
    if floored is not None:
        texts.append("")
        left = [*dict.fromkeys(one.flaw for one in floored.findings)]
        texts.append(
            f"The ledger's own floor does not prevent: {', '.join(left)}."
            if left
            else "The ledger's own floor prevents all of this; the constitution alone does not."
        )
    return "\n".join(texts)
