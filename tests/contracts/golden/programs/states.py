"""States and what may become of them, roles of every kind, users and the two-person rule."""

from tests.contracts.golden.program import Call, Golden, do, lines, sample
from tests.contracts.world import transaction_id

_DOOR = """
class States:
    Open: "may be gone through"
    Closed: "may not"
    Walled: "for ever"
class Door(Record, key="id"):
    id: Text[1, 8]
    n: int = 0
@action(by="member", creates="Door", to="Open")
def build(tx, door: Door, id: Text[1, 8]):
    pass
@action(by="member", on="Open", to="Closed")
def close(tx, door: Door):
    pass
@view
def state_of(tx, door: Door) -> Text[1, 9]:
    if door.state == "Open":
        return "open"
    return "shut" if door.state == "Closed" else "other"
"""


def _door(name: str, inside: str, *calls: Call) -> Golden:
    return sample(name, lines(_DOOR, inside), do("build", id="a"), *calls)


def _is(state: str) -> Call:
    return do("state_of", door="a").gives(state)


_ROLES = """
class Roles:
    applicant: Party
    issuer: Party = Party(attribute="licence:bank")
    registrar: Party = Party(attribute="role:registrar")
    clerk: Party = Party(user="role:clerk")
    approver: Party = Party(user="role:approver")
class Credit(Record, key="id"):
    id: Text[1, 8]
    applicant: Party
    issuer: Party
    maker: User | None = None
    n: int = 0
@action(by="applicant", creates="Credit")
def request(tx, credit: Credit, id: Text[1, 8], issuer: Party):
    pass
@view
def n_of(tx, credit: Credit) -> int:
    return credit.n
"""


def _credit(name: str, inside: str, *calls: Call) -> Golden:
    return sample(name, lines(_ROLES, inside), do("request", id="a", issuer="bob"), *calls)


def _taken_by(role: str) -> str:
    return f"@action(by={role})\ndef go(tx, credit: Credit):\n    credit.n += 1\n"


_GO = do("go", credit="a")
_DENIED = _GO.refused("role.denied")

