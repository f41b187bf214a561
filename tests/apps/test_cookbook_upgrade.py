"""The cookbook's upgrade: every invoice of the first version goes on in the second, worth the same."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apps.trial import Trial, source

FIRST, SECOND = source("cookbook/upgrade/contract_v1.py"), source("cookbook/upgrade/contract.py")
MEMBERS = {"ann": set[str](), "ben": set[str]()}


def usd(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


def begun(*, quick: bool = False) -> Trial:
    return Trial({"upgrade": FIRST}, MEMBERS, quick=quick)


@pytest.fixture
def trial() -> Trial:
    made = begun()
    made.done("ann", "issue", id="i1", buyer="ben", cents=500)
    made.done("ann", "issue", id="i2", buyer="ben", cents=700)
    made.done("ann", "receive", invoice="i2")
    made.world.deploy("upgrade", SECOND)
    return made


def test_what_was_owed_is_owed(trial: Trial) -> None:
    assert trial.ask("owed", invoice="i1") == usd(500)
    assert trial.ask("owed", invoice="i2") == usd(0)
    assert trial.record("Invoice", "i1")["cents"] == 500, "nothing is rewritten until it is touched by an action"


def test_old_invoices_are_paid_by_the_new_rules(trial: Trial) -> None:
    trial.done("ann", "receive", invoice="i1", payment=usd(200))
    found = trial.record("Invoice", "i1")
    assert (found["amount"], found["received"], found["due"]) == (usd(500), usd(200), "2023-12-14")
    trial.done("ann", "receive", invoice="i1", payment=usd(300))
    trial.refused("ann", "receive", "invariant.failed", invoice="i1", payment=usd(1))


def test_what_was_paid_is_not_paid_again(trial: Trial) -> None:
    trial.refused("ann", "receive", "invariant.failed", invoice="i2", payment=usd(1))
    trial.refused("ann", "receive", "require.failed", invoice="i1", payment=usd(0))
    trial.refused("ann", "receive", "value.currency", invoice="i2", payment={"minor": 1, "currency": "EUR"})


def test_calls_in_the_old_form_are_refused(trial: Trial) -> None:
    trial.refused("ann", "issue", "arguments.invalid", id="i3", buyer="ben", cents=500)
    trial.refused("ann", "receive", "arguments.invalid", invoice="i1")


def test_roles_stay(trial: Trial) -> None:
    trial.refused("ben", "receive", "role.denied", invoice="i1", payment=usd(500))


def test_new_invoices_have_any_currency(trial: Trial) -> None:
    eur = {"minor": 900, "currency": "EUR"}
    trial.done("ann", "issue", id="i3", buyer="ben", amount=eur)
    assert trial.ask("owed", invoice="i3") == eur
    trial.refused("ann", "issue", "require.failed", id="i4", buyer="ben", amount=usd(0))
    trial.refused("ann", "issue", "record.exists", id="i1", buyer="ben", amount=usd(1))


@pytest.mark.parametrize(("action", "arguments"), [("issue", {"id": "i1", "buyer": "ben", "cents": 0}),
                                                   ("receive", {"invoice": "i2"})])
def test_the_first_version_had_rules_too(action: str, arguments: dict[str, Any]) -> None:
    made = begun()
    made.done("ann", "issue", id="i2", buyer="ben", cents=700)
    made.done("ann", "receive", invoice="i2")
    made.refused("ann", action, "arguments.invalid" if action == "issue" else "require.failed", **arguments)


@given(st.lists(st.tuples(st.integers(1, 10**8), st.booleans()), min_size=1, max_size=8))
def test_every_old_invoice_comes_up_worth_the_same(invoices: list[tuple[int, bool]]) -> None:
    trial = begun(quick=True)
    for number, (cents, is_paid) in enumerate(invoices):
        trial.done("ann", "issue", id=str(number), buyer="ben", cents=cents)
        if is_paid:
            trial.done("ann", "receive", invoice=str(number))
    trial.world.deploy("upgrade", SECOND)
    for number, (cents, is_paid) in enumerate(invoices):
        assert trial.ask("owed", invoice=str(number)) == usd(0 if is_paid else cents)
