"""The libraries that a contract file uses: from files that are given, else from the ledger, where each has its digest.

`hansa contract deploy` and `upgrade` check a file with them before they send it. What a node gives is no more trusted
than a file: it counts by the SHA-256 that is pinned.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from hansa.cli.places import connect, record_if_there
from hansa.cli.sources import name_of, read_source, take
from hansa.client.client import Client
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.contracts.declarations import Libraries


def find_libraries(source: str, files: Iterable[Path], data: Path, url: str | None) -> "Libraries":
    """What a file's text pins, and all that is used in turn. A node is asked for what no file gives.

    What no node has either is left out: the check of the file tells it. Raises `HansaError`.
    """
    from hansa.contracts.ledger import Ledger

    ledger = Ledger()
    with contextlib.ExitStack() as open_until_here:
        nodes: list[Client] = []

        def node() -> Client:
            if not nodes:
                nodes.append(open_until_here.enter_context(connect(data, url)))
            return nodes[0]

        for file in files:
            _fetch(read_source(file), ledger.libraries, ledger.add_library, node)
            take(file, name_of(file), ledger.add_library)
        _fetch(source, ledger.libraries, ledger.add_library, node)
    return ledger.libraries


def _fetch(source: str, known: "Libraries", add: Callable[[str, str], object], node: Callable[[], Client]) -> None:
    """Adds the libraries that a file pins and nobody has given, those that each uses before it."""
    from hansa.contracts.declarations import pins
    from hansa.contracts.diagnostics import ContractInvalid

    for digest in pins(source):
        found = None if digest in known else _deployed(node(), digest)
        if found is not None:
            name, text = found
            _fetch(text, known, add, node)
            try:
                add(name, text)
            except ContractInvalid as invalid:
                told = f"the library {name} of the ledger: {invalid.detail}"
                remedy = "Run the version of Hansa that the node has."
                raise HansaError("contract.invalid", told, remedy=remedy, findings=invalid.diagnostics) from None


def _deployed(node: Client, digest: bytes) -> tuple[str, str] | None:
    """The name and text of a library on the ledger; None if it is not there. Raises `HansaError`."""
    found = record_if_there(node, "members", "Library", digest.hex())
    if found is None:
        return None
    value = found["value"]
    if hashlib.sha256(value["source"].encode()).digest() != digest:
        raise HansaError("node.foreign", f"what the node gives as the library {digest.hex()} has another digest")
    return value["name"], value["source"]
