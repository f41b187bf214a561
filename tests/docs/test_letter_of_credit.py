"""How to run a letter of credit: the page's commands and its program, as they stand there."""

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "letter-of-credit.md").read_text("utf-8")
HANSA = [sys.executable, "-m", "hansa.cli.main"]


def blocks(kind: str) -> list[str]:
    """The code blocks of this kind on the page."""
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def run(line: str, folder: Path) -> str:
    words = line.split()
    assert words[0] == "hansa"
    done = subprocess.run([*HANSA, *words[1:]], check=False, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (line, done.stdout, done.stderr)
    return done.stdout


def test_the_story_is_run_and_looked_at(tmp_path: Path) -> None:
    stories, kept, *_ = blocks("sh")
    for line in stories.splitlines():
        run(line, tmp_path)
    said = [run(line, tmp_path) for line in kept.splitlines()]
    assert "sound" in said[0]
    assert "letter_of_credit.release(" in said[2]
    assert "clock    its time is told" in said[2]


def test_time_is_told(tmp_path: Path) -> None:
    _, _, up, clock = blocks("sh")
    words = [*HANSA, *up.split()[1:], "--port", "0", "--reserve-mb", "0"]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as node:
        try:
            assert node.stdout is not None
            assert node.stdout.readline().startswith("Hansa is up at ")
            said = [run(line, tmp_path)[:23] for line in clock.splitlines()]
            assert said == ["2026-01-05 09:00:00 UTC", "2026-01-08 09:00:00 UTC", "2026-02-01 12:00:00 UTC"]
            node.send_signal(signal.SIGTERM)
            assert node.wait(10) == 0
        finally:
            node.kill()


def test_a_message_is_read(tmp_path: Path) -> None:
    (program,) = blocks("python")
    messages = ROOT / "apps" / "letter_of_credit" / "messages"
    shutil.copy(messages / "01_mt760_issue_sblc.fin", tmp_path / "issue.fin")
    done = subprocess.run([sys.executable, "-c", program], check=False, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "760 SBLC-2026-0417 {'minor': 250000000, 'currency': 'USD'}\n", done.stderr


def test_every_action_is_on_the_page() -> None:
    source = (ROOT / "apps" / "letter_of_credit" / "contract.py").read_text("utf-8")
    for action in re.findall(r"@action\([^\n]*\)\n    def (\w+)", source):
        assert f"`{action}`" in PAGE, action
