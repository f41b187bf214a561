"""`hansa bench` with tiny sizes: every figure is there, and what was counted is what the ledger holds."""

import json
from pathlib import Path

import msgspec
import pytest
from tests.cli.conftest import own_places, run  # noqa: F401 - a fixture

from hansa.bench import figures
from hansa.cli import bench


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> figures.Bench:
    told: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for name, least in (("ROUNDS", 1), ("RECEIPTS", 3), ("VERIFIED", 2), ("EXECUTED", 5)):
            patch.setattr(figures, name, least)
        where = tmp_path_factory.mktemp("bench")
        found = figures.measure(1, where, told.append, accounts=70)
    assert list(where.iterdir()) == [], "the ledger is gone"
    assert told
    return found


def test_every_figure_is_there(measured: figures.Bench) -> None:
    names = {figure.name for figure in measured.figures}
    assert names == set(figures._MEANINGS) - ({"memory_mb"} if "memory_mb" not in names else set())
    for figure in measured.figures:
        assert 0 < figure.least <= figure.median <= figure.most


def test_what_is_measured_once_is_shown_so(measured: figures.Bench) -> None:
    start, receipts = measured.figures[0], next(one for one in measured.figures if one.name == "receipt_ms")
    assert (start.name, start.measurements) == ("start_s", 1)
    one = msgspec.structs.replace(measured, figures=[start, msgspec.structs.replace(receipts, measurements=3)])
    once, often = bench._rows(one)
    assert once[3:5] == ["-", "-"]
    assert "-" not in often[:5]


def test_runs_are_shorter_when_what_belongs_to_them_takes_longer() -> None:
    """Twelve runs in 60 s: with what the first has taken, the others end in time."""
    for overhead in (0.2, 1.0, 4.0):
        allowance, now, lasted = figures.Allowance(60.0), 0.0, [0.0]
        for left in range(12, 0, -1):
            lasts = allowance.seconds(left, now)
            took = lasts * (1 + overhead)
            allowance.ran(lasts, took)
            lasted.append(lasts)
            now += took
        assert now < 60 * 1.2
        assert sum(lasted) > 0.8 * 60 / (1 + overhead)
    assert figures.Allowance(1.0).seconds(3, 50.0) == figures.RUN_S_MIN


def test_what_was_counted_is_what_the_ledger_holds(measured: figures.Bench) -> None:
    assert measured.transfers > 0
    assert measured.entries_before == 1 + 1 + 70, "genesis, the contract, the accounts"
    assert measured.entries == measured.entries_before + measured.transfers


def test_figures_of_the_reference_machine_stand_beside(measured: figures.Bench) -> None:
    by_name = {figure.name: figure for figure in measured.figures}
    single = by_name["single_64_per_second"]
    assert single.reference == figures.reference()["single_64_per_second"]
    assert single.ratio == single.median / single.reference
    assert by_name["action_us"].ratio is None


def test_the_command_tells_and_writes_them(
    measured: figures.Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "measure", lambda *_: measured)
    report = tmp_path / "report.md"
    ran = run("bench", "--out", report, "--in", tmp_path)
    assert (ran.code, ran.err) == (0, "")
    for figure in measured.figures:
        assert figure.meaning in ran.out
        assert figure.meaning in report.read_text()
    assert f"{measured.transfers:,} transfers were answered as applied" in ran.out
    assert run("bench", "--out", report).failed("argument.exists", 2)
    found = run("bench", "--json").json
    assert json.loads(json.dumps(found))["entries"] == measured.entries
    assert [one["name"] for one in found["figures"]] == [figure.name for figure in measured.figures]
