"""`hansa receipt`: proofs that leave the ledger, the same from a running and a stopped one, and their check offline."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hansa.client import keys

ENDINGS = [".cose", ".entry", ".envelope", ".outcome", ".pem"]


@pytest.fixture(scope="module")
def trusted(server: Any) -> tuple[object, ...]:
    """What a verifier trusts: the genesis document and the ledger's id."""
    return "--genesis", server.data / "genesis.cbor", "--ledger", server.ledger


@pytest.fixture(scope="module")
def written(hansa: Callable, server: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prefix of all five files of entry 2."""
    prefix = tmp_path_factory.mktemp("receipts") / "two"
    ran = hansa("receipt", "get", "2", "--out", prefix, "--key", "--data", server.data)
    files = [f"{prefix}{ending}" for ending in ENDINGS]
    assert (ran.code, ran.err, ran.out) == (0, "", f"wrote {', '.join(files)}\n")
    return prefix


@pytest.fixture
def copy(written: Path, tmp_path: Path) -> Path:
    """The prefix of a copy that a test may change."""
    for ending in ENDINGS:
        shutil.copy(f"{written}{ending}", tmp_path / f"copy{ending}")
    return tmp_path / "copy"


def test_five_files_are_written(written: Path) -> None:
    assert sorted(path.name for path in written.parent.iterdir()) == [f"two{ending}" for ending in ENDINGS]


def test_the_key_is_written_only_if_asked_for(hansa: Callable, server: Any, tmp_path: Path) -> None:
    ran = hansa("receipt", "get", "0", "--out", tmp_path / "r", "--data", server.data, "--json")
    assert ran.json == {"seq": 0, "files": [f"{tmp_path}/r{ending}" for ending in ENDINGS[:-1]]}
    assert not (tmp_path / "r.pem").exists()


def test_a_receipt_verifies(hansa: Callable, written: Path, trusted: tuple, server: Any) -> None:
    ran = hansa("receipt", "verify", written, *trusted)
    first, *lines = ran.out.splitlines()
    assert (ran.code, ran.err) == (0, "")
    assert first.startswith("valid  entry 2 is in the ledger, as of ")
    assert lines == [
        f"ledger   {server.ledger}",
        "pinned   ledger",
        "keys     of the genesis document; they may have changed since: a trust file says so",
        "action   example_ledger.open(owner=northbank, balance=USD 1000.00)",
        "signed   by tradewatch",
        "outcome  applied ok",
        lines[-1],
    ]
    assert re.fullmatch(r"time     \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", lines[-1])
    for ending in ENDINGS[:-1]:
        assert hansa("receipt", "verify", f"{written}{ending}", *trusted).out == ran.out


def test_a_receipt_as_json(hansa: Callable, written: Path, trusted: tuple, server: Any) -> None:
    found = hansa("receipt", "verify", written, *trusted, "--json").json
    assert (found["valid"], found["ledger"], found["seq"], found["kind"]) == (True, server.ledger, 2, "transaction")
    assert (found["envelope_checked"], found["outcome_checked"]) == (True, True)
    assert (found["signer"], found["pinned"]) == ("tradewatch", "ledger")
    assert "caution" not in found
    assert found["size"] >= 3


def test_every_entry_verifies(hansa: Callable, server: Any, trusted: tuple, tmp_path: Path) -> None:
    for seq in range(5):
        assert hansa("receipt", "get", seq, "--out", tmp_path / f"r{seq}", "--data", server.data).code == 0
        assert hansa("receipt", "verify", tmp_path / f"r{seq}", *trusted, "--json").json["seq"] == seq


def test_no_file_is_overwritten(hansa: Callable, copy: Path, server: Any) -> None:
    """Not even one of several: what somebody keeps as evidence is not lost by a name that is given twice."""
    Path(f"{copy}.cose").unlink()
    before = {path.name: path.read_bytes() for path in copy.parent.iterdir()}
    words = ("receipt", "get", "3", "--out", copy, "--data", server.data)
    assert hansa(*words).failed("argument.exists", 2) == f"{copy}.entry exists"
    assert {path.name: path.read_bytes() for path in copy.parent.iterdir()} == before
    assert hansa(*words, "--force").code == 0
    assert Path(f"{copy}.entry").read_bytes() != before["copy.entry"]


def test_a_key_that_is_trusted_verifies(hansa: Callable, written: Path) -> None:
    ran = hansa("receipt", "verify", written, "--key", f"{written}.pem")
    assert (ran.code, ran.err) == (0, "")
    assert "pinned   key, not the ledger's id" in ran.out
    assert hansa("receipt", "verify", written, "--key", f"{written}.pem", "--json").json["pinned"] == "key"


def test_a_genesis_file_alone_pins_nothing(hansa: Callable, written: Path, server: Any) -> None:
    words = ("receipt", "verify", written, "--genesis", server.data / "genesis.cbor")
    ran = hansa(*words, "--quiet")
    assert ran.code == 0
    assert ran.out.startswith("valid, but pinned to nothing  entry 2 is in the ledger")
    assert "pinned   nothing\n" in ran.out
    assert ran.err.startswith("caution: valid, but pinned to nothing: ")
    found = hansa(*words, "--json").json
    assert (found["valid"], found["pinned"]) == (True, "nothing")
    assert found["caution"].startswith("valid, but pinned to nothing: ")


def test_everything_that_is_pinned_is_checked(
    hansa: Callable, written: Path, trusted: tuple, server: Any, other_key: Path
) -> None:
    verify = ("receipt", "verify", written)
    key = ("--key", f"{written}.pem")
    for options, pinned in (
        (("--ledger", server.ledger), "ledger and key"),
        (trusted, "ledger and key"),
        (trusted[:2], "key"),
    ):
        assert hansa(*verify, *key, *options, "--json").json["pinned"] == pinned
    assert hansa(*verify, *key, "--ledger", "0" * 64).failed("verify.ledger") == (
        f"{written}.cose: it is for ledger {server.ledger}, which is not the one pinned"
    )
    assert hansa(*verify, *key, *trusted[:3], "0" * 64).failed("verify.genesis")
    assert hansa(*verify, "--key", other_key, *trusted).failed("verify.key")
    assert hansa(*verify, "--key", other_key, "--ledger", server.ledger).failed("receipt.key_unknown")


@pytest.fixture
def other_key(tmp_path: Path) -> Path:
    """A checkpoint key of no ledger."""
    path = tmp_path / "other.pem"
    path.write_bytes(keys.generate("p256").public.pem())
    return path


def test_the_entry_alone_is_enough(hansa: Callable, copy: Path, trusted: tuple) -> None:
    for ending in (".envelope", ".outcome"):
        Path(f"{copy}{ending}").unlink()
    found = hansa("receipt", "verify", copy, *trusted, "--json").json
    assert (found["envelope_checked"], found["outcome_checked"]) == (False, False)
    assert "action" not in hansa("receipt", "verify", copy, *trusted).out


def test_the_entry_may_lie_elsewhere(hansa: Callable, copy: Path, trusted: tuple, tmp_path: Path) -> None:
    Path(f"{copy}.entry").rename(tmp_path / "elsewhere")
    assert hansa("receipt", "verify", copy, *trusted).failed("argument.file", 2)
    assert hansa("receipt", "verify", copy, *trusted, "--entry", tmp_path / "elsewhere").code == 0


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        (".cose", "receipt.invalid"),
        (".entry", "receipt.invalid"),
        (".envelope", "verify.envelope"),
        (".outcome", "verify.outcome"),
    ],
)
def test_a_file_with_its_last_byte_changed(ending: str, code: str, hansa: Callable, copy: Path, trusted: tuple) -> None:
    path = Path(f"{copy}{ending}")
    data = path.read_bytes()
    position = -1 if ending != ".entry" else -40  # the last byte of the digest of the envelope
    changed = bytearray(data)
    changed[position] ^= 1
    path.write_bytes(changed)
    wrong = ".cose" if code == "receipt.invalid" else ending
    assert hansa("receipt", "verify", copy, *trusted).failed(code).startswith(f"{copy}{wrong}: ")
    found = hansa("receipt", "verify", copy, *trusted, "--json").json["error"]
    assert (found["code"], found["part"]) == (code, {".cose": "receipt"}.get(wrong, wrong[1:]))


def test_files_that_are_something_else_are_named(hansa: Callable, copy: Path, trusted: tuple, tmp_path: Path) -> None:
    text = tmp_path / "README.md"
    text.write_text("# Hansa\n")
    for options in (("--genesis", text), ("--genesis", text, "--ledger", "0" * 64)):
        told = hansa("receipt", "verify", copy, *options).failed("genesis.form")
        assert told == f"{text}: this is no genesis document"
    receipt = Path(f"{copy}.cose")
    receipt.write_bytes(receipt.read_bytes()[:50])
    assert hansa("receipt", "verify", copy, *trusted).failed("receipt.form").startswith(f"{copy}.cose is no receipt: ")


def test_files_of_another_entry(hansa: Callable, copy: Path, trusted: tuple, server: Any, tmp_path: Path) -> None:
    assert hansa("receipt", "get", "3", "--out", tmp_path / "three", "--data", server.data).code == 0
    shutil.copy(tmp_path / "three.cose", f"{copy}.cose")
    assert hansa("receipt", "verify", copy, *trusted).failed("receipt.invalid")


@pytest.mark.parametrize(
    ("options", "code", "exit_code"),
    [
        ([], "argument.value", 2),
        (["--ledger", "0" * 64], "argument.value", 2),
        (["--genesis", "GENESIS", "--ledger", "0" * 64], "verify.genesis", 1),
        (["--genesis", "GENESIS", "--ledger", "xyz"], "request.digest", 2),
        (["--genesis", "ENTRY"], "genesis.form", 1),
        (["--key", "GENESIS"], "key.file", 1),
        (["--key", "MEMBER"], "key.file", 1),
    ],
)
def test_what_is_not_to_be_trusted(
    options: list[str], code: str, exit_code: int, hansa: Callable, written: Path, server: Any
) -> None:
    files = {
        "GENESIS": server.data / "genesis.cbor",
        "ENTRY": f"{written}.entry",
        "MEMBER": server.data / "keys" / "members" / "northbank.pem",
    }
    assert hansa("receipt", "verify", written, *(files.get(word, word) for word in options)).failed(code, exit_code)


def test_a_receipt_that_there_is_not(hansa: Callable, server: Any, tmp_path: Path, trusted: tuple) -> None:
    assert hansa("receipt", "get", "99", "--out", tmp_path / "r", "--data", server.data).failed("entry.unknown")
    assert list(tmp_path.iterdir()) == []
    assert hansa("receipt", "verify", tmp_path / "r", *trusted).failed("argument.file", 2)
    assert hansa("receipt", "get", "0", "--out", tmp_path / "r", "--data", tmp_path).failed("folder.none")


def test_a_place_that_cannot_be_written_to(hansa: Callable, server: Any, tmp_path: Path) -> None:
    ran = hansa("receipt", "get", "0", "--out", tmp_path / "none" / "r", "--data", server.data)
    assert ran.failed("argument.file", 2)


# From a stopped ledger


@pytest.fixture(scope="module")
def stopped(server: Any, written: Path) -> Iterator[Path]:
    """The folder after its node has stopped; comes last in this module."""
    assert server.stop() == 0
    yield server.data


def test_a_stopped_ledger_gives_the_same_bytes(hansa: Callable, stopped: Path, written: Path, tmp_path: Path) -> None:
    ran = hansa("receipt", "get", "2", "--out", tmp_path / "again", "--key", "--data", stopped)
    assert (ran.code, ran.err) == (0, "")
    for ending in ENDINGS:
        assert (tmp_path / f"again{ending}").read_bytes() == Path(f"{written}{ending}").read_bytes()


def test_every_entry_of_a_stopped_ledger_verifies(
    hansa: Callable, stopped: Path, trusted: tuple, tmp_path: Path
) -> None:
    for seq in range(5):
        assert hansa("receipt", "get", seq, "--out", tmp_path / f"r{seq}", "--data", stopped).code == 0
        assert hansa("receipt", "verify", tmp_path / f"r{seq}", *trusted).code == 0
    assert hansa("receipt", "get", "5", "--out", tmp_path / "r", "--data", stopped).failed("entry.unknown")


def test_reading_a_stopped_ledger_needs_no_private_key(hansa: Callable, stopped: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(stopped, copy, ignore=shutil.ignore_patterns("keys", "lock"))
    assert hansa("receipt", "get", "1", "--out", tmp_path / "r", "--data", copy).code == 0


def test_what_is_logged_does_not_stand_in_the_result(hansa_process: Callable, stopped: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(stopped, copy, ignore=shutil.ignore_patterns("tiles"))
    ran = hansa_process("receipt", "get", "1", "--out", tmp_path / "r", "--data", copy, "--json")
    assert ran.code == 0
    assert ran.json["seq"] == 1


def test_a_stopped_ledger_answers_nothing_else(hansa: Callable, stopped: Path) -> None:
    assert hansa("query", "example_ledger", "Account", "--data", stopped).failed("node.unreachable")
    assert hansa("tx", "show", "1", "--data", stopped).failed("node.unreachable")
