"""People sign in at a node, with tokens of a real provider, and act: with a key of their own, or as the node asserts.

`northbank` has a node that signs its people in. What other nodes would do is done by re-execution, without a network.
"""

import asyncio
import base64
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import httpx2
import msgspec
import pytest
from tests.api.conftest import EXAMPLE, Server
from tests.foreign.oidc import Provider, jwks

from hansa.api import issuer_keys, sign_in, tokens
from hansa.api.issuer_keys import IssuerKeys
from hansa.api.sessions import BEGIN_MS, HELD_MAX
from hansa.client import Client, keys, transactions
from hansa.client.results import Refused
from hansa.governance.issuer import Issuer, conferred
from hansa.wire import cose, session
from hansa.wire.problems import HansaError

NORTH, SOUTH = "/north/v2.0", "/south/v2.0"
TWO_PERSONS = EXAMPLE.parents[1] / "cookbook" / "two_person_approval" / "contract.py"
SECRET_NAMES = ("alice-quux", "bob-quux", "carol-quux")
"""Subjects; their mails and names have these in them. Nothing that is kept may."""
GROUPS = {"alice-quux": ["payers", "clerks"], "bob-quux": ["payers"], "carol-quux": []}
RULES = [("groups", "payers", "may:pay"), ("groups", "clerks", "desk:clerk")]


def tenants(north="north", south="south"):
    return {
        NORTH: {"jwks": jwks(north), "claims": {"tid": "tenant-north"}, "groups": GROUPS},
        SOUTH: {"jwks": jwks(south), "claims": {"tid": "tenant-south"}, "groups": GROUPS},
    }


@pytest.fixture(scope="module")
def provider():
    made = Provider(tenants())
    yield made
    made.stop()


@pytest.fixture(scope="module")
def node(provider, tmp_path_factory):
    """`hansa up --sign-in` for northbank, with an issuer each for it and for harbourline."""
    root = tmp_path_factory.mktemp("people")
    settings = root / "sign-in.toml"
    settings.write_text(
        'member = "northbank"\nkey = "ledger/keys/members/northbank.pem"\nsecret = "pseudonyms.secret"\n'
        '[asserted]\nattribute = "desk:clerk"\ncontracts = ["example_ledger", "two_person_approval"]\n'
    )
    started = Server(root / "ledger", options=("--sign-in", str(settings), "--listen", "127.0.0.1:0"))
    try:
        set_issuer(started, "north", "northbank", provider.url(NORTH), "tenant-north")
        set_issuer(started, "south", "harbourline", provider.url(SOUTH), "tenant-south")
        assert started.submit(started.deploy()).json()["status"] == "applied"
        source = TWO_PERSONS.read_text()
        arguments = {"name": "two_person_approval", "source": source}
        steps = transactions.deploy_steps(source)
        assert started.submit(started.prepare("members", "deploy", arguments, steps_max=steps)).json()["code"] == "ok"
        yield started
        assert not started.defects()
    finally:
        started.stop()


def set_issuer(server, id, member, url, tenant, audience="hansa"):
    """Has the members vote that the issuer signs in for one of them."""
    rules = [dict(zip(("claim", "value", "attribute"), rule, strict=True)) for rule in RULES]
    args = {"issuer_id": id, "member_id": member, "issuer": url, "tenant": tenant, "audience": audience}
    action = {"name": "set_jwt_issuer", "args": {**args, "algorithms": ["RS256"], "rules": rules}}
    vote(server, {"title": f"{id} signs in for {member}", "actions": [action]})


def vote(server, proposal):
    """Has enough members say yes."""
    voters = [governor(server, name) for name in ("northbank", "harbourline", "eastmutual")]
    proposed = voters[0].propose(proposal).id
    for voter in voters:
        voter.vote(proposed, True)
    found = voters[0].proposal(proposed)
    for voter in voters:
        voter.close()
    assert found.state == "Accepted", found
    assert found.applied is not None


def governor(server, name):
    return Client(server.url, key=server.root / "keys" / "governance" / f"{name}.pem")


def own(server, key=None):
    return Client(server.url, key=key)


def signed_in(server, provider, who, tenant=NORTH, **options):
    """A new key of somebody who signs in, and the session."""
    key = keys.generate("p256")
    token = provider.token(tenant, who, session.nonce_of(key.public.spki))
    with own(server) as client:
        return key, client.sign_in(key, token, **options)


