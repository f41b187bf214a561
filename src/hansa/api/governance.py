"""The routes of `/gov`: proposals, ballots and the records of governance, read; signed envelopes, passed on.

An envelope is taken only at the path of what it says. Nothing else here changes anything.
"""

# ruff: noqa: D102
# The table says what each handler does.

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hansa.api import answers
from hansa.api.operations import CBOR, COSE, JSON, PYTHON
from hansa.api.requests import (
    SECURITY,
    boolean,
    check_loopback,
    check_type,
    json_body,
    json_response,
    read_body,
    row_count,
)
from hansa.api.submit import ANSWER_S_MAX
from hansa.client import proposals
from hansa.governance.genesis import CONTRACT
from hansa.node import obstacles
from hansa.node.node import Node
from hansa.node.planning import Loaded, Planning, load_files, plan_new, plan_standing
from hansa.node.reading import Asked, Row
from hansa.wire import cose, entry, names, transaction
from hansa.wire.limits import ENVELOPE_BYTES_MAX
from hansa.wire.problems import HansaError

_SCOPE: Final = "ledger"
"""The key of the records of which there is one."""
_OPEN: Final = Asked(index="is_open", value="true")
_PROPOSAL_FIELDS: Final = (
    "id", "title", "proposer", "state", "constitution", "opened", "closes", "due", "applied",
)  # fmt: skip


PLANS_MAX: Final = 2
"""Plans that are made at once: each is work that nobody signed for."""
_SLICE_S: Final = 0.005
"""How long a plan is worked on before the node does what else there is."""
_PROPOSAL: Final = msgspec.json.Decoder(dict[str, Any])


