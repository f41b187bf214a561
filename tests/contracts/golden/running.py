"""Runs golden programs on a ledger in memory, by either implementation, and says what came of each call.

Used by the tests, by `__main__`, and by the runs under other versions of Python: no pytest here.
"""

import hashlib
from collections.abc import Callable
from typing import Any, Final

from tests.contracts.golden.program import MEMBERS, USERS, Call, Deploy, Golden
from tests.contracts.world import SPECIFICATION, Implementation, World

from hansa.contracts.calls import Call as Run
from hansa.contracts.calls import Execution
from hansa.contracts.values import Cache
from hansa.wire import cbor, jsonform, writes

ENCODED_CHARS: Final = 16


def outcome(
    golden: Golden,
    on: Implementation = SPECIFICATION,
    *,
    world: World | None = None,
    restarts: bool = False,
    before: Callable[[], object] = lambda: None,
    cache: Cache | None = None,
) -> dict[str, Any]:
    """What came of a program, in plain JSON: each call, and a digest of all records at the end.

    `world` is a new one to run it in. With `restarts` it is made again from the sources and its records before each
    call; `before` is called there too. `cache` is the fast path's.
    """
    world = deployed(golden, world or new_world())
    upgrades: list[tuple[int, Deploy]] = []
    calls: list[dict[str, Any]] = []
    for call in golden.calls:
        before()
        if restarts:
            world = _restarted(golden, upgrades, world)
        if isinstance(call, Call):
            ran = world.run(prepared(world, call), on=on, steps=call.limit, cache=cache)
            world.apply(ran)
            calls.append(plain(ran))
        else:
            upgrades.append((world.seq, call))
            world.deploy(call.contract, call.source)
    return {"calls": calls, "records": records_digest(world)}


def new_world(*, afresh: bool = False) -> World:
    """A ledger with the members of every golden ledger, and nothing else; `afresh` as `World` has it."""
    world = World(members=MEMBERS, users=USERS, afresh=afresh)
    world.attributes = {**MEMBERS, **USERS}
    return world


def deployed(golden: Golden, world: World) -> World:
    """The ledger with the program's files."""
    for name, source in golden.libraries.items():
        world.add_library(name, source)
    for name, source in golden.files.items():
        world.deploy(name, source)
    return world


def prepared(world: World, call: Call) -> Run:
    """The call as the next entry of a ledger."""
    world.time = call.time
    world.paused = set(call.paused)
    member = None if call.who is None else call.who.split("/")[0]
    user = None if member == call.who else call.who
    return world.call(call.contract, call.action, call.arguments, by=member, user=user)


def plain(ran: Execution) -> dict[str, Any]:
    """An execution in plain JSON, its write set by digest; `encoded` has the order of maps, and kinds JSON has not."""
    return {
        "code": ran.code,
        "encoded": hashlib.sha256(cbor.encode_ordered([ran.result, ran.events])).hexdigest()[:ENCODED_CHARS],
        "events": jsonform.plain(ran.events),
        "result": jsonform.plain(ran.result),
        "steps": ran.steps,
        "version": ran.version,
        "writes": writes.digest(writes.encode(ran.writes)).hex(),
    }


def records_digest(world: World) -> str:
    """One digest of all records: places, the entries that wrote them, values."""
    rows = [[place, stored.seq, stored.value] for place, stored in sorted(world.records.items())]
    return hashlib.sha256(cbor.encode_ordered(rows)).hexdigest()


def _restarted(golden: Golden, upgrades: list[tuple[int, Deploy]], old: World) -> World:
    world = deployed(golden, new_world(afresh=True))
    for seq, upgrade in upgrades:
        world.seq = seq
        world.deploy(upgrade.contract, upgrade.source)
    world.seq = old.seq
    world.records = old.records
    return world
