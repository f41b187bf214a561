"""The OpenAPI description of contracts: what they declare refers to itself within the document."""

import pytest

from hansa.api import openapi
from hansa.contracts import program

jsonschema_rs = pytest.importorskip("jsonschema_rs")

DECLARED = """from hansa.contract import Contract, Enum, Record, Struct, action, event, view


class Kind(Enum):
    Sight = "payable at sight"


class Terms(Struct):
    kind: Kind


class Shop(Contract, version="1.0.0"):
    class Deal(Record, key="id"):
        id: int
        terms: Terms

    @action(by="member", creates="Deal")
    def agree(tx, deal: Deal, id: int, terms: Terms):
        event("agreed on: a deal", terms=terms)
        event("agreed", at=tx.time)

    @view
    def terms_of(tx, deal: Deal) -> Terms:
        return deal.terms
"""


def test_structs_and_enums_are_components_of_their_own():
    document = openapi.document([program.check(DECLARED, "shop").manifest, program.check(DECLARED, "store").manifest])
    schemas = document["components"]["schemas"]
    assert {name for name in schemas if name.startswith("shop.")} == {
        "shop.Kind",
        "shop.Terms",
        "shop.Deal",
        "shop.agree.arguments",
        "shop.terms_of.arguments",
        "shop.terms_of.result",
        "shop.events",
    }
    assert schemas["shop.Deal"]["properties"]["terms"] == {"$ref": "#/components/schemas/shop.Terms"}
    assert schemas["store.terms_of.result"] == {"$ref": "#/components/schemas/store.Terms"}
    accepts = jsonschema_rs.Draft202012Validator({**document, "$ref": "#/components/schemas/shop.agree.arguments"})
    assert accepts.is_valid({"id": 1, "terms": {"kind": "Sight"}})
    assert not accepts.is_valid({"id": 1, "terms": {"kind": "Other"}})


def test_the_events_of_a_contract_are_one_component_whatever_their_names():
    document = openapi.document([program.check(DECLARED, "shop").manifest])
    accepts = jsonschema_rs.Draft202012Validator({**document, "$ref": "#/components/schemas/shop.events"})
    assert accepts.is_valid({"name": "agreed", "data": {"at": 5}})
    assert accepts.is_valid({"name": "agreed on: a deal", "data": {"terms": {"kind": "Sight"}}})
    assert not accepts.is_valid({"name": "agreed on: a deal", "data": {"terms": {"kind": "Other"}}})
    assert not accepts.is_valid({"name": "agreed", "data": {"at": "5"}})
    assert not accepts.is_valid({"name": "other", "data": {"at": 5}})


def test_a_contract_without_events_has_no_component_of_them():
    quiet = DECLARED.replace('event("agreed on: a deal", terms=terms)', "pass").replace(
        'event("agreed", at=tx.time)', "pass"
    )
    schemas = openapi.document([program.check(quiet, "shop").manifest])["components"]["schemas"]
    assert "shop.Deal" in schemas
    assert "shop.events" not in schemas
