"""A full disk under one node of a network, its engine's data on it too. Needs root: it mounts a small tmpfs."""

import contextlib
import errno
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hansa.cli.network_status import READY

from .network_faults import Seconds
from .network_load import Clients
from .network_nodes import Nodes

SIZE_MB: Final = 400
"""More than what an engine sets aside at its start."""
_CHUNK: Final = bytes(64 * 1024)
FULL_S: Final = 5.0
"""How long it stays full at least."""


def node_of(nodes: Nodes) -> str:
    """Whose disk is small."""
    return nodes.names[1]


@contextlib.contextmanager
def small(nodes: Nodes) -> Iterator[None]:
    """The folder of that node, which does not run yet, lies on a disk of its own."""
    folder: Path = nodes.folders[node_of(nodes)].root
    aside = folder.with_name("aside")
    folder.rename(aside)
    folder.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(folder)], check=True)
    try:
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _fill(ballast: Path) -> None:
    """Takes all the space there is, while others take it, too."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(_CHUNK):
                pass
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


def disk_full(nodes: Nodes, clients: Clients) -> Seconds:
    """Somebody else takes all the space: the others go on, and the node comes back by itself when there is some."""
    name = node_of(nodes)
    ballast = nodes.folders[name].root / "ballast"
    _fill(ballast)
    went_on = clients.next(*nodes.others(name))
    end = time.monotonic() + FULL_S
    nodes.until(lambda state: any(node.id == name and node.state != READY for node in state.nodes))
    time.sleep(max(0.0, end - time.monotonic()))
    clients.next(*nodes.others(name))
    ballast.unlink()
    return {"goes on": went_on, "back": clients.next(name)}
