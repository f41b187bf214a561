"""Every invoice of the first version goes on in the second, worth the same.

Run by `hansa contract test .`, or by pytest.
"""

from collections.abc import Callable
from typing import Any

import pytest
from hansa.testing import Contract, Ledger, Refused, amount
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def first(new_ledger: Callable[[], Ledger]) -> Contract:
    """The first version, without an invoice."""
    ledger = new_ledger()
    ledger.member("ann")
    ledger.member("ben")
    return ledger.deploy("contract_v1.py", "invoices")


def forked(contract: Contract) -> Contract:
    """The same on a ledger of its own."""
    return contract.ledger.fork().contract(contract.name)


@pytest.fixture
def invoices(first: Contract) -> Contract:
    """Ben owes Ann the first of two invoices, and now the second version rules."""
    contract = forked(first)
    contract.by("ann").issue(id="i1", buyer="ben", cents=500)
    contract.by("ann").issue(id="i2", buyer="ben", cents=700)
    contract.by("ann").receive(invoice="i2")
    contract.upgrade("contract.py")
    return contract


def test_what_was_owed_is_owed(invoices: Contract) -> None:
    assert invoices.view.owed(invoice="i1") == amount("USD 5.00")
    assert invoices.view.owed(invoice="i2") == amount("USD 0.00")
    assert invoices.record("Invoice", "i1")["cents"] == 500, "nothing is rewritten until it is touched by an action"


def test_old_invoices_are_paid_by_the_new_rules(invoices: Contract) -> None:
    invoices.by("ann").receive(invoice="i1", payment="USD 2.00")
    found = invoices.record("Invoice", "i1")
    assert (found["amount"], found["received"]) == (amount("USD 5.00"), amount("USD 2.00"))
    assert (found["issued"], found["due"]) == ("2030-01-01", "2030-01-31")
    invoices.by("ann").receive(invoice="i1", payment="USD 3.00")
    with pytest.raises(Refused, match=r"invariant\.failed"):
        invoices.by("ann").receive(invoice="i1", payment="USD 0.01")


def test_what_was_paid_is_not_paid_again(invoices: Contract) -> None:
    with pytest.raises(Refused, match=r"invariant\.failed"):
        invoices.by("ann").receive(invoice="i2", payment="USD 0.01")
    with pytest.raises(Refused, match="a payment is positive"):
        invoices.by("ann").receive(invoice="i1", payment="USD 0.00")
    with pytest.raises(Refused, match=r"value\.currency"):
        invoices.by("ann").receive(invoice="i2", payment="EUR 0.01")


def test_calls_in_the_old_form_are_refused(invoices: Contract) -> None:
    with pytest.raises(Refused, match=r"arguments\.invalid"):
        invoices.by("ann").issue(id="i3", buyer="ben", cents=500)
    with pytest.raises(Refused, match=r"arguments\.invalid"):
        invoices.by("ann").receive(invoice="i1")


def test_roles_stay(invoices: Contract) -> None:
    with pytest.raises(Refused, match=r"role\.denied"):
        invoices.by("ben").receive(invoice="i1", payment="USD 5.00")


def test_new_invoices_have_any_currency(invoices: Contract) -> None:
    invoices.by("ann").issue(id="i3", buyer="ben", amount="EUR 9.00")
    assert invoices.view.owed(invoice="i3") == amount("EUR 9.00")
    with pytest.raises(Refused, match="an invoice is positive"):
        invoices.by("ann").issue(id="i4", buyer="ben", amount="USD 0.00")
    with pytest.raises(Refused, match=r"record\.exists"):
        invoices.by("ann").issue(id="i1", buyer="ben", amount="USD 0.01")


@pytest.mark.parametrize(
    ("action", "why", "arguments"),
    [
        ("issue", r"arguments\.invalid", {"id": "i1", "buyer": "ben", "cents": 0}),
        ("receive", "it was paid", {"invoice": "i2"}),
    ],
)
def test_the_first_version_had_rules_too(first: Contract, action: str, why: str, arguments: dict[str, Any]) -> None:
    invoices = forked(first)
    invoices.by("ann").issue(id="i2", buyer="ben", cents=700)
    invoices.by("ann").receive(invoice="i2")
    with pytest.raises(Refused, match=why):
        getattr(invoices.by("ann"), action)(**arguments)


@settings(deadline=None, max_examples=50)
@given(issued=st.lists(st.tuples(st.integers(1, 10**8), st.booleans()), min_size=1, max_size=8))
def test_every_old_invoice_comes_up_worth_the_same(first: Contract, issued: list[tuple[int, bool]]) -> None:
    invoices = forked(first)
    for number, (cents, is_paid) in enumerate(issued):
        invoices.by("ann").issue(id=str(number), buyer="ben", cents=cents)
        if is_paid:
            invoices.by("ann").receive(invoice=str(number))
    invoices.upgrade("contract.py")
    for number, (cents, is_paid) in enumerate(issued):
        owed = {"minor": 0 if is_paid else cents, "currency": "USD"}
        assert invoices.view.owed(invoice=str(number)) == owed
