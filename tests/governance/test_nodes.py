"""Nodes as the contract `members` keeps them: registered, ready, trusted, retired; and the power of their votes."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.governance.house import House, names, remove_member, set_weight
from tests.governance.test_votes import refused, skipped

from hansa.contracts.calls import NOBODY, Call
from hansa.contracts.execution import run
from hansa.contracts.program import load
from hansa.governance.directory import Directory, PowerStep
from hansa.governance.genesis import founding_powers
from hansa.node.apply import View
from hansa.node.create import members_source
from hansa.testing import keys
from hansa.testing.ledger import Ledger
from hansa.testing.memory import Memory
from hansa.wire import cbor, order, writes
from hansa.wire.genesis import Genesis, Limits, Member, Node
from hansa.wire.limits import OWN_NODES_MAX, VOTE_POWER

_MEMBERS = "abcd"


def registering(id: str, /, **changed: Any) -> dict[str, Any]:
    """The arguments that register a node, whose keys follow from its id."""
    peer = keys.sender(f"{id} peer").kid.hex()[:40]
    return {
        "id": id,
        "node_key": keys.node(f"{id} own").public.spki,
        "checkpoint_key": keys.node(f"{id} checkpoints").public.spki,
        "engine_key": keys.sender(f"{id} engine").public.spki,
        "peer": peer,
        "address": f"{id}.example.org:26656",
        "url": f"https://{id}.example.org:8000",
    } | changed


def register(house: House, id: str, **changed: Any) -> None:
    house.ledger.govern(id[0], "register_node", registering(id, **changed))


def ready(house: House, id: str) -> None:
    house.ledger.govern(id[0], "node_is_ready", {"node": id, "checkpoint": b"a checkpoint"})


def trust(house: House, id: str) -> None:
    ready(house, id)
    assert house.state(house.decide({"name": "trust_node", "subject": id}, by="abcd")) == "Accepted+"


def node(house: House, id: str) -> dict[str, Any]:
    return house.ledger.look("members", "get_node", {"id": id})


def powers(house: House) -> dict[str, int]:
    return {row["id"]: row["power"] for row in house.rows("Node") if row["power"]}


def steps(house: House) -> list[dict[str, int]]:
    """What engines were told, step by step, by node."""
    ids = {keys.sender(f"{row['id']} engine").public.spki: row["id"] for row in house.rows("Node")}
    return [{ids[one["engine_key"]]: one["power"] for one in row["powers"]} for row in house.rows("PowerStep")]


@pytest.fixture(scope="module")
def four() -> Ledger:
    """A ledger of four equal members with a node each, which order; the ledger's own node has no engine."""
    ledger = Ledger(founders=list(_MEMBERS))
    house = House(ledger)
    for name in _MEMBERS:
        register(house, f"{name}-1")
        trust(house, f"{name}-1")
    ledger.clock.advance(seconds=10)
    return ledger


@pytest.fixture
def house(four: Ledger) -> House:
    return House(four.fork())


# Registering


def test_a_node_is_pending_until_members_trust_it_and_then_has_its_part_of_its_members_power(house: House) -> None:
    directory = house.ledger._directory
    register(house, "a-2")
    assert node(house, "a-2")["state"] == "Pending"
    assert [one.id for one in directory.admitted()] == ["a-1", "a-2", "b-1", "c-1", "d-1", "node-1"]
    assert "a-2" not in [one.id for one in directory.signers()]
    trust(house, "a-2")
    assert "a-2" in [one.id for one in directory.signers()]
    assert powers(house) == dict.fromkeys(["a-1", "b-1", "c-1", "d-1"], VOTE_POWER)
    house.ledger.clock.advance(seconds=1)
    assert powers(house) == {"a-1": 420, "a-2": 420, "b-1": 840, "c-1": 840, "d-1": 840}
    found = node(house, "a-2")
    assert (found["state"], found["power"], found["ready"] is not None) == ("Trusted", 420, True)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"id": "A 2"}, "is no name of a node"),
        ({"peer": ""}, "a key and a name among its peers"),
        ({"engine_key": b""}, "a key and a name among its peers"),
        ({"engine_key": keys.node("x").public.spki[:44]}, "Ed25519"),
        ({"peer": "A" * 40}, "names no engine"),
        ({"peer": "a" * 39}, "names no engine"),
        ({"address": "a.example.org"}, "is not HOST:PORT"),
        ({"address": "a.example.org:0"}, "is not HOST:PORT"),
        ({"address": "a.example.org:65536"}, "is not HOST:PORT"),
        ({"address": "a:1,b:2"}, "is not HOST:PORT"),
        ({"address": "::1:1"}, "is not HOST:PORT"),
        ({"address": ":1"}, "is not HOST:PORT"),
        ({"url": "ftp://a:1"}, "is not http"),
        ({"url": "https://a:1/x"}, "is not http"),
    ],
)
def test_what_is_no_node_is_refused(house: House, changed: dict[str, Any], told: str) -> None:
    made = refused(lambda: house.ledger.govern("a", "register_node", registering("a-2", **changed)))
    assert told in str(made)


