"""`hansa.testing`: a ledger in memory to test contracts on, with members, users and a clock.

For authors of contracts: pytest finds the fixture `ledger` by itself where Hansa is installed (`hansa.testing.plugin`);
`hansa.testing.strategies` makes hypothesis strategies of what a contract declares. Nothing here is used by a node.
"""

from hansa.client.money import parse as amount
from hansa.testing.answers import Answer, Event, Failure, Refused
from hansa.testing.contract import Contract
from hansa.testing.forms import Defect, Disagreement
from hansa.testing.ledger import HOST, START, Clock, Ledger

__all__ = [
    "HOST",
    "START",
    "Answer",
    "Clock",
    "Contract",
    "Defect",
    "Disagreement",
    "Event",
    "Failure",
    "Ledger",
    "Refused",
    "amount",
]
