"""A transaction from its arguments to its outcome; the same by the specification and on the fast path."""

from typing import Any

import pytest
from tests.contracts.specification.sources import contract, world
from tests.contracts.world import SPECIFICATION, World

from hansa.contracts.calls import Call, Execution
from hansa.contracts.specification import transaction

CREDIT = """
class Roles:
    applicant: Party
    issuer: Party = Party(attribute="licence:bank")
    clerk: Party = Party(user="role:clerk")
    engine: Party = Party(contract="caller")

class States:
    Open: "may be drawn"
    Paid: "closed"

class LC(Record, key="id"):
    id: Text[1, 16]
    applicant: Party
    issuer: Party | None = None
    amount: Amount
    tags: list[Text[0, 9], 5] = []

@action(by="applicant", creates="LC", to="Open")
def apply(tx, lc: LC, id: Text[1, 16], amount: Amount):
    pass

@action(by="issuer", on="Open", to=["Open", "Paid"])
def draw(tx, lc: LC, final: bool):
    become(lc, "Paid" if final else "Open")

@action(by=["clerk", "applicant"], on=["Open", "Paid"])
def label(tx, lc: LC, tags: list[Text[0, 9], 5]):
    lc.tags = tags

@action(by="clerk")
def check(tx, lc: LC):
    pass

@action(by="engine")
def engage(tx, lc: LC, issuer: Party):
    lc.issuer = issuer
    event("engaged", caller=tx.caller, member=tx.member)

@action(by=["schedule", "issuer"], on="Open", to="Paid")
def close(tx, lc: LC):
    pass

@action(by="schedule")
def whoami(tx, lc: LC):
    event("me", member=tx.caller)

@action(by="member")
def who(tx):
    event("who", member=tx.member, user=tx.user, caller=tx.caller, time=tx.time, date=tx.date)

@view
def amount_of(tx, lc: LC) -> Amount:
    return lc.amount
"""
CALLER = """
@action(by="member")
def engage(tx, lc: Text[1, 99], issuer: Party):
    Credits.engage(lc=lc, issuer=issuer)

@action(by="member")
def draw(tx, lc: Text[1, 99]):
    Credits.draw(lc=lc, final=True)

@action(by="member")
def lost(tx):
    Credits.nothing()

@action(by="member")
def nowhere(tx):
    Nobody.nothing()

@action(by="member")
def itself(tx):
    Self.itself()

@view
def worth(tx, lc: Text[1, 99]) -> int:
    return Credits.amount_of(lc=lc).minor

@view
def wrong(tx, lc: Text[1, 99]) -> int:
    x = 5
    return Wrong.amount_of(lc=lc)
"""
INTERFACES = """
class Credits(Interface, contract="c"):
    @action
    def engage(tx, lc: Text[1, 16], issuer: Party): ...

    @action
    def draw(tx, lc: Text[1, 16], final: bool): ...

    @action
    def nothing(tx): ...

    @view
    def amount_of(tx, lc: Text[1, 16]) -> Amount: ...

class Nobody(Interface, contract="nobody"):
    @action
    def nothing(tx): ...

class Wrong(Interface, contract="c"):
    @view
    def amount_of(tx, lc: Text[1, 16]) -> int: ...

class Self(Interface, contract="caller"):
    @action
    def itself(tx): ...
"""
EUR = {"minor": 5, "currency": "EUR"}


@pytest.fixture
def credits() -> World:
    """One credit, `a`, of alice's; bob is a bank; ann a clerk."""
    ledger = world(CREDIT)
    ledger.deploy("caller", contract(CALLER, INTERFACES))
    ledger.attributes = {"bob": frozenset({"licence:bank"}), "alice/ann": frozenset({"role:clerk"})}
    ledger.apply(ledger.agree(ledger.call("c", "apply", {"id": "a", "amount": EUR})))
    return ledger


class TestFinding:
    def test_there_is_no_such_contract(self, credits: World) -> None:
        ran = credits.agree(credits.call("nobody", "apply"))
        told = {"line": None, "values": {"contract": "nobody"}, "version": "", "contract": "nobody"}
        assert (ran.code, ran.steps, ran.version) == ("contract.unknown", 10, "")
        assert {**ran.result, **told} == ran.result

    def test_there_is_no_such_action(self, credits: World) -> None:
        ran = credits.agree(credits.call("c", "nothing"))
        assert (ran.code, ran.steps, ran.version) == ("action.unknown", 10, "1.0.0")

    def test_ten_steps_come_before_all(self, credits: World) -> None:
        ran = credits.agree(credits.call("nobody", "apply"), steps=9)
        assert (ran.code, ran.steps) == ("steps.exceeded", 9)


