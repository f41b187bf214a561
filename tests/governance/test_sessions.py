"""Sessions on the ledger: who may register which key, what it may sign then and until when, the same on every node."""

import pytest

from hansa.client import proposals, transactions
from hansa.governance.directory import RECORDS, Directory
from hansa.testing.ledger import Ledger, Refused
from hansa.wire import cbor, entry
from hansa.wire.problems import HansaError
from hansa.wire.session import ALGORITHMS

PERSON = b"p" * 16
USER = f"north/{PERSON.hex()}"
RULES = [
    {"claim": "groups", "value": "payers", "attribute": "may:pay"},
    {"claim": "groups", "value": "clerks", "attribute": "desk:clerk"},
]
HOUR = 3_600_000

NOTES = '''"""Notes: anyone's, or a person's."""

from hansa.contract import Contract, Party, Record, Text, User, action, event


class Notes(Contract, version="1.0.0"):
    class Roles:
        writer: Party = Party(user="may:pay")

    class Note(Record, key="id"):
        id: Text[1, 16]
        by: User | None = None

    @action(by="member", creates="Note")
    def put(tx, note: Note, id: Text[1, 16]):
        note.by = tx.user

    @action(by="writer", creates="Note")
    def sign(tx, note: Note, id: Text[1, 16]):
        note.by = tx.user
'''


def issuer_of(member, **change):
    args = {
        "issuer_id": f"{member}-issuer",
        "member_id": member,
        "issuer": "https://issuer.example/v2.0",
        "tenant": "t",
        "audience": "hansa",
        "algorithms": ["RS256"],
        "rules": RULES,
    }
    return {"name": "set_jwt_issuer", "args": {**args, **change}}


def decide(ledger, *actions):
    """Has both members say yes."""
    steps = proposals.read({"title": "issuers", "actions": list(actions)}).steps
    proposal = ledger.propose("north", *steps)
    ledger.vote("north", proposal)
    ledger.vote("south", proposal)
    (found,) = [row for row in ledger.rows("members", "Proposal") if row["id"] == proposal]
    return found


@pytest.fixture(scope="module")
def founded():
    """Two members with an issuer each, and a contract; it is not to be changed."""
    ledger = Ledger(founders=["north", "south"])
    assert decide(ledger, issuer_of("north"), issuer_of("south"))["applied"]
    put = {"name": "set_contract", "args": {"name": "notes", "source": NOTES}}
    assert decide(ledger, put)["applied"]
    return ledger


@pytest.fixture
def ledger(founded):
    return founded.fork()


def register(ledger, key, by="north", signer=None, **change):
    usual = {
        "issuer": f"{by}-issuer",
        "spki": key.public.spki,
        "pseudonym": PERSON,
        "token": b"t" * 32,
        "until": ledger.clock.ms + HOUR,
        "attributes": ["may:pay"],
        "held": True,
    }
    return send(ledger, signer or by, "members", "register_session", {**usual, **change})


def send(ledger, who, contract, action, arguments):
    """The outcome of a transaction, past intake: a signer by name, or by key."""
    key = ledger._keys[who] if isinstance(who, str) else who
    nonce = len(ledger.entries).to_bytes(16)
    made = transactions.prepare(
        key, ledger.id, contract, action, arguments, not_after=ledger.clock.ms + 60_000, nonce=nonce
    )
    outcomes = []
    enter = ledger._enter

    def entered(sealed):
        outcomes.extend(entry.decode_outcome(item.outcome) for item in sealed.block.items)
        return enter(sealed)

    ledger._enter = entered
    try:
        ledger._block([made.envelope], ledger.clock.ms)
    finally:
        del ledger._enter
    return outcomes[-1]


@pytest.fixture(scope="module")
def key(make_key):
    return make_key("es256", "a session")


def test_a_session_is_a_user_with_what_its_issuer_confers(ledger, key):
    assert register(ledger, key).code == "ok"
    (user,) = [row for row in ledger.rows("members", "User") if row["id"] == USER]
    assert (user["member"], user["attributes"]) == ("north", ["may:pay"])
    outcome = send(ledger, key, "notes", "sign", {"id": "1"})
    assert (outcome.code, outcome.asserted) == ("ok", "")
    assert ledger.rows("notes", "Note") == [{"id": "1", "by": USER}]


def test_the_last_sign_in_says_what_a_person_may(ledger, key, make_key):
    register(ledger, key)
    assert register(ledger, make_key("eddsa", "another session"), attributes=[]).code == "ok"
    assert send(ledger, key, "notes", "sign", {"id": "1"}).code == "role.denied"