def refusal(server, key, token):
    with own(server) as client, pytest.raises(HansaError) as caught:
        client.sign_in(key, token)
    return caught.value.code


def post(server, path, value):
    return httpx2.post(f"{server.url}{path}", json=value)


# Keys of their own


def test_two_persons_sign_in_and_act_under_a_two_person_rule(node, provider):
    """The rule holds for people who signed in as for those with registered keys."""
    (alice, first), (bob, second) = (signed_in(node, provider, f"{name}-quux") for name in ("alice", "bob"))
    assert first.held
    assert first.attributes == ["desk:clerk", "may:pay"]
    assert second.attributes == ["may:pay"]
    assert first.user.startswith("northbank/")
    assert first.user != second.user
    amount = {"minor": 500, "currency": "USD"}
    with own(node, alice) as client:
        answer = client.call(
            "two_person_approval", "propose", {"id": "1", "to": "eastmutual", "amount": amount, "purpose": "rent"}
        )
        assert answer.asserted == ""
        with pytest.raises(Refused) as refused:
            client.call("two_person_approval", "approve", {"payment": "1"})
        assert refused.value.answer.code == "require.failed"
    again, third = signed_in(node, provider, "alice-quux")
    assert third.user == first.user  # another key makes nobody another person
    with own(node, again) as client, pytest.raises(Refused):
        client.call("two_person_approval", "approve", {"payment": "1"})
    with own(node, bob) as client:
        client.call("two_person_approval", "approve", {"payment": "1"})
        row = client.record("two_person_approval", "Payment", "1").value
    assert (row["state"], row["proposer"], row["approver"]) == ("Approved", first.user, second.user)


def test_people_sign_in_from_another_machine_and_read_with_the_key_of_their_session(node, provider):
    key, url = keys.generate("p256"), node.fields["listen"]["url"]
    token = provider.token(NORTH, "bob-quux", session.nonce_of(key.public.spki))
    with Client(url, certificates=node.root / "authority.pem") as client:
        found = client.sign_in(key, token)
    assert found.user.startswith("northbank/")
    with Client(url, key, node.ledger.hex()) as client:
        assert client.status().ledger == node.ledger.hex()
    assert token not in node.log.read_text()


def test_what_a_token_does_not_confer_nobody_has(node, provider):
    key, found = signed_in(node, provider, "carol-quux")
    assert found.attributes == []
    amount = {"minor": 500, "currency": "USD"}
    with own(node, key) as client, pytest.raises(Refused) as refused:
        client.call("two_person_approval", "propose", {"id": "2", "to": "eastmutual", "amount": amount, "purpose": "x"})
    assert refused.value.answer.code == "role.denied"


def test_asked_again_the_same_session_is_told(node, provider):
    key = keys.generate("ed25519")
    token = provider.token(NORTH, "alice-quux", session.nonce_of(key.public.spki))
    with own(node) as client:
        first = client.sign_in(key, token)
        entries = client.status().entries
        assert client.sign_in(key, token) == first
        assert client.status().entries == entries
    other = provider.token(NORTH, "bob-quux", session.nonce_of(key.public.spki))
    assert refusal(node, key, other) == "session.refused"


def test_what_stands_on_the_ledger(node, provider):
    key = keys.generate("p256")
    token = provider.token(NORTH, "alice-quux", session.nonce_of(key.public.spki))
    with own(node) as client:
        found = client.sign_in(key, token)
        row = client.record("members", "Session", key.kid).value
        user = client.record("members", "User", found.user).value
    assert row["token"] == tokens.read(token).digest
    assert (row["issuer"], row["user"], row["held"]) == ("north", found.user, True)
    assert found.user == f"northbank/{row['pseudonym'].hex()}"
    assert user["attributes"] == ["desk:clerk", "may:pay"]
    assert found.until == tokens.read(token).claims.exp * 1000


def test_a_token_of_another_tenant_with_an_equal_subject(node, provider):
    """harbourline's issuer is on the same ledger; at northbank's node its tokens count for nothing."""
    key = keys.generate("p256")
    token = provider.token(SOUTH, "alice-quux", session.nonce_of(key.public.spki))
    assert refusal(node, key, token) == "token.issuer"


