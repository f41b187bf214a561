"""The example ledger's story, made to happen: members, transactions, receipts, three attempts to cheat, the audit.

Everything is real: keys are made, transactions signed and applied by an embedded node, receipts checked by the same
code that checks anyone's. `hansa demo` tells what came of it; nothing here prints.
"""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from hansa.client import keys, transactions, verification
from hansa.client.money import is_amount
from hansa.client.words import filled
from hansa.node.audit import Report, audit
from hansa.node.create import Founder, create_ledger, member_key
from hansa.node.intake import Answer
from hansa.node.node import Node, open_node
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.stories.apps import app_file
from hansa.stories.embedded import RESERVE_BYTES
from hansa.wire import cbor, cose, entry, jsonform
from hansa.wire.entry import Outcome
from hansa.wire.keys import PrivateKey
from hansa.wire.problems import HansaError

CONTRACT: Final = "example_ledger"
REGISTRAR: Final = "registry"
PEOPLE: Final = ("alex", "jim", "katie", "molly", "sally", "garth", "tony", "paula")
_BALANCES: Final = {"alex": 90_000, "jim": 60_000, "katie": 20_000}
_CURRENCY: Final = "USD"
_TAMPERED: Final = 0  # which of the deals is tampered with: the payment of $500
_CHANGED_BYTE: Final = 200  # of that entry's envelope


class Deal(msgspec.Struct, frozen=True):
    """One line of the example ledger, as people write it, and as an action."""

    sender: str
    to: str
    kind: str
    value: str
    action: str
    arguments: dict[str, Any]


class Line(msgspec.Struct, frozen=True):
    """A deal with what came of it. `why` says so for a refusal."""

    seq: int
    deal: Deal
    signer: str
    status: str
    code: str
    why: str
    id: str


class Holdings(msgspec.Struct, frozen=True):
    """What everybody has at one time, as the ledger's records say."""

    balances: dict[str, str]
    owner_of_car: str


class Attempt(msgspec.Struct, frozen=True):
    """An attempt to cheat, or a step of one: why it must be caught, in plain words, and which check caught it."""

    number: str
    what: str
    why: str
    caught: bool
    code: str
    detail: str


class Story(msgspec.Struct, frozen=True):
    """All that happened."""

    ledger: str
    name: str
    members: list[str]
    contract: str
    contract_digest: str
    setup: int
    before: Holdings
    lines: list[Line]
    after: Holdings
    entries: int
    receipts_checked: int
    receipt_bytes_max: int
    attempts: list[Attempt]
    audit: Report


def deals() -> list[Deal]:
    """The example ledger, then an overdraft and the sale of a car one does not own."""
    return [
        _payment("alex", "katie", 500),
        _payment("jim", "sally", 300),
        Deal("alex", "garth", "Asset", "Car", "sell", {"title": "car", "to": "garth"}),
        _payment("katie", "tony", 100),
        Deal("molly", "paula", "Message", '"I love you"', "tell", {"to": "paula", "message": "I love you"}),
        _payment("sally", "jim", 900),
        Deal("alex", "tony", "Asset", "Car", "sell", {"title": "car", "to": "tony"}),
    ]


def tell(root: Path, scratch: Path, step: Callable[[str], None]) -> Story:
    """Makes it all happen in the new folder `root`; `step` is told what comes next. Copies are made in `scratch`."""
    folder = Folder(root)
    founders = [Founder(REGISTRAR, "Registry", ["role:registrar"], deployer=True)]
    founders += [Founder(person, person.capitalize()) for person in PEOPLE]
    step("deals")
    ledger = create_ledger(Disk(), folder, "The example ledger", founders)
    source = app_file(CONTRACT, "contract.py").read_text("utf-8")
    made = asyncio.run(_live(folder, ledger, source))
    step("cheating")
    pinned = verification.pin_genesis(folder.genesis.read_bytes(), ledger)
    for receipt, entry_bytes, envelope, outcome in made.proofs:
        verification.verify(receipt, entry_bytes, pinned, envelope=envelope, outcome=outcome)
    seq = made.lines[_TAMPERED].seq
    attempts = [
        *_change_payment(seq, made.proofs[seq], pinned),
        _change_receipt(made.proofs[seq], pinned),
        _change_file(folder, scratch / "copy", seq, made.proofs[seq][2]),
    ]
    step("audit")
    report = audit(root)
    return Story(
        ledger=ledger.hex(),
        name="The example ledger",
        members=[REGISTRAR, *PEOPLE],
        contract=CONTRACT,
        contract_digest=made.digest,
        setup=made.setup,
        before=made.before,
        lines=made.lines,
        after=made.after,
        entries=len(made.proofs),
        receipts_checked=len(made.proofs),
        receipt_bytes_max=max(len(receipt) for receipt, *_ in made.proofs),
        attempts=attempts,
        audit=report,
    )


