"""The fast path does what the specification says: on two thousand generated ledgers, to the last step.

`make fuzz` goes on from there, with ledgers that are others each time.
"""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings, strategies
from tests.contracts import agreement, fuzz
from tests.contracts.choices import drawn, seeded
from tests.contracts.expressions import OPERATIONS
from tests.contracts.grammar import Deploy, generate

from hansa.contracts.diagnostics import ContractInvalid

PROGRAMS = 2_000
_CHUNK = 100

_CONSTRUCTS = """
assign assign.again assign.branches assign.later assign.typed augment_% augment_* augment_+ augment_- augment_//
become break.early by.clerk by.engine by.keeper by.member by.owner by.schedule call.odd_argument call.paused
conditional constant continue.early create creates docstring elif else equal.amount equal.bool equal.bytes equal.date
equal.duration equal.enum equal.instant equal.int equal.list equal.map equal.optional equal.party equal.record
equal.signed equal.state equal.struct equal.text equal.user event field.amount field.augment field.bool field.bytes
field.date field.duration field.enum field.instant field.int field.list field.map field.opt field.party field.record
field.signed field.struct field.text field.user for.enumerate for.expression for.items for.list for.map for.range
for.zip function function.declared function.keywords function.recursive if in.items in.map index.bool index.bytes
index.date index.duration index.enum index.instant index.int index.opt index.party index.record index.text index.user
interface interface.action interface.back interface.library interface.view.keywords invariant is_none key.bytes
key.date key.enum key.int key.text key.user library list.add list.empty list.index list.index_literal list.literal
list.reversed list.slice map.empty map.get map.index map.keys map.values migration migration.become on
optional.as_value order.amount order.bytes order.date order.duration order.instant order.int order.signed order.text
order_< order_<= order_> order_>= path.append path.augment path.field path.index path.insert path.key
path.nested.append path.nested.field path.nested.index path.nested.insert path.nested.key path.nested.pop
path.nested.pop_key path.pop path.pop_key record.exists record.find record.get reference require require.values
return.early schedule select.all select.equal select.index select.least select.most states stress.events stress.int
stress.list stress.map stress.records stress.text struct to to.several upgrade upgrade.changed upgrade.dropped
upgrade.field upgrade.twice view
"""
CONSTRUCTS = OPERATIONS | set(_CONSTRUCTS.split())
"""What the grammar makes. A construct missing here is one that nobody tests."""
_OUTCOMES = """
action.unknown arguments.invalid call.depth call.reentrant call.result contract.paused contract.unknown index.range
invariant.failed key.missing ok output.events record.exists record.missing records.exceeded require.failed role.denied
schedule.past state.denied steps.exceeded tx.unsigned value.bounds value.currency value.division value.form value.none
value.range value.size
"""
OUTCOMES = set(_OUTCOMES.split())
"""What the programs come to, all together. The bounds of a megabyte are too far for small programs."""


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A folder of this run, the same for all its workers."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if hasattr(request.config, "workerinput") else base


@pytest.mark.parametrize("first", range(0, PROGRAMS, _CHUNK))
def test_the_implementations_agree_on_generated_ledgers(first: int, shared: Path):
    played = fuzz.play_seeds(range(first, first + _CHUNK))
    assert not played.failing, fuzz.explained(generate(seeded(played.failing[0])).steps)
    assert played.findings.total() <= _CHUNK // 20, "the grammar makes files that can be deployed"
    (shared / f"{first}.outcomes").write_text(" ".join([*played.codes, "."]))
    reached = [path.read_text().split() for path in shared.glob("*.outcomes")]
    if sum("." in codes for codes in reached) == PROGRAMS // _CHUNK:  # this is the last of them
        assert {code for codes in reached for code in codes} >= OUTCOMES


def test_the_grammar_uses_the_whole_language():
    used: set[str] = set()
    for seed in range(PROGRAMS // 2):
        used |= generate(seeded(seed)).used
    assert used >= CONSTRUCTS


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(strategies.data())
def test_the_implementations_agree_wherever_hypothesis_looks(data: Any):
    steps = generate(drawn(data)).steps
    try:
        agreement.play(steps)
    except ContractInvalid:
        assume(False)


def test_what_fails_is_made_as_small_as_it_can_be():
    """The reduction itself: of a large ledger the one statement is left that a search asks for."""
    steps = next(g.steps for seed in range(100) if "library" in (g := generate(seeded(seed))).used)

    def fails(steps: list[Any]) -> bool:
        try:
            agreement.play(steps)
        except ContractInvalid:
            return False
        return any(isinstance(step, Deploy) and "for " in step.source for step in steps)

    smallest = agreement.shrunk(steps, fails)
    assert [type(step) for step in smallest] == [Deploy]
