"""Upgrades: records of several versions in one state, each brought up when touched, and written when it changes."""

import shutil

import pytest
from tests.node.chain import Chain, codes

from hansa.contracts.values import Cache
from hansa.node import reading as reading_module
from hansa.wire import cbor, entry, order, writes

FIRST = '''"""Boxes."""

from hansa.contract import Contract, Int, Record, Text, action, event, invariant, migration, require, view, Struct


class Boxes(Contract, version="1.0.0"):
    class Box(Record, key="name", index=["size"]):
        """A box with so much in it."""

        name: Text[1, 20]
        size: int
        left: int

    @action(by="member", creates="Box")
    def make(tx, box: Box, name: Text[1, 20], size: int, left: int):
        """Makes a box."""

    @action(by="member")
    def change(tx, box: Box):
        """Writes a box as it is."""
        box.left = box.left

    @action(by="member")
    def look(tx, box: Box):
        """Reads a box and writes nothing."""
        event("seen", what=box.left)

    @action(by="member")
    def move(tx, least: int, most: int):
        """Changes those of some sizes."""
        for box in Boxes.Box.select(by="size", least=least, most=most, limit=10):
            box.size = box.size + 100

    @view
    def left_in(tx, box: Box) -> int:
        """What is left."""
        return box.left

    @view
    def all_left(tx, least: int, most: int) -> list[int, 10]:
        """What is left in boxes of some sizes."""
        found: list[int, 10] = []
        for box in Boxes.Box.select(by="size", least=least, most=most, limit=10):
            found.append(box.left)
        return found
'''.replace(", invariant, migration, require, view, Struct", ", view")

# left becomes ten times as much, with a mark
SECOND = (
    FIRST.replace('version="1.0.0"', 'version="2.0.0"')
    .replace("action, event, view", "Struct, action, event, migration, view")
    .replace("class Boxes(", '''class Box1(Struct):
    name: Text[1, 20]
    size: int
    left: int


class Boxes(''')
    .replace(
        "        left: int\n\n    @action",
        '''        left: int
        mark: Text[0, 10] = ""

        @migration
        def from_1(box, old: Box1):
            box.mark = "two"
            box.left = old.left * 10

    @action''',
    )
)  # fmt: skip

# and one more; what is negative cannot come up, what is above 500 breaks a rule
THIRD = (
    SECOND.replace('version="2.0.0"', 'version="3.0.0"')
    .replace(
        "Struct, action, event, migration, view", "Int, Struct, action, event, invariant, migration, require, view"
    )
    .replace("Box1", "Box2")
    .replace("        left: int\n        mark", "        left: Int[0, 9999]\n        mark")
    .replace("    left: int\n\n\nclass", "    left: int\n    mark: Text[0, 10]\n\n\nclass")
    .replace("from_1", "from_2")
    .replace(
        '            box.mark = "two"\n            box.left = old.left * 10\n',
        """            box.mark = old.mark + "three"
            box.left = old.left + 1

        @invariant
        def bounded(box):
            require(box.left <= 501, "{left} is too much", left=box.left)
""",
    )
)


def make(ledger, name, size, left=None):
    return ledger.prepare("boxes", "make", {"name": name, "size": size, "left": size if left is None else left})


def on(ledger, action, name, **options):
    return ledger.prepare("boxes", action, {"box": name}, **options)


@pytest.fixture
def three(ledger, parts):
    """A chain with `one`, `two` and `three`, each written by that version of the contract; the third runs."""
    with parts(ledger) as recovered:
        yield grown(Chain(ledger, recovered))


def grown(chain):
    ledger = chain.ledger
    for batch in (
        [ledger.deploy("boxes", FIRST), make(ledger, "one", 1), make(ledger, "uno", 4)],
        [ledger.upgrade("boxes", SECOND), make(ledger, "two", 2)],
        [ledger.upgrade("boxes", THIRD), make(ledger, "three", 3)],
    ):
        made = chain.block(*batch)
        assert set(codes(made)) == {"ok"}, codes(made)
    return chain


def reading(chain):
    made = chain.parts.reading()
    made.tip = chain.tip
    return made


def stored(chain, name):
    found = chain.parts.state.get(order.place("boxes", "Box", name))
    return found.seq, cbor.decode(found.value)


def seen(sealed):
    outcomes = [entry.decode_outcome(item.outcome) for item in sealed.block.items]
    return [event["data"]["what"] for outcome in outcomes for event in outcome.events if event["name"] == "seen"]


def view(chain, name, **arguments):
    ran = reading(chain).view("boxes", name, arguments)
    assert ran.code == "ok", ran
    return ran.result


