"""`hansa call`: signs and submits one action, and says what came of it."""

import http.server
import re
import threading
import urllib.request
from collections.abc import Callable, Iterator
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
        "asserted": "",
        "result": None,
        "events": [{"data": {"to": "harbourline", "amount": amount, "sender": "northbank"}, "name": "paid"}],
        "contract": "1.0.0",
        "dialect": 0,
    }


def test_a_refused_action_ends_with_4(hansa: Callable, data: Any, entries: Callable) -> None:
    seq = entries()
    ran = hansa(*PAY, "amount=USD 99999.00", "--as", "northbank/ana", *data)
    assert (ran.code, ran.err) == (4, "")
    first, place, id = ran.out.splitlines()
    assert re.fullmatch(r"at       example_ledger 1\.0\.0, line \d+", place)
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
        "  - there is no argument color; there are account, amount, to\n"
        "  - to is missing\n"
        "hint: Mend what is named here.\n"
    )
    as_json = hansa("call", "example_ledger", "pay", "--as", "northbank", *data, "--json")
    assert as_json.json["error"]["problems"] == ["account is missing", "to is missing", "amount is missing"]
    assert entries() == seq, "nothing was sent"


def test_what_the_contract_alone_can_know_is_refused_there(hansa: Callable, data: Any) -> None:
    ran = hansa(
        "call",
        "example_ledger",
        "pay",
        "account=nobody",
        "to=tradewatch",
        "amount=USD 1.00",
        "--as",
        "northbank",
        *data,
    )
    assert ran.code == 4
    assert (
        "the arguments do not fit: `account`: is not a member of this ledger; `to`: there is no Account of this key "
        "[arguments.invalid]" in ran.out
    )


@pytest.mark.parametrize("signer", [("--as", "northbank"), ("--as", "northbank/ana"), ("--as", "tradewatch/eve")])
def test_members_and_users_sign(signer: tuple[str, str], hansa: Callable, data: Any) -> None:
    assert hansa(*TELL, *signer, *data).code == 0


def test_a_key_file_signs(hansa: Callable, server: Any) -> None:
    key = server.data / "keys" / "members" / "eastmutual.pem"
    assert hansa(*TELL, "--key", key, "--url", server.url).code == 0
    assert hansa(*TELL, "--key", key, "--url", f"http://127.0.0.1:1,{server.url}").code == 0


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
    again = hansa(*TELL, "--as", "northbank", "--receipt", tmp_path / "told.cose", *data)
    assert again.failed("argument.exists", 2) == f"{tmp_path}/told.cose exists"
    assert hansa("status", *data, "--json").json["entries"] == seq + 1, "nothing was signed for it"
    assert ran.json["files"] == [f"{tmp_path}/told.{part}" for part in ("cose", "entry", "envelope", "outcome")]
    genesis = server.data / "genesis.cbor"
    verified = hansa("receipt", "verify", tmp_path / "told", "--genesis", genesis, "--ledger", server.ledger, "--json")
    assert (verified.code, verified.json["seq"]) == (0, seq)
    assert (verified.json["envelope_checked"], verified.json["outcome_checked"]) == (True, True)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert hansa("receipt", "get", seq, "--out", tmp_path / "got.cose", *data).code == 0
    for part in ("entry", "envelope", "outcome"):
        assert (tmp_path / f"got.{part}").read_bytes() == written[f"told.{part}"]
    told = hansa(*TELL, "--as", "northbank", "--receipt", tmp_path / "plain", *data)
    assert told.out.splitlines()[-1].startswith(f"receipt  {tmp_path}/plain.cose, ")
    assert (tmp_path / "plain.outcome").exists()


def test_a_receipt_that_cannot_be_written_is_told_before_or_beside_the_outcome(
    hansa: Callable, data: Any, tmp_path: Path, entries: Callable
) -> None:
    seq = entries()
    ran = hansa(*TELL, "--as", "northbank", "--receipt", tmp_path / "none" / "told.cose", *data)
    assert entries() == seq or f"as entry {seq}" in ran.out


def test_too_few_steps_are_refused_by_the_ledger(hansa: Callable, data: Any) -> None:
    ran = hansa(*TELL, "--as", "northbank", "--steps", "12", *data, "--json")
    assert (ran.code, ran.json["code"], ran.json["steps"]) == (4, "steps.exceeded", 12)
    told = hansa(*TELL, "--as", "northbank", "--steps", "12", *data)
    assert (told.code, "[steps.exceeded]" in told.out) == (4, True)
    assert told.err == "hint: give more with --steps N; it had 12, this ledger allows 100000\n"


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (["call", "example_ledger", "nothing", "--as", "northbank"], "argument.action", 2),
        (["call", "nothing", "pay", "--as", "northbank"], "contract.missing", 2),
        (["call", "a/b", "pay", "--as", "northbank"], "request.path", 2),
        ([*TELL], "argument.value", 2),
        ([*TELL, "--as", "nobody"], "argument.value", 2),
        ([*TELL, "--as", "northbank/nobody"], "argument.value", 2),
        ([*TELL, "--key", "nothing.pem"], "key.file", 1),
        ([*TELL, "--as", "northbank", "--steps", "1000000"], "steps.limit", 1),
        (
            ["call", "example_ledger", "tell", "to=northbank", f"message={'x' * 281}", "--as", "northbank"],
            "argument.value",
            2,
        ),
    ],
)
def test_what_cannot_be_sent(words: list[str], code: str, exit_code: int, hansa: Callable, data: Any) -> None:
    assert hansa(*words, *data).failed(code, exit_code)
    assert hansa(*words, *data, "--json").failed(code, exit_code)


def test_an_unknown_action_is_told_those_there_are(hansa: Callable, data: Any) -> None:
    detail = hansa("call", "example_ledger", "payy", "--as", "northbank", *data).failed("argument.action", 2)
    assert detail == "example_ledger has no action 'payy'; did you mean pay?"


def test_a_stranger_is_refused(hansa: Callable, data: Any, tmp_path: Path) -> None:
    keys.save(keys.generate(), tmp_path / "stranger.pem")
    assert hansa(*TELL, "--key", tmp_path / "stranger.pem", *data).failed("sender.unknown")


def test_a_key_that_others_can_read_is_refused(hansa: Callable, data: Any, tmp_path: Path) -> None:
    path = tmp_path / "open.pem"
    keys.save(keys.generate(), path)
    path.chmod(0o644)
    assert hansa(*TELL, "--key", path, *data).failed("key.exposed") == f"others can read {path}: its mode is 644"


def test_no_node(hansa: Callable, server: Any, tmp_path: Path) -> None:
    key = ("--key", server.data / "keys" / "members" / "northbank.pem")
    assert hansa(*TELL, *key, "--data", tmp_path).failed("folder.none")
    assert hansa(*TELL, *key, "--url", "http://127.0.0.1:1").failed("node.unreachable")


class Mute:
    """A server that answers reads like the node, and takes submissions without a word: it closes, or it hangs."""

    def __init__(self, node: str) -> None:
        taken = self.taken = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                with urllib.request.urlopen(node + self.path) as answer:
                    body = answer.read()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                taken.append(self.rfile.read(int(self.headers["content-length"])))
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def mute(server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mute]:
    monkeypatch.setattr("hansa.client.session._HASTY_PAUSES_S", (0.0, 0.0))
    made = Mute(server.url)
    yield made
    made.close()


def test_a_lost_answer_is_unknown_and_says_how_to_ask(hansa: Callable, data: Any, mute: Mute) -> None:
    """The same bytes were sent three times; sent once more by anybody, they have one entry."""
    told = hansa(*TELL, "--as", "northbank", *data, "--url", mute.url)
    id = cose.id_of(mute.taken[0])
    not_after = transaction.read(mute.taken[0]).transaction.not_after
    assert mute.taken == [mute.taken[0]] * 3
    detail = told.failed("answer.unknown")
    assert detail.startswith(f"no answer for {id.hex()}: whether it has its entry is unknown")
    assert "hansa up" not in told.err
    assert f"hint: `hansa tx show {id.hex()} --not-after {not_after} --url {mute.url}` tells" in told.err
    assert hansa("tx", "show", id.hex(), "--not-after", not_after, *data, "--json").json["status"] == "not_found"
    found = hansa(*TELL, "--as", "northbank", *data, "--url", mute.url, "--json").json["error"]
    assert (found["code"], found["id"]) == ("answer.unknown", cose.id_of(mute.taken[3]).hex())
    assert found["not_after"] == transaction.read(mute.taken[3]).transaction.not_after


def test_an_interrupted_call_says_how_to_ask(hansa: Callable, data: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[bytes] = []

    def interrupt(_: object, envelope: bytes, **__: object) -> None:
        sent.append(envelope)
        raise KeyboardInterrupt

    monkeypatch.setattr("hansa.client.client.Client.submit", interrupt)
    ran = hansa(*TELL, "--as", "northbank", *data)
    assert (ran.code, ran.out) == (130, "")
    assert f"hansa tx show {cose.id_of(sent[0]).hex()} --not-after " in ran.err


def test_a_lost_answer_to_a_deployment_is_unknown(hansa: Callable, data: Any, mute: Mute, tmp_path: Path) -> None:
    source = 'from hansa.contract import Contract, action, event\n\n\nclass Lost(Contract, version="1.0.0"):\n'
    source += '    @action(by="member")\n    def go(tx):\n        event("went")\n'
    (tmp_path / "lost.py").write_text(source)
    ran = hansa("contract", "deploy", tmp_path / "lost.py", "--as", "northbank", *data, "--url", mute.url)
    assert (ran.code, len(mute.taken)) == (1, 3)
    assert f"no answer for {cose.id_of(mute.taken[0]).hex()}" in ran.err


def test_arguments_are_checked_before_anything_is_signed(hansa: Callable, data: Any, entries: Callable) -> None:
    seq = entries()
    ran = hansa("call", "example_ledger", "tell", "to=North Bank", "message=", "--as", "northbank", *data)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.splitlines()[1:3] == [
        "  - to: must be the name of a member",
        "  - message: must have 1 to 280 characters, not 0",
    ]
    words = ("call", "members", "add_reference", "name=a", "valid_from=99999999999999999999", "data=x")
    assert "valid_from: must lie within" in hansa(*words, "--as", "northbank", *data).failed("argument.value", 2)
    assert entries() == seq


def test_only_actions_that_somebody_can_take_are_offered(hansa: Callable, data: Any) -> None:
    ran = hansa("call", "members", "x", "--as", "northbank", *data)
    offered = ran.failed("argument.action", 2).partition("there are ")[2].split(", ")
    by = {
        name: one["by"] for name, one in hansa("contract", "show", "members", "--json", *data).json["actions"].items()
    }
    assert by["begin"] == by["do_set_member"] == ["schedule"]
    assert offered == sorted(name for name in by if by[name] != ["schedule"])
    assert {"propose", "vote", "deploy"} <= set(offered)


def test_a_signer_that_is_misspelt_is_told_the_nearest(hansa: Callable, data: Any) -> None:
    ran = hansa(*TELL, "--as", "northbnk", *data)
    assert ran.failed("argument.value", 2).endswith("; did you mean `northbank`?")


def test_what_is_not_there_is_told_in_words_of_the_command_line(hansa: Callable, data: Any) -> None:
    for words in (["call", "nothing", "go", "--as", "northbank"], ["query", "nothing", "Thing"]):
        for more in ([], ["--json"]):
            ran = hansa(*words, *data, *more)
            assert ran.code == 2
            assert "hansa contract show" in ran.out + ran.err
            assert "GET" not in ran.out + ran.err


def test_a_malformed_url(hansa: Callable, server: Any) -> None:
    assert hansa("status", "--url", "http://[::1").failed("node.unreachable", 3)


def test_any_event_is_shown(hansa: Callable, data: Any, tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(
        "from hansa.contract import Contract, action, event\n\n\n"
        'class Odd(Contract, version="1.0.0"):\n    @action(by="member")\n    def go(tx):\n'
        '        event("rate", minor="abc", currency="USD")\n'
    )
    assert hansa("contract", "deploy", tmp_path / "odd.py", "--as", "northbank", *data).code == 0
    assert hansa("call", "odd", "go", "--as", "northbank", *data).code == 0