class TestBinding:
    def test_all_problems_come_together(self, credits: World) -> None:
        ran = credits.agree(credits.call("c", "apply", {"lc": "x", "amount": 5, "more": 1, "a" * 99: 2}))
        assert ran.code == "arguments.invalid"
        assert ran.result["values"]["problems"] == [
            {"name": "lc", "problem": "is made by this action, not given"},
            {"name": "id", "problem": "is missing"},
            {"name": "amount", "problem": "must have `minor` (whole minor units) and `currency`, nothing else"},
            {"name": "more", "problem": "is not a parameter"},
            {"name": "a" * 64, "problem": "is not a parameter"},
        ]

    def test_a_record_is_touched(self, credits: World) -> None:
        ran = credits.agree(credits.call("c", "draw", {"lc": "b", "final": True}))
        assert ran.result["values"]["problems"] == [{"name": "lc", "problem": "there is no LC of this key"}]
        assert ran.steps == 10 + 20

    def test_a_key_that_is_none_is_not(self, credits: World) -> None:
        ran = credits.agree(credits.call("c", "draw", {"lc": "b" * 17, "final": 1}))
        assert [each["problem"] for each in ran.result["values"]["problems"]] == [
            "must have 1 to 16 characters, not 17",
            "must be true or false",
        ]
        assert ran.steps == 10

    def test_lists_are_made(self, credits: World) -> None:
        few = credits.agree(credits.call("c", "label", {"lc": "a", "tags": []}, by="bob"))
        many = credits.agree(credits.call("c", "label", {"lc": "a", "tags": ["a"] * 5}, by="bob"))
        assert (few.code, many.code) == ("role.denied", "role.denied")
        assert many.steps - few.steps == (56 + 5 * 8 + 5 * 68) // 128

    def test_a_view_takes_only_what_a_message_could_hold(self, credits: World) -> None:
        ran = credits.agree(credits.call("c", "amount_of", {"lc": 2**64}))
        assert (ran.code, ran.result["line"]) == ("arguments.invalid", None)


WHO: dict[str, Any] = {
    "a clerk that is none": ("check", "alice", "alice/al", "{user} has no attribute {attribute}"),
    "a clerk must sign": ("check", "alice", None, "a user with the attribute {attribute} must sign"),
    "its applicant": ("label", "alice", None, None),
    "a clerk of whoever": ("label", "alice", "alice/ann", None),
    "neither: the last is told": ("label", "bob", None, "{member} is not the {role} of this record"),
    "a bank that is not the record's": ("draw", "bob", None, "{member} is not the {role} of this record"),
    "no bank": ("draw", "alice", None, "{member} has no attribute {attribute}"),
    "no contract": ("engage", "alice", None, "only the contract {contract} can take this action"),
    "ledger time": ("close", None, None, None),
    "ledger time is no signer": ("draw", None, None, "a {role} must sign this action itself"),
    "a signer is not ledger time": ("whoami", "alice", None, "only ledger time takes this action"),
    "ledger time is no member": ("who", None, None, "only a member that signs it itself can take this action"),
}


class TestRoles:
    @pytest.mark.parametrize(("action", "by", "user", "message"), WHO.values(), ids=WHO)
    def test_who_may(self, credits: World, action: str, by: str | None, user: str | None, message: str | None) -> None:
        more = {"label": {"tags": []}, "draw": {"final": True}, "engage": {"issuer": "bob"}, "who": {}}.get(action, {})
        given = more if action == "who" else {"lc": "a", **more}
        ran = credits.agree(credits.call("c", action, given, by=by, user=user))
        if message is None:
            assert ran.code == "ok", ran
        else:
            assert (ran.code, ran.result["message"], ran.result["line"]) == ("role.denied", message, None)

    def test_the_creator_stands_in_its_field(self, credits: World) -> None:
        credits.apply(credits.agree(credits.call("c", "apply", {"id": "b", "amount": EUR}, by="carol")))
        assert credits.values("c", "LC")[1]["applicant"] == "carol"

    def test_a_contract_that_calls_confers_nothing_on_the_signer(self, credits: World) -> None:
        credits.apply(credits.agree(credits.call("caller", "engage", {"lc": "a", "issuer": "bob"})))
        ran = credits.agree(credits.call("caller", "draw", {"lc": "a"}, by="bob"))
        assert (ran.code, ran.result["contract"], ran.result["line"]) == ("role.denied", "c", None)
        assert credits.agree(credits.call("c", "draw", {"lc": "a", "final": True}, by="bob")).code == "ok"


class TestStates:
    def test_one_state_comes_by_itself(self, credits: World) -> None:
        assert credits.values("c", "LC")[0]["state"] == "Open"
        credits.apply(credits.agree(credits.call("c", "close", {"lc": "a"}, by=None)))
        assert credits.values("c", "LC")[0]["state"] == "Paid"

    def test_another_state_is_refused(self, credits: World) -> None:
        credits.apply(credits.agree(credits.call("c", "close", {"lc": "a"}, by=None)))
        ran = credits.agree(credits.call("c", "close", {"lc": "a"}, by=None))
        assert (ran.code, ran.result["values"]) == ("state.denied", {"state": "Paid", "record": "LC"})


