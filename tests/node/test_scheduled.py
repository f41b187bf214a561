"""What was scheduled: ledger time takes it first in the block that reaches it, once, in order, whatever comes of it."""

import shutil
import time

import pytest
from tests.node.chain import JOBS, SECOND, Chain, chain_of, codes, kinds, own_tick, worked

from hansa.client import keys as key_files
from hansa.contracts.values import Cache
from hansa.node.create import CHECKPOINT_KEY
from hansa.wire import cbor, cose, entry, scheduled, tick, writes
from hansa.wire.genesis import Limits


@pytest.fixture
def chain(ledger, parts):
    with chain_of(ledger, parts) as chain:
        yield chain


@pytest.fixture
def few(make_ledger, parts):
    """A ledger on which ledger time takes three in a block."""
    with chain_of(make_ledger(Limits(scheduled_entries=3)), parts) as chain:
        yield chain


# What comes first


def test_what_is_due_stands_before_the_transactions_of_the_block_that_reaches_it(chain):
    chain.block(chain.plan("a", SECOND))
    at = chain.time + SECOND
    assert kinds(chain.block(chain.ledger.idle(), at=at - 1)) == ["transaction"]
    made = chain.block(chain.ledger.prepare("jobs", "read", {"job": "a", "runs": 1}), chain.ledger.idle(), at=at)
    assert kinds(made) == ["scheduled", "transaction", "transaction"]
    assert codes(made) == ["ok", "ok", "contract.unknown"]  # the transaction reads what was written before it
    assert made.block.header.time == at
    assert chain.due() == []


def test_its_envelope_says_what_was_due_and_its_id_is_that_envelopes(chain):
    planned = chain.block(chain.plan("a", 2 * SECOND))
    due = chain.time + 2 * SECOND
    item = chain.block(chain.ledger.idle(), at=due + 5_000).block.items[0]
    sequence = planned.block.header.seq << 16
    assert cbor.decode(item.envelope) == ["scheduled", chain.ledger.id, due, "jobs", b"a", sequence]
    assert item.id == scheduled.id_of(item.envelope)
    outcome = entry.decode_outcome(item.outcome)
    assert (outcome.status, outcome.time, outcome.contract) == ("applied", due + 5_000, "1.0.0")
    assert outcome.events == [{"name": "worked", "data": {"name": "a", "at": due + 5_000}}]
    assert outcome.writes == writes.digest(item.writes)
    assert [write.record for write in writes.decode(item.writes)] == ["Job", "Schedule"]


def test_the_order_is_of_due_contract_key_and_sequence(chain):
    ledger = chain.ledger
    chain.block(
        ledger.deploy("earlier", JOBS.replace("class Jobs", "class Earlier").replace("Jobs.Seen", "Earlier.Seen"))
    )
    names = [chain.plan(name, 5 * SECOND, contract=contract) for contract, name in
             (("jobs", "b"), ("jobs", "a"), ("earlier", "z"), ("jobs", "ab"), ("jobs", "c"))]  # fmt: skip
    chain.block(*names, chain.plan("first", 4 * SECOND), chain.plan("last", 6 * SECOND))
    chain.block(ledger.prepare("jobs", "also", {"job": "a", "ahead": 5 * SECOND, "times": 3}))
    made = chain.block(ledger.idle(), at=chain.time + 6 * SECOND)
    assert worked(made) == ["first", "z", "a", "a", "a", "a", "ab", "b", "c", "last"]
    envelopes = [cbor.decode(item.envelope) for item in made.block.items[:-1]]
    order = [(due, contract, key, sequence) for _, _, due, contract, key, sequence in envelopes]
    assert order == sorted(order)
    assert len({item.id for item in made.block.items}) == len(made.block.items)


