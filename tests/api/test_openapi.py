"""The OpenAPI description of contracts: what they declare refers to itself within the document."""

import pytest

from hansa.api import openapi
from hansa.contracts import program

jsonschema_rs = pytest.importorskip("jsonschema_rs")

DECLARED = """from hansa.contract import Contract, Enum, Record, Struct, action, view


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
        pass

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
    }
    assert schemas["shop.Deal"]["properties"]["terms"] == {"$ref": "#/components/schemas/shop.Terms"}
    assert schemas["store.terms_of.result"] == {"$ref": "#/components/schemas/store.Terms"}
    accepts = jsonschema_rs.Draft202012Validator({**document, "$ref": "#/components/schemas/shop.agree.arguments"})
    assert accepts.is_valid({"id": 1, "terms": {"kind": "Sight"}})
    assert not accepts.is_valid({"id": 1, "terms": {"kind": "Other"}})
