"""`hansa engines` and docs/how-to/engines.md, as people and machines read it.

What it builds with is `tests/orderers/fake_go.py`.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.orderers import fake_go

VOI = fake_go.VOI.removeprefix("v")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a Go on the path that builds nothing real."""
    fake_go.put(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("FAKE_GO", str(tmp_path))
    monkeypatch.setenv("HANSA_ENGINES", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_nothing_is_built_yet(hansa: Callable, cache: Path) -> None:
    ran = hansa("engines", "list", "--json")
    assert ran.code == 0
    unbuilt = {"path": None, "go": None, "bytes": None, "sha256": None}
    assert ran.json["engines"] == [
        {"name": "etcd", "version": "3.6.16", **unbuilt},
        {"name": "cometbft", "version": "0.40.0", **unbuilt},
        {"name": "verifier", "version": VOI, **unbuilt},
    ]
    assert Path(ran.json["folder"]).parent == cache
    ran = hansa("engines", "list")
    assert ran.out.splitlines()[2].split() == ["etcd", "3.6.16", "-", "-", "-"]
    assert ran.err == "`hansa engines build` builds what is missing\n"
    assert not cache.exists()


def test_what_is_built_is_told(hansa: Callable, cache: Path) -> None:
    ran = hansa("engines", "build")
    assert ran.code == 0
    named = ["etcd 3.6.16", "cometbft 0.40.0", f"verifier {VOI}"]
    assert [line.partition(": ")[0] for line in ran.out.splitlines()] == [f"{name} built" for name in named]
    assert ran.err.splitlines() == [
        *(f"downloading the sources of {name}" for name in named),
        *(f"building {name} with Go 1.99.0" for name in named),
    ]
    again = hansa("engines", "build", "etcd")
    assert again.out.startswith("etcd 3.6.16 was there: ")
    assert again.err == ""

    etcd, *_ = hansa("engines", "list", "--json").json["engines"]
    program = Path(etcd["path"])
    assert program.is_relative_to(cache)
    assert etcd["sha256"] == hashlib.sha256(program.read_bytes()).hexdigest()
    assert (etcd["go"], etcd["bytes"]) == ("1.99.0", program.stat().st_size)
    listed = hansa("engines", "list")
    assert listed.err == ""
    assert listed.out.splitlines()[2].split() == ["etcd", "3.6.16", "1.99.0", etcd["sha256"], etcd["path"]]


def test_a_build_as_machines_read_it(hansa: Callable, cache: Path) -> None:
    first, second = (hansa("engines", "build", "cometbft", "--json") for _ in range(2))
    assert (first.code, first.err) == (0, "")
    (built,), (there,) = first.json["engines"], second.json["engines"]
    assert (built.pop("built"), there.pop("built")) == (True, False)
    assert built == there == hansa("engines", "list", "--json").json["engines"][1]


def test_a_build_that_fails(hansa: Callable, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "fail").write_text("a.go:1:1: no sense\n")
    told = hansa("engines", "build", "--quiet").failed("engine.build")
    assert told == "etcd 3.6.16 could not be built: # example.org/b; a.go:1:1: no sense"
    assert hansa("engines", "build", "--json").failed("engine.build") == told
