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
from hansa.contracts import program
from hansa.node.create import members_source

EXAMPLES = 50
DESCRIPTION = openapi.document(
    [
        program.check(EXAMPLE.read_text(), "example_ledger").manifest,
        program.check(members_source(), "members", system=True).manifest,
    ]
)
schema = schemathesis.openapi.from_dict(DESCRIPTION)
# A description can only say that a transaction is bytes. Requests are made before there is a server, so they name
# an envelope that is put in when they are sent.
envelopes: dict[bytes, bytes] = {}
for media_type in ("application/cose", "application/cbor-seq"):
    schemathesis.openapi.media_type(media_type, st.sampled_from([b"applied", b"also applied", b"refused"]))


@schemathesis.serializer("application/cose", "application/cbor-seq")
def enveloped(_, value):
    return envelopes.get(value, value)


@pytest.fixture(scope="module", autouse=True)
def signed(server):
    envelopes[b"applied"] = server.tell().envelope
    envelopes[b"also applied"] = server.tell(by="eastmutual").envelope
    envelopes[b"refused"] = server.prepare().envelope


def test_this_is_the_description_that_the_node_gives(client):
    assert client.get("/openapi.json").json() == DESCRIPTION


@schema.parametrize()
@seed(1)
@settings(max_examples=EXAMPLES, database=None, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case, server):
    if case.operation.label.endswith("/app/events"):  # no description says that an answer never ends
        case.query = {**(case.query or {}), "follow": "false"}
    answer = case.call(base_url=server.url, timeout=10)
    # A description cannot say that the content type decides what the query may ask for, nor that 0.0 is no integer,
    # which no signed message could hold.
    unsaid = (b'"request.wait"', b'"request.json"')
    excluded = [positive_data_acceptance] if any(code in answer.content for code in unsaid) else []
    if answer.status_code == 413:  # a refusal too, though the check's list of them has it not
        excluded.append(negative_data_rejection)
    case.validate_response(answer, excluded_checks=excluded)
