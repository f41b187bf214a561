"""`hansa up`: a node in this process, with sample members if the folder is new."""

import asyncio
import contextlib
import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hansa.cli import output
from hansa.cli.output import Output
from hansa.cli.places import DATA, data_option
from hansa.wire import genesis
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.api.sign_in import SignIn
    from hansa.cli.watch import Watcher
    from hansa.node.create import Founder
    from hansa.node.node import Status
    from hansa.store.folder import Folder

PORT: Final = 8470
_NAME_CHARS_MAX: Final = 80
"""As a genesis document takes it."""

_PAY: Final = ["may:pay"]


def sample_members() -> list["Founder"]:
    """Who a new ledger begins with: they have what the calendars and the patterns of the cookbook ask for."""
    from hansa.node.create import Founder

    return [
        Founder(
            "northbank",
            "North Bank",
            ["licence:bank", "role:netting"],
            ["ana", "ben"],
            deployer=True,
            user_attributes={"ana": _PAY, "ben": _PAY},
        ),
        Founder("harbourline", "Harbour Line Shipping", ["role:carrier"], ["carla"]),
        Founder("eastmutual", "East Mutual Insurance", ["licence:insurer"], ["dev"]),
        Founder(
            "tradewatch",
            "Trade Watch Authority",
            ["role:regulator", "role:registrar", "role:compliance", "role:calendar-publisher"],
            ["eve"],
        ),
    ]


@click.command()
@data_option()
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address.")
@click.option("--name", default="Sample ledger", show_default=True, help="The name of a new ledger.")
@click.option("--accept-clock", is_flag=True, help="Start although the clock is far ahead of the ledger.")
@click.option(
    "--reserve-mb", type=click.IntRange(0), default=256, show_default=True, help="Free disk below which intake stops."
)
@click.option(
    "--clock",
    metavar="TIME",
    help="For demonstrations only: a new ledger whose time begins here and is told with `hansa clock`.",
)
@click.option(
    "--watch",
    "watched",
    type=click.Path(exists=True, path_type=Path),
    metavar="PATH",
    multiple=True,
    help="For development: deploy this contract file, or those in this folder, and upgrade them as they change.",
)
@click.option(
    "--sign-in",
    "sign_in_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Sign in people of a member by ID tokens, as this file says (docs/how-to/sign-in.md).",
)
@click.option("--isolate", is_flag=True, help="Run contracts in a process of their own that may only compute.")
@click.option(
    "--log",
    "log_form",
    type=click.Choice(("json", "plain")),
    help="The log's form; by itself plain at a terminal, else JSON.",
)
@click.pass_obj
def up(
    out: Output,
    data: Path,
    port: int,
    host: str,
    name: str,
    accept_clock: bool,
    reserve_mb: int,
    clock: str | None,
    watched: tuple[Path, ...],
    sign_in_file: Path | None,
    isolate: bool,
    log_form: str | None,
) -> None:
    """Start a node. A new folder gets a new ledger with four sample members, whose keys lie in DATA/keys."""
    import uvloop

    from hansa.api import server
    from hansa.cli import log
    from hansa.cli.clock import told_time
    from hansa.node.create import create_ledger
    from hansa.node.node import open_node
    from hansa.store.files import Disk, replace
    from hansa.store.folder import Folder, Lock

    if not 1 <= len(name) <= _NAME_CHARS_MAX:
        told = f"the name of a ledger has 1 to {_NAME_CHARS_MAX} characters, not {len(name)}"
        raise HansaError("argument.value", told, remedy="Give another --name, or none.")
    log.to_stderr(log_form)
    log.take_libraries()
    begin = None if clock is None else told_time(clock)
    folder = Folder(data.absolute())
    is_new = not folder.exists()
    if is_new:
        folder.check_free()
    else:
        if folder.lock.exists():
            Lock(folder.lock, shared=True).release()  # who starts a node twice is told so, not that its port is taken
        if clock is not None and begin is not None:
            _check_begin(folder, clock, begin)
    with server.bind(host, port) as listener:
        if is_new:
            create_ledger(Disk(), folder, name, sample_members(), clock=begin)
        url, people = server.url_of(listener), _sign_in(sign_in_file)
        watcher = _watcher(out, watched, folder, url)
        node = open_node(
            folder.root,
            accept_clock=accept_clock,
            told=begin is not None,
            isolate=isolate,
            reserve_bytes=reserve_mb * 1_000_000,
            progress=_progress(out),
        )

        def started() -> None:
            try:
                replace(Disk(), folder.node, json.dumps({"url": url, "pid": os.getpid()}).encode())
            except OSError as error:  # other commands must be given the URL then, and nothing else is lost
                text = f"{folder.node} cannot be written ({error.strerror}): give other commands --url {url}"
                out.complain("caution:", "yellow", text)
            status = node.status()
            fields = {
                "url": url,
                "data": str(folder.root),
                "ledger": status.ledger,
                "entries": status.entries,
                "new": is_new,
                "clock": status.clock,
                "now": status.now,
            }
            out.show(fields, lambda: _welcome(out, url, data, folder.root, status, is_new))
            if watcher is not None:
                watcher.start()

        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(server.serve(node, listener, started, sign_in=people))
        finally:
            if watcher is not None:
                watcher.stop()
            with contextlib.suppress(OSError):
                folder.node.unlink(missing_ok=True)


