"""Writes `expected.json` anew, from the specification: read in the difference that each change is meant."""

import json

from tests.contracts.golden import corpus, running


def text() -> str:
    """All outcomes by name; a line for each call, so that differences can be read."""
    lines: list[str] = []
    for name, golden in sorted(corpus.programs().items()):
        came = running.outcome(golden)
        calls = ",\n".join(f"   {json.dumps(call, sort_keys=True)}" for call in came["calls"])
        lines.append(f' {json.dumps(name)}: {{\n  "calls": [\n{calls}\n  ],\n  "records": "{came["records"]}"\n }}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    corpus.EXPECTED.write_text(text(), encoding="utf-8")
