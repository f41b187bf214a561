"""The client for `async`: drives the same operations as `client.Client`, whose methods say what each does.

What a test compares: the two have the same methods with the same arguments and results.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import UNSET

from hansa.client import comparing, governance, proofs, readers, records, schemas, submission, values
from hansa.client.asking import ask, tell
from hansa.client.comparing import Comparison
from hansa.client.connections import AsyncConnections
from hansa.client.exchange import Operation, Request, bytes_of, json_of, segment
from hansa.client.governance import Proposal
from hansa.client.proxy import Contract
from hansa.client.records import Asked
from hansa.client.results import Answer, Head, Lookup, Receipt, Row, Several, Unknown, Wait
from hansa.client.session import TIMEOUT_S, Session
from hansa.client.status import Status, status
from hansa.client.streams import AsyncStreams
from hansa.client.transactions import STEPS_MAX, Prepared
from hansa.client.transport import AsyncTransport, carry_async
from hansa.wire import jsonform
from hansa.wire.keys import Signer
from hansa.wire.problems import HansaError
from hansa.wire.transaction import Precondition

if TYPE_CHECKING:
    from hansa.client.events import Event, Follower, Heartbeat, Lost
    from hansa.client.sign_in import SignedIn
    from hansa.wire.keys import PrivateKey

_Result = TypeVar("_Result")


class AsyncClient:
    """`Client` with `await`: see there for arguments, results and errors.

    Use it as `async with AsyncClient(...)`, or `await` its `close`. Tasks may share one. Whoever cancels a task inside
    `call` cannot know whether it had its effect: `prepare` first, and `submit` again.
    """

    def __init__(
        self,
        urls: str | Sequence[str],
        key: Path | str | Signer | None = None,
        ledger: str | None = None,
        memory: Path | None = None,
        transport: AsyncTransport | None = None,
        *,
        certificates: Path | None = None,
        timeout_s: float = TIMEOUT_S,
        patient: bool = True,
    ) -> None:
        self._session = Session(urls, key, ledger, memory, timeout_s, patient, certificates)
        self._own = None
        if transport is None:
            transport = self._own = AsyncConnections(self._session.certificates)
        self._transport: AsyncTransport = transport

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Lets the connections go."""
        if self._own is not None:
            await self._own.aclose()

    @property
    def url(self) -> str:
        """The URL of the node that is asked next."""
        return self._session.node

    # Taking actions

    async def call(
        self,
        contract: str,
        action: str,
        arguments: Mapping[str, Any],
        *,
        wait: Wait = "committed",
        steps_max: int = STEPS_MAX,
        contract_version: str | None = None,
        preconditions: Sequence[Precondition] | None = None,
        k: Several = None,
        least: int | None = None,
    ) -> Answer:
        """See `Client.call`."""
        operation = submission.call(
            self._session,
            contract,
            action,
            arguments,
            wait,
            k,
            least,
            steps_max=steps_max,
            contract_version=contract_version,
            preconditions=preconditions,
        )
        return await self._run(operation)

    async def prepare(
        self,
        contract: str,
        action: str,
        arguments: Mapping[str, Any],
        *,
        steps_max: int = STEPS_MAX,
        contract_version: str | None = None,
        preconditions: Sequence[Precondition] | None = None,
        not_after: int | None = None,
    ) -> Prepared:
        """See `Client.prepare`."""
        operation = submission.prepare(
            self._session,
            contract,
            action,
            arguments,
            steps_max=steps_max,
            contract_version=contract_version,
            preconditions=preconditions,
            not_after=not_after,
        )
        return await self._run(operation)

    async def submit(
        self, envelope: bytes, *, wait: Wait = "committed", k: Several = None, least: int | None = None
    ) -> Answer:
        """See `Client.submit`."""
        return await self._run(submission.submit(self._session, envelope, wait, k, least))

    async def resolve(
        self, unknown: Unknown | Answer, *, wait: Wait = "committed", k: Several = None, least: int | None = None
    ) -> Answer:
        """See `Client.resolve`."""
        return await self._run(submission.resolve(self._session, unknown, wait, k, least))

    async def transaction(self, id: str | bytes, *, not_after: int | None = None) -> Lookup:
        """See `Client.transaction`."""
        return await self._run(submission.look_up(self._session, id, not_after))

    # Governance: the client's key is a governance key

    async def propose(
        self, proposal: Mapping[str, Any], *, wait: Wait = "committed", not_after: int | None = None
    ) -> Answer:
        """See `Client.propose`."""
        return await self._run(governance.propose(self._session, proposal, wait, not_after=not_after))

    async def vote(
        self, proposal: str | bytes, yes: bool, *, wait: Wait = "committed", not_after: int | None = None
    ) -> Answer:
        """See `Client.vote`."""
        return await self._run(governance.vote(self._session, proposal, yes, wait, not_after=not_after))

    async def withdraw(
        self, proposal: str | bytes, *, wait: Wait = "committed", not_after: int | None = None
    ) -> Answer:
        """See `Client.withdraw`."""
        return await self._run(governance.withdraw(self._session, proposal, wait, not_after=not_after))

    async def proposal(self, id: str | bytes) -> Proposal:
        """See `Client.proposal`."""
        return await self._run(governance.read(self._session, id))

    async def proposals(self, *, is_open: bool = False) -> list[Proposal]:
        """See `Client.proposals`."""
        return await self._run(governance.every(self._session, is_open=is_open))

    # Signing in

    async def sign_in(self, key: "PrivateKey", token: str) -> "SignedIn":
        """See `Client.sign_in`."""
        from hansa.client import sign_in  # noqa: PLC0415 - few need it

        return await self._run(sign_in.begin(self._session, key, token))

    # Reading

    async def contract(self, name: str, *, wait: Wait = "committed", k: Several = None) -> Contract:
        """See `Client.contract`."""

        async def call(contract: str, action: str, arguments: Mapping[str, Any]) -> Answer:
            return await self.call(contract, action, arguments, wait=wait, k=k)

        return Contract(await self.schema(name), call, self.view)

    async def schema(self, contract: str, *, least: str | None = None) -> dict[str, Any]:
        """See `Client.schema`."""
        return await self._run(schemas.declared(self._session, contract, least=least))

    async def view(self, contract: str, view: str, arguments: Mapping[str, Any]) -> Any:
        """See `Client.view`."""
        return await self._run(records.view(self._session, contract, view, arguments))

    async def record(self, contract: str, type: str, key: Any) -> Row:
        """See `Client.record`."""
        return await self._run(records.record(self._session, contract, type, key))

    def records(
        self,
        contract: str,
        type: str,
        *,
        index: str | None = None,
        equal: Any = UNSET,
        least: Any = UNSET,
        most: Any = UNSET,
        descending: bool = False,
        rows: int = 100,
    ) -> AsyncIterator[Row]:
        """See `Client.records`; for `async for`."""
        return self._each(records.table(contract, type, index, equal, least, most, descending, rows))

    def history(self, contract: str, type: str, key: Any, *, rows: int = 100) -> AsyncIterator[Row]:
        """See `Client.history`; for `async for`."""
        return self._each(records.past(contract, type, key, rows))

    async def events(
        self, contract: str | None = None, name: str | None = None, after: str | None = None, *, follow: bool = True
    ) -> AsyncIterator["Event"]:
        """See `Client.events`."""
        from hansa.client import events  # noqa: PLC0415 - asyncio takes a while, few need it

        ledger = (await self.ledger()).hex()
        if after is None:  # else a connection lost before it has said where it begins would begin later
            after = str((await self.status()).entries - 1)
        follower = events.Follower(contract, name, after, follow=follow, ledger=ledger)
        async for one in self.follow(follower):
            if isinstance(one, events.Event):
                yield one

    async def follow(self, follower: "Follower", on_lost: "Lost | None" = None) -> AsyncIterator["Event | Heartbeat"]:
        """See `Client.follow`."""
        from hansa.client import events  # noqa: PLC0415 - as above

        def lost(error: HansaError, pause_s: float) -> None:
            self._session.lost(error, pause_s)
            if on_lost is not None:
                on_lost(error, pause_s)

        streams = AsyncStreams(self._session, self._transport, self._run)
        async for one in events.afollow(streams, lambda: self._session.node, follower, on_lost=lost):
            yield one

    async def event_data(self, event: "Event") -> dict[str, Any]:
        """See `Client.event_data`."""
        declared = await self.schema(event.contract, least=event.version)
        return values.event_data(declared, event.name, event.data)

    # Proof

    async def receipt(self, seq: int, *, k: Several = None, least: int | None = None) -> Receipt:
        """See `Client.receipt`."""
        return await self._run(proofs.receipt(self._session, seq, k, least))

    async def checkpoint(self) -> Head:
        """See `Client.checkpoint`."""
        return await self._run(proofs.checkpoint(self._session))

    async def compare(self, kept: Mapping[str, bytes] | None = None) -> Comparison:
        """See `Client.compare`."""
        return await self._run(comparing.compare(self._session, kept or {}))

    # The node

    async def status(self) -> Status:
        """See `Client.status`."""
        return await self._run(status(self._session))

    async def not_after(self) -> int | None:
        """See `Client`."""
        return await self._run(submission.limit(self._session))

    async def tell_time(self, time: int) -> None:
        """See `Client`."""
        await self._run(tell(self._session, time))

    async def ledger(self) -> bytes:
        """See `Client.ledger`."""
        return await self._run(submission.ledger(self._session))

    async def get(self, path: str, **query: str | int) -> Any:
        """See `Client.get`."""
        return await self._run(ask(self._session, path, json_of, query=query))

    async def get_bytes(self, path: str, accept: str = "*/*", **query: str | int) -> bytes:
        """See `Client.get_bytes`."""
        return await self._run(ask(self._session, path, bytes_of, query=query, accept=accept))

    async def post(self, path: str, value: Mapping[str, Any], **query: str | int) -> Any:
        """See `Client.post`."""
        return await self._run(ask(self._session, path, json_of, query=query, body=jsonform.dumps(value)))

    async def trial(self, contract: str, source: str, after: str | None = None) -> Any:
        """See `Client.trial`."""
        return await self.post(f"/app/contracts/{segment(contract)}/trial", {"source": source, "after": after})

    # Driving

    async def _run(self, operation: Operation[_Result]) -> _Result:
        operation = readers.reading(self._session, operation)
        try:
            step = next(operation)
            while True:
                if isinstance(step, Request):
                    step = operation.send(await carry_async(self._transport, step))
                else:
                    await asyncio.sleep(step.seconds)
                    step = operation.send(None)
        except StopIteration as done:
            return done.value

    async def _each(self, asked: Asked | None) -> AsyncIterator[Row]:
        while asked is not None:
            page = await self._run(records.page(self._session, asked))
            for row in page.rows:
                yield row
            asked = asked.after(page)
