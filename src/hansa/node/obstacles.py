"""Why a proposal fails or is out of date, in words, from what the ledger has: for whoever shows proposals.

Nothing here decides: the kernel does, and its events and records are what is read.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from hansa.client import words

_FINDINGS: Final = "the file has findings; check it to see them"
"""What `governance.directory` says of a file."""
_CONTRACTS: Final = ("set_contract", "pause_contract", "resume_contract")


def failure(failed: dict[str, Any], acts: Iterable[dict[str, Any]], finding: str = "") -> str:
    """What an event `proposal.failed` carries, or a refusal, as a sentence.

    What the kernel says of records is said of what the actions name: they have few of a kind. `finding` is the first
    about a file, where that is known: the ledger never says which there are.
    """
    code: str = failed["code"]
    values: dict[str, Any] = failed.get("values") or {}
    record = values.get("record")
    named = {name: [act["subject"] for act in acts if act["name"] == name] for name in {act["name"] for act in acts}}
    if code == "contract.invalid" and failed.get("message") == _FINDINGS:
        kind = "contract" if any(named.get(name) for name in ("set_contract", "set_library")) else "constitution"
        return f"the file has findings{finding and f', the first: {finding}'}; run `hansa {kind} check FILE`"
    match code, record:
        case "record.exists", "Member" | "User":
            those = named.get("set_member" if record == "Member" else "set_user", [])
            return f"{_any(those, 'it')} exists: an id is given once"
        case "record.exists", "Key":
            return "this public key is registered already: a key is registered once"
        case "record.missing", "Deployment":
            return f"no contract {_any([one for name in _CONTRACTS for one in named.get(name, [])], 'of this name')}"
        case _:
            return words.filled(failed) or code


def stale(proposal: dict[str, Any], constitution: bytes, changed: Callable[[str, str], int]) -> str:
    """Why the next ballot, or the end of its time lock, drops a proposal; empty if it does not.

    `constitution` is the digest of the one in force, `changed` gives the counter of a record, -1 where there is none.
    This is what the kernel's `compare` will find, as far as no time is concerned.
    """
    is_waiting = proposal["state"] == "Accepted" and proposal["due"] is not None
    if proposal["state"] != "Open" and not is_waiting:
        return ""
    if proposal["constitution"] != constitution:
        return "the constitution is another since"
    if any(changed(one["record"], one["key"]) != one["changed"] for one in proposal["touches"]):
        return "what it is about changed since"
    return ""


def _any(those: list[str], otherwise: str) -> str:
    return " or ".join(those) or otherwise
