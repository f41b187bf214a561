"""The example ledger's story, made to happen: members, transactions, receipts, three attempts to cheat, the audit.

Everything is real: keys are made, transactions signed and applied by an embedded node, receipts checked by the same
code that checks anyone's. `demo` tells what came of it; nothing here prints.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from hansa.cli.apps import app_file
from hansa.client import keys, transactions, verification
from hansa.node.audit import Report, audit
from hansa.node.create import Founder, create_ledger, member_key
from hansa.node.intake import Answer
from hansa.node.node import Node, open_node
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.wire import cbor, cose, entry, jsonform
from hansa.wire.entry import Outcome
from hansa.wire.keys import PrivateKey
from hansa.wire.problems import HansaError

CONTRACT: Final = "example_ledger"
REGISTRAR: Final = "registry"
PEOPLE: Final = ("alex", "jim", "katie", "molly", "sally", "garth", "tony", "paula")
_RESERVE_BYTES: Final = 16 * 1024 * 1024
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


class Attempt(msgspec.Struct, frozen=True):
    """An attempt to cheat: whether and by which check it was caught, and why it had to be, in plain words."""

    what: str
    caught: bool
    code: str
    detail: str
    why: str


class Story(msgspec.Struct, frozen=True):
    """All that happened."""

    ledger: str
    name: str
    folder: str
    members: list[str]
    contract: str
    contract_digest: str
    setup: int
    lines: list[Line]
    balances: dict[str, str]
    owner_of_car: str
    entries: int
    receipts_checked: int
    receipt_bytes: int
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


def tell(root: Path, step: Callable[[str], None]) -> Story:
    """Makes it all happen in a new folder; `step` is told what comes next."""
    folder = Folder(root)
    founders = [Founder(REGISTRAR, "Registry", ["role:registrar"], deployer=True)]
    founders += [Founder(person, person.capitalize()) for person in PEOPLE]
    step("members")
    ledger = create_ledger(Disk(), folder, "The example ledger", founders)
    source = app_file(CONTRACT, "contract.py").read_text("utf-8")
    step("deals")
    made = asyncio.run(_live(folder, ledger, source))
    step("receipts")
    pinned = verification.pin_genesis(folder.genesis.read_bytes(), ledger)
    for receipt, entry_bytes, envelope, outcome in made.proofs:
        verification.verify(receipt, entry_bytes, pinned, envelope=envelope, outcome=outcome)
    step("cheating")
    seq = made.lines[_TAMPERED].seq
    attempts = [
        _change_entry(made.proofs[seq], pinned),
        _change_receipt(made.proofs[seq], pinned),
        _change_file(folder, seq, made.proofs[seq][2]),
    ]
    step("audit")
    report = audit(root)
    return Story(
        ledger=ledger.hex(),
        name="The example ledger",
        folder=str(root),
        members=[REGISTRAR, *PEOPLE],
        contract=CONTRACT,
        contract_digest=made.digest,
        setup=made.setup,
        lines=made.lines,
        balances=made.balances,
        owner_of_car=made.owner_of_car,
        entries=len(made.proofs),
        receipts_checked=len(made.proofs),
        receipt_bytes=len(made.proofs[-1][0]),
        attempts=attempts,
        audit=report,
    )


_Proof = tuple[bytes, bytes, bytes, bytes]  # receipt, entry, envelope, outcome


class _Made(msgspec.Struct, frozen=True):
    digest: str
    setup: int
    lines: list[Line]
    balances: dict[str, str]
    owner_of_car: str
    proofs: list[_Proof]


async def _live(folder: Folder, ledger: bytes, source: str) -> _Made:
    """The node's life: the contract, the accounts, the deals, a receipt for every entry."""
    from hansa.client.money import written

    node = open_node(folder.root, reserve_bytes=_RESERVE_BYTES)
    node.start()
    try:
        signers = {name: keys.load(member_key(folder, name)) for name in (REGISTRAR, *PEOPLE)}
        deployed = await _take(
            node, ledger, signers[REGISTRAR], "members", "deploy", {"name": CONTRACT, "source": source}
        )
        digest = deployed[1].events[0]["data"]["digest"].hex()
        for person in PEOPLE:
            opening = {"owner": person, "balance": _amount(_BALANCES.get(person, 10_000))}
            await _take(node, ledger, signers[REGISTRAR], CONTRACT, "open", opening)
        await _take(node, ledger, signers[REGISTRAR], CONTRACT, "register", {"thing": "car", "owner": "alex"})
        setup = node.reading.tip.size
        lines: list[Line] = []
        for deal in deals():
            answer, outcome = await _take(node, ledger, signers[deal.sender], CONTRACT, deal.action, deal.arguments)
            why = "" if outcome.status == entry.APPLIED else _why(outcome)
            lines.append(Line(answer.seq, deal, deal.sender, outcome.status, outcome.code, why, answer.id.hex()))
        accounts = node.reading.page(CONTRACT, "Account", None, 100).rows
        balances = {row.value["owner"]: written(row.value["balance"]) for row in accounts}
        owner = node.reading.record(CONTRACT, "Title", "car").value["owner"]
        node.sign_checkpoint()
        proofs: list[_Proof] = []
        for seq in range(node.reading.tip.size):
            found = node.reading.at(seq)
            proofs.append((node.reading.receipt(seq), found.entry(), found.envelope, found.outcome))
    finally:
        await node.stop()
    return _Made(digest, setup, lines, balances, owner, proofs)