def test_a_read_brings_a_record_up_and_writes_nothing(three):
    before = [stored(three, name) for name in ("one", "two", "three")]
    made = three.block(*[on(three.ledger, "look", name) for name in ("one", "two", "three", "one")])
    assert seen(made) == [11, 3, 3, 11]
    assert all(item.writes == writes.EMPTY for item in made.block.items)
    assert [stored(three, name) for name in ("one", "two", "three")] == before
    assert [set(value) for _, value in before] == [
        {"name", "size", "left"}, {"name", "size", "left", "mark"}, {"name", "size", "left", "mark"}
    ]  # fmt: skip
    versions = {entry.decode_outcome(item.outcome).contract for item in made.block.items}
    assert versions == {"3.0.0"}


def test_what_changes_is_written_as_the_version_that_runs(three):
    before = stored(three, "one")
    made = three.block(on(three.ledger, "change", "one"), on(three.ledger, "look", "one"))
    seq, value = stored(three, "one")
    assert value == {"name": "one", "size": 1, "left": 11, "mark": "twothree"}
    assert (before[0], seq) == (writes.decode(made.block.items[0].writes)[0].previous, made.block.header.seq)
    assert seen(made) == [11]
    assert seen(three.block(on(three.ledger, "look", "one"))) == [11]  # once, not again


def test_the_way_up_costs_steps_as_long_as_it_is_gone(three):
    steps = lambda: [  # noqa: E731
        entry.decode_outcome(item.outcome).steps
        for item in three.block(*[on(three.ledger, "look", name) for name in ("one", "two", "three")]).block.items
    ]
    first = steps()
    assert first[0] > first[1] > first[2]
    assert steps() == first
    three.block(on(three.ledger, "change", "one"))
    assert steps()[0] < first[1]


def test_views_and_ranges_see_all_versions_as_one(three):
    assert [view(three, "left_in", box=name) for name in ("one", "two", "three", "uno")] == [11, 3, 3, 41]
    assert view(three, "all_left", least=1, most=4) == [11, 3, 3, 41]
    assert view(three, "all_left", least=2, most=3) == [3, 3]
    before = [stored(three, name) for name in ("one", "two", "three")]
    assert codes(three.block(three.ledger.prepare("boxes", "move", {"least": 1, "most": 2}))) == ["ok"]
    assert [stored(three, name)[1]["left"] for name in ("one", "two")] == [11, 3]
    assert stored(three, "three") == before[2]
    assert view(three, "all_left", least=3, most=200) == [3, 41, 11, 3]


def test_records_are_shown_as_they_were_written(three):
    rows = reading(three).page("boxes", "Box", None, 10).rows
    assert {row.value["name"]: set(row.value) - {"name", "size", "left"} for row in rows} == {
        "one": set(), "uno": set(), "two": {"mark"}, "three": {"mark"}
    }  # fmt: skip
    by_size = reading_module.Asked(index="size", least="1", most="4")
    assert [row.value["name"] for row in reading(three).page("boxes", "Box", None, 10, by_size).rows] == [
        "one", "two", "three", "uno"
    ]  # fmt: skip


def test_the_history_of_a_record_keeps_each_version(ledger, play):
    async def scenario(session):
        for one in (ledger.deploy("boxes", FIRST), make(ledger, "a", 1), ledger.upgrade("boxes", SECOND)):
            await session.applied(one)
        await session.applied(on(ledger, "change", "a"))
        rows = session.node.reading.history("boxes", "Box", "a", None, 10).rows
        assert [row.value.get("mark") for row in rows] == ["two", None]

    play(ledger, scenario)


def test_an_upgrade_decides_from_the_next_entry_on(ledger, parts):
    """In the order of the block; two in one block, and records between them."""
    with parts(ledger) as recovered:
        chain = Chain(ledger, recovered)
        chain.block(ledger.deploy("boxes", FIRST), make(ledger, "a", 1))
        made = chain.block(
            on(ledger, "look", "a"),
            ledger.upgrade("boxes", SECOND),
            on(ledger, "look", "a"),
            make(ledger, "b", 2),
            ledger.upgrade("boxes", THIRD),
            on(ledger, "look", "a"),
            on(ledger, "look", "b"),
            on(ledger, "change", "b"),
            on(ledger, "look", "b"),
        )
        assert set(codes(made)) == {"ok"}
        assert seen(made) == [1, 10, 11, 3, 3]
        assert stored(chain, "b")[1]["mark"] == "three"
        assert seen(chain.block(on(ledger, "look", "a"))) == [11]


