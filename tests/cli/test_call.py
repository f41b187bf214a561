"""`hansa call`: signs and submits one action, and says what came of it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hansa.client import keys
from hansa.wire import cose, transaction

PAY = ("call", "example_ledger", "pay", "account=northbank", "to=harbourline")
TELL = ("call", "example_ledger", "tell", "to=northbank", "message=hello")


@pytest.fixture
def data(server: Any) -> tuple[str, Path]:
    return "--data", server.data


@pytest.fixture
def entries(hansa: Callable, server: Any) -> Callable[[], int]:
    """How many entries the ledger has."""
    return lambda: hansa("status", "--data", server.data, "--json").json["entries"]


def test_an_applied_action(hansa: Callable, data: Any, entries: Callable) -> None:
    seq = entries()
    ran = hansa(*PAY, "amount=USD 1.00", "--as", "northbank", *data)
    assert (ran.code, ran.err) == (0, "")
    first, event, id = ran.out.splitlines()
    assert first == f"applied  as entry {seq}"
    assert event == "event    paid: to=harbourline, amount=USD 1.00, sender=northbank"
    assert re.fullmatch(r"id       [0-9a-f]{64}", id)


def test_an_applied_action_as_json(hansa: Callable, data: Any, entries: Callable) -> None:
    seq = entries()
    ran = hansa(*PAY, "amount=USD 1.00", "--as", "northbank", *data, "--json")
    found = ran.json
    assert (ran.code, ran.err) == (0, "")
    assert re.fullmatch("[0-9a-f]{64}", found.pop("id"))
    assert re.fullmatch("[0-9a-f]{64}", found.pop("writes"))
    assert found.pop("time") > 1_700_000_000_000
    assert found.pop("steps") > 100
    amount = {"minor": 100, "currency": "USD"}
    assert found == {
        "seq": seq,
        "duplicate": False,
        "status": "applied",
        "code": "ok",
        "result": None,
        "events": [{"data": {"to": "harbourline", "amount": amount, "sender": "northbank"}, "name": "paid"}],
        "contract": "1.0.0",
        "dialect": 0,
    }


def test_a_refused_action_ends_with_4(hansa: Callable, data: Any, entries: Callable) -> None:
    seq = entries()
    ran = hansa(*PAY, "amount=USD 99999.00", "--as", "northbank/ana", *data)
    assert (ran.code, ran.err) == (4, "")
    first, id = ran.out.splitlines()
    assert first.startswith(f"refused  as entry {seq}: northbank has USD ")
    assert first.endswith(".00, which does not cover USD 99999.00 [require.failed]")
    assert id.startswith("id       ")
    assert entries() == seq + 1, "the attempt stays on record"


def test_a_refused_action_as_json(hansa: Callable, data: Any) -> None:
    ran = hansa(*PAY, "amount=USD 99999.00", "--as", "northbank", *data, "--json")
    assert (ran.code, ran.json["status"], ran.json["code"]) == (4, "refused", "require.failed")
    assert ran.json["result"]["values"]["amount"] == {"minor": 9_999_900, "currency": "USD"}


def test_every_problem_with_the_arguments_is_told(hansa: Callable, data: Any, entries: Callable) -> None:
    seq = entries()
    ran = hansa(
        "call", "example_ledger", "pay", "account=northbank", "amount=5", "color=red", "--as", "northbank", *data
    )
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "error: An argument does not fit [argument.value]\n"
        "  - amount: '5' is not an amount such as `USD 500.00`\n"
        "  - there is no argument color; there is account, amount, to\n"
        "  - to is missing\n"
        "hint: Mend every argument named.\n"
    )
    as_json = hansa("call", "example_ledger", "pay", "--as", "northbank", *data, "--json")
    assert as_json.json["error"]["problems"] == ["account is missing", "to is missing", "amount is missing"]
    assert entries() == seq, "nothing was sent"


def test_what_the_contract_alone_can_know_is_refused_there(hansa: Callable, data: Any) -> None:
    ran = hansa(
        "call", "example_ledger", "pay", "account=nobody", "to=nobody2", "amount=USD 1.00", "--as", "northbank", *data
    )
    assert ran.code == 4
    assert (
        "the arguments do not fit: account there is no Account of this key; to there is no Account of this key "
        "[arguments.invalid]" in ran.out
    )


@pytest.mark.parametrize("signer", [("--as", "northbank"), ("--as", "northbank/ana"), ("--as", "tradewatch/eve")])
def test_members_and_users_sign(signer: tuple[str, str], hansa: Callable, data: Any) -> None:
    assert hansa(*TELL, *signer, *data).code == 0


def test_a_key_file_signs(hansa: Callable, server: Any) -> None:
    key = server.data / "keys" / "members" / "eastmutual.pem"
    assert hansa(*TELL, "--key", key, "--url", server.url).code == 0


def test_a_dry_run_signs_and_sends_nothing(hansa: Callable, data: Any, entries: Callable, server: Any) -> None:
    seq = entries()
    ran = hansa(*PAY, "amount=USD 1.00", "--as", "northbank", "--dry-run", *data)
    assert ran.code == 0
    assert re.fullmatch(
        r"[0-9a-f]{64} would be submitted: "
        r"example_ledger\.pay\(account=northbank, to=harbourline, amount=USD 1\.00\)\n",
        ran.out,
    )
    found = hansa(*PAY, "amount=USD 1.00", "--as", "northbank", "--dry-run", *data, "--json").json
    signed = transaction.read(bytes.fromhex(found["envelope"]))
    assert cose.id_of(signed.envelope).hex() == found["id"]
    assert signed.transaction.ledger.hex() == server.ledger
    assert signed.transaction.not_after == found["not_after"]
    assert found["arguments"]["amount"] == {"minor": 100, "currency": "USD"}
    assert entries() == seq


def test_a_receipt_is_written(hansa: Callable, data: Any, tmp_path: Path, server: Any) -> None:
    ran = hansa(*TELL, "--as", "northbank", "--receipt", tmp_path / "told.cose", *data, "--json")
    seq = ran.json["seq"]
    assert hansa("receipt", "get", seq, "--out", tmp_path / "told", *data).code == 0
    genesis = server.data / "genesis.cbor"
    verified = hansa("receipt", "verify", tmp_path / "told", "--genesis", genesis, "--ledger", server.ledger, "--json")
    assert (verified.code, verified.json["seq"]) == (0, seq)


def test_a_receipt_that_cannot_be_written_is_told_before_or_beside_the_outcome(
    hansa: Callable, data: Any, tmp_path: Path, entries: Callable
) -> None:
    seq = entries()
    ran = hansa(*TELL, "--as", "northbank", "--receipt", tmp_path / "none" / "told.cose", *data)
    assert entries() == seq or f"as entry {seq}" in ran.out


def test_too_few_steps_are_refused_by_the_ledger(hansa: Callable, data: Any) -> None:
    ran = hansa(*TELL, "--as", "northbank", "--steps", "12", *data, "--json")
    assert (ran.code, ran.json["code"], ran.json["steps"]) == (4, "steps.exceeded", 12)


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (["call", "example_ledger", "nothing", "--as", "northbank"], "argument.action", 2),
        (["call", "nothing", "pay", "--as", "northbank"], "contract.missing", 1),
        (["call", "a/b", "pay", "--as", "northbank"], "request.path", 2),
        ([*TELL], "argument.value", 2),
        ([*TELL, "--as", "nobody"], "key.file", 1),
        ([*TELL, "--as", "northbank/nobody"], "key.file", 1),
        ([*TELL, "--key", "nothing.pem"], "key.file", 1),
        ([*TELL, "--as", "northbank", "--steps", "1000000"], "steps.limit", 1),
        (
            ["call", "example_ledger", "tell", "to=northbank", f"message={'x' * 300_000}", "--as", "northbank"],
            "envelope.oversized",
            1,
        ),
    ],
)
def test_what_cannot_be_sent(words: list[str], code: str, exit_code: int, hansa: Callable, data: Any) -> None:
    assert hansa(*words, *data).failed(code, exit_code)
    assert hansa(*words, *data, "--json").failed(code, exit_code)


def test_an_unknown_action_is_told_those_there_are(hansa: Callable, data: Any) -> None:
    detail = hansa("call", "example_ledger", "payy", "--as", "northbank", *data).failed("argument.action", 2)
    assert detail == "example_ledger has no action 'payy'; there is open, pay, register, sell, tell"


def test_a_stranger_is_refused(hansa: Callable, data: Any, tmp_path: Path) -> None:
    keys.save(keys.generate(), tmp_path / "stranger.pem")
    assert hansa(*TELL, "--key", tmp_path / "stranger.pem", *data).failed("sender.unknown")


def test_a_key_that_others_can_read_is_refused(hansa: Callable, data: Any, tmp_path: Path) -> None:
    path = tmp_path / "open.pem"
    keys.save(keys.generate(), path)
    path.chmod(0o644)
    assert hansa(*TELL, "--key", path, *data).failed("key.exposed") == f"{path} has mode 644"


def test_no_node(hansa: Callable, server: Any, tmp_path: Path) -> None:
    key = ("--key", server.data / "keys" / "members" / "northbank.pem")
    assert hansa(*TELL, *key, "--data", tmp_path).failed("node.unreachable")
    assert hansa(*TELL, *key, "--url", "http://127.0.0.1:1").failed("node.unreachable")


def test_a_malformed_url(hansa: Callable, server: Any) -> None:
    assert hansa("status", "--url", "http://[::1").failed("node.unreachable")


def test_any_event_is_shown(hansa: Callable, data: Any, tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(
        "from hansa.contract import Contract, action, event\n\n\n"
        'class Odd(Contract, version="1.0.0"):\n    @action(by="member")\n    def go(tx):\n'
        '        event("rate", minor="abc", currency="USD")\n'
    )
    assert hansa("contract", "deploy", tmp_path / "odd.py", "--as", "northbank", *data).code == 0
    assert hansa("call", "odd", "go", "--as", "northbank", *data).code == 0
