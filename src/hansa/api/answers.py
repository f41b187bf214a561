"""The forms in which answers leave: JSON for people, CBOR for clients that go on with the bytes, problem+json."""

import asyncio
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import msgspec
import structlog

from hansa.merkle import receipts
from hansa.node.cosigning import Cosigned
from hansa.node.intake import Answer
from hansa.node.node import Node
from hansa.node.reading import Found, Page, Row
from hansa.wire import cbor, entry, jsonform
from hansa.wire.problems import HansaError

Result: TypeAlias = Answer | HansaError
Headers: TypeAlias = Sequence[tuple[bytes, bytes]]
"""Names and values as they go out."""

log = structlog.get_logger()

_PROBLEM: Final = b"application/problem+json"
_JSON: Final = b"application/json"
_CBOR: Final = b"application/cbor"
_UNAUTHORIZED: Final = 401


def problem(error: HansaError) -> tuple[int, bytes, bytes, Headers]:
    """Status, content type, body and extra headers of a refusal."""
    status = error.kind.status if error.kind.status >= 400 else 400
    retry = error.fields.get("retry_after")
    extra = [] if retry is None else [(b"retry-after", str(retry).encode())]
    if status == _UNAUTHORIZED:
        extra.append((b"www-authenticate", b"Bearer"))  # RFC 9110 section 15.5.2
    return status, _PROBLEM, jsonform.dumps(error.problem()), extra


async def submitted(node: Node, envelope: bytes) -> Answer:
    """Has the node take a transaction, and waits for its entry. Raises `HansaError` if it gets none."""
    answered: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

    def tell(result: Result) -> None:
        if not answered.done():  # else nobody waits any more
            answered.set_result(result)

    node.submit(envelope, tell)
    result = await answered
    if isinstance(result, HansaError):
        raise result
    return result


def answer_fields(answer: Answer, receipt: bytes | None, cosigned: Cosigned | None = None) -> dict[str, Any]:
    """An answer as JSON fields: the outcome's, which entry it is, and who signed that it is there."""
    outcome = entry.decode_outcome(answer.outcome)
    fields: dict[str, Any] = {
        "id": answer.id,
        "seq": answer.seq,
        "duplicate": answer.duplicate,
        **msgspec.structs.asdict(outcome),
    }
    if receipt is not None:
        fields["receipt"] = receipt
    if cosigned is not None:
        fields["cosigned"] = _cosigned_fields(cosigned)
    return fields


def _cosigned_fields(cosigned: Cosigned) -> dict[str, Any]:
    return {
        "k": cosigned.k,
        "members": cosigned.members,
        "missing": cosigned.missing,
        "split": cosigned.split,
        "receipts": receipts.encode(cosigned.receipts),
    }


def answer_json(answer: Answer, receipt: bytes | None, cosigned: Cosigned | None = None) -> bytes:
    """An answer as JSON."""
    return jsonform.dumps(answer_fields(answer, receipt, cosigned))


def answer_cbor(answer: Answer, receipt: bytes | None, cosigned: Cosigned | None = None) -> bytes:
    """An answer as CBOR: the outcome's exact bytes, so that it can be checked against a receipt."""
    parts = [
        bytes([0xA4 + (receipt is not None) + (cosigned is not None)]),
        b"\x62id",
        cbor.byte_string(answer.id),
        b"\x63seq",
        cbor.unsigned(answer.seq),
        b"\x67outcome",
        cbor.byte_string(answer.outcome),
    ]
    if receipt is not None:
        parts += [b"\x67receipt", cbor.byte_string(receipt)]
    if cosigned is not None:
        parts += [b"\x68cosigned", cbor.encode(_cosigned_fields(cosigned))]
    parts += [b"\x69duplicate", b"\xf5" if answer.duplicate else b"\xf4"]
    return b"".join(parts)


def accepted(id: bytes) -> bytes:
    """The answer to `wait=accepted`."""
    return jsonform.dumps({"id": id, "status": "pending"})


def batch(
    results: Sequence[Result | None],
    node: Node,
    as_cbor: bool,
    with_receipts: bool,
    cosigned: Mapping[int, Cosigned] = MappingProxyType({}),
) -> tuple[bytes, bytes]:
    """Content type and body for a batch: each item its own answer or problem, in the order sent.

    `cosigned` has receipts by several members for entries by their seq.
    """
    if as_cbor:
        parts = [
            cbor.encode({"problem": _cbor_problem(result)})
            if isinstance(result, HansaError) or result is None
            else answer_cbor(result, receipt_of(node, result) if with_receipts else None, cosigned.get(result.seq))
            for result in results
        ]
        return _CBOR, cbor.array_head(len(parts)) + b"".join(parts)
    items = [
        {"problem": result.problem()}
        if isinstance(result, HansaError)
        else answer_fields(result, receipt_of(node, result) if with_receipts else None, cosigned.get(result.seq))
        for result in results
        if result is not None
    ]
    return _JSON, jsonform.dumps(items)


def receipt_of(node: Node, answer: Answer) -> bytes | None:
    """The receipt for an answer's entry, under a checkpoint that is signed now if need be.

    None where there can be none now (a full disk): the answer counts without it, and it can be asked for later.
    """
    try:
        node.sign_checkpoint()
        return node.reading.receipt(answer.seq)
    except HansaError as error:
        log.warning("receipt.none", seqs=[answer.seq], code=error.code)
        return None


def found_fields(found: Found) -> dict[str, Any]:
    """An entry with its bodies as JSON fields."""
    return {
        "seq": found.seq,
        "kind": found.kind,
        "id": found.id,
        "height": found.height,
        "time": found.time,
        "entry": found.entry(),
        "envelope": found.envelope,
        "outcome": found.outcome,
        "decoded": entry.decode_outcome(found.outcome),
    }


def row_fields(row: Row) -> dict[str, Any]:
    """A record as JSON fields."""
    return {"seq": row.seq, "version": row.version, "value": row.value}


def page_fields(page: Page) -> dict[str, Any]:
    """A page of records as JSON fields."""
    return {"size": page.size, "rows": [row_fields(row) for row in page.rows], "next": page.next}


def _cbor_problem(error: HansaError | None) -> dict[str, Any]:
    assert error is not None
    fields = jsonform.plain(error.problem())
    return {name: value for name, value in fields.items() if isinstance(value, str | int)}
