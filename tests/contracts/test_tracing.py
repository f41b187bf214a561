"""A trace says what a run did, to the last step, and changes nothing about it."""

import pytest
from tests.contracts.golden import corpus
from tests.contracts.golden.program import Call
from tests.contracts.golden.running import deployed, new_world, plain, prepared
from tests.contracts.sources import action, contract
from tests.contracts.world import SPECIFICATION, World

from hansa.contracts.calls import Execution
from hansa.contracts.specification import transaction
from hansa.contracts.tracing import STEPS_KEPT_MAX, Lines, Step, Trace, Value, lines_of

PROGRAMS = corpus.programs()


def traced(world: World, call: object, steps: int, sources: dict[bytes, str]) -> tuple[Execution, list[Step]]:
    watching = Trace(sources)
    ran = transaction.run(call, world._hosts[SPECIFICATION], world, steps, watching)  # type: ignore[arg-type]
    return ran, watching.steps(ran)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_trace_changes_no_outcome_and_accounts_for_every_step(name: str) -> None:
    golden, came = PROGRAMS[name], iter(corpus.expected()[name]["calls"])
    world = deployed(golden, new_world())
    for call in golden.calls:
        if not isinstance(call, Call):
            world.deploy(call.contract, call.source)
            continue
        made = prepared(world, call)
        ran, steps = traced(world, made, call.limit, {})
        assert plain(ran) == next(came)
        assert sum(step.spent for step in steps) == ran.steps
        assert all(step.spent >= 0 for step in steps)
        assert [step.used for step in steps if step.kind != "more"] == sorted(
            step.used for step in steps if step.kind != "more"
        )
        is_action = ran.code == "ok" and call.action in world.programs[call.contract][-1][1].manifest.actions
        if is_action and steps[-2].kind != "more":  # else what behind the last row was charged is its own
            assert steps[-1].spent == 0
        assert steps[-1].kind == ("end" if ran.code == "ok" else "refused")
        world.apply(ran)


BODY = """\
    total = 0
    items = [1, 2]
    for i in range(n):
        total += i
        items.append(total)
    require(
        total < 100,
        "{t} is too much", t=total,
    )
"""


def run_body(n: int) -> tuple[Execution, list[Step]]:
    world = World()
    source = action(BODY, "n: int")
    loaded = world.deploy("app", source)
    return traced(world, world.call("app", "go", {"n": n}), 1_000_000, {loaded.digest: source})


def test_a_trace_shows_lines_names_and_values() -> None:
    _, steps = run_body(2)
    shown = [(step.source, step.names) for step in steps if step.kind == "statement"]
    assert shown[0] == ("total = 0", [Value("total", 0)])
    assert shown[1] == ("items = [1, 2]", [Value("items", [1, 2])])
    assert shown[2][0] == "for i in range(n):"
    assert shown[3] == ("total += i", [Value("i", 0), Value("total", 0)])
    assert ("total += i", [Value("i", 1), Value("total", 1)]) in shown
    assert ("items.append(total)", [Value("items", [1, 2, 0, 1])]) in shown
    assert shown[-1][0] == 'require( total < 100, "{t} is too much", t=total, )'
    last = next(step for step in reversed(steps) if step.kind == "statement")
    assert Value("total < 100", True) in last.values


def test_a_refusal_is_the_last_step_with_its_line() -> None:
    ran, steps = run_body(30)
    assert (ran.code, steps[-1].kind, steps[-1].line) == ("require.failed", "refused", ran.result["line"])
    assert steps[-1].source.startswith("require(")


def test_a_long_trace_is_cut_and_still_accounts_for_every_step() -> None:
    world = World()
    loaded = world.deploy("app", action("    x = 0\n    for i in range(n):\n        x = x + i\n", "n: int"))
    ran, steps = traced(world, world.call("app", "go", {"n": 30_000}), 1_000_000, {loaded.digest: ""})
    assert ran.code == "ok"
    assert len(steps) == STEPS_KEPT_MAX + 2
    assert [step.kind for step in steps[-2:]] == ["more", "end"]
    assert sum(step.spent for step in steps) == ran.steps


def test_the_lines_of_a_file_are_those_that_can_be_reached() -> None:
    world = World()
    source = action("    if n > 3:\n        x = 1\n    else:\n        x = 2\n", "n: int")
    loaded = world.deploy("app", source)
    first = next(iter(lines_of(loaded.checked)))
    assert lines_of(loaded.checked) == {first: "go", first + 1: "go", first + 3: "go"}
    watching = Lines()
    call = world.call("app", "go", {"n": 1})
    transaction.run(call, world._hosts[SPECIFICATION], world, 10_000, watching)  # type: ignore[arg-type]
    assert watching.reached_lines == {loaded.digest: {first, first + 3}}


def test_times_and_what_is_scheduled_are_shown_as_people_read_them() -> None:
    world = World()
    source = contract(
        """
        class Job(Record, key="id"):
            id: Text[1, 8]

        @action(by="member", creates="Job")
        def go(tx, job: Job, id: Text[1, 8]):
            wait = Duration(days=1)
            schedule(job, "end", tx.time + wait)

        @action(by="schedule")
        def end(tx, job: Job):
            pass
        """
    )
    loaded = world.deploy("app", source)
    _, steps = traced(world, world.call("app", "go", {"id": "j"}), 10_000, {loaded.digest: source})
    statement = next(step for step in steps if step.source == "wait = Duration(days=1)")
    assert statement.names == [Value("wait", "86400000 ms")]
    due = next(step for step in steps if step.kind == "schedule")
    assert (due.source, due.names) == ("end", [Value("record", "Job"), Value("at", "2023-11-15 22:13:20 UTC")])
