"""A standby letter of credit from application to expiry, told from three SWIFT messages: MT 760, MT 768, MT 765.

Amount, parties, dates of issue, advice, first demand and expiry are those of the messages, and ledger time is told so.
What no message says is the story's own: the days before issue, and everything after the first demand.
"""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from hansa.client import Answer, Client, Refused, keys, money, transactions, verification
from hansa.client.words import filled
from hansa.node.create import Founder, create_ledger, member_key, user_key
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.stories.apps import app_file
from hansa.stories.embedded import embedded
from hansa.swift import formats, types
from hansa.swift.message import Message
from hansa.wire import entry, genesis, jsonform
from hansa.wire.keys import PrivateKey
from hansa.wire.problems import HansaError

APP: Final = "letter_of_credit"
NAME: Final = "Letter of credit"
APPLICANT: Final = "northwind"
ISSUER: Final = "newyorkbank"
ADVISER: Final = "frankfurtbank"
BENEFICIARY: Final = "fabrikam"
PUBLISHER: Final = "almanac"
"""Publishes the calendars: a fifth member, no party to the letter, for who sets the days could move its deadlines."""
PREPARER: Final = f"{ISSUER}/ana"
RELEASER: Final = f"{ISSUER}/ben"
PLACE: Final = "USNYC"
"""Where the undertaking expires: the calendars' code of the issuer's place."""
MESSAGES: Final = ("01_mt760_issue_sblc.fin", "02_mt768_acknowledge.fin", "05_mt765_partial_demand.fin")
YEARS: Final = (2026, 2027)

SCHEDULED: Final = "ledger time"
_RULES: Final = {"ISPR": "ISP98", "UCPR": "UCP600"}
_ASKED_TO_CONFIRM: Final = ("CONFIRM", "MAY ADD")
_YEARLY: Final = "ONEY"
"""Field 23F: it extends by itself for one year at a time."""
_BEFORE_ISSUE: Final = timedelta(days=3)

PAPER: Final = (
    "Paper required 14 steps (the source counts them and names none)",
    "It took five days to stand up a letter of credit",
    "The error rate was up to 50 percent",
)
SOURCE: Final = (
    "silicon.nyc, case study `BoA Merrill Lynch and Microsoft Explore Blockchain`, reporting Marley Gray of Microsoft: "
    "a secondary source, https://silicon.nyc/financial-blockchain-poc-case-study/"
)
NOT_COMPARED: Final = (
    "Steps stand beside steps. How long they take is not compared: people's time is not a processor's, and the days "
    "here are told, not lived."
)


class Step(msgspec.Struct, frozen=True):
    """One thing that was tried: by whom, at which ledger time (ms), and what came of it. `why` says so for a refusal.

    `by` is a member, or MEMBER/USER where a person signed; `message` the SWIFT message that says it, if one does.
    """

    time: int
    by: str
    what: str
    action: str
    seq: int
    status: str
    code: str
    why: str
    message: str
    id: str


class Proof(msgspec.Struct, frozen=True):
    """A receipt that was checked with the genesis document alone: of which entry, how large, signed by whom."""

    what: str
    seq: int
    signer: str
    receipt_bytes: int
    clock: str


class Standing(msgspec.Struct, frozen=True):
    """The undertaking as its record says in the end; amounts plain."""

    id: str
    state: str
    amount: dict[str, Any]
    drawn: dict[str, Any]
    expiry: str


class Process(msgspec.Struct, frozen=True):
    """What the source says of the paper process, and the actions signed here until the beneficiary had the letter."""

    paper: list[str]
    ours: list[str]
    source: str
    not_compared: str


class Story(msgspec.Struct, frozen=True):
    """All that happened."""

    ledger: str
    name: str
    clock: str
    members: dict[str, str]
    messages: list[str]
    contracts: list[str]
    steps: list[Step]
    standing: Standing
    proofs: list[Proof]
    process: Process
    entries: int