@pytest.mark.parametrize("address", ["", "127.0.0.1:1", "[::1]:65535", "a-b.example.org:26656"])
def test_an_address_is_a_name_or_a_number_with_a_port(house: House, address: str) -> None:
    register(house, "a-2", address=address)
    assert node(house, "a-2")["address"] == address


def test_an_id_an_engine_and_a_key_are_given_once(house: House) -> None:
    assert refused(lambda: register(house, "a-1")).code == "require.failed"  # its engine
    other = registering("a-2")
    assert refused(lambda: house.ledger.govern("b", "register_node", registering("a-1", peer=other["peer"]))).code == (
        "record.exists"
    )
    for name in ("node_key", "checkpoint_key", "engine_key"):
        taken = {name: registering("b-1")[name]}
        assert refused(lambda: register(house, "a-2", **taken)).code == "record.exists"  # noqa: B023
    small = bytes.fromhex("302a300506032b6570032100") + bytes(32)
    assert refused(lambda: register(house, "a-2", engine_key=small)).code == "key.invalid"


def test_a_member_has_so_many_nodes_at_most_and_retired_ones_do_not_count(house: House) -> None:
    for number in range(2, OWN_NODES_MAX):  # it has node-1 too
        register(house, f"a-{number}")
    assert "8 nodes at most" in str(refused(lambda: register(house, "a-9")))
    house.ledger.govern("a", "retire_own_node", {"node": "a-2"})
    register(house, "a-9")


def test_only_its_member_speaks_for_a_node(house: House) -> None:
    register(house, "a-2")
    for action, more in (
        ("node_is_ready", {"checkpoint": b"x"}),
        ("retire_own_node", {}),
        ("set_own_node", {"address": "", "url": ""}),
    ):
        assert "is no node of yours" in str(
            refused(lambda: house.ledger.govern("b", action, {"node": "a-2"} | more))  # noqa: B023
        )


def test_where_a_node_is_reached_is_its_members_to_say(house: House) -> None:
    house.ledger.govern("a", "set_own_node", {"node": "a-1", "address": "10.0.0.1:5", "url": "http://10.0.0.1:80"})
    assert (node(house, "a-1")["address"], node(house, "a-1")["url"]) == ("10.0.0.1:5", "http://10.0.0.1:80")
    wrong = {"node": "a-1", "address": "nowhere", "url": ""}
    assert "HOST:PORT" in str(refused(lambda: house.ledger.govern("a", "set_own_node", wrong)))


# Trusting


def test_a_node_that_is_not_ready_or_is_trusted_already_cannot_be_proposed(house: House) -> None:
    register(house, "a-2")
    for subject, told in (("a-2", "ready"), ("a-1", "trusted already"), ("nobody", "there is no node"), ("A", "name")):
        step = {"name": "trust_node", "subject": subject}
        assert told in str(refused(lambda: house.ledger.propose("a", step)))  # noqa: B023
    ready(house, "a-2")
    house.ledger.govern("a", "retire_own_node", {"node": "a-2"})
    for name in ("trust_node", "retire_node"):
        step = {"name": name, "subject": "a-2"}
        assert "retired already" in str(refused(lambda: house.ledger.propose("a", step)))  # noqa: B023
    assert refused(lambda: ready(house, "a-2")).code == "state.denied"