def test_numbers_as_keys_come_in_their_order(chain):
    source = JOBS.replace("class Jobs", "class Numbers").replace("Jobs.Seen", "Numbers.Seen")
    source = source.replace("name: Text[1, 40]\n        runs", "name: int\n        runs")
    source = source.replace("name: Text[1, 40], then", "name: int, then").replace(
        "names: list[Text[1, 40], 300]", "names: list[int, 300]"
    )
    assert codes(chain.block(chain.ledger.deploy("numbers", source))) == ["ok"]
    numbers = [5, -(2**63), 0, 2**63 - 1, -1, 256]
    chain.block(*[chain.plan(number, SECOND, contract="numbers") for number in numbers])
    made = chain.block(chain.ledger.idle(), at=chain.time + SECOND)
    assert worked(made) == sorted(numbers)


def test_it_sees_what_was_taken_before_it_in_the_block(chain):
    chain.block(chain.ledger.prepare("jobs", "watch", {"name": "all"}))
    chain.block(*[chain.plan(name, SECOND) for name in ("c", "a", "b")])
    chain.block(chain.ledger.idle(), at=chain.time + SECOND)
    assert chain.value("jobs", "Seen", "all")["names"] == ["a", "b", "c"]


# So many a block


def test_so_many_are_taken_in_a_block_and_the_rest_in_the_next(few):
    few.block(*[few.plan(f"{number}", SECOND) for number in range(8)])
    few.block(few.plan("late", 2 * SECOND))
    made = [few.block(few.ledger.idle(), at=few.time + 10 * SECOND)]
    made += [few.block(few.ledger.idle()) for _ in range(3)]  # ledger time stands still: they are due all the same
    assert [worked(one) for one in made] == [["0", "1", "2"], ["3", "4", "5"], ["6", "7", "late"], []]
    assert [len(one.block.items) for one in made] == [4, 4, 4, 1]


def test_what_is_carried_over_comes_before_what_is_due_later(few):
    few.block(*[few.plan(name, SECOND) for name in "zyxw"], few.plan("a", 2 * SECOND))
    made = [few.block(few.ledger.idle(), at=few.time + SECOND), few.block(few.ledger.idle(), at=few.time + 2 * SECOND)]
    assert [worked(one) for one in made] == [["w", "x", "y"], ["z", "a"]]


def test_a_large_backlog_costs_a_block_no_more_than_a_small_one(few, monkeypatch):
    """It is read by index, so many rows a block: not passed over each time."""
    for start in range(0, 600, 100):
        few.block(*[few.plan(f"{start + number}", SECOND) for number in range(100)])
    asked = []
    get = few.parts.state.get
    monkeypatch.setattr(few.parts.state, "get", lambda place: (asked.append(place), get(place))[1])
    counts = []
    few.block(few.ledger.idle(), at=few.time + SECOND)
    for _ in range(20):
        asked.clear()
        few.block(few.ledger.idle())
        counts.append(len(asked))
    assert max(counts) < 40
    assert len(few.due()) == 600 - 3 * 21


# What comes of it


def test_what_fails_is_an_entry_and_is_not_tried_again(chain):
    chain.block(chain.plan("a", SECOND, "fail"))
    made = chain.block(at=chain.time + SECOND)
    assert (kinds(made), codes(made)) == (["scheduled"], ["require.failed"])
    item = made.block.items[0]
    outcome = entry.decode_outcome(item.outcome)
    assert (outcome.status, outcome.events, outcome.contract) == ("refused", [], "1.0.0")
    assert [write.record for write in writes.decode(item.writes)] == ["Schedule"]  # that it was taken, and no more
    assert chain.value("jobs", "Job", "a")["runs"] == 0
    assert chain.due() == []
    assert chain.block(at=chain.time + 10 * SECOND) is None


def test_what_needs_too_many_steps_is_an_entry_and_is_not_tried_again(make_ledger, parts):
    with chain_of(make_ledger(Limits(scheduled_steps=5_000)), parts) as chain:
        chain.block(chain.plan("a", SECOND, "spin"), chain.plan("b", SECOND))
        made = chain.block(at=chain.time + SECOND)
        assert codes(made) == ["steps.exceeded", "ok"]
        assert entry.decode_outcome(made.block.items[0].outcome).steps == 5_000
        assert chain.block(at=chain.time + SECOND) is None