_Proof = tuple[bytes, bytes, bytes, bytes]  # receipt, entry, envelope, outcome


class _Made(msgspec.Struct, frozen=True):
    digest: str
    setup: int
    before: Holdings
    lines: list[Line]
    after: Holdings
    proofs: list[_Proof]


async def _live(folder: Folder, ledger: bytes, source: str) -> _Made:
    """The node's life: the contract, the accounts, the deals, a receipt for every entry."""
    node = open_node(folder.root, reserve_bytes=RESERVE_BYTES)
    node.start()
    try:
        signers = {name: keys.load(member_key(folder, name)) for name in (REGISTRAR, *PEOPLE)}
        deployed = await _take(
            node,
            ledger,
            signers[REGISTRAR],
            "members",
            "deploy",
            {"name": CONTRACT, "source": source},
            transactions.deploy_steps(source),
        )
        digest = deployed[1].events[0]["data"]["digest"].hex()
        for person in PEOPLE:
            opening = {"owner": person, "balance": _amount(_BALANCES.get(person, 10_000))}
            await _take(node, ledger, signers[REGISTRAR], CONTRACT, "open", opening)
        await _take(node, ledger, signers[REGISTRAR], CONTRACT, "register", {"thing": "car", "owner": "alex"})
        setup, before = node.reading.tip.size, _holdings(node)
        lines: list[Line] = []
        for deal in deals():
            answer, outcome = await _take(node, ledger, signers[deal.sender], CONTRACT, deal.action, deal.arguments)
            why = "" if outcome.status == entry.APPLIED else _why(node, deal, outcome)
            lines.append(Line(answer.seq, deal, deal.sender, outcome.status, outcome.code, why, answer.id.hex()))
        after = _holdings(node)
        node.sign_checkpoint()
        proofs: list[_Proof] = []
        for seq in range(node.reading.tip.size):
            found = node.reading.at(seq)
            proofs.append((node.reading.receipt(seq), found.entry(), found.envelope, found.outcome))
    finally:
        await node.stop()
    return _Made(digest, setup, before, lines, after, proofs)


async def _take(
    node: Node,
    ledger: bytes,
    signer: PrivateKey,
    contract: str,
    action: str,
    arguments: dict[str, Any],
    steps_max: int = transactions.STEPS_MAX,
) -> tuple[Answer, Outcome]:
    """Signs and submits one action; its answer and outcome."""
    done: asyncio.Future[Answer | HansaError] = asyncio.get_running_loop().create_future()
    made = transactions.prepare(signer, ledger, contract, action, arguments, steps_max=steps_max)
    node.submit(made.envelope, lambda answer: None if done.cancelled() else done.set_result(answer))
    answer = await done
    if isinstance(answer, HansaError):
        raise answer
    return answer, entry.decode_outcome(answer.outcome)


def _holdings(node: Node) -> Holdings:
    accounts = {person: node.reading.record(CONTRACT, "Account", person).value for person in PEOPLE}
    balances = {person: _dollars(account["balance"]) for person, account in accounts.items()}
    return Holdings(balances, node.reading.record(CONTRACT, "Title", "car").value["owner"])


