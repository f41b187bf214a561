"""Several receipts for one entry, as one message: one from each node that was asked, each valid alone.

A receipt by k of n members is k of these over one (ledger, size, root). Nodes make such a message, clients keep it;
nothing here verifies, `client.agreement` does.
"""

from typing import Final

import msgspec

from hansa.merkle.receipt import RECEIPT_BYTES_MAX
from hansa.wire import cbor
from hansa.wire.limits import MEMBERS_MAX
from hansa.wire.problems import HansaError

CONTENT_TYPE: Final = "application/vnd.hansa.receipts+cbor"
RECEIPTS_MAX: Final = 2 * MEMBERS_MAX
"""In one message: more than one of every member."""
BYTES_MAX: Final = RECEIPTS_MAX * RECEIPT_BYTES_MAX
"""Of such a message."""


def encode(receipts: list[bytes]) -> bytes:
    """The message: a CBOR array of the receipts as byte strings, in the order given."""
    return cbor.encode(receipts)


def decode(data: bytes) -> list[bytes]:
    """The receipts in a message, at least one; none is read. Raises `HansaError` `receipt.form`."""
    if len(data) > BYTES_MAX:
        raise HansaError("receipt.form", f"{len(data)} bytes; at most {BYTES_MAX}")
    try:
        found = msgspec.convert(cbor.decode(data), list[bytes], builtin_types=(bytes,))
    except (msgspec.ValidationError, HansaError) as error:
        raise HansaError("receipt.form", f"no array of receipts: {error}") from None
    if not 0 < len(found) <= RECEIPTS_MAX:
        raise HansaError("receipt.form", f"{len(found)} receipts; 1 to {RECEIPTS_MAX}")
    return found