def test_the_steps_of_transactions_do_not_bound_it(make_ledger, parts):
    """Nor does it take from what the transactions of the block have."""
    with chain_of(make_ledger(Limits(transaction_steps=200_000, block_steps=200_000)), parts) as chain:
        chain.block(chain.plan("a", SECOND, "spin", steps_max=10_000))
        made = chain.block(chain.ledger.idle(steps_max=200_000), at=chain.time + SECOND)
        assert codes(made) == ["steps.exceeded", "contract.unknown"]
        assert entry.decode_outcome(made.block.items[0].outcome).steps == 20_000


def test_a_record_that_moved_on_meanwhile_refuses_it(chain):
    chain.block(chain.plan("a", SECOND))
    chain.block(chain.ledger.prepare("jobs", "close", {"job": "a"}))
    made = chain.block(at=chain.time + SECOND)
    assert codes(made) == ["state.denied"]
    assert chain.value("jobs", "Job", "a")["runs"] == 0
    assert chain.block(at=chain.time + SECOND) is None


def test_the_deadline_wins_over_the_transaction_of_the_same_block(chain):
    """Also if that was sent long before: what is due comes first."""
    chain.block(chain.plan("a", SECOND))
    made = chain.block(chain.ledger.prepare("jobs", "close", {"job": "a"}), at=chain.time + SECOND)
    assert (kinds(made), codes(made)) == (["scheduled", "transaction"], ["ok", "ok"])
    assert chain.value("jobs", "Job", "a") == {"name": "a", "runs": 1, "left": 0, "state": "Done"}


def test_what_schedules_itself_again_goes_on_until_it_does_not(chain):
    chain.block(chain.plan("a", SECOND, "again"))
    runs = []
    for _ in range(8):
        made = chain.block(at=chain.time + SECOND)
        runs.append(0 if made is None else len(made.block.items))
    assert runs == [1, 1, 1, 1, 0, 0, 0, 0]
    assert chain.value("jobs", "Job", "a")["runs"] == 4
    assert chain.due() == []


def test_what_schedules_itself_again_is_never_twice_in_a_block(chain):
    """However far ledger time has gone."""
    chain.block(chain.plan("a", SECOND, "again"))
    made = [chain.block(at=chain.time + 60 * SECOND), chain.block(chain.ledger.idle())]
    assert [kinds(one) for one in made] == [["scheduled"], ["transaction"]]


@pytest.mark.parametrize(("ahead", "code"), [(999, "schedule.past"), (-1, "schedule.past"), (1_000, "ok")])
def test_nothing_is_scheduled_for_the_past(chain, ahead, code):
    assert codes(chain.block(chain.plan("a", ahead))) == [code]
    assert len(chain.due()) == (code == "ok")


def test_nobody_else_takes_what_is_for_ledger_time(chain):
    chain.block(chain.plan("a", SECOND))
    assert codes(chain.block(chain.ledger.prepare("jobs", "work", {"job": "a"}))) == ["role.denied"]


# Contracts that changed meanwhile

NEXT = JOBS.replace('version="1.0.0"', 'version="1.1.0"')


def work_of(source, replacement):
    """The source with another action in the place of `work`."""
    before, _, rest = source.partition('    @action(by="schedule", on="Open")\n    def work')
    _, _, after = rest.partition("\n\n    @action")
    return f"{before}{replacement}\n\n    @action{after}".replace('"work", tx', '"fail", tx')


CHANGED = {
    "it is gone": ("    @view\n    def runs_of(tx, job: Job) -> int:\n        return job.runs", "action.unknown"),
    "it is a view": ("    @view\n    def work(tx, job: Job) -> int:\n        return job.runs", "action.unknown"),
    "it is for another record": (
        '    @action(by="schedule")\n    def work(tx, seen: Seen):\n        seen.names.append("x")',
        "action.unknown",
    ),
    "it is for members": ('    @action(by="member")\n    def work(tx, job: Job):\n        job.runs = 9', "role.denied"),
    "it is for members and wants more": (
        '    @action(by="member")\n    def work(tx, job: Job, n: int):\n        job.runs = n',
        "arguments.invalid",
    ),
    "it asks who signed": (
        '    @action(by=["schedule", "member"])\n    def work(tx, job: Job):\n        event("w", by=tx.member)\n'
        "        job.runs = 8",
        "tx.unsigned",
    ),
    "it does more": (
        '    @action(by="schedule", on="Open", to="Done")\n    def work(tx, job: Job):\n        job.runs = 7',
        "ok",
    ),
}


