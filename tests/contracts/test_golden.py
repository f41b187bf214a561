"""The golden programs come to what is written, by both implementations, whatever is kept between their calls."""

import pytest
from tests.contracts.golden import corpus, running
from tests.contracts.golden.program import Call
from tests.contracts.world import FAST, SPECIFICATION, Implementation

from hansa.contracts import program
from hansa.contracts.prices import TRANSACTION_STEPS
from hansa.contracts.values import Cache
from hansa.wire import jsonform

PROGRAMS = corpus.programs()
IMPLEMENTATIONS = (SPECIFICATION, FAST)
CODES = {
    "ok", "arguments.invalid", "contract.unknown", "action.unknown", "role.denied", "state.denied", "record.exists",
    "record.missing", "records.exceeded", "require.failed", "invariant.failed", "steps.exceeded", "value.none",
    "value.range", "value.size", "value.division", "value.currency", "value.bounds", "value.form", "value.made",
    "index.range", "key.missing", "call.depth", "call.reentrant", "call.result", "contract.paused", "tx.unsigned",
    "schedule.past", "output.events", "output.stored", "output.result", "output.schedules",
}  # fmt: skip
"""All codes of a run, but for those that the node gives, and for `contract.internal`."""
SWEPT = (
    "amounts.split", "control.break", "crossing.action_of_another_contract", "crossing.three_contracts",
    "examples.credit_drawn_in_full", "examples.payments", "functions.library_structs_in_records", "functions.recursion",
    "lists.paths_through_lists", "maps.maps_in_maps", "records.fields_of_every_type",
    "records.handles_share_the_record",
    "rules.event_values", "rules.the_first_invariant_that_fails", "selects.made_with_a_reference",
    "selects.sees_its_own_changes", "states.one_of_several_targets", "states.two_persons", "structs.paths",
    "texts.slices", "upgrades.a_migration_says_more", "upgrades.due_again_by_itself", "upgrades.two_versions_further",
)  # fmt: skip
"""Programs that are ended at each of their steps."""
CACHED_RECORDS = 3
"""Few, so that the cache is full in many a program."""


def test_there_is_an_expectation_for_each_program() -> None:
    assert sorted(corpus.expected()) == sorted(PROGRAMS)
    assert len(PROGRAMS) >= 300


def test_every_code_comes_up() -> None:
    assert {call["code"] for came in corpus.expected().values() for call in came["calls"]} == CODES


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_passes_the_check(name: str) -> None:
    golden = PROGRAMS[name]
    world = running.deployed(golden, running.new_world())
    upgrades = [(call.contract, call.source) for call in golden.calls if not isinstance(call, Call)]
    for contract, source in (*golden.files.items(), *upgrades):
        assert program.check(source, contract, world.libraries).manifest.name == contract


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_comes_to_what_is_written_by_hand(name: str) -> None:
    calls = [call for call in PROGRAMS[name].calls if isinstance(call, Call)]
    for call, came in zip(calls, corpus.expected()[name]["calls"], strict=True):
        assert came["code"] == call.code, call
        assert (came["version"] == "") == (call.contract == "nowhere" or call.limit < TRANSACTION_STEPS), call
        if call.code == "ok":
            assert came["result"] == jsonform.plain(call.result), call
        assert call.steps is None or came["steps"] == call.steps, call
        assert call.line is None or came["result"]["line"] == call.line, call
        if call.events is not None:
            assert [[event["name"], event["data"]] for event in came["events"]] == jsonform.plain(call.events), call


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_comes_to_what_the_specification_said(name: str, implementation: Implementation) -> None:
    assert running.outcome(PROGRAMS[name], implementation) == corpus.expected()[name]


@pytest.mark.parametrize("keeps", ["all", "all but between calls", "nothing over a restart"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_no_cache_changes_an_outcome(name: str, keeps: str) -> None:
    records = Cache(CACHED_RECORDS)
    before = (lambda: None) if keeps == "all" else records.clear
    restarts = keeps == "nothing over a restart"
    assert (
        running.outcome(PROGRAMS[name], FAST, restarts=restarts, before=before, cache=records)
        == corpus.expected()[name]
    )


@pytest.mark.parametrize("name", SWEPT)
def test_implementations_agree_wherever_the_steps_end(name: str) -> None:
    golden = PROGRAMS[name]
    world = running.deployed(golden, running.new_world())
    for call in golden.calls:
        if not isinstance(call, Call):
            world.deploy(call.contract, call.source)
            continue
        run = running.prepared(world, call)
        whole = world.agree(run, steps=call.limit)
        for limit in range(whole.steps):
            ended = world.agree(run, steps=limit)
            assert (ended.code, ended.steps) == ("steps.exceeded", limit)
        assert world.agree(run, steps=whole.steps) == whole
        world.apply(whole)
