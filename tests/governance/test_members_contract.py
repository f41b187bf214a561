"""The members contract: only deployers deploy and write reference data, and each rule has its refusal."""

import hashlib
from typing import Any

import pytest

from hansa.governance.directory import Sender
from hansa.node.create import members_source
from hansa.wire import cbor, order
from hansa.wire.limits import CHECK_STEPS_PER_BYTE

CONTRACT = """
from hansa.contract import Contract, Record, Text, action, event

class Notes(Contract, version="3.2.1"):
    class Note(Record, key="id"):
        id: Text[1, 9]

    @action(by="member", creates="Note")
    def write(tx, note: Note, id: Text[1, 9]):
        event("written", id=id)
"""
NEXT = CONTRACT.replace('version="3.2.1"', 'version="3.3.0"').replace(
    "Text[1, 9]\n\n", 'Text[1, 9]\n        text: Text[0, 80] = ""\n\n'
)
LIBRARY = """
def add(a: int, b: int) -> int:
    return a + b
"""


STAYS = {"paused": False, "changed": 0}


def test_a_deployer_deploys_a_contract(ledger: Any) -> None:
    ran = ledger.take("deploy", "acme", name="notes", source=CONTRACT)
    deployment, version = ran.writes
    digest = hashlib.sha256(CONTRACT.encode()).digest()
    assert (deployment.record, deployment.key, deployment.previous) == ("Deployment", "notes", None)
    assert cbor.decode(deployment.value) == {"name": "notes", "version": "3.2.1", "digest": digest, **STAYS}
    assert (version.record, version.key, version.previous) == ("Version", "notes@3.2.1", None)
    kept = {"id": "notes@3.2.1", "contract": "notes", "version": "3.2.1", "digest": digest, "source": CONTRACT}
    assert cbor.decode(version.value) == kept
    assert ran.events == [
        {"data": {"name": "notes", "digest": digest, "version": "3.2.1"}, "name": "contract.deployed"}
    ]
    assert ledger.directory.programs["notes"].actions


@pytest.mark.parametrize("action", ["deploy", "upgrade", "deploy_library", "add_reference", "set_reference"])
def test_only_deployers_may(ledger: Any, action: str) -> None:
    ledger.take("add_reference", "acme", name="rates", valid_from=1, data="x")
    ledger.take("deploy", "acme", name="other", source=CONTRACT)
    arguments: dict[str, Any] = {
        "deploy": {"name": "notes", "source": CONTRACT},
        "upgrade": {"deployment": "other", "source": NEXT},
        "deploy_library": {"name": "sums", "source": LIBRARY},
        "add_reference": {"name": "more", "valid_from": 1, "data": ""},
        "set_reference": {"reference": "rates", "valid_from": 2, "data": ""},
    }[action]
    assert ledger.run(action, "zeta", **arguments).code == "ok"
    ran = ledger.run(action, "bolt", **arguments)
    assert (ran.code, ran.result["values"]) == (
        "role.denied",
        {"member": "bolt", "attribute": "ledger:deployer"},
    )


def test_a_name_is_given_once(ledger: Any) -> None:
    ledger.take("deploy", "acme", name="notes", source=CONTRACT)
    ran = ledger.run("deploy", "acme", name="notes", source=CONTRACT)
    assert (ran.code, ran.result["values"]) == ("record.exists", {"record": "Deployment"})


@pytest.mark.parametrize("name", ["members", "Notes", "1notes", "no-tes", "no tes", "_notes"])
def test_a_name_that_is_no_name_is_refused(ledger: Any, name: str) -> None:
    ran = ledger.run("deploy", "acme", name=name, source=CONTRACT)
    assert (ran.code, ran.result["values"]) == ("contract.name", {"name": name})
    assert ran.writes == []


@pytest.mark.parametrize(
    ("name", "source", "named"),
    [("", CONTRACT, "name"), ("a" * 49, CONTRACT, "name"), ("notes", "", "source"), ("notes", "#" * 65_537, "source")],
)
def test_arguments_out_of_bounds_are_refused(ledger: Any, name: str, source: str, named: str) -> None:
    ran = ledger.run("deploy", "acme", name=name, source=source)
    assert (ran.code, [p["name"] for p in ran.result["values"]["problems"]]) == ("arguments.invalid", [named])


