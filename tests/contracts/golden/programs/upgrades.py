"""Schedules, and new versions of a contract with the records of the old."""

from tests.contracts.golden.program import TIME, Call, Deploy, Golden, contract, do, ledger, lines, sample

_OFFER = """
class States:
    Open: "may be taken"
    Expired: "too late"
class Offer(Record, key="id"):
    id: Text[1, 8]
    n: int = 0
@action(by="member", creates="Offer", to="Open")
def make(tx, offer: Offer, id: Text[1, 8], ahead: Duration):
    schedule(offer, "expire", tx.time + ahead)
@action(by="schedule", on="Open", to="Expired")
def expire(tx, offer: Offer):
    event("expired", id=offer.id, at=tx.time)
@view
def is_open(tx, offer: Offer) -> bool:
    return offer.state == "Open"
"""
_EXPIRE = do("expire", offer="a").by(None).at(TIME + 5000)

_V1 = """
    class Box(Record, key="id"):
        id: Text[1, 8]
        n: int = 1
        name: Text[0, 9] = "old"
    @action(by="member", creates="Box")
    def make(tx, box: Box, id: Text[1, 8]):
        pass
    @view
    def n_of(tx, box: Box) -> int:
        return box.n
"""
_MORE = """
    class Box(Record, key="id"):
        id: Text[1, 8]
        n: int = 1
        name: Text[0, 9] = "old"
        more: int = 7
        items: list[int, 3] = []
"""
_REST = """
    @action(by="member", creates="Box")
    def make(tx, box: Box, id: Text[1, 8]):
        pass
    @action(by="member")
    def add(tx, box: Box):
        box.more += 1
        box.items.append(box.n)
    @view
    def n_of(tx, box: Box) -> int:
        return box.n
    @view
    def more_of(tx, box: Box) -> list[int, 9]:
        return [box.more] + box.items
"""
_OLD = """
    class Box_1_0_0(Struct):
        id: Text[1, 8]
        n: int
        name: Text[0, 9]
"""
_MIGRATED = """
    class Box(Record, key="id"):
        id: Text[1, 8]
        n: int = 1
        title: Text[1, 20] = "none"
        more: int = 7
        items: list[int, 3] = []
        @migration
        def from_1_0_0(box, old: Box_1_0_0):
            box.title = "was " + old.name
            box.more = old.n * 100
"""
_LAMP = """
    class Lamp(Record, key="id"):
        class States:
            On: "bright"
            Off: "dark"
        id: int
        n: int = 0
"""
_LAMP_1 = """
    class Lamp_1_0_0(Struct):
        id: int
        n: int
        state: Text[1, 48]
"""
_LAMP_2 = """
    class Lamp(Record, key="id"):
        class States:
            On: "bright"
            Off: "dark"
            Broken: "for ever"
        id: int
        n: int = 0
        was_on: bool = False
        @migration
        def from_1_0_0(lamp, old: Lamp_1_0_0):
            if old.state == "On":
                lamp.was_on = True
                become(lamp, "Broken")
"""
_USE = """
    @action(by="member", creates="Lamp", to="Off")
    def hang(tx, lamp: Lamp, id: int):
        pass
    @action(by="member", on="Off", to="On")
    def light(tx, lamp: Lamp):
        lamp.n += 1
    @view
    def is_dark(tx, lamp: Lamp) -> bool:
        return lamp.state == "Off"
"""
_INDEXED = """
    class Box(Record, key="id", index=["n"]):
        id: Text[1, 8]
        n: int = 1
    @action(by="member", creates="Box")
    def make(tx, box: Box, id: Text[1, 8]):
        pass
    @view
    def all_of(tx, n: int) -> list[Text[1, 8], 9]:
        ids = []
        for box in Sample.Box.select(by="n", equal=n, limit=9):
            ids.append(box.id)
        return ids
"""
_NAMED = """
    class Box(Record, key="id"):
        id: Text[1, 8]
        name: Text[0, 9] = "old"
"""
_RULED = """
    class Box(Record, key="id"):
        id: Text[1, 8]
        name: Text[0, 9] = "old"
        @invariant
        def named(box):
            require(box.name != "old", "{id} has no name", id=box.id)
"""
_NAMING = """
    @action(by="member", creates="Box")
    def make(tx, box: Box, id: Text[1, 8]):
        pass
    @action(by="member")
    def call_it(tx, box: Box, name: Text[0, 9]):
        box.name = name
    @view
    def name_of(tx, box: Box) -> Text[0, 9]:
        return box.name
"""


