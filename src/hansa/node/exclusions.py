"""The statements that exclude transactions, as they lie in a node's folder: given while it is stopped, read at start.

They get there beside the ledger, since what they are about would stop every node that runs it. What counts is decided
when the transaction comes; the entry then holds the statements, and the file is no longer needed.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from hansa.governance import exclusion as rules
from hansa.node.recovery import open_stopped
from hansa.store.files import Disk, Files, read_whole, replace, trouble_told
from hansa.store.folder import Folder
from hansa.wire import exclusion
from hansa.wire.exclusion import Statement
from hansa.wire.problems import HansaError

Exclusions: TypeAlias = Mapping[bytes, Sequence[Statement]]
"""What was given, by id."""


def load(files: Files, folder: Folder) -> dict[bytes, list[Statement]]:
    """All that was given. Raises `HansaError` for a file that cannot be read: what it excludes must not run."""
    found: dict[bytes, list[Statement]] = {}
    if folder.exclusions.is_dir():
        for path in sorted(folder.exclusions.glob("*.cose")):
            with trouble_told(path):
                data = read_whole(files, path)
            try:
                statements = exclusion.read_all(data)
            except HansaError as error:
                raise HansaError("exclusion.form", f"{path}: {error.detail}") from None
            found[statements[0].id] = statements
    return found


def give(root: Path, id: bytes, paths: Sequence[Path]) -> list[str]:
    """Puts the statements in these files into the folder of a stopped node; the members who signed.

    Raises `HansaError` for one that does not count, too few, or an id that has its entry.
    """
    files, folder = Disk(), Folder(root)
    with open_stopped(root) as parts:
        statements = load(files, folder).get(id, [])
        for path in paths:
            statements += _read(files, path)
        data = b"".join(sorted({statement.envelope for statement in statements}))
        exclusion.read_all(data)
        signed = {rules.check(statement, parts.ledger, id, parts.directory) for statement in statements}
        rules.enough(statements, parts.ledger, id, parts.directory)
        seq = parts.reading().find(id)
        if seq is not None:
            raise HansaError("exclusion.late", f"it is entry {seq}")
        files.make_folder(folder.exclusions)
        files.sync_folder(folder.root)
        replace(files, folder.exclusions / f"{id.hex()}.cose", data)
    return sorted(signed)


def _read(files: Files, path: Path) -> list[Statement]:
    """The statements in a file that somebody gave. Raises `HansaError` `argument.file`, `exclusion.form`."""
    try:
        return exclusion.read_all(read_whole(files, path))
    except OSError as error:
        raise HansaError("argument.file", f"{path}: {error.strerror}") from None
    except HansaError as error:
        code = "exclusion.form" if error.code.startswith("cbor.") else error.code
        raise HansaError(code, f"{path} holds no statements: {error.detail}") from None
