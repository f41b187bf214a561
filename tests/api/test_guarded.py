"""A node that others reach by TLS, as they meet it: `hansa up --listen`, the SDK with and without `async`, commands.

What docs/how-to/reach-a-node.md shows, at an address that is there: what counts as "other machines" is the way in, not
the address, and here it is at 127.0.0.1, too.
"""

import asyncio
import contextlib
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.api.conftest import Server

from hansa.client import AsyncClient, Client, certificates, keys, transactions
from hansa.node import tls
from hansa.wire import cose, reader
from hansa.wire.limits import GOVERNANCE_STEPS_MAX
from hansa.wire.problems import HansaError

CLOSED = (
    "/node/status", "/node/ready", "/node/genesis", "/node/metrics", "/node/version", "/node/trust", "/openapi.json",
    "/app/contracts", "/app/events?after=0&follow=false", "/app/receipts/0", "/app/checkpoints/latest",
    "/gov/service/info?api-version=2026-11-01", "/problems/reader.token",
)  # fmt: skip


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    started = Server(
        tmp_path_factory.mktemp("guarded") / "ledger", options=("--listen", "127.0.0.1:0", "--hostname", "node.example")
    )
    try:
        assert started.submit(started.deploy()).json()["status"] == "applied"
        yield started
    finally:
        status = started.stop()
    assert started.defects() == []
    assert status == 0


@pytest.fixture(scope="module")
def url(node):
    return node.fields["listen"]["url"]


@pytest.fixture(scope="module")
def port(url):
    return int(url.rpartition(":")[2])


def key_of(node, name="users/northbank/ana"):
    return node.root / "keys" / f"{name}.pem"


def code(call, *given, **named):
    with pytest.raises(HansaError) as caught:
        call(*given, **named)
    return caught.value.code


