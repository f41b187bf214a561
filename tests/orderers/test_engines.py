"""Which engines there are, where they are looked for, and which program of an operator's is taken for one."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.orderers.fake_go import VOI, program

from hansa.orderers import build_info
from hansa.orderers import engines as pins

COMET = "github.com/cometbft/cometbft"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of this test's own."""
    monkeypatch.setenv("HANSA_ENGINES", str(tmp_path / "cache"))
    return tmp_path / "cache"


def own(folder: Path, content: bytes, mode: int = 0o755) -> Path:
    path = folder / "own"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def placed(go: str, name: str = "etcd") -> Path:
    path = pins.folder() / go / name
    path.parent.mkdir(parents=True)
    path.touch(0o755)
    return path


@pytest.mark.parametrize("name", pins.NAMES)
def test_the_real_engines_are_what_is_pinned(engines: dict[str, Path], name: str) -> None:
    engine = pins.pinned(name)
    assert pins.check(engine, engines[name]) == engine.version
    assert build_info.module_version(engines[name], engine.module) == engine.version
    assert pins.find(name, engines[name]) == engines[name]
    content = engines[name].read_bytes()
    assert b"/ld-linux" not in content[:4096], "it is linked statically"
    assert str(Path.home()).encode() + b"/go/" not in content, "no path of the machine that built it stands in it"


def test_the_pins_are_exact_and_have_hashes() -> None:
    lines = (pins.source() / "go.sum").read_text().splitlines()
    for name, version in (("etcd", "3.6.16"), ("cometbft", "0.40.0"), ("verifier", VOI[1:])):
        engine = pins.pinned(name)
        assert engine.version == version
        for kind in (f"v{version}", f"v{version}/go.mod"):
            assert sum(line.startswith(f"{engine.module} {kind} h1:") for line in lines) == 1


def test_an_engine_that_is_not_built(cache: Path, refused: Callable) -> None:
    with refused("engine.missing") as caught:
        pins.find("etcd")
    assert caught.value.detail == "etcd 3.6.16 is not built on this machine"
    assert "`hansa engines build etcd`" in caught.value.remedy
    assert not cache.exists(), "looking makes no folder"


def test_an_engine_that_there_is_not(refused: Callable) -> None:
    with refused("argument.value") as caught:
        pins.find("raft")
    assert caught.value.remedy == "They are etcd, cometbft, verifier."


def test_the_one_that_the_newest_go_built_is_found(cache: Path) -> None:
    placed("go1.9.8")
    newest = placed("go1.10.2")
    placed("go1.10")
    placed("gopher")
    (pins.folder() / "go1.11").mkdir()
    placed("go1.12").chmod(0o644)
    assert pins.find("etcd") == newest