def test_a_session_ends_with_its_token_at_apply(ledger, key):
    """At its `exp` a token counts no more (RFC 7519 section 4.1.4), and nor does its session."""
    register(ledger, key)
    ledger.clock.advance(milliseconds=HOUR - 1)
    assert send(ledger, key, "notes", "put", {"id": "1"}).code == "ok"
    ledger.clock.advance(milliseconds=1)
    with pytest.raises(HansaError) as caught:
        send(ledger, key, "notes", "put", {"id": "2"})
    assert caught.value.code == "sender.expired"


def test_a_user_has_so_many_sessions_and_those_that_ended_do_not_count(ledger, make_key):
    made = [make_key("es256", f"session {number}") for number in range(32)]
    assert {register(ledger, one).code for one in made[1:]} == {"ok"}
    assert register(ledger, make_key("eddsa", "the last"), until=ledger.clock.ms + 2 * HOUR).code == "ok"
    assert register(ledger, made[0]).code == "require.failed"
    ledger.govern("north", "revoke_key", {"key": made[1].kid})
    assert register(ledger, made[0]).code == "ok"
    ledger.clock.advance(hours=1)
    ledger.clock.advance(milliseconds=1)

    def held():
        return sum(row["holder"] == USER for row in ledger.rows("members", "Key"))

    assert held() == 32
    assert register(ledger, make_key("eddsa", "next hour")).code == "ok"
    assert held() == 29
    with pytest.raises(HansaError) as caught:
        send(ledger, made[5], "notes", "put", {"id": "2"})
    assert caught.value.code == "sender.expired"


def test_no_session_has_a_key_that_a_proposal_names(ledger, key):
    step = {"name": "set_member_keys", "subject": "north", "keys": [{"purpose": "governance", "spki": key.public.spki}]}
    ledger.propose("north", step)
    assert register(ledger, key, by="south").code == "require.failed"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"attributes": ["licence:bank"]}, "require.failed"),
        ({"attributes": ["ledger:deployer"]}, "require.failed"),
        ({"attributes": ["ledger:governance"]}, "require.failed"),
        ({"issuer": "south-issuer"}, "require.failed"),
        ({"issuer": "nobody"}, "record.missing"),
        ({"until": 24 * HOUR + 1}, "require.failed"),
        ({"until": 0}, "require.failed"),
        ({"spki": b"\x00" * 91}, "key.unsupported"),
        ({"pseudonym": b"short"}, "arguments.invalid"),
        ({"token": b"short"}, "arguments.invalid"),
    ],
    ids=str,
)
def test_what_a_member_cannot_register(ledger, key, change, code):
    if "until" in change:
        change = {"until": ledger.clock.ms + change["until"]}
    assert register(ledger, key, **change).code == code


def test_a_key_is_registered_once(ledger, key):
    register(ledger, key)
    assert register(ledger, key).code == "record.exists"
    assert register(ledger, key, by="south").code == "record.exists"
    assert register(ledger, ledger._keys["south"]).code == "record.exists"


def test_equal_pseudonyms_of_two_members_are_two_users(ledger, key, make_key):
    register(ledger, key)
    assert register(ledger, make_key("eddsa", "of south"), by="south").code == "ok"
    users = {row["id"] for row in ledger.rows("members", "User")}
    assert users == {USER, f"south/{PERSON.hex()}"}


def test_no_user_registers_sessions(ledger, key, make_key):
    """Else whoever signed in could go on for ever, and give themselves attributes."""
    register(ledger, key)
    other = make_key("eddsa", "another session")
    assert register(ledger, other, signer=key).code == "require.failed"
    assert register(ledger, other, signer=key, held=False).code == "require.failed"


def test_a_governance_key_registers_no_sessions(ledger, key):
    register(ledger, key)  # the same arguments are good
    with pytest.raises(Refused) as refused:
        ledger.govern(
            "north",
            "register_session",
            {
                "issuer": "south-issuer",
                "spki": key.public.spki,
                "pseudonym": PERSON,
                "token": b"t" * 32,
                "until": ledger.clock.ms + HOUR,
                "attributes": [],
                "held": True,
            },
        )
    assert refused.value.answer.code == "require.failed"


def test_a_removed_issuer_signs_nobody_in(ledger, key):
    assert decide(ledger, {"name": "remove_jwt_issuer", "args": {"issuer_id": "north-issuer"}})["applied"]
    assert register(ledger, key).code == "require.failed"


def test_sessions_go_on_when_their_issuer_is_removed_until_their_key_is_revoked(ledger, key):
    register(ledger, key)
    assert decide(ledger, {"name": "remove_jwt_issuer", "args": {"issuer_id": "north-issuer"}})["applied"]
    assert send(ledger, key, "notes", "put", {"id": "1"}).code == "ok"
    ledger.govern("north", "revoke_key", {"key": key.kid})
    with pytest.raises(HansaError) as caught:
        send(ledger, key, "notes", "put", {"id": "2"})
    assert caught.value.code == "sender.revoked"