def ask(node, port, path, method="GET", body=None, headers=None, context=None):
    """Status, headers and body of one request, as a program without the SDK sends it."""
    context = context or ssl.create_default_context(cafile=node.root / "authority.pem")
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, {name.lower(): text for name, text in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def token_of(node, port, key):
    """A token, got as the page on reaching a node says."""
    told = json.loads(ask(node, port, "/node/challenge")[2])
    challenge, kid = bytes.fromhex(told["challenge"]), bytes.fromhex(told["node"])
    envelope = reader.seal(key, node.ledger, kid, "127.0.0.1", challenge)
    status, _, body = ask(node, port, "/node/token", "POST", envelope, {"content-type": "application/cose"})
    return status, json.loads(body)


# Strangers


def test_strangers_are_told_nothing(node, port):
    for path in CLOSED:
        status, headers, body = ask(node, port, path)
        assert (status, json.loads(body)["code"]) == (401, "reader.token"), path
        assert headers["www-authenticate"] == "Bearer"
        assert not {"hansa-entries", "hansa-checkpoint"} & set(headers)
    status, _, body = ask(node, port, "/app/contracts/example_ledger/views/balance_of", "POST", b"{}")
    assert (status, json.loads(body)["code"]) == (401, "reader.token")


def test_strangers_see_whether_it_lives(node, port):
    status, headers, body = ask(node, port, "/node/health")
    assert (status, json.loads(body)) == (200, {"healthy": True, "reasons": []})
    assert "hansa-entries" not in headers


def test_what_is_signed_needs_no_token(node, port):
    made = node.tell()
    status, _, body = ask(node, port, "/app/transactions", "POST", made.envelope, {"content-type": "application/cose"})
    assert (status, json.loads(body)["status"]) == (200, "applied")
    status, _, body = ask(node, port, "/app/transactions", "POST", node.forged(), {"content-type": "application/cose"})
    assert (status, json.loads(body)["code"]) == (403, "signature.invalid")


def test_loopback_stays_as_it_is(node):
    assert node.ask(node.get(b"/node/status")).status == 200


def test_time_is_told_on_loopback_alone(node, port):
    _, made = token_of(node, port, node.keys["northbank"])
    headers = {"content-type": "application/json", "authorization": f"Bearer {made['token']}"}
    status, _, body = ask(node, port, "/node/clock", "POST", b'{"time": 0}', headers)
    assert (status, json.loads(body)["code"]) == (403, "node.not_loopback")


def test_a_name_that_is_not_the_nodes(node, port):
    status, _, body = ask(node, port, "/node/health", headers={"host": "evil.example"})
    assert (status, json.loads(body)["code"]) == (400, "request.host")
    assert ask(node, port, "/node/health", headers={"host": f"NODE.example:{port}"})[0] == 200


@pytest.mark.parametrize("name", ["members/northbank", "governance/northbank", "users/northbank/ana", "node"])
def test_who_is_registered_reads(node, port, name):
    status, made = token_of(node, port, keys.load(key_of(node, name)))
    assert (status, made["seconds"]) == (200, 900)
    status, headers, body = ask(node, port, "/node/status", headers={"authorization": f"Bearer {made['token']}"})
    assert (status, json.loads(body)["ledger"]) == (200, node.ledger.hex())
    assert "hansa-entries" in headers


def test_who_is_not_registered_gets_no_token(node, port):
    status, problem = token_of(node, port, keys.generate())
    assert (status, problem["code"]) == (403, "reader.unknown")
    checkpoint = keys.load(key_of(node, "checkpoint"))
    assert token_of(node, port, checkpoint)[1]["code"] == "reader.unknown"


@pytest.mark.parametrize("header", ["Bearer nothing", "Basic YTpi", "Bearer "])
def test_a_token_that_is_none_is_refused_everywhere(node, port, header):
    for path in ("/node/status", "/node/health"):
        status, _, body = ask(node, port, path, headers={"authorization": header})
        assert (status, json.loads(body)["code"]) == (401, "reader.token")


# Connections


def test_older_tls_and_none_are_refused(node, port):
    context = ssl.create_default_context(cafile=node.root / "authority.pem")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, OSError)):
        ask(node, port, "/node/health", context=context)
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), 10)) as plain:
        plain.sendall(b"GET /node/health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        assert b"HTTP" not in plain.recv(1_000)


def test_a_certificate_of_a_key_that_is_not_registered_lets_nobody_in(node, port, tmp_path):
    own, stranger = keys.load(key_of(node, "node")), keys.generate()
    for key, is_in in ((own, True), (stranger, False)):
        context = certificates.by_keys([own.public])
        file = tmp_path / "certificate.pem"
        file.write_bytes(tls.issue(key, ["127.0.0.1"]))
        context.load_cert_chain(file)
        with socket.create_connection(("127.0.0.1", port), 10) as plain:
            try:
                with context.wrap_socket(plain, server_hostname=certificates.NODE_NAME) as secured:
                    secured.sendall(b"GET /node/version HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
                    answer = secured.recv(100)
            except OSError:
                answer = b""
        assert answer.startswith(b"HTTP/1.1 200") == is_in


def test_who_never_shakes_hands_shuts_nobody_out(node, port, url):
    with contextlib.ExitStack() as held:
        for _ in range(200):  # more than one address may have
            held.enter_context(contextlib.closing(socket.create_connection(("127.0.0.1", port), 10, ("127.0.0.9", 0))))
        with Client(url, key_of(node), node.ledger.hex(), patient=False) as client:
            assert client.status().entries


# The SDK


@pytest.fixture(params=["sync", "async"])
def drive(request, node):
    """`drive(call, urls, ...)` has a client made and called, with or without `async`."""

    def sync(call, *given, **named):
        with Client(*given, patient=False, **named) as client:
            return call(client)

    def asynchronous(call, *given, **named):
        async def run():
            async with AsyncClient(*given, patient=False, **named) as client:
                found = call(client)
                return [one async for one in found] if hasattr(found, "__aiter__") else await found

        return asyncio.run(run())

    return sync if request.param == "sync" else asynchronous


def test_a_client_with_the_ledgers_id_needs_nothing_else(node, url, drive):
    ledger = node.ledger.hex()
    assert drive(lambda client: client.status(), url, key_of(node), ledger).ledger == node.ledger.hex()

    def tell(client):
        return client.call("example_ledger", "tell", {"to": "eastmutual", "message": "by TLS"}, wait="receipt")

    answer = drive(tell, url, key_of(node, "members/northbank"), ledger)
    assert answer.receipt
    found = list(drive(lambda client: client.events(after="0", follow=False), url, key_of(node), ledger))
    assert "told" in [event.name for event in found]


def test_a_client_with_the_nodes_authority(node, url, drive):
    authority = node.root / "authority.pem"
    assert drive(lambda client: client.status(), url, key_of(node), certificates=authority).entries
    assert drive(lambda client: client.status(), url, key_of(node), node.ledger.hex(), certificates=authority).entries


def test_a_client_that_was_told_nothing_trusts_nobody(node, url, drive):
    def refused(*given, **named):
        return code(drive, lambda client: client.status(), url, *given, **named)

    assert refused(key_of(node)) == "tls.untrusted"
    assert refused(None, node.ledger.hex()) == "reader.token"
    assert refused(None, certificates=node.root / "authority.pem") == "reader.token"
    assert refused(key_of(node), "00" * 32) == "node.ledger"
    assert refused(keys.generate(), node.ledger.hex()) == "reader.unknown"


def test_a_token_that_ended_is_got_anew(node, url, drive):
    def twice(client):
        client._session.tokens.update(dict.fromkeys(client._session.tokens, "ended"))
        return client.status()

    with Client(url, key_of(node), node.ledger.hex(), patient=False) as client:
        assert client.status().entries
        assert twice(client).entries
        client._session.tokens[url] = "ended"
        assert list(client.events(after="0", follow=False))


class Impostor:
    """Passes everything on to the node, under a certificate of its own: under `key`, which says it is `shown`."""

    def __init__(self, port, key, shown=None):
        self._port = port
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        self.heard = b""
        made = tls.issue(key, ["127.0.0.1"])
        file = Path(f"/proc/self/fd/{self._file(made)}")
        self._context.load_cert_chain(file)
        self._inner = certificates.by_keys([shown or key.public])
        threading.Thread(target=self._serve, daemon=True).start()

    @staticmethod
    def _file(data):
        file = os.memfd_create("certificate")
        os.write(file, data)
        return file

    def _serve(self):
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), self._context.wrap_socket(plain, server_side=True) as secured:
                while data := secured.recv(65_536):
                    self.heard += data
                    with (
                        socket.create_connection(("127.0.0.1", self._port), 10) as far,
                        self._inner.wrap_socket(far, server_hostname=certificates.NODE_NAME) as node,
                    ):
                        node.sendall(data)
                        node.settimeout(0.5)
                        with contextlib.suppress(TimeoutError):
                            while piece := node.recv(65_536):
                                secured.sendall(piece)

    def close(self):
        self._listener.close()


def test_who_stands_between_learns_no_question_and_gets_no_token(node, url, port, drive):
    own = keys.load(key_of(node, "node"))
    between = Impostor(port, keys.generate("p256"), own.public)
    try:
        assert (
            code(drive, lambda client: client.status(), between.url, key_of(node), node.ledger.hex())
            == "tls.unregistered"
        )
        assert b"/node/challenge" in between.heard
        assert b"/node/token" not in between.heard
        assert b"status" not in between.heard
    finally:
        between.close()


def test_a_node_of_another_ledger_is_none_of_this_one(node, drive, tmp_path):
    other = Server(tmp_path / "other", options=("--listen", "127.0.0.1:0"))
    try:
        url = other.fields["listen"]["url"]
        assert code(drive, lambda client: client.status(), url, key_of(node), node.ledger.hex()) == "node.ledger"
    finally:
        other.stop()


# Those who may read no more


def govern(node, action, arguments, by="northbank"):
    key = keys.load(key_of(node, f"governance/{by}"))
    made = transactions.prepare(
        key, node.ledger, "members", action, arguments, content_type=cose.GOVERNANCE, steps_max=GOVERNANCE_STEPS_MAX
    )
    answer = node.submit(made).json()
    assert answer["status"] == "applied", answer


def test_a_key_that_is_revoked_reads_no_more(node, url, port):
    ben = keys.load(key_of(node, "users/northbank/ben"))
    _, made = token_of(node, port, ben)
    headers = {"authorization": f"Bearer {made['token']}"}
    assert ask(node, port, "/node/status", headers=headers)[0] == 200
    told, ended = [], threading.Event()

    def follow():
        with Client(url, ben, node.ledger.hex(), patient=False) as client:
            try:
                for event in client.events(after="0"):
                    told.append(event.name)
            except HansaError as error:
                told.append(error.code)
        ended.set()

    threading.Thread(target=follow, daemon=True).start()
    node.until(lambda: told)
    govern(node, "revoke_key", {"key": ben.kid})
    assert ask(node, port, "/node/status", headers=headers)[0] == 401
    assert token_of(node, port, ben)[1]["code"] == "reader.unknown"
    assert node.submit(node.tell("after it")).json()["status"] == "applied"
    assert ended.wait(30)
    assert told[-1] in ("reader.unknown", "reader.token")
    assert told.count("told") < node.entries()


def test_a_member_that_was_removed_reads_no_more(node, port):
    _, made = token_of(node, port, node.keys["tradewatch"])
    headers = {"authorization": f"Bearer {made['token']}"}
    assert ask(node, port, "/node/status", headers=headers)[0] == 200
    with contextlib.ExitStack() as opened:
        voters = [
            opened.enter_context(Client(node.url, key_of(node, f"governance/{name}")))
            for name in ("northbank", "harbourline", "eastmutual")
        ]
        proposed = voters[0].propose(
            {"title": "out", "actions": [{"name": "remove_member", "args": {"member_id": "tradewatch"}}]}
        )
        for voter in voters:
            voter.vote(proposed.id, True)
    assert ask(node, port, "/node/status", headers=headers)[0] == 401
    assert token_of(node, port, node.keys["tradewatch"])[1]["code"] == "reader.unknown"
    assert token_of(node, port, keys.load(key_of(node, "users/tradewatch/eve")))[1]["code"] == "reader.unknown"


# Commands


def hansa(*arguments):
    made = subprocess.run(
        [sys.executable, "-m", "hansa.cli.main", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    return made.returncode, made.stdout, made.stderr


def test_commands_read_and_sign_from_elsewhere(node, url):
    ledger, ana = node.ledger.hex(), key_of(node)
    status, out, _ = hansa("status", "--url", url, "--ledger", ledger, "--reader", ana, "--json")
    assert (status, json.loads(out)["ledger"]) == (0, ledger)
    words = "call", "example_ledger", "tell", "to=eastmutual", "message=hi"
    status, out, err = hansa(*words, "--url", url, "--ledger", ledger, "--key", key_of(node, "members/northbank"))
    assert status == 0, err
    status, out, _ = hansa(
        "events", "--url", url, "--certificates", node.root / "authority.pem", "--reader", ana, "--json"
    )
    assert (status, json.loads(out.splitlines()[0])["name"]) == (0, "contract.deployed")
    status, _, err = hansa("status", "--url", url, "--ledger", ledger)
    assert status != 0
    assert "reader.token" in err


# What is kept and told


def test_nothing_secret_is_in_the_log(node, port):
    _, made = token_of(node, port, node.keys["northbank"])
    ask(node, port, "/node/status", headers={"authorization": f"Bearer {made['token']}"})
    log = node.log.read_text()
    assert made["token"] not in log
    assert "PRIVATE" not in log
    assert [path.name for path in (node.root / "keys").iterdir() if path.name.startswith("tls-")] == []


def test_the_description_says_it(node):
    told = node.ask(node.get(b"/openapi.json")).json()
    assert told["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert told["paths"]["/node/status"]["get"]["security"] == [{"token": []}, {"node": []}, {}]
    assert told["paths"]["/node/challenge"]["get"]["security"] == [{}]
    assert "401" in told["paths"]["/app/contracts"]["get"]["responses"]
