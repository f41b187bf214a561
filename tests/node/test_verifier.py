"""The verifier: the same verdicts in worker processes as here, whatever becomes of the workers."""

import asyncio
import os
import signal

import pytest

from hansa.client import keys as key_files
from hansa.node.verifier import FRAME_MAX, FRAMES_WAITING_MAX, OFFLOAD_MIN, Verifier, verify_inline


@pytest.fixture(scope="module")
def signers():
    return [key_files.generate("ed25519"), key_files.generate("p256"), key_files.generate("ed25519")]


@pytest.fixture(scope="module")
def checks(signers):
    """Sound and unsound signatures of both kinds of key, over messages of many lengths."""
    made = []
    for number in range(90):
        signer = signers[number % 3]
        message = bytes([number]) * (number * number)
        signature = signer.sign(message)
        if number % 5 == 1:
            signature = signature[:-1] + bytes([signature[-1] ^ 1])
        if number % 7 == 2:
            message += b"!"
        if number % 11 == 3:
            signer = signers[(number + 1) % 3]
        made.append((signer.public, signature, message))
    return made


def verdicts_of(checks):
    return [key.verify(signature, message) for key, signature, message in checks]


def frames(checks, size=30):
    return [checks[start : start + size] for start in range(0, len(checks), size)]


def run(scenario, workers=2):
    """Runs a scenario with a verifier and stops it; no process may be left."""

    async def main():
        problems = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
        verifier = Verifier(workers)
        try:
            result = await scenario(verifier)
        finally:
            processes = [worker._process for worker in verifier._workers]
            verifier.stop()
        assert all(process.poll() is not None for process in processes)
        assert problems == []
        return result

    return asyncio.run(main())


def ask(verifier, checks):
    future = asyncio.get_running_loop().create_future()
    verifier.verify(checks, future.set_result)
    return future


def test_verdicts_are_right(checks):
    assert verify_inline(checks) == verdicts_of(checks)
    assert 20 < sum(verdicts_of(checks)) < 80


def test_workers_give_the_same_verdicts(checks):
    async def scenario(verifier):
        futures = [ask(verifier, frame) for frame in frames(checks)]
        assert not any(future.done() for future in futures)  # they are out
        assert len(verifier._workers) == 2
        return [verdict for future in futures for verdict in await future]

    assert run(scenario) == verdicts_of(checks)


@pytest.mark.parametrize("count", [0, 1, OFFLOAD_MIN - 1])
def test_a_few_are_verified_at_once(checks, count):
    async def scenario(verifier):
        future = ask(verifier, checks[:count])
        assert future.done()
        assert verifier._workers == []
        return future.result()

    assert run(scenario) == verdicts_of(checks[:count])


def test_without_workers_all_are_verified_at_once(checks):
    async def scenario(verifier):
        future = ask(verifier, checks)
        assert future.done()
        return future.result()

    assert run(scenario, workers=0) == verdicts_of(checks)


@pytest.mark.parametrize("moment", ["before", "while they work", "all of them"])
def test_a_killed_worker_loses_nothing(checks, moment):
    async def scenario(verifier):
        await ask(verifier, checks[:OFFLOAD_MIN])
        killed = verifier._workers if moment == "all of them" else verifier._workers[:1]
        futures = [] if moment == "before" else [ask(verifier, frame) for frame in frames(checks)]
        for worker in killed:
            os.kill(worker._process.pid, signal.SIGKILL)
        if moment == "before":
            for worker in killed:
                worker._process.wait()
            futures = [ask(verifier, frame) for frame in frames(checks)]
        answers = [verdict for future in futures for verdict in await asyncio.wait_for(future, 5)]
        more = await asyncio.wait_for(ask(verifier, checks), 5)
        return answers, more

    assert run(scenario) == (verdicts_of(checks), verdicts_of(checks))


