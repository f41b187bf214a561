"""Where commands find a ledger: its folder, the URL of the node that runs over it, and the keys to sign with.

Also the options that say so, which are the same for every command.
"""

import contextlib
import difflib
import json
import os
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeVar

import click

from hansa.cli import output
from hansa.client.client import Client
from hansa.client.exchange import segment
from hansa.client.results import Receipt
from hansa.wire import names
from hansa.wire import trust as trust_file
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.node.reading import Reading
    from hansa.wire.keys import PrivateKey

DATA: Final = Path(os.environ.get("HANSA_DATA", "hansa-data"))

_NETWORK: Final = "network.json"
"""The map of a network, in the folder above its members'; see `hansa.node.network`."""

_Command = TypeVar("_Command", bound=Callable[..., Any])


def data_option(help: str = "The ledger's folder.") -> Callable[[_Command], _Command]:
    """The option for the folder of a ledger that there is, or with `up` will be."""
    return click.option("--data", type=click.Path(path_type=Path), default=DATA, show_default=True, help=help)


def url_option(help: str = "The node's URL, instead of the folder's.") -> Callable[[_Command], _Command]:
    """The options for a node that is reached without its folder."""
    by_url = click.option("--url", metavar="URL[,URL...]", help=f"{help} Of several the next is asked where one fails.")
    return lambda command: by_url(remote_options(_pinned_ledger(command)))


def remote_options(command: _Command) -> _Command:
    """The options for nodes on other machines: who reads there, and whose certificates count. `client` takes them."""
    reader = click.option(
        "--reader",
        type=click.Path(path_type=Path),
        envvar="HANSA_READER",
        expose_value=False,
        callback=_note,
        metavar="FILE",
        help="At https: the key to read with, if not the one that signs.",
    )
    certificates = click.option(
        "--certificates",
        type=click.Path(path_type=Path),
        envvar="HANSA_CERTIFICATES",
        expose_value=False,
        callback=_note,
        metavar="FILE",
        help="At https: the authorities whose certificates count, in PEM.",
    )
    return reader(certificates(command))


def _pinned_ledger(command: _Command) -> _Command:
    return click.option(
        "--ledger",
        envvar="HANSA_LEDGER",
        expose_value=False,
        callback=_note,
        metavar="HEX",
        help="The ledger's id; at https a node is then known by its registered key.",
    )(command)


def _note(context: click.Context, option: click.Parameter, value: Any) -> None:
    """Keeps what an option says for `client`, however deep in a command that is called."""
    context.meta[f"{__name__}.{option.name}"] = value


def _noted(name: str) -> Any:
    context = click.get_current_context(silent=True)
    return None if context is None else context.meta.get(f"{__name__}.{name}")


def client(urls: str | Sequence[str], ledger: str | None = None) -> Client:
    """A client of nodes, with what the command's options say of those on other machines.

    `urls` may be one text with several by comma, as the option takes them. A person is told at once what is wrong, and
    asks again.
    """
    reader: Path | PrivateKey | None = _noted("reader") or _noted("signer")
    pinned = ledger or _noted("ledger")
    asked = urls.split(",") if isinstance(urls, str) else urls
    return Client(asked, reader, pinned, certificates=_noted("certificates"), patient=False)


def signer_options(command: _Command) -> _Command:
    """The two options that say who signs; `signing_key` takes what they give."""
    by_name = click.option(
        "--as",
        "signer",
        metavar="MEMBER[/USER]",
        help="Whose key in DATA/keys signs: a member's, or that of one of its users.",
    )
    by_file = click.option("--key", type=click.Path(path_type=Path), help="A private key file to sign with instead.")
    return by_name(by_file(command))


def is_network(data: Path) -> bool:
    """Whether a folder is that of a whole network."""
    return (data / _NETWORK).is_file()


def is_member(data: Path) -> bool:
    """Whether a folder is that of a member of a network."""
    return is_network(_above(data)) and (data / "keys").is_dir()


