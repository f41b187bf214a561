"""Programs that make as much as they can in memory, or take as long, for their steps; each measured in this process.

Run as `python -m tests.contracts.growth`, in a process of its own: a JSON line for each program. Those that people
thought of come first, then some that a search found: it changes a program line by line and keeps what is worse.
"""

import argparse
import gc
import json
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.contracts.world import STEPS, Stored, World

from hansa.contracts.calls import Execution
from hansa.wire import cbor, order
from hansa.wire.limits import TRANSACTION_STEPS_MAX

_CASES = """
# texts, doubled
t = "東x"
for i in range(30):
    t += t[:32000]
    ts.append(t)

# texts, kept
for i in range(1000):
    ts.append(t[i:] + "東")

# characters, kept
for j in range(60):
    k: list[Text[0, 9], 1024] = []
    for i in range(1000):
        k.append(given[i])
    kept.append(k)

# texts, split and kept
for i in range(1000):
    kept.append(parts.split(","))

# texts, split, kept by a literal
for i in range(1000):
    kept += [parts.split(","), parts.split(","), parts.split(",")]

# amounts, split and kept
for i in range(1000):
    amounts.append(a.split(1024))

# amounts, split by weights and kept
w: list[int, 1024] = []
for i in range(1000):
    w.append(i + 1)
for i in range(1000):
    amounts.append(a.split_by(w))

# a map grown
for i in range(1024):
    m[str(i)] = i * 4611686018427387904 * 4611686018427387904

# maps in a map
for i in range(1024):
    mm[str(i)] = {str(i): i, str(i + 1): i, str(i + 2): i}

# integers, large
n = 7
for i in range(1000):
    l.append(n * 1361129467683753853853498429727072845824 + i)
    n += l[i] // 2

# lists of lists
l = [1, 2, 3, 4]
for i in range(8):
    l = l + l
for i in range(1024):
    ll.append(l[i % 7:])

# lists reversed
l = [1, 2, 3, 4]
for i in range(8):
    l = l + l
for i in range(1024):
    ll.append(reversed(l))

# structs
for i in range(1024):
    s.append(Box(n=i, t=str(i)))

# structs, doubled
s = [Box(n=1, t=given)]
for i in range(10):
    s = s + s
for i in range(1024):
    ss.append(s)

# bytes, doubled
b = sha256(given)
for i in range(1000):
    b = (b + b)[:60000]
    bs.append(b)

# dates
d = tx.date
for i in range(1024):
    d = d.add_days(1)
    ds.append(d)

# durations
for i in range(1024):
    us.append(Duration(milliseconds=i * 1000000))

# map values
for i in range(200):
    m[str(i)] = i
for i in range(1000):
    ll.append(m.values())

# map keys
for i in range(200):
    m[str(i)] = i
for i in range(1000):
    kept.append(m.keys())

# joined
for i in range(1024):
    ts.append(given.join(["東", given]))

# hexadecimal
b = sha256(given)
for i in range(10):
    b = b + b
for i in range(1024):
    ts.append(b.hex())

# recursion
l = deep(60, [1, 2, 3])

# events
for i in range(64):
    event("e", t=given[:1000], l=[given[i:i + 5]])

# a large event
event("e", t=given[:30000], u=given[:20000])

# a large refusal
ts = [given, given, given, given]
for i in range(8):
    ts = ts + ts
require(False, "no {x}", x=ts)

# records made
for i in range(1000):
    Main.Small.create(id=i, t="x")

# records read
for r in Main.Small.select(limit=1024):
    n += r.id

# records changed
for r in Main.Small.select(limit=1024):
    r.t = "y"

# a record filled
k = [given[:40], given[:41]]
for i in range(9):
    k = k + k
big = Main.Big.get(0)
big.texts = k

# empty maps stored
k: list[dict[Text[0, 1], int, 1], 1024] = [{}]
for i in range(10):
    k = k + k
kk = [k]
for i in range(6):
    kk = kk + kk
big = Main.Big.get(0)
big.maps = kk

# stored empty maps read
for r in Main.Big.select(limit=1024):
    n += len(r.maps)

# stored texts read
for r in Main.Wide.select(limit=1024):
    n += len(r.texts)

# stored structs read
for r in Main.Boxes.select(limit=1024):
    n += len(r.boxes)

# stored empty maps read and changed
for r in Main.Big.select(limit=1024):
    r.n += 1

# fitted over and over
k: list[Text[0, 60], 1024] = [given[:50]]
for i in range(9):
    k = k + k
for i in range(1000):
    x: list[Text[0, 60], 1024] = k
    kept.append(x)

# sorted over and over
for i in range(1000):
    l.append(i * 7919 % 1024)
for i in range(1000):
    ll.append(sorted(l))
"""