def test_a_proposal_falls_when_its_node_is_retired_meanwhile(house: House) -> None:
    register(house, "a-2")
    ready(house, "a-2")
    id = house.ledger.propose("b", {"name": "trust_node", "subject": "a-2"})
    house.ledger.govern("a", "retire_own_node", {"node": "a-2"})
    house.ledger.vote("b", id)
    assert house.state(id) == "Dropped"


def test_one_member_alone_trusts_and_retires_nobodys_node_whatever_the_constitution_says() -> None:
    """The preset asks for nothing where its operator does daily business; the floor asks for two."""
    alone = """
def resolve"""
    from hansa.node import shipped  # noqa: PLC0415

    text = shipped.constitution("unanimous").replace("return gov.decided(votes, votes.all)", 'return "Accepted"')
    assert alone.strip() in text
    house = House(Ledger(founders=["a", "b", "c"], constitution=text))
    register(house, "a-1")
    ready(house, "a-1")
    id = house.ledger.propose("a", {"name": "trust_node", "subject": "a-1"})
    assert house.state(id) == "Open"
    house.ledger.vote("a", id)
    assert house.state(id) == "Open"
    house.ledger.vote("b", id)
    assert house.state(id) == "Accepted+"


# Retiring


def test_a_retired_node_loses_admission_power_and_keys(house: House) -> None:
    directory = house.ledger._directory
    kid = keys.node("d-1 checkpoints").kid
    id = house.ledger.propose("a", {"name": "retire_node", "subject": "d-1"})
    house.ledger.vote("a", id)
    house.ledger.vote("b", id)
    assert kid in directory.checkpoint_keys
    assert "node.retired" in names(house.ledger.vote("c", id))
    seq = house.ledger._tip.size - 1
    assert "d-1" not in [one.id for one in directory.admitted()]
    assert kid not in directory.checkpoint_keys
    assert keys.node("d-1 own").kid not in directory.node_keys
    span = directory.checkpoint_spans[kid]
    assert (span.last, span.signs_from(seq), span.signs_from(seq + 1)) == (seq, True, False)
    assert seq in directory.checkpoint_changes()
    assert powers(house)["d-1"] == VOTE_POWER
    house.ledger.clock.advance(seconds=1)
    assert powers(house) == dict.fromkeys(["a-1", "b-1", "c-1"], VOTE_POWER)
    assert steps(house)[-1] == {"d-1": 0}
    house.ledger.clock.advance(seconds=10)
    assert steps(house)[-1] == {"d-1": 0}
    assert house.record("Node", "d-1")["is_voter"] is False


def test_no_key_is_registered_for_a_retired_node(house: House) -> None:
    house.ledger.govern("a", "retire_own_node", {"node": "a-1"})
    key = keys.node("another").public.spki
    made = {"owner_kind": "node", "owner": "a-1", "purpose": "checkpoint", "spki": key}
    assert "no node of yours" in str(refused(lambda: house.ledger.govern("a", "register_key", made)))


def test_the_last_node_that_orders_and_the_last_that_is_trusted_stay(house: House) -> None:
    for name in "bcd":
        house.ledger.govern(name, "retire_own_node", {"node": f"{name}-1"})
    assert "it is the last" in str(refused(lambda: house.ledger.govern("a", "retire_own_node", {"node": "a-1"})))
    id = house.decide({"name": "retire_node", "subject": "a-1"}, by="abcd")
    assert house.state(id) == "Failed"
    house.ledger.govern("a", "retire_own_node", {"node": "node-1"})  # without an engine
    house.ledger.clock.advance(seconds=30)
    assert powers(house) == {"a-1": VOTE_POWER}
    alone = House(Ledger(founders=["a", "b"]))
    assert "it is the last" in str(refused(lambda: alone.ledger.govern("a", "retire_own_node", {"node": "node-1"})))


def test_the_nodes_of_a_removed_member_are_retired(house: House) -> None:
    register(house, "d-2")
    directory = house.ledger._directory
    assert directory.cosigners() == ["a", "b", "c", "d"]
    assert house.state(house.decide(remove_member("d"))) == "Accepted+"
    assert directory.cosigners() == ["a", "b", "c"]
    assert not {"d-1", "d-2"} & {one.id for one in directory.admitted()}
    assert [node(house, id)["state"] for id in ("d-1", "d-2")] == ["Retired", "Retired"]
    house.ledger.clock.advance(seconds=1)
    assert powers(house) == dict.fromkeys(["a-1", "b-1", "c-1"], VOTE_POWER)
    assert skipped(lambda: register(house, "d-3")) == "sender.revoked"


