"""Where a ledger's time is told, a client's transactions are dated by it; a node that only says so is not believed."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.client.inprocess import URL, InProcess
from tests.node.chain import JOBS

from hansa.client import Client, Refused, transactions
from hansa.client.transactions import VALID_MS
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

    def request(self, method: str, url: str, **more: Any) -> httpx2.Response:
        if method == "POST" and url == f"{URL}/app/transactions":
            self.submitted.append(more["content"])
        if url == f"{URL}/node/clock":
            self.tellings += 1
            if self.answers is not None:
                return httpx2.Response(200, content=json.dumps(self.answers).encode())
        answer = self.node.request(method, url, **more)
        if url == f"{URL}/node/status" and self.said:
            return httpx2.Response(200, content=json.dumps({**answer.json(), **self.said}).encode())
        return answer

    def client(self) -> Client:
        return Client(URL, self.key, transport=self, patient=False)


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