CASES = {name: body for name, _, body in (case.partition("\n") for case in _CASES.split("\n# ")[1:])}
"""Bodies of an action, by what they do."""

_HEAD = """
from hansa.contract import (Amount, Bytes, Contract, Date, Duration, Hash, Int, Record, SignedAmount, Struct, Text,
    action, event, require, sha256)

class Box(Struct):
    n: int
    t: Text[0, 60000]

class Tiny(Struct):
    a: Int[0, 9]

def deep(n: int, l: list[int, 1024]) -> list[int, 1024]:
    if n <= 0:
        return l
    k = (l + l)[:500]
    return deep(n - 1, k) + k[:1]

class Main(Contract, version="1.0.0"):
    class Small(Record, key="id"):
        id: int
        t: Text[0, 9]

    class Big(Record, key="id"):
        id: int
        n: int = 0
        texts: list[Text[0, 60], 1024] = []
        maps: list[list[dict[Text[0, 1], int, 1], 1024], 1024] = []

    class Wide(Record, key="id"):
        id: int
        texts: list[list[Text[0, 1], 1024], 1024]

    class Boxes(Record, key="id"):
        id: int
        boxes: list[list[Tiny, 1024], 1024]

    @action(by="member", creates="Small")
    def make_small(tx, lc: Small, id: int, t: Text[0, 9]):
        pass

    @action(by="member", creates="Big")
    def make_big(tx, lc: Big, id: int, maps: list[list[dict[Text[0, 1], int, 1], 1024], 1024]):
        pass

    @action(by="member", creates="Wide")
    def make_wide(tx, lc: Wide, id: int, texts: list[list[Text[0, 1], 1024], 1024]):
        pass

    @action(by="member", creates="Boxes")
    def make_boxes(tx, lc: Boxes, id: int, boxes: list[list[Tiny, 1024], 1024]):
        pass

    @action(by="member")
    def grow(tx, given: Text[0, 60000], parts: Text[0, 60000], a: Amount):
        n = 0
        t = given
        b = sha256(given)
        d = tx.date
        l: list[int, 1024] = []
        ll: list[list[int, 1024], 1024] = []
        ts: list[Text[0, 65536], 1024] = []
        kept: list[list[Text[0, 65536], 1024], 1024] = []
        amounts: list[list[Amount, 1024], 1024] = []
        bs: list[Bytes[0, 60000], 1024] = []
        ds: list[Date, 1024] = []
        us: list[Duration, 1024] = []
        s: list[Box, 1024] = []
        ss: list[list[Box, 1024], 1024] = []
        m: dict[Text[0, 20], int, 1024] = {}
        mm: dict[Text[0, 20], dict[Text[0, 20], int, 9], 1024] = {}
"""

_LINES = (
    "t += given", "t = t + t[:3000]", "t = t[1:]", "ts.append(t)", "ts = ts + ts", "ts.append(str(n))",
    'kept.append(parts.split(","))', "kept.append(ts)", "kept.append(m.keys())", "kept = kept + kept", "n += 1",
    "n = n * 3 + 1", "l.append(n)", "l.append(n * 4611686018427387904)", "l = l + l", "ll.append(l)",
    "ll.append(sorted(l))", "ll.append(reversed(l))", "ll.append(m.values())", "ll.append(l[1:])", "ll = ll + ll",
    "amounts.append(a.split(1024))", "amounts.append(a.split(300))", "amounts = amounts + amounts", "b = b + b",
    "b = sha256(b)", "b = b[:500]", "bs.append(b)", "bs = bs + bs", "ts.append(b.hex())", "d = d.add_days(1)",
    "ds.append(d)", "ds = ds + ds", "us.append(Duration(milliseconds=n))", "us = us + us", "s.append(Box(n=n, t=t))",
    "s = s + s", "ss.append(s)", "ss = ss + ss", "m[str(n)] = n", "m[t[:9]] = n", "mm[str(n)] = {str(n): n}",
    'mm[str(n)] = {"a": n, "b": n, "c": n}', "ts.append(t.join(ts))", "ts.append(t.upper())", "ts.append(t[n:n + 9])",
    'event("e", n=n)', "Main.Small.create(id=n, t=\"x\")", "l = deep(9, l)", "n += len(t)", "n = n % 1000",
)  # fmt: skip