def test_where_a_removed_member_has_the_last_node_that_orders_it_goes_on(house: House) -> None:
    for name in "abc":
        house.ledger.govern(name, "retire_own_node", {"node": f"{name}-1"})
    house.ledger.clock.advance(seconds=30)
    assert powers(house) == {"d-1": VOTE_POWER}
    assert house.state(house.decide(remove_member("d"))) == "Accepted+"
    house.ledger.clock.advance(seconds=30)
    assert powers(house) == {"d-1": VOTE_POWER}
    assert node(house, "d-1")["state"] == "Trusted"
    directory = house.ledger._directory
    assert "d-1" in [one.id for one in directory.admitted()]
    assert "d-1" not in [one.id for one in directory.signers()]
    register(house, "a-2")
    ready(house, "a-2")
    assert house.state(house.decide({"name": "trust_node", "subject": "a-2"})) == "Accepted+"
    house.ledger.clock.advance(seconds=30)
    assert powers(house) == {"a-2": VOTE_POWER}


# Powers


def test_powers_follow_weights_in_steps_of_less_than_a_third(house: House) -> None:
    assert house.state(house.decide(set_weight("a", 5), by="abcd")) == "Accepted+"
    before, told = powers(house), len(steps(house))
    house.ledger.clock.advance(seconds=30)
    goal = {"a-1": 5 * VOTE_POWER, "b-1": VOTE_POWER, "c-1": VOTE_POWER, "d-1": VOTE_POWER}
    assert powers(house) == goal
    moved = steps(house)[told:]
    assert len(moved) == 3
    for step in moved:
        after = before | step
        assert 3 * sum(abs(after[id] - before[id]) for id in after) < sum(before.values())
        before = after
    assert before == goal


def test_what_engines_are_told_is_found_by_the_entries_that_said_it(house: House) -> None:
    directory = house.ledger._directory
    first = house.ledger._tip.size
    house.ledger.govern("d", "retire_own_node", {"node": "d-1"})
    house.ledger.clock.advance(seconds=1)
    (at,) = [row.seq for row in house.ledger.entries if row.seq >= first and "powers.moved" in names(row)]
    assert directory.power_steps[-1] == PowerStep(at, [(keys.sender("d-1 engine").public.raw, 0)])
    assert [step.seq for step in directory.power_steps] == sorted({step.seq for step in directory.power_steps})
    count = len(directory.power_steps)
    House(house.ledger.fork()).ledger.govern("c", "retire_own_node", {"node": "c-1"})
    assert len(directory.power_steps) == count


_KERNEL = load(members_source(), "members", system=True)


class _Voters:
    """A ledger's records of members, nodes and powers, and `move_powers` on them; nothing else is there."""

    def __init__(self, members: dict[str, tuple[int, bool]], nodes: dict[str, tuple[str, int, bool]]) -> None:
        self.directory = Directory(_KERNEL)
        self.memory = Memory(self.directory.indexes_of)
        self.time = 1_000_000
        made = [("Voting", "ledger", {"scope": "ledger", "steps": 0, "is_moving": True})]
        for id, (weight, removed) in members.items():
            made.append(
                (
                    "Member",
                    id,
                    {
                        "id": id,
                        "name": id,
                        "attributes": [],
                        "weight": weight,
                        "removed": removed,
                        "changed": 0,
                        "revoked": 0,
                    },
                )
            )
        for number, (id, (member, power, trusted)) in enumerate(nodes.items()):
            fields: dict[str, Any] = {
                "id": id,
                "member": member,
                "holder": member if trusted else "",
                "url": "",
                "peer": f"{number:040x}",
                "address": "",
                "engine_key": bytes(43) + bytes([number]),
                "ready": 1,
                "power": power,
                "is_trusted": trusted,
                "is_voter": True,
                "changed": 0,
                "state": "Trusted" if trusted else "Retired",
            }
            made.append(("Node", id, fields))
        self.memory.write(
            0, [writes.make("members", record, key, cbor.encode(fields), None) for record, key, fields in made]
        )
        self.ids = {bytes(43) + bytes([number]): id for number, id in enumerate(nodes)}
        self.seq = 0

    def step(self) -> tuple[dict[str, int], bool]:
        """Takes a step; what it told engines, and whether there will be another."""
        self.seq += 1
        self.time += 1_000
        view = View(self.memory, self.directory.indexes_of)
        call = Call("members", "move_powers", {"voting": "ledger"}, NOBODY, self.time, self.seq)
        ran = run(call, self.directory, view, 200_000)
        assert ran.code == "ok", ran
        self.memory.write(self.seq, ran.writes)
        told = [cbor.decode(write.value)["powers"] for write in ran.writes if write.record == "PowerStep"]
        voting = cbor.decode(self.memory.get(order.place("members", "Voting", "ledger")).value)  # pyright: ignore[reportOptionalMemberAccess]
        return {self.ids[one["engine_key"]]: one["power"] for step in told for one in step}, voting["is_moving"]


