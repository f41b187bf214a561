"""What a member, a user or a stranger needs: keys, signed transactions, HTTP, verification without a node.

Imports neither the store nor the server, so it can be lifted out alone. `from hansa.client import Client` is where a
program begins; each name is imported when it is first asked for, so that one needs not wait for the others.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from hansa.client.async_client import AsyncClient
    from hansa.client.client import Client
    from hansa.client.comparing import Comparison
    from hansa.client.events import Event
    from hansa.client.governance import Ballot, Proposal
    from hansa.client.money import Amount
    from hansa.client.proxy import Contract
    from hansa.client.results import Answer, Head, Lookup, Receipt, Refused, Row, Several, Unknown, Unproven, Wait
    from hansa.client.sign_in import SignedIn, authorize
    from hansa.client.status import Status
    from hansa.client.transactions import Prepared
    from hansa.client.transport import AsyncTransport, Transport
    from hansa.client.verification import Pinned, Proven, pin_genesis, pin_key, verify
    from hansa.wire.keys import PrivateKey, Signer
    from hansa.wire.problems import HansaError

_ROOMS: Final = {
    "async_client": ("AsyncClient",),
    "client": ("Client",),
    "comparing": ("Comparison",),
    "events": ("Event",),
    "governance": ("Ballot", "Proposal"),
    "money": ("Amount",),
    "proxy": ("Contract",),
    "results": ("Answer", "Head", "Lookup", "Receipt", "Refused", "Row", "Several", "Unknown", "Unproven", "Wait"),
    "sign_in": ("SignedIn", "authorize"),
    "status": ("Status",),
    "transactions": ("Prepared",),
    "transport": ("AsyncTransport", "Transport"),
    "verification": ("Pinned", "Proven", "pin_genesis", "pin_key", "verify"),
}
_FROM: Final = {name: f"hansa.client.{room}" for room, names in _ROOMS.items() for name in names} | {
    "PrivateKey": "hansa.wire.keys",
    "Signer": "hansa.wire.keys",
    "HansaError": "hansa.wire.problems",
}

__all__ = [
    "Amount",
    "Answer",
    "AsyncClient",
    "AsyncTransport",
    "Ballot",
    "Client",
    "Comparison",
    "Contract",
    "Event",
    "HansaError",
    "Head",
    "Lookup",
    "Pinned",
    "Prepared",
    "PrivateKey",
    "Proposal",
    "Proven",
    "Receipt",
    "Refused",
    "Row",
    "Several",
    "SignedIn",
    "Signer",
    "Status",
    "Transport",
    "Unknown",
    "Unproven",
    "Wait",
    "authorize",
    "pin_genesis",
    "pin_key",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _FROM:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_FROM[name]), name)