@pytest.mark.parametrize(
    "source",
    [
        "class",
        "type X = int",  # a syntax error before Python 3.12, an unknown statement from then on
        "import os\n" + CONTRACT,
        CONTRACT + "        x = 1 / 2\n",
        CONTRACT + "        x = sha256('a')\n",
        "(" * 60_000,
        "\n".join("(" * 100 for _ in range(400)),
    ],
)
def test_a_file_with_findings_is_refused_in_the_same_words(ledger: Any, source: str) -> None:
    """What exactly is wrong depends on the Python that parses, so it stays out of the outcome."""
    ran = ledger.run("deploy", "acme", name="notes", source=source)
    assert (ran.code, ran.writes, ran.events) == ("contract.invalid", [], [])
    assert set(ran.result) == {"line", "message", "version", "contract"}
    assert ran.result["message"] == "the file has findings; check it to see them"


def test_the_members_contract_cannot_be_deployed_again(ledger: Any) -> None:
    """It is longer than others may be, and its host functions are for genesis alone."""
    assert ledger.run("deploy", "acme", name="members2", source=members_source()).code == "arguments.invalid"
    uses = CONTRACT.replace("import Contract,", "import Contract, member_id,").replace(
        "id=id", "id=member_id(tx.member)"
    )
    assert ledger.run("deploy", "acme", name="members2", source=uses).code == "contract.invalid"


def test_checking_is_charged_whether_it_succeeds_or_not(ledger: Any) -> None:
    check = CHECK_STEPS_PER_BYTE * len(CONTRACT)
    good = ledger.run("deploy", "acme", name="notes", source=CONTRACT)
    bad = ledger.run("deploy", "acme", name="notes", source=CONTRACT.replace("Text[1", "Text[x"))
    assert bad.code == "contract.invalid"
    assert good.steps > bad.steps > check
    assert ledger.run("deploy", "acme", name="notes", source=CONTRACT, steps=check).code == "steps.exceeded"


def test_the_price_of_a_deployment_is_exact(ledger: Any) -> None:
    price = ledger.run("deploy", "acme", name="notes", source=CONTRACT).steps
    assert ledger.run("deploy", "acme", name="notes", source=CONTRACT, steps=price).code == "ok"
    short = ledger.run("deploy", "acme", name="notes", source=CONTRACT, steps=price - 1)
    assert (short.code, short.writes, short.events) == ("steps.exceeded", [], [])


def test_the_largest_file_can_be_deployed_within_what_deployers_may_use(ledger: Any) -> None:
    comment = "# " + "x" * 197 + "\n"
    source = CONTRACT + comment * ((65_536 - len(CONTRACT)) // len(comment))
    directory = ledger.directory
    most = directory.steps_most(Sender(None, "acme", None), "members")  # type: ignore[arg-type]
    assert ledger.run("deploy", "acme", name="notes", source=source, steps=most).code == "ok"
    assert directory.steps_most(Sender(None, "acme", None), "notes") == directory.limits.transaction_steps  # type: ignore[arg-type]
    assert directory.steps_most(Sender(None, "bolt", None), "members") == directory.limits.transaction_steps  # type: ignore[arg-type]


# Versions and libraries


def test_a_next_version_takes_the_place_of_the_one_before(ledger: Any) -> None:
    ledger.take("deploy", "acme", name="notes", source=CONTRACT)
    seq = ledger.seq
    ran = ledger.take("upgrade", "acme", deployment="notes", source=NEXT)
    assert ran.events == [
        {"data": {"name": "notes", "before": "3.2.1", "version": "3.3.0"}, "name": "contract.upgraded"}
    ]
    assert [(w.record, w.key) for w in ran.writes] == [("Deployment", "notes"), ("Version", "notes@3.3.0")]
    assert [(since, p.manifest.version) for since, p in ledger.directory.versions("notes")] == [
        (seq, "3.2.1"),
        (seq + 1, "3.3.0"),
    ]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (CONTRACT, "version 3.2.1 must be higher than 3.2.1"),
        (NEXT.replace("class Note(", "class Other("), "the record `Note` is gone: its records would be lost"),
    ],
)
def test_a_version_that_would_lose_records_is_refused(ledger: Any, source: str, message: str) -> None:
    ledger.take("deploy", "acme", name="notes", source=CONTRACT)
    source = source.replace("note: Note", "note: Other") if "class Other(" in source else source
    source = source.replace('creates="Note"', 'creates="Other"') if "class Other(" in source else source
    ran = ledger.run("upgrade", "acme", deployment="notes", source=source)
    assert (ran.code, ran.result["message"], ran.writes) == ("upgrade.refused", message, [])