def test_a_worker_that_stands_still_is_not_waited_for_at_the_end(checks):
    """At a stop what it holds is verified here, and the process is gone."""

    async def scenario(verifier):
        await ask(verifier, checks[:OFFLOAD_MIN])
        pid = verifier._workers[0]._process.pid
        os.kill(pid, signal.SIGSTOP)
        future = ask(verifier, checks)
        verifier._workers[0]._process.send_signal(signal.SIGCONT)
        verifier.stop()
        return future.result()

    assert run(scenario, workers=1) == verdicts_of(checks)


@pytest.mark.parametrize("size", [1_000, 200_000, 262_144])
def test_workers_outlive_frames_of_large_messages(signers, size):
    """A frame holds up to so many signatures, and each message may be as large as an envelope."""
    message = bytes(size)
    check = (signers[0].public, signers[0].sign(message), message)

    async def scenario(verifier):
        answers = await ask(verifier, [check] * FRAME_MAX)
        again = await ask(verifier, [check] * OFFLOAD_MIN)
        assert [worker._process.poll() for worker in verifier._workers] == [None]
        return answers + again

    assert all(run(scenario, workers=1))


def test_verdicts_come_in_the_order_of_their_frames(checks):
    async def scenario(verifier):
        order = []
        for number in range(6):
            verifier.verify(checks[:30], lambda _, number=number: order.append(number))
        last = ask(verifier, checks[:30])
        await last
        return order

    assert run(scenario, workers=1) == list(range(6))


def test_room_leaves_work_for_both_sides():
    async def scenario(verifier):
        assert [verifier.room(count) for count in (0, 1, OFFLOAD_MIN - 1)] == [0, 1, OFFLOAD_MIN - 1]
        assert verifier.room(OFFLOAD_MIN) == OFFLOAD_MIN
        assert verifier.room(100) == 50
        assert verifier.room(10_000) == FRAME_MAX

    run(scenario)


def test_there_is_no_room_while_every_worker_has_enough(checks):
    async def scenario(verifier):
        futures = [ask(verifier, checks[:30]) for _ in range(2 * FRAMES_WAITING_MAX)]
        assert verifier.room(100) == 0
        assert verifier.room(OFFLOAD_MIN - 1) == OFFLOAD_MIN - 1
        for future in futures:
            await future
        assert verifier.room(100) == 50

    run(scenario)


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
def test_a_node_whose_workers_are_killed_loses_nothing(make_ledger, play, kind):
    ledger = make_ledger(key_kind=kind)

    async def scenario(session):
        entered = set()
        for _ in range(3):
            made = [ledger.idle() for _ in range(150)]
            futures = [session.submit(one) for one in made]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            for worker in session.node._verifier._workers:
                if worker._process.poll() is None:
                    os.kill(worker._process.pid, signal.SIGKILL)
            answers = await asyncio.wait_for(asyncio.gather(*futures), 10)
            assert [answer.id for answer in answers] == [one.id for one in made]
            entered |= {answer.seq for answer in answers}
        assert len(entered) == 450

    play(ledger, scenario)


def test_a_nodes_workers_end_with_it(ledger, play):
    async def scenario(session):
        await session.submit_all([ledger.idle() for _ in range(100)])
        processes = [worker._process for worker in session.node._verifier._workers]
        assert processes
        return processes

    assert all(process.poll() is not None for process in play(ledger, scenario))


def test_what_lies_in_the_current_folder_is_no_verifier(checks, tmp_path, monkeypatch):
    """Whoever can write where the node was started must not decide which signatures are good."""
    package = tmp_path / "hansa" / "node"
    package.mkdir(parents=True)
    (tmp_path / "hansa" / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    (package / "verifier.py").write_text("raise SystemExit('this must not run')")
    (tmp_path / "struct.py").write_text("raise SystemExit('nor this')")
    monkeypatch.chdir(tmp_path)

    async def scenario(verifier):
        answers = await ask(verifier, checks)
        assert [worker._process.poll() for worker in verifier._workers] == [None]
        return answers

    assert run(scenario, workers=1) == verdicts_of(checks)
