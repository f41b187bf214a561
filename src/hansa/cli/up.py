"""`hansa up`: a node in this process, with sample members if the folder is new."""

import asyncio
import contextlib
import json
import os
import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from hansa.cli import output, ways_in
from hansa.cli.new_ledger import (
    LOCK_S,
    MEMBERS_MAX,
    New,
    check_name,
    equal_members,
    new_ledger,
    rules_of,
    sample_members,
)
from hansa.cli.output import Output
from hansa.cli.places import DATA, data_option, is_member, is_network, ledgers, own_nodes
from hansa.wire import genesis
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.api.sign_in import SignIn
    from hansa.cli.watch import Watcher
    from hansa.node.node import Status
    from hansa.node.ordering import Ordering
    from hansa.store.folder import Folder

PORT: Final = 8470
LISTEN_PORT: Final = 8471
"""Where others reach a node by TLS."""


@click.command()
@data_option()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    help="0 takes a free one. A node of a network has one of its own.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address.")
@click.option(
    "--listen",
    metavar="ADDRESS[:PORT]",
    help=f"Be reached from other machines too, by TLS at this address; port {LISTEN_PORT} by itself. Who reads there "
    "signs with a registered key (docs/how-to/reach-a-node.md).",
)
@click.option(
    "--hostname",
    "hostnames",
    metavar="NAME",
    multiple=True,
    help="With --listen: a name or address by which others reach the node, beside that one.",
)
@click.option(
    "--certificate",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With --listen: a certificate of your own, with its chain, instead of one under the node's key.",
)
@click.option(
    "--certificate-key", type=click.Path(path_type=Path), metavar="FILE", help="The private key of --certificate."
)
@click.option("--name", default="Sample ledger", show_default=True, help="The name of a new ledger.")
@click.option("--accept-clock", is_flag=True, help="Start although the clock is far ahead of the ledger.")
@click.option(
    "--reserve-mb", type=click.IntRange(0), default=256, show_default=True, help="Free disk below which intake stops."
)
@click.option(
    "--members",
    "count",
    type=click.IntRange(1, MEMBERS_MAX),
    help="A new ledger of so many equal sample members, where contracts come by vote.",
)
@click.option(
    "--constitution",
    metavar="NAME|FILE",
    help="What votes on a new ledger need: one that comes with Hansa, or a file. By itself majority; single for one.",
)
@click.option(
    "--lock",
    metavar="DURATION",
    help=f"How long accepted changes of a new ledger's constitution wait, such as 90s, 2h or 7d. By itself {LOCK_S}s, "
    "for trials: in earnest, let it be days.",
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
@click.option(
    "--engine-binary",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="In a network: the program of the node's ordering engine, instead of what `hansa engines build` made.",
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
    listen: str | None,
    hostnames: tuple[str, ...],
    certificate: Path | None,
    certificate_key: Path | None,
    name: str,
    accept_clock: bool,
    reserve_mb: int,
    count: int | None,
    constitution: str | None,
    lock: str | None,
    clock: str | None,
    watched: tuple[Path, ...],
    sign_in_file: Path | None,
    engine_binary: Path | None,
    isolate: bool,
    log_form: str | None,
) -> None:
    """Start a node. A new folder gets a new ledger with four sample members, whose keys lie in DATA/keys.

    Of these northbank may deploy contracts without a vote; with --members nobody may.
    """
    import uvloop

    from hansa.api import server
    from hansa.cli import log
    from hansa.cli.clock import told_time
    from hansa.node import ordering
    from hansa.node.create import create_ledger
    from hansa.node.node import open_node
    from hansa.orderers import engines
    from hansa.store.files import Disk, replace
    from hansa.store.folder import Folder

    check_name(name)
    log.to_stderr(log_form)
    log.take_libraries()
    begin = None if clock is None else told_time(clock)
    folder = Folder(_node_folder(data).absolute())
    is_new = not folder.exists()
    new = _asked(folder, is_new, count, constitution, lock)
    if not is_new:
        _check_old(folder, clock, begin)
    ordered = ordering.load(Disk(), folder)
    way_in = ways_in.asked(
        listen or (ordered.listen if ordered else ""), hostnames, certificate, certificate_key, LISTEN_PORT
    )
    with server.bind(host, _port(ordered, port)) as listener, ways_in.opened(way_in) as listening:
        if new is not None:
            founders, rules, lock_ms = new.founders, new.constitution, new.lock_ms
            create_ledger(Disk(), folder, name, founders, clock=begin, constitution=rules, lock_ms=lock_ms)
        url, people = server.url_of(listener), _sign_in(sign_in_file)
        watcher = _watcher(out, watched, folder, url)
        node = open_node(
            folder.root,
            accept_clock=accept_clock,
            told=begin is not None,
            isolate=isolate,
            orderer=ordering.maker(Disk(), folder, ordered, engine_binary),
            verifier=engines.verifier(),
            id="" if ordered is None else ordered.node,
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
            reached = None if listening is None else ways_in.described(listening, node)
            fields = {
                "url": url,
                "listen": reached,
                "data": str(folder.root),
                "ledger": status.ledger,
                "entries": status.entries,
                "new": is_new,
                "clock": status.clock,
                "now": status.now,
                "members": None if new is None else [founder.id for founder in new.founders],
                "constitution_lock_ms": None if new is None else new.lock_ms,
                "sign_in": None if people is None else {"member": people.member, "key": people.key.kid},
            }
            out.show(fields, lambda: _welcome(out, url, data, folder.root, status, new, people, reached))
            if watcher is not None:
                watcher.start()

        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(
                    server.serve(
                        node,
                        listener,
                        started,
                        sign_in=people,
                        ended=partial(_forget, folder),
                        listening=listening,
                    )
                )
        finally:
            if watcher is not None:
                watcher.stop()


def _forget(folder: "Folder") -> None:
    """Takes back what says where the node is: before its lock goes, as the next node here, or nothing, comes then."""
    with contextlib.suppress(OSError):
        folder.node.unlink(missing_ok=True)


def _node_folder(data: Path) -> Path:
    """The folder that is meant: of a member of a network, that of its only node. Raises `HansaError`."""
    if is_network(data):
        remedy = f"`hansa network up {shlex.quote(str(data))}` starts its nodes."
        raise HansaError("argument.value", f"{data} holds a network", remedy=remedy)
    if not is_member(data):
        return data
    nodes = own_nodes(data)
    if len(nodes) != 1:
        told = f"{data} holds {len(nodes)} nodes" if nodes else f"the member of {data} has no node in its network"
        remedy = f"Name one with --data: {', '.join(map(str, nodes or ledgers(data)))}."
        raise HansaError("argument.value", told, remedy=remedy)
    return nodes[0]


def _port(ordered: "Ordering | None", port: int) -> int:
    """Where a node listens: as it is told, else where its network has it."""
    given = click.get_current_context().get_parameter_source("port") is not ParameterSource.DEFAULT
    return port if given or ordered is None else ordered.port


def _sign_in(file: Path | None) -> "SignIn | None":
    """The settings for signing in, if there are to be any; read once the keys of a new ledger are there."""
    if file is None:
        return None
    from hansa.api import sign_in

    return sign_in.load(file)


def _check_old(folder: "Folder", clock: str | None, begin: int | None) -> None:
    """Refuses to start what runs already, and to begin at another time. Raises `HansaError`."""
    from hansa.store.folder import Lock

    if folder.lock.exists():
        Lock(folder.lock, shared=True).release()  # who starts a node twice is told so, not that its port is taken
    if clock is not None and begin is not None:
        _check_begin(folder, clock, begin)


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


def _asked(folder: "Folder", is_new: bool, count: int | None, constitution: str | None, lock: str | None) -> New | None:
    """What a new ledger begins with, None where there is one. Raises `HansaError` for what only a new one can have."""
    if is_new:
        folder.check_free()
        return new_ledger(sample_members() if count is None else equal_members(count), constitution, lock)
    for option, value in (("--members", count), ("--constitution", constitution), ("--lock", lock)):
        if value is not None:
            told = f"{option} is for a new ledger, and there is one in {folder.root}"
            raise HansaError("argument.value", told, remedy="Start without it, or in another folder by --data.")
    return None


def _welcome(
    out: Output,
    url: str,
    data: Path,
    root: Path,
    status: "Status",
    new: New | None,
    people: "SignIn | None",
    reached: dict[str, Any] | None,
) -> str:
    lines = [
        f"Hansa is up at {out.style(url, fg='green', bold=True)}",
        f"  ledger   {status.ledger}",
        f"  data     {root}",
    ]
    if status.clock == genesis.TOLD:
        lines.append(f"  clock    {output.moment(status.now)}; {genesis.TOLD_IN_WORDS}")
    if reached is not None:
        lines += [
            f"  others   {reached['url']}, by TLS; who reads signs with a registered key",
            f"           {ways_in.shown(reached)}",
        ]
    if people is not None:
        lines.append(f"  sign-in  people of {people.member}, by its key {people.key.kid.hex()[:16]}")
    if new is not None:
        founders, about = new.founders, rules_of(new)
        members = ", ".join(founder.id for founder in founders)
        users = ", ".join(f"{founder.id}/{user}" for founder in founders for user in founder.users)
        where = "" if data == DATA else f" --data {shlex.quote(str(data))}"
        lines += [
            f"  members  {members}  (keys in {root}/keys)",
            f"  users    {users}",
            "\n           ".join([f"  rules    {about[0]}", *about[1:]]),
            f"           an accepted change of them waits {new.lock_ms // 1000} s (--lock)",
            "",
            "Try, in another terminal (--as MEMBER signs as a member, --as MEMBER/USER as one of its users):",
            f"  hansa status{where}",
        ]
        if any(founder.deployer for founder in founders):
            lines += [
                f"  hansa contract deploy FILE --as northbank{where}",
                f"  hansa call CONTRACT ACTION name=value --as northbank/ana{where}",
            ]
        else:
            lines += [
                f"  hansa member list{where}",
                f"  hansa proposal new --action set_contract name=NAME source=FILE --as northbank{where}",
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
