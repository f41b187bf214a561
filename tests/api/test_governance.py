"""`/gov`: proposals, ballots, the records of governance, and plans of what would come of a proposal."""

import hashlib
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import jsonschema_rs
import pytest
from tests.api.conftest import EXAMPLE, MEMBERS
from tests.client.inprocess import URL, InProcess

from hansa.api import governance as routes
from hansa.api import openapi
from hansa.api.governance_operations import GOVERNANCE_OPERATIONS
from hansa.client import Client, HansaError, Refused, keys, proposals, transactions
from hansa.client.arguments import moment
from hansa.client.governance import API_VERSION
from hansa.governance import directory, motions
from hansa.node import planning
from hansa.node.create import Founder, create_ledger, governance_key, member_key, members_source
from hansa.node.shipped import constitution
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.wire import cbor, cose

NONE = "0" * 64
TWO_THIRDS = constitution("two_thirds")
VERSION = {"api-version": API_VERSION}
BEGIN = moment("2030-01-01")
SOURCE = EXAMPLE.read_text()
OPERATIONS = {operation.name: operation for operation in GOVERNANCE_OPERATIONS}
COSE = {"content-type": "application/cose"}


class World:
    """A ledger of some members in this process, and a client of each that signs with its governance key."""

    def __init__(self, root, founders, rules="majority", **options):
        self.folder = Folder(root)
        create_ledger(Disk(), self.folder, "Ours", founders, constitution=rules, clock=BEGIN, **options)
        self.names = [one.id for one in founders]
        self.node = InProcess(root, told=True)
        self.by = {
            name: Client(URL, governance_key(self.folder, name), transport=self.node, patient=False)
            for name in self.names
        }
        self.any = self.by[self.names[0]]

    def close(self):
        self.node.close()

    # Requests

    def ask(self, method, path, *, query=None, body=None, headers=None):
        params = {**VERSION, **(query or {})}
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        kind = {} if headers or content is None else {"content-type": "application/json"}
        return self.node.request(method, URL + path, params=params, content=content, headers=headers or kind)

    def get(self, path, **query):
        answer = self.ask("GET", path, query=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def plan(self, *actions, by=None, **more):
        proposal = {"actions": [{"name": name, "args": args} for name, args in actions], **more}
        answer = self.ask("POST", "/gov/members/proposals:plan", query={"proposer": by or self.names[0]}, body=proposal)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def replan(self, id):
        return self.get(f"/gov/members/proposals/{id}:plan")

    def propose(self, *actions, by=None, **more):
        proposal = {"actions": [{"name": name, "args": args} for name, args in actions], **more}
        return self.by[by or self.names[0]].propose(proposal).id

    def pass_(self, id, names=None):
        for name in names or self.names:
            if self.any.proposal(id).state == "Open":
                self.by[name].vote(id, True)
        return self.any.proposal(id)

    def envelope(self, action, arguments, by=None, content_type=cose.GOVERNANCE):
        """A signed envelope as a client would send it."""
        name = by or self.names[0]
        key = keys.load((governance_key if content_type == cose.GOVERNANCE else member_key)(self.folder, name))
        return transactions.prepare(
            key,
            self.any.ledger(),
            "members",
            action,
            arguments,
            steps_max=1_000_000,
            not_after=self.any.not_after(),
            content_type=content_type,
        ).envelope

    @property
    def entries(self):
        return self.any.status().entries


@pytest.fixture(scope="module")
def make_world(tmp_path_factory):
    with ExitStack() as stack:

        def make(founders, rules="majority", **options):
            world = World(tmp_path_factory.mktemp("gov") / "ledger", founders, rules, **options)
            stack.callback(world.close)
            return world

        yield make


@pytest.fixture(scope="module")
def world(make_world):
    """Four members under the majority's rules, one of them of another weight."""
    weights = dict(zip(MEMBERS, (1, 1, 1, 5), strict=True))
    return make_world(
        [Founder(name, name.title(), ["licence:bank"], ["ana"], weight=weights[name]) for name in MEMBERS]
    )


@pytest.fixture(scope="module")
def components():
    return openapi.document([])["components"]["schemas"]


def fits(name, value, components):
    """Whether a value is as the description of an operation's answer says."""
    schema = {**OPERATIONS[name].answers["application/json"], "components": {"schemas": components}}
    jsonschema_rs.validator_for(schema).validate(value)


RENAME = ("set_member_data", {"member_id": "eastmutual", "name": "East"})


class TestSubmitting:
    def test_a_proposal_goes_its_way_over_http(self, world, components):
        steps = proposals.read({"actions": [{"name": "pause_contract", "args": {"name": "nothing"}}]}).steps
        opened = self.post(
            world, ":create", world.envelope("propose", {"title": "T", "steps": steps, "closes": None}), components
        )
        id, at = opened["id"], f"/gov/members/proposals/{opened['id']}"
        assert opened["status"] == "applied"
        fits("proposal", world.get(at), components)
        assert world.get(at)["state"] == "Open"
        assert world.get(f"{at}/actions")["actions"] == [{"name": "pause_contract", "args": {"name": "nothing"}}]
        rules = bytes.fromhex(world.get("/gov/service/constitution")["digest"])
        said = {"proposal": bytes.fromhex(id), "yes": False, "constitution": rules}
        ballot = world.envelope("vote", said, by="harbourline")
        for duplicate in (False, True):
            answer = self.post(world, f"/{id}/ballots/harbourline:submit", ballot, components)
            assert (answer["status"], answer["duplicate"]) == ("applied", duplicate)
        found = world.get(f"{at}/ballots/harbourline")
        fits("ballot", found, components)
        assert (found["member"], found["yes"]) == ("harbourline", False)
        missing = world.ask("GET", f"{at}/ballots/eastmutual")
        assert (missing.status_code, missing.json()["code"]) == (404, "proposal.ballot")
        taken_back = self.post(
            world, f"/{id}:withdraw", world.envelope("withdraw", {"proposal": bytes.fromhex(id)}), components
        )
        assert (taken_back["status"], world.get(at)["state"]) == ("applied", "Withdrawn")
        refused = self.post(
            world, f"/{id}/ballots/eastmutual:submit", world.envelope("vote", said, "eastmutual"), components
        )
        assert (refused["status"], refused["code"]) == ("refused", "state.denied")

    def post(self, world, path, envelope, components):
        answer = world.ask("POST", f"/gov/members/proposals{path}", body=envelope, headers=COSE)
        assert answer.status_code == 200, answer.text
        fits("create_proposal", answer.json(), components)
        return answer.json()

    def test_a_receipt_and_cbor_are_given_as_for_transactions(self, world):
        steps = proposals.read({"actions": [{"name": "pause_contract", "args": {"name": "nothing"}}]}).steps
        envelope = world.envelope("propose", {"title": "R", "steps": steps, "closes": None})
        answer = world.ask(
            "POST",
            "/gov/members/proposals:create",
            query={"receipt": "true"},
            body=envelope,
            headers={**COSE, "accept": "application/cbor"},
        )
        found = cbor.decode(answer.content)
        assert found["id"] == cose.id_of(envelope)
        assert found["receipt"]
        world.any.withdraw(found["id"])

    @pytest.mark.parametrize(
        ("path", "action", "by", "code"),
        [
            (f"/{NONE}:withdraw", "vote", "northbank", "proposal.path"),
            (":create", "withdraw", "northbank", "proposal.path"),
            (f"/{'1' * 64}:withdraw", "withdraw", "northbank", "proposal.path"),
            (f"/{NONE}/ballots/eastmutual:submit", "vote", "northbank", "proposal.path"),
            (f"/{NONE}/ballots/nobody:submit", "vote", "northbank", "proposal.path"),
        ],
    )
    def test_an_envelope_is_taken_at_the_path_of_what_it_says_alone(self, world, path, action, by, code):
        said = {"proposal": bytes(32), "yes": True, "constitution": bytes(32)}
        arguments = said if action == "vote" else {"proposal": bytes(32)}
        before = world.entries
        answer = world.ask(
            "POST", f"/gov/members/proposals{path}", body=world.envelope(action, arguments, by), headers=COSE
        )
        assert (answer.status_code, answer.json()["code"]) == (409, code)
        assert world.entries == before

    def test_what_is_no_envelope_of_governance_is_refused(self, world):
        path = f"/gov/members/proposals/{NONE}:withdraw"
        envelope = world.envelope("withdraw", {"proposal": bytes(32)}, content_type=cose.TRANSACTION)
        answer = world.ask("POST", path, body=envelope, headers=COSE)
        assert (answer.status_code, answer.json()["code"]) == (415, "envelope.content_type")
        answer = world.ask("POST", path, body=envelope, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (415, "request.content_type")
        answer = world.ask("POST", path, body=bytes(300_000), headers=COSE)
        assert (answer.status_code, answer.json()["code"]) == (413, "request.oversized")
        forged = world.envelope("withdraw", {"proposal": bytes(32)})
        answer = world.ask("POST", path, body=forged[:-1] + bytes([forged[-1] ^ 1]), headers=COSE)
        assert (answer.status_code, answer.json()["code"]) == (403, "signature.invalid")

    def test_every_operation_needs_the_version_and_says_which(self, world):
        for operation in GOVERNANCE_OPERATIONS:
            path = operation.path.replace("{id}", NONE).replace("{memberId}", "northbank")
            for version in ({}, {"api-version": "2024-07-01"}):
                answer = world.node.request(operation.method, URL + path, params=version)
                assert (answer.status_code, answer.json()["code"]) == (400, "request.api_version")
                assert API_VERSION in answer.json()["detail"]
                assert f"?api-version={API_VERSION}" in answer.json()["remedy"]


class TestReading:
    @pytest.mark.parametrize(
        ("name", "path"),
        [
            ("proposals", "/gov/members/proposals"),
            ("constitution", "/gov/service/constitution"),
            ("service", "/gov/service/info"),
            ("members", "/gov/service/members"),
            ("member", "/gov/service/members/northbank"),
            ("users", "/gov/service/users"),
            ("keys", "/gov/service/keys"),
            ("deployments", "/gov/service/contracts"),
            ("limits", "/gov/service/limits"),
            ("references", "/gov/service/references"),
            ("issuers", "/gov/service/issuers"),
        ],
    )
    def test_answers_are_as_described(self, world, components, name, path):
        fits(name, world.get(path), components)

    def test_what_they_say(self, world):
        assert [row["value"]["id"] for row in world.get("/gov/service/members")["rows"]] == sorted(MEMBERS)
        assert world.get("/gov/service/members/tradewatch")["value"]["weight"] == 5
        assert [r["value"]["id"] for r in world.get("/gov/service/users", member="northbank")["rows"]] == [
            "northbank/ana"
        ]
        mine = {row["value"]["purpose"] for row in world.get("/gov/service/keys", owner="northbank")["rows"]}
        assert mine == {"governance", "transaction"}
        rules = world.get("/gov/service/constitution")
        assert rules["source"] == constitution("majority")
        alone = world.ask("GET", "/gov/service/constitution", headers={"accept": "text/x-python"})
        assert alone.text == rules["source"]
        assert world.get("/gov/service/info")["members"] == 4

    @pytest.mark.parametrize(
        ("path", "status", "code"),
        [
            (f"/gov/members/proposals/{NONE}", 404, "proposal.unknown"),
            (f"/gov/members/proposals/{NONE}/actions", 404, "proposal.unknown"),
            (f"/gov/members/proposals/{NONE}:plan", 404, "proposal.unknown"),
            ("/gov/members/proposals/12", 400, "request.digest"),
            ("/gov/service/members/nobody", 404, "record.unknown"),
            ("/gov/service/nothing", 404, "request.path"),
            ("/gov/members/proposals?open=maybe", 400, "request.query"),
        ],
    )
    def test_what_there_is_not(self, world, path, status, code):
        path, _, query = path.partition("?")
        answer = world.ask("GET", path, query=dict([query.split("=")]) if query else None)
        assert (answer.status_code, answer.json()["code"]) == (status, code)

    def test_pages_of_proposals_and_the_client_that_reads_them_all(self, world):
        before = {one.id for one in world.any.proposals()}
        made = [world.propose(("pause_contract", {"name": f"c{n}"})) for n in range(3)]
        first = world.get("/gov/members/proposals", rows="2")
        assert (len(first["proposals"]), first["next"] is None) == (2, False)
        assert {one.id for one in world.any.proposals()} == before | set(made)
        assert [one.id for one in world.any.proposals(is_open=True)] == [
            one.id for one in world.any.proposals() if one.state == "Open"
        ]
        for id in made:
            world.any.withdraw(id)
        assert not world.any.proposals(is_open=True)


class TestPlans:
    def test_a_plan_writes_nothing(self, world, components):
        before = world.entries
        plan = world.plan(RENAME)
        fits("plan_proposal", plan, components)
        assert world.entries == before
        assert world.get("/gov/members/proposals", open="true")["proposals"] == []
        assert plan["entries"] == before

    def test_what_it_says_would_change_is_what_changes(self, world):
        action = ("set_member_data", {"member_id": "eastmutual", "weight": 3, "attributes": ["a", "b"]})
        plan = world.plan(action)
        assert plan["changes"] == [
            {
                "record": "Member",
                "key": "eastmutual",
                "before": {"weight": 1, "attributes": ["licence:bank"]},
                "after": {"weight": 3, "attributes": ["a", "b"]},
                "diff": [],
                "declares": [],
                "users": [],
                "keys": [],
            }
        ]
        assert world.pass_(world.propose(action)).state == "Accepted"
        value = world.get("/gov/service/members/eastmutual")["value"]
        assert {name: value[name] for name in ("weight", "attributes")} == plan["changes"][0]["after"]

    @pytest.mark.parametrize(
        ("action", "users", "owners"),
        [
            (("remove_member", {"member_id": "tradewatch"}), ["tradewatch/ana"], ["tradewatch", "tradewatch/ana"]),
            (("remove_user", {"user_id": "tradewatch/ana"}), [], ["tradewatch/ana"]),
        ],
    )
    def test_what_ends_with_who_is_removed(self, world, components, action, users, owners):
        plan = world.plan(action)
        fits("plan_proposal", plan, components)
        (change,) = plan["changes"]
        assert (change["after"], change["users"]) == ({"removed": True}, users)
        known = [row["value"] for one in owners for row in world.get("/gov/service/keys", owner=one)["rows"]]
        expected = [{name: key[name] for name in ("kid", "owner", "purpose")} for key in known]
        assert change["keys"] == sorted(expected, key=lambda one: one["kid"])
        assert {key["owner"] for key in change["keys"]} == set(owners)

    def test_who_must_vote_is_who_must_vote(self, world):
        """Each set that the plan names is voted by, on the ledger itself: the last yes decides and none before."""
        plan = world.plan(RENAME)
        assert sorted(plan["waiting"]) == sorted(MEMBERS)
        assert len(plan["sets"]) == 4
        for names in plan["sets"]:
            id = world.propose(RENAME)
            for name in names[:-1]:
                world.by[name].vote(id, True)
                assert world.any.proposal(id).state == "Open"
                assert [set(one) for one in world.replan(id)["sets"]] == [
                    set(one) - set(names[: names.index(name) + 1])
                    for one in plan["sets"]
                    if set(names[: names.index(name) + 1]) <= set(one)
                ]
            world.by[names[-1]].vote(id, True)
            assert world.any.proposal(id).state == "Accepted"

    def test_what_a_no_would_do_is_what_it_does(self, world):
        id = world.propose(RENAME)
        for name in ("northbank", "harbourline"):
            would = {one["member"]: one["state"] for one in world.replan(id)["no"]}
            world.by[name].vote(id, False)
            assert world.any.proposal(id).state == would[name]
        assert would == {"harbourline": "Rejected", "eastmutual": "Rejected", "tradewatch": "Rejected"}

    def test_the_floor_is_told_for_what_it_is_about(self, world):
        assert world.plan(("pause_contract", {"name": "x"}))["floor"] == ["the yes of all 4 active members accepts"]
        told = world.plan(("set_constitution", {"lock_ms": 5_000}), ("remove_member", {"member_id": "eastmutual"}))
        assert told["floor"][1:] == [
            "remove_member, set_constitution needs the yes of at least two members",
            "an active member always remains, and fewer than two only if all say yes",
            "once accepted it waits for 10 s, and is counted again then",
        ]

    @pytest.mark.parametrize(
        ("function", "names"), [("needs_two", motions.NEED_TWO), ("can_follow", motions.FOLLOW)], ids=["two", "follow"]
    )
    def test_which_actions_need_two_or_follow_is_what_the_kernel_says(self, function, names):
        source = members_source()
        told = source[source.index(f"def {function}(") :]
        listed = told[told.index("return name in [") :].partition("]")[0]
        assert set(re.findall(r'"(\w+)"', listed)) == names

    def test_a_contract_is_shown_by_its_text_and_by_what_it_declares(self, world):
        plan = world.plan(("set_contract", {"name": "shop", "source": SOURCE}))
        (change,) = plan["changes"]
        assert (change["record"], change["before"], change["after"]["version"]) == ("Deployment", None, "1.0.0")
        assert change["diff"][0] == "--- shop (now)"
        assert "+ record Account: key owner" in change["declares"]
        assert world.pass_(world.propose(("set_contract", {"name": "shop", "source": SOURCE}))).state == "Accepted"
        next = SOURCE.replace("1.0.0", "1.1.0").replace("message: Text[1, 280]", "message: Text[1, 300]")
        (change,) = world.plan(("set_contract", {"name": "shop", "source": next}))["changes"]
        assert (change["before"]["version"], change["after"]["version"]) == ("1.0.0", "1.1.0")
        assert change["declares"] == [
            "~ action tell: (to: Party, message: Text[1, 280]) by member -> "
            "(to: Party, message: Text[1, 300]) by member"
        ]
        assert [line[0] for line in change["diff"] if "Text[1, " in line and "280" in line] == ["-"]
        assert sum(line.startswith("+") for line in change["diff"]) == 3  # its head among them

    @pytest.mark.parametrize("slow", ["load", "_unified"])
    def test_the_node_goes_on_while_a_plan_takes_long(self, world, monkeypatch, slow):
        """To load a file and to compare texts: both wait here until the node has answered something else."""
        began, answered, told = threading.Event(), threading.Event(), []
        real = getattr(planning, slow)

        def wait(*given):
            began.set()
            told.append(answered.wait(20))
            return real(*given)

        monkeypatch.setattr(planning, slow, wait)
        monkeypatch.setattr(directory, "load", lambda *_: pytest.fail("a file is loaded where the node waits for it"))
        action = ("set_contract", {"name": f"slow{slow}".replace("_", ""), "source": SOURCE})
        with ThreadPoolExecutor(1) as pool:
            planned = pool.submit(world.plan, action)
            assert began.wait(20)
            world.get("/gov/service/constitution")
            answered.set()
            assert planned.result(20)["failure"] is None
        assert told == [True]

    def test_a_file_is_not_loaded_twice_for_a_plan(self, world, monkeypatch):
        """A library that comes with what uses it is not there yet when that is checked, as the ledger would say."""
        library = "def double(a: int) -> int:\n    return a + a\n"
        loaded = []
        real = planning.load
        monkeypatch.setattr(planning, "load", lambda *given: loaded.append(given[1]) or real(*given))
        monkeypatch.setattr(directory, "load", lambda *_: pytest.fail("a file is loaded where the node waits for it"))
        pin = hashlib.sha256(library.encode()).hexdigest()
        using = SOURCE.replace("\n\n\nclass", f'\n\ntwice = library("twice", "{pin}")\n\n\nclass', 1)
        using = using.replace(" view\n", " library, view\n", 1)
        steps = [
            ("set_library", {"name": "twice", "source": library}),
            ("set_contract", {"name": "b", "source": SOURCE}),
        ]
        assert world.plan(*steps)["failure"] is None
        assert loaded == ["twice", "b"]
        plan = world.plan(steps[0], ("set_contract", {"name": "b", "source": using}))
        assert "there is no library `twice` of this digest" in plan["failure"]

    def test_what_cannot_be_carried_out_is_told_before(self, world):
        older = SOURCE.replace("1.0.0", "0.9.0")
        plan = world.plan(("set_contract", {"name": "shop", "source": older}))
        assert plan["failure"] == "version 0.9.0 must be higher than 1.0.0"
        assert plan["changes"] == []
        plan = world.plan(("set_contract", {"name": "other", "source": "import os"}))
        first = "line 1, a contract file ends with one class"
        assert plan["failure"].startswith(f"the file has findings, the first: {first}")
        assert plan["failure"].endswith("; run `hansa contract check FILE`")
        plan = world.plan(("set_constitution", {"source": SOURCE}))
        assert "a constitution has three views" in plan["failure"]

    def test_the_cause_names_what_the_actions_are_about(self, world, make_key):
        held = [
            {"purpose": purpose, "spki": make_key("es256", f"a new {purpose}").public.spki.hex()}
            for purpose in ("governance", "transaction")
        ]
        member = {"member_id": "eastmutual", "name": "East", "keys": held}
        assert world.plan(("set_member", member))["failure"] == "eastmutual exists: an id is given once"
        rows = world.get("/gov/service/keys", owner="eastmutual")["rows"]
        keys = [{"purpose": "governance", "spki": row["value"]["spki"]} for row in rows[:1]]
        plan = world.plan(("set_member", {**member, "member_id": "fifth", "keys": [*keys, held[1]]}))
        assert "registered" in str(plan["problems"]) + str(plan["failure"]), plan
        assert world.plan(("pause_contract", {"name": "none"}))["failure"] == "no contract none"

    def test_what_is_out_of_date_asks_for_no_votes(self, make_world):
        world = make_world([Founder(name, name.title()) for name in MEMBERS])
        first, second = world.propose(RENAME), world.propose(RENAME)
        assert (world.any.proposal(second).stale, world.replan(second)["stale"]) == ("", "")
        assert world.pass_(first).stale == "", "it is decided"
        standing, plan = world.any.proposal(second), world.replan(second)
        assert (standing.state, standing.stale, plan["stale"]) == ("Open", *(["what it is about changed since"] * 2))
        assert (plan["waiting"], plan["sets"], plan["changes"]) == ([], [], [])
        assert plan["failure"] == "it is out of date: what it is about changed since"
        assert [one.stale for one in world.any.proposals(is_open=True)] == [standing.stale]
        world.by["northbank"].vote(second, True)
        dropped = world.any.proposal(second)
        assert (dropped.state, dropped.reason, dropped.stale) == ("Dropped", standing.stale, ""), "as the kernel says"
        third = world.propose(RENAME)
        world.any.tell_time(world.pass_(world.propose(("set_constitution", {"lock_ms": 2_000}))).due + 1)
        world.any.tell_time(world.pass_(world.propose(("set_constitution", {"source": TWO_THIRDS}))).due + 1)
        assert world.any.proposal(third).stale == "the constitution is another since"
        world.by["northbank"].vote(third, True)
        assert world.any.proposal(third).reason == "the constitution is another since"

    def test_one_that_failed_says_why(self, make_world):
        world = make_world([Founder(name, name.title()) for name in MEMBERS])
        assert world.pass_(world.propose(("set_contract", {"name": "shop", "source": SOURCE}))).reason == ""
        failed = world.pass_(world.propose(("resume_contract", {"name": "shop"})))
        assert (failed.state, failed.reason) == ("Failed", "shop is not paused")
        missing = world.pass_(world.propose(("pause_contract", {"name": "none"})))
        listed = {one.id: one.reason for one in world.any.proposals()}
        assert (listed[failed.id], listed[missing.id]) == ("shop is not paused", "no contract none")

    def test_what_may_not_be_proposed_is_told_as_a_problem(self, world):
        plan = world.plan(("remove_member", {"member_id": "nobody"}))
        assert (plan["problems"], plan["state"], plan["changes"]) == (["there is no member nobody"], None, [])
        plan = world.plan(*(("remove_member", {"member_id": name}) for name in MEMBERS))
        assert plan["problems"] == ["no member would be left, and nobody could ever vote again"], (
            "the constitution's own"
        )
        answer = world.ask("POST", "/gov/members/proposals:plan", query={"proposer": "northbank"}, body={"actions": []})
        assert (answer.status_code, answer.json()["code"]) == (400, "proposal.form")
        assert answer.json()["problems"] == ["$.actions: must have 1 to 32 actions, not 0"]
        body = {"actions": [{"name": "pause_contract", "args": {"name": "x"}}]}
        answer = world.ask("POST", "/gov/members/proposals:plan", query={"proposer": "nobody"}, body=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "record.unknown")

    def test_keys_limits_and_reference_data(self, world, make_key):
        spki = make_key("es256", "another").public.spki.hex()
        plan = world.plan(
            ("set_member_keys", {"member_id": "eastmutual", "keys": [{"purpose": "governance", "spki": spki}]}),
            ("set_limits", {"block_steps": 3_999_999}),
            ("set_reference", {"name": "rates", "valid_from": 5, "data": "a\nb"}),
        )
        found = {(one["record"], one["key"]): one for one in plan["changes"]}
        was = {
            row["value"]["kid"]
            for row in world.get("/gov/service/keys", owner="eastmutual")["rows"]
            if row["value"]["purpose"] == "governance"
        }
        revoked = {key for (record, key), one in found.items() if record == "Key" and one["before"] is not None}
        assert revoked == was
        assert [found["Key", kid]["after"] for kid in revoked] == [{"status": "revoked"}]
        assert found["Limits", "ledger"]["before"] == {"block_steps": 4_000_000}
        assert found["Reference", "rates"]["diff"][-2:] == ["+a", "+b"]

    def test_a_changed_constitution_is_asked_about_the_past(self, make_world):
        world = make_world([Founder(name, name.title()) for name in MEMBERS])
        rejected = world.propose(("pause_contract", {"name": "x"}), title="Rejected later")
        world.by["northbank"].vote(rejected, True)
        world.by["harbourline"].vote(rejected, False)  # majority: still open; unanimous: over
        accepted = world.propose(RENAME, title="Accepted by three")
        for name in MEMBERS[:3]:
            world.by[name].vote(accepted, True)
        same = world.propose(RENAME, title="Accepted by all but the last word")
        for name in MEMBERS[:2]:
            world.by[name].vote(same, True)
        plan = world.plan(("set_constitution", {"source": constitution("unanimous")}))
        assert {(one["title"], one["was"], one["would"]) for one in plan["past"]} == {
            ("Rejected later", "Open", "Rejected"),
            ("Accepted by three", "Accepted", "Open"),
        }
        assert plan["asked"] == 3
        assert plan["changes"][0]["record"] == "Constitution"
        assert any(line.startswith("+class Unanimous") for line in plan["changes"][0]["diff"])
        assert "past" not in world.plan(RENAME)

    def test_a_change_of_the_constitution_waits_and_its_plan_says_so(self, make_world):
        world = make_world([Founder(name, name.title()) for name in MEMBERS])
        id = world.propose(("set_constitution", {"lock_ms": 2_000}))
        standing = world.pass_(id)
        assert (standing.state, standing.due is not None, standing.applied) == ("Accepted", True, None)
        plan = world.replan(id)
        assert plan["changes"][0]["after"] == {"lock": 2_000}
        assert (plan["waiting"], plan["sets"], plan["failure"]) == ([], [], None)
        world.any.tell_time(standing.due + 1)
        assert world.any.proposal(id).applied is not None
        assert (world.replan(id)["changes"], world.replan(id)["floor"]) == ([], [])

    def test_members_that_are_not_alike_are_told_apart(self, make_world):
        founders = [
            Founder(name, name.title(), weight=weight) for name, weight in zip("abcd", (1, 1, 2, 3), strict=True)
        ]
        world = make_world(founders, "weighted")
        assert world.plan(("pause_contract", {"name": "x"}))["sets"] == [
            ["a", "d"],
            ["b", "d"],
            ["c", "d"],
            ["a", "b", "c"],
        ]

    def test_one_member_alone_needs_no_ballot(self, make_world):
        world = make_world([Founder("alone", "Alone")], "single")
        plan = world.plan(("set_limits", {"block_steps": 1_000_000}))
        assert (plan["state"], plan["waiting"], plan["sets"]) == ("Accepted", [], [])
        assert plan["changes"][0]["after"] == {"block_steps": 1_000_000}
        assert world.any.proposal(world.propose(("set_limits", {"block_steps": 1_000_000}))).applied is not None

    def test_too_many_members_to_try_every_set_of_them(self, make_world, monkeypatch):
        monkeypatch.setattr(planning, "VOTERS_MAX", 5)
        monkeypatch.setattr(planning, "SETS_MAX", 7)
        world = make_world([Founder(f"m{n}", f"M {n}") for n in range(6)])
        id = world.propose(("pause_contract", {"name": "x"}))
        plan = world.replan(id)
        assert (plan["sets"], len(plan["waiting"]), len(plan["no"])) == (None, 6, 6)
        world.any.vote(id, True)
        assert [len(one) for one in world.replan(id)["sets"]] == [3] * 7, "there are ten of them"

    def test_a_ballot_that_counts_no_more_is_to_be_given_again(self, make_world, make_key):
        world = make_world([Founder(name, name.title()) for name in MEMBERS])
        id = world.propose(RENAME)
        world.by["harbourline"].vote(id, True)
        assert "harbourline" not in world.replan(id)["waiting"]
        new = make_key("es256", "fresh")
        lost = keys.load(governance_key(world.folder, "harbourline")).kid
        spki = {"owner_kind": "member", "owner": "harbourline", "purpose": "governance", "spki": new.public.spki}
        for envelope in (
            world.envelope("register_key", {**spki, "expires": None}, "harbourline"),
            transactions.prepare(
                new,
                world.any.ledger(),
                "members",
                "revoke_key",
                {"key": lost},
                not_after=world.any.not_after(),
                content_type=cose.GOVERNANCE,
            ).envelope,
        ):
            world.any.submit(envelope)
        plan = world.replan(id)
        assert "harbourline" in plan["waiting"]
        assert all(len(one) == 3 for one in plan["sets"])

    def test_so_many_plans_at_once_and_no_more(self, world, monkeypatch):
        monkeypatch.setattr(routes, "PLANS_MAX", 0)
        body = {"actions": [{"name": "pause_contract", "args": {"name": "x"}}]}
        answer = world.ask("POST", "/gov/members/proposals:plan", query={"proposer": "northbank"}, body=body)
        assert (answer.status_code, answer.json()["code"]) == (503, "proposal.busy")
        assert answer.headers["retry-after"] == "1"

    def test_a_plan_is_refused_what_is_too_large_or_no_json(self, world):
        for body, headers, code in (
            (b"{", {"content-type": "application/json"}, "request.json"),
            (b"[]", {"content-type": "application/json"}, "request.json"),
            (b"{}", {"content-type": "text/plain"}, "request.content_type"),
            (bytes(300_000), {"content-type": "application/json"}, "request.oversized"),
        ):
            answer = world.ask(
                "POST", "/gov/members/proposals:plan", query={"proposer": "northbank"}, body=body, headers=headers
            )
            assert answer.json()["code"] == code


class TestClient:
    def test_what_is_wrong_with_a_proposal_is_said_before_anything_is_signed(self, world):
        before = world.entries
        with pytest.raises(HansaError) as caught:
            world.any.propose({"actions": [{"name": "set_membr", "args": {}}]})
        assert caught.value.code == "proposal.form"
        assert world.entries == before

    def test_a_second_vote_is_refused(self, world):
        id = world.propose(RENAME)
        world.any.vote(id, True)
        with pytest.raises(Refused) as caught:
            world.any.vote(id, False)
        assert "has voted already" in caught.value.message
        world.any.withdraw(id)

    def test_the_answer_to_a_proposal_names_it(self, world):
        answer = world.any.propose({"actions": [{"name": RENAME[0], "args": RENAME[1]}], "closes": BEGIN + 10**9})
        found = world.any.proposal(answer.id)
        assert (found.id, found.proposer, found.closes) == (answer.id, "northbank", BEGIN + 10**9)
        assert world.any.withdraw(answer.id, wait="receipt").receipt is not None

    def test_a_transaction_key_signs_no_ballot(self, world):
        id = world.propose(RENAME)
        other = Client(URL, member_key(world.folder, "northbank"), transport=world.node, patient=False)
        with pytest.raises(HansaError) as caught:
            other.vote(id, True)
        assert caught.value.code == "sender.purpose"
        world.any.withdraw(id)
