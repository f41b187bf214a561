"""The verifier: the same verdicts in worker processes as here, whatever becomes of the workers.

In place of the module's own workers stands `engines/verifier`, where it is built: both are held to the same.
"""

import asyncio
import json
import os
import signal

import pytest
from tests.wire.test_ed25519 import NOT_CANONICAL, SMALL_ORDER, SMALL_ORDER_NOT_CANONICAL, SPKI_START

from hansa.client import keys as key_files
from hansa.node.verifier import FRAME_MAX, FRAMES_WAITING_MAX, OFFLOAD_MIN, Verifier, verify_inline
from hansa.wire import ed25519
from hansa.wire.keys import PublicKey


@pytest.fixture(scope="module", params=["module", "program"])
def program(request, engines):
    """What the workers are: Python's own, and the program that verifies many together."""
    return engines["verifier"] if request.param == "program" else None


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


def run(scenario, workers=2, program=None):
    """Runs a scenario with a verifier and stops it; no process may be left."""

    async def main():
        problems = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
        verifier = Verifier(workers, program)
        try:
            result = await scenario(verifier)
        finally:
            processes = [worker._process for worker in verifier._workers]
            processes += [] if verifier._judge is None else [verifier._judge._process]
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


def test_workers_give_the_same_verdicts(checks, program):
    async def scenario(verifier):
        futures = [ask(verifier, frame) for frame in frames(checks)]
        assert not any(future.done() for future in futures)  # they are out
        assert len(verifier._workers) == 2
        return [verdict for future in futures for verdict in await future]

    assert run(scenario, program=program) == verdicts_of(checks)


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
def test_a_killed_worker_loses_nothing(checks, moment, program):
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

    assert run(scenario, program=program) == (verdicts_of(checks), verdicts_of(checks))


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
def test_workers_outlive_frames_of_large_messages(signers, size, program):
    """A frame holds up to so many signatures, and each message may be as large as an envelope."""
    message = bytes(size)
    check = (signers[0].public, signers[0].sign(message), message)

    async def scenario(verifier):
        answers = await ask(verifier, [check] * FRAME_MAX)
        again = await ask(verifier, [check] * OFFLOAD_MIN)
        assert [worker._process.poll() for worker in verifier._workers] == [None]
        return answers + again

    assert all(run(scenario, workers=1, program=program))


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


# What is waited for, at apply


def judged(checks, program):
    async def scenario(verifier):
        return list(verifier.judge(checks)), verifier._judge is not None

    return run(scenario, program=program)


def test_what_is_waited_for_has_the_same_verdicts(checks, program):
    assert judged(checks, program) == (verdicts_of(checks), program is not None)
    assert judged(checks[: OFFLOAD_MIN - 1], program) == (verdicts_of(checks[: OFFLOAD_MIN - 1]), False)
    assert judged([], program) == ([], False)


def test_who_stops_at_a_bad_one_has_paid_for_none_behind_it(checks):
    """Without the program; with it, a batch is verified as a whole, and each alone only if one of them is bad."""
    asked = []

    class Key:
        def verify(self, signature, message):
            asked.append(message)
            return False

    async def scenario(verifier):
        assert not next(iter(verifier.judge([(Key(), b"", b"first"), *checks])))

    run(scenario)
    assert asked == [b"first"]


@pytest.mark.parametrize("signal_", [signal.SIGKILL, signal.SIGSTOP])
def test_a_program_that_is_lost_is_not_needed(checks, engines, signal_, monkeypatch):
    monkeypatch.setattr("hansa.node.verifier.JUDGED_S", 0.2)

    async def scenario(verifier):
        before = list(verifier.judge(checks[:OFFLOAD_MIN]))
        os.kill(verifier._judge._process.pid, signal_)
        return before, list(verifier.judge(checks)), list(verifier.judge(checks))

    every = verdicts_of(checks)
    assert run(scenario, program=engines["verifier"]) == (every[:OFFLOAD_MIN], every, every)


def odd_ed25519(vectors):
    """Signatures about which libraries differ: of the vectors, and with points of small order in every form."""
    cases = json.loads((vectors / "ed25519-speccheck" / "cases.json").read_text())
    for case in cases:
        yield tuple(bytes.fromhex(case[field]) for field in ("pub_key", "signature", "message"))
    for group in json.loads((vectors / "wycheproof" / "ed25519_test.json").read_text())["testGroups"]:
        for case in group["tests"]:
            signature = bytes.fromhex(case["sig"])
            if len(signature) == 64:  # of another length none comes this far: see `cose.split`
                yield bytes.fromhex(group["publicKey"]["pk"]), signature, bytes.fromhex(case["msg"])
    points = [*SMALL_ORDER, *SMALL_ORDER_NOT_CANONICAL, *NOT_CANONICAL]
    for key in points:
        for r in points[::3]:
            yield key, r + bytes(32), b"message"
        for s in (1, ed25519.ORDER, ed25519.ORDER - 1, 2**256 - 1):
            yield key, key + s.to_bytes(32, "little"), b"message"


def test_the_program_decides_about_odd_signatures_by_the_exact_rule(vectors, engines, signers):
    """Alone, among good ones, and all that are good in one batch: where verifying together could differ."""
    cases = list(odd_ed25519(vectors))
    expected = [ed25519.verify(*case) for case in cases]
    odd = [(PublicKey(SPKI_START + key), signature, message) for key, signature, message in cases]
    good = [(signers[0].public, signers[0].sign(bytes([n])), bytes([n])) for n in range(OFFLOAD_MIN)]
    accepted = [check for check, is_good in zip(odd, expected, strict=True) if is_good]
    refused = [check for check, is_good in zip(odd, expected, strict=True) if not is_good]
    assert len(accepted) > 200
    assert len(refused) > 100

    async def scenario(verifier):
        assert list(verifier.judge(odd)) == expected
        assert all(verifier.judge(accepted + good))
        for check in accepted[:: len(accepted) // 40]:
            assert list(verifier.judge([check, *good])) == [True] * (OFFLOAD_MIN + 1)
        for check in refused:
            assert list(verifier.judge([*good, check])) == [*[True] * OFFLOAD_MIN, False]
        assert verifier._judge._process.poll() is None, "it is the program that answered"

    run(scenario, program=engines["verifier"])


def test_the_program_decides_about_odd_es256_signatures_by_the_same_rule(vectors, engines):
    groups = json.loads((vectors / "wycheproof" / "ecdsa_secp256r1_sha256_p1363_test.json").read_text())["testGroups"]
    checks = [
        (PublicKey(bytes.fromhex(group["publicKeyDer"])), bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"]))
        for group in groups
        for case in group["tests"]
        if len(case["sig"]) == 128
    ]
    assert len(checks) > 200
    expected = verdicts_of(checks)
    assert 50 < sum(expected) < len(checks)
    assert judged(checks, engines["verifier"]) == (expected, True)
