"""Draws what the bench measured: `python -m bench.plots`, from the committed results and nothing else.

Each plot is an SVG beside the pages of the documentation, the same to the byte for the same results, light or dark as
the page is that shows it. In pages it stands with its figures in a table, between two comments. Where there are no
results for it, nothing stands there.
"""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import msgspec

mpl.use("svg")

from matplotlib import pyplot

import hansa.bench

ROOT = Path(__file__).parents[1]
RESULTS = Path(hansa.bench.__file__).with_name("reference.json")
FOLDER = ROOT / "docs" / "explanation" / "plots"
Results = dict[str, float]
GROUND, INK, FIRST, SECOND = "#ffffff", "#1f2933", "#1f5fa8", "#b4491f"
DARK = {GROUND: "#161b22", INK: "#e6edf3", FIRST: "#7fb0e6", SECOND: "#f0935f"}
"""What each colour becomes for readers who want dark pages."""
COLOURS = {
    "figure.facecolor": GROUND,
    "axes.facecolor": GROUND,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


class Plot(msgspec.Struct, frozen=True):
    """A plot: the prefix of its results, what it shows in words, its table, its drawing, and the pages it is in."""

    name: str
    prefix: str
    alt: Callable[[Results], str]
    table: Callable[[Results], list[list[str]]]
    draw: Callable[[Results, Any], None]
    pages: tuple[str, ...]


def measured(results: Results, kind: str, field: str) -> dict[int, float]:
    """The figures `KIND_NUMBER_FIELD`, by number."""
    found = (re.fullmatch(rf"{kind}_(\d+)_{field}", name) for name in results)
    return dict(sorted((int(match[1]), results[match[0]]) for match in found if match))


def proof_alt(results: Results) -> str:
    """Alternative text."""
    size, verify = measured(results, "proof", "bytes"), measured(results, "proof", "verify_us")
    least, most = min(size), max(size)
    return (
        f"From {least:,} to {most:,} entries a receipt grows from {size[least]:.0f} to {size[most]:.0f} bytes, "
        f"and checking it takes from {verify[least]:.0f} to {verify[most]:.0f} microseconds"
    )


def proof_table(results: Results) -> list[list[str]]:
    """Rows, the heading first."""
    size, verify = measured(results, "proof", "bytes"), measured(results, "proof", "verify_us")
    hashes = measured(results, "proof", "hashes")
    rows = [[f"{n:,}", f"{hashes[n]:.0f}", f"{size[n]:.0f}", f"{verify[n]:.0f}"] for n in size]
    return [["Entries", "Hashes at most", "Bytes at most", "Checked in µs of CPU"], *rows]


def draw_proof(results: Results, figure: Any) -> None:
    """Bytes and time against the number of entries."""
    size, verify = measured(results, "proof", "bytes"), measured(results, "proof", "verify_us")
    left = figure.subplots()
    right = left.twinx()
    (bytes_line,) = left.plot(list(size), list(size.values()), marker="o", color=FIRST, label="bytes of a receipt")
    (time_line,) = right.plot(
        list(verify), list(verify.values()), marker="s", color=SECOND, linestyle="--", label="µs of CPU to check it"
    )
    left.set_xscale("log")
    left.xaxis.set_major_formatter("{x:,.0f}")
    left.set_xlabel("entries of the ledger")
    left.set_ylabel("bytes of a receipt", color=FIRST)
    right.set_ylabel("µs of CPU to check it", color=SECOND)
    left.set_ylim(0, 1.15 * max(size.values()))
    right.set_ylim(0, 1.3 * max(verify.values()))
    left.legend(handles=[bytes_line, time_line], loc="lower right", frameon=False)


def throughput_alt(results: Results) -> str:
    """Alternative text."""
    rate, p50 = measured(results, "sweep", "per_second"), measured(results, "sweep", "p50_ms")
    least, most = min(rate), max(rate)
    return (
        f"From {least} to {most} connections, each with one transaction at a time, throughput goes from "
        f"{rate[least]:,.0f} to {rate[most]:,.0f} a second, and the median latency from {p50[least]:.2f} to "
        f"{p50[most]:.2f} ms"
    )


def throughput_table(results: Results) -> list[list[str]]:
    """Rows, the heading first."""
    fields = [measured(results, "sweep", field) for field in ("per_second", "p50_ms", "p99_ms")]
    rows = [[f"{n}", f"{fields[0][n]:,.0f}", f"{fields[1][n]:.2f}", f"{fields[2][n]:.2f}"] for n in fields[0]]
    return [["Connections", "Transactions a second", "p50 ms", "p99 ms"], *rows]


def draw_throughput(results: Results, figure: Any) -> None:
    """Latency against throughput, a point for each number of connections."""
    axes = figure.subplots()
    rate = measured(results, "sweep", "per_second")
    lines = (("p50_ms", "half of them sooner (p50)", "o-", FIRST), ("p99_ms", "99 of 100 sooner (p99)", "s--", SECOND))
    for field, label, style, colour in lines:
        times = measured(results, "sweep", field)
        axes.plot([rate[n] for n in times], list(times.values()), style, color=colour, label=label)
    times = measured(results, "sweep", "p50_ms")
    for connections, value in times.items():
        place = (rate[connections], value)
        axes.annotate(f"{connections}", place, textcoords="offset points", xytext=(0, -12), ha="center", fontsize=8)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.margins(y=0.15)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("transactions a second (beside each point: the number of connections)")
    axes.set_ylabel("ms until the answer")
    axes.set_xlim(left=0)
    axes.legend(loc="upper left", frameon=False)


PLOTS = (
    Plot(
        "proof",
        "proof_",
        proof_alt,
        proof_table,
        draw_proof,
        ("bench/README.md", "docs/explanation/what-a-receipt-proves.md"),
    ),
    Plot(
        "throughput",
        "sweep_",
        throughput_alt,
        throughput_table,
        draw_throughput,
        ("bench/README.md", "docs/explanation/one-transaction.md"),
    ),
)


def draw(plot: Plot, results: Results, path: Path) -> None:
    """Writes the plot's SVG."""
    drawn = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "hansa", "svg.fonttype": "path", "font.size": 10, **COLOURS}):
        figure = pyplot.figure(figsize=(7, 4), layout="constrained")
        plot.draw(results, figure)
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
        pyplot.close(figure)
    path.write_text(adaptive(drawn.getvalue()), "utf-8")