def _why(node: Node, deal: Deal, outcome: Outcome) -> str:
    """Why a deal was refused. Of a sale the ledger knows more than the refusal says: who bought the car, and when."""
    if outcome.code == "role.denied":
        title = node.reading.record(CONTRACT, "Title", "car")
        seller, owner = deal.sender.capitalize(), title.value["owner"].capitalize()
        return f"{seller} does not own the car any more: {owner} bought it in entry {title.seq}"
    result = jsonform.plain(outcome.result)
    values = result["values"].items()
    told = {name: _dollars(value) if is_amount(value) else value.capitalize() for name, value in values}
    return filled({**result, "values": told})


def _change_payment(seq: int, proof: _Proof, pinned: verification.Pinned) -> list[Attempt]:
    """Writes a zero more into the payment; then makes the entry fit the changed payment as well."""
    receipt, entry_bytes, envelope, outcome = proof
    parts = cose.split(envelope)
    payload = cbor.decode(parts.payload)
    payload["arguments"]["amount"]["minor"] *= 10
    changed = cose.join(parts.protected, cbor.encode(payload), parts.signature)
    fitting = entry.make(entry.decode(entry_bytes).kind, cose.id_of(changed), changed, outcome)
    return [
        _attempt(
            "1a",
            f"The payment of entry {seq} is changed from $500 to $5,000",
            "The entry and the receipt are true, but the payment no longer has the fingerprint in the entry.",
            (receipt, entry_bytes, changed, outcome),
            pinned,
        ),
        _attempt(
            "1b",
            "The entry is changed as well, so that it fits the changed payment",
            "Now the entry is another, and the receipt leads to a fingerprint that the node never signed.",
            (receipt, fitting, changed, outcome),
            pinned,
        ),
    ]


def _change_receipt(proof: _Proof, pinned: verification.Pinned) -> Attempt:
    """Changes one bit of the receipt's signature."""
    receipt, entry_bytes, envelope, outcome = proof
    bent = receipt[:-1] + bytes((receipt[-1] ^ 1,))
    what, why = "One bit of the receipt is changed", "The signature in it is no longer one that the node's key made."
    return _attempt("2", what, why, (bent, entry_bytes, envelope, outcome), pinned)


def _change_file(folder: Folder, copy: Path, seq: int, envelope: bytes) -> Attempt:
    """Changes one byte of the payment in a copy of the ledger's files, and audits the copy."""
    shutil.copytree(folder.root, copy, ignore=shutil.ignore_patterns("lock", "keys"))
    segment = next(iter(sorted((copy / "journal").glob("*.segment"))))
    data = bytearray(segment.read_bytes())
    data[data.index(envelope) + _CHANGED_BYTE] ^= 1
    segment.write_bytes(data)
    report = audit(copy)
    what = f"In a copy of the ledger's files, one byte of entry {seq}'s payment is changed"
    if report.is_sound:
        return Attempt("3", what, "", False, "", "")
    found, damaged = report.findings[0], report.entries
    where = f"behind entry {damaged - 1}, where entry {damaged} is kept"
    why = f"An audit reads a whole ledger again; it found damage {where}."
    return Attempt("3", what, why, True, found.code, f"{found.where}: {found.detail}")


def _attempt(number: str, what: str, why: str, forged: _Proof, pinned: verification.Pinned) -> Attempt:
    receipt, entry_bytes, envelope, outcome = forged
    try:
        verification.verify(receipt, entry_bytes, pinned, envelope=envelope, outcome=outcome)
    except HansaError as error:
        return Attempt(number, what, why, True, error.code, error.detail)
    return Attempt(number, what, why, False, "", "")


def _payment(sender: str, to: str, dollars: int) -> Deal:
    arguments = {"account": sender, "to": to, "amount": _amount(dollars * 100)}
    return Deal(sender, to, "Payment", f"${dollars}", "pay", arguments)


def _amount(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": _CURRENCY}


def _dollars(amount: dict[str, Any]) -> str:
    return f"${amount['minor'] // 100:,}"  # the story knows no cents
