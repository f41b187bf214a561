"""`hansa contract new`: a small whole contract with its tests, to begin from."""

import os
from pathlib import Path
from typing import Final

import click

from hansa.cli.output import Output
from hansa.cli.sources import unfit
from hansa.wire.problems import HansaError

_CONTRACT: Final = '''"""Offers between members: one makes an offer to another, who accepts or declines it in time."""

from hansa.contract import (
    Amount,
    Contract,
    Duration,
    Instant,
    Party,
    Record,
    Text,
    action,
    event,
    invariant,
    require,
    schedule,
    view,
)


class TITLE(Contract, version="1.0.0"):
    class Roles:
        seller: Party
        buyer: Party

    class Offer(Record, key="id", index=["buyer"]):
        """Something that the seller offers to the buyer."""

        class States:
            Open = "waits for the buyer"
            Accepted = "the buyer has agreed"
            Declined = "the buyer does not want it"
            Expired = "nobody answered in time"

        id: Text[1, 16]
        seller: Party
        buyer: Party
        what: Text[1, 100]
        price: Amount
        until: Instant

        @invariant
        def costs_something(offer):
            require(offer.price.minor > 0, "an offer has a price")

    @action(by="seller", creates="Offer", to="Open")
    def make(tx, offer: Offer, id: Text[1, 16], buyer: Party, what: Text[1, 100], price: Amount, until: Instant):
        """Makes an offer; the member that signs is the seller."""
        require(buyer != tx.member, "{who} cannot sell to itself", who=buyer)
        require(until > tx.time + Duration(minutes=1), "the buyer needs more than a minute")
        schedule(offer, "expire", until)
        event("made", id=id, buyer=buyer, price=price)

    @action(by="buyer", on="Open", to="Accepted")
    def accept(tx, offer: Offer):
        """The buyer agrees."""
        event("accepted", id=offer.id, price=offer.price)

    @action(by="buyer", on="Open", to="Declined")
    def decline(tx, offer: Offer):
        """The buyer does not want it."""

    @action(by="schedule", on="Open", to="Expired")
    def expire(tx, offer: Offer):
        """Ledger time does this when nobody has answered."""
        event("expired", id=offer.id)

    @view
    def price_of(tx, offer: Offer) -> Amount:
        """What is asked."""
        return offer.price
'''

_TAKEN: Final = ("Offer",)
"""What stands in the contract already."""

_TESTS: Final = '''"""Tests of the contract: run them by `hansa contract test .`, or by pytest."""

from datetime import timedelta
from pathlib import Path

import pytest
from hansa.testing import Contract, Ledger, Refused, amount
from hansa.testing.strategies import rules


@pytest.fixture
def offers(ledger: Ledger) -> Contract:
    """The contract with one offer: a car of northbank for southbank, for ten days."""
    contract = ledger.deploy("contract.py")
    ledger.member("northbank")
    ledger.member("southbank", users=["ana"])
    until = ledger.clock.now + timedelta(days=10)
    contract.by("northbank").make(id="o-1", buyer="southbank", what="a car", price="USD 900.00", until=until)
    return contract


def test_the_buyer_accepts(offers: Contract) -> None:
    accepted = offers.by("southbank/ana").accept(offer="o-1")
    assert accepted.event("accepted") == {"id": "o-1", "price": amount("USD 900.00")}
    assert offers.record("Offer", "o-1")["state"] == "Accepted"
    assert offers.view.price_of(offer="o-1") == amount("USD 900.00")


def test_nobody_else_answers(offers: Contract) -> None:
    with pytest.raises(Refused, match="northbank is not the buyer"):
        offers.by("northbank").accept(offer="o-1")


def test_the_buyer_answers_once(offers: Contract) -> None:
    offers.by("southbank").decline(offer="o-1")
    with pytest.raises(Refused) as refused:
        offers.by("southbank").accept(offer="o-1")
    assert refused.value.code == "state.denied"


def test_nobody_sells_to_itself(offers: Contract) -> None:
    tomorrow = offers.ledger.clock.now + timedelta(days=1)
    with pytest.raises(Refused, match="cannot sell to itself"):
        offers.by("northbank").make(id="o-2", buyer="northbank", what="air", price="USD 1.00", until=tomorrow)


def test_an_offer_has_a_price(offers: Contract) -> None:
    tomorrow = offers.ledger.clock.now + timedelta(days=1)
    with pytest.raises(Refused, match="an offer has a price"):
        offers.by("northbank").make(id="o-2", buyer="southbank", what="air", price="USD 0.00", until=tomorrow)


def test_an_offer_expires(offers: Contract) -> None:
    assert offers.ledger.clock.advance(days=9) == []
    (expired,) = offers.ledger.clock.advance(days=2)
    assert [event.name for event in expired.events] == ["expired"]
    assert offers.record("Offer", "o-1")["state"] == "Expired"


# Random calls by random members: no rule of a record is broken, and both forms of the contract agree.
TestRules = rules(Path(__file__).with_name("contract.py")).TestCase
'''

_README: Final = """# NAME

`contract.py` is the contract, `TESTS` its tests. From this folder:

```sh
hansa contract check contract.py
hansa contract test .
hansa contract diagram contract.py --out states.svg
```
"""


@click.command("new")
@click.argument("name")
@click.option(
    "--dir",
    "parent",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Where its folder is made.  [default: here]",
)
@click.pass_obj
def new(out: Output, name: str, parent: Path) -> None:
    """Make a folder with a small whole contract, its tests and a README, to begin from.

    What is there is never replaced.
    """
    if (why := unfit(name)) is not None:
        remedy = "Choose another: lower-case letters, digits and underscores."
        raise HansaError("contract.name", f"{name[:60]!a} {why}", remedy=remedy)
    folder = parent / name
    tests = f"test_{name}.py"
    source = _CONTRACT.replace("TITLE", _title(name))
    _check(source, name)
    files = {
        "contract.py": source,
        tests: _TESTS,
        "README.md": _README.replace("NAME", name).replace("TESTS", tests),
    }
    there = [file for file in files if os.path.lexists(folder / file)]
    if there:
        told = f"{folder} has {', '.join(there)} already"
        raise HansaError("argument.exists", told, remedy="Choose another name or folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HansaError("argument.file", f"{folder}: {error.strerror}") from None
    for file, text in files.items():
        _write(folder / file, text)
    made = [str(folder / file) for file in files]
    lines = [f"{out.style('made', fg='green')}  {file}" for file in made]
    out.show({"contract": name, "files": made}, "\n".join([*lines, f"next  hansa contract test {folder}"]))


def _title(name: str) -> str:
    """What the class is called: by the contract's name, unless that is taken in a contract file."""
    from hansa.contracts.names import is_free

    title = "".join(word.capitalize() for word in name.split("_"))
    return title if is_free(title) and title not in _TAKEN else f"{title}Contract"


def _check(source: str, name: str) -> None:
    """Refuses to make what its own check would not pass. Raises `HansaError`."""
    from hansa.contracts import program
    from hansa.contracts.diagnostics import ContractInvalid

    try:
        program.check(source, name, {})
    except ContractInvalid as invalid:
        told = f"no contract can be made with the name {name}: {invalid.diagnostics[0].message}"
        raise HansaError("contract.name", told, remedy="Choose another name.") from None


def _write(file: Path, text: str) -> None:
    """Makes a file that is not there, not even as a link to nowhere. Raises `HansaError`."""
    try:
        with file.open("xb") as made:
            made.write(text.encode())
    except OSError as error:
        raise HansaError("argument.file", f"{file}: {error.strerror}") from None
