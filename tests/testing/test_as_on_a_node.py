"""What a test sees on a ledger in memory is what a node gives: the same contract on both, at the same time."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.client.inprocess import URL, InProcess
from tests.testing import contracts

from hansa.client import Client, Refused, transactions
from hansa.node.create import Founder, create_ledger, member_key
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.testing import START, Ledger
from hansa.testing import Refused as RefusedInMemory
from hansa.testing.plain import milliseconds

DAY_MS = 86_400_000


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A node of a ledger whose time is told, and begins when that of a test does."""
    folder = Folder(tmp_path / "ledger")
    clock = milliseconds(START)
    create_ledger(Disk(), folder, "Told", [Founder("brix", "Brix", deployer=True)], clock=clock)
    node = InProcess(tmp_path / "ledger")
    client = Client(URL, member_key(folder, "brix"), transport=node, patient=False)
    try:
        yield client
    finally:
        client.close()
        node.close()


def deploy(client: Client, name: str, source: str) -> None:
    steps = transactions.deploy_steps(source)
    client.call("members", "deploy", {"name": name, "source": source}, steps_max=steps)


def test_a_view_sees_the_same_time(client: Client, folder: Path) -> None:
    """A deadline that passes while nothing is sent has passed for a view."""
    ledger = Ledger(folder=folder)
    ledger.member("brix")
    jobs = ledger.deploy("jobs.py")
    deploy(client, "jobs", contracts.JOBS)
    begin = milliseconds(START)
    wanted = {"id": "j", "price": "USD 2.50", "due": begin + 30 * DAY_MS, "day": "2030-01-03"}
    jobs.by("brix").plan(**wanted)
    client.call("jobs", "plan", {**wanted, "price": {"minor": 250, "currency": "USD"}})
    size = client.status().entries
    for at, missed in ((begin, []), (begin + 2 * DAY_MS, []), (begin + 3 * DAY_MS, ["j"])):
        ledger.clock.set(ledger.clock.now + (at - ledger.clock.ms) * (ledger.clock.now.resolution * 1_000))
        client.tell_time(at)
        assert client.view("jobs", "missed", {}) == jobs.view.missed() == missed
        assert milliseconds(client.view("jobs", "now", {})) == jobs.view.now() == at
        answer = client.post("/app/contracts/jobs/views/now", {})
        assert (answer["time"], answer["entries"]) == (at, size)
    assert client.status().entries == size, "nothing was sent meanwhile"


BURNS = '''"""Goes round."""

from hansa.contract import Contract, action, view


class Burns(Contract, version="1.0.0"):
    @action(by="member")
    def burn(tx, n: int):
        total = 0
        for i in range(n):
            total += i

    @view
    def burnt(tx, n: int) -> int:
        total = 0
        for i in range(n):
            total += i
        return total
'''


def test_a_call_may_take_the_same_steps(client: Client) -> None:
    """What passes in a test passes for a client that says no more than the test does."""
    ledger = Ledger()
    ledger.member("brix")
    burns = ledger.deploy_source("burns", BURNS)
    deploy(client, "burns", BURNS)
    with pytest.raises(Refused) as on_node:
        client.call("burns", "burn", {"n": 9_000})
    with pytest.raises(RefusedInMemory) as in_memory:
        burns.by("brix").burn(n=9_000)
    assert on_node.value.code == in_memory.value.code == "steps.exceeded"
    assert in_memory.value.answer.steps == on_node.value.answer.steps == transactions.STEPS_MAX
    assert "steps_max=" in str(in_memory.value)
    more = client.call("burns", "burn", {"n": 9_000}, steps_max=30_000)
    assert burns.by("brix", steps_max=30_000).burn(n=9_000).steps == more.steps
    assert client.view("burns", "burnt", {"n": 9_000}) == burns.view.burnt(n=9_000)