class GovernanceRoutes:
    """The handlers, by the names that the table gives them."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._reading = node.reading
        self._plans = 0

    # What is signed

    async def create_proposal(self, request: Request) -> Response:
        return await self._submitted(request, "propose")

    async def withdraw_proposal(self, request: Request) -> Response:
        return await self._submitted(request, "withdraw")

    async def submit_ballot(self, request: Request) -> Response:
        return await self._submitted(request, "vote")

    async def _submitted(self, request: Request, action: str) -> Response:
        """Passes an envelope on that does what its path says, and answers with what came of it."""
        check_type(request, COSE)
        with_receipt = boolean(request, "receipt", False)
        envelope = await read_body(request, ENVELOPE_BYTES_MAX)
        self._check_path(request, envelope, action)
        try:
            result = await asyncio.wait_for(answers.submitted(self._node, envelope), ANSWER_S_MAX)
        except TimeoutError:
            raise HansaError("answer.late") from None
        receipt = answers.receipt_of(self._node, result) if with_receipt else None
        if request.headers.get("accept") == CBOR:
            return Response(answers.answer_cbor(result, receipt), media_type=CBOR, headers=SECURITY)
        return json_response(answers.answer_fields(result, receipt))

    def _check_path(self, request: Request, envelope: bytes, action: str) -> None:
        """Raises `HansaError`: `envelope.content_type`, `proposal.path`, and as `wire.transaction.read`."""
        signed = transaction.read(envelope)
        if not signed.is_governance:
            raise HansaError("envelope.content_type", f"{cose.TRANSACTION!r} where {cose.GOVERNANCE!r} is expected")
        body = signed.transaction
        if (body.contract, body.action) != (CONTRACT, action):
            told = f"{body.contract}.{body.action}"
            raise HansaError("proposal.path", f"the envelope says {told[:100]!a}, the path {CONTRACT}.{action}")
        if "id" in request.path_params and body.arguments.get("proposal") != _proposal_id(request):
            raise HansaError("proposal.path", "the envelope is about another proposal than the path")
        if "memberId" in request.path_params:
            sender = self._node.directory.senders.get(signed.kid)
            member = None if sender is None else sender.member
            if member != request.path_params["memberId"]:
                who = "nobody here" if member is None else member
                raise HansaError("proposal.path", f"the envelope is signed by {who}, the path names another")

    # Proposals

    async def proposals(self, request: Request) -> Response:
        is_open = boolean(request, "open", False)
        asked = _OPEN if is_open else Asked()
        page = self._reading.page(CONTRACT, "Proposal", request.query_params.get("after"), row_count(request), asked)
        return json_response({"proposals": [self._fields(row) for row in page.rows], "next": page.next})

    async def proposal(self, request: Request) -> Response:
        return json_response(self._fields(self._proposal(request)))

    async def proposal_actions(self, request: Request) -> Response:
        self._proposal(request)
        steps = self._reading.record(CONTRACT, "Actions", request.path_params["id"]).value["steps"]
        return json_response(proposals.shown(steps))

    async def ballot(self, request: Request) -> Response:
        member = request.path_params["memberId"]
        for one in _ballots(self._proposal(request)):
            if one["member"] == member:
                return json_response(one)
        raise HansaError("proposal.ballot", f"{member[:40]!a} has not voted on it")

    def _proposal(self, request: Request) -> Row:
        id = _proposal_id(request)
        try:
            return self._reading.record(CONTRACT, "Proposal", id.hex())
        except HansaError as error:
            if error.code != "record.unknown":
                raise
            raise HansaError("proposal.unknown", f"there is no proposal {id.hex()}") from None

    def _fields(self, row: Row) -> dict[str, Any]:
        """A proposal as it is told: not what the kernel counts with, but why it failed, or is out of date."""
        value = row.value
        return {
            **{name: value.get(name) for name in _PROPOSAL_FIELDS},
            "reason": self._failure(row) or value["reason"],
            "ballots": _ballots(row),
            "seq": row.seq,
            "stale": obstacles.stale(value, self._node.directory.constitution, self._changed),
        }

    def _failure(self, row: Row) -> str:
        """Why a proposal failed, from the event of the entry in which it did: that wrote the record last."""
        if row.value["state"] != "Failed":
            return ""
        for event in entry.decode_outcome(self._reading.at(row.seq).outcome).events:
            if event["name"] == "proposal.failed" and event["data"]["id"] == row.value["id"]:
                return obstacles.failure(event["data"], row.value["actions"])
        return ""

    def _changed(self, record: str, key: str) -> int:
        """How often a record of governance has changed; -1 if it is not there."""
        try:
            return self._reading.record(CONTRACT, record, key).value["changed"]
        except HansaError as error:
            if error.code != "record.unknown":
                raise
            return -1

    # Plans

    async def plan_proposal(self, request: Request) -> Response:
        check_loopback(request)
        check_type(request, JSON)
        written = proposals.read(await json_body(request, _PROPOSAL))
        proposer = request.query_params["proposer"]

        def make(loaded: Loaded) -> Planning:
            node = self._node
            return plan_new(node.reading, node.directory, node.ledger_time(), proposer, written, loaded)

        return json_response(await self._planned(written.steps, make))

    async def plan_standing_proposal(self, request: Request) -> Response:
        check_loopback(request)
        id = _proposal_id(request)
        value = self._proposal(request).value
        steps: list[dict[str, Any]] = []
        if value["state"] == "Open" or value["due"] is not None:
            steps = self._reading.record(CONTRACT, "Actions", id.hex()).value["steps"]

        def make(loaded: Loaded) -> Planning:
            return plan_standing(self._reading, self._node.directory, self._node.ledger_time(), id, loaded)

        return json_response(await self._planned(steps, make))

    async def _planned(self, steps: Sequence[Mapping[str, Any]], make: Callable[[Loaded], Planning]) -> dict[str, Any]:
        """Makes a plan, and lets the node go on between two pieces of it, and beside what other threads do of it."""
        if self._plans == PLANS_MAX:
            raise HansaError("proposal.busy", retry_after=1)
        self._plans += 1
        try:
            now = self._node.directory.copy()
            planning = make(await asyncio.to_thread(load_files, now.programs, now.libraries, steps))
            loop, given = asyncio.get_running_loop(), None
            until = loop.time() + _SLICE_S
            while True:
                try:
                    asked = planning.send(given)
                except StopIteration as done:
                    return msgspec.to_builtins(done.value, builtin_types=(bytes,))
                given = None if asked is None else await asyncio.to_thread(asked)
                if loop.time() >= until:
                    await asyncio.sleep(0)
                    until = loop.time() + _SLICE_S
        finally:
            self._plans -= 1

    # The ledger as it is governed

    async def constitution(self, request: Request) -> Response:
        row = self._reading.record(CONTRACT, "Constitution", _SCOPE)
        digest: bytes = row.value["digest"]
        source = self._reading.record(CONTRACT, "ConstitutionText", digest.hex()).value["source"]
        if request.headers.get("accept") == PYTHON:
            return Response(source, media_type=PYTHON, headers=SECURITY)
        fields = {name: row.value[name] for name in ("version", "digest", "lock")}
        return json_response({**fields, "source": source, "seq": row.seq})

    async def service(self, request: Request) -> Response:
        constitution = self._reading.record(CONTRACT, "Constitution", _SCOPE)
        directory, tip = self._node.directory, self._reading.tip
        return json_response(
            {
                "ledger": self._node.ledger,
                "name": directory.name,
                "members": len(directory.members),
                "constitution": constitution.value["digest"],
                "open": self._open_count(),
                "entries": tip.size,
                "time": tip.time,
            }
        )

    def _open_count(self) -> int:
        return sum(1 for _ in self._reading.every(CONTRACT, "Proposal", _OPEN))

    async def members(self, request: Request) -> Response:
        return self._page(request, "Member")

    async def member(self, request: Request) -> Response:
        return json_response(
            answers.row_fields(self._reading.record(CONTRACT, "Member", request.path_params["memberId"]))
        )

    async def users(self, request: Request) -> Response:
        return self._page(request, "User", "member")

    async def keys(self, request: Request) -> Response:
        return self._page(request, "Key", "owner")

    async def deployments(self, request: Request) -> Response:
        return self._page(request, "Deployment")

    async def limits(self, request: Request) -> Response:
        return self._page(request, "Limits")

    async def references(self, request: Request) -> Response:
        return self._page(request, "Reference")

    async def issuers(self, request: Request) -> Response:
        return self._page(request, "Issuer")

    def _page(self, request: Request, record: str, index: str | None = None) -> Response:
        query = request.query_params
        value = None if index is None else query.get(index)
        if value is not None and not (names.is_member(value) or (index == "owner" and names.is_user(value))):
            raise HansaError("query.value", f"{value[:80]!a} is no name of a member or user")
        asked = Asked() if value is None else Asked(index=index, value=value)
        page = self._reading.page(CONTRACT, record, query.get("after"), row_count(request), asked)
        return json_response(answers.page_fields(page))


def _proposal_id(request: Request) -> bytes:
    return names.digest_from_hex(request.path_params["id"], "proposal id")


def _ballots(row: Row) -> list[dict[str, Any]]:
    return [{name: one[name] for name in ("member", "yes", "at")} for one in row.value["ballots"]]
