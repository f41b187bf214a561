"""How others reach a node: what `hansa up --listen` and its companions say, and the socket that comes of it."""

import contextlib
import ipaddress
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.api.server import Listening
    from hansa.node.node import Node
    from hansa.node.tls import OwnFiles


class WayIn(msgspec.Struct, frozen=True):
    """Where to listen, the hosts in the URLs of others, and the operator's certificate and its key."""

    host: str
    port: int
    names: list[str]
    files: tuple[Path, Path] | None


def asked(
    listen: str, hostnames: tuple[str, ...], certificate: Path | None, key: Path | None, port: int
) -> WayIn | None:
    """What the options ask for, None if nothing. Raises `HansaError`: `argument.value`, `tls.names`."""
    if not listen:
        if hostnames or certificate or key:
            told = "--hostname and --certificate say how --listen is reached, and it is not given"
            raise HansaError("argument.value", told, remedy="Give --listen ADDRESS too, or leave them out.")
        return None
    if (certificate is None) != (key is None):
        told = "a certificate and its key belong together"
        raise HansaError("argument.value", told, remedy="Give both --certificate and --certificate-key, or neither.")
    host, port = _place(listen, port)
    names = [*([] if ipaddress.ip_address(host).is_unspecified else [host]), *map(_hostname, hostnames)]
    if not names:
        raise HansaError("tls.names", f"{host} is every address of this machine")
    files = None if certificate is None or key is None else (certificate, key)
    return WayIn(host, port, list(dict.fromkeys(names)), files)


@contextlib.contextmanager
def opened(way: WayIn | None) -> "Generator[Listening | None]":
    """The bound socket. Raises `HansaError`: `node.port`, `tls.files`, `key.exposed`."""
    if way is None:
        yield None
        return
    from hansa.api import server

    with server.bind_any(way.host, way.port) as listener:
        yield server.Listening(listener, way.names, None if way.files is None else _own(*way.files))


def described(listening: "Listening", node: "Node") -> dict[str, Any]:
    """What others need to know of it. `authority` is the file for programs that know no ledger."""
    from hansa.api import server
    from hansa.node.tls import AUTHORITY

    own, name = node.own_key(), listening.names[0]
    port = listening.listener.getsockname()[1]
    url = f"https://[{name}]:{port}" if ":" in name else f"https://{name}:{port}"
    authority = node.folder.root / AUTHORITY
    return {
        "url": url,
        "bound": server.url_of(listening.listener, "https"),
        "names": listening.names,
        "node_key": None if own is None else own.kid,
        "authority": str(authority),
        "certificate": None if listening.own is None else str(listening.own.certificate),
    }


def shown(fields: dict[str, Any]) -> str:
    """By what others know it, in words."""
    own = fields["certificate"]
    return f"authority {fields['authority']}" if own is None else f"certificate {own}"


def _own(certificate: Path, key: Path) -> "OwnFiles":
    """The operator's files. Raises `HansaError`: `tls.files`, `key.exposed`."""
    from hansa.node import tls

    files = tls.OwnFiles(certificate, key)
    tls.check_files(files)
    return files


def _place(listen: str, port: int) -> tuple[str, int]:
    """An address and a port. Raises `HansaError` `argument.value`."""
    host = listen
    if listen.startswith("["):
        host, _, rest = listen[1:].partition("]")
        given = rest.removeprefix(":")
    elif listen.count(":") == 1:
        host, _, given = listen.partition(":")
    else:
        given = ""
    try:
        host = str(ipaddress.ip_address(host))
        port = int(given) if given else port
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        remedy = "Give an IP address of this machine, and a port if you like: 192.0.2.7:8471, [2001:db8::7]:8471."
        raise HansaError("argument.value", f"--listen {listen[:100]!a} is no address", remedy=remedy)
    return host, port


def _hostname(name: str) -> str:
    """A name in a URL, in lower case. Raises `HansaError` `argument.value`."""
    found = name.lower()
    labels = found.split(".")
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(found))
    if len(found) > 253 or not all(0 < len(one) <= 63 and one.isascii() and _is_label(one) for one in labels):
        remedy = "Give a DNS name or an IP address, without port."
        raise HansaError("argument.value", f"--hostname {name[:100]!a} is no name of a host", remedy=remedy)
    return found


def _is_label(text: str) -> bool:
    return text.replace("-", "").isalnum() and not (text.startswith("-") or text.endswith("-"))
