"""Real engines are told who votes: one goes, another comes and votes, and no crash makes the answers differ."""

import asyncio
import os
import shutil
import signal

import pytest
from msgspec.structs import replace
from tests.orderers.cometbft import networks
from tests.orderers.cometbft.test_orderer import have, home, power_cut, state
from tests.orderers.replicas import until

from hansa.orderers import HEALTHY
from hansa.orderers.cometbft import orderer


@pytest.fixture(scope="module")
def runner():
    with asyncio.Runner() as runner, pytest.MonkeyPatch.context() as patch:
        patch.setattr(orderer, "LOOK_S", 0.1)
        patch.setattr(orderer, "EXPEL_S", 1.0)
        patch.setattr(orderer.CometBFT, "_is_spared", lambda self: True)  # three are left, who wait for each other
        yield runner


@pytest.fixture(scope="module")
def network(runner, tmp_path_factory):
    """Nodes a, b, c, d of genesis, and e, which comes later; tests of this page go on from one another."""
    settings, seats = networks.network(tmp_path_factory.mktemp("network"), "abcde")
    nodes = [networks.node(each, seats[:4]) for each in settings]

    async def begin():
        for node in nodes[:4]:
            node.begin()
        await until(lambda: all(state(node) == HEALTHY for node in nodes[:4]))

    async def end():
        for node in nodes:
            if node.orderer is not None:
                await node.end()

    runner.run(begin())
    yield nodes, seats
    runner.run(end())


def power(seat, count):
    """The entry that sets what the vote of a seat's engine counts."""
    return f"power {seat.key.hex()} {count}"


def peers(node):
    """Whom its engine is connected to; as if to all while that is not known."""
    view = node.orderer._view
    return frozenset(seat.peer for seat in node.founders) if view is None else view.peers


async def voting(node):
    """What the votes of engines count by this one's next height, by seat."""
    found = (await node.orderer._rpc._ask("validators", {})).result["validators"]
    return {each["address"]: int(each["voting_power"]) for each in found}


async def agree(nodes, seats, powers, name):
    """Has entries ordered until all engines have these powers: they are in force two heights on."""
    wanted = {networks.validator(seat.key): powers[seat.name] for seat in seats if powers.get(seat.name)}
    for count in range(10):
        nodes[0].submit(f"{name} {count}")
        await have(nodes, f"{name} {count}")
        if all([await voting(node) == wanted for node in nodes]):
            return
    raise AssertionError("the engines have other powers")


def test_one_that_has_no_power_any_more_is_not_needed_and_not_let_in(runner, network):
    nodes, seats = network
    others, gone = nodes[:3], nodes[3]

    async def test():
        pids = {node.orderer._engine.pid for node in others}
        nodes[0].submit(power(seats[3], 0))
        await have(nodes[:4], power(seats[3], 0))
        await agree(nodes[:4], seats, {"a": 1, "b": 1, "c": 1}, "without d")
        for node in nodes:
            node.admitted = seats[:3]
        await until(lambda: all(seats[3].peer not in peers(node) for node in others), 60)
        assert not pids & {node.orderer._engine.pid for node in others}
        await until(lambda: all(state(node) == HEALTHY for node in others))
        others[1].submit("behind its back")
        await have(others, "behind its back")
        assert b"behind its back" not in gone.entries
        await gone.end()

    runner.run(test())


def test_one_that_comes_follows_first_and_votes_once_it_has_power(runner, network):
    nodes, seats = network
    members, fifth = nodes[:3], nodes[4]

    async def test():
        follower = replace(seats[4], power=0, is_trusted=False)
        fifth.begin()
        await until(lambda: fifth.orderer._view is not None)
        assert not peers(fifth)
        for node in (*members, fifth):
            node.admitted = [*seats[:3], follower]
        await have([fifth], "behind its back")
        await until(lambda: state(members[0]) == HEALTHY)
        for node in (*members, fifth):
            node.admitted = [*seats[:3], replace(follower, is_trusted=True)]
        members[0].submit(power(seats[4], 1))
        every = [*members, fifth]
        await agree(every, seats, dict.fromkeys("abce", 1), "with e")
        await members[2].end()  # now the fifth's vote is needed
        for name in ("needed", "needed again"):
            every[0].submit(name)
            await have([members[0], members[1], fifth], name)
        members[2].begin()
        await until(lambda: all(state(node) == HEALTHY for node in every))

    runner.run(test())


def test_whatever_dies_when_powers_change_the_answers_are_the_same(runner, network):
    nodes, seats = network
    every = [*nodes[:3], nodes[4]]

    async def whole(name, powers):
        await until(lambda: all(state(node) == HEALTHY for node in every))
        await agree(every, seats, powers, name)
        assert all(node.blocks == every[0].blocks for node in every)

    async def test():
        victim = every[1]
        victim.paused = True  # it dies before the block that sets powers is durable
        every[0].submit(power(seats[0], 2))
        await have([every[0], *every[2:]], power(seats[0], 2))
        await until(lambda: victim.orderer._queue)
        await power_cut(victim)
        victim.begin()
        await whole("before", {"a": 2, "b": 1, "c": 1, "e": 1})

        victim.orderer.applied = lambda position, digest: None  # and when it is, and the engine does not know
        every[0].submit(power(seats[0], 1))
        await have(every, power(seats[0], 1))
        await power_cut(victim)
        victim.begin()
        await whole("behind", dict.fromkeys("abce", 1))

        os.kill(victim.orderer._engine.pid, signal.SIGKILL)  # the engine alone, of one that stays
        await whole("alone", dict.fromkeys("abce", 1))

        engine = home(victim)
        await victim.end()  # and one that has to ask for every height again
        shutil.rmtree(engine / "data")
        victim.begin()
        assert (engine / "renewed").exists()
        await until(lambda: not (engine / "renewed").exists())
        await whole("again", dict.fromkeys("abce", 1))

    runner.run(test())
