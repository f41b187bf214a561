"""Where a ledger's time is told, a client's transactions are dated by it; a node that only says so is not believed."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.client.inprocess import URL, InProcess
from tests.node.chain import JOBS

from hansa.client import Client, HansaError, Refused, pin_genesis, transactions
from hansa.client.transactions import VALID_MS
from hansa.merkle import checkpoint, receipt
from hansa.node import node as node_module
from hansa.node.create import Founder, create_ledger, member_key
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.wire import transaction

BEGIN = 1_767_603_600_000  # 2026-01-05T09:00:00Z
HOUR_MS = 3_600_000
REFUSED = ("members", "set_reference", {"reference": "none", "valid_from": 1, "data": ""})
"""An action that has its entry and changes nothing."""


class World:
    """A ledger behind a node, whose status can be altered on its way; what was submitted is kept."""

    def __init__(self, root: Path, clock: int | None) -> None:
        create_ledger(Disk(), Folder(root), "Told", [Founder("acme", "Acme", deployer=True)], clock=clock)
        self.key = member_key(Folder(root), "acme")
        self.node = InProcess(root)
        self.said: dict[str, Any] = {}
        self.answers: Any = None  # to a telling, in place of the node's own
        self.tellings = 0
        self.submitted: list[bytes] = []
        self.denies = False
        """Whether each submission is lost, and said never to come."""

    def request(self, method: str, url: str, **more: Any) -> httpx2.Response:
        if method == "POST" and url == f"{URL}/app/transactions":
            self.submitted.append(more["content"])
            if self.denies:
                raise httpx2.ReadTimeout("no answer")
        if self.denies and "/app/transactions/" in url:
            return httpx2.Response(200, json={"id": url.rpartition("/")[2], "status": "never"})
        if url == f"{URL}/node/clock":
            self.tellings += 1
            if self.answers is not None:
                return httpx2.Response(200, content=json.dumps(self.answers).encode())
        answer = self.node.request(method, url, **more)
        if url == f"{URL}/node/status" and self.said:
            return httpx2.Response(200, content=json.dumps({**answer.json(), **self.said}).encode())
        return answer

    def client(self, memory: Path | None = None) -> Client:
        return Client(URL, self.key, memory=memory, transport=self, patient=False)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Callable[[int | None], World]]:
    made: list[World] = []

    def make(clock: int | None) -> World:
        made.append(World(tmp_path / "ledger", clock))
        return made[-1]

    yield make
    for one in made:
        one.node.close()


def test_a_transaction_is_dated_by_the_clock_that_is_told(world: Callable[[int | None], World]) -> None:
    told = world(BEGIN)
    with told.client() as client:
        for at in (BEGIN, BEGIN + HOUR_MS):
            client.tell_time(at)
            assert client.status().now == at
            assert client.not_after() == at + VALID_MS
            with pytest.raises(Refused):
                client.call(*REFUSED)
            assert transaction.read(told.submitted[-1]).transaction.not_after == at + VALID_MS


def test_what_takes_several_requests_is_asked_for_until_it_is_there(
    world: Callable[[int | None], World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_module, "TELL_TICKS_MAX", 2)
    told = world(BEGIN)
    with told.client() as client:
        client.call("members", "deploy", {"name": "jobs", "source": JOBS}, steps_max=transactions.deploy_steps(JOBS))
        for hours in range(1, 6):
            client.call("jobs", "plan", {"name": f"job {hours}", "then": "work", "ahead": hours * HOUR_MS})
        client.tell_time(BEGIN + 9 * HOUR_MS)
        assert client.status().now == BEGIN + 9 * HOUR_MS
        assert [row.value["runs"] for row in client.records("jobs", "Job")] == [1] * 5
    assert told.tellings == 3


@pytest.mark.parametrize("said", [{"now": BEGIN, "entries": 5}, {"now": "x"}, []])
def test_a_node_that_does_not_move_its_clock_is_not_asked_for_ever(
    world: Callable[[int | None], World], refused: Callable, said: Any
) -> None:
    stuck = world(BEGIN)
    stuck.answers = said
    with stuck.client() as client, refused("node.foreign"):
        client.tell_time(BEGIN + HOUR_MS)


@pytest.mark.parametrize("clock", [BEGIN, None])
def test_what_a_receipt_leaves_in_the_memory_is_evidence(
    clock: int | None, world: Callable[[int | None], World], tmp_path: Path
) -> None:
    """With the mark of a time that is told: without it the signature is none."""
    told = world(clock)
    memory = tmp_path / "memory.json"
    with told.client(memory) as client:
        with pytest.raises(Refused) as caught:
            client.call(*REFUSED, wait="receipt")
        pinned = pin_genesis(client.get_bytes("/node/genesis"))
    assert caught.value.answer.receipt is not None
    head = receipt.read_bare(bytes.fromhex(json.loads(memory.read_text())["checkpoint"]))
    assert (head.size, head.told) == (2, clock is not None)
    assert checkpoint.verify(head, pinned.keys[head.kid])


@pytest.mark.parametrize("clock", [4_000_000_000_000, None])
def test_never_rests_on_this_machines_clock_where_time_is_real(
    clock: int | None, world: Callable[[int | None], World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which is ten minutes before the transaction's end. Where time is told there is only the clock that is told."""
    monkeypatch.setattr("hansa.client.session._HASTY_PAUSES_S", (0.0, 0.0))
    one = world(clock)
    one.denies = True
    with one.client() as client, pytest.raises(HansaError) as caught:
        client.call(*REFUSED)
    assert caught.value.code == ("answer.unknown" if clock is None else "transaction.expired")
    assert len(one.submitted) == 3


def test_where_time_is_real_nobody_tells_it(world: Callable[[int | None], World], refused: Callable) -> None:
    real = world(None)
    with real.client() as client:
        assert client.not_after() is None
        with refused("clock.real"):
            client.tell_time(BEGIN)


def test_a_node_that_only_says_that_time_is_told_dates_nothing(
    world: Callable[[int | None], World], refused: Callable
) -> None:
    """Else it could have transactions signed that stay valid for years."""
    liar = world(None)
    liar.said = {"clock": "told", "now": 4_000_000_000_000}
    with liar.client() as client, refused("node.foreign"):
        client.call(*REFUSED)
    assert liar.submitted == []
