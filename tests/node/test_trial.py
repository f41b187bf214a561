"""Trying an upgrade on live records: every record once, a bounded number and a bounded work at a time."""

import pytest

from hansa.node import reading

SOURCE = """
from hansa.contract import Contract, Int, Record, Text, action


class Store(Contract, version="1.0.0"):
    class A(Record, key="n"):
        n: int
        size: Int[0, 100]

    class B(Record, key="k"):
        k: Text[0, 9]
        size: Int[0, 100]

    @action(by="member", creates="A")
    def make_a(tx, a: A, n: int, size: Int[0, 100]):
        pass

    @action(by="member", creates="B")
    def make_b(tx, b: B, k: Text[0, 9], size: Int[0, 100]):
        pass
"""
NEXT = SOURCE.replace("1.0.0", "1.1.0")
NARROW = NEXT.replace("Int[0, 100]", "Int[0, 9]")
A = [(n, n % 7 * 3) for n in range(-20, 20)]
B = [("k" * n, n * 2) for n in range(10)]
FAIL = [("A", n) for n, size in A if size > 9] + [("B", k) for k, size in B if size > 9]


async def stored(session, ledger, *, flushed=True):
    await session.applied(ledger.deploy("store", SOURCE))
    made = [ledger.prepare("store", "make_a", {"n": n, "size": size}) for n, size in A]
    made += [ledger.prepare("store", "make_b", {"k": k, "size": size}) for k, size in B]
    for one in made:
        await session.applied(one)
    if flushed:
        session.node._flush()
    return session.node.reading


def all_parts(face, source):
    parts = [face.trial("store", source)]
    while parts[-1].next is not None:
        parts.append(face.trial("store", source, parts[-1].next))
    return parts


@pytest.mark.parametrize("flushed", [False, True], ids=["new", "flushed"])
@pytest.mark.parametrize(
    ("limit", "value", "most", "parts_least"),
    [
        ("TRIAL_RECORDS_MAX", 1, 1, 50),
        ("TRIAL_RECORDS_MAX", 7, 7, 8),
        ("FAILURES_MAX", 2, 50, len(FAIL) // 2),
        ("TRIAL_STEPS_MAX", 1, 1, 50),
    ],
)
def test_every_record_is_tried_once(ledger, play, monkeypatch, flushed, limit, value, most, parts_least):
    monkeypatch.setattr(reading, limit, value)

    async def scenario(session):
        parts = all_parts(await stored(session, ledger, flushed=flushed), NARROW)
        assert sum(part.records for part in parts) == len(A) + len(B)
        assert all(part.records <= most for part in parts)
        assert len(parts) >= parts_least
        failed = [failure for part in parts for failure in part.failures]
        assert [(failure.record, failure.key) for failure in failed] == FAIL
        assert {failure.code for failure in failed} == {"value.bounds"}
        assert {part.version for part in parts} == {"1.1.0"}

    play(ledger, scenario)


def test_what_would_come_of_it_comes_of_it(ledger, play):
    """What the trial says fails when it is touched behind the upgrade, and nothing else does."""

    async def scenario(session):
        touching = NARROW + '\n    @action(by="member")\n    def touch(tx, a: A):\n        a.size = a.size\n'
        face = await stored(session, ledger)
        failed = {failure.key for failure in face.trial("store", touching).failures if failure.record == "A"}
        await session.applied(ledger.upgrade("store", touching))
        for n, _ in A:
            code = await session.code(ledger.prepare("store", "touch", {"a": n}))
            assert code == ("value.bounds" if n in failed else "ok")

    play(ledger, scenario)


def test_a_cursor_is_of_one_file_and_one_version_before(ledger, play, monkeypatch, refused):
    monkeypatch.setattr(reading, "TRIAL_RECORDS_MAX", 1)

    async def scenario(session):
        face = await stored(session, ledger)
        cursor = face.trial("store", NEXT).next
        assert face.trial("store", NEXT, cursor).records == 1
        for source, other in ((NARROW, cursor), (NEXT, cursor + "A"), (NEXT, ""), (NEXT, "A:00")):
            with refused("query.cursor"):
                face.trial("store", source, other)
        await session.applied(ledger.upgrade("store", SOURCE.replace("1.0.0", "1.0.1")))
        with refused("query.cursor"):
            face.trial("store", NEXT, cursor)

    play(ledger, scenario)


def test_a_version_that_cannot_follow_is_tried_on_nothing(ledger, play):
    async def scenario(session):
        found = (await stored(session, ledger)).trial("store", SOURCE)
        assert (found.records, found.failures, found.next) == (0, [], None)
        assert found.problems == ["version 1.0.0 must be higher than 1.0.0"]

    play(ledger, scenario)
