"""The golden programs: contract files with what is done with them, and what comes of it.

A program is a folder in `programs`: `contract.py`, and `calls.json`, the calls in order:
[member, action or view, arguments, steps]. Holds no expectations: these are in `golden.json`.
"""

import json
from pathlib import Path

import msgspec

from hansa.contracts import program
from hansa.contracts.diagnostics import ContractInvalid
from hansa.contracts.execution import Caller, run
from hansa.contracts.meter import Fault
from hansa.wire import cbor, writes

PROGRAMS = Path(__file__).parent / "programs"
MEMBERS = {"alice": ["role:registrar"], "bob": [], "carol": []}
TIME = 1_700_000_000_000


class Stored:
    """A record and the seq of the entry that wrote it."""

    def __init__(self, seq, value):
        self.seq = seq
        self.value = value


class Ledger:
    """Members and records in memory: the reader and the host of an execution."""

    def __init__(self):
        self.records = {}

    def get(self, place):
        return self.records.get(place)

    def is_member(self, name):
        return name in MEMBERS

    def contract_version(self, name, source):
        raise Fault("contract.name", "`{name}` cannot be deployed here", {"name": name})


def cases():
    """The names of the programs, in order."""
    return sorted(folder.name for folder in PROGRAMS.iterdir() if (folder / "contract.py").is_file())


def outcome(name):
    """What comes of a program: findings, or its digest and what each call gave."""
    source = (PROGRAMS / name / "contract.py").read_text(encoding="utf-8")
    told, first = refusal(program.check, source, name), refusal(program.load, source, name)
    if told or first:
        return {"told": told, "first": first}
    loaded = program.load(source, name)
    ledger = Ledger()
    calls = json.loads((PROGRAMS / name / "calls.json").read_text(encoding="utf-8"))
    ran = [called(loaded, ledger, seq, *call) for seq, call in enumerate(calls, 1)]
    return {"digest": loaded.digest.hex(), "manifest": msgspec.to_builtins(loaded.manifest), "calls": ran}


def refusal(front_end, source, name):
    """The findings for which a front end refuses a contract file; None if it takes it."""
    try:
        front_end(source, name)
    except ContractInvalid as invalid:
        return invalid.fields["findings"]
    return None


def called(loaded, ledger, seq, member, name, arguments, steps):
    """What one call gave; what an action writes is there for the next call."""
    procedure = loaded.actions.get(name) or loaded.views[name]
    caller = Caller(member, None, frozenset(MEMBERS[member]))
    ran = run(loaded, procedure, arguments, caller, TIME, ledger, ledger, steps)
    for write in ran.writes:
        ledger.records[write.place] = Stored(seq, write.value)
    return {
        "code": ran.code,
        "result": ran.result,
        "events": ran.events,
        "encoded": cbor.encode_ordered([ran.result, ran.events]).hex(),
        "writes": writes.encode(ran.writes).hex(),
        "steps": ran.steps,
    }
