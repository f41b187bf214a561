"""The JSON files that lie beside ledgers and say how nodes find each other: read strictly, written whole.

Called by `network`, `ordering` and `peers`, each of which says what its file is. No node changes one of them.
"""

from pathlib import Path
from typing import TypeVar

import msgspec

from hansa.store.files import Files, read_whole, replace, trouble_told
from hansa.wire.problems import HansaError

_T = TypeVar("_T")


def read(files: Files, path: Path, kind: type[_T], most: int, code: str) -> _T:
    """What a file of at most `most` bytes says. Raises `HansaError`: `code` for another form, `folder.access`."""
    with trouble_told(path):
        data = read_whole(files, path)
    try:
        return msgspec.json.decode(data[: most + 1], type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise HansaError(code, f"{path}: {error}") from None


def write(files: Files, path: Path, value: msgspec.Struct) -> None:
    """Writes a file for people to read too, whole and durable."""
    replace(files, path, msgspec.json.format(msgspec.json.encode(value)) + b"\n")
