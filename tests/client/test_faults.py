"""Each call is applied once, or reported unknown, never twice: real calls to a real node over a way that fails.

What the ledger holds in the end is the judge, not what anybody said on the way.
"""

import asyncio
import itertools
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st
from tests.client.fakes import Asynchronous, problem
from tests.client.inprocess import URL, InProcess

from hansa.client import Answer, AsyncClient, Client, HansaError, Unknown, Unproven, keys, transactions
from hansa.node.create import Founder, create_ledger, member_key
from hansa.store.files import Disk
from hansa.store.folder import Folder

CONTRACT = Path(__file__).parents[2] / "apps" / "example_ledger" / "contract.py"
OTHER = "http://other"
"""Another way to the same node: to the client it is another node of the ledger."""
FAULTS = (
    "none",
    "unreachable",  # nothing is sent
    "abandoned",  # sent, and the client is gone before the node has done anything
    "lost",  # committed, and the answer does not come
    "busy",  # 503 with Retry-After: the node takes nothing
    "proxy",  # 503 with Retry-After of somebody between, who has passed the request on
    "restart",  # the node is stopped and started; the request is not sent
    "crash",  # sent, and the node stops before it answers
    "stale",  # the answer that another request of this kind had
    "twice",  # sent twice, the second answer comes
    "truncated",
    "foreign",  # bytes of another server
    "hostile",  # committed, and what comes is a refusal made to break its reader
    "gateway",  # committed, and somebody between says in a form like ours that no answer came
)
HOSTILE = (
    httpx2.Response(503, headers={"retry-after": "9" * 400}, content=b"busy"),
    httpx2.Response(503, headers={"retry-after": "9" * 5000}, content=b"busy"),
    httpx2.Response(503, content=b'{"code": "answer.late", "detail": "d", "retry_after": ' + b"9" * 400 + b"}"),
    httpx2.Response(503, content=b'{"code": "answer.late", "detail": "d", "self": 1, "retry_after": -1}'),
    httpx2.Response(503, content=b'{"code": [], "detail": "d"}'),
    httpx2.Response(503, content=b'{"code": {}, "detail": "d"}'),
    httpx2.Response(500, content=b'{"code": "node.defect", "detail": null}'),
    httpx2.Response(500, content=b'{"code": "node.defect", "detail": "", "remedy": []}'),
    httpx2.Response(500, content=b'{"code": "node.defect", "detail":' + b"[" * 200_000),
    httpx2.Response(200, content=b"\x81" * 200_000),
)
GATEWAY = httpx2.Response(504, content=b'{"status": 504, "code": "UPSTREAM_TIMEOUT", "detail": "no answer in time"}')


number = itertools.count()


