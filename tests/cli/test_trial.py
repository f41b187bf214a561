"""`hansa contract run`: actions and views tried in memory, their records kept in a file, and what hostile files do."""

import hashlib
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hansa.client import transactions
from hansa.wire import limits

LETTER = '''"""Letters of credit."""
from hansa.contract import Amount, Contract, Date, Hash, Party, Record, Text, action, become, event, require, view


class Letter(Contract, version="1.0.0"):
    class Roles:
        applicant: Party
        issuer: Party = Party(attribute="licence:bank")
        clerk: Party = Party(user="role:clerk")

    class States:
        Requested: "awaiting the bank"
        Issued: "in force"

    class LC(Record, key="id", index=["applicant"]):
        id: Text[1, 16]
        applicant: Party
        issuer: Party
        amount: Amount
        expiry: Date
        documents: list[Hash, 20] = []

    @action(by="applicant", creates="LC", to="Requested")
    def request(tx, lc: LC, id: Text[1, 16], issuer: Party, amount: Amount, expiry: Date):
        require(amount.minor > 0, "the amount must be positive")
        require(expiry > tx.date, "expiry {e} is not after today, {t}", e=expiry, t=tx.date)

    @action(by="issuer", on="Requested", to="Issued")
    def issue(tx, lc: LC):
        event("lc.issued", id=lc.id, amount=lc.amount)

    @action(by="clerk")
    def stamp(tx, lc: LC, document: Hash):
        lc.documents.append(document)

    @view
    def worth(tx, lc: LC) -> Amount:
        return lc.amount
'''
CALM = """from hansa.contract import Contract, Duration, Instant, Party, Record, Text, action, event, require
from hansa.contract import schedule, view


def deep(n: int) -> int:
    return deep(n + 1)


class Calm(Contract, version="1.0.0"):
    class Roles:
        keeper: Party = Party(attribute="role:keeper")
        engine: Party = Party(contract="engine")

    class Note(Record, key="id"):
        id: Text[1, 9]
        text: Text[0, 9] = ""

    @action(by="member", creates="Note")
    def add(tx, note: Note, id: Text[1, 9]):
        schedule(note, "lapse", tx.time + Duration(days=1))

    @action(by="schedule")
    def lapse(tx, note: Note):
        note.text = "lapsed"

    @action(by=["keeper", "schedule"])
    def tidy(tx, note: Note):
        note.text = "tidy"

    @action(by="keeper")
    def keep(tx):
        event("kept", by=tx.member, user=tx.user)

    @action(by="engine")
    def turn(tx):
        pass

    @action(by="member")
    def spin(tx):
        total = 0
        for i in range(1000000000):
            total += i
        require(total > 0, "none")

    @action(by="schedule")
    def wind(tx, note: Note):
        for i in range(1000000000):
            note.text = "wound"

    @view
    def whirl(tx) -> int:
        total = 0
        for i in range(1000000000):
            total += i
        return total

    @action(by="member")
    def fall(tx):
        require(deep(0) > 0, "none")

    @view
    def now(tx) -> Instant:
        return tx.time
"""
REQUEST = ("request", "id=A", "issuer=bank", "amount=USD 5.00", "expiry=2030-01-31", "--at", "2029-01-01")


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    path = tmp_path / "letter.py"
    path.write_text(LETTER)
    return path


@pytest.fixture
def calm(tmp_path: Path) -> Path:
    path = tmp_path / "calm.py"
    path.write_text(CALM)
    return path


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


def test_an_action_that_makes_a_record(hansa: Callable, letter: Path) -> None:
    ran = hansa("contract", "run", letter, *REQUEST)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    steps = lines[0].split(", ")[-1]
    assert lines == [
        f"applied  request by northbank, 2029-01-01 00:00:00 UTC, {steps}",
        "made     LC A",
        "           id         A",
        "           applicant  northbank",
        "           issuer     bank",
        "           amount     USD 5.00",
        "           expiry     2030-01-31",
        "           documents  []",
        "           state      Requested",
    ]


def test_all_of_it_as_json(hansa: Callable, letter: Path) -> None:
    found = hansa("contract", "run", letter, *REQUEST, "--json").json
    steps = found.pop("steps")
    assert 50 < steps < 500
    value = {
        "id": "A",
        "applicant": "northbank",
        "issuer": "bank",
        "amount": {"minor": 500, "currency": "USD"},
        "expiry": "2030-01-31",
        "documents": [],
        "state": "Requested",
    }
    assert found == {
        "status": "applied",
        "code": "ok",
        "contract": "letter",
        "version": "1.0.0",
        "action": "request",
        "member": "northbank",
        "user": None,
        "attributes": ["licence:bank"],
        "time": 1_861_920_000_000,
        "result": None,
        "events": [],
        "records": [{"contract": "letter", "record": "LC", "key": "A", "made": True, "value": value}],
        "scheduled": [],
    }


def test_records_are_kept_from_run_to_run(hansa: Callable, letter: Path, state: Path) -> None:
    assert hansa("contract", "run", letter, *REQUEST, "--state", state).code == 0
    issued = hansa("contract", "run", letter, "issue", "lc=A", "--as", "bank", "--state", state)
    assert issued.code == 0
    assert issued.out.splitlines()[1:3] == ["event    lc.issued: id=A, amount=USD 5.00", "changed  LC A"]
    assert "state      Issued" in issued.out
    again = hansa("contract", "run", letter, "issue", "lc=A", "--as", "bank", "--state", state, "--json")
    assert (again.code, again.json["code"], again.json["status"]) == (1, "state.denied", "refused")
    worth = hansa("contract", "run", letter, "worth", "lc=A", "--state", state)
    assert (worth.code, worth.out.splitlines()[0]) == (0, "returned USD 5.00")
    found = json.loads(state.read_text())
    assert (found["hansa"], found["version"], found["seq"]) == ("trial", 0, 4)
    ((row,),) = found["records"]["letter"].values()
    assert (row["seq"], row["value"]["state"]) == (3, "Issued")


def test_a_refusal_says_why_and_where_and_changes_nothing(hansa: Callable, letter: Path, state: Path) -> None:
    words = [*REQUEST[:4], "expiry=2028-12-31", *REQUEST[5:]]
    ran = hansa("contract", "run", letter, *words, "--state", state)
    line = LETTER[: LETTER.index("require(expiry")].count("\n") + 1
    assert ran.code == 1
    assert ran.out.splitlines()[:2] == [
        "refused  expiry 2028-12-31 is not after today, 2029-01-01 [require.failed]",
        f"at       {letter}:{line}",
    ]
    assert not state.exists()


def test_a_view_changes_nothing(hansa: Callable, letter: Path, state: Path) -> None:
    hansa("contract", "run", letter, *REQUEST, "--state", state)
    before = state.read_bytes()
    assert hansa("contract", "run", letter, "worth", "lc=A", "--state", state).code == 0
    assert state.read_bytes() == before


@pytest.mark.parametrize("with_state", [False, True])
def test_a_record_that_is_not_there_yet(with_state: bool, hansa: Callable, letter: Path, state: Path) -> None:
    options = ("--state", state) if with_state else ()
    ran = hansa("contract", "run", letter, "issue", "lc=A", *options)
    assert ran.failed("argument.value", 2) == "`lc` is the key of a LC, and there is none yet"
    make = f"`hansa contract run {letter} request ... --state {state if with_state else 'FILE'}`"
    assert ran.err.endswith(f"hint: Make one first with {make}, and give the same --state here.\n")


def test_a_key_that_no_record_has(hansa: Callable, letter: Path, state: Path) -> None:
    hansa("contract", "run", letter, *REQUEST, "--state", state)
    ran = hansa("contract", "run", letter, "issue", "lc=B", "--state", state)
    assert ran.code == 1
    assert ran.out.startswith(
        "refused  the arguments do not fit: `lc`: there is no LC of this key [arguments.invalid]\n"
    )


# Who signs


def test_a_role_that_a_record_names(hansa: Callable, letter: Path, state: Path) -> None:
    hansa("contract", "run", letter, *REQUEST, "--state", state)
    ran = hansa("contract", "run", letter, "issue", "lc=A", "--state", state)
    assert ran.code == 1
    assert ran.out.startswith("refused  northbank is not the issuer of this record [role.denied]\n")
    assert "--as MEMBER[/USER]" in ran.err


def test_the_attributes_are_those_that_the_contract_names(hansa: Callable, letter: Path, state: Path) -> None:
    hansa("contract", "run", letter, *REQUEST, "--state", state)
    ran = hansa("contract", "run", letter, "issue", "lc=A", "--as", "bank", "--has", "role:other", "--state", state)
    assert ran.out.startswith("refused  bank has no attribute licence:bank [role.denied]\n")
    given = ("--has", "role:other", "--has", "licence:bank")
    assert hansa("contract", "run", letter, "issue", "lc=A", "--as", "bank", *given, "--state", state).code == 0


def test_what_takes_a_user_is_signed_by_one(hansa: Callable, letter: Path, state: Path) -> None:
    hansa("contract", "run", letter, *REQUEST, "--state", state)
    stamp = ("contract", "run", letter, "stamp", "lc=A", f"document={'00' * 32}", "--state", state)
    assert "by northbank/clerk" in hansa(*stamp).out
    assert "stamp by bank/carl," in hansa(*stamp, "--as", "bank/carl").out
    ran = hansa(*stamp, "--as", "bank")
    assert ran.out.startswith("refused  a user with the attribute role:clerk must sign [role.denied]\n")


@pytest.mark.parametrize("signer", ["Bank", "bank/", "/x", "", "a/b/c", "a" * 33])
def test_a_signer_that_is_none(signer: str, hansa: Callable, letter: Path) -> None:
    assert "MEMBER/USER" in hansa("contract", "run", letter, *REQUEST, "--as", signer).failed("argument.value", 2)


def test_ledger_time_takes_what_it_takes(hansa: Callable, calm: Path, state: Path) -> None:
    made = hansa("contract", "run", calm, "add", "id=A", "--at", "2030-01-01T12:00:00Z", "--state", state)
    assert made.out.splitlines()[-1] == "due      lapse of the Note A, 2030-01-02 12:00:00 UTC"
    ran = hansa("contract", "run", calm, "lapse", "note=A", "--at", "2030-01-02T12:00:00Z", "--state", state)
    assert ran.out.startswith("applied  lapse by ledger time, 2030-01-02 12:00:00 UTC, ")
    tidy = ("contract", "run", calm, "tidy", "note=A", "--state", state)
    assert "tidy by ledger time" in hansa(*tidy, "--scheduled").out
    assert "tidy by northbank" in hansa(*tidy).out
    told = hansa(*tidy, "--scheduled", "--as", "bank").failed("argument.value", 2)
    assert told == "--scheduled says that nobody signs; leave out --as"
    assert hansa("contract", "run", calm, "keep", "--scheduled", "--json").json["code"] == "role.denied"


def test_what_another_contract_takes_is_not_for_members(hansa: Callable, calm: Path) -> None:
    ran = hansa("contract", "run", calm, "turn")
    assert ran.out.startswith("refused  only the contract engine can take this action [role.denied]\n")


# When


@pytest.mark.parametrize(
    ("at", "time"),
    [("2030-01-01", 1_893_456_000_000), ("2030-01-01T01:00:00+01:00", 1_893_456_000_000), ("5", 5), ("0", 0)],
)
def test_the_time_is_given(at: str, time: int, hansa: Callable, calm: Path) -> None:
    assert hansa("contract", "run", calm, "now", "--at", at, "--json").json["result"] == time


def test_without_a_time_it_is_now(hansa: Callable, calm: Path) -> None:
    assert hansa("contract", "run", calm, "now", "--json").json["result"] > 1_700_000_000_000