@pytest.mark.parametrize(("replacement", "code"), CHANGED.values(), ids=CHANGED)
def test_the_version_that_runs_then_decides(chain, replacement, code):
    source = work_of(NEXT, replacement)
    if "@view" in source:
        source = source.replace("schedule\n\n\nclass", "schedule, view\n\n\nclass")
    chain.block(chain.ledger.prepare("jobs", "watch", {"name": "a"}))  # a record of another type, of the same key
    chain.block(chain.plan("a", SECOND))
    assert codes(chain.block(chain.ledger.upgrade("jobs", source))) == ["ok"]
    made = chain.block(chain.ledger.idle(), at=chain.time + SECOND)
    assert codes(made) == [code, "contract.unknown"]
    assert entry.decode_outcome(made.block.items[0].outcome).contract == "1.1.0"
    assert chain.value("jobs", "Job", "a")["runs"] == (7 if code == "ok" else 0)
    assert chain.value("jobs", "Seen", "a")["names"] == []
    assert chain.due() == []


def test_an_upgrade_in_the_block_comes_after_what_was_due(chain):
    source = work_of(NEXT, CHANGED["it does more"][0])
    chain.block(chain.plan("a", SECOND))
    made = chain.block(chain.ledger.upgrade("jobs", source), at=chain.time + SECOND)
    assert codes(made) == ["ok", "ok"]
    assert chain.value("jobs", "Job", "a")["runs"] == 1


# Ticks


def test_a_tick_stands_behind_what_was_due(chain):
    chain.block(chain.plan("a", SECOND))
    envelope = own_tick(chain.ledger, chain.tip)
    made = chain.block(envelope, chain.ledger.idle(), at=chain.time + SECOND)
    assert kinds(made) == ["scheduled", "tick", "transaction"]
    item = made.block.items[1]
    assert (item.envelope, item.id, item.writes) == (envelope, cose.id_of(envelope), writes.EMPTY)
    outcome = entry.decode_outcome(item.outcome)
    assert (outcome.status, outcome.code, outcome.steps, outcome.contract) == ("applied", "ok", 0, "")


def test_a_tick_without_cause_gets_no_entry(chain):
    chain.block(chain.plan("a", SECOND))
    before = chain.parts.tiles.size
    assert chain.block(own_tick(chain.ledger, chain.tip), at=chain.time + SECOND - 1) is None
    assert chain.parts.tiles.size == before
    made = chain.block(own_tick(chain.ledger, chain.tip), chain.ledger.idle())
    assert kinds(made) == ["transaction"]


def foreign(chain):
    return own_tick(chain.ledger, chain.tip, key=chain.ledger.keys["acme"])


def checkpoint_key(chain):
    return own_tick(chain.ledger, chain.tip, key=key_files.load(chain.ledger.folder.keys / CHECKPOINT_KEY))


def turned(chain):
    envelope = own_tick(chain.ledger, chain.tip)
    return envelope[:-1] + bytes([envelope[-1] ^ 1])


FALSE_TICKS = {
    "a member's key": foreign,
    "a checkpoint key": checkpoint_key,
    "another ledger": lambda chain: own_tick(chain.ledger, chain.tip, id=bytes(32)),
    "a size before": lambda chain: own_tick(chain.ledger, chain.tip, size=chain.tip.size - 1),
    "a size behind": lambda chain: own_tick(chain.ledger, chain.tip, size=chain.tip.size + 1),
    "a bad signature": turned,
    "too long": lambda chain: own_tick(chain.ledger, chain.tip) + bytes(tick.ENVELOPE_BYTES_MAX),
    "half of one": lambda chain: own_tick(chain.ledger, chain.tip)[:60],
    "a transaction's payload": lambda chain: cose.seal(
        chain.ledger.keys["acme"], cose.TICK, cose.split(chain.ledger.idle().envelope).payload
    ),
}