class TestContext:
    def test_what_tx_says(self, credits: World) -> None:
        ran = credits.agree(credits.call("c", "who", by="alice", user="alice/ann"))
        assert ran.events[0]["data"] == {
            "date": "2023-11-14",
            "time": credits.time,
            "user": "alice/ann",
            "caller": None,
            "member": "alice",
        }

    def test_nobody_signed(self) -> None:
        ledger = world(
            'class A(Record, key="id"):\n    id: int\n'
            '@action(by="member", creates="A")\ndef make(tx, a: A, id: int):\n    pass\n'
            '@action(by=["schedule", "member"])\ndef due(tx, a: A):\n    event("e", user=tx.user)'
        )
        ledger.apply(ledger.agree(ledger.call("c", "make", {"id": 1})))
        assert ledger.agree(ledger.call("c", "due", {"a": 1})).events[0]["data"] == {"user": None}
        ran = ledger.agree(ledger.call("c", "due", {"a": 1}, by=None))
        assert (ran.code, ran.result["line"]) == ("tx.unsigned", 11)


class TestCalls:
    def test_an_action_of_another_contract(self, credits: World) -> None:
        ran = credits.agree(credits.call("caller", "engage", {"lc": "a", "issuer": "bob"}))
        assert ran.events == [{"data": {"caller": "caller", "member": "alice"}, "name": "engaged", "contract": "c"}]
        assert [(write.contract, write.key) for write in ran.writes] == [("c", "a")]

    def test_a_view_of_another_contract(self, credits: World) -> None:
        ran = credits.agree(credits.call("caller", "worth", {"lc": "a"}))
        alone = credits.agree(credits.call("c", "amount_of", {"lc": "a"}))
        assert ran.result == 5
        assert ran.steps == alone.steps + (2 + (1 + 1) + 2) + 20

    def test_arguments_fit_the_interface(self, credits: World) -> None:
        ran = credits.agree(credits.call("caller", "worth", {"lc": "a" * 17}))
        assert ran.result["message"] == "`Credits.amount_of.lc` must have 1 to 16 characters, not 17"

    def test_faults_of_binding_are_the_called_ones(self, credits: World) -> None:
        ran = credits.agree(credits.call("caller", "worth", {"lc": "b"}))
        assert (ran.code, ran.result["contract"], ran.result["line"]) == ("arguments.invalid", "c", None)

    def test_what_returns_is_what_is_declared(self, credits: World) -> None:
        ran = credits.agree(credits.call("caller", "wrong", {"lc": "a"}))
        assert (ran.code, ran.result["contract"]) == ("call.result", "caller")
        assert ran.result["message"] == "what `c.amount_of` returned must be a whole number"
        assert ran.result["line"] is not None

    def test_what_is_not_there(self, credits: World) -> None:
        ran = credits.agree(credits.call("caller", "lost"))
        assert (ran.code, ran.result["contract"]) == ("action.unknown", "caller")
        ran = credits.agree(credits.call("caller", "nowhere"))
        assert (ran.code, ran.result["contract"]) == ("contract.unknown", "caller")

    def test_a_contract_that_waits_is_not_called(self, credits: World) -> None:
        assert credits.agree(credits.call("caller", "itself")).code == "call.reentrant"


def test_every_limit_of_steps_gives_one_outcome(credits: World) -> None:
    """Below what it needs a transaction ends at a place that both implementations agree on, and writes nothing."""
    call = credits.call("caller", "engage", {"lc": "a", "issuer": "bob"})
    whole = credits.agree(call)
    for steps in range(whole.steps):
        ran = credits.agree(call, steps=steps)
        assert (ran.code, ran.steps) == ("steps.exceeded", steps)
    assert credits.agree(call, steps=whole.steps) == whole


class TestFailures:
    class Broken(Exception):
        """The node's own trouble."""

    def run(self, ledger: World, call: Call) -> Execution:
        return transaction.run(call, ledger._hosts[SPECIFICATION], ledger, 1_000)

    def test_what_the_reader_raises_is_passed_on(self, credits: World, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(place: bytes) -> None:
            raise self.Broken

        monkeypatch.setattr(credits, "get", fail)
        with pytest.raises(self.Broken):
            self.run(credits, credits.call("c", "amount_of", {"lc": "a"}))

    def test_a_defect_is_told_apart(self, credits: World, monkeypatch: pytest.MonkeyPatch) -> None:
        defect = ZeroDivisionError("of ours")

        def fail(*_: Any) -> None:
            raise defect

        monkeypatch.setattr(transaction, "bind", fail)
        ran = self.run(credits, credits.call("c", "amount_of", {"lc": "a"}))
        assert (ran.code, ran.error, ran.steps) == ("contract.internal", defect, 10)