def own_nodes(data: Path) -> list[Path]:
    """The folders of the nodes of the member whose folder is `data`."""
    return sorted(path.parent for path in data.glob("*/format"))


def ledgers(data: Path) -> list[Path]:
    """The folders that a command may take for the one that is named: it, or the nodes of the member whose it is.

    A member without a node uses any of its network's.
    """
    if not is_member(data):
        return [data]
    found = own_nodes(data) or sorted(path.parent for path in _above(data).glob("*/*/format"))
    return found or [data]


def running_url(data: Path) -> str | None:
    """The URL of the node over a folder, if one says that it runs; of several the first."""
    return next(filter(None, map(_running_url, ledgers(data))), None)


def _running_url(data: Path) -> str | None:
    try:
        found: dict[str, Any] = json.loads((data / "node.json").read_text())
        with contextlib.suppress(PermissionError):  # another user's process lives too
            os.kill(int(found["pid"]), 0)
        return str(found["url"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None


def connect(data: Path, url: str | None) -> Client:
    """A client of the node at `url`, or over the folder. Raises what `node_url` raises."""
    return client(node_url(data, url))


def node_url(data: Path, url: str | None) -> str:
    """`url`, or that of the node over the folder. Raises `HansaError` `folder.none`, `node.unreachable`."""
    found = url or running_url(data)
    if found is None:
        from hansa.store.folder import Folder

        if is_network(data):
            members = ", ".join(sorted(str(path.parent) for path in data.glob("*/keys")))
            remedy = f"Name a member's folder with --data: {members}."
            raise HansaError("folder.none", f"{data} holds a network, which has a ledger for each node", remedy=remedy)
        if not any(Folder(folder).exists() for folder in ledgers(data)):
            remedy = "Name the right folder with --data, or make one: `hansa up --data DIR`; or give a node's --url."
            raise HansaError("folder.none", f"{data} holds no ledger", remedy=remedy)
        raise HansaError("node.unreachable", f"no node runs over {data}")
    return found


def record_if_there(node: Client, contract: str, record: str, key: str) -> dict[str, Any] | None:
    """A record as the node gives it; None if there is none. Raises `HansaError`."""
    try:
        return node.get(f"/app/contracts/{segment(contract)}/records/{record}/value", key=key)
    except HansaError as error:
        if error.code != "record.unknown":
            raise
        return None


def signing_key(data: Path, name: str | None, file: Path | None, *, governance: bool = False) -> "PrivateKey":
    """The key of a member or user by name, from the ledger's folder, or from a file; it reads, too.

    `governance`: that with which a member proposes, votes and makes statements.
    """
    found = _signing_key(data, name, file, governance=governance)
    context = click.get_current_context(silent=True)
    if context is not None:
        context.meta[f"{__name__}.signer"] = found
    return found


def _signing_key(data: Path, name: str | None, file: Path | None, *, governance: bool) -> "PrivateKey":
    from hansa.client import keys

    if file is not None and name is not None:
        raise HansaError("argument.value", "--as and --key both say who signs", remedy="Give one of the two.")
    if file is not None:
        return keys.load(file)
    if name is None:
        raise HansaError(
            "argument.value", "who signs? give --as NAME or --key FILE", remedy=_remedy(_names(data, governance))
        )
    held = key_folder(data)
    path = held / ("governance" if governance else "users" if "/" in name else "members") / f"{name}.pem"
    if not (names.is_member(name) or names.is_user(name)) or not path.exists():
        if not data.is_dir():
            told = f"there is no folder {data}, where the key of {name[:80]!a} would lie"
            raise HansaError("argument.value", told, remedy="Give the ledger's folder with --data, or --key FILE.")
        known = _names(data, governance)
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        folder = f"{held}/governance" if governance else f"{held}"
        raise HansaError("argument.value", f"there is no key of {name[:80]!a} in {folder}{hint}", remedy=_remedy(known))
    return keys.load(path)


def _names(data: Path, governance: bool) -> list[str]:
    """The members and users whose keys lie in a ledger's folder."""
    held = key_folder(data)
    if governance:
        return sorted(path.stem for path in (held / "governance").glob("*.pem"))
    found = sorted(path.stem for path in (held / "members").glob("*.pem"))
    return found + sorted(f"{path.parent.name}/{path.stem}" for path in (held / "users").glob("*/*.pem"))


def key_folder(data: Path) -> Path:
    """Where the keys of members and users lie: in a network beside their nodes, else with the ledger."""
    return _above(data) / "keys" if is_network(_above(_above(data))) else data / "keys"


def _above(folder: Path) -> Path:
    """The folder that a folder lies in, however it is written."""
    return folder / os.pardir if folder.name in ("", "..") or folder.is_symlink() else folder.parent


def _remedy(known: list[str]) -> str:
    return f"There are keys of {', '.join(known)}." if known else "Give a key with --key FILE."


class Source(Protocol):
    """Where a ledger is read from: a running node, or the folder of a stopped one."""

    def genesis(self) -> bytes:
        """The genesis document."""
        ...

    def receipt(self, seq: int) -> bytes:
        """The receipt for an entry."""
        ...

    def cosigned(self, seq: int, k: int | Literal["default"]) -> Receipt:
        """The receipt for an entry by `k` members, or by fewer. Raises `HansaError` where no node runs."""
        ...

    def part(self, seq: int, part: str) -> bytes:
        """The bytes of an entry, or of one of its bodies."""
        ...

    def trust(self) -> bytes:
        """The trust file, with no receipts' checkpoints."""
        ...

    def consistency(self, first: int, second: int) -> bytes:
        """The proof that the checkpoint of size `second` continues the tree of size `first`."""
        ...


@contextlib.contextmanager
def open_source(data: Path, url: str | None) -> Generator[Source, None, None]:
    """The ledger behind a URL, or in a folder, whether its node runs or not."""
    found = url or running_url(data)
    if found is not None:
        with client(found) as node:
            yield _Running(node)
        return
    from hansa.node.recovery import open_stopped

    output.log_to_stderr()
    folder = ledgers(data)[0]
    with open_stopped(folder) as parts:
        yield _Stopped(folder, parts.document, parts.reading())


class _Running:
    def __init__(self, node: Client) -> None:
        self._node = node

    def genesis(self) -> bytes:
        return self._node.get_bytes("/node/genesis")

    def receipt(self, seq: int) -> bytes:
        return self._node.get_bytes(f"/app/receipts/{seq}")

    def cosigned(self, seq: int, k: int | Literal["default"]) -> Receipt:
        return self._node.receipt(seq, k=k, least=1)

    def part(self, seq: int, part: str) -> bytes:
        return self._node.get_bytes(f"/app/entries/{seq}/{part}")

    def trust(self) -> bytes:
        return self._node.get_bytes("/node/trust")

    def consistency(self, first: int, second: int) -> bytes:
        return self._node.get_bytes("/app/consistency", first=first, second=second)


class _Stopped:
    def __init__(self, folder: Path, document: bytes, reading: "Reading") -> None:
        self._folder = folder
        self._document = document
        self._reading = reading

    def genesis(self) -> bytes:
        return self._document

    def receipt(self, seq: int) -> bytes:
        return self._reading.receipt(seq)

    def cosigned(self, seq: int, k: int | Literal["default"]) -> Receipt:
        told = "no node runs over this folder, which could have others sign"
        raise HansaError("node.unreachable", told)

    def part(self, seq: int, part: str) -> bytes:
        found = self._reading.at(seq)
        return found.entry() if part == "entry" else getattr(found, part)

    def trust(self) -> bytes:
        from hansa.node import earlier
        from hansa.store.files import Disk
        from hansa.store.folder import Folder

        return trust_file.encode(self._reading.trust(earlier.load(Disk(), Folder(self._folder))))

    def consistency(self, first: int, second: int) -> bytes:
        return self._reading.consistency(first, second)
