"""Who may ask what from another machine: nothing but whether the node lives, unless they say who they are.

Called by `app` for every request that came through the `gate`. What strangers may ask there is in the table of
operations: liveness, challenges and tokens, and what brings its own proof (signed transactions, ID tokens).
"""

from typing import TYPE_CHECKING, Any, Final

from hansa.api.readers import Reader, Readers
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.node.tls import Credentials

SECURED: Final = "https"
"""The scheme by which a request that came through the gate is known."""
CERTIFICATE: Final = "hansa.certificate"
"""The extension of the ASGI scope with the verified certificate of who connects, if another node does."""
READER: Final = "hansa.reader"
"""The extension of the ASGI scope with who reads."""


class Guard:
    """Of one node. `names` are the hosts by which others reach it."""

    def __init__(self, readers: Readers, credentials: "Credentials", names: frozenset[str]) -> None:
        self.readers = readers
        self._credentials = credentials
        self._names = names

    def admit(self, scope: Any) -> Reader | None:
        """Who sends a request; None for a stranger. Raises `HansaError`: `reader.token`, `request.host`."""
        headers = dict(scope["headers"])
        host = _name(headers.get(b"host", b"").decode("latin-1").lower())
        if host not in self._names:
            raise HansaError("request.host", f"{host[:100]!a}")
        kid = self._credentials.peer(scope["extensions"].get(CERTIFICATE))
        if kid is not None:
            return Reader(kid, None)
        authorization = headers.get(b"authorization")
        return None if authorization is None else self.readers.reader(authorization.decode("latin-1"))

    def is_over(self, found: Reader | None) -> bool:
        """Whether somebody who began to read may read no more."""
        try:
            if found is not None:
                self.readers.check(found)
        except HansaError:
            return True
        return False


def is_stranger(scope: Any) -> bool:
    """Whether a request comes from another machine, and nobody knows whose it is."""
    return scope["scheme"] == SECURED and scope["extensions"].get(READER) is None


def _name(host: str) -> str:
    """The name or address in a Host header, without the port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