def test_requests_that_are_not_signed_by_the_key_of_the_token(node, provider):
    mine, other = keys.generate("p256"), keys.generate("p256")
    token = provider.token(NORTH, "alice-quux", session.nonce_of(other.public.spki))
    assert refusal(node, mine, token) == "token.nonce"  # a stolen token, with a key of one's own
    with own(node) as client:
        status = client.status()
    body = session.seal(other, node.ledger, token, status.now + 60_000)

    def code(envelope, kind="application/cose"):
        answer = httpx2.post(f"{node.url}/app/sessions", content=envelope, headers={"content-type": kind})
        return answer.json()["code"]

    changed = body[:-1] + bytes([body[-1] ^ 1])
    parts = cose.split(body)
    stolen = cose.join(cose.protected_header(mine.algorithm, cose.SESSION, mine.kid), parts.payload, parts.signature)
    assert code(changed) == "session.proof"
    assert code(stolen) == "session.proof"
    assert code(cose.seal(mine, cose.SESSION, parts.payload)) == "session.proof"
    assert code(cose.seal(other, cose.TRANSACTION, parts.payload)) == "envelope.content_type"
    assert code(cose.seal(other, cose.SESSION, b"\xa0")) == "session.form"
    assert code(b"") == "envelope.form"
    assert code(b"\xd2\x84" + b"a" * 20_000) == "session.form"
    assert code(body, "application/json") == "request.content_type"
    assert code(session.seal(other, bytes(32), token, status.now + 60_000)) == "transaction.ledger"
    assert code(session.seal(other, node.ledger, token, status.now - 60_000)) == "session.form"
    assert code(session.seal(other, node.ledger, token, status.now + 4_000_000)) == "session.form"
    assert code(session.seal(other, node.ledger, token + "A", status.now + 60_000)) == "token.signature"


def test_a_session_request_is_no_transaction(node, provider):
    key, _ = signed_in(node, provider, "alice-quux")
    envelope = session.seal(key, node.ledger, "a.b.c", 10**13)
    assert node.submit(envelope).code == "envelope.content_type"


# What the member's key may say


def register(server, by="northbank", signer=None, **fields):
    """The outcome of a registration that somebody makes past the node's checks."""
    key = keys.generate("p256")
    with own(server) as client:
        now = client.status().now
        usual = {
            "issuer": "north",
            "spki": key.public.spki,
            "pseudonym": b"p" * 16,
            "token": b"t" * 32,
            "until": now + 60_000,
            "attributes": ["may:pay"],
            "held": True,
        }
        made = transactions.prepare(
            signer or server.keys[by], server.ledger, "members", "register_session", {**usual, **fields}
        )
        return key, server.submit(made).json()


def test_a_member_confers_only_what_its_issuer_may(node):
    assert register(node)[1]["code"] == "ok"
    for fields in (
        {"attributes": ["licence:bank"]},
        {"attributes": ["ledger:deployer"]},
        {"issuer": "south"},
        {"until": 10**13},
        {"until": 1},
    ):
        assert register(node, **fields)[1]["code"] == "require.failed", fields
    assert register(node, issuer="nobody")[1]["code"] == "record.missing"
    assert register(node, by="harbourline")[1]["code"] == "require.failed"
    assert register(node, spki=b"\x00" * 91)[1]["code"] == "key.unsupported"
    assert register(node, spki=node.keys["eastmutual"].public.spki)[1]["code"] == "record.exists"


def test_no_user_registers_sessions(node, provider):
    """Neither one with a registered key, nor one who signed in: else they could give themselves attributes."""
    ana = keys.load(node.root / "keys" / "users" / "northbank" / "ana.pem")
    assert register(node, signer=ana)[1]["code"] == "require.failed"
    key, _ = signed_in(node, provider, "alice-quux")
    assert register(node, signer=key)[1]["code"] == "require.failed"


# Asserted by the member


def asserted(server, provider, who):
    """The secret of a session whose key the node holds, and what was answered to its token."""
    begun = post(server, "/app/sessions/asserted", {}).json()
    token = provider.token(NORTH, who, begun["nonce"])
    return begun["session"], post(server, "/app/sessions/asserted/token", {"session": begun["session"], "token": token})


def wish(server, secret, contract, action, arguments):
    body = {"session": secret, "contract": contract, "action": action, "arguments": arguments}
    return post(server, "/app/sessions/asserted/transactions", body)


