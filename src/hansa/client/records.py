"""Reads what contracts keep: records, their past, and what views make of them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from hansa.client import schemas, values
from hansa.client.arguments import Schema
from hansa.client.asking import ask
from hansa.client.exchange import Operation, Query, Reply, json_of, segment
from hansa.client.results import Page, Row
from hansa.client.session import Session
from hansa.wire import jsonform
from hansa.wire.problems import HansaError


class Asked(msgspec.Struct, frozen=True):
    """A query over pages: where it is asked, with what, and under which name the next page's beginning goes."""

    contract: str
    record: str
    path: str
    query: Query
    cursor: str
    given: Mapping[str, Any] = {}
    """The key or the bounds by their names in the query, as the caller gave them; of `field`, or else of the key."""
    field: str | None = None

    def after(self, page: Page) -> "Asked | None":
        """The query for the page behind this one; None behind the last."""
        if page.next is None:
            return None
        return msgspec.structs.replace(self, query={**self.query, self.cursor: page.next})


class _Row(msgspec.Struct, frozen=True):
    seq: int
    version: str
    value: dict[str, Any]


class _Page(msgspec.Struct, frozen=True):
    rows: list[_Row]
    size: int
    next: str | int | None


def view(session: Session, contract: str, view: str, arguments: Mapping[str, Any]) -> Operation[Any]:
    """See `Client.view`."""
    schema = yield from schemas.arguments(session, contract, "views", view)
    body = jsonform.dumps(values.plain(schema, arguments))
    path = f"/app/contracts/{segment(contract)}/views/{segment(view)}"
    declared = yield from schemas.declared(session, contract)
    result = yield from ask(session, path, _result, body=body)
    returns: Schema = declared["views"][view]["returns"]
    return values.typed(returns, result, declared["$defs"])


def record(session: Session, contract: str, type: str, key: Any) -> Operation[Row]:
    """See `Client.record`."""
    query = yield from _texts(session, contract, type, {"key": key}, None)
    found = yield from ask(session, f"{_path(contract, type)}/value", _read_row, query=query)
    return (yield from _typed(session, contract, type, [found]))[0]


def table(
    contract: str,
    type: str,
    index: str | None,
    equal: Any,
    least: Any,
    most: Any,
    descending: bool,
    rows: int,
) -> Asked:
    """The query of `Client.records`; `equal`, `least` and `most` are `msgspec.UNSET` if they are not asked for."""
    bounds = {"value": equal, "least": least, "most": most}
    given = {name: bound for name, bound in bounds.items() if bound is not msgspec.UNSET}
    query: dict[str, str | int] = {"rows": rows}
    if index is not None:
        query["index"] = index
    if descending:
        query["order"] = "descending"
    return Asked(contract, type, _path(contract, type), query, "after", given, index)


def past(contract: str, type: str, key: Any, rows: int) -> Asked:
    """The query of `Client.history`."""
    return Asked(contract, type, f"{_path(contract, type)}/history", {"rows": rows}, "before", {"key": key})


def page(session: Session, asked: Asked) -> Operation[Page]:
    """One page of a query."""
    given = yield from _texts(session, asked.contract, asked.record, asked.given, asked.field)
    found = yield from ask(session, asked.path, _read_page, query={**asked.query, **given})
    rows = yield from _typed(session, asked.contract, asked.record, found.rows)
    return Page(rows, None if found.next is None else str(found.next))


def _texts(
    session: Session, contract: str, type: str, given: Mapping[str, Any], field: str | None
) -> Operation[dict[str, str]]:
    """A key, or bounds of a field, as queries are written, by what is declared. Raises `HansaError`."""
    if not given:
        return {}
    declared, schema = yield from schemas.record(session, contract, type)
    kind: Schema = schema["properties"].get(field or declared["records"][type]["key"], {})
    found: dict[str, str] = {}
    for name, value in given.items():
        try:
            found[name] = values.key_text(kind, value, declared["$defs"])
        except HansaError as error:
            raise HansaError(error.code, f"{'equal' if name == 'value' else name}: {error.detail}") from None
    return found


def _path(contract: str, type: str) -> str:
    return f"/app/contracts/{segment(contract)}/records/{segment(type)}"


def _typed(session: Session, contract: str, type: str, rows: list[_Row]) -> Operation[list[Row]]:
    declared, schema = yield from schemas.record(session, contract, type, [row.version for row in rows])
    defined: Mapping[str, Schema] = declared["$defs"]
    return [Row(row.seq, row.version, values.typed(schema, row.value, defined)) for row in rows]


def _result(reply: Reply) -> Any:
    try:
        return json_of(reply)["result"]
    except (KeyError, TypeError):
        raise HansaError("node.foreign", "what came is not what a view returns") from None


def _read_row(reply: Reply) -> _Row:
    try:
        return msgspec.json.decode(reply.body, type=_Row)
    except ValueError:
        raise HansaError("node.foreign", "what came is no record") from None


def _read_page(reply: Reply) -> _Page:
    try:
        return msgspec.json.decode(reply.body, type=_Page)
    except ValueError:
        raise HansaError("node.foreign", "what came is no page of records") from None
