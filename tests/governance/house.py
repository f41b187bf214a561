"""A ledger in memory whose members are equal, and what tests have them do: all by the rules of a node."""

from typing import Any

from hansa.client import transactions
from hansa.testing import keys
from hansa.testing.answers import Answer
from hansa.testing.ledger import Ledger
from hansa.wire import cose
from hansa.wire.keys import PrivateKey

STEPS = 200_000
"""More than a ballot takes in these tests, and so little that many of them fit a block."""
NOTES = """
from hansa.contract import Contract, Record, Text, action, event

class Notes(Contract, version="1.0.0"):
    class Note(Record, key="id"):
        id: Text[1, 9]

    @action(by="member", creates="Note")
    def write(tx, note: Note, id: Text[1, 9]):
        event("written", id=id)
"""


def set_contract(name: str = "notes", source: str = NOTES) -> dict[str, Any]:
    return {"name": "set_contract", "subject": name, "source": source}


def set_member(name: str, *, attributes: list[str] | None = None, weight: int | None = None) -> dict[str, Any]:
    own = [
        {"purpose": "transaction", "spki": keys.sender(name).public.spki},
        {"purpose": "governance", "spki": keys.sender(f"{name} governance").public.spki},
    ]
    step = {"name": "set_member", "subject": name, "title": name.title(), "keys": own}
    return step | {"attributes": attributes, "weight": weight}


def remove_member(name: str) -> dict[str, Any]:
    return {"name": "remove_member", "subject": name}


def set_weight(name: str, weight: int) -> dict[str, Any]:
    return {"name": "set_member_data", "subject": name, "weight": weight}


def set_constitution(source: str = "", **numbers: int) -> dict[str, Any]:
    return {"name": "set_constitution", "source": source, "numbers": numbers}


def set_reference(name: str = "rates", data: str = "x") -> dict[str, Any]:
    return {"name": "set_reference", "subject": name, "numbers": {"valid_from": 1}, "source": data}


class House:
    """What members do on one ledger, entry by entry or several in one block."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def state(self, id: bytes) -> str:
        """The state of a proposal, with a plus if it was carried out."""
        found = self.proposal(id)
        return found["state"] + ("+" if found["applied"] is not None else "")

    def proposal(self, id: bytes) -> dict[str, Any]:
        return self.ledger.look("members", "get_proposal", {"id": id})

    def members(self) -> list[str]:
        return [one["id"] for one in self.ledger.look("members", "get_members", {})]

    def decide(self, *steps: dict[str, Any], by: str = "abc") -> bytes:
        """Proposes, and has members vote until it is decided; its id."""
        id = self.ledger.propose(by[0], *steps)
        for name in by:
            if self.state(id) == "Open":
                self.ledger.vote(name, id)
        return id

    def envelope(
        self,
        by: str,
        action: str,
        arguments: dict[str, Any],
        *,
        key: PrivateKey | None = None,
        contract: str = "members",
        content_type: str = cose.GOVERNANCE,
        steps_max: int = STEPS,
        ahead_ms: int = 60_000,
        nonce: int = 0,
    ) -> transactions.Prepared:
        """What a member signs with its governance key, or another."""
        return transactions.prepare(
            key or keys.sender(f"{by} governance"),
            self.ledger.id,
            contract,
            action,
            arguments,
            steps_max=steps_max,
            not_after=self.ledger.clock.ms + ahead_ms,
            content_type=content_type,
            nonce=nonce.to_bytes(16),
        )

    def ballot(self, by: str, id: bytes, yes: bool = True, **options: Any) -> transactions.Prepared:
        digest = self.ledger.look("members", "get_constitution", {})["digest"]
        return self.envelope(by, "vote", {"proposal": id, "yes": yes, "constitution": digest}, **options)

    def block(self, *prepared: transactions.Prepared) -> list[Answer]:
        """Puts these into one block."""
        return self.ledger._block([one.envelope for one in prepared], self.ledger.clock.ms)  # pyright: ignore[reportPrivateUsage]

    def rows(self, record: str) -> list[dict[str, Any]]:
        return self.ledger.rows("members", record)

    def record(self, record: str, key: str, field: str = "id") -> dict[str, Any]:
        return next(row for row in self.rows(record) if row[field] == key)


def names(answer: Answer) -> list[str]:
    """The events of an entry, by name."""
    return [event.name for event in answer.events]
