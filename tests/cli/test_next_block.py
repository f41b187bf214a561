"""`hansa status` and `hansa doctor` say why there is no new block: on a node whose order the test makes."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import msgspec
import pytest
from tests.node.conftest import ledger, make_ledger, template  # noqa: F401 - fixtures
from tests.node.test_order import Dictated, scene, until

from hansa.client import client as client_module
from hansa.client.next_block import LATE_MS, NextBlock, next_block
from hansa.node import node as node_module
from hansa.node.node import Node
from hansa.orderers import DEGRADED, DIVERGED, HALTED, HEALTHY, Standing

QUIET: dict[str, Any] = {"reasons": [], "warnings": [], "waiting": 0, "now": 50_000, "time": 0, "orderer": "etcd"}
MISSING = {"code": "orderer.degraded", "detail": "d does not answer", "remedy": "Start it."}
KEYLESS = {"code": "key.node", "detail": "The node has no key", "remedy": "Put it there."}
HALT = {"code": "orderer.halted", "detail": "2 of 4 do not answer: c, d", "remedy": "Start them."}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, NextBlock("idle", "no transaction waits for one")),
        ({"waiting": 1, "time": 50_001 - LATE_MS}, NextBlock("coming", "1 transaction waits for it")),
        (
            {"waiting": 2, "time": 50_000 - LATE_MS},
            NextBlock(
                "late",
                "2 transactions wait, the last block is 10 s old, and the order (etcd) says that it is well",
                "Ask again in a moment: the first after a rest takes one. If it stays so, look at the node's log.",
            ),
        ),
        (
            {"waiting": 2, "warnings": [KEYLESS, MISSING]},
            NextBlock("late", "2 transactions wait, the last block is 50 s old, and d does not answer", "Start it."),
        ),
        ({"warnings": [MISSING]}, NextBlock("degraded", "it comes without somebody: d does not answer", "Start it.")),
        (
            {"warnings": [KEYLESS]},
            NextBlock("idle", "no transaction waits for one, and the node has no key", "Put it there."),
        ),
        (
            {"reasons": [HALT], "warnings": [MISSING], "waiting": 3},
            NextBlock("none", "2 of 4 do not answer: c, d", "Start them."),
        ),
    ],
)
def test_why_there_is_none(changes: dict[str, Any], told: NextBlock) -> None:
    assert next_block({**QUIET, **changes}) == told


@pytest.fixture(autouse=True)
def watchful(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(node_module, "WATCH_S", 0.01)
    yield


class Statuses:
    """A `Transport` that has the status of a node in this process, and nothing else."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def request(self, method: str, url: str, **_: Any) -> httpx2.Response:
        if not url.endswith("/node/status"):
            return httpx2.Response(404, json={"code": "request.path", "detail": "not here", "remedy": ""})
        return httpx2.Response(200, content=msgspec.json.encode(self._node.status()))

    def close(self) -> None: ...


def test_the_commands_say_who_is_missing(
    ledger: Any,  # noqa: F811 - the fixture
    hansa: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async def scenario(node: Node, order: Dictated) -> None:
        monkeypatch.setattr(client_module, "Connections", lambda _: Statuses(node))
        words = ("--url", "http://node", "--data", tmp_path_factory.mktemp("nothing"))

        def asked() -> tuple[int, str, dict[str, Any]]:
            ran = hansa("status", *words)
            checks = hansa("doctor", *words, "--json").json["checks"]
            (check,) = [check for check in checks if check["name"] == "next block"]
            assert json.loads(hansa("status", *words, "--json").out)["next_block"]["why"] == check["seen"]
            return ran.code, ran.out, check

        code, told, check = asked()
        assert (code, check["verdict"]) == (0, "ok")
        assert "orderer     dictated\n" in told
        assert told.endswith("next block  no transaction waits for one\n")

        order.now = Standing(DEGRADED, "d does not answer", "Start it.")
        code, told, check = asked()
        assert (code, check["verdict"], check["seen"]) == (0, "warn", "it comes without somebody: d does not answer")
        assert told.endswith("next block  it comes without somebody: d does not answer. Start it.\n")

        order.now = Standing(HEALTHY)
        answered = asyncio.get_running_loop().create_future()
        node.submit(ledger.open("a").envelope, answered.set_result)
        await until(lambda: order.submitted)
        assert "1 transaction waits" in asked()[2]["seen"]

        order.now = Standing(HALTED, "2 of 4 do not answer: c, d", "Start them.")
        await until(lambda: not node.status().ready)
        code, told, check = asked()
        assert told.startswith(
            "The node takes no transactions: 2 of 4 do not answer: c, d [orderer.halted]. Start them.\n"
        )
        assert (code, check["verdict"], check["seen"]) == (3, "fail", "2 of 4 do not answer: c, d")
        assert check["fix"] == "Start them."

        order.now = Standing(DIVERGED, "revision 7 is another batch", "Find out why.")
        await until(lambda: not node.status().healthy)
        code, told, check = asked()
        assert told.startswith("The node has stopped for good: orderer.diverged: revision 7 is another batch")
        assert node.failed is not None
        assert node.failed.exception() is not None
        assert (check["verdict"], check["fix"]) == ("fail", "Find out why.")

    scene(ledger, scenario)
