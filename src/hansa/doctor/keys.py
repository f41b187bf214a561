"""The private keys in a ledger's folder: who can read them, whether they are keys, and whether the ledger has them."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hansa.client import keys as key_files
from hansa.doctor.check import Check
from hansa.doctor.machine import Machine
from hansa.node.create import CHECKPOINT_KEY, NODE_KEY
from hansa.store.files import Disk, read_whole
from hansa.store.folder import Folder
from hansa.wire import genesis
from hansa.wire.keys import PrivateKey, kid_of
from hansa.wire.problems import HansaError

SHOWN_MAX: Final = 3
"""Names in one line; the rest is counted."""
SEARCHED_MAX: Final = 10_000
"""Files of a ledger's folder that are looked into for private keys, wherever somebody has put a copy."""
HEAD_BYTES_MAX: Final = 16 * 1024
"""So far into a file: a key file is smaller."""
CHECKPOINT: Final = "checkpoint"
NODE: Final = "node"

_PEM: Final = b"PRIVATE KEY-----"
_SIGNS: Final = "Whoever has a key signs in its owner's name, and what is signed stays on the ledger."


def files_of(folder: Folder) -> list[Path]:
    """The key files in a folder, by their names."""
    return sorted(path for path in folder.keys.rglob("*.pem") if path.exists())


def _holding_keys(folder: Folder) -> tuple[list[Path], list[Path], bool]:
    """The files that hold a private key, whatever their names, the folders on the way, and whether all was seen.

    What the ledger itself writes all the time, and what is no file, is left out.
    """
    found = [path for path in files_of(folder) if path.is_file()]
    folders: list[Path] = []
    seen = 0
    for at, names, files in os.walk(folder.root):
        place = Path(at)
        names[:] = sorted(name for name in names if place / name not in (folder.journal, folder.tiles, folder.state))
        folders.append(place)
        for path in (place / name for name in sorted(files)):
            seen += 1
            if seen > SEARCHED_MAX:
                return found, folders, False
            if path not in found and _holds_key(path):
                found.append(path)
    return found, folders, True


def _holds_key(path: Path) -> bool:
    """Whether a PEM private key (RFC 7468) stands at the beginning of a file."""
    try:
        file = Disk().open_to_read(path)  # which refuses what is no file, and does not wait for it
        try:
            return _PEM in file.read(0, HEAD_BYTES_MAX)
        finally:
            file.close()
    except OSError:
        return False


def _open_to_write(folders: list[Path]) -> list[str]:
    """The folders into which others than their owner can put files: below a closed one, whoever may write anywhere."""
    found: list[str] = []
    for number, path in enumerate(folders):
        mode = path.stat().st_mode
        if mode & stat.S_IWOTH or (mode & stat.S_IWGRP and (not number or folders[0].stat().st_mode & stat.S_IXGRP)):
            found.append(str(path))
    return found


def in_genesis(folder: Folder) -> dict[bytes, str] | None:
    """What the keys that genesis names are for, by kid; None if it cannot be read: a node makes it again."""
    try:
        document = genesis.decode(read_whole(Disk(), folder.genesis))
    except (HansaError, OSError):
        return None
    found = {kid_of(node.checkpoint_key): CHECKPOINT for node in document.nodes}
    found |= {kid_of(node.node_key): NODE for node in document.nodes}
    return found | {kid_of(key): "transaction" for one in (*document.members, *document.users) for key in one.keys}