def test_who_holds_no_key_is_asserted_and_signs_nothing(node, provider, tmp_path):
    secret, answer = asserted(node, provider, "alice-quux")
    found = answer.json()
    assert not found["held"]
    _, held = signed_in(node, provider, "alice-quux")
    assert found["user"] == held.user  # the same person
    told = wish(node, secret, "example_ledger", "tell", {"to": "eastmutual", "message": "hello"}).json()
    assert (told["status"], told["asserted"]) == ("applied", found["user"])
    with own(node) as client:
        looked = client.get(f"/app/transactions/{told['id']}")
    assert looked["decoded"]["asserted"] == found["user"]
    shown = hansa(node, "tx", "show", told["id"])
    assert "signed    by northbank, key" in shown
    assert f"asserted  by northbank, for {found['user']}, who did not sign" in shown
    assert f"signed    by {found['user']}" not in shown
    files = tmp_path / "asserted"
    hansa(node, "receipt", "get", str(told["seq"]), "--out", str(files))
    pinned = ("--ledger", node.ledger.hex(), "--genesis", str(node.root / "genesis.cbor"))
    proven = hansa(None, "receipt", "verify", str(files), *pinned)
    assert f"asserted for {found['user']}, who did not sign" in proven
    assert f"by {found['user']}" not in proven


def test_a_two_person_rule_takes_held_keys(node, provider):
    secret, _ = asserted(node, provider, "alice-quux")
    arguments = {"id": "3", "to": "eastmutual", "amount": {"minor": 5, "currency": "USD"}, "purpose": "x"}
    told = wish(node, secret, "two_person_approval", "propose", arguments).json()
    assert (told["status"], told["code"]) == ("refused", "role.denied")
    assert told["asserted"].startswith("northbank/")


def test_nothing_is_asserted_in_governance_nor_where_the_member_did_not_say_so(node, provider):
    secret, _ = asserted(node, provider, "alice-quux")
    answer = wish(node, secret, "members", "deploy", {"name": "x", "source": "x"})
    assert (answer.status_code, answer.json()["code"]) == (403, "session.asserted")
    assert wish(node, secret, "constitution", "nothing", {}).json()["code"] == "session.asserted"
    assert wish(node, secret, "nowhere", "nothing", {}).json()["code"] == "contract.missing"


def test_a_member_that_asserts_past_its_node_is_refused_in_governance(node):
    """The node's rule is also every node's: no key that a node holds for people reaches the contract `members`."""
    key, told = register(node, held=False)
    assert told["code"] == "ok"
    answer = node.submit(transactions.prepare(key, node.ledger, "members", "deploy", {"name": "x", "source": "x"}))
    assert answer.code == "sender.asserted"
    told = node.submit(
        transactions.prepare(key, node.ledger, "example_ledger", "tell", {"to": "eastmutual", "message": "x"})
    ).json()
    assert told["asserted"] == f"northbank/{(b'p' * 16).hex()}"


def test_the_node_asserts_only_for_whom_it_is_told_to(node, provider):
    _, answer = asserted(node, provider, "bob-quux")  # no clerk
    assert answer.json()["code"] == "session.asserted"


def test_sessions_that_there_are_not(node, provider):
    arguments = {"to": "eastmutual", "message": "hello"}
    assert wish(node, "nothing", "example_ledger", "tell", arguments).json()["code"] == "session.unknown"
    begun = post(node, "/app/sessions/asserted", {}).json()
    assert wish(node, begun["session"], "example_ledger", "tell", arguments).json()["code"] == "session.unknown"
    other = provider.token(NORTH, "alice-quux", session.nonce_of(keys.generate().public.spki))
    answer = post(node, "/app/sessions/asserted/token", {"session": begun["session"], "token": other})
    assert answer.json()["code"] == "token.nonce"


def test_sessions_that_strangers_begin_shut_nobody_out(node, provider):
    """Anybody may begin one, without a token: nothing is kept of it."""
    with httpx2.Client() as client:
        for _ in range(HELD_MAX + 50):
            assert client.post(f"{node.url}/app/sessions/asserted", json={}).status_code == 200
    _, answer = asserted(node, provider, "alice-quux")
    assert answer.status_code == 200


