"""What `pip install .` brings: the package, its applications and types, and few dependencies, all of them pinned."""

import email
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hansa.orderers import engines

ROOT = Path(__file__).parents[2]
DISTRIBUTIONS_MAX = 34  # "under 35 of them"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel, built by the pinned backend that is installed: without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run(
        [*command, "--disable-pip-version-check", "--quiet", "--wheel-dir", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (file,) = folder.glob("hansa-*.whl")
    assert file.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(file) as opened:
        yield opened


def cookbook_tests() -> set[str]:
    """Those of the patterns, which users copy by the folder: without its tests, a pattern is only half of it."""
    found = (ROOT / "apps" / "cookbook").glob("*/test_*.py")
    return {f"hansa/{path.relative_to(ROOT).as_posix()}" for path in found}


def test_the_wheel_holds_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert {"hansa/py.typed", "hansa/apps/example_ledger/contract.py", "hansa/cli/main.py"} <= names
    assert "hansa/contract/__init__.pyi" in names, "what editors know of contract files"
    assert all(name.startswith("hansa/") or ".dist-info/" in name for name in names)
    unwanted = re.compile(r"(^|/)tests?(/|_)|conftest|__pycache__|\.pyc|\.pem|(^|/)docs/|^bench/")
    assert {name for name in names if unwanted.search(name)} == cookbook_tests()
    sources = {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src" / "hansa").rglob("*.py")}
    assert {name for name in names if name.endswith(".py") and not name.startswith("hansa/apps/")} == sources
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_application_in_the_wheel_is_the_one_beside_it(wheel: zipfile.ZipFile) -> None:
    there = wheel.read("hansa/apps/example_ledger/contract.py")
    assert there == (ROOT / "apps" / "example_ledger" / "contract.py").read_bytes()


def test_the_pins_of_the_engines_are_in_the_wheel(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """With which `hansa engines build` builds the same where there is no checkout."""
    names = {name for name in wheel.namelist() if name.startswith("hansa/engines/")}
    assert names == {f"hansa/engines/{name}" for name in ("go.mod", "go.sum", "toolchain.txt", "verifier/main.go")}
    wheel.extractall(tmp_path / "site")
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); from hansa.orderers import engines; "
    code += "print(engines.source(), engines.folder())"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.split() == [str(tmp_path / "site" / "hansa" / "engines"), str(engines.folder())]


def test_the_wheel_gives_the_command(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert "hansa = hansa.cli.main:main" in wheel.read(name).decode()


def test_the_application_is_found_without_the_checkout(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """Where `hansa demo` takes its contract from."""
    wheel.extractall(tmp_path / "site")
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); from hansa.stories.apps import app_file; "
    code += "print(app_file('example_ledger', 'contract.py'))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == str(tmp_path / "site" / "hansa" / "apps" / "example_ledger" / "contract.py")


def pinned(name: str) -> dict[str, tuple[str, int]]:
    """The distributions of a requirements file: the version and the number of hashes of each."""
    text = (ROOT / "requirements" / name).read_text("utf-8").replace("\\\n", " ")
    lines = [line.partition(" #")[0].strip() for line in text.splitlines() if line and not line.startswith("#")]
    found: dict[str, tuple[str, int]] = {}
    for line in filter(None, lines):
        match = re.fullmatch(r"([a-z0-9-]+)==([0-9][0-9a-z.+]*)(?: *;[^-]*)?((?: +--hash=sha256:[0-9a-f]{64})+)", line)
        assert match is not None, line
        found[match[1]] = match[2], match[3].count("--hash")
    return found


def test_the_base_install_is_small_and_pinned_with_hashes() -> None:
    found = pinned("base.txt")
    assert 0 < len(found) <= DISTRIBUTIONS_MAX
    assert all(hashes for _, hashes in found.values())
    assert set(found.items()) <= set(pinned("dev.txt").items()), "the tests run with what is installed"


def requirement(line: str) -> str:
    """The name of the distribution a line of Requires-Dist asks for."""
    return re.split(r"[<>=!~ ;\[]", line)[0].lower()


def test_what_the_wheel_requires_is_pinned(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith("METADATA")]
    metadata = email.message_from_bytes(wheel.read(name))
    lines = metadata.get_all("Requires-Dist", [])
    extra = {requirement(line) for line in lines if "extra ==" in line}
    required = {requirement(line) for line in lines if "extra ==" not in line}
    assert required
    assert required <= set(pinned("base.txt"))
    assert extra
    assert extra <= set(pinned("dev.txt")), "the tests run with what an extra installs"
    assert metadata["Requires-Python"] == ">=3.11"


def test_the_build_backend_is_pinned() -> None:
    assert "hatchling" in pinned("build.txt")
    version = pinned("build.txt")["hatchling"][0]
    assert f'requires = ["hatchling=={version}"]' in (ROOT / "pyproject.toml").read_text("utf-8")
