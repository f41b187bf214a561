"""The chain of checkpoint keys from before a node came, as another node showed it: `earlier.trust` in its folder.

What the keys of that time signed of each other nobody can sign again, and the node was not there. Who has it join
writes the file, verified (`client.key_chain`); without it the node is sound, and cannot show that chain to others.
"""

from hansa.store.files import Files, read_whole, trouble_told
from hansa.store.folder import Folder
from hansa.wire import trust
from hansa.wire.trust import Change


def load(files: Files, folder: Folder) -> list[Change]:
    """The changes in the file, none without one. Raises `HansaError`: `folder.access`, or as `trust.decode`."""
    if not folder.earlier.exists():
        return []
    with trouble_told(folder.earlier):
        data = read_whole(files, folder.earlier)
    return trust.decode(data).changes