def test_a_removed_user_does_not_come_back_by_signing_in(ledger, key, make_key):
    register(ledger, key)
    assert decide(ledger, {"name": "remove_user", "args": {"user_id": USER}})["applied"]
    with pytest.raises(HansaError) as caught:
        send(ledger, key, "notes", "put", {"id": "1"})
    assert caught.value.code == "sender.revoked"
    assert register(ledger, make_key("eddsa", "another session")).code == "require.failed"


def test_a_revoked_session_key_signs_nothing(ledger, key):
    register(ledger, key)
    ledger.govern("north", "revoke_key", {"key": key.kid})
    with pytest.raises(HansaError) as caught:
        send(ledger, key, "notes", "put", {"id": "1"})
    assert caught.value.code == "sender.revoked"


def test_shared_secrets_are_refused_when_they_are_written():
    with pytest.raises(HansaError) as caught:
        proposals.read({"title": "t", "actions": [issuer_of("north", algorithms=["HS256"])]})
    assert caught.value.code == "proposal.form"


def test_whatever_algorithm_can_be_written_the_ledger_takes(ledger):
    assert decide(ledger, issuer_of("north", algorithms=list(ALGORITHMS)))["applied"]


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        ({"algorithms": "RS256,HS256"}, "HS256"),
        ({"algorithms": "none"}, "none"),
        ({"rule0": "groups\npayers\nledger:deployer"}, "ledger:deployer"),
    ],
)
def test_issuers_that_the_ledger_refuses_whoever_votes_for_them(ledger, texts, why):
    (step,) = proposals.read({"title": "t", "actions": [issuer_of("north")]}).steps
    step["texts"] |= texts
    proposal = ledger.propose("north", step)
    ledger.vote("north", proposal)
    ledger.vote("south", proposal)
    (found,) = [row for row in ledger.rows("members", "Proposal") if row["id"] == proposal]
    assert found["state"] == "Failed"
    failed = ledger.entries[-1].event("proposal.failed")
    assert why in str(failed)


# Keys that a node holds


def test_what_a_member_asserts_is_no_users(ledger, key):
    assert register(ledger, key, held=False).code == "ok"
    outcome = send(ledger, key, "notes", "put", {"id": "1"})
    assert (outcome.code, outcome.asserted) == ("ok", USER)
    assert ledger.rows("notes", "Note") == [{"id": "1", "by": None}]
    outcome = send(ledger, key, "notes", "sign", {"id": "2"})
    assert (outcome.status, outcome.code, outcome.asserted) == ("refused", "role.denied", USER)


def test_nothing_is_asserted_to_the_kernel(ledger, key, make_key):
    register(ledger, key, held=False)
    outcome = register(ledger, make_key("eddsa", "another session"), signer=key)
    assert (outcome.code, outcome.asserted) == ("sender.asserted", USER)


def test_whose_hands_a_key_is_in_is_known_after_a_restart(ledger, key, make_key):
    """The directory that is made again from the records, in any order, is the one that was fed as they came."""
    held = make_key("eddsa", "another session")
    register(ledger, key, held=False)
    register(ledger, held)
    for order in (RECORDS, tuple(sorted(RECORDS, key=lambda name: name == "Key"))):
        again = Directory(ledger.programs["members"])
        for record in order:
            for stored in ledger._memory.select("members", record, None, None, None, 10_000):
                again.apply_record(record, stored[1].value, stored[1].seq)
        assert again.senders[key.kid].asserted == USER
        assert again.senders[key.kid].person is None
        assert again.senders[held.kid].person == USER
        assert {kid: sender.user for kid, sender in again.senders.items()} == {
            kid: sender.user for kid, sender in ledger._directory.senders.items()
        }
    assert ledger.fork()._directory.senders[key.kid].asserted == USER


def test_a_key_record_written_again_keeps_whose_hands_it_is_in(ledger, key):
    register(ledger, key, held=False)
    (row,) = [row for row in ledger.rows("members", "Key") if row["kid"] == key.kid]
    directory = ledger._directory.copy()
    directory.apply_record("Key", cbor.encode(row), 99)
    assert directory.senders[key.kid].asserted == USER


def test_two_nodes_come_to_the_same_without_any_token(founded, key, make_key):
    """What they execute is the members' word; whose keys an issuer had then is in nothing that they hash."""
    one, other = founded.fork(), founded.fork()
    for node in (one, other):
        register(node, key)
        register(node, make_key("eddsa", "of south"), by="south", held=False)
        send(node, key, "notes", "sign", {"id": "1"})
    assert one._tiles.root() == other._tiles.root()
    assert one._tiles.root() != founded._tiles.root()