def _box(record: str) -> str:
    return record + _REST


def _upgraded(name: str, version: str, inside: str, *calls: Call, module: str = "") -> Golden:
    """Box `a` of the first version, then a version of these declarations."""
    return ledger(
        name,
        {"sample": contract(_V1)},
        do("make", id="a"),
        do("n_of", box="a").gives(1),
        Deploy("sample", contract(inside, module=module, version=version)),
        *calls,
    )


PROGRAMS = [
    sample(
        "due",
        _OFFER,
        do("make", id="a", ahead=5000),
        do("is_open", offer="a").gives(True),
        _EXPIRE.emits("expired", id="a", at=TIME + 5000),
        do("is_open", offer="a").gives(False),
        _EXPIRE.refused("state.denied"),
    ),
    sample(
        "due_is_for_ledger_time_alone",
        _OFFER,
        do("make", id="a", ahead=5000),
        do("expire", offer="a").refused("role.denied"),
        do("expire", offer="a").by("alice/ann").refused("role.denied"),
        do("is_open", offer="a").gives(True),
    ),
    sample(
        "due_too_soon",
        _OFFER,
        do("make", id="a", ahead=999).refused("schedule.past"),
        do("make", id="a", ahead=-5000).refused("schedule.past"),
        do("is_open", offer="a").refused("arguments.invalid"),
        do("make", id="a", ahead=1000),
    ),
    sample(
        "due_more_than_once",
        lines(
            _OFFER,
            """
            @action(by="member")
            def again(tx, offer: Offer, n: int):
                for i in range(n):
                    schedule(offer, "expire", tx.time + Duration(days=i + 1))
        """,
        ),
        do("make", id="a", ahead=5000),
        do("again", offer="a", n=3),
        do("again", offer="a", n=0),
    ),
    sample(
        "due_too_often",
        lines(
            _OFFER,
            """
                @action(by="member")
                def again(tx, offer: Offer, n: int):
                    for i in range(n):
                        schedule(offer, "expire", tx.time + Duration(days=i + 1))
            """,
        ),
        do("make", id="a", ahead=5000),
        do("again", offer="a", n=65).refused("output.schedules"),
        do("again", offer="a", n=64),
    ),
    sample(
        "due_again_by_itself",
        """
            class Clock(Record, key="id"):
                id: Int[0, 9]
                ticks: int = 0
            @action(by="member", creates="Clock")
            def start(tx, clock: Clock, id: Int[0, 9]):
                schedule(clock, "tick", tx.time + Duration(hours=1))
            @action(by="schedule")
            def tick(tx, clock: Clock):
                clock.ticks += 1
                if clock.ticks < 2:
                    schedule(clock, "tick", tx.time + Duration(hours=1))
            @view
            def ticks_of(tx, clock: Clock) -> int:
                return clock.ticks
        """,
        do("start", id=1),
        do("tick", clock=1).by(None).at(TIME + 3_600_000),
        do("tick", clock=1).by(None).at(TIME + 7_200_000),
        do("ticks_of", clock=1).gives(2),
    ),
    sample(
        "due_or_by_a_member",
        _OFFER.replace('by="schedule"', 'by=["schedule", "member"]'),
        do("make", id="a", ahead=5000),
        do("expire", offer="a").emits("expired", id="a", at=TIME),
        _EXPIRE.refused("state.denied"),
    ),
    sample(
        "nobody_signs_what_is_due",
        _OFFER.replace('by="schedule"', 'by=["member", "schedule"]').replace(
            "at=tx.time)", "at=tx.time, who=tx.member)"
        ),
        do("make", id="a", ahead=5000),
        _EXPIRE.refused("tx.unsigned"),
        do("expire", offer="a").emits("expired", id="a", at=TIME, who="alice"),
    ),
    sample(
        "what_is_due_may_refuse",
        lines(
            _OFFER,
            """
            @action(by="schedule")
            def fail(tx, offer: Offer):
                require(offer.n > 0, "no")
        """,
        ),
        do("make", id="a", ahead=5000),
        do("fail", offer="a").by(None).refused("require.failed"),
        do("fail", offer="zz").by(None).refused("arguments.invalid"),
    ),
    _upgraded(
        "new_fields_have_their_defaults",
        "1.1.0",
        _box(_MORE),
        do("more_of", box="a").gives([7]),
        do("n_of", box="a").gives(1),
        do("add", box="a"),
        do("more_of", box="a").gives([8, 1]),
        do("make", id="b"),
        do("more_of", box="b").gives([7]),
    ),
    _upgraded(
        "a_migration_says_more",
        "2.0.0",
        lines(
            _box(_MIGRATED),
            """
                @view
                def title_of(tx, box: Box) -> Text[0, 40]:
                    return box.title
        """,
        ),
        do("title_of", box="a").gives("was old"),
        do("more_of", box="a").gives([100]),
        do("add", box="a"),
        do("more_of", box="a").gives([101, 1]),
        do("title_of", box="a").gives("was old"),
        do("make", id="b"),
        do("title_of", box="b").gives("none"),
        module=_OLD,
    ),
    _upgraded(
        "a_migration_may_fault",
        "2.0.0",
        _box(_MIGRATED).replace("old.n * 100", "100 // (old.n - 1)"),
        do("more_of", box="a").refused("value.division"),
        do("make", id="b"),
        do("more_of", box="b").gives([7]),
        module=_OLD,
    ),
    _upgraded(
        "what_a_migration_makes_is_held",
        "2.0.0",
        _box(_MIGRATED).replace('"was " + old.name', '"0123456789" + old.name + "0123456789"'),
        do("more_of", box="a").refused("value.bounds"),
        module=_OLD,
    ),
    ledger(
        "two_versions_further",
        {"sample": contract(_V1)},
        do("make", id="a"),
        Deploy("sample", contract(_box(_MORE), version="1.1.0")),
        do("make", id="b"),
        do("add", box="b"),
        Deploy(
            "sample",
            contract(
                _box(_MORE)
                .replace("more: int = 7", "more: int = 7\n        last: bool = True")
                .replace("box.more += 1", "box.more += 10"),
                version="1.2.0",
            ),
        ),
        do("add", box="a"),
        do("add", box="b"),
        do("more_of", box="a").gives([17, 1]),
        do("more_of", box="b").gives([18, 1, 1]),
    ),
    _upgraded(
        "new_code_for_old_records",
        "1.0.1",
        _V1.replace("return box.n", "return box.n * 10"),
        do("n_of", box="a").gives(10),
    ),
    _upgraded(
        "an_action_gone",
        "1.1.0",
        _V1.replace("def n_of", "def number_of"),
        do("n_of", box="a").refused("action.unknown"),
        do("number_of", box="a").gives(1),
    ),
    _upgraded(
        "a_migrated_record_only_read_is_not_written",
        "1.1.0",
        lines(
            _box(_MORE),
            """
                @action(by="member")
                def look(tx, box: Box):
                    event("seen", more=box.more)
        """,
        ),
        do("look", box="a").emits("seen", more=7),
        do("look", box="a").emits("seen", more=7),
    ),
    ledger(
        "states_carry_over_and_a_migration_may_become",
        {"sample": contract(_LAMP + _USE)},
        do("hang", id=1),
        do("hang", id=2),
        do("light", lamp=2),
        do("is_dark", lamp=1).gives(True),
        Deploy("sample", contract(_LAMP_2 + _USE.replace("def is_dark", "def was"), module=_LAMP_1, version="2.0.0")),
        do("was", lamp=1).gives(True),
        do("was", lamp=2).gives(False),
        do("light", lamp=1),
        do("was", lamp=1).gives(False),
        do("light", lamp=2).refused("state.denied"),
    ),
    ledger(
        "indexes_of_old_records",
        {"sample": contract(_INDEXED)},
        do("make", id="b"),
        do("make", id="a"),
        Deploy(
            "sample", contract(_INDEXED.replace("n: int = 1", "more: int = 5\n        n: int = 1"), version="1.1.0")
        ),
        do("all_of", n=1).gives(["a", "b"]),
        do("all_of", n=2).gives([]),
    ),
    ledger(
        "an_invariant_that_old_records_break",
        {"sample": contract(lines(_NAMED, _NAMING))},
        do("make", id="a"),
        Deploy("sample", contract(lines(_RULED, _NAMING), version="1.1.0")),
        do("name_of", box="a").gives("old"),
        do("call_it", box="a", name="old").refused("invariant.failed"),
        do("call_it", box="a", name="new"),
    ),
]