def test_a_session_that_was_begun_counts_at_this_node_and_as_it_was_made(node, provider):
    begun = post(node, "/app/sessions/asserted", {}).json()
    token = provider.token(NORTH, "alice-quux", begun["nonce"])
    made = base64.urlsafe_b64decode(begun["session"])
    longer = (int.from_bytes(made[:8], "big") + 1).to_bytes(8, "big") + made[8:]
    for other in (longer, made[:-1], made[:-1] + bytes([made[-1] ^ 1]), b"", bytes(48)):
        secret = base64.urlsafe_b64encode(other).decode() or "x"
        answer = post(node, "/app/sessions/asserted/token", {"session": secret, "token": token})
        assert answer.json()["code"] == "session.unknown"
    good = {"session": begun["session"], "token": token}
    first, again = (post(node, "/app/sessions/asserted/token", good).json() for _ in range(2))
    assert first == again
    assert first["user"].startswith("northbank/")


def test_nothing_of_a_person_is_kept(node, provider):
    """No subject, mail, name or token, as text or in base64, in the ledger's folder, beside it, or in the log."""
    key = keys.generate("p256")
    texts = [provider.token(NORTH, "alice-quux", session.nonce_of(key.public.spki))]
    assert refusal(node, keys.generate("p256"), texts[0]) == "token.nonce"  # refusals are logged and counted, too
    with own(node) as client:
        client.sign_in(key, texts[0])
    secret, _ = asserted(node, provider, "alice-quux")
    node.until(lambda: client_entries(node) == node.entries())
    canaries = [name.encode() for name in SECRET_NAMES] + [b"mail.example", b"Name of", secret.encode()]
    canaries += [part.encode() for text in texts for part in text.split(".")[1:]]
    canaries.append((node.root.parent / "pseudonyms.secret").read_bytes())
    files = [path for path in node.root.parent.rglob("*") if path.is_file() and path.name != "pseudonyms.secret"]
    assert any(path.name.endswith(".log") for path in files)
    assert any(b"register_session" in path.read_bytes() for path in files)  # it would be found where it stands
    for path in files:
        data = path.read_bytes()
        assert not [canary for canary in canaries if canary in data], path


# Ends, restarts, and nodes with other keys


@pytest.fixture(scope="module")
def shared():
    """A provider at whose one issuer two members sign in, each with a client id of its own."""
    made = Provider(tenants())
    yield made
    made.stop()


@pytest.fixture
def told(shared, tmp_path_factory):
    """A node of northbank whose time is told, and the settings for harbourline's."""
    root = tmp_path_factory.mktemp("told")
    settings = root / "sign-in.toml"
    settings.write_text(
        'member = "northbank"\nkey = "ledger/keys/members/northbank.pem"\nsecret = "north.secret"\n'
        '[asserted]\nattribute = "desk:clerk"\ncontracts = ["example_ledger"]\n'
    )
    # Half an hour ahead: what is signed in the course of a slow test is neither of the future, nor old, nor ended.
    begin = (datetime.now(UTC) + timedelta(minutes=30)).replace(microsecond=0).isoformat()
    never = {"hansa.api.issuer_keys.REFETCH_S": 10**9}
    started = Server(root / "ledger", never, options=("--clock", begin, "--sign-in", str(settings)))
    try:
        set_issuer(started, "of-north", "northbank", shared.url(NORTH), "tenant-north")
        set_issuer(started, "of-harbour", "harbourline", shared.url(NORTH), "tenant-north", audience="another")
        assert started.submit(told_by(started, "members", "deploy", example())).json()["code"] == "ok"
        yield started
    finally:
        started.stop()


def example():
    return {"name": "example_ledger", "source": EXAMPLE.read_text()}


def told_by(server, contract, action, arguments, signer=None):
    """A transaction that is valid by the node's clock."""
    with own(server) as client:
        limit = client.status().now + 600_000
    steps = transactions.deploy_steps(arguments.get("source", ""))
    key = signer or server.keys["northbank"]
    return transactions.prepare(
        key, server.ledger, contract, action, arguments, not_after=limit, steps_max=min(steps, 1_000_000)
    )


def tell(server, key, message="hello"):
    """What comes of a message that this key signs."""
    body = {"to": "eastmutual", "message": message}
    return server.submit(told_by(server, "example_ledger", "tell", body, key)).json()


def test_a_session_ends_with_its_token(told, shared):
    key, found = signed_in(told, shared, "alice-quux")
    assert tell(told, key)["code"] == "ok"
    with own(told) as client:
        client.tell_time(found.until - 1)
    assert tell(told, key)["code"] == "ok"  # to the last millisecond
    with own(told) as client:
        client.tell_time(found.until)
        assert tell(told, key)["code"] == "sender.expired"
        client.tell_time(found.until + 7_200_000)
    late = keys.generate("p256")
    token = shared.token(NORTH, "alice-quux", session.nonce_of(late.public.spki))
    assert refusal(told, late, token) == "token.time"


