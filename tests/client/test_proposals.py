"""Proposals between the JSON that people write and the steps that a ledger takes."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from hansa.client import proposals
from hansa.wire import cbor, jsonform
from hansa.wire.problems import HansaError
from hansa.wire.session import ALGORITHMS

jsonschema_rs = pytest.importorskip("jsonschema_rs")

SCHEMA = jsonschema_rs.Draft202012Validator(proposals.schema())
SPKI = bytes.fromhex("302a300506032b6570032100") + bytes.fromhex(
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"  # RFC 8032 section 7.1, test 1
)


@pytest.fixture
def pem(make_key):
    return make_key("es256", "new member").public.pem().decode()


def everything(pem):
    """Each action once, with every argument."""
    keys = [
        {"purpose": "governance", "pem": pem, "expires": "2030-01-01"},
        {"purpose": "transaction", "spki": SPKI.hex()},
    ]
    given = {
        "set_member": {"member_id": "newbank", "name": "New Bank", "keys": keys, "attributes": ["b", "a"], "weight": 0},
        "remove_member": {"member_id": "newbank"},
        "set_member_data": {"member_id": "newbank", "name": "Newer", "attributes": [], "weight": 7},
        "set_member_keys": {"member_id": "newbank", "keys": keys},
        "trust_node": {"node_id": "newbank-1"},
        "retire_node": {"node_id": "newbank-1"},
        "set_user": {"user_id": "newbank/ana", "name": "Ana", "keys": keys[1:], "attributes": ["may:pay"]},
        "remove_user": {"user_id": "newbank/ana"},
        "set_user_data": {"user_id": "newbank/ana", "attributes": []},
        "set_contract": {"name": "shop", "source": "# a contract"},
        "set_library": {"name": "days", "source": "# a library"},
        "pause_contract": {"name": "shop"},
        "resume_contract": {"name": "shop"},
        "set_constitution": {"source": "# rules", "lock_ms": 5_000},
        "set_jwt_issuer": {
            "issuer_id": "entra",
            "member_id": "newbank",
            "issuer": "https://login.example/v2.0",
            "tenant": "t-1",
            "audience": "hansa",
            "algorithms": ["RS256", "ES256"],
            "rules": [
                {"claim": "roles", "value": "Payer", "attribute": "may:pay"},
                {"claim": "groups", "value": "g 1", "attribute": "may:see"},
            ],
        },
        "remove_jwt_issuer": {"issuer_id": "entra"},
        "set_limits": {"block_steps": 3_000_000, "transaction_bytes": 4_096},
        "set_reference": {"name": "zone:Berlin", "valid_from": "2030-01-01T00:00:00Z", "data": "+1"},
    }
    return {"actions": [{"name": name, "args": args} for name, args in given.items()]}


def problems_of(proposal):
    with pytest.raises(HansaError) as caught:
        proposals.read(proposal)
    assert caught.value.code == "proposal.form"
    return caught.value.fields["problems"]


def test_every_action_goes_there_and_back(pem):
    written = everything(pem)
    assert {action["name"] for action in written["actions"]} == set(proposals.ACTIONS), "each has its example here"
    SCHEMA.validate(written)
    read = proposals.read(written)
    assert all(step.keys() == proposals.EMPTY.keys() for step in read.steps)
    again = jsonform.plain(proposals.shown(read.steps))
    SCHEMA.validate(again)
    assert proposals.read(again).steps == read.steps
    assert [a["args"].keys() - {"keys"} for a in again["actions"]] == [
        a["args"].keys() - {"keys"} for a in written["actions"]
    ]
    cbor.encode({"steps": read.steps})  # fit to be signed


def test_what_a_step_is(pem):
    step = proposals.read(everything(pem)).steps[0]
    assert (step["subject"], step["title"], step["weight"]) == ("newbank", "New Bank", 0)
    assert step["attributes"] == ["a", "b"], "sorted, so that equal proposals are equal"
    assert step["keys"][1] == {"purpose": "transaction", "spki": SPKI, "expires": None}
    assert step["keys"][0]["expires"] == 1_893_456_000_000
    by_name = {step["name"]: step for step in proposals.read(everything(pem)).steps}
    assert by_name["set_limits"]["numbers"] == {"block_steps": 3_000_000, "transaction_bytes": 4_096}
    assert by_name["set_member_data"]["attributes"] == [], "none is not the same as not said"
    assert by_name["set_user_data"]["title"] == ""
    assert by_name["set_jwt_issuer"]["texts"] == {
        "member": "newbank",
        "url": "https://login.example/v2.0",
        "tenant": "t-1",
        "audience": "hansa",
        "algorithms": "RS256,ES256",
        "rule00": "roles\nPayer\nmay:pay",
        "rule01": "groups\ng 1\nmay:see",
    }


def test_steps_of_one_proposal_share_nothing():
    pause = {"name": "pause_contract", "args": {"name": "shop"}}
    first, second = proposals.read({"actions": [pause, pause]}).steps
    first["numbers"]["x"] = 1
    assert second["numbers"] == {}
    assert proposals.EMPTY["numbers"] == {}


def test_a_title_says_what_it_does():
    pause = {"name": "pause_contract", "args": {"name": "shop"}}
    assert proposals.read({"actions": [pause]}).title == "pause_contract shop"
    assert proposals.read({"actions": [pause], "title": "Stop the shop"}).title == "Stop the shop"
    long = proposals.read({"actions": [pause] * 32}).title
    assert (len(long), long[-3:]) == (80, "...")


@pytest.mark.parametrize(
    ("proposal", "problems"),
    [
        ([], ['$: must be a map such as {"actions": [{"name": "remove_member", "args": {...}}]}']),
        ({}, ["$.actions: must be a list of actions, each with `name` and `args`"]),
        ({"actions": []}, ["$.actions: must have 1 to 32 actions, not 0"]),
        (
            {"action": [], "actions": [5, {"name": "set_membr", "arg": {}}, {"name": ["x"]}], "title": ""},
            [
                "$.action: there is no such field; did you mean actions?",
                "$.actions[0]: must be a map with `name` and `args`",
                "$.actions[1].arg: there is no such field; an action has `name` and `args`",
                "$.actions[1].name: there is no action 'set_membr'; did you mean set_member?",
                "$.actions[2].name: must be the name of an action",
                "$.title: must have 1 to 80 characters, not 0",
            ],
        ),
        (
            {"actions": [{"name": "set_member_data", "args": {"member": "a", "member_id": "A"}}]},
            [
                "$.actions[0].args.member: set_member_data has no such argument; did you mean member_id?",
                "$.actions[0].args.member_id: 'A' is not the name of a member: lower-case letters, digits and hyphens",
                "$.actions[0].args: changes nothing; give at least one of name, attributes, weight",
            ],
        ),
        (
            {"actions": [{"name": "remove_member", "args": {}}], "closes": "soon", "title": None},
            [
                "$.actions[0].args.member_id: is missing",
                "$.title: must be text",
                "$.closes: 'soon' is not a time such as 2030-01-31T12:00:00Z or 2030-01-31",
            ],
        ),
        (
            {"actions": [{"name": "set_limits", "args": {"block_steps": 0, "block_bytes": True}}]},
            [
                "$.actions[0].args.block_bytes: must be a whole number",
                "$.actions[0].args.block_steps: must lie within 1 and 4000000",
            ],
        ),
        (
            {"actions": [{"name": "set_contract", "args": {"name": "shop", "source": {"file": "/etc/passwd"}}}]},
            ["$.actions[0].args.source: only the command line reads files; put the text here"],
        ),
        (
            {"actions": [{"name": "exclude_transaction", "args": {}}]},
            [
                "$.actions[0].name: exclude_transaction is decided while the ledger stands still: members sign with "
                "`hansa tx exclude`"
            ],
        ),
        (
            {
                "actions": [
                    {
                        "name": "set_jwt_issuer",
                        "args": {
                            "issuer_id": "entra",
                            "member_id": "a",
                            "issuer": "https://login.example",
                            "audience": "",
                            "algorithms": ["none", "HS256"],
                            "rules": [{"claim": "a\nb", "value": "x", "attribute": "OK"}, {"claim": "a"}],
                        },
                    }
                ]
            },
            [
                "$.actions[0].args.audience: must have 1 to 200 characters, not 0",
                f"$.actions[0].args.algorithms[0]: must be one of {', '.join(ALGORITHMS)}",
                f"$.actions[0].args.algorithms[1]: must be one of {', '.join(ALGORITHMS)}",
                "$.actions[0].args.rules[0].claim: 'a\\nb' is not one line of text",
                "$.actions[0].args.rules[0].attribute: 'OK' is no attribute: write it in lower case, such as "
                "licence:bank",
                "$.actions[0].args.rules[1]: must be a map with `claim`, `value` and `attribute`",
            ],
        ),
        ({"actions": [{"name": "pause_contract", "args": []}]}, ["$.actions[0].args: must be a map"]),
        (
            {"actions": [{"name": "set_user_data", "args": {"user_id": "a/b", "attributes": ["Up", 5, "fine"]}}]},
            [
                "$.actions[0].args.attributes[0]: 'Up' is no attribute: write it in lower case, such as licence:bank",
                "$.actions[0].args.attributes[1]: '5' is no attribute: write it in lower case, such as licence:bank",
            ],
        ),
    ],
)
def test_every_problem_is_told_at_once_with_its_place(proposal, problems):
    assert problems_of(proposal) == problems


def test_problems_of_keys(make_key, pem):
    private = make_key("es256", "new member").pem().decode()
    small = bytes.fromhex("302a300506032b6570032100") + bytes(31) + b"\x80"
    keys = [
        {"purpose": "checkpoint", "pem": pem},
        {"purpose": "governance", "pem": pem, "spki": SPKI.hex()},
        {"purpose": "governance", "pem": private},
        {"purpose": "governance", "spki": small.hex()},
        {"purpos": "governance", "spki": "zz", "expires": True},
        "key",
        {"purpose": "governance", "spki": SPKI.hex()},
        {"purpose": "transaction", "spki": SPKI.hex()},
    ]
    at = "$.actions[0].args.keys"
    assert problems_of({"actions": [{"name": "set_member_keys", "args": {"member_id": "a", "keys": keys}}]}) == [
        f"{at}[0].purpose: must be one of governance, transaction",
        f"{at}[1]: give the public key either as `pem` or as `spki`",
        f"{at}[2].pem: is a private key, which stays with its owner; give the public one",
        f"{at}[3].spki: the Ed25519 key is not canonical or not in the prime-order subgroup",
        f"{at}[4].purpos: a key has no such field; did you mean purpose?",
        f"{at}[4].purpose: is missing: one of governance, transaction",
        f"{at}[4].spki: is no public key, neither as PEM nor as hexadecimal SubjectPublicKeyInfo",
        f"{at}[4].expires: must be a time such as 2030-01-31T12:00:00Z, or milliseconds since 1970",
        f"{at}[5]: must be a map with `purpose`, and the public key as `pem` or `spki`",
        f"{at}: names one key twice: a key is registered once, for one purpose",
    ]


def test_an_action_of_a_newer_ledger_is_shown_as_it_stands():
    step = {**proposals.EMPTY, "name": "set_weather", "subject": "sun", "numbers": {"degrees": 30}}
    assert proposals.shown([step]) == {
        "actions": [{"name": "set_weather", "args": {"subject": "sun", "numbers": {"degrees": 30}}}]
    }


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["governance", SPKI.hex(), "a/b"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["purpose", "spki", "pem", "expires", "file"]), inner, max_size=3)
    ),
    max_leaves=6,
)
ARGUMENTS = sorted({name for action in proposals.ACTIONS.values() for name in action.arguments})
PROPOSALS = st.fixed_dictionaries(
    {
        "actions": st.lists(
            st.fixed_dictionaries(
                {
                    "name": st.sampled_from([*proposals.ACTIONS, "other"]),
                    "args": st.dictionaries(st.sampled_from(ARGUMENTS), VALUES, max_size=5),
                }
            ),
            max_size=3,
        )
    },
    optional={"title": VALUES, "closes": VALUES},
)


@given(PROPOSALS)
@seed(1)
@settings(max_examples=300, database=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_read_fits_the_schema_and_anything_else_is_refused(proposal):
    try:
        read = proposals.read(msgspec.json.decode(msgspec.json.encode(proposal)))
    except HansaError as error:
        assert error.code == "proposal.form"
        assert error.fields["problems"]
        return
    assert 1 <= len(read.steps) <= 32
    cbor.encode({"steps": read.steps})
    SCHEMA.validate(jsonform.plain(proposals.shown(read.steps)))
