"""What the contracts of a ledger declare, asked for once and kept until something shows that another version runs."""

from collections.abc import Iterable
from typing import Any

from hansa.client.arguments import Schema, schema_of
from hansa.client.asking import ask
from hansa.client.exchange import JSON, Operation, Reply, json_of, segment
from hansa.client.session import Session
from hansa.client.words import hint
from hansa.wire.problems import HansaError


def declared(
    session: Session, contract: str, *, version: str | None = None, least: str | None = None
) -> Operation[Schema]:
    """What a contract declares; asked for again if `version` is another than the one kept, or `least` a later one."""
    kept = session.schemas.get(contract)
    if (
        kept is None
        or (version is not None and kept["version"] != version)
        or (least is not None and _numbers(least) > _numbers(kept["version"]))
    ):
        kept = yield from ask(session, f"/app/contracts/{segment(contract)}", _read, accept=JSON)
        session.schemas[contract] = kept
    return kept


def arguments(session: Session, contract: str, kind: str, name: str, version: str | None = None) -> Operation[Schema]:
    """The schema of the arguments of one of the `actions` or `views`. Raises `HansaError` `argument.action`."""
    found = yield from declared(session, contract, version=version)
    if name not in found[kind]:
        session.schemas.pop(contract, None)  # a next version may have it
        found = yield from declared(session, contract)
    if name not in found[kind]:
        known = hint(name, takeable(found) if kind == "actions" else list(found[kind]))
        raise HansaError("argument.action", f"{contract} has no {kind[:-1]} {name!a}; {known}")
    return schema_of(found, kind, name)


def takeable(declared: Schema) -> list[str]:
    """The actions that somebody can take: those that only come due are left out."""
    return [name for name, action in declared["actions"].items() if set(action["by"]) != {"schedule"}]


def record(
    session: Session, contract: str, name: str, versions: Iterable[str] = ()
) -> Operation[tuple[Schema, Schema]]:
    """What a contract declares, and the schema of one of its record types; no older than any of the `versions`.

    Raises `HansaError` `record.type`.
    """
    least = max(versions, key=_numbers, default=None)
    found = yield from declared(session, contract, least=least)
    if name not in found["records"]:
        session.schemas.pop(contract, None)
        found = yield from declared(session, contract)
    if name not in found["records"]:
        raise HansaError("record.type", f"{contract} has no record type {name!a}; {hint(name, list(found['records']))}")
    return found, {**found["records"][name]["schema"], "$defs": found["$defs"]}


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isascii() and part.isdecimal()]


def _read(reply: Reply) -> Schema:
    found: Any = json_of(reply)
    try:
        for part in ("actions", "views", "records", "$defs"):
            dict[str, Any](found[part])
        str(found["version"])
    except (KeyError, TypeError, ValueError):
        raise HansaError("node.foreign", "what came does not describe a contract") from None
    return found
