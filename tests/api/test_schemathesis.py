"""The API as its own description promises it: requests made from the OpenAPI document, good ones and bad ones.

`schemathesis` makes the requests, the same in every run, and checks each answer: its status is one that is described,
its content type and body are, what does not fit the description is refused, and nothing is a server's failure.
"""

import pytest
import schemathesis
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from tests.api.conftest import EXAMPLE

from hansa.api import openapi
from hansa.client import keys, proposals, transactions
from hansa.contracts import program
from hansa.node import shipped
from hansa.node.create import members_source
from hansa.wire import cose

EXAMPLES = 50
LIBRARY = program.check(shipped.library(), shipped.LIBRARY)
DESCRIPTION = openapi.document(
    [
        program.check(shipped.constitution("majority"), "constitution", {LIBRARY.digest: LIBRARY}).manifest,
        program.check(EXAMPLE.read_text(), "example_ledger").manifest,
        program.check(members_source(), "members", system=True).manifest,
    ]
)


WAITING = ("at_least", "consistency")


def at_once(described):
    """The same without what a read may wait for: an entry that never comes is a refusal of what is well formed."""
    if isinstance(described, dict):
        return {key: at_once(value) for key, value in described.items()}
    if isinstance(described, list):
        return [at_once(one) for one in described if not (isinstance(one, dict) and one.get("name") in WAITING)]
    return described


schema = schemathesis.openapi.from_dict(at_once(DESCRIPTION))
# A description can only say that a transaction is bytes. Requests are made before there is a server, so they name
# an envelope that is put in when they are sent.
envelopes: dict[bytes, bytes] = {}
PAUSE = proposals.read({"actions": [{"name": "pause_contract", "args": {"name": "example_ledger"}}]})
for media_type in ("application/cose", "application/cbor-seq"):
    schemathesis.openapi.media_type(media_type, st.sampled_from([b"applied", b"also applied", b"refused", b"proposed"]))


@schemathesis.serializer("application/cose", "application/cbor-seq")
def enveloped(_, value):
    return envelopes.get(value, value)


@pytest.fixture(scope="module", autouse=True)
def signed(server):
    envelopes[b"applied"] = server.tell().envelope
    envelopes[b"also applied"] = server.tell(by="eastmutual").envelope
    envelopes[b"refused"] = server.prepare().envelope
    envelopes[b"proposed"] = transactions.prepare(
        keys.load(server.root / "keys" / "governance" / "northbank.pem"),
        server.ledger,
        "members",
        "propose",
        {"title": "Pause", "steps": PAUSE.steps, "closes": None},
        steps_max=200_000,
        content_type=cose.GOVERNANCE,
    ).envelope


def test_this_is_the_description_that_the_node_gives(client):
    assert client.get("/openapi.json").json() == DESCRIPTION


GOVERNANCE = "^/gov/"
ALL = {"database": None, "deadline": None, "suppress_health_check": list(HealthCheck)}


@schema.exclude(path_regex=GOVERNANCE).parametrize()
@seed(1)
@settings(max_examples=EXAMPLES, **ALL)
def test_every_answer_is_as_described(case, server):
    check(case, server)


@schema.include(path_regex=GOVERNANCE).parametrize()
@seed(1)
@settings(max_examples=EXAMPLES // 4, **ALL)  # most of them are lists of one kind
def test_every_answer_of_governance_is_as_described(case, server):
    check(case, server)


def check(case, server):
    if case.operation.label.endswith("/app/events"):  # no description says that an answer never ends
        case.query = {**(case.query or {}), "follow": "false"}
    answer = case.call(base_url=server.url, timeout=10)
    # A description cannot say that the content type decides what the query may ask for, nor that 0.0 is no integer,
    # which no signed message could hold; nor what an envelope was signed for, which keys and times are sound in a
    # proposal, which cursors were given out, and that one parameter needs another.
    unsaid = (
        b'"request.wait"',
        b'"request.json"',
        b'/problems/envelope.content_type"',
        b'/problems/proposal.path"',
        b'/problems/proposal.form"',
        b'/problems/query.cursor"',
        b'"k is for a receipt that is waited for',
    )
    excluded = [positive_data_acceptance] if any(code in answer.content for code in unsaid) else []
    if answer.status_code == 413:  # a refusal too, though the check's list of them has it not
        excluded.append(negative_data_rejection)
    case.validate_response(answer, excluded_checks=excluded)