def _sign_in(file: Path | None) -> "SignIn | None":
    """The settings for signing in, if there are to be any; read once the keys of a new ledger are there."""
    if file is None:
        return None
    from hansa.api import sign_in

    return sign_in.load(file)


def _check_begin(folder: "Folder", clock: str, begin: int) -> None:
    """Refuses to tell another time to a ledger whose time has begun; whether it is told at all, the node finds out."""
    try:
        document = genesis.decode(folder.genesis.read_bytes())
    except OSError:  # opening the ledger says what is wrong with its folder
        return
    if document.is_told and document.time != begin:
        told = f"--clock {clock} is for a new ledger; the time of this one began at {output.moment(document.time)}"
        remedy = "Start without --clock; `hansa clock set TIME` then tells it a later time."
        raise HansaError("argument.value", told, remedy=remedy)


def _welcome(out: Output, url: str, data: Path, root: Path, status: "Status", is_new: bool) -> str:
    lines = [
        f"Hansa is up at {out.style(url, fg='green', bold=True)}",
        f"  ledger   {status.ledger}",
        f"  data     {root}",
    ]
    if status.clock == genesis.TOLD:
        lines.append(f"  clock    {output.moment(status.now)}; {genesis.TOLD_IN_WORDS}")
    if is_new:
        founders = sample_members()
        members = ", ".join(founder.id for founder in founders)
        users = ", ".join(f"{founder.id}/{user}" for founder in founders for user in founder.users)
        where = "" if data == DATA else f" --data {shlex.quote(str(data))}"
        lines += [
            f"  members  {members}  (keys in {root}/keys)",
            f"  users    {users}",
            "",
            "Try, in another terminal (--as MEMBER signs as a member, --as MEMBER/USER as one of its users):",
            f"  hansa status{where}",
            f"  hansa contract deploy FILE --as northbank{where}",
            f"  hansa call CONTRACT ACTION name=value --as northbank/ana{where}",
        ]
    return "\n".join([*lines, "", "Stop it with Ctrl-C."])


def _watcher(out: Output, watched: tuple[Path, ...], folder: "Folder", url: str) -> "Watcher | None":
    """What follows contract files; None if none are to be watched. Raises `HansaError` if nobody here may deploy."""
    if not watched:
        return None
    from hansa.cli.watch import Watcher, deployer

    return Watcher(out, watched, folder.root, url, deployer(folder.root, folder.genesis.read_bytes()))


def _progress(out: Output):  # noqa: ANN202 - a progress callback
    last = 0

    def tell(entries: int) -> None:
        nonlocal last
        if entries - last >= 100_000:
            last = entries
            out.note(f"reading the journal: {entries:,} entries")

    return tell
