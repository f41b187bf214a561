"""The letter of credit: wording agreed by both, issued by two persons, drawn within its amount and time, or refused."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.apps.letters import DOCUMENTS, ID, Letters, at, digest, said, usd

AGREED = {"amount": usd(2_500_000), "expiry": "2027-04-17"}
RELEASED = {"version": 1, "wording": digest("first"), **AGREED}
ACTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "reword": ("northwind", {"wording": digest("second"), "amount": usd(9), "expiry": "2027-04-17"}),
    "agree": ("northwind", {"version": 1, "wording": digest("first")}),
    "withdraw": ("northwind", {}),
    "prepare": ("newyorkbank/ana", {"version": 1}),
    "release": ("newyorkbank/ben", RELEASED),
    "advise": ("frankfurtbank", {"confirms": False}),
    "present": ("fabrikam", {"reference": "D", "amount": usd(1), "documents": DOCUMENTS}),
}
ALLOWED: dict[str, set[str]] = {
    "Draft": {"reword", "agree", "withdraw"},
    "Agreed": {"reword", "prepare", "withdraw"},
    "Prepared": {"reword", "release", "withdraw"},
    "Withdrawn": set(),
    "Issued": {"advise", "present"},
    "Advised": {"present"},
    "Exhausted": set(),
    "Expired": set(),
}


@pytest.mark.parametrize("state", ALLOWED)
@pytest.mark.parametrize("action", ACTIONS)
def test_what_can_be_done_in_each_state(state: str, action: str) -> None:
    by, arguments = ACTIONS[action]
    ran = Letters().to(state).take(by, action, u=ID, **arguments)
    assert (ran.code == "ok") == (action in ALLOWED[state]), ran
    if action not in ALLOWED[state]:
        assert ran.code in ("state.denied", "require.failed")


@pytest.mark.parametrize("action", [*ACTIONS, "apply"])
@pytest.mark.parametrize("by", ["northwind", "newyorkbank/ben", "frankfurtbank", "fabrikam"])
def test_who_may_do_what(action: str, by: str) -> None:
    may = {
        "apply": {"northwind", "newyorkbank/ben", "frankfurtbank", "fabrikam"},
        "reword": {"northwind", "newyorkbank/ben"},
        "agree": {"northwind", "newyorkbank/ben"},
        "withdraw": {"northwind", "newyorkbank/ben"},
        "prepare": {"newyorkbank/ben"},
        "release": {"newyorkbank/ben"},
        "advise": {"frankfurtbank"},
        "present": {"fabrikam"},
    }[action]
    if action == "apply":
        member = by.partition("/")[0]
        terms = {"issuer": "newyorkbank", "adviser": "frankfurtbank", "beneficiary": "fabrikam"}
        more = {"rules": "ISP98", "amount": usd(1), "expiry": "2027-04-17", "place": "US-NY", "may_confirm": True}
        more |= {"extends_until": None, "notice_days": 0}
        ran = Letters().take(by, "apply", id="X", wording=digest("x"), **terms, **more)
        assert ran.code == ("require.failed" if member == "fabrikam" else "ok"), "nobody applies in favour of itself"
        return
    state = next(state for state, allowed in ALLOWED.items() if action in allowed)
    ran = Letters().to(state).take(by, action, u=ID, **ACTIONS[action][1])
    assert ran.code == ("ok" if by in may else "role.denied")


def test_a_bank_without_licence_issues_nothing() -> None:
    letters = Letters()
    assert letters.apply(issuer="frankfurtbank", adviser="newyorkbank").code == "ok"
    letters.world.attributes["frankfurtbank"] = frozenset()
    assert letters.take("frankfurtbank", "agree", u=ID, version=1, wording=digest("first")).code == "role.denied"


# Wording


def test_both_sides_sign_the_same_version() -> None:
    letters = Letters().to("Draft")
    letters.ok("northwind", "agree", u=ID, version=1, wording=digest("first"))
    letters.ok("newyorkbank", "reword", u=ID, wording=digest("second"), amount=usd(5), expiry="2027-04-17")
    letters.ok("newyorkbank", "agree", u=ID, version=2, wording=digest("second"))
    assert letters.undertaking()["state"] == "Draft", "the applicant agreed to another version"
    late = letters.take("northwind", "agree", u=ID, version=1, wording=digest("first"))
    assert said(late) == "version 2 is on the table, not 1"
    other = letters.take("northwind", "agree", u=ID, version=2, wording=digest("first"))
    assert said(other) == "version 2 has another wording than the one signed"
    letters.ok("northwind", "agree", u=ID, version=2, wording=digest("second"))
    assert letters.undertaking()["state"] == "Agreed"


@pytest.mark.parametrize("state", ["Agreed", "Prepared"])
@pytest.mark.parametrize("by", ["northwind", "newyorkbank"])
def test_any_change_needs_both_again(state: str, by: str) -> None:
    letters = Letters().to(state)
    letters.ok(by, "reword", u=ID, wording=digest("second"), amount=usd(5), expiry="2027-04-17")
    found = letters.undertaking()
    assert (found["state"], found["version"], found["prepared_by"]) == ("Draft", 2, None)
    assert not (found["agreed_by_applicant"] or found["agreed_by_issuer"])
    letters.ok(by, "agree", u=ID, version=2, wording=digest("second"))
    assert letters.take("newyorkbank/ana", "prepare", u=ID, version=2).code == "state.denied"


def test_another_wording_than_the_agreed_one_is_not_released() -> None:
    other = RELEASED | {"wording": digest("third")}
    ran = Letters().to("Prepared").take("newyorkbank/ben", "release", u=ID, **other)
    assert said(ran) == "the wording released is not the one agreed, version 1"


# Issue


def test_the_same_person_does_not_release() -> None:
    letters = Letters().to("Prepared")
    ran = letters.take("newyorkbank/ana", "release", u=ID, **RELEASED)
    assert said(ran) == "newyorkbank/ana prepared this issue: another person must release it"
    ran = letters.take("newyorkbank", "release", u=ID, **RELEASED)
    assert said(ran) == "a person releases an issue: sign as a user of newyorkbank"
    assert said(Letters().to("Agreed").take("newyorkbank", "prepare", u=ID, version=1)).startswith(
        "a person prepares an issue"
    )
    letters.ok("newyorkbank/cai", "release", u=ID, **RELEASED)


def test_an_undertaking_that_would_have_expired_is_not_released() -> None:
    letters = Letters().to("Prepared", expiry="2026-04-15")
    letters.pass_to("2026-04-15T21:00")
    ran = letters.take("newyorkbank/ben", "release", u=ID, **RELEASED | {"expiry": "2026-04-15"})
    assert said(ran) == "it would have expired before it was issued, on 2026-04-15"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"amount": usd(0)}, "an undertaking is for an amount above zero"),
        ({"expiry": "2026-04-14"}, "the expiry date 2026-04-14 is not after today, 2026-04-14"),
        ({"beneficiary": "northwind"}, "a standby has an applicant, a beneficiary and two banks"),
        ({"adviser": "newyorkbank"}, "a standby has an applicant, a beneficiary and two banks"),
        ({"beneficiary": "newyorkbank"}, "an issuer undertakes nothing to itself"),
        ({"place": "XX"}, "no calendar of XX is published"),
    ],
)
def test_an_application_that_cannot_be_issued(changes: dict[str, Any], words: str) -> None:
    ran = Letters().apply(**changes)
    assert (ran.code, said(ran)) == ("require.failed", words)


def test_a_bank_confirms_only_where_it_is_asked_to() -> None:
    ran = Letters().to("Issued", may_confirm=False).take("frankfurtbank", "advise", u=ID, confirms=True)
    assert said(ran) == "frankfurtbank was not asked to confirm"


# Presentation, by the scenarios of practitioners


@pytest.mark.parametrize(
    ("rules", "presented", "received", "last"),
    [
        ("ISP98", "2026-10-05T20:00", "2026-10-05", "2026-10-15"),  # seven business days, the 12th is a holiday
        ("UCP600", "2026-10-05T20:00", "2026-10-05", "2026-10-13"),  # five banking days
        ("ISP98", "2026-10-05T21:00", "2026-10-05", "2026-10-15"),  # at the close, which still counts
        ("ISP98", "2026-10-05T21:01", "2026-10-06", "2026-10-16"),  # 17:01 in New York: the next business day
        ("ISP98", "2026-10-10T12:00", "2026-10-13", "2026-10-22"),  # a Saturday, and a holiday on Monday
        ("ISP98", "2026-10-06T03:00", "2026-10-06", "2026-10-16"),  # Monday night in New York
    ],
)
def test_the_time_to_examine(rules: str, presented: str, received: str, last: str) -> None:
    letters = Letters().to("Advised", rules=rules)
    letters.pass_to(presented)
    assert letters.present(640_000).code == "ok"
    found = letters.presentation(1)
    assert (found["received"], found["decide_by"]) == (received, at(f"{last}T21:00"))


def test_notice_of_refusal_at_the_last_moment_and_after_it() -> None:
    for last, code in (("2026-10-15T21:00", "ok"), ("2026-10-15T21:01", "require.failed")):
        letters = Letters().to("Advised")
        letters.pass_to("2026-10-05T20:00")
        assert letters.present(640_000).code == "ok"
        assert letters.examine(1, "invoice 4472 is missing").code == "ok"
        due = letters.pass_to(last)
        ran = letters.refuse(1, disposal="Returned")
        assert ran.code == code
        if code == "ok":
            assert due == []
            assert letters.presentation(1)["disposal"] == "Returned"
        else:
            assert due == [("preclude", "ok")]
            assert said(ran) == (
                f"the time for notice of refusal of {ID}/1, received on 2026-10-05, ended on 2026-10-15: "
                "the issuer is precluded from refusing"
            )
            assert letters.honour(1).code == "ok"
            assert letters.undertaking()["drawn"] == usd(640_000)


@pytest.mark.parametrize(
    ("rules", "refused", "is_safe"),
    [
        ("ISP98", "2026-10-08T21:00", True),  # the third business day: never late
        ("ISP98", "2026-10-08T21:01", False),  # accepted, and whether it was in time can be argued
        ("UCP600", "2026-10-08T21:00", None),  # has no such days
    ],
)
def test_a_refusal_says_whether_it_was_surely_in_time(rules: str, refused: str, is_safe: bool | None) -> None:
    letters = Letters().to("Advised", rules=rules)
    letters.pass_to("2026-10-05T20:00")
    assert letters.present(640_000).code == "ok"
    letters.pass_to(refused)
    (notice,) = letters.decide(1, "refuse", ("unsigned",)).events
    assert notice["data"]["in_safe_harbour"] is is_safe


def test_a_late_refusal_is_none_though_ledger_time_has_not_yet_precluded() -> None:
    """A block takes a bounded number of due actions: the rule holds also where this one waits for the next block."""
    letters = Letters().to("Advised")
    assert letters.present(1).code == "ok"
    assert letters.examine(1, "unsigned").code == "ok"
    letters.world.time = letters.presentation(1)["decide_by"] + 1
    assert said(letters.refuse(1)).endswith("precluded from refusing")
    assert said(letters.examine(1, "a ground found late")) == f"the time to examine {ID}/1 has passed"
    assert letters.honour(1).code == "ok", "precluded, it owes what it found discrepant"


def test_what_nobody_examined_is_owed_when_its_time_is_over() -> None:
    letters = Letters().to("Advised")
    assert letters.present(1).code == "ok"
    assert said(letters.honour(1)) == f"{ID}/1 has not been examined"
    letters.world.time = letters.presentation(1)["decide_by"] + 1
    assert letters.honour(1).code == "ok"


def test_drawings_add_up_and_never_beyond_the_amount() -> None:
    letters = Letters().to("Advised", amount=usd(3_000_000))
    assert letters.present(640_000).code == "ok"
    assert letters.decide(1, "honour").code == "ok"
    assert letters.take("northwind", "available", u=ID).result == usd(2_360_000)
    assert letters.present(2_400_000).code == "ok"
    refused = letters.decide(2, "honour")
    assert said(refused) == "the demand for USD 2400000.00 exceeds the available USD 2360000.00 by USD 40000.00"
    assert letters.presentation(2)["discrepancies"] == ["the demand exceeds what is available"]
    assert letters.decide(2, "refuse").code == "ok"
    assert letters.present(2_360_000).code == "ok"
    assert letters.decide(3, "honour").code == "ok"
    assert letters.undertaking()["state"] == "Exhausted"
    assert said(letters.present(0.01)) == f"{ID} is drawn in full"


def test_an_issuer_that_is_precluded_pays_up_to_what_is_available() -> None:
    letters = Letters().to("Advised")
    assert letters.present(2_500_000.01).code == "ok"
    assert letters.pass_to("2026-05-01T00:00") == [("preclude", "ok")]
    assert letters.honour(1).code == "ok"
    assert letters.presentation(1)["paid"] == usd(2_500_000)
    assert letters.undertaking()["state"] == "Exhausted"


def test_two_demands_at_once_are_paid_once() -> None:
    letters = Letters().to("Advised")
    for _ in range(2):
        assert letters.present(2_000_000).code == "ok"
    assert letters.examine(2).code == "ok"
    assert letters.decide(1, "honour").code == "ok"
    assert "exceeds the available USD 500000.00" in said(letters.honour(2))
    assert letters.decide(2, "refuse").code == "ok"


def test_one_notice_with_every_discrepancy() -> None:
    letters = Letters().to("Advised")
    assert letters.present(3_000_000).code == "ok"
    named = ("invoice 4472 is missing", "the demand is not signed")
    ran = letters.decide(1, "refuse", named)
    (notice,) = ran.events
    assert notice["data"]["discrepancies"] == ["the demand exceeds what is available", *named]
    again = letters.refuse(1)
    assert said(again) == f"notice of refusal of {ID}/1 was given: there is one, with every discrepancy"
    assert letters.examine(1, "another").code == "state.denied"
    assert letters.honour(1).code == "state.denied"


def test_what_complies_is_not_refused_and_what_does_not_is_not_paid() -> None:
    letters = Letters().to("Advised")
    assert letters.present(1).code == "ok"
    p = f"{ID}/1"
    assert said(letters.refuse(1)) == f"{p} has not been examined"
    assert said(letters.honour(1)) == f"{p} has not been examined"
    assert said(letters.decide(1, "refuse")) == f"no discrepancy of {p} is noted: honour it"
    assert said(letters.decide(1, "honour", ("unsigned",))) == "1 discrepancies are noted: refuse it"
    assert letters.take("frankfurtbank", "honour", p=p, examination=2, amount=usd(1)).code == "role.denied"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"amount": usd(0)}, "a demand is for an amount above zero"),
        ({"amount": {"minor": 1, "currency": "EUR"}}, f"{ID} is payable in USD"),
        ({"documents": []}, "a presentation has documents"),
    ],
)
def test_a_presentation_that_is_none(changes: dict[str, Any], words: str) -> None:
    assert said(Letters().to("Advised").present(1, **changes)) == words


# Expiry


def test_an_expiry_on_a_saturday_moves_to_monday() -> None:
    """2027-04-17 is a Saturday."""
    letters = Letters().to("Advised")
    assert letters.pass_to("2027-04-19T21:00") == []
    assert letters.present(1).code == "ok"
    assert letters.pass_to("2027-04-19T21:01") == [("expire", "ok")]
    assert said(letters.present(1)) == (
        f"{ID} expired at close of business in US-NY, expiry date 2027-04-17: it can be drawn no more"
    )


def test_what_was_presented_before_expiry_is_still_decided() -> None:
    letters = Letters().to("Advised")
    letters.pass_to("2027-04-19T20:00")
    for dollars in (640_000, 1_860_000):
        assert letters.present(dollars).code == "ok"
    letters.pass_to("2027-04-21T12:00")
    assert letters.undertaking()["state"] == "Expired"
    assert letters.decide(1, "honour").code == "ok"
    assert letters.decide(2, "honour").code == "ok"
    assert letters.undertaking()["drawn"] == usd(2_500_000)
    assert letters.undertaking()["state"] == "Expired"


def test_ledger_time_leaves_no_failures_behind() -> None:
    letters = Letters().to("Exhausted")
    assert letters.pass_to("2028-01-01T00:00") == [("preclude", "ok"), ("expire", "ok")]
    assert letters.undertaking()["state"] == "Exhausted"
    assert letters.presentation(1)["state"] == "Honoured"


# Whatever anybody does

BANKERS = ("newyorkbank/ana", "newyorkbank/ben", "newyorkbank/cai", "newyorkbank")
EVERYBODY = ("northwind", "fabrikam", "frankfurtbank", *BANKERS)
WORDINGS = st.sampled_from([digest(word) for word in ("first", "second")])


class AnyWayToIssue(RuleBasedStateMachine):
    """Anybody tries anything before issue; that wording and persons are as they must be is watched from outside."""

    @initialize(state=st.sampled_from(["Draft", "Agreed", "Prepared"]))
    def begin(self, state: str) -> None:
        self.letters = Letters().to(state)
        self.signed: dict[str, tuple[int, bytes]] = {}  # what each side agreed to last
        if state != "Draft":
            self.signed = dict.fromkeys(("northwind", "newyorkbank"), (1, digest("first")))
        self.prepared = self.letters.undertaking()["prepared_by"]
        self.issued: bytes | None = None

    def try_it(self, by: str, action: str, **arguments: Any) -> bool:
        return self.letters.take(by, action, **arguments).code == "ok"

    @rule(by=st.sampled_from(EVERYBODY), wording=WORDINGS)
    def reword(self, by: str, wording: bytes) -> None:
        if self.try_it(by, "reword", u=ID, wording=wording, amount=usd(100), expiry="2026-05-20"):
            assert by.partition("/")[0] in ("northwind", "newyorkbank")
            assert self.issued is None

    @rule(by=st.sampled_from(("northwind", "newyorkbank", "fabrikam")), wording=WORDINGS, back=st.integers(0, 1))
    def agree(self, by: str, wording: bytes, back: int) -> None:
        version = self.letters.undertaking()["version"] - back
        if self.try_it(by, "agree", u=ID, version=version, wording=wording):
            self.signed[by] = (version, wording)

    @rule(by=st.sampled_from(BANKERS), to=st.sampled_from(BANKERS), wording=WORDINGS, back=st.integers(0, 1))
    def issue(self, by: str, to: str, wording: bytes, back: int) -> None:
        version = self.letters.undertaking()["version"] - back
        if self.try_it(by, "prepare", u=ID, version=version):
            self.prepared = by
        read = {"amount": usd(100), "expiry": "2026-05-20"} if version > 1 else AGREED
        if self.try_it(to, "release", u=ID, version=version, wording=wording, **read):
            assert back == 0, "what was signed for another version releases nothing"
            assert self.signed == {"northwind": (version, wording), "newyorkbank": (version, wording)}
            assert len({to, self.prepared, "newyorkbank"}) == 3, "two persons"
            assert self.issued is None, "once"
            self.issued = wording

    @invariant()
    def what_is_issued_does_not_change(self) -> None:
        found = self.letters.undertaking()
        assert (found["state"] == "Issued") == (self.issued is not None)
        assert self.issued in (None, found["wording"])


TestAnyWayToIssue = AnyWayToIssue.TestCase
TestAnyWayToIssue.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)

TRIED = st.one_of(
    st.tuples(st.just("present"), st.sampled_from([1, 40, 60, 99, 100, 101])),
    st.tuples(st.sampled_from(["comply", "find", "honour", "refuse", "pay", "reject", "pay"]), st.integers(0, 2)),
    st.tuples(st.just("wait"), st.sampled_from([1, 23, 24 * 4, 24 * 9])),
)


@settings(max_examples=60, deadline=None)
@given(
    tried=st.lists(TRIED, min_size=5, max_size=30),
    expiry=st.sampled_from(["2026-04-18", "2026-05-20"]),
    rules=st.sampled_from(["ISP98", "UCP600"]),
)
def test_never_more_is_paid_than_undertaken_and_nothing_is_taken_after_expiry(
    tried: list[tuple[str, int]], expiry: str, rules: str
) -> None:
    letters = Letters().to("Advised", amount=usd(100), expiry=expiry, rules=rules)
    closes, paid, demands = letters.undertaking()["closes"], 0, 0
    for what, number in tried:
        if what == "wait":
            due = letters.pass_until(letters.world.time + number * 3_600_000)
            assert all(code == "ok" for _, code in due)
        elif what == "present":
            was_live = letters.undertaking()["state"] == "Advised"
            taken = letters.present(number).code == "ok"
            assert taken == (was_live and letters.world.time <= closes)
            demands += taken
        elif demands:
            nth = number % demands + 1
            before = letters.presentation(nth)
            on_time = letters.world.time <= before["decide_by"]
            if what in ("comply", "find", "pay", "reject"):
                found = ["unsigned"] if what in ("find", "reject") else []
                letters.examine(nth, *found)
                before = letters.presentation(nth)
            if what in ("refuse", "reject"):
                refused = letters.refuse(nth).code == "ok"
                assert refused == (before["state"] == "Examined" and bool(before["discrepancies"]) and on_time)
            elif what in ("honour", "pay") and letters.honour(nth).code == "ok":
                assert before["state"] == "Precluded" or (before["state"] == "Examined" and not before["discrepancies"])
                paid += letters.presentation(nth)["paid"]["minor"]
        found = letters.undertaking()
        assert found["drawn"]["minor"] == paid <= found["amount"]["minor"]
        assert letters.world.time <= closes or found["state"] in ("Expired", "Exhausted")


# What a signature binds, who must sign, and what no calendar and no clause may do


def test_an_older_release_does_not_issue_what_was_reworded_after_it() -> None:
    letters = Letters().to("Prepared")
    letters.ok("northwind", "reword", u=ID, wording=digest("first"), amount=usd(9_999_999), expiry="2027-10-18")
    for by in ("northwind", "newyorkbank/ana"):
        letters.ok(by, "agree", u=ID, version=2, wording=digest("first"))
    assert said(letters.take("newyorkbank/ana", "prepare", u=ID, version=1)) == "version 2 is on the table, not 1"
    letters.ok("newyorkbank/ana", "prepare", u=ID, version=2)
    ran = letters.take("newyorkbank/ben", "release", u=ID, **RELEASED)
    assert said(ran) == "version 2 is on the table, not 1"
    ran = letters.take("newyorkbank/ben", "release", u=ID, **RELEASED | {"version": 2})
    assert said(ran) == "version 2 is for USD 9999999.00 until 2027-10-18: that is not what was released"
    assert letters.undertaking()["state"] == "Prepared"


def test_a_decision_is_about_the_examination_that_was_signed() -> None:
    letters = Letters().to("Advised")
    assert letters.present(1).code == "ok"
    assert letters.examine(1, "unsigned").code == "ok"
    assert letters.examine(1, "undated").code == "ok"
    words = f"{ID}/1 was examined 2 times: 1 is not the last examination"
    assert said(letters.refuse(1, examination=1)) == words
    assert said(letters.honour(1, examination=1)) == words
    assert letters.examine(1).code == "ok"
    assert said(letters.honour(1, amount=usd(2))) == f"{ID}/1 is paid with USD 1.00, not with USD 2.00"
    assert letters.honour(1).code == "ok"


def test_two_persons_pay() -> None:
    letters = Letters().to("Advised")
    assert letters.present(1).code == "ok"
    bank = {"p": f"{ID}/1", "examination": 0, "amount": usd(1)}
    assert said(letters.take("newyorkbank", "examine", p=f"{ID}/1", discrepancies=[])).startswith("a person examines")
    assert letters.examine(1, by="ana").code == "ok"
    assert said(letters.take("newyorkbank", "honour", **bank)).startswith("a person honours")
    assert said(letters.honour(1, by="ana")) == f"newyorkbank/ana examined {ID}/1: another person must honour it"
    refusal = {"p": f"{ID}/1", "examination": 1, "disposal": "Held"}
    assert said(letters.take("newyorkbank", "refuse", **refusal)).startswith("a person refuses")
    assert letters.honour(1, by="cai").code == "ok"


def test_a_reference_is_used_once() -> None:
    letters = Letters().to("Advised")
    assert letters.present(1, reference="D/1").code == "ok"
    assert said(letters.present(1, reference="D/1")) == "D/1 was presented before: each has its own"
    assert letters.present(1, reference="D/2").code == "ok"


@pytest.mark.parametrize("text", ["/A", "A/", "A//B", " ", " A", "A\x1b[2J", "\u00fc", "A|B"])
def test_references_are_as_swift_has_them(text: str) -> None:
    assert said(Letters().apply(id=text)) == "an id is a reference as in field 20 of a SWIFT message"
    ran = Letters().to("Advised").present(1, reference=text)
    assert said(ran) == "a demand has a reference as in field 20 of a SWIFT message"


def test_nothing_is_paid_where_nothing_is_left() -> None:
    letters = Letters().to("Advised")
    for _ in range(2):
        assert letters.present(2_500_000).code == "ok"
    assert letters.decide(1, "honour").code == "ok"
    letters.pass_to("2026-06-01T00:00")
    assert said(letters.honour(2)) == f"nothing of {ID} is left to be drawn"
    assert letters.presentation(2)["state"] == "Precluded"


def test_a_beneficiary_is_not_its_own_bank() -> None:
    assert said(Letters().apply(beneficiary="frankfurtbank")) == "a beneficiary is not its own bank"


def test_a_demand_is_taken_where_no_calendar_says_when_it_must_be_decided() -> None:
    """The stand-in knows days until the end of 2028."""
    letters = Letters().to("Advised", extends_until="2031-04-17", notice_days=60)
    letters.pass_to("2028-12-28T12:00")
    assert letters.present(1).code == "ok"
    found = letters.presentation(1)
    assert (found["received"], found["decide_by"]) == ("2028-12-28", at("2028-12-28T12:00") + 21 * 86_400_000)
    letters.pass_to("2029-02-01T12:00")
    assert letters.present(1).code == "ok"
    found = letters.presentation(2)
    assert (found["received"], found["decide_by"]) == ("2029-02-01", at("2029-02-01T12:00") + 21 * 86_400_000)


# The clause by which it goes on

EVERGREEN = {"extends_until": "2031-04-17", "notice_days": 60}


def test_it_goes_on_year_by_year_until_the_last_day_that_the_clause_has() -> None:
    letters = Letters().to("Advised", **EVERGREEN)
    seen: list[tuple[str, str]] = []
    for year in range(2027, 2032):
        seen += letters.pass_to(f"{year}-04-30T00:00")
        assert letters.present(1).code == ("ok" if year < 2031 else "require.failed")
        letters.pass_to(f"{year}-05-30T00:00")
    assert seen == [("expire", "ok")] * 5
    assert letters.undertaking()["state"] == "Expired"
    assert letters.undertaking()["expiry"] == "2031-04-17"


@pytest.mark.parametrize(("day", "code"), [("2027-02-16", "ok"), ("2027-02-17", "require.failed")])
def test_notice_of_non_extension_comes_in_time_or_not_at_all(day: str, code: str) -> None:
    """The scenarios of practitioners: sixty days before 2027-04-17."""
    letters = Letters().to("Advised", **EVERGREEN)
    letters.pass_to(f"{day}T12:00")
    assert said(letters.take("newyorkbank", "stop_extending", u=ID, expiry="2027-04-17")).startswith("a person gives")
    ran = letters.take("newyorkbank/ben", "stop_extending", u=ID, expiry="2027-04-17")
    assert ran.code == code
    letters.pass_to("2027-04-20T12:00")
    found = letters.undertaking()
    assert (found["state"], found["expiry"]) == (
        ("Expired", "2027-04-17") if code == "ok" else ("Advised", "2028-04-17")
    )


def test_a_letter_without_the_clause_has_no_notice() -> None:
    letters = Letters().to("Advised")
    ran = letters.take("newyorkbank/ben", "stop_extending", u=ID, expiry="2027-04-17")
    assert said(ran) == f"{ID} does not go on after 2027-04-17"


def test_it_goes_on_though_ledger_time_has_not_come_to_say_so() -> None:
    letters = Letters().to("Advised", **EVERGREEN)
    letters.world.time = letters.undertaking()["closes"] + 1
    assert letters.present(1).code == "ok"