PROGRAMS = [
    _door(
        "one_target_follows_by_itself",
        "",
        _is("open"),
        do("close", door="a"),
        _is("shut"),
        do("close", door="a").refused("state.denied"),
        do("close", door="b").refused("arguments.invalid"),
    ),
    _door(
        "one_target_may_be_named",
        """
            @action(by="member", on="Open", to="Walled")
            def wall(tx, door: Door):
                door.n = 1
                become(door, "Walled")
        """,
        do("wall", door="a"),
        _is("other"),
        do("wall", door="a").refused("state.denied"),
    ),
    _door(
        "one_of_several_targets",
        """
            @action(by="member", on=["Open", "Closed"], to=["Open", "Closed", "Walled"])
            def turn(tx, door: Door, n: int):
                if n > 5:
                    become(door, "Walled")
                else:
                    become(door, "Closed" if n > 0 else "Open")
        """,
        do("turn", door="a", n=1),
        _is("shut"),
        do("turn", door="a", n=0),
        _is("open"),
        do("turn", door="a", n=9),
        _is("other"),
        do("turn", door="a", n=0).refused("state.denied"),
    ),
    _door(
        "any_state_without_on",
        """
            @action(by="member", to="Open")
            def reopen(tx, door: Door):
                pass
        """,
        do("reopen", door="a"),
        _is("open"),
        do("close", door="a"),
        do("reopen", door="a"),
        _is("open"),
    ),
    _door(
        "staying_needs_no_target",
        """
            @action(by="member", on="Open")
            def paint(tx, door: Door):
                door.n += 1
            @view
            def n_of(tx, door: Door) -> int:
                return door.n
        """,
        do("paint", door="a"),
        _is("open"),
        do("n_of", door="a").gives(1),
        do("close", door="a"),
        do("paint", door="a").refused("state.denied"),
    ),
    _door(
        "the_state_is_read_before_and_after",
        """
            @action(by="member", on="Open", to=["Closed"])
            def shut(tx, door: Door):
                before = door.state == "Open"
                become(door, "Closed")
                event("shut", before=before, after=door.state == "Closed", now=door.state)
        """,
        do("shut", door="a").emits("shut", before=True, after=True, now="Closed"),
    ),
    _door(
        "another_record_becomes",
        """
            @action(by="member", on="Open")
            def bang(tx, door: Door, other: Door):
                become(other, "Walled")
                event("bang", same=door.state == other.state)
        """,
        do("build", id="b"),
        do("bang", door="b", other="a").emits("bang", same=False),
        _is("other"),
        do("bang", door="b", other="b").refused("state.denied"),
    ),
    _door(
        "refused_stays",
        """
            @action(by="member", on="Open", to="Walled")
            def wall(tx, door: Door, n: int):
                become(door, "Walled")
                require(n > 0, "no")
        """,
        do("wall", door="a", n=0).refused("require.failed"),
        _is("open"),
    ),
    _door(
        "made_in_a_body_with_a_state",
        """
            @action(by="member")
            def two(tx, x: Text[1, 8]):
                door = Sample.Door.create(id=x, state="Closed")
                event("made", now=door.state)
        """,
        do("two", x="b").emits("made", now="Closed"),
        do("state_of", door="b").gives("shut"),
        do("two", x="a").refused("record.exists"),
    ),
    _door(
        "selected_states",
        """
            @view
            def open_ones(tx) -> list[Text[1, 8], 9]:
                ids = []
                for door in Sample.Door.select(by="id", limit=9):
                    if door.state == "Open":
                        ids.append(door.id)
                return ids
        """,
        do("build", id="b"),
        do("build", id="c"),
        do("close", door="b"),
        do("open_ones").gives(["a", "c"]),
    ),
    sample(
        "states_as_enums_are_written",
        """
            class States:
                "Where a lamp may be."
                On = "bright"
                Off: "dark"
            class Lamp(Record, key="id"):
                class States:
                    Off = "dark"
                    On = "bright"
                id: int
            class Box(Record, key="id"):
                id: int
            @action(by="member", creates="Lamp", to="Off")
            def hang(tx, lamp: Lamp, id: int):
                pass
            @action(by="member", creates="Box", to="On")
            def put(tx, box: Box, id: int):
                pass
            @action(by="member", on="Off", to="On")
            def light(tx, lamp: Lamp):
                pass
            @view
            def are_on(tx, lamp: Lamp, box: Box) -> bool:
                return lamp.state == "On" and box.state == "On"
        """,
        do("hang", id=1),
        do("put", id=1),
        do("are_on", lamp=1, box=1).gives(False),
        do("light", lamp=1),
        do("are_on", lamp=1, box=1).gives(True),
        do("light", lamp=1).refused("state.denied"),
    ),
    sample(
        "states_of_the_record",
        """
            class Lamp(Record, key="id"):
                class States:
                    On: "bright"
                    Off: "dark"
                id: int
                n: int = 0
            class Plain(Record, key="id"):
                id: int
            @action(by="member", creates="Lamp", to="Off")
            def hang(tx, lamp: Lamp, id: int):
                pass
            @action(by="member", creates="Plain")
            def plain(tx, thing: Plain, id: int):
                pass
            @action(by="member", on="Off", to="On")
            def light(tx, lamp: Lamp):
                lamp.n += 1
            @view
            def is_on(tx, lamp: Lamp) -> bool:
                return lamp.state == "On"
        """,
        do("hang", id=1),
        do("plain", id=1),
        do("is_on", lamp=1).gives(False),
        do("light", lamp=1),
        do("is_on", lamp=1).gives(True),
        do("light", lamp=1).refused("state.denied"),
    ),
    _credit(
        "role_by_field",
        _taken_by('"applicant"'),
        _GO,
        _DENIED.by("bob"),
        _DENIED.by("carol"),
        do("n_of", credit="a").gives(1),
    ),
    _credit("role_by_attribute_and_field", _taken_by('"issuer"'), _GO.by("bob"), _DENIED, _DENIED.by("carol")),
    _credit(
        "role_by_field_without_the_attribute",
        _taken_by('"issuer"'),
        do("request", id="b", issuer="carol"),
        do("go", credit="b").by("carol").refused("role.denied"),
        do("go", credit="b").by("bob").refused("role.denied"),
    ),
    _credit("role_by_attribute", _taken_by('"registrar"'), _GO, _DENIED.by("bob"), _GO.by("alice/eve")),
    _credit(
        "role_by_user",
        _taken_by('"clerk"'),
        _GO.by("alice/ann"),
        _GO.by("bob/cy"),
        _DENIED.by("alice"),
        _DENIED.by("alice/eve"),
        _DENIED.by("carol/dan"),
    ),
    _credit(
        "any_of_two_roles",
        _taken_by('["issuer", "clerk"]'),
        _GO.by("bob"),
        _GO.by("alice/ann"),
        _DENIED.by("alice"),
        _DENIED.by("carol"),
    ),
    _credit("any_member", _taken_by('"member"'), _GO, _GO.by("carol"), _GO.by("alice/eve"), _DENIED.by(None)),
    _credit("the_member_of_a_user_holds_the_role", _taken_by('"applicant"'), _GO.by("alice/eve"), _DENIED.by("bob/cy")),
    _credit(
        "who_signs",
        """
            @view
            def go(tx) -> list[Text[0, 40], 3]:
                who = tx.user
                return ["user" if who is not None else "none", "called" if tx.caller is not None else "direct"]
        """,
        do("go").gives(["none", "direct"]),
        do("go").by("alice/ann").gives(["user", "direct"]),
    ),
    _credit(
        "user_and_member",
        """
            @view
            def signer(tx) -> Party:
                return tx.member
            @view
            def person(tx) -> User | None:
                return tx.user
        """,
        do("signer").gives("alice"),
        do("signer").by("bob/cy").gives("bob"),
        do("person").gives(None),
        do("person").by("bob/cy").gives("bob/cy"),
    ),
    _credit(
        "nobody_signs_a_view_of_ledger_time",
        """
            @view
            def signer(tx) -> Party:
                return tx.member
            @view
            def person(tx) -> bool:
                return tx.user is None
        """,
        do("signer").by(None).refused("tx.unsigned"),
        do("person").by(None).refused("tx.unsigned"),
    ),
    _credit(
        "the_id_of_a_transaction",
        """
            class Asked(Record, key="id"):
                id: Hash
                by: Party
            @action(by="member")
            def ask(tx):
                Sample.Asked.create(id=tx.id, by=tx.member)
                event("asked", id=tx.id, size=len(tx.id), text=tx.id.hex()[:4])
            @action(by=["schedule", "member"])
            def tick(tx, credit: Credit):
                event("ticked", id=tx.id)
            @view
            def one(tx) -> Hash:
                return tx.id
            @view
            def asked_by(tx, asked: Asked) -> Party:
                return asked.by
        """,
        do("ask").emits("asked", id=transaction_id(2), size=32, text=transaction_id(2).hex()[:4]),
        do("ask").by("alice/ann").emits("asked", id=transaction_id(3), size=32, text=transaction_id(3).hex()[:4]),
        do("asked_by", asked=transaction_id(2)).gives("alice"),
        do("tick", credit="a").emits("ticked", id=transaction_id(5)),
        do("tick", credit="a").by(None).refused("tx.unsigned"),
        do("one").by(None).refused("tx.unsigned"),
        do("one").gives(transaction_id(8)).costs(17),
    ),
    _credit(
        "two_persons",
        """
            @action(by="clerk")
            def prepare(tx, credit: Credit):
                credit.maker = tx.user
            @action(by="approver")
            def approve(tx, credit: Credit):
                require(credit.maker is not None, "nothing is prepared")
                require(tx.user != credit.maker, "{user} prepared it", user=credit.maker)
                credit.n += 1
        """,
        do("approve", credit="a").by("alice/ben").refused("require.failed"),
        do("prepare", credit="a").by("alice").refused("role.denied"),
        do("prepare", credit="a").by("alice/ben"),
        do("approve", credit="a").by("alice/ben").refused("require.failed"),
        do("approve", credit="a").by("alice/ann").refused("role.denied"),
        do("prepare", credit="a").by("alice/ann"),
        do("approve", credit="a").by("alice/ben"),
        do("n_of", credit="a").gives(1),
    ),
    _credit(
        "the_role_before_the_body_and_after_the_arguments",
        _taken_by('"issuer"'),
        do("go", credit="zz").by("carol").refused("arguments.invalid"),
        _DENIED.by("carol"),
    ),
    sample(
        "the_place_before_the_role",
        """
            class Roles:
                registrar: Party = Party(attribute="role:registrar")
            class Box(Record, key="id"):
                id: int
            @action(by="registrar", creates="Box")
            def go(tx, box: Box, id: int):
                pass
        """,
        do("go", id=1).by("bob").refused("role.denied"),
        do("go", id=1),
        do("go", id=1).by("bob").refused("record.exists"),
        do("go", id=1).refused("record.exists"),
    ),
    sample(
        "the_role_before_the_state",
        """
            class Roles:
                owner: Party
            class States:
                On: "on"
                Off: "off"
            class Box(Record, key="id"):
                id: int
                owner: Party
            @action(by="owner", creates="Box", to="On")
            def make(tx, box: Box, id: int):
                pass
            @action(by="owner", on="Off", to="On")
            def go(tx, box: Box):
                pass
        """,
        do("make", id=1),
        do("go", box=1).by("bob").refused("role.denied"),
        do("go", box=1).refused("state.denied"),
    ),
    sample(
        "the_creator_fills_the_first_role_that_is_a_field",
        """
            class Roles:
                clerk: Party = Party(user="role:clerk")
                seller: Party
            class Deal(Record, key="id"):
                id: int
                buyer: Party | None = None
                seller: Party
            @action(by=["clerk", "seller"], creates="Deal")
            def go(tx, deal: Deal, id: int):
                event("made", seller=deal.seller, buyer=deal.buyer)
        """,
        do("go", id=1).by("bob").emits("made", seller="bob", buyer=None),
        do("go", id=2).by("alice/ann").emits("made", seller="alice", buyer=None),
    ),
    sample(
        "the_creator_fills_a_field_that_may_be_empty",
        """
            class Roles:
                registrar: Party = Party(attribute="role:registrar")
            class Deal(Record, key="id"):
                id: int
                registrar: Party | None
            @action(by="registrar", creates="Deal")
            def make(tx, deal: Deal, id: int):
                event("made", by=deal.registrar)
            @action(by="registrar")
            def leave(tx, deal: Deal):
                deal.registrar = None
        """,
        do("make", id=1).by("bob").refused("role.denied"),
        do("make", id=1).emits("made", by="alice"),
        do("leave", deal=1),
        do("leave", deal=1).refused("role.denied"),
    ),
    sample(
        "unknown_names",
        "@view\ndef go(tx) -> int:\n    return 1",
        do("go").gives(1),
        do("gone").refused("action.unknown"),
        do("go").on("nowhere").refused("contract.unknown"),
    ),
]