def private(machine: Machine, folder: Folder) -> list[Check]:
    """Whether the files are their owner's alone, their owner is this user, and nobody else writes beside them."""
    files, folders, is_all = _holding_keys(folder)
    exposed = [str(f) for f in files if f.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    foreign = [str(f) for f in files if f.stat().st_uid != machine.user()]
    checks: list[Check] = []
    if exposed:
        fix = f"`chmod 600 {' '.join(exposed[:SHOWN_MAX])}`, and think whether they leaked: keys can be replaced"
        checks.append(Check("key access", "fail", f"others can read {_some(exposed)}", _SIGNS, fix))
    elif foreign:
        why = "The node of this user cannot read them, or another user holds its keys."
        fix = f"Run as their owner, or `chown {machine.user()} {foreign[0]}`"
        checks.append(Check("key access", "fail", f"{_some(foreign)} belong to another user", why, fix))
    else:
        searched = "" if is_all else f"; of all files here only the first {SEARCHED_MAX:,} were searched for more"
        checks.append(Check("key access", "ok", f"{len(files)} key files, readable by their owner only{searched}"))
    if opened := _open_to_write(folders):
        why = "Who can write into a folder can put another key in a key's place, or take a file away."
        fix = f"`chmod 700 {' '.join(opened[:SHOWN_MAX])}`, and see that the keys are still yours"
        checks.append(Check("key folders", "fail", f"others can write into {_some(opened)}", why, fix))
    if files and any((above / ".git").exists() for above in folder.keys.absolute().parents):
        checks.append(_in_git(machine, folder))
    return checks


def _in_git(machine: Machine, folder: Folder) -> Check:
    name, ignored = "keys and git", machine.git_ignores(folder.keys.absolute())
    if ignored:
        return Check(name, "ok", f"{folder.keys} lies in a git work tree that leaves it out")
    seen = f"{folder.keys} lies in a git work tree"
    why = "`git add .` would put the private keys into history, from where they do not come back."
    fix = f"Add the folder to .gitignore: `echo '{folder.root.name}/' >> .gitignore`"
    if ignored is None:
        return Check(name, "unknown", f"{seen}; there is no git here to ask whether it leaves them out", why, fix)
    return Check(name, "warn", f"{seen} that does not leave it out", why, fix)


def known(folder: Folder, registered: Mapping[bytes, str] | None) -> list[Check]:
    """Whether the keys can be read, the node's are the ledger's, and the ledger knows the others.

    `registered`: what each key that the ledger knows is for, by kid; None if that could not be found out.
    """
    loaded: dict[Path, PrivateKey] = {}
    broken: list[str] = []
    for path in files_of(folder):
        if not path.is_file():  # a pipe would be waited for
            broken.append(f"{path} is not a file")
            continue
        try:
            loaded[path] = key_files.load(path)
        except HansaError as error:
            if error.code != "key.exposed":  # which is told already
                broken.append(error.detail)
    of_node = _of_node(folder, loaded, registered if registered is not None else in_genesis(folder))
    if broken:
        fix = "Put the right file there, from a backup made with its keys; or remove what is no key."
        why = "Nothing can be signed with it."
        return [*of_node, Check("keys", "fail", f"{len(broken)} cannot be read: {broken[0]}", why, fix)]
    if registered is None:
        why = "The ledger refuses what an unknown key signs."
        fix = "Start the node, or mend what the other checks say, and run doctor again."
        return [*of_node, Check("keys", "unknown", "the ledger's state does not say which keys it knows", why, fix)]
    strange = [str(path) for path, key in loaded.items() if key.kid not in registered]
    if strange:
        why = "The ledger refuses what these keys sign."
        fix = "Register them, or remove them if they are another ledger's."
        return [*of_node, Check("keys", "warn", f"the ledger does not know {_some(strange)}", why, fix)]
    return [*of_node, Check("keys", "ok", f"the ledger knows all {len(loaded)} that can be read")]


def _of_node(folder: Folder, loaded: Mapping[Path, PrivateKey], known: Mapping[bytes, str] | None) -> list[Check]:
    """The two keys without which no node starts: its own, and the one that signs checkpoints."""
    checks: list[Check] = []
    for file, purpose in ((CHECKPOINT_KEY, CHECKPOINT), (NODE_KEY, NODE)):
        path, name = _counting(folder.keys / file, purpose, loaded, known), f"{purpose} key"
        fix = f"Put the ledger's {purpose} key at {path}; `hansa backup --keys` keeps it."
        why = "Without it a node over this folder does not start."
        if not path.exists():
            checks.append(Check(name, "fail", f"there is no {path}", why, fix))
        elif path not in loaded:
            checks.append(Check(name, "fail", f"{path} cannot be used", why, fix))
        elif known is None:
            checks.append(Check(name, "unknown", "the genesis document cannot be read", why, "Start the node."))
        elif known.get(loaded[path].kid) != purpose:
            checks.append(Check(name, "fail", f"{path} is not a {purpose} key of this ledger", why, fix))
        else:
            checks.append(Check(name, "ok", f"{path} is the ledger's"))
    return checks


def _counting(path: Path, purpose: str, loaded: Mapping[Path, PrivateKey], known: Mapping[bytes, str] | None) -> Path:
    """The file with the node's key of a purpose: that of genesis, or after a change one beside it."""
    files = [one for one in loaded if one.parent == path.parent and one.name.startswith(purpose)]
    return next((one for one in files if known is not None and known.get(loaded[one].kid) == purpose), path)


def _some(paths: list[str]) -> str:
    more = len(paths) - SHOWN_MAX
    return ", ".join(paths[:SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")
