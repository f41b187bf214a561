"""Whole contracts: the letter of credit that the design prints, and the example ledger."""

from pathlib import Path
from typing import Any

from tests.contracts.golden.program import TIME, Call, Golden, do, ledger

_CREDIT = (Path(__file__).parent / "letter_of_credit.txt").read_text(encoding="utf-8")
_LEDGER = (Path(__file__).parents[4] / "apps" / "example_ledger" / "contract.py").read_text(encoding="utf-8")
_LATE = TIME + 400 * 86_400_000


def _usd(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


_REQUEST = do("request", id="LC1", beneficiary="carol", issuer="bob", amount=_usd(1000), expiry="2024-06-30")
_ISSUE = do("issue", lc="LC1").by("bob").emits("lc.issued", id="LC1", amount=_usd(1000))


def _present(minor: int) -> Call:
    return do("present", lc="LC1", claim=_usd(minor), documents=[bytes(32)]).by("carol")


def _examine(complying: bool) -> Call:
    return do("examine", lc="LC1", complying=complying).by("bob")


def _honoured(minor: int) -> Call:
    return _examine(True).emits("lc.honoured", id="LC1", to="carol", amount=_usd(minor))


def _undrawn(minor: int) -> Call:
    return do("undrawn", lc="LC1").gives(_usd(minor))


def _credit(name: str, *calls: Call) -> Golden:
    return ledger(name, {"sample": _CREDIT}, *calls)


def _shop(name: str, *calls: Call) -> Golden:
    opened = [
        do("open", owner=owner, balance=_usd(n)).emits("account.opened", owner=owner, balance=_usd(n))
        for owner, n in (("alice", 90_000), ("bob", 5_000))
    ]
    return ledger(name, {"sample": _LEDGER}, *opened, *calls)


def _pay(source: str, to: str, minor: int) -> Call:
    return do("pay", account=source, to=to, amount=_usd(minor)).by(source)


def _balance(owner: str, minor: int) -> Call:
    return do("balance_of", account=owner).gives(_usd(minor))


PROGRAMS = [
    _credit(
        "credit_drawn_in_full",
        _REQUEST,
        _undrawn(1000),
        _ISSUE,
        _present(1000),
        _honoured(1000),
        _undrawn(0),
        _present(1).refused("state.denied"),
    ),
    _credit(
        "credit_drawn_in_parts",
        _REQUEST,
        _ISSUE,
        _present(400),
        _honoured(400),
        _undrawn(600),
        _present(601).refused("require.failed"),
        _present(600),
        _honoured(600),
        _undrawn(0),
    ),
    _credit(
        "credit_refused_documents",
        _REQUEST,
        _ISSUE,
        _present(400),
        _examine(False),
        _undrawn(1000),
        _present(1000),
        _honoured(1000),
    ),
    _credit(
        "credit_requested_wrongly",
        _REQUEST._replace(arguments={**_REQUEST.arguments, "amount": _usd(0)}).refused("require.failed"),
        _REQUEST._replace(arguments={**_REQUEST.arguments, "expiry": "2023-11-14"}).refused("require.failed"),
        _REQUEST._replace(arguments={**_REQUEST.arguments, "issuer": "zed"}).refused("arguments.invalid"),
        _REQUEST,
        _REQUEST.refused("record.exists"),
    ),
    _credit(
        "credit_roles",
        _REQUEST,
        do("issue", lc="LC1").refused("role.denied"),
        do("issue", lc="LC1").by("carol").refused("role.denied"),
        _present(1).refused("state.denied"),
        _ISSUE,
        _present(1).by("alice").refused("role.denied"),
        do("issue", lc="LC1").by("bob").refused("state.denied"),
    ),
    _credit(
        "credit_claims",
        _REQUEST,
        _ISSUE,
        _present(0).refused("require.failed"),
        _present(1001).refused("require.failed"),
        _present(5).at(_LATE).refused("require.failed"),
        do("present", lc="LC1", claim={"minor": 5, "currency": "EUR"}, documents=[])
        .by("carol")
        .refused("value.currency"),
        do("present", lc="LC1", claim=_usd(5), documents=[bytes(32)] * 21).by("carol").refused("arguments.invalid"),
        _examine(True).refused("state.denied"),
    ),
    _shop(
        "payments",
        _pay("alice", "bob", 50_000).emits("paid", sender="alice", to="bob", amount=_usd(50_000)),
        _balance("alice", 40_000),
        _balance("bob", 55_000),
        _pay("alice", "bob", 40_001).refused("require.failed"),
        _pay("alice", "bob", 0).refused("require.failed"),
        _pay("alice", "alice", 1).refused("require.failed"),
        _pay("alice", "bob", 1).by("bob").refused("role.denied"),
        do("pay", account="alice", to="bob", amount={"minor": 1, "currency": "EUR"}).refused("value.currency"),
        _pay("alice", "carol", 1).refused("arguments.invalid"),
    ),
    _shop(
        "titles",
        do("register", thing="car", owner="alice").emits("title.registered", thing="car", owner="alice"),
        do("register", thing="boat", owner="bob").by("bob").refused("role.denied"),
        do("sell", title="car", to="bob").emits("sold", thing="car", sender="alice", to="bob"),
        do("sell", title="car", to="carol").refused("role.denied"),
        do("sell", title="car", to="bob").by("bob").refused("require.failed"),
        do("sell", title="car", to="carol").by("bob").emits("sold", thing="car", sender="bob", to="carol"),
    ),
    _shop(
        "messages",
        do("tell", to="bob", message="hello").by("carol").emits("told", to="bob", message="hello"),
        do("tell", to="bob", message="").refused("arguments.invalid"),
        do("tell", to="bob", message="a" * 281).refused("arguments.invalid"),
        do("open", owner="bob", balance=_usd(1)).refused("record.exists"),
        do("open", owner="carol", balance=_usd(1)).by("bob").refused("role.denied"),
    ),
]
