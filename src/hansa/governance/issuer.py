"""An issuer of ID tokens as the ledger knows it: for which member it vouches, for whom, and what its claims confer.

The records come from the `members` contract; `api.sessions` reads them, `api.tokens` verifies tokens by them. What is
never here is a key: those are fetched by the member's node alone, and nothing that nodes must agree on depends on them.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

RECORD: Final = "Issuer"
SESSION: Final = "Session"
"""The members records of issuers, and of the sessions registered on their word."""


class Rule(msgspec.Struct, frozen=True):
    """Who has `value` in its `claim`, a text or a list of texts, is given `attribute`."""

    claim: str
    value: str
    attribute: str


class Issuer(msgspec.Struct, frozen=True):
    """Who signs in for whom. `tenant` is what the token's `tid` must be; empty: the token must have none."""

    id: str
    member: str
    url: str
    tenant: str
    audience: str
    algorithms: list[str]
    rules: list[Rule]
    removed: bool = False


def conferred(issuer: Issuer, claims: Mapping[str, Any]) -> list[str]:
    """The attributes that a verified token's claims confer by the issuer's rules, sorted; none for what no rule names.

    A claim of another form than a text or a list of texts confers nothing.
    """
    return sorted({rule.attribute for rule in issuer.rules if rule.value in _texts(claims.get(rule.claim))})


def _texts(claim: Any) -> list[str]:
    if isinstance(claim, str):
        return [claim]
    if isinstance(claim, list):
        return [one for one in claim if isinstance(one, str)]  # pyright: ignore[reportUnknownVariableType]
    return []
