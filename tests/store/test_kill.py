"""A real server, really killed: what it had acknowledged is there when it comes back, once, and nothing twice."""

import pytest

from faults import kill_sweep

ROUNDS = 30


@pytest.mark.timeout(180)
def test_thirty_kills_under_load_lose_nothing(tmp_path, capsys):
    tally, problems = kill_sweep.sweep(tmp_path / "ledger", ROUNDS, seed=8)
    with capsys.disabled():
        print(f"\n  {tally}")
    assert problems == []
    assert tally.kills == ROUNDS
    assert tally.transactions > 10 * ROUNDS
    assert tally.unknown > ROUNDS // 3