REFUSED_UPGRADES = {
    "the same version": (FIRST, "upgrade.refused"),
    "an older version": (FIRST.replace("1.0.0", "0.9.9"), "upgrade.refused"),
    "a field that nothing fills": (
        FIRST.replace("1.0.0", "1.1.0")
        .replace("        left: int\n", "        left: int\n        more: int\n")
        .replace("left: int):", "left: int, more: int):"),
        "upgrade.refused",
    ),
    "a record that is gone": (
        '''"""Nothing."""

from hansa.contract import Contract, action


class Boxes(Contract, version="2.0.0"):
    @action(by="member")
    def nothing(tx):
        """Nothing."""
''',
        "upgrade.refused",
    ),
    "a file with findings": ("import os", "contract.invalid"),
}


@pytest.mark.parametrize(("source", "code"), REFUSED_UPGRADES.values(), ids=REFUSED_UPGRADES)
def test_an_upgrade_that_loses_records_is_refused(ledger, parts, source, code):
    with parts(ledger) as recovered:
        chain = Chain(ledger, recovered)
        chain.block(ledger.deploy("boxes", FIRST), make(ledger, "a", 1))
        made = chain.block(ledger.upgrade("boxes", source), on(ledger, "look", "a"))
        assert codes(made) == [code, "ok"]
        assert entry.decode_outcome(made.block.items[1].outcome).contract == "1.0.0"


def test_only_deployers_upgrade_and_only_what_is_there(ledger, parts):
    with parts(ledger) as recovered:
        chain = Chain(ledger, recovered)
        chain.block(ledger.deploy("boxes", FIRST))
        made = chain.block(
            ledger.upgrade("boxes", SECOND, by="bolt", steps_max=100_000),
            ledger.upgrade("others", SECOND),
            ledger.upgrade("members", SECOND),
            ledger.deploy("boxes", SECOND),
        )
        assert codes(made) == ["role.denied", "arguments.invalid", "arguments.invalid", "record.exists"]


def test_a_version_that_was_refused_for_its_steps_can_be_tried_again(ledger, parts):
    """What was checked for it is not taken for another's."""
    with parts(ledger) as recovered:
        chain = Chain(ledger, recovered)
        chain.block(ledger.deploy("boxes", FIRST), make(ledger, "a", 1))
        enough = entry.decode_outcome(chain.block(ledger.deploy("twin", SECOND)).block.items[0].outcome).steps
        made = chain.block(
            ledger.upgrade("boxes", SECOND, steps_max=enough - 1_000),
            on(ledger, "look", "a"),
            ledger.upgrade("boxes", SECOND),
            on(ledger, "look", "a"),
        )
        assert codes(made) == ["steps.exceeded", "ok", "ok", "ok"]
        assert seen(made) == [1, 10]


def test_versions_outlive_a_start_and_a_rebuilding(ledger, play):
    """The very same steps and writes: from the state as it was kept, and from the journal alone."""

    async def first(session):
        for one in (ledger.deploy("boxes", FIRST), make(ledger, "one", 1), make(ledger, "uno", 1)):
            await session.applied(one)
        for one in (ledger.upgrade("boxes", SECOND), make(ledger, "two", 2), ledger.upgrade("boxes", THIRD)):
            await session.applied(one)
        return [await looked(session, name) for name in ("one", "two")]

    async def looked(session, name):
        outcome = entry.decode_outcome((await session.applied(on(ledger, "look", name))).outcome)
        return outcome.events, outcome.steps

    async def again(session):
        return [await looked(session, name) for name in ("one", "two")]

    async def changed(session):
        await session.applied(on(ledger, "change", "one"))
        return session.node.reading.record("boxes", "Box", "one").value

    expected = play(ledger, first)
    assert play(ledger, again) == expected
    shutil.rmtree(ledger.folder.state)
    assert play(ledger, again) == expected
    assert play(ledger, changed) == {"name": "one", "size": 1, "left": 11, "mark": "twothree"}