def tell(root: Path) -> Story:
    """Makes it all happen in the new folder `root`. Raises `HansaError`."""
    issue, advice, demand = (_message(name) for name in MESSAGES)
    issued = formats.day(issue.get("30"))
    folder = Folder(root)
    begin = datetime(issued.year, issued.month, issued.day, 13, tzinfo=UTC) - _BEFORE_ISSUE
    founders = [
        Founder(APPLICANT, _party(issue, "50")),
        Founder(ISSUER, f"{issue.get('52A')} New York", ["licence:bank"], ["ana", "ben"], deployer=True),
        Founder(ADVISER, f"{issue.get('56A')} Frankfurt", ["licence:bank"]),
        Founder(BENEFICIARY, _party(issue, "59")),
        Founder(PUBLISHER, "Almanac of business days", ["role:calendar-publisher"]),
    ]
    ledger = create_ledger(Disk(), folder, NAME, founders, clock=_ms(begin))
    with embedded(root) as client:
        told = _Telling(client, ledger, _signers(folder))
        _set_up(told)
        _agree(told, begin, issue)
        _issue(told, issue, advice)
        _draw(told, issue, demand)
        status = client.get("/node/status")
        record = client.get(f"/app/contracts/{APP}/records/Undertaking/value", key=issue.get("20"))["value"]
        document = client.get_bytes("/node/genesis")
        found = {what: told.proof(seq) for what, seq in told.proven.items()}
    pinned = verification.pin_genesis(document, ledger)
    proofs = [_proof(what, parts, pinned) for what, parts in found.items()]
    advised = next(number for number, one in enumerate(told.steps) if one.action == "advise")
    standing_up = [one for one in told.steps[: advised + 1] if one.status == entry.APPLIED]
    return Story(
        ledger=ledger.hex(),
        name=NAME,
        clock=status["clock"],
        members={founder.id: founder.name for founder in founders},
        messages=list(MESSAGES),
        contracts=["calendars", APP],
        steps=told.steps,
        standing=Standing(**{name: record[name] for name in ("id", "state", "amount", "drawn", "expiry")}),
        proofs=proofs,
        process=Process(list(PAPER), [f"{one.by}: {one.what}" for one in standing_up], SOURCE, NOT_COMPARED),
        entries=status["entries"],
    )


class _Telling:
    """The story as it goes: takes actions at the times they are told to happen, and notes what came of each."""

    def __init__(self, client: Client, ledger: bytes, signers: dict[str, PrivateKey]) -> None:
        self._client = client
        self._ledger = ledger
        self._signers = signers
        self.steps: list[Step] = []
        self.proven: dict[str, int] = {}
        """What is to be proven, and the entry in which it stands."""

    def at(self, when: datetime) -> None:
        """Ledger time goes on to `when`; what is due on the way is noted as a step."""
        first = self._client.get("/node/status")["entries"]
        self._client.tell_time(_ms(when))
        for seq in range(first, self._client.get("/node/status")["entries"]):
            found = self._client.get(f"/app/entries/{seq}")
            outcome = found["decoded"]
            for happened in outcome["events"] if found["kind"] == entry.SCHEDULED else ():
                what, status, code = _HAPPENED[happened["name"]], outcome["status"], outcome["code"]
                self.steps.append(Step(int(found["time"]), SCHEDULED, what, "", seq, status, code, "", "", found["id"]))

    def take(self, by: str, what: str, action: str, *, message: str = "", proven: str = "", **arguments: Any) -> Step:
        """One action of the letter of credit, signed and applied or refused. `proven`: has a receipt in the end."""
        answer, outcome = self.submit(by, APP, action, arguments)
        assert answer.seq is not None, "a submission that was waited for has its entry"
        why = "" if outcome.status == entry.APPLIED else filled(jsonform.plain(outcome.result))
        made = Step(
            outcome.time,
            by,
            what,
            action,
            answer.seq,
            outcome.status,
            outcome.code,
            why,
            message,
            answer.id,
        )
        self.steps.append(made)
        if proven:
            self.proven[proven] = made.seq
        return made

    def submit(
        self, by: str, contract: str, action: str, arguments: dict[str, Any], steps: int = transactions.STEPS_MAX
    ) -> tuple[Answer, entry.Outcome]:
        """Signs an action by the node's clock and submits it: the answer and its outcome."""
        made = transactions.prepare(
            self._signers[by],
            self._ledger,
            contract,
            action,
            arguments,
            steps_max=steps,
            not_after=self._client.not_after(),
        )
        try:
            answer = self._client.submit(made.envelope)
        except Refused as refused:
            answer = refused.answer
        return answer, entry.decode_outcome(answer.outcome)

    def proof(self, seq: int) -> dict[str, bytes]:
        """The receipt of an entry, and what it is about."""
        parts = {
            part: self._client.get_bytes(f"/app/entries/{seq}/{part}") for part in ("entry", "envelope", "outcome")
        }
        return {"receipt": self._client.get_bytes(f"/app/receipts/{seq}"), **parts}