@pytest.mark.parametrize("at", ["tomorrow", "1969-12-31", "", "-5", "9" * 15, "9" * 20, "2030-02-30"])
def test_a_time_that_is_none(at: str, hansa: Callable, calm: Path) -> None:
    assert hansa("contract", "run", calm, "now", f"--at={at}").failed("argument.value", 2)


def test_ledger_time_does_not_run_backwards(hansa: Callable, calm: Path, state: Path) -> None:
    hansa("contract", "run", calm, "add", "id=A", "--at", "2999-01-01", "--state", state)
    told = hansa("contract", "run", calm, "add", "id=B", "--at", "2998-12-31", "--state", state)
    assert told.failed("argument.value", 2) == "--at '2998-12-31' is before ledger time, 2999-01-01 00:00:00 UTC"
    found = hansa("contract", "run", calm, "now", "--state", state, "--json").json
    assert found["result"] == 32_472_144_000_000, "where the file's time is ahead, it is ledger time"


# Arguments


def test_arguments_that_do_not_fit_are_told_at_once(hansa: Callable, letter: Path) -> None:
    ran = hansa("contract", "run", letter, "request", "id=", "amount=5", "expiry=soon", "x=1")
    assert ran.code == 2
    assert [line for line in ran.err.splitlines() if line.startswith("  - ")] == [
        "  - id: must have 1 to 16 characters, not 0",
        "  - amount: '5' is not an amount such as `USD 500.00`",
        "  - expiry: must be a date, written YYYY-MM-DD",
        "  - there is no argument x; there are amount, expiry, id, issuer",
        "  - issuer is missing",
    ]


def test_an_action_that_there_is_not(hansa: Callable, letter: Path) -> None:
    told = hansa("contract", "run", letter, "pay").failed("argument.action", 2)
    assert told == "letter has no action or view 'pay'; there is issue, request, stamp, worth"


# Other files