def test_the_cache_makes_no_difference(ledger, parts, tmp_path):
    """Records of all versions, upgraded while they are remembered."""
    batches = [
        [ledger.deploy("boxes", FIRST), *[make(ledger, f"b{n}", n) for n in range(6)]],
        [*[on(ledger, "look", f"b{n}") for n in range(6)], ledger.upgrade("boxes", SECOND)],
        [on(ledger, "look", "b1"), on(ledger, "change", "b1"), on(ledger, "look", "b1"), on(ledger, "look", "b2")],
        [on(ledger, "look", "b2"), ledger.upgrade("boxes", THIRD), on(ledger, "look", "b2"), on(ledger, "look", "b1")],
        [ledger.prepare("boxes", "move", {"least": 0, "most": 3}), on(ledger, "look", "b3"), on(ledger, "look", "b5")],
    ]
    encoded = []
    for number, cache in enumerate((None, Cache(4_096), Cache(1))):
        shutil.copytree(ledger.root, tmp_path / f"{number}")
        twin = type(ledger)(tmp_path / f"{number}", ledger.id)
        with parts(twin) as recovered:
            chain = Chain(twin, recovered, cache)
            start = chain.time + 1_000
            encoded.append([chain.block(*batch, at=start).encoded for batch in batches])
            assert all(set(codes(one)) == {"ok"} for one in chain.blocks)
    assert encoded[0] == encoded[1] == encoded[2]


# Trying before


@pytest.fixture
def filled(ledger, parts):
    """A chain with boxes of the first and the second version, some of which the third cannot take."""
    with parts(ledger) as recovered:
        chain = Chain(ledger, recovered)
        olds = [make(ledger, f"a{n}", n, left) for n, left in enumerate((1, -1, 7, 51, 50))]
        chain.block(ledger.deploy("boxes", FIRST), *olds)
        news = [make(ledger, f"b{n}", n, left) for n, left in enumerate((0, -5, 501, 500))]
        chain.block(ledger.upgrade("boxes", SECOND), *news)
        yield chain


BAD = {
    "a1": ("value.bounds", "`Box.left` must"),
    "a3": ("invariant.failed", "{left} is too much"),
    "b1": ("value.bounds", "`Box.left` must"),
    "b2": ("invariant.failed", "{left} is too much"),
}


def test_a_trial_names_the_records_that_would_fail_and_why(filled):
    before = filled.parts.state.pending()
    found = reading(filled).trial("boxes", THIRD)
    assert (found.version, found.records, found.problems, found.next) == ("3.0.0", 9, [], None)
    assert {one.key: (one.code, one.message[: len(BAD[one.key][1])]) for one in found.failures} == BAD
    assert [one.values for one in found.failures] == [{}, {"left": 511}, {}, {"left": 502}]
    assert {one.record for one in found.failures} == {"Box"}
    assert filled.parts.state.pending() == before
    assert reading(filled).program("boxes").manifest.version == "2.0.0"


def test_what_a_trial_says_comes_true(filled):
    ledger = filled.ledger
    said = {one.key: one.code for one in reading(filled).trial("boxes", THIRD).failures}
    filled.block(ledger.upgrade("boxes", THIRD))
    names = [*[f"a{n}" for n in range(5)], *[f"b{n}" for n in range(4)]]
    made = filled.block(*[on(ledger, "change", name) for name in names])
    assert codes(made) == [said.get(name, "ok") for name in names]


def test_a_trial_of_a_file_that_cannot_follow_looks_at_no_record(filled, refused):
    found = reading(filled).trial("boxes", SECOND)
    assert (found.records, found.failures) == (0, [])
    assert found.problems[0] == "version 2.0.0 must be higher than 2.0.0"
    with refused("contract.missing"):
        reading(filled).trial("others", THIRD)


@pytest.mark.parametrize(
    ("name", "most"), [("TRIAL_RECORDS_MAX", 2), ("TRIAL_STEPS_MAX", 1), ("FAILURES_MAX", 1), ("_PART_ROWS", 2)]
)
def test_a_trial_of_many_records_goes_on_where_it_ended(filled, monkeypatch, name, most):
    monkeypatch.setattr(reading_module, name, most)
    cursor, counts, failures = None, [], []
    while True:
        found = reading(filled).trial("boxes", THIRD, cursor)
        counts.append(found.records)
        failures += found.failures
        if found.next is None:
            break
        assert found.next != cursor
        cursor = found.next
    assert sum(counts) == 9
    assert [one.key for one in failures] == list(BAD)
    if name == "TRIAL_RECORDS_MAX":
        assert counts == [2, 2, 2, 2, 1]
    elif name == "TRIAL_STEPS_MAX":
        assert counts == [1] * 9 + [0]
    elif name == "FAILURES_MAX":
        assert [count for count in counts if count] == [2, 2, 3, 1, 1]


@pytest.mark.parametrize("cursor", ["", "Box", "Box:", "Box:xyz", ":", "Nothing:00", "\0:\0", "Box:" + "ff" * 5_000])
def test_a_cursor_that_no_trial_gave_is_refused_or_harmless(filled, cursor):
    try:
        found = reading(filled).trial("boxes", THIRD, cursor)
    except reading_module.HansaError as error:
        assert error.code == "query.cursor"
    else:
        assert found.records <= 9
