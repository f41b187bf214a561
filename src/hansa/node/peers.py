"""`peers.json` in a node's folder: where the other nodes of the ledger answer, so that they can be asked to sign.

Who makes the network writes it; a folder without one has no peers. A URL says nothing about who answers there: which
node and member that is follows from the key that signs, by the ledger's records. There is no mutual TLS between nodes
yet, so that only nodes on this machine are taken, over HTTP at loopback addresses.
"""

from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from hansa.store.files import Files, read_whole, replace, trouble_told
from hansa.store.folder import Folder
from hansa.wire.problems import HansaError

VERSION: Final = 0
FILE: Final = "peers.json"
PEERS_MAX: Final = 64
"""Nodes that one node asks."""
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_FILE_BYTES_MAX: Final = 64 * 1024
"""More than so many URLs take; larger is something else."""


class _Peers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file holds."""

    version: Literal[0]
    peers: Annotated[list[Annotated[str, Meta(min_length=1, max_length=200)]], Meta(max_length=PEERS_MAX)]


def save(files: Files, folder: Folder, urls: list[str]) -> None:
    """Writes the file, whole and durable. Raises `HansaError` `peers.url`."""
    for url in urls:
        _check(url)
    replace(files, folder.root / FILE, msgspec.json.format(msgspec.json.encode(_Peers(VERSION, urls))) + b"\n")


def load(files: Files, folder: Folder) -> list[str]:
    """The URLs in the file; none without one. Raises `HansaError`: `peers.form`, `peers.url`, `folder.access`."""
    path = folder.root / FILE
    if not path.exists():
        return []
    with trouble_told(path):
        data = read_whole(files, path)
    try:
        found = msgspec.json.decode(data[: _FILE_BYTES_MAX + 1], type=_Peers)
    except (msgspec.DecodeError, RecursionError) as error:
        raise HansaError("peers.form", f"{path}: {error}") from None
    for url in found.peers:
        _check(url)
    return list(dict.fromkeys(found.peers))


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise HansaError("peers.url", f"{url[:100]!a} is no URL") from None
    if parts.scheme != "http" or host not in _LOOPBACK or port is None:
        raise HansaError("peers.url", f"{url[:100]!a} is not http://LOOPBACK:PORT")
    if parts.username is not None or parts.path or parts.query or parts.fragment:
        raise HansaError("peers.url", f"{url[:100]!a} has more than a host and a port")
