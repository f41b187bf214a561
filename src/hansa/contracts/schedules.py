"""Scheduled actions as records: the form in which something due later stands in the state.

They are records of the contract that genesis brings, so everyone can read them. `due` is set until ledger time has
reached it; their key sorts by contract, record key, entry and place in the entry.
"""

from typing import Final

from hansa.wire import cbor, order, writes
from hansa.wire.order import Key
from hansa.wire.writes import Write

CONTRACT: Final = "members"
RECORD: Final = "Schedule"


def pending(contract: str, record: str, key: Key, action: str, due: int, seq: int, number: int) -> Write:
    """The write that schedules an action on a record: the `number`th of entry `seq`, due at ledger time `due` (ms)."""
    encoded = order.key_bytes(key)
    id = contract.encode() + b"\0" + encoded + seq.to_bytes(8, "big") + number.to_bytes(2, "big")
    fields = {"id": id, "at": due, "due": due, "key": encoded, "record": record, "action": action, "contract": contract}
    return writes.make(CONTRACT, RECORD, id, cbor.encode(fields), None)
