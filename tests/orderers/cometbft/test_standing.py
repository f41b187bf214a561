"""What is said of an order, case by case, without an engine."""

import pytest

from hansa.orderers import DEGRADED, HALTED, HEALTHY, Seat
from hansa.orderers.cometbft import standing
from hansa.orderers.cometbft.rpc import View
from hansa.orderers.cometbft.standing import Facts

NAMES = "abcd"


def seats(powers=(1, 1, 1, 1), trusted=NAMES):
    return [
        Seat(name, name * 40, "127.0.0.1:1", name.encode() * 32, power, name in trusted)
        for name, power in zip(NAMES, powers, strict=True)
    ]


def view(names, catching_up=False):
    return View(height=7, catching_up=catching_up, peers=frozenset(name * 40 for name in names))


@pytest.mark.parametrize(
    ("facts", "state", "words"),
    [
        (Facts(now=100, viewed=99, view=view("bcd")), HEALTHY, ""),
        (Facts(now=100, viewed=99), DEGRADED, "starting"),
        (Facts(now=100, viewed=99, ended="it ended (1)"), DEGRADED, "it ended (1)"),
        (Facts(now=100, viewed=80, ended="it ended (1)"), HALTED, "it ended (1)"),
        (Facts(now=100, viewed=80, view=view("bcd")), HALTED, "does not answer"),
        (Facts(now=100, viewed=99, view=view("bc")), DEGRADED, "no connection to d"),
        (Facts(now=100, viewed=99, view=view("bcd", True)), DEGRADED, "height 7"),
        (Facts(now=100, viewed=99, view=view("b"), lost=90), HALTED, "no connection to c, d: more than two thirds"),
        (Facts(now=100, viewed=99, view=view("b"), lost=98, began=96), HALTED, "starting: no connection to c, d yet"),
        (Facts(now=100, viewed=99, view=view("b"), lost=98, began=94), HALTED, "no connection to c, d: more than two"),
        (Facts(now=100, viewed=99, view=view("b"), lost=90, decided=91), HALTED, "two thirds"),
        (Facts(now=100, viewed=99, view=view("b"), lost=90, decided=93), DEGRADED, "no connection to c, d"),
        (Facts(now=100, viewed=99, view=view("bcd"), waiting=85, decided=80), HALTED, "waits for 15 s"),
        (Facts(now=100, viewed=99, view=view("bcd"), waiting=85), HALTED, "waits for 15 s"),
        (Facts(now=100, viewed=99, view=view("bc"), waiting=85), HALTED, "no connection to d"),
        (Facts(now=100, viewed=99, view=view("bcd"), waiting=85, decided=98), HEALTHY, ""),
        (Facts(now=100, viewed=99, view=view("bcd"), waiting=95), HEALTHY, ""),
    ],
)
def test_each_case_has_its_words(facts, state, words):
    said = standing.judge("a", seats(), facts)
    assert said.state == state
    assert words in said.reason
    assert bool(said.remedy) == (state != HEALTHY)


@pytest.mark.parametrize(
    ("powers", "reached", "state"),
    [
        ((1, 1, 1, 0), "bc", DEGRADED),
        ((1, 1, 1, 0), "bd", HALTED),
        ((3, 1, 1, 1), "b", HALTED),
        ((5, 1, 1, 1), "b", DEGRADED),
        ((0, 1, 1, 1), "bcd", HEALTHY),
    ],
)
def test_votes_count_and_not_nodes(powers, reached, state):
    facts = Facts(now=100, viewed=99, view=view(reached), lost=90)
    assert standing.judge("a", seats(powers), facts).state == state


def test_one_that_was_retired_or_is_not_registered_says_so():
    facts = Facts(now=100, viewed=99, view=view(""), lost=90)
    said = standing.judge("e", seats(), facts)
    assert (said.state, "no node of the ledger" in said.reason, bool(said.remedy)) == (HALTED, True, True)


def test_one_that_is_not_trusted_yet_is_not_missed():
    facts = Facts(now=100, viewed=99, view=view("bc"))
    assert standing.judge("a", seats((1, 1, 1, 0), trusted="abc"), facts).state == HEALTHY