def adaptive(svg: str) -> str:
    """The picture with its colours as variables, which are others where the reader wants dark pages."""
    light = dark = ""
    for number, (colour, other) in enumerate(DARK.items()):
        svg = svg.replace(colour, f"var(--c{number})")
        light += f" --c{number}: {colour};"
        dark += f" --c{number}: {other};"
    style = f"svg {{{light} }}\n@media (prefers-color-scheme: dark) {{ svg {{{dark} }} }}"
    return svg.replace(" <defs>", f" <style>\n{style}\n </style>\n <defs>", 1)


def section(plot: Plot, results: Results, page: Path) -> str:
    """What stands in a page between the plot's comments."""
    if not any(name.startswith(plot.prefix) for name in results):
        return "\n"
    heading, *rows = plot.table(results)
    folder = "../docs/explanation/plots" if page.parent.name == "bench" else "plots"
    lines = [f"![{plot.alt(results)}]({folder}/{plot.name}.svg)", ""]
    lines += [f"| {' | '.join(row)} |" for row in (heading, ["---:"] * len(heading), *rows)]
    return "\n" + "\n".join(lines) + "\n\n"


def with_section(text: str, plot: Plot, made: str) -> str:
    """A page's text with the section of the plot in its place."""
    pattern = rf"(<!-- made by bench\.plots: {plot.name} -->\n).*?(<!-- end -->)"
    found, count = re.subn(pattern, lambda match: match[1] + made + match[2], text, flags=re.DOTALL)
    if count != 1:
        raise RuntimeError(f"{count} places for {plot.name}")
    return found


def main() -> None:
    """Draws all plots that there are results for."""
    results = json.loads(RESULTS.read_text())
    for plot in PLOTS:
        for name in plot.pages:
            page = ROOT / name
            made = section(plot, results, page)
            page.write_text(with_section(page.read_text(), plot, made))
        if made.strip():
            FOLDER.mkdir(exist_ok=True)
            draw(plot, results, FOLDER / f"{plot.name}.svg")
            print(f"drew {plot.name}")


if __name__ == "__main__":
    main()
