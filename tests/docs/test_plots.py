"""The plots and their tables: the same for the same results, and never older than what the bench measured."""

import json
import re
from pathlib import Path

import pytest
from tests.docs.pages import ROOT

from bench import plots, proofs
from hansa.wire.keys import PrivateKey

RESULTS = {
    "proof_10_hashes": 4,
    "proof_10_bytes": 400,
    "proof_10_verify_us": 90.5,
    "proof_1000_hashes": 10,
    "proof_1000_bytes": 610,
    "proof_1000_verify_us": 95.5,
    "sweep_1_per_second": 900.0,
    "sweep_1_p50_ms": 1.0,
    "sweep_1_p99_ms": 2.0,
    "sweep_8_per_second": 5000.0,
    "sweep_8_p50_ms": 1.5,
    "sweep_8_p99_ms": 3.0,
    "receipt_ms": 1.0,
}
each_plot = pytest.mark.parametrize("plot", plots.PLOTS, ids=lambda plot: plot.name)


@each_plot
def test_a_plot_is_the_same_each_time_and_holds_no_date(plot: plots.Plot, tmp_path: Path) -> None:
    for name in ("one.svg", "other.svg"):
        plots.draw(plot, RESULTS, tmp_path / name)
    drawn = (tmp_path / "one.svg").read_bytes()
    assert drawn == (tmp_path / "other.svg").read_bytes()
    assert b"dc:date" not in drawn
    field = {"proof": "proof_10_bytes", "throughput": "sweep_1_p50_ms"}[plot.name]
    plots.draw(plot, {**RESULTS, field: 300}, tmp_path / "other.svg")
    assert drawn != (tmp_path / "other.svg").read_bytes()


@each_plot
def test_every_colour_has_its_dark_one(plot: plots.Plot, tmp_path: Path) -> None:
    plots.draw(plot, RESULTS, tmp_path / "plot.svg")
    before, style, after = re.split("<style>(.*?)</style>", (tmp_path / "plot.svg").read_text(), maxsplit=1, flags=re.S)
    assert "@media (prefers-color-scheme: dark)" in style
    assert set(re.findall(r"#[0-9a-f]{6}\b", style)) == {*plots.DARK, *plots.DARK.values()}
    assert not re.findall(r"(?:fill|stroke): #[0-9a-f]+", before + after), "a colour that stays"
    assert {f"var(--c{number})" for number in range(4)} <= set(re.findall(r"var\(--c\d\)", after))


@each_plot
def test_the_figures_stand_beside_it(plot: plots.Plot) -> None:
    page = ROOT / plot.pages[-1]
    made = plots.section(plot, RESULTS, page)
    shown = {"proof": "| 1,000 | 10 | 610 | 96 |", "throughput": "| 8 | 5,000 | 1.50 | 3.00 |"}
    assert shown[plot.name] in made
    assert f"](plots/{plot.name}.svg)" in made
    assert plots.section(plot, {"receipt_ms": 1.0}, page) == "\n", "nothing was measured"


@each_plot
def test_the_pages_show_what_the_bench_measured(plot: plots.Plot) -> None:
    results = json.loads(plots.RESULTS.read_text())
    for name in plot.pages:
        text = (ROOT / name).read_text("utf-8")
        made = plots.section(plot, results, ROOT / name)
        assert plots.with_section(text, plot, made) == text, "run `python -m bench.plots`"
        assert not made.strip() or (plots.FOLDER / f"{plot.name}.svg").is_file()


def test_a_receipt_grows_by_a_hash_when_the_ledger_doubles(make_key) -> None:
    key: PrivateKey = make_key("es256", "node")
    found = proofs.proofs((64, 128), 1, key)
    assert (found["proof_64_hashes"], found["proof_128_hashes"]) == (6, 7)
    assert 32 <= found["proof_128_bytes"] - found["proof_64_bytes"] <= 36