@pytest.mark.parametrize("make", FALSE_TICKS.values(), ids=FALSE_TICKS)
def test_a_false_tick_is_passed_over(chain, make):
    chain.block(chain.plan("a", SECOND))
    made = chain.block(make(chain), chain.ledger.idle(), at=chain.time + SECOND)
    assert kinds(made) == ["scheduled", "transaction"]
    assert chain.skipped == []


def test_a_false_tick_does_not_hide_a_true_one(chain):
    chain.block(chain.plan("a", SECOND))
    batch = [make(chain) for make in FALSE_TICKS.values()]
    made = chain.block(*batch, own_tick(chain.ledger, chain.tip), at=chain.time + SECOND)
    assert kinds(made) == ["scheduled", "tick"]


def test_of_two_ticks_one_counts(chain):
    """ECDSA gives two signatures for the same tick."""
    chain.block(chain.plan("a", SECOND))
    ticks = [own_tick(chain.ledger, chain.tip) for _ in range(2)]
    made = chain.block(*ticks, ticks[0], at=chain.time + SECOND)
    assert kinds(made) == ["scheduled", "tick"]
    assert made.block.items[1].envelope == ticks[0]


def test_a_tick_cannot_be_replayed(few):
    few.block(*[few.plan(str(number), SECOND) for number in range(7)])
    envelope = own_tick(few.ledger, few.tip)
    assert kinds(few.block(envelope, at=few.time + SECOND)) == ["scheduled"] * 3 + ["tick"]
    assert kinds(few.block(envelope)) == ["scheduled"] * 3
    assert kinds(few.block(envelope, envelope)) == ["scheduled"]
    assert few.block(envelope) is None


# The same everywhere


def story(chain):
    """Blocks with all of it: the bytes of each."""
    ledger = chain.ledger
    yield [ledger.prepare("jobs", "watch", {"name": "all"}), *[chain.plan(f"{n % 4}{n}", SECOND) for n in range(9)]], 0
    yield [chain.plan(name, 2 * SECOND, name) for name in ("fail", "spin", "again")], 500
    yield [ledger.idle()], 1_500
    yield [ledger.upgrade("jobs", NEXT), ledger.prepare("jobs", "read", {"job": "00", "runs": 1})], 1
    yield [ledger.idle()], 10_000
    yield [chain.plan("more", SECOND), ledger.prepare("jobs", "close", {"job": "00"})], 1_000
    yield [ledger.idle()], 1_000
    yield [ledger.idle()], 1_000