def test_a_session_that_was_begun_waits_ten_minutes_for_its_token(told, shared):
    early, late = (post(told, "/app/sessions/asserted", {}).json() for _ in range(2))

    def show(begun):
        token = shared.token(NORTH, "alice-quux", begun["nonce"])
        return post(told, "/app/sessions/asserted/token", {"session": begun["session"], "token": token}).json()

    found = show(early)
    assert found["user"].startswith("northbank/")
    with own(told) as client:
        client.tell_time(client.status().now + BEGIN_MS)
    assert show(late)["code"] == "session.unknown"
    assert show(early) == found, "it is there, and told again"
    with own(told) as client:
        client.tell_time(found["until"])
    assert show(early)["code"] == "session.unknown"


def test_nodes_with_other_keys_of_an_issuer_come_to_the_same(told, shared):
    """One member's node has the issuer's old keys, another's its new ones; what they register is the same everywhere.

    Then the issuer is gone, and whoever has the ledger finds every entry again: nobody who executes fetches anything.
    """
    key, first = signed_in(told, shared, "alice-quux")
    shared.restart(tenants(north="rotated"))
    mine = keys.generate("p256")
    stale = shared.token(NORTH, "alice-quux", session.nonce_of(mine.public.spki))
    assert refusal(told, mine, stale) == "token.unknown_key"  # northbank's node has the old ones
    other = keys.generate("p256")
    token = shared.token(NORTH, "alice-quux", session.nonce_of(other.public.spki), client="another")
    with own(told) as client:
        member = keys.load(told.root / "keys" / "members" / "harbourline.pem")
        settings = sign_in.SignIn("harbourline", member, b"h" * 32, None)
        second = asyncio.run(registered_elsewhere(client, settings, told.ledger, other, token))
    assert second.split("/")[0] == "harbourline"
    assert second.split("/")[1] != first.user.split("/")[1]  # nor can members tell that it is one person
    assert [tell(told, one)["code"] for one in (key, other)] == ["ok", "ok"]
    shared.stop()
    try:
        copy = told.root.parent / "copy"
        entries = told.entries()
        told.stop()
        shutil.copytree(told.root, copy)
        done = subprocess.run(
            [sys.executable, "-m", "hansa.cli.main", "audit", str(copy), "--json"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert json.loads(done.stdout)["entries"] == entries
    finally:
        shared.start(tenants())


async def registered_elsewhere(client, settings, ledger, key, token):
    """What harbourline's node does for somebody who signs in there: the same code, over this ledger as it is."""
    issuers = [
        msgspec.convert({**row.value, "rules": row.value["rules"]}, Issuer)
        for row in client.records("members", "Issuer")
    ]
    found = tokens.read(token)
    issuer = tokens.issuer_of(found, [one for one in issuers if one.member == settings.member])
    async with issuer_keys.own_client() as web:
        fetched = await IssuerKeys(web).of(issuer.url)
    now = client.status().now
    verified = tokens.verify(found, issuer, fetched, key.public.spki, now)
    arguments = {
        "issuer": issuer.id,
        "spki": key.public.spki,
        "pseudonym": tokens.pseudonym(settings.secret, verified),
        "token": verified.digest,
        "until": verified.until,
        "attributes": conferred(issuer, verified.claims),
        "held": True,
    }
    made = transactions.prepare(settings.key, ledger, "members", "register_session", arguments, not_after=now + 60_000)
    client.submit(made.envelope)
    return client.record("members", "Session", key.kid).value["user"]


def test_nodes_that_execute_have_nothing_to_fetch_with():
    """Neither what runs entries nor what audits them imports what verifies tokens."""
    code = "import sys, hansa.node.audit, hansa.node.node as _; print([m for m in sys.modules if m[:7] in %s])"
    code %= "('joserfc', 'hansa.a')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


def client_entries(server):
    with own(server) as client:
        return client.status().entries


def hansa(server, *words, code=0):
    """The output of a command, over the server's folder if it needs one."""
    folder = [] if server is None else ["--data", str(server.root)]
    command = [sys.executable, "-m", "hansa.cli.main", *words, *folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout
