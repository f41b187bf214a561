"""The example ledger: payments need cover, sales need ownership, and money is neither made nor lost."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

PEOPLE = ("alex", "jim", "katie")


def usd(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


def opened(app: Callable[..., Any], balances: dict[str, int]) -> Any:
    """The ledger with an account for each of these people, and alex's car."""
    ledger = app("example_ledger", {"registry": {"role:registrar"}, **{person: set() for person in PEOPLE}})
    for person, balance in balances.items():
        assert ledger.take("registry", "open", owner=person, balance=usd(balance)).code == "ok"
    assert ledger.take("registry", "register", thing="car", owner="alex").code == "ok"
    return ledger


@pytest.fixture
def ledger(app: Callable[..., Any]) -> Any:
    return opened(app, {"alex": 1_000, "jim": 50})


def test_a_payment_moves_money(ledger: Any) -> None:
    paid = ledger.take("alex", "pay", account="alex", to="jim", amount=usd(400))
    assert paid.events == [{"data": {"to": "jim", "amount": usd(400), "sender": "alex"}, "name": "paid"}]
    assert [(w.key, w.previous) for w in paid.writes] == [("alex", 1), ("jim", 2)]
    assert ledger.record("Account", "alex") == {"owner": "alex", "balance": usd(600)}
    assert ledger.record("Account", "jim") == {"owner": "jim", "balance": usd(450)}


@pytest.mark.parametrize("amount", [1, 999, 1_000])
def test_a_payment_may_take_all_there_is(ledger: Any, amount: int) -> None:
    assert ledger.take("alex", "pay", account="alex", to="jim", amount=usd(amount)).code == "ok"
    assert ledger.take("alex", "balance_of", account="alex").result == usd(1_000 - amount)


@pytest.mark.parametrize(
    ("by", "arguments", "code"),
    [
        ("alex", {"account": "alex", "to": "jim", "amount": usd(1_001)}, "require.failed"),
        ("alex", {"account": "alex", "to": "jim", "amount": usd(0)}, "require.failed"),
        ("alex", {"account": "alex", "to": "alex", "amount": usd(1)}, "require.failed"),
        ("alex", {"account": "alex", "to": "jim", "amount": {"minor": 1, "currency": "EUR"}}, "value.currency"),
        ("alex", {"account": "alex", "to": "jim", "amount": usd(-1)}, "arguments.invalid"),
        ("alex", {"account": "alex", "to": "katie", "amount": usd(1)}, "arguments.invalid"),
        ("alex", {"account": "alex", "to": "nobody", "amount": usd(1)}, "arguments.invalid"),
        ("jim", {"account": "alex", "to": "jim", "amount": usd(1)}, "role.denied"),
        ("registry", {"account": "alex", "to": "jim", "amount": usd(1)}, "role.denied"),
    ],
)
def test_a_payment_that_must_not_be_moves_nothing(ledger: Any, by: str, arguments: dict[str, Any], code: str) -> None:
    before = dict(ledger.records)
    assert ledger.take(by, "pay", **arguments).code == code
    assert ledger.records == before


def test_an_overdraft_says_what_is_missing(ledger: Any) -> None:
    refused = ledger.take("jim", "pay", account="jim", to="alex", amount=usd(51))
    assert refused.result["values"] == {"who": "jim", "amount": usd(51), "balance": usd(50)}
    assert refused.result["message"] == "{who} has {balance}, which does not cover {amount}"


def test_a_sale_hands_the_title_over_once(ledger: Any) -> None:
    sold = ledger.take("alex", "sell", title="car", to="jim")
    assert sold.events == [{"data": {"to": "jim", "thing": "car", "sender": "alex"}, "name": "sold"}]
    assert ledger.record("Title", "car") == {"thing": "car", "owner": "jim"}
    assert ledger.take("alex", "sell", title="car", to="katie").code == "role.denied"
    assert ledger.take("jim", "sell", title="car", to="jim").code == "require.failed"
    assert ledger.take("jim", "sell", title="car", to="alex").code == "ok"


@pytest.mark.parametrize(
    ("action", "arguments"),
    [("open", {"owner": "katie", "balance": usd(1)}), ("register", {"thing": "boat", "owner": "katie"})],
)
def test_only_the_registrar_opens_and_registers(ledger: Any, action: str, arguments: dict[str, Any]) -> None:
    assert ledger.take("alex", action, **arguments).code == "role.denied"
    assert ledger.take("registry", action, **arguments).code == "ok"
    assert ledger.take("registry", action, **arguments).code == "record.exists"


@pytest.mark.parametrize(
    ("message", "code"), [("a", "ok"), ("é" * 280, "ok"), ("", "arguments.invalid"), ("a" * 281, "arguments.invalid")]
)
def test_messages_are_kept_as_events(ledger: Any, message: str, code: str) -> None:
    told = ledger.take("jim", "tell", to="alex", message=message)
    assert (told.code, told.writes) == (code, [])
    if code == "ok":
        assert told.events == [{"data": {"to": "alex", "message": message}, "name": "told"}]


@given(
    balances=st.lists(st.integers(0, 10**6), min_size=3, max_size=3),
    payments=st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE), st.integers(0, 10**6)), max_size=20),
)
def test_money_is_neither_made_nor_lost(
    balances: list[int], payments: list[tuple[str, str, int]], app: Callable[..., Any]
) -> None:
    ledger = opened(app, dict(zip(PEOPLE, balances, strict=True)))
    expected = dict(zip(PEOPLE, balances, strict=True))
    for sender, to, amount in payments:
        ran = ledger.take(sender, "pay", account=sender, to=to, amount=usd(amount))
        may = sender != to and 0 < amount <= expected[sender]
        assert ran.code == ("ok" if may else "require.failed")
        if may:
            expected[sender] -= amount
            expected[to] += amount
    assert {person: ledger.record("Account", person)["balance"]["minor"] for person in PEOPLE} == expected
    assert sum(expected.values()) == sum(balances)