def test_the_cache_and_a_copy_make_no_difference(make_ledger, parts, tmp_path):
    """The same batches with and without the cache, and with a cache of two records."""
    ledger = make_ledger(Limits(scheduled_entries=5))
    twins = [ledger]
    for name in ("none", "small"):
        twin = type(ledger)(ledger.root, ledger.id)
        shutil.copytree(ledger.root, tmp_path / name)
        twin.root, twin.folder = tmp_path / name, type(ledger.folder)(tmp_path / name)
        twins.append(twin)
    batches, encoded = [], []
    for twin, cache in zip(twins, (Cache(4_096), None, Cache(2)), strict=True):
        with parts(twin) as recovered:
            chain = Chain(twin, recovered, cache)
            if not batches:
                begin = max(chain.time, time.time_ns() // 1_000_000)
                batches.append(([ledger.deploy("jobs", JOBS)], begin))
                for batch, later in story(chain):
                    begin += later
                    batches.append((batch, begin))
            encoded.append([chain.block(*batch, at=at).encoded for batch, at in batches])
            codes_ = [code for one in chain.blocks for code in codes(one)]
    assert encoded[0] == encoded[1] == encoded[2]
    assert {"ok", "require.failed", "steps.exceeded", "contract.unknown"} <= set(codes_)


# A contract that is paused

HOUR = 3_600 * SECOND


def go_on(chain, at):
    """The block of a transaction that is valid at that time."""
    return chain.block(chain.ledger.idle(not_after=at), at=at)


def test_what_is_due_of_a_paused_contract_is_refused_and_comes_due_again_an_hour_later(chain):
    chain.block(chain.plan("a", SECOND))
    chain.parts.directory.paused.add("jobs")
    at = chain.time + 5 * SECOND
    made = [go_on(chain, at), go_on(chain, at + HOUR - 1)]
    assert [kinds(one) for one in made] == [["scheduled", "transaction"], ["transaction"]]
    outcome = entry.decode_outcome(made[0].block.items[0].outcome)
    assert (outcome.status, outcome.code, outcome.steps) == ("refused", "contract.paused", 0)
    values = {"contract": "jobs"}
    told = {"line": None, "values": values, "message": "{contract} is paused", "version": "1.0.0", "contract": "jobs"}
    assert outcome.result == told
    (waiting,) = chain.due()
    assert (waiting.due, waiting.at) == (at + HOUR, at + HOUR)
    made += [go_on(chain, at + HOUR)]  # still paused
    chain.parts.directory.paused.clear()
    made += [go_on(chain, at + 2 * HOUR)]
    assert [codes(one)[0] for one in made] == ["contract.paused", "contract.unknown", "contract.paused", "ok"]
    assert worked(made[-1]) == ["a"]
    taken = [one.block.items[0] for one in (made[0], made[2], made[3])]
    assert [cbor.decode(item.envelope)[2] for item in taken] == [
        made[0].block.header.time - 4 * SECOND,
        at + HOUR,
        at + 2 * HOUR,
    ]
    assert len({item.id for item in taken}) == 3, "an id has one entry at most"
    assert chain.due() == []
    assert chain.value("jobs", "Job", "a")["runs"] == 1


def test_a_paused_contract_is_upgraded_meanwhile_and_the_version_that_runs_then_decides(chain):
    chain.block(chain.plan("a", SECOND))
    gone = work_of(NEXT, '    @action(by="member")\n    def other(tx, job: Job):\n        job.runs = 1')
    assert codes(chain.block(chain.ledger.upgrade("jobs", gone))) == ["ok"]
    chain.parts.directory.paused.add("jobs")
    made = [go_on(chain, chain.time + SECOND)]
    chain.parts.directory.paused.clear()
    made += [go_on(chain, chain.time + HOUR)]
    assert [codes(one)[0] for one in made] == ["contract.paused", "action.unknown"]
    assert chain.due() == []


def test_what_calls_a_paused_contract_comes_due_again_too(chain):
    source = JOBS.replace("class Jobs", "class Payments").replace("Jobs.Seen", "Payments.Seen").replace(
        "\n\nclass Payments",
        '\nfrom hansa.contract import Interface\n\n\nclass Other(Interface, contract="jobs"):\n'
        "    @action\n    def watch(tx, name: Text[1, 10]): ...\n\n\nclass Payments",
    )  # fmt: skip
    source = source.replace(
        "        job.runs = job.runs + 1\n        seen =", "        Other.watch(name=job.name)\n        seen ="
    )
    assert codes(chain.block(chain.ledger.deploy("payments", source))) == ["ok"]
    chain.block(chain.plan("a", SECOND, contract="payments"))
    chain.parts.directory.paused.add("jobs")
    at = chain.time + SECOND
    made = [go_on(chain, at)]
    assert [(found.contract, found.due) for found in chain.due()] == [("payments", at + HOUR)]
    chain.parts.directory.paused.clear()
    made += [go_on(chain, at + HOUR)]
    assert [codes(one)[0] for one in made] == ["contract.paused", "role.denied"]  # a call signs nothing
    assert chain.due() == []


def test_transactions_to_a_paused_contract_are_entries_refused(chain):
    chain.parts.directory.paused.add("jobs")
    made = chain.block(chain.plan("a", SECOND), chain.ledger.prepare("jobs", "nothing"))
    assert codes(made) == ["contract.paused", "action.unknown"]
    chain.parts.directory.paused.clear()
    assert codes(chain.block(chain.plan("a", SECOND))) == ["ok"]