LIBRARY = "def double(n: int) -> int:\n    return n * 2\n"
USER = f"""from hansa.contract import Contract, Interface, Party, action, library, view

maths = library("maths", "{hashlib.sha256(LIBRARY.encode()).hexdigest()}")


class Other(Interface, contract="other"):
    @view
    def number(tx) -> int: ...


class Asker(Contract, version="1.0.0"):
    @view
    def answer(tx) -> int:
        return maths.double(Other.number())
"""
OTHER = """from hansa.contract import Contract, view


class Other(Contract, version="1.0.0"):
    @view
    def number(tx) -> int:
        return 21
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, text in {"maths": LIBRARY, "user": USER, "other": OTHER}.items():
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


def test_libraries_and_other_contracts(hansa: Callable, files: Path) -> None:
    words = ("contract", "run", files / "user.py", "answer", "--library", files / "maths.py")
    ran = hansa(*words, "--with", f"other={files / 'other.py'}", "--json")
    assert (ran.code, ran.json["result"]) == (0, 42)
    alone = hansa(*words)
    assert alone.out.startswith("refused  there is no contract other [contract.unknown]\n")
    assert hansa(*words, "--with", f"user={files / 'other.py'}").failed("argument.value", 2)
    assert hansa(*words, "--with", "other").failed("argument.value", 2)
    bad = files / "bad.py"
    bad.write_text(OTHER.replace("21", "x"))
    told = hansa(*words, "--with", f"other={bad}").failed("contract.invalid")
    assert told.startswith(f"{bad}: 1 finding(s); line 7:")


def test_a_library_that_is_not_given(hansa: Callable, files: Path) -> None:
    ran = hansa("contract", "run", files / "user.py", "answer")
    assert ran.code == 1
    assert "there is no library `maths` of this digest [library.unknown]" in ran.out


def test_records_of_other_contracts_stay_in_the_file(hansa: Callable, letter: Path, calm: Path, state: Path) -> None:
    hansa("contract", "run", letter, *REQUEST, "--state", state)
    before = json.loads(state.read_text())["records"]["letter"]
    hansa("contract", "run", calm, "add", "id=A", "--at", "2031-01-01", "--state", state)
    after = json.loads(state.read_text())["records"]
    assert after["letter"] == before
    assert len(after["calm"]["Note"]) == 1


# The file of records


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda value: value.pop("issuer"), "`issuer` is missing"),
        (lambda value: value.update(more=1), "`more` is not declared"),
        (lambda value: value.update(state="Lost"), "`state` must be one of the states of LC"),
        (lambda value: value.update(documents=["xx"]), "`documents` item 0: must be bytes"),
        (lambda value: value.update(expiry=5), "`expiry` must be a date, written YYYY-MM-DD"),
    ],
)
def test_a_record_that_does_not_fit_is_told(
    change: Callable, words: str, hansa: Callable, letter: Path, state: Path
) -> None:
    hansa("contract", "run", letter, *REQUEST, "--state", state)
    found = json.loads(state.read_text())
    change(found["records"]["letter"]["LC"][0]["value"])
    state.write_text(json.dumps(found))
    told = hansa("contract", "run", letter, "worth", "lc=A", "--state", state).failed("argument.file", 2)
    assert told == f"{state}: the LC A does not fit letter 1.0.0: {words}"


def test_two_records_of_one_key_are_told(hansa: Callable, letter: Path, state: Path) -> None:
    hansa("contract", "run", letter, *REQUEST, "--state", state)
    found = json.loads(state.read_text())
    found["records"]["letter"]["LC"] *= 2
    state.write_text(json.dumps(found))
    told = hansa("contract", "run", letter, "worth", "lc=A", "--state", state).failed("argument.file", 2)
    assert told.endswith("there is another of its key")


@pytest.mark.parametrize(
    "contents",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"hansa": "trial", "version": 1, "seq": 1, "time": 0, "records": {}}',
    ],
)
def test_a_file_that_keeps_no_records(contents: bytes, hansa: Callable, letter: Path, state: Path) -> None:
    state.write_bytes(contents)
    told = hansa("contract", "run", letter, *REQUEST, "--state", state).failed("argument.file", 2)
    assert told.startswith(f"{state} is no state of a ledger: ")
    assert state.read_bytes() == contents


def test_a_file_that_cannot_be_written_is_told_before(hansa: Callable, letter: Path, tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none" / "state.json"):
        assert hansa("contract", "run", letter, *REQUEST, "--state", place).failed("argument.file", 2)


def test_the_file_is_replaced_whole(
    hansa: Callable, letter: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hansa("contract", "run", letter, *REQUEST, "--state", state)
    before = state.read_bytes()

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", fail)
        words = ("contract", "run", letter, "issue", "lc=A", "--as", "bank", "--state", state)
        assert "No space left on device" in hansa(*words).failed("argument.file", 2)
    assert state.read_bytes() == before
    assert sorted(path.name for path in state.parent.iterdir()) == ["letter.py", "state.json"]


def test_a_link_to_the_file_stays_one(hansa: Callable, letter: Path, state: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(state)
    assert hansa("contract", "run", letter, *REQUEST, "--state", link).code == 0
    assert link.is_symlink()
    assert stat.S_ISREG(state.stat().st_mode)


# Hostile files


def test_a_loop_without_end_ends_with_the_steps_of_a_ledger(hansa: Callable, calm: Path, tmp_path: Path) -> None:
    ran = hansa("contract", "run", calm, "spin", "--json")
    assert (ran.code, ran.json["code"], ran.json["steps"]) == (1, "steps.exceeded", transactions.STEPS_MAX)
    seen = hansa("contract", "run", calm, "whirl", "--json")
    assert (seen.json["code"], seen.json["steps"]) == ("steps.exceeded", limits.TRANSACTION_STEPS_DEFAULT)
    kept = ("--state", tmp_path / "kept.json")
    assert hansa("contract", "run", calm, "add", "id=a", *kept).code == 0
    due = hansa("contract", "run", calm, "wind", "note=a", "--scheduled", *kept, "--json")
    assert (due.json["code"], due.json["steps"]) == ("steps.exceeded", limits.SCHEDULED_STEPS_MAX)
    few = hansa("contract", "run", calm, "spin", "--steps", "500", "--json")
    assert (few.json["code"], few.json["steps"]) == ("steps.exceeded", 500)


def test_a_recursion_without_end_ends_with_the_depth(hansa: Callable, calm: Path) -> None:
    ran = hansa("contract", "run", calm, "fall", "--json")
    assert (ran.code, ran.json["code"]) == (1, "call.depth")


HOSTILE = {
    "binary": (b"\x7fELF\x02\x01\x01\xff\xfe\x00", "is not UTF-8 text"),
    "null": (b"\x00" * 100, "a control character"),
    "large": (b"# " + b"x" * 70_000, "bytes; at most 65536"),
    "huge": (b"x = 1\n" * 1_000_000, "is far too large for a contract"),
    "deep": (b"x = " + b"(\n" * 10_000, "brackets nested more than"),
    "unary": (b"x = " + b"-" * 190 + b"1\n", "nested"),
    "empty": (b"", "a contract file ends with one class"),
    "line": (b"# " + b"x" * 60_000, "characters; at most 200"),
    "escape": (b"# \x1b[31m\xe2\x80\xae\n", "a control character"),
    "loop": (LETTER.replace("become, ", "").replace("event(", "while True:\n            event(").encode(), "`while`"),
    "import": (b"import os\nos.system('true')\n", "import"),
}


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_fails_in_words(kind: str, command: str, hansa: Callable, tmp_path: Path) -> None:
    contents, words = HOSTILE[kind]
    path = tmp_path / "hostile.py"
    path.write_bytes(contents)
    for options in ((), ("--json",)):
        ran = hansa("contract", command, path, *(["go"] if command == "run" else []), *options)
        assert ran.code == 1, ran
        assert words in ran.out + ran.err
        assert max(map(len, ran.out.splitlines()), default=0) < 2_000
        assert "\u202e" not in ran.out


def test_a_library_has_no_actions(hansa: Callable, files: Path) -> None:
    told = hansa("contract", "run", files / "maths.py", "double").failed("argument.action", 2)
    assert told == "maths has no action or view 'double'; there is none"


def test_a_file_without_end_is_not_read_to_it(hansa: Callable) -> None:
    assert "far too large" in hansa("contract", "run", "/dev/zero", "go", "--name", "zero").failed("contract.invalid")


def test_a_defect_is_told_as_one(hansa: Callable, calm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("hansa.contracts.execution._check_role", fail)
    for options in ((), ("--json",)):
        told = hansa("contract", "run", calm, "keep", *options).failed("contract.internal")
        assert told.startswith("this is a defect of hansa, not of the contract: ZeroDivisionError; the details are in ")


@pytest.mark.parametrize("error", [MemoryError, RecursionError])
def test_what_this_machine_lacks_is_told_as_a_defect(
    error: type[Exception], hansa: Callable, calm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr("hansa.contracts.execution._check_role", fail)
    assert error.__name__ in hansa("contract", "run", calm, "keep").failed("contract.internal")


def test_an_id_stands_for_that_of_a_transaction(hansa: Callable, tmp_path: Path, state: Path) -> None:
    path = tmp_path / "asks.py"
    path.write_text(
        "from hansa.contract import Contract, Hash, action, event, view\n\n\n"
        'class Asks(Contract, version="1.0.0"):\n'
        '    @action(by="member")\n    def ask(tx):\n        event("asked", id=tx.id)\n\n'
        "    @view\n    def id(tx) -> Hash:\n        return tx.id\n"
    )

    def asked(*options: object) -> str:
        return hansa("contract", "run", path, "ask", *options, "--json").json["events"][0]["data"]["id"]

    first = asked("--state", state)
    assert len(bytes.fromhex(first)) == 32
    assert asked() == first, "the same in every run"
    assert asked("--as", "bank") != first
    assert asked("--state", state) != first, "another entry"
    assert hansa("contract", "run", path, "id", "--json").json["code"] == "tx.unsigned", "as on a ledger"