class Measured(NamedTuple):
    """What one program came to."""

    name: str
    code: str
    steps: int
    bytes: int  # the most anonymous memory that the process had while it ran, all in
    seconds: float  # CPU
    source: str


def source(body: str) -> str:
    return _HEAD + "".join(f"        {line}\n" for line in body.strip().splitlines())


def measure_all(found: int, seed: int, by: str = "bytes") -> Iterator[Measured]:
    """The cases, then the worst of `found` programs that a search went through, by `bytes` or by `seconds`."""
    world = _filled()
    for name, body in CASES.items():
        yield measure(world, name, body)
    choices = random.Random(seed)
    worst = _searched(world, choices, by)
    for _ in range(found):
        candidate = _searched(world, choices, by, worst)
        if getattr(candidate, by) > getattr(worst, by):
            worst = candidate
    yield worst._replace(name=f"the worst found, by {by}")


def _filled() -> World:
    """A world with records that are cheap to read for what they hold."""
    world = World(afresh=True)  # what is measured shall not hold what was measured before
    world.deploy("main", source("pass"))
    maps = [[{} for _ in range(1000)] for _ in range(60)]
    texts = [["東" for _ in range(1000)] for _ in range(60)]
    boxes = [[{"a": 1} for _ in range(1000)] for _ in range(35)]
    for record, field, value in (("Big", "maps", maps), ("Wide", "texts", texts), ("Boxes", "boxes", boxes)):
        making = world.call("main", f"make_{record.lower()}", {"id": 0, field: value})
        world.take(making, steps=TRANSACTION_STEPS_MAX)
        (first,) = world.values("main", record)
        for at in range(1, 40):  # as the action would make them, in a hundredth of the time
            place = order.table("main", record) + order.key_bytes(at)
            world.records[place] = Stored(world.seq, cbor.encode({**first, "id": at}))
            world.seq += 1
    for at in range(1000, 2024):
        world.take(world.call("main", "make_small", {"id": at, "t": "x"}), steps=TRANSACTION_STEPS_MAX)
    return world


def measure(world: World, name: str, body: str) -> Measured:
    """Runs a body on what is stored; nothing is kept of it."""
    text = source(body)
    world.programs["main"][-1:] = []
    world.deploy("main", text)
    arguments = {
        "given": "東" * 5000,
        "parts": ",".join(["東京"] * 1024),
        "a": {"minor": 2**62, "currency": "EUR"},
    }
    call = world.call("main", "grow", arguments)
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak
    files = _status("RssFile")
    began = time.process_time()
    ran: Execution = world.run(call, steps=STEPS)
    seconds = time.process_time() - began
    return Measured(name, ran.code, ran.steps, _status("VmHWM") - files, seconds, text)


def _status(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def _searched(world: World, choices: random.Random, by: str, start: Any = None) -> Measured:
    """One more program: another one changed, or a new one."""
    lines = [choices.choice(_LINES) for _ in range(4)] if start is None else _inner(start.source)
    if start is not None:
        for _ in range(choices.randint(1, 2)):
            at = choices.randrange(len(lines) + 1)
            lines[at : at + choices.randint(0, 1)] = (
                [choices.choice(_LINES)] if choices.random() < 0.8 or len(lines) < 3 else []
            )
    body = "for i in range(1000):\n" + "".join(f"    {line}\n" for line in lines)
    if choices.random() < 0.3:
        body = f"{choices.choice(_LINES)}\n{body}"
    return measure(world, "", body)


def _inner(text: str) -> list[str]:
    """The lines of the loop of a searched program."""
    return [line.strip() for line in text.partition("for i in range(1000):\n")[2].splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--found", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--by", choices=("bytes", "seconds"), default="bytes")
    options = parser.parse_args()
    for measured in measure_all(options.found, options.seed, options.by):
        print(json.dumps(measured._asdict()), flush=True)


if __name__ == "__main__":
    main()
