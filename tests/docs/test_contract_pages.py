"""What the pages on testing and debugging contracts show runs as it stands there."""

from pathlib import Path

import pytest
from tests.docs.test_how_to import blocks, run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader works."""
    return tmp_path_factory.mktemp("reader")


def test_a_contract_is_tested_as_the_page_says(folder: Path) -> None:
    begin, alone = (text.splitlines() for text in blocks("test-a-contract.md", "sh"))
    more, rules = blocks("test-a-contract.md", "python")
    (told,) = blocks("test-a-contract.md", "text")
    assert run(begin[0], folder).returncode == 0
    done = run(begin[1], folder)
    assert done.returncode == 0, done
    assert done.stdout.endswith("good  7 passed\n")
    (folder / "offers" / "test_more.py").write_text(more)
    done = run(alone[0], folder)
    assert (done.returncode, done.stdout.split("\n\n")[-1]) == (0, told), done
    (folder / "offers" / "test_rules.py").write_text(rules)
    done = run(begin[1], folder)
    assert (done.returncode, done.stdout.split("\n")[-2]) == (0, "good  10 passed"), done


def test_a_contract_is_debugged_as_the_page_says(tmp_path: Path) -> None:
    prepare, trace, refused, entry, pictures = (text.splitlines() for text in blocks("debug-a-contract.md", "sh"))
    steps, refusal = blocks("debug-a-contract.md", "text")
    assert run("hansa contract new offers", tmp_path).returncode == 0
    for line in prepare:
        assert (done := run(line, tmp_path)).returncode == 0, done
    done = run(trace[0], tmp_path)
    assert (done.returncode, done.stdout) == (0, steps)
    done = run(refused[0], tmp_path)
    assert done.returncode == 1
    assert done.stdout.endswith(refusal), done.stdout
    assert run(entry[0], tmp_path).returncode == 0
    done = run(entry[1], tmp_path)
    assert done.returncode == 0, done
    assert done.stdout.startswith("example_ledger 1.0.0: pay by alex, ")
    for line in pictures:
        assert (done := run(line, tmp_path)).returncode == 0, done
    assert (tmp_path / "states.svg").read_text().startswith("<svg ")