_HAPPENED: Final = {
    "letter.extended": "the last day has closed: the letter goes on for a year",
    "letter.precluded": "the time for notice of refusal has passed",
    "letter.expired": "the last day has closed: the letter expires",
}
"""What ledger time does, by the event that says so."""


def _set_up(told: _Telling) -> None:
    """The two contracts, and the calendar of the place of expiry."""
    for contract in ("calendars", APP):
        source = app_file(contract, "contract.py").read_text("utf-8")
        arguments = {"name": contract, "source": source}
        _applied(told.submit(ISSUER, "members", "deploy", arguments, transactions.deploy_steps(source)))
    for year in YEARS:
        calendar = json.loads(app_file(APP, f"{PLACE}-{year}.json").read_text("utf-8"))
        _applied(told.submit(PUBLISHER, "calendars", "publish", calendar))


def _agree(told: _Telling, begin: datetime, issue: Message) -> None:
    """The application, another wording, and what both sides sign in the end."""
    id, wording = issue.get("20"), _wording(issue)
    draft = _wording(issue, issue.get("77U").partition("SUBJECT TO")[0])  # the application forgets the rules
    terms: dict[str, Any] = {
        "amount": formats.amount(issue.get("32B")),
        "expiry": formats.day(issue.get("31E")).isoformat(),
    }
    told.at(begin)
    told.take(
        APPLICANT,
        "applies, with a first wording",
        "apply",
        id=id,
        issuer=ISSUER,
        adviser=ADVISER,
        beneficiary=BENEFICIARY,
        rules=_RULES[issue.get("40C")],
        place=PLACE,
        extends_until=formats.day(issue.get("31S")).isoformat() if issue.get("23F") == _YEARLY else None,
        notice_days=int(issue.get("26E") or 0),
        may_confirm=issue.get("49") in _ASKED_TO_CONFIRM,
        wording=draft,
        **terms,
    )
    told.at(begin + timedelta(days=1))
    told.take(PREPARER, "puts a second wording on the table, with the rules", "reword", u=id, wording=wording, **terms)
    told.take(PREPARER, "agrees to the second wording", "agree", u=id, version=2, wording=wording)
    told.take(APPLICANT, "agrees to the first wording", "agree", u=id, version=1, wording=draft)
    told.at(begin + timedelta(days=2))
    told.take(APPLICANT, "agrees to the second wording", "agree", u=id, version=2, wording=wording)


def _issue(told: _Telling, issue: Message, advice: Message) -> None:
    """Two persons issue it, and the beneficiary's bank advises and confirms it."""
    id = issue.get("20")
    signed: dict[str, Any] = {
        "u": id,
        "version": 2,
        "wording": _wording(issue),
        "amount": formats.amount(issue.get("32B")),
        "expiry": formats.day(issue.get("31E")).isoformat(),
    }
    told.at(_morning(issue, "30"))
    told.take(PREPARER, "prepares the issue", "prepare", u=id, version=2)
    told.take(PREPARER, "releases it too", "release", **signed)
    told.take(RELEASER, "releases it: issued", "release", message="MT 760", proven="the issue", **signed)
    told.at(_morning(advice, "30") + timedelta(hours=1))
    told.take(
        ADVISER, "advises and confirms it", "advise", message="MT 768", u=id, confirms=issue.get("49") == "CONFIRM"
    )


