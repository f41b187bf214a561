"""`orderer.json` in a node's folder: which node of the ledger runs here, by which orderer, and where it listens.

`network` writes it, `hansa up` reads it and makes the orderer that it says. A folder without one is the ledger of one
process. Paths in it are within the folder, which can so be moved.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from hansa.node import document
from hansa.orderers import MakeOrderer, engines
from hansa.orderers.cometbft.settings import CometSettings
from hansa.orderers.etcd.settings import EtcdSettings
from hansa.orderers.solo import Solo
from hansa.store.files import Files
from hansa.store.folder import Folder
from hansa.wire import genesis
from hansa.wire.problems import HansaError

Name: TypeAlias = Literal["solo", "etcd", "cometbft"]

VERSION: Final = 0
SOLO: Final = "solo"
ETCD: Final = "etcd"
COMETBFT: Final = "cometbft"
PORTS: Final[Mapping[Name, tuple[str, ...]]] = {SOLO: (), ETCD: ("peers", "clients"), COMETBFT: ("peers",)}
"""What the engine of each listens for, in order."""
FILE: Final = "orderer.json"
ENGINE: Final = "engine"
"""The folder of the engine's own, in that of its node."""
_CERTIFICATE: Final = "certificate.pem"
_FILE_BYTES_MAX: Final = 1_000_000
"""Of `orderer.json`; larger is something else."""


class Ordering(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the file holds: the node's id in genesis, its orderer, the port of its API on loopback, and the engine's.

    `listen`: ADDRESS:PORT at which others reach it by TLS, if they do. `authority`: the folder of the member's
    authority, from which the engine gets its certificates.
    """

    version: Literal[0]
    node: str
    orderer: Name
    port: Annotated[int, Meta(ge=0, le=65_535)]
    etcd: EtcdSettings | None = None
    cometbft: CometSettings | None = None
    authority: str = ""
    listen: Annotated[str, Meta(max_length=64)] = ""


def save(files: Files, folder: Folder, ordering: Ordering) -> None:
    """Writes the file, whole and durable."""
    document.write(files, folder.root / FILE, ordering)


def load(files: Files, folder: Folder) -> Ordering | None:
    """What the file says; None if there is none. Raises `HansaError`: `network.form`, `folder.access`."""
    path = folder.root / FILE
    if not path.exists():
        return None
    found = document.read(files, path, Ordering, _FILE_BYTES_MAX, "network.form")
    if (found.etcd is not None, found.cometbft is not None) != (found.orderer == ETCD, found.orderer == COMETBFT):
        raise HansaError("network.form", f"{path}: it has not just the settings of {found.orderer}")
    return found


def maker(files: Files, folder: Folder, ordering: Ordering | None, binary: Path | None = None) -> MakeOrderer:
    """By what the node of a folder makes its orderer; `binary` is the engine's program, if it is an operator's own.

    etcd gets fresh certificates first. Raises `HansaError` as `engines.find` and `certificates.renew`, and
    `network.alone` for a node of many that would order for itself.
    """
    if ordering is None or ordering.orderer == SOLO:
        _check_alone(folder)
        return Solo
    program = engines.find(ordering.orderer, binary)
    home = folder.root / ENGINE
    # What speaks to an engine takes a while to load, and a ledger of one process needs none of it.
    if ordering.cometbft is not None:
        from hansa.orderers.cometbft.orderer import CometBFT  # noqa: PLC0415

        return partial(CometBFT, msgspec.structs.replace(ordering.cometbft, home=str(home)), program)
    from hansa.node import certificates  # noqa: PLC0415
    from hansa.orderers.etcd.orderer import Etcd  # noqa: PLC0415

    assert ordering.etcd is not None
    authority, certificate = folder.root / ordering.authority, home / _CERTIFICATE
    renew = partial(certificates.renew, files, authority, ordering.node, certificate)
    renew()
    settings = msgspec.structs.replace(
        ordering.etcd,
        home=str(home),
        ca=str(authority / certificates.AUTHORITY),
        certificate=str(certificate),
        key=str(certificate),
    )
    return partial(Etcd, settings, program, renew=renew)


def _check_alone(folder: Folder) -> None:
    """Refuses to let one of several nodes, restored without its network, go on alone with a history of its own."""
    try:
        nodes = genesis.decode(folder.genesis.read_bytes()).nodes
    except (OSError, HansaError):  # opening the ledger says what is wrong with its folder
        return
    if len(nodes) > 1:
        told = f"{len(nodes)} nodes keep this ledger, and {folder.root / FILE} does not say how they order"
        raise HansaError("network.alone", told)