def test_the_cache_is_where_it_is_said_to_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", "/h")
    monkeypatch.delenv("HANSA_ENGINES", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert pins.cache() == Path("/h/.cache/hansa/engines")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert pins.cache() == Path("/h/.cache/hansa/engines")
    monkeypatch.setenv("XDG_CACHE_HOME", "/c")
    assert pins.cache() == Path("/c/hansa/engines")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HANSA_ENGINES", "here")
    assert pins.cache() == tmp_path / "here"


def test_whatever_decides_the_programs_decides_the_folder(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = Path(shutil.copytree(pins.source(), tmp_path / "source"))
    seen = [pins.folder()]
    monkeypatch.setattr(pins, "source", lambda: source)
    assert pins.folder() == seen[0], "not where the sources lie"
    (source / "toolchain.txt").write_text("")
    assert pins.folder() == seen[0], "Go has a folder of its own below"

    for name in ("go.mod", "go.sum", "verifier/main.go"):
        with (source / name).open("a") as file:
            file.write("// more\n")
        seen.append(pins.folder())
    monkeypatch.setattr(pins, "ENVIRONMENT", {"CGO_ENABLED": "1"})
    seen.append(pins.folder())
    monkeypatch.setattr(pins.platform, "machine", lambda: "other")
    seen.append(pins.folder())
    monkeypatch.setattr(pins.Engine, "arguments", lambda _: [])
    seen.append(pins.folder())
    assert len(set(seen)) == 7
    assert {folder.parent for folder in seen} == {cache}


ETCD = "etcd Version: {}\nGit SHA: Not provided\nGo Version: go1.26.8"
MOD = "path\tx\nmod\t" + COMET + "\tv{}\th1:0+zc=\ndep\tother\tv1.0.0\n"


@pytest.mark.parametrize(
    ("name", "banner", "modules", "version"),
    [
        ("etcd", ETCD.format("3.6.16"), "", "3.6.16"),
        ("etcd", ETCD.format("3.6.17"), "", "3.6.17"),
        ("etcd", ETCD.format("3.6.100"), "mod\tgo.etcd.io/etcd/server/v3\t(devel)\n", "3.6.100"),
        ("cometbft", "0.39.0", MOD.format("0.40.0"), "0.40.0"),
        ("cometbft", "0.39.0+abc", MOD.format("0.40.1"), "0.40.1"),
        ("cometbft", "v0.40.2", "", "0.40.2"),
        ("cometbft", "0.40.3", f"mod\t{COMET}\t(devel)\n", "0.40.3"),
    ],
)
def test_an_operators_own_program_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, banner: str, modules: str, version: str
) -> None:
    path = own(tmp_path, program(banner, modules))
    assert pins.check(pins.pinned(name), path) == version
    monkeypatch.chdir(tmp_path)
    assert pins.find(name, Path("own")) == path


@pytest.mark.parametrize(
    ("name", "banner", "modules", "version"),
    [
        ("etcd", ETCD.format("3.4.23"), "", "3.4.23"),
        ("etcd", ETCD.format("3.6.9"), "", "3.6.9"),
        ("etcd", ETCD.format("3.7.16"), "", "3.7.16"),
        ("etcd", ETCD.format("4.6.16"), "", "4.6.16"),
        ("etcd", ETCD.format("3.6.16-rc.1"), "", "3.6.16-rc.1"),
        ("etcd", ETCD.format("new"), "", "new"),
        ("cometbft", "0.39.0", "", "0.39.0"),
        ("cometbft", "0.39.0", MOD.format("0.39.0"), "0.39.0"),
        ("cometbft", "0.40.0", MOD.format("0.38.26"), "0.38.26"),
        ("cometbft", "0.40.0", MOD.format("0.40.1-0.20260801000000-abcdef"), "0.40.1-0.20260801000000-abcdef"),
        ("cometbft", "1.0.1", f"dep\t{COMET}\tv1.0.1\th1:x=\n", "1.0.1"),
    ],
)
def test_a_wrong_version_is_refused(
    tmp_path: Path, refused: Callable, name: str, banner: str, modules: str, version: str
) -> None:
    path = own(tmp_path, program(banner, modules))
    with refused("engine.version") as caught:
        pins.find(name, path)
    pinned = pins.pinned(name).version
    line = pinned.rpartition(".")[0]
    assert caught.value.detail == f"{path} is {name} {version}; Hansa works with {pinned} and later {line}"


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        (program(ETCD.format("3.6.16")), 0o644, "is no program that this user may run"),
        (b"\x7fELF nothing like it", 0o755, "does not start: Exec format error"),
        (program(ETCD.format("3.6.16"), code=1), 0o755, "--version does not answer as etcd does"),
        (program("0.39.0"), 0o755, "--version does not answer as etcd does"),
        (b"#!/bin/sh\nprintf '\\377\\n'\n", 0o755, "--version does not answer as etcd does"),
    ],
)
def test_what_is_no_engine_is_refused(tmp_path: Path, refused: Callable, content: bytes, mode: int, told: str) -> None:
    with refused("engine.binary") as caught:
        pins.find("etcd", own(tmp_path, content, mode))
    assert told in caught.value.detail


def test_no_file_and_a_folder_are_refused(tmp_path: Path, refused: Callable) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with refused("engine.binary"):
            pins.find("cometbft", path)


def test_a_program_that_gives_no_answer_is_ended(
    tmp_path: Path, refused: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pins, "_ASKED_S", 0.2)
    path = own(tmp_path, f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 100\n".encode())
    with refused("engine.binary") as caught:
        pins.find("etcd", path)
    assert re.search(r"gave no answer in 0.2 s", caught.value.detail)
    if (tmp_path / "pid").exists() and (text := (tmp_path / "pid").read_text()):
        with pytest.raises(ProcessLookupError):
            os.kill(int(text), 0)


@pytest.mark.parametrize(
    "content", [b"", b"\xff Go buildinf:", b"\xff Go buildinf:\x08\x02" + bytes(16) + b"\xff" * 40]
)
def test_a_file_without_build_information_has_no_version(tmp_path: Path, content: bytes) -> None:
    assert build_info.module_version(own(tmp_path, content), COMET) is None