class Faulty:
    """A transport to a node that fails as it is told, one fault a request, and then no more.

    `late`: the faults begin with the first submission, and spare what is read before it.
    """

    def __init__(self, node: InProcess, faults: list[str], before: dict[str, httpx2.Response], *, late: bool) -> None:
        self._node = node
        self._waits = late
        self._faults = iter(faults)
        self._before = before  # by kind of request, across clients

    def request(self, method: str, url: str, **more: Any) -> httpx2.Response:
        self._waits = self._waits and method != "POST"
        fault = "none" if self._waits else next(self._faults, "none")
        url = url.replace(OTHER, URL)
        kind = "/".join(url.split("/")[:5]) + str(more.get("params"))
        match fault:
            case "unreachable":
                raise httpx2.ConnectError("refused")
            case "abandoned":
                return self._node.send(method, url, more, answered=False)
            case "busy":
                return problem("queue.full", retry_after=0)
            case "restart":
                self._node.restart()
                raise httpx2.ConnectError("refused")
            case "crash":
                try:
                    self._node.send(method, url, more, answered=False)
                except httpx2.ReadTimeout:
                    self._node.restart()
                raise httpx2.ReadError("reset")
            case "twice":
                self._node.request(method, url, **more)
            case _:
                pass
        answer = self._node.request(method, url, **more)
        stale = self._before.get(kind, answer)
        self._before[kind] = httpx2.Response(answer.status_code, content=answer.content)  # as if nothing named it
        match fault:
            case "lost":
                raise httpx2.ReadTimeout("no answer")
            case "proxy":
                return httpx2.Response(503, headers={"retry-after": "0"}, content=b"busy")
            case "stale":
                return stale
            case "truncated":
                return httpx2.Response(answer.status_code, content=answer.content[: len(answer.content) // 2])
            case "hostile":
                return HOSTILE[next(number) % len(HOSTILE)]
            case "gateway":
                return GATEWAY
            case "foreign":
                return httpx2.Response(200, content=b"<html>hello</html>")
            case _:
                return answer


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[InProcess, Path]]:
    """A node with the example ledger, and the key file of one of its members."""
    root = tmp_path_factory.mktemp("faults") / "ledger"
    founders = [Founder("acme", "Acme", deployer=True), Founder("bolt", "Bolt")]
    create_ledger(Disk(), Folder(root), "Faults", founders)
    node = InProcess(root)
    key = member_key(Folder(root), "acme")
    with Client(URL, key, transport=node) as client:
        source = CONTRACT.read_text()
        arguments = {"name": "example_ledger", "source": source}
        client.call("members", "deploy", arguments, steps_max=transactions.deploy_steps(source))
    yield node, key
    node.close()


@pytest.fixture(autouse=True, scope="module")
def hurried() -> Iterator[None]:
    """No test waits between tries."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hansa.client.session._BACKOFF_S", 0.0)
        patch.setattr("hansa.client.session._HASTY_PAUSES_S", (0.0, 0.0))
        yield


class Caller:
    """Makes calls with one client, and keeps what each was told."""

    def __init__(self, is_async: bool, transport: Any, key: Path, **options: Any) -> None:
        self._is_async, self._transport, self._key = is_async, transport, key
        self._options = {"urls": URL, **options}

    def call(self, method: str, *words: Any, **more: Any) -> Any:
        if not self._is_async:
            with Client(key=self._key, transport=self._transport, **self._options) as client:
                return getattr(client, method)(*words, **more)

        async def main() -> Any:
            async with AsyncClient(key=self._key, transport=Asynchronous(self._transport), **self._options) as client:
                return await getattr(client, method)(*words, **more)

        return asyncio.run(main())


stale: dict[str, httpx2.Response] = {}


@settings(max_examples=100)
@given(
    is_async=st.booleans(),
    patient=st.booleans(),
    late=st.booleans(),
    urls=st.sampled_from([(URL,), (URL, OTHER)]),
    calls=st.lists(
        st.tuples(
            st.sampled_from(["accepted", "committed", "receipt"]), st.lists(st.sampled_from(FAULTS), max_size=12)
        ),
        min_size=1,
        max_size=3,
    ),
)
@example(is_async=False, patient=True, late=True, urls=(URL,), calls=[("committed", ["lost"] * 4)])
@example(is_async=True, patient=False, late=True, urls=(URL,), calls=[("committed", ["crash"] * 3)])
@example(is_async=True, patient=True, late=True, urls=(URL,), calls=[("receipt", ["stale"] * 8)])
@example(is_async=False, patient=False, late=True, urls=(URL,), calls=[("committed", ["lost"] * 4)])
@example(is_async=True, patient=False, late=True, urls=(URL,), calls=[("committed", ["lost"] + ["unreachable"] * 3)])
@example(
    is_async=False, patient=True, late=True, urls=(URL,), calls=[("committed", ["none"]), ("committed", ["stale"])]
)
@example(is_async=False, patient=False, late=True, urls=(URL,), calls=[("committed", ["hostile"] * 3)] * len(HOSTILE))
@example(is_async=True, patient=False, late=True, urls=(URL,), calls=[("committed", ["gateway", "busy"])])
def test_each_call_is_applied_once_or_reported_unknown(
    ledger: tuple[InProcess, Path],
    is_async: bool,
    patient: bool,
    late: bool,
    urls: tuple[str, ...],
    calls: list[tuple[Any, list[str]]],
) -> None:
    node, key = ledger
    told: dict[str, Answer | HansaError] = {}
    for wait, faults in calls:
        message = f"message {next(number)}"
        caller = Caller(is_async, Faulty(node, faults, stale, late=late), key, patient=patient, urls=urls)
        try:
            answer = caller.call("call", "example_ledger", "tell", {"to": "bolt", "message": message}, wait=wait)
        except HansaError as error:
            event(type(error).__name__)
            told[message] = error
        else:
            assert answer.status == "applied" or (answer.status == wait == "accepted")
            assert (answer.receipt is not None) == (wait == "receipt")
            event(answer.status)
            told[message] = answer
    node.settled()
    check(node, told)
    resolved = {
        message: Caller(is_async, node, key).call("resolve", unknown)
        for message, unknown in told.items()
        if isinstance(unknown, Unknown)
    }
    check(node, resolved)


def check(node: InProcess, told: Mapping[str, Answer | HansaError]) -> None:
    """What was told of each call against the entries that there are."""
    held = node.messages()
    for message, said in told.items():
        answer = said.answer if isinstance(said, Unproven) else said
        places = [(status, seq) for text, status, seq in held.elements() if text == message]
        if isinstance(answer, Unknown):
            assert len(places) <= 1, message
        elif isinstance(answer, HansaError):
            assert places == [], (message, answer)  # what was refused before has no entry
        elif answer.seq is None:
            assert len(places) <= 1, message
        else:
            assert places == [("applied", answer.seq)], message


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/node/status"), ("GET", "/none"), ("POST", "/app/transactions"), ("PUT", "/x")]
)
def test_a_node_names_the_request_that_it_answers(method: str, path: str, ledger: tuple[InProcess, Path]) -> None:
    node, _ = ledger
    for name, named in [("ab12", "ab12"), ("a b", None), ("a" * 65, None), ("", None)]:
        answer = node.request(method, URL + path, headers={"hansa-request": name})
        assert answer.headers.get("hansa-request") == named


def test_what_was_seen_to_happen(ledger: tuple[InProcess, Path], tmp_path: Path) -> None:
    """The judge itself: it sees two entries of one purpose, as of a client that signs anew."""
    node, key = ledger
    shutil.copy(key, tmp_path / "key.pem")
    private = keys.load(tmp_path / "key.pem")
    with Client(URL, private, transport=node) as client:
        answers = [client.call("example_ledger", "tell", {"to": "bolt", "message": "again"}) for _ in range(2)]
    with pytest.raises(AssertionError):
        check(node, {"again": answers[0]})