@st.composite
def _worlds(draw: st.DrawFn) -> tuple[dict[str, tuple[int, bool]], dict[str, tuple[str, int, bool]]]:
    weight = st.one_of(st.integers(0, 3), st.integers(0, 1_000_000))
    members = {f"m{place}": (draw(weight), draw(st.booleans())) for place in range(draw(st.integers(1, 6)))}
    nodes: dict[str, tuple[str, int, bool]] = {}
    power = st.one_of(st.just(0), st.integers(1, 3 * VOTE_POWER), st.integers(1, 1_000_000 * VOTE_POWER))
    for member in members:
        for place in range(draw(st.integers(0, OWN_NODES_MAX))):
            nodes[f"{member}-{place}"] = (member, draw(power), draw(st.booleans()))
    if sum(power for _, power, _ in nodes.values()) < VOTE_POWER:  # what every ledger has that orders at all
        nodes["m0-old"] = ("m0", VOTE_POWER, False)
    return members, nodes


def _goal(members: dict[str, tuple[int, bool]], nodes: dict[str, tuple[str, int, bool]]) -> dict[str, int] | None:
    """What `founding_powers` gives the trusted nodes of active members; None if there are none."""
    trusted = {id: member for id, (member, _, is_trusted) in nodes.items() if is_trusted and not members[member][1]}
    if not trusted:
        return None
    document = Genesis(
        version=0,
        name="x",
        time=0,
        nonce=bytes(16),
        members=[Member(id=id, name=id, keys=[], governance_keys=[], weight=one[0]) for id, one in members.items()],
        nodes=[Node(id=id, member=one, node_key=b"", checkpoint_key=b"", peer="x") for id, one in trusted.items()],
        limits=Limits(),
        members_contract="x",
        constitution="x",
        constitution_lock=1_000,
    )
    return {id: power for id, power in founding_powers(document).items() if power}


@settings(max_examples=150, derandomize=True, deadline=None)
@given(_worlds())
def test_powers_reach_what_weights_give_by_less_than_a_third_and_are_never_gone(
    world: tuple[dict[str, tuple[int, bool]], dict[str, tuple[str, int, bool]]],
) -> None:
    members, nodes = world
    voters = _Voters(members, nodes)
    now = {id: power for id, (_, power, _) in nodes.items()}
    for _ in range(200):
        moved, goes_on = voters.step()
        after = now | moved
        assert all(after[id] != now[id] for id in moved)
        assert 3 * sum(abs(after[id] - now[id]) for id in after) < sum(now.values())
        assert 0 < sum(after.values()) <= 2**40
        assert min(after.values()) >= 0
        now = after
        if not goes_on:
            break
        assert moved
    goal = _goal(members, nodes)
    reached = {id: power for id, power in now.items() if power}
    assert reached == (goal if goal is not None else {id: one[1] for id, one in nodes.items() if one[1]})


def test_two_hundred_nodes_are_within_what_ledger_time_may_use() -> None:
    members = {f"m{place}": (1, False) for place in range(200)}
    nodes = {f"{id}-1": (id, VOTE_POWER if place else 0, True) for place, id in enumerate(members)}
    voters = _Voters(members, dict(list(nodes.items())[:200]))
    moved, goes_on = voters.step()
    assert (moved, goes_on) == ({"m0-1": VOTE_POWER}, False)