async def _take(
    node: Node, ledger: bytes, signer: PrivateKey, contract: str, action: str, arguments: dict[str, Any]
) -> tuple[Answer, Outcome]:
    """Signs and submits one action; its answer and outcome."""
    done: asyncio.Future[Answer | HansaError] = asyncio.get_running_loop().create_future()
    made = transactions.prepare(signer, ledger, contract, action, arguments, steps_max=50_000)
    node.submit(made.envelope, done.set_result)
    answer = await done
    if isinstance(answer, HansaError):
        raise answer
    return answer, entry.decode_outcome(answer.outcome)


def _change_entry(proof: _Proof, pinned: verification.Pinned) -> Attempt:
    """Writes a zero more into the payment, and makes the entry fit the changed envelope."""
    receipt, entry_bytes, envelope, outcome = proof
    parts = cose.split(envelope)
    payload = cbor.decode(parts.payload)
    payload["arguments"]["amount"]["minor"] *= 10
    changed = cose.join(parts.protected, cbor.encode(payload), parts.signature)
    original = entry.decode(entry_bytes)
    forged = entry.make(original.kind, cose.id_of(changed), changed, outcome)
    what = "the payment in the entry is changed from $500 to $5,000"
    why = (
        "The changed payment has another fingerprint, so the chain in the receipt no longer leads to the fingerprint "
        "that the ledger signed."
    )
    return _attempt(what, why, receipt, forged, changed, outcome, pinned)


def _change_receipt(proof: _Proof, pinned: verification.Pinned) -> Attempt:
    """Changes one bit of the receipt's signature."""
    receipt, entry_bytes, envelope, outcome = proof
    forged = receipt[:-1] + bytes((receipt[-1] ^ 1,))
    what, why = "one bit of the receipt is changed", "The signature in it is no longer one that the ledger's key made."
    return _attempt(what, why, forged, entry_bytes, envelope, outcome, pinned)


def _change_file(folder: Folder, seq: int, envelope: bytes) -> Attempt:
    """Changes one byte of the payment in a copy of the ledger's files, and audits the copy."""
    with tempfile.TemporaryDirectory(prefix="hansa-demo-") as temporary:
        copy = Path(temporary) / "ledger"
        shutil.copytree(folder.root, copy, ignore=shutil.ignore_patterns("lock", "keys"))
        segment = next(iter(sorted((copy / "journal").glob("*.segment"))))
        data = bytearray(segment.read_bytes())
        at = data.index(envelope)
        data[at + _CHANGED_BYTE] ^= 1
        segment.write_bytes(data)
        report = audit(copy)
    found = report.findings[0] if report.findings else None
    what = f"one byte of entry {seq} is changed in the ledger's own files"
    why = "The audit reads every byte again, and names the place behind which the files are not what was written."
    if found is None:
        return Attempt(what, False, "", "", why)
    return Attempt(what, True, found.code, f"{found.where}: {found.detail}", why)


def _attempt(
    what: str,
    why: str,
    receipt: bytes,
    entry_bytes: bytes,
    envelope: bytes,
    outcome: bytes,
    pinned: verification.Pinned,
) -> Attempt:
    try:
        verification.verify(receipt, entry_bytes, pinned, envelope=envelope, outcome=outcome)
    except HansaError as error:
        return Attempt(what, True, error.code, error.detail, why)
    return Attempt(what, False, "", "", why)


def _payment(sender: str, to: str, dollars: int) -> Deal:
    arguments = {"account": sender, "to": to, "amount": _amount(dollars * 100)}
    return Deal(sender, to, "Payment", f"${dollars}", "pay", arguments)


def _amount(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": _CURRENCY}


def _why(outcome: Outcome) -> str:
    from hansa.cli.output import filled

    return filled(jsonform.plain(outcome.result))
