"""What is said of an order, case by case, without an engine."""

import pytest

from hansa.orderers import DEGRADED, HALTED, HEALTHY
from hansa.orderers.cometbft import standing
from hansa.orderers.cometbft.rpc import View
from hansa.orderers.cometbft.settings import CometSettings, Validator
from hansa.orderers.cometbft.standing import Facts

NAMES = "abcd"


def settings(powers=(1, 1, 1, 1)):
    validators = [
        Validator(name=name, address="127.0.0.1:1", peer=name * 40, key=name * 64, power=power)
        for name, power in zip(NAMES, powers, strict=True)
    ]
    return CometSettings(node="a", home="home", time=0, validators=validators)


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
    said = standing.judge(settings(), facts)
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
    assert standing.judge(settings(powers), facts).state == state
