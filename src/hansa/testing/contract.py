"""A deployed contract as a test takes it in hand: its actions and views are called by their names."""

import difflib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hansa.client import transactions
from hansa.contracts.manifest import Action, Manifest
from hansa.testing.answers import Answer
from hansa.testing.plain import plain_arguments

if TYPE_CHECKING:
    from hansa.testing.ledger import Ledger


class Contract:
    """A contract of a test's ledger, always in its current version."""

    def __init__(self, ledger: "Ledger", name: str) -> None:
        self.ledger = ledger
        self.name = name

    @property
    def manifest(self) -> Manifest:
        """What its current version declares."""
        return self.ledger.programs[self.name].manifest

    def by(self, signer: str, *, steps_max: int = transactions.STEPS_MAX) -> "Actor":
        """Its actions, signed by a member or a user: `c.by("northbank/ana").pay(account="ana", amount="USD 12.50")`.

        Each gives an `Answer`, or raises as `Ledger.send`. `steps_max`: at most so many steps, by default those
        for which `hansa.client` and `hansa call` sign.
        """
        return Actor(self, signer, steps_max)

    @property
    def view(self) -> "Views":
        """Its views: `c.view.balance(account="ana")` is what the view returns, plain. Raises `Refused`."""
        return Views(self)

    def record(self, record: str, key: Any) -> dict[str, Any] | None:
        """The plain fields of a record as it was stored last; None if there is none of this key."""
        type_ = self.manifest.records[record]
        key = plain_arguments({"key": type_.fields[type_.key].type}, {"key": key}, self.manifest)["key"]
        return next((row for row in self.records(record) if row[type_.key] == key), None)

    def records(self, record: str) -> list[dict[str, Any]]:
        """The plain fields of all records of a type, in the order of their keys. Raises KeyError for no such type."""
        return self.ledger.rows(self.name, self.manifest.records[record].name)

    def upgrade(self, file: str | Path) -> None:
        """Puts the next version in place; records come up to it when they are next touched. Raises as `deploy`."""
        self.ledger.deploy(file, self.name)

    def lines(self) -> tuple[set[int], dict[int, str]]:
        """The lines of its file that were reached so far, and all that can be, with the body that each stands in."""
        return self.ledger.lines(self.name)


class Actor:
    """The actions of a contract as one signer takes them."""

    def __init__(self, contract: Contract, signer: str, steps_max: int) -> None:
        self._contract = contract
        self._signer = signer
        self._steps_max = steps_max

    def __getattr__(self, name: str) -> Callable[..., Answer]:
        contract = self._contract
        action = _declared(contract, contract.manifest.actions, name, "action")

        def take(**arguments: Any) -> Answer:
            __tracebackhide__ = True  # pytest shows the call in the test
            plain = plain_arguments({p.name: p.type for p in action.parameters}, arguments, contract.manifest)
            return contract.ledger.send(self._signer, contract.name, name, plain, steps_max=self._steps_max)

        return take

    def __dir__(self) -> Iterable[str]:
        return self._contract.manifest.actions


class Views:
    """The views of a contract."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract

    def __getattr__(self, name: str) -> Callable[..., Any]:
        contract = self._contract
        view = _declared(contract, contract.manifest.views, name, "view")

        def look(**arguments: Any) -> Any:
            __tracebackhide__ = True
            plain = plain_arguments({p.name: p.type for p in view.parameters}, arguments, contract.manifest)
            return contract.ledger.look(contract.name, name, plain)

        return look

    def __dir__(self) -> Iterable[str]:
        return self._contract.manifest.views


def _declared(contract: Contract, known: dict[str, Action], name: str, kind: str) -> Action:
    found = known.get(name)
    if found is None:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"there is {', '.join(known) or 'none'}"
        raise AttributeError(f"{contract.name} has no {kind} `{name}`; {hint}")
    return found
