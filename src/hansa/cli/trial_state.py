"""The file in which `hansa contract run` keeps records from one run to the next: JSON that people can read and mend."""

import json
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from hansa.cli import output
from hansa.client.arguments import from_json
from hansa.contracts.ledger import Ledger, Stored
from hansa.contracts.program import Program
from hansa.contracts.schema import record_schema
from hansa.wire import cbor, jsonform, order
from hansa.wire.problems import HansaError

_REMEDY: Final = "Mend the file, or begin again with another --state FILE."


class Row(msgspec.Struct, forbid_unknown_fields=True):
    """A record: the entry that wrote it, and its value in JSON form."""

    seq: int
    value: dict[str, Any]


class State(msgspec.Struct, forbid_unknown_fields=True):
    """All of the file. `seq` is the next entry's, `time` ledger time at the last; rows by contract and record type."""

    hansa: Literal["trial"]
    version: Literal[0]
    seq: int
    time: int
    records: dict[str, dict[str, list[Row]]]


def load(file: Path, ledger: Ledger) -> State:
    """What the file keeps, and its records of the contracts deployed put into the ledger; nothing if there is no file.

    Raises `HansaError` `argument.file` for a file that is none of these, or a record that does not fit its contract.
    """
    if not file.exists():
        return State("trial", 0, ledger.seq, 0, {})
    kept = output.read_file(file)
    try:
        state = msgspec.json.decode(kept, type=State)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HansaError("argument.file", f"{file} is no state of a ledger: {error}", remedy=_REMEDY) from None
    for contract, versions in ledger.programs.items():
        loaded = versions[-1][1]
        for record, rows in state.records.get(contract, {}).items():
            if record in loaded.manifest.records:
                for row in rows:
                    _put(file, ledger, loaded, record, row)
    ledger.seq = max(ledger.seq, state.seq)
    return state


def save(file: Path, ledger: Ledger, state: State, time: int) -> None:
    """Puts the ledger's records into the file; those of contracts that are not deployed here stay as they are in it."""
    records = {contract: dict(rows) for contract, rows in state.records.items()}
    for contract, versions in ledger.programs.items():
        for record in versions[-1][1].manifest.records:
            rows = [Row(seq, value) for seq, value in ledger.values(contract, record)]
            records.setdefault(contract, {})[record] = rows
    kept = State("trial", 0, ledger.seq, time, records)
    output.replace_file(file, json.dumps(jsonform.plain(kept), indent=2, ensure_ascii=False).encode() + b"\n")


def _put(file: Path, ledger: Ledger, loaded: Program, record: str, row: Row) -> None:
    declared, shape = loaded.manifest.records[record], loaded.shapes[record]
    value = from_json(record_schema(declared, loaded.manifest), row.value)
    problems = [f"`{name}` is missing" for name in shape.codecs if name not in value]
    problems += [f"`{name}` is not declared" for name in value if name not in shape.codecs]
    problems += [
        f"`{name}` {wrong}"
        for name in value
        if name in shape.codecs and (wrong := shape.codecs[name].problem(value[name], ledger))
    ]
    if not problems:
        place = order.place(loaded.manifest.name, record, value[declared.key])
        if place not in ledger.records:
            ledger.records[place] = Stored(row.seq, cbor.encode(value))
            return
        problems = ["there is another of its key"]
    of = f"the {record} {output.written(row.value.get(declared.key))}"
    fits = f"does not fit {loaded.manifest.name} {loaded.manifest.version}"
    raise HansaError("argument.file", f"{file}: {of} {fits}: {'; '.join(problems)}", remedy=_REMEDY)
