"""Runs every attack that is accepted, on both implementations, in a process of little memory; a line of JSON for each.

Started by `test_attacks` as `python -m tests.contracts.attacks.arena`. The first line names the attack before it runs,
so that one which ends the process is known.
"""

import contextlib
import json
import resource
import sys
from pathlib import Path
from typing import Any

from tests.contracts.attacks import arguments, growth, later, trust, values, work
from tests.contracts.attacks.attack import Attack, Outcome, Take
from tests.contracts.world import FAST, SPECIFICATION, World

from hansa.contracts import execution
from hansa.contracts.calls import Execution
from hansa.contracts.diagnostics import ContractInvalid
from hansa.contracts.specification import transaction

CACHED = "fast, with its cache"
DATA_BYTES_MAX = 256 * 1024 * 1024
RUNNING: list[tuple[str, list[Attack]]] = [
    ("work", work.WORK),
    ("growth", growth.GROWTH),
    ("values", values.VALUES),
    ("trust", trust.TRUST),
    ("arguments", arguments.ARGUMENTS),
    ("later", later.LATER),
]


def accepted() -> dict[str, Attack]:
    """The attacks that run, by class and name."""
    return {
        f"{kind}: {attack.name}": attack
        for kind, found in RUNNING
        for attack in found
        if isinstance(attack.expect, Outcome)
    }


def fought(attack: Attack) -> dict[str, Any]:
    """What came of an attack: the outcome of its last call, and in what the two implementations differ."""
    world = World(afresh=True)
    try:
        for name, source in attack.libraries.items():
            world.add_library(name, source)
        for name, source in attack.contracts.items():
            world.deploy(name, source)
        world.deploy("sample", attack.earlier or attack.program)
    except ContractInvalid as invalid:
        return {"refused": [f"{d.line}: {d.code}: {d.message}" for d in invalid.diagnostics]}
    assert isinstance(attack.expect, Outcome)
    early, upgraded = True, attack.earlier is None
    ran: dict[str, Execution] = {}
    for number, take in enumerate(attack.expect.takes):
        early = early and take.on_earlier
        if not early and not upgraded:
            upgraded = True
            try:
                world.deploy("sample", attack.program)
            except ContractInvalid as invalid:
                return {"refused": [f"{d.line}: {d.code}: {d.message}" for d in invalid.diagnostics]}
        ran = _taken(world, take)
        fast = ran[FAST]
        if number + 1 < len(attack.expect.takes):
            if fast.code != "ok":
                return {"before": f"call {number}: {fast.code} {fast.result}"}
            world.apply(fast)
    return _told(ran)


def _taken(world: World, take: Take) -> dict[str, Execution]:
    world.time += take.later
    if take.by is not None:
        world.attributes[take.by] = take.attributes
    if take.user is not None:
        world.attributes[take.user] = take.user_attributes
    call = world.call(take.contract, take.action, dict(take.arguments), by=take.by, user=take.user)
    hosts = world._hosts
    return {
        FAST: execution.run(call, hosts[FAST], world, take.steps),
        CACHED: execution.run(call, hosts[FAST], world, take.steps, world.cache),
        SPECIFICATION: transaction.run(call, hosts[SPECIFICATION], world, take.steps),
    }


def _told(ran: dict[str, Execution]) -> dict[str, Any]:
    fast = ran[FAST]
    said = fast.result if isinstance(fast.result, dict) else {}
    return {
        "code": fast.code,
        "steps": fast.steps,
        "line": said.get("line"),
        "message": said.get("message"),
        "traces": fast.code != "ok" and bool(fast.events or fast.writes),
        "error": "; ".join(f"{on}: {one.error!r}" for on, one in ran.items() if one.error is not None),
        "differs": [
            f"{what}: {str(getattr(fast, what))[:300]} but {on} {str(getattr(ran[on], what))[:300]}"
            for on in (CACHED, SPECIFICATION)
            for what in ("code", "result", "events", "writes", "steps", "version")
            if getattr(fast, what) != getattr(ran[on], what)
        ],
    }


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))


def main() -> None:
    """All of them, or those whose names are given."""
    attacks = accepted()
    chosen = sys.argv[1:] or list(attacks)
    fought(attacks[chosen[0]])  # what is loaded once is no attack's memory
    resource.setrlimit(resource.RLIMIT_DATA, (DATA_BYTES_MAX, DATA_BYTES_MAX))
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark begins here
    before = _status("RssAnon")
    resident = _status("VmRSS")
    for name in chosen:
        print(json.dumps({"attack": name}), flush=True)
        try:
            outcome = fought(attacks[name])
        except (Exception, AssertionError) as error:
            outcome = {"raised": repr(error)[:500]}
        with contextlib.suppress(UnicodeEncodeError):
            print(json.dumps({"attack": name, **outcome}), flush=True)
    print(json.dumps({"anonymous": _status("RssAnon") - before, "peak": _status("VmHWM") - resident}), flush=True)


if __name__ == "__main__":
    main()