def _draw(told: _Telling, issue: Message, demand: Message) -> None:
    """A demand that is paid, one that is too much, one that is answered too late, and one after the end."""
    id, first = issue.get("20"), _morning(demand, "31L")
    wanted = formats.amount(demand.get("32B"))
    too_much, rest = ({**wanted, "minor": dollars * 100} for dollars in (2_000_000, 300_000))
    told.at(first)
    told.take(
        BENEFICIARY,
        f"demands {money.written(wanted)}",
        "present",
        message="MT 765",
        proven="the demand",
        u=id,
        reference=demand.get("20"),
        amount=wanted,
        documents=_documents("01", "invoice 4471", "invoice 4472"),
    )
    told.at(first + timedelta(days=2))
    told.take(PREPARER, "examines it: it complies", "examine", p=f"{id}/1", discrepancies=[])
    told.at(first + timedelta(days=3))
    told.take(RELEASER, "honours it", "honour", p=f"{id}/1", examination=1, amount=wanted)
    told.at(first + timedelta(days=28))
    told.take(
        BENEFICIARY,
        f"demands {money.written(too_much)}: more than is left",
        "present",
        u=id,
        reference="DMD-0002",
        amount=too_much,
        documents=_documents("02"),
    )
    told.take(
        PREPARER,
        "examines it: an invoice is missing too",
        "examine",
        p=f"{id}/2",
        discrepancies=["no invoice is presented"],
    )
    told.take(RELEASER, "tries to honour it", "honour", p=f"{id}/2", examination=1, amount=too_much)
    told.take(RELEASER, "refuses it, in one notice", "refuse", p=f"{id}/2", examination=1, disposal="Returned")
    told.at(first + timedelta(days=42))
    told.take(
        BENEFICIARY,
        f"demands {money.written(rest)}",
        "present",
        u=id,
        reference="DMD-0003",
        amount=rest,
        documents=_documents("03"),
    )
    told.take(
        PREPARER,
        "examines it: an invoice is missing",
        "examine",
        p=f"{id}/3",
        discrepancies=["no invoice is presented"],
    )
    told.at(first + timedelta(days=57))
    told.take(RELEASER, "refuses it, too late", "refuse", p=f"{id}/3", examination=1, disposal="Returned")
    told.take(RELEASER, "honours it, as it must", "honour", p=f"{id}/3", examination=1, amount=rest)
    expiry = formats.day(issue.get("31E"))
    if issue.get("23F") == _YEARLY:
        latest = expiry - timedelta(days=int(issue.get("26E")))
        told.at(datetime(latest.year, latest.month, latest.day, 14, tzinfo=UTC))
        told.take(
            RELEASER, "gives notice: it will not go on for a year", "stop_extending", u=id, expiry=expiry.isoformat()
        )
    told.at(datetime(expiry.year, expiry.month, expiry.day, 14, tzinfo=UTC) + timedelta(days=3))
    told.take(
        BENEFICIARY,
        f"demands {money.written(rest)} after the end",
        "present",
        u=id,
        reference="DMD-0004",
        amount=rest,
        documents=_documents("04"),
    )


def _message(name: str) -> Message:
    return types.read(app_file(APP, f"messages/{name}").read_bytes())


def _wording(issue: Message, text: str | None = None) -> bytes:
    """SHA-256 of documents to be presented and text: fields 45C and 77U with their tags, as the message has them.

    `text` is another text in the place of 77U.
    """
    return _digest(f":45C:{issue.get('45C')}\r\n:77U:{issue.get('77U') if text is None else text}")


def _party(message: Message, tag: str) -> str:
    return message.get(tag).split("\r\n")[0]


def _signers(folder: Folder) -> dict[str, PrivateKey]:
    members = {
        name: keys.load(member_key(folder, name)) for name in (APPLICANT, ISSUER, ADVISER, BENEFICIARY, PUBLISHER)
    }
    persons = {person: keys.load(user_key(folder, *person.split("/"))) for person in (PREPARER, RELEASER)}
    return members | persons


def _applied(done: tuple[Answer, entry.Outcome]) -> None:
    """What the story stands on must be applied. Raises `HansaError` with the outcome's code."""
    outcome = done[1]
    if outcome.status != entry.APPLIED:
        raise HansaError(outcome.code, filled(jsonform.plain(outcome.result)))


def _proof(what: str, parts: dict[str, bytes], pinned: verification.Pinned) -> Proof:
    """Checks a receipt without any node. Raises `HansaError`."""
    proven = verification.verify(
        parts["receipt"], parts["entry"], pinned, envelope=parts["envelope"], outcome=parts["outcome"]
    )
    clock = genesis.TOLD if proven.told else genesis.REAL
    return Proof(what, proven.seq, proven.signer or "", len(parts["receipt"]), clock)


def _documents(number: str, *invoices: str) -> list[dict[str, Any]]:
    """A demand and invoices: the ledger has what they hash to, the parties have them."""
    names = [f"signed demand {number}", *(f"copy of {invoice}" for invoice in invoices)]
    return [{"name": name, "digest": _digest(f"{name}, which stands for the paper")} for name in names]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _morning(message: Message, tag: str) -> datetime:
    """14:00 UTC, which is morning in New York, on the day of a field."""
    day = formats.day(message.get(tag))
    return datetime(day.year, day.month, day.day, 14, tzinfo=UTC)


def _ms(when: datetime) -> int:
    return int(when.timestamp()) * 1000