def test_a_library_is_deployed_once_and_used_by_its_digest(ledger: Any) -> None:
    ran = ledger.take("deploy_library", "acme", name="sums", source=LIBRARY)
    digest = hashlib.sha256(LIBRARY.encode()).digest()
    assert ran.events == [{"data": {"name": "sums", "digest": digest}, "name": "library.deployed"}]
    assert list(ledger.directory.libraries)[1:] == [digest]
    using = CONTRACT.replace("\n\nclass", f'\n\nsums = library("sums", "{digest.hex()}")\n\nclass', 1)
    using = using.replace("from hansa.contract import ", "from hansa.contract import library, ", 1)
    assert ledger.run("deploy", "acme", name="notes", source=using).code == "ok"
    other = using.replace(digest.hex(), "0" * 64)
    assert ledger.run("deploy", "acme", name="notes", source=other).code == "contract.invalid"
    assert ledger.run("deploy_library", "acme", name="sums", source=LIBRARY).code == "record.exists"


def test_a_library_is_no_contract_and_a_contract_no_library(ledger: Any) -> None:
    assert ledger.run("deploy", "acme", name="sums", source=LIBRARY).code == "contract.invalid"
    assert ledger.run("deploy_library", "acme", name="notes", source=CONTRACT).code == "contract.invalid"


# Reference data


def test_reference_data_is_added_and_replaced(ledger: Any) -> None:
    added = ledger.take("add_reference", "acme", name="rates", valid_from=5, data="one")
    assert added.events == [{"data": {"name": "rates", "valid_from": 5}, "name": "reference.added"}]
    replaced = ledger.take("set_reference", "zeta", reference="rates", valid_from=5, data="two")
    assert replaced.events == [{"data": {"name": "rates", "valid_from": 5}, "name": "reference.set"}]
    (write,) = replaced.writes
    assert (write.record, write.key, write.previous) == ("Reference", "rates", 1)
    stored = ledger.records[order.place("members", "Reference", "rates")]
    assert cbor.decode(stored.value) == {"name": "rates", "valid_from": 5, "data": "two", "changed": 1}


def test_reference_data_is_added_once(ledger: Any) -> None:
    ledger.take("add_reference", "acme", name="rates", valid_from=5, data="one")
    assert ledger.run("add_reference", "acme", name="rates", valid_from=6, data="two").code == "record.exists"


def test_reference_data_that_is_not_there_cannot_be_replaced(ledger: Any) -> None:
    ran = ledger.run("set_reference", "acme", reference="rates", valid_from=5, data="two")
    problem = {"name": "reference", "problem": "there is no Reference of this key"}
    assert (ran.code, ran.result["values"]) == ("arguments.invalid", {"problems": [problem]})


def test_reference_data_never_goes_back_in_time(ledger: Any) -> None:
    ledger.take("add_reference", "acme", name="rates", valid_from=5, data="one")
    ran = ledger.run("set_reference", "acme", reference="rates", valid_from=4, data="two")
    assert (ran.code, ran.result["values"]) == ("require.failed", {"before": 5})
    assert ran.result["message"] == "the data before is valid from {before}"


@pytest.mark.parametrize(
    ("name", "valid_from", "data", "wrong"),
    [
        ("", 1, "", ["name"]),
        ("a" * 101, 1, "", ["name"]),
        ("a", 2**63, "", ["valid_from"]),
        ("a", True, "", ["valid_from"]),
        ("a", 1, "x" * 16_385, ["data"]),
        ("", "1", None, ["name", "valid_from", "data"]),
    ],
)
def test_reference_data_keeps_its_bounds(ledger: Any, name: str, valid_from: Any, data: Any, wrong: list[str]) -> None:
    ran = ledger.run("add_reference", "acme", name=name, valid_from=valid_from, data=data)
    assert (ran.code, [p["name"] for p in ran.result["values"]["problems"]]) == ("arguments.invalid", wrong)


def test_a_contract_can_be_deployed_behind_another_in_the_same_block(ledger: Any) -> None:
    ledger.take("deploy", "acme", name="notes", source=CONTRACT)
    ledger.take("deploy", "zeta", name="more_notes", source=CONTRACT)
    assert sorted(ledger.directory.programs) == ["constitution", "members", "more_notes", "notes"]
    assert ledger.run("deploy", "acme", name="more_notes", source=CONTRACT).code == "record.exists"
