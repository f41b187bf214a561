"""The client without `async`: drives the operations of this room over one transport, request by request.

`async_client.AsyncClient` is the same with `await`; each method here and there is one line around one operation.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import UNSET

from hansa.client import comparing, governance, proofs, readers, records, schemas, submission, values
from hansa.client.asking import ask, tell
from hansa.client.comparing import Comparison
from hansa.client.connections import Connections
from hansa.client.exchange import Operation, Request, bytes_of, json_of, segment
from hansa.client.governance import Proposal
from hansa.client.proxy import Contract
from hansa.client.records import Asked
from hansa.client.results import Answer, Head, Lookup, Receipt, Row, Several, Unknown, Wait
from hansa.client.session import TIMEOUT_S, Session
from hansa.client.status import Status, status
from hansa.client.streams import Streams
from hansa.client.transactions import STEPS_MAX, Prepared
from hansa.client.transport import Transport, carry
from hansa.wire import jsonform
from hansa.wire.keys import Signer
from hansa.wire.problems import HansaError
from hansa.wire.transaction import Precondition

if TYPE_CHECKING:
    from hansa.client.events import Event, Follower, Heartbeat, Lost
    from hansa.client.sign_in import SignedIn
    from hansa.wire.keys import PrivateKey

_Result = TypeVar("_Result")


class Client:
    """A ledger, behind one node or several. Use it as a context manager, or `close` it.

    `urls`: the nodes' URLs; where one fails, the next is asked. `key` signs: a key file (PEM, readable by its owner
    alone), or a `Signer`, such as a hardware module's. `ledger` is the ledger's id, as you were told it by a way you
    trust: then nothing counts that is not signed by the keys of its genesis document. Without it, the ledger that the
    first node shows is trusted on first use, for this object's life. `memory` is a file that keeps the last checkpoint
    seen, and with it the ledger: from the second use on it is pinned, and a ledger whose history was rewritten
    meanwhile is not answered from (`ledger.forked`, `ledger.shrunken`). One process at a time uses such a file.

    An operation goes on for `timeout_s` seconds where no node is reached, or one says when to come again; a client
    that is not `patient` asks each node once. To look up what became of a transaction takes up to a quarter of that on
    top (1 s to 10 s), and to connect up to 5 s. Where a server sends the head of an answer byte by byte, this client
    waits so long for each; `AsyncClient` does not. In either case a transaction whose answer was lost is sent again,
    the same bytes. `transport` carries requests in place of a connection of the client's own; it is left open. Threads
    may share a client.

    At `https://` URLs: a client that knows its ledger's id takes a node by its registered key, whatever its name; any
    other, and one with `certificates` (a PEM file of authorities), takes certificates as the web does. Reads there are
    for who signs with a registered key, and carry a token that the client gets by itself with `key`.

    Every expected failure is a `HansaError` with a stable `code`, a `detail` and a `remedy`.
    """

    def __init__(
        self,
        urls: str | Sequence[str],
        key: Path | str | Signer | None = None,
        ledger: str | None = None,
        memory: Path | None = None,
        transport: Transport | None = None,
        *,
        certificates: Path | None = None,
        timeout_s: float = TIMEOUT_S,
        patient: bool = True,
    ) -> None:
        self._session = Session(urls, key, ledger, memory, timeout_s, patient, certificates)
        self._own = None
        if transport is None:
            transport = self._own = Connections(self._session.certificates)
        self._transport: Transport = transport

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets the connections go."""
        if self._own is not None:
            self._own.close()

    @property
    def url(self) -> str:
        """The URL of the node that is asked next."""
        return self._session.node

    # Taking actions

    def call(
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
        """Takes an action: signs it once, sends it, and waits.

        `wait`: `committed` for its entry, durable; `receipt` for a receipt too, verified; `accepted` only until a node
        has taken it into its queue, which says nothing about its outcome. `arguments` are Python values, converted by
        what the contract declares (see `hansa.client.values`). `steps_max` is what it may use at most;
        `contract_version` the only version it is meant for; `preconditions` are (contract, record type, key, seq of the
        record's last write, or None: must not exist). With `wait="receipt"` and `k` the receipt is by nodes of so many
        members, or down to `least` of them: see `receipt`.

        Raises `Refused` if the ledger's rules refuse; `Unknown` if it stays unknown whether it has its entry (then do
        not call again: `resolve`); `Unproven` if it has its entry and no good receipt came; `HansaError` for everything
        that certainly had no effect: `argument.value`, `sender.unknown`, `node.unreachable`, `transaction.expired`,
        `queue.full` and others.
        """
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
        return self._run(operation)

    def prepare(
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
        """Signs without sending. Whoever stores the envelope first can `submit` it again after a crash.

        `not_after` (ms since 1970 UTC) is until when it may get its entry: ten minutes from now if it is None.
        """
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
        return self._run(operation)

    def submit(
        self, envelope: bytes, *, wait: Wait = "committed", k: Several = None, least: int | None = None
    ) -> Answer:
        """Sends a signed transaction; to send the same bytes again is always safe. Raises what `call` raises."""
        return self._run(submission.submit(self._session, envelope, wait, k, least))

    def resolve(
        self, unknown: Unknown | Answer, *, wait: Wait = "committed", k: Several = None, least: int | None = None
    ) -> Answer:
        """Finds out what became of a transaction, unknown or only accepted; sends its bytes again if nobody knows.

        Raises what `call` raises; `transaction.expired` if it has no entry and never will, so that a new one is safe:
        a node says that its time is over, no other node that is reached has it, and where the ledger's time is real,
        this machine's clock is a minute past `not_after`, too.
        """
        return self._run(submission.resolve(self._session, unknown, wait, k, least))

    def transaction(self, id: str | bytes, *, not_after: int | None = None) -> Lookup:
        """What became of a transaction, over all history; with its `not_after` (ms) also whether it can still come."""
        return self._run(submission.look_up(self._session, id, not_after))

    # Governance: the client's key is a governance key

    def propose(self, proposal: Mapping[str, Any], *, wait: Wait = "committed", not_after: int | None = None) -> Answer:
        """Proposes named actions: `{"actions": [{"name": "remove_member", "args": {"member_id": "acme"}}]}`.

        The id of the answer is the proposal's. `not_after` (ms since 1970 UTC, up to 30 days ahead) is until when it
        may get its entry: ten minutes from now if it is None. Raises `HansaError` `proposal.form` with every problem,
        and what `call` raises.
        """
        return self._run(governance.propose(self._session, proposal, wait, not_after=not_after))

    def vote(
        self, proposal: str | bytes, yes: bool, *, wait: Wait = "committed", not_after: int | None = None
    ) -> Answer:
        """Votes on a proposal under the constitution that it was made under. Raises what `call` raises."""
        return self._run(governance.vote(self._session, proposal, yes, wait, not_after=not_after))

    def withdraw(self, proposal: str | bytes, *, wait: Wait = "committed", not_after: int | None = None) -> Answer:
        """Takes back a proposal of one's own. Raises what `call` raises."""
        return self._run(governance.withdraw(self._session, proposal, wait, not_after=not_after))

    def proposal(self, id: str | bytes) -> Proposal:
        """A proposal as it stands. Raises `HansaError` `proposal.unknown`."""
        return self._run(governance.read(self._session, id))

    def proposals(self, *, is_open: bool = False) -> list[Proposal]:
        """All proposals in the order in which they were made; with `is_open` those that can still be voted on."""
        return self._run(governance.every(self._session, is_open=is_open))

    # Signing in

    def sign_in(self, key: "PrivateKey", token: str) -> "SignedIn":
        """Has the member's own node, behind this client, register `key` for whom an ID token names, till that ends.

        The key must be new, and the token's nonce `hansa.wire.session.nonce_of` its SPKI; an issuer is asked for one by
        `hansa.client.authorize`. The same again gives the same session. Raises `HansaError` `token.*`,
        `session.*`, `issuer.*`.
        """
        from hansa.client import sign_in  # noqa: PLC0415 - few need it

        return self._run(sign_in.begin(self._session, key, token))

    # Reading

    def contract(self, name: str, *, wait: Wait = "committed", k: Several = None) -> Contract:
        """A contract as an object: `client.contract("shop").pay(account=..., amount=...)`.

        Its actions wait as `wait` and `k` say and give an `Answer`; its views give what they return. Raises
        `HansaError` `contract.missing`.
        """

        def call(contract: str, action: str, arguments: Mapping[str, Any]) -> Answer:
            return self.call(contract, action, arguments, wait=wait, k=k)

        return Contract(self.schema(name), call, self.view)

    def schema(self, contract: str, *, least: str | None = None) -> dict[str, Any]:
        """What a contract declares, with JSON Schemas: actions, views, records, roles, events, refusals.

        It is kept, and asked for again where another version is seen to run, or `least` is later than the one kept.
        """
        return self._run(schemas.declared(self._session, contract, least=least))

    def view(self, contract: str, view: str, arguments: Mapping[str, Any]) -> Any:
        """What a view returns, typed as declared. Raises `HansaError` `view.refused`."""
        return self._run(records.view(self._session, contract, view, arguments))

    def record(self, contract: str, type: str, key: Any) -> Row:
        """The record of a key, as it is now. Raises `HansaError` `record.unknown`."""
        return self._run(records.record(self._session, contract, type, key))

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
    ) -> Iterator[Row]:
        """All records of a type in the order of their keys, or of the indexed field `index`, page by page.

        `equal`, or `least` up to `most` (both count), bound that field or the key, in the forms that arguments have;
        None is an absent value. A page has `rows` rows and is of the state as it is then: a record that moves meanwhile
        may come twice or not at all. Raises `HansaError` `query.value`, or `argument.value`, for what is no value.
        """
        return self._each(records.table(contract, type, index, equal, least, most, descending, rows))

    def history(self, contract: str, type: str, key: Any, *, rows: int = 100) -> Iterator[Row]:
        """The values that a record has had, newest first, page by page."""
        return self._each(records.past(contract, type, key, rows))

    def events(
        self, contract: str | None = None, name: str | None = None, after: str | None = None, *, follow: bool = True
    ) -> Iterator["Event"]:
        """Events in the order of the ledger, each exactly once, over as many connections as it takes.

        `after` is an id: `SEQ-N`, or `SEQ` for a whole entry; "0" is the beginning, None from now on. `follow=False`
        ends where the ledger ended at the first answer. Whoever keeps the id of the last event it took, and begins
        `after` it, has missed nothing. The node is trusted for what it tells: an event is proven by the receipt of its
        entry. Raises `HansaError`: `events.id`, `events.beyond`, `events.order`, `events.ledger`, `argument.value` for
        a transport that streams nothing.
        """
        from hansa.client import events  # noqa: PLC0415 - asyncio takes a while, few need it

        ledger = self.ledger().hex()
        if after is None:  # else a connection lost before it has said where it begins would begin later
            after = str(self.status().entries - 1)
        follower = events.Follower(contract, name, after, follow=follow, ledger=ledger)
        for one in self.follow(follower):
            if isinstance(one, events.Event):
                yield one

    def follow(self, follower: "Follower", on_lost: "Lost | None" = None) -> Iterator["Event | Heartbeat"]:
        """What a `Follower` is told, heartbeats too; `on_lost` hears of connections that were lost. See `events`."""
        from hansa.client import events  # noqa: PLC0415 - as above

        def lost(error: HansaError, pause_s: float) -> None:
            self._session.lost(error, pause_s)
            if on_lost is not None:
                on_lost(error, pause_s)

        yield from events.follow(
            Streams(self._session, self._transport, self._run), lambda: self._session.node, follower, on_lost=lost
        )

    def event_data(self, event: "Event") -> dict[str, Any]:
        """What an event carries, typed as its contract declares: a `datetime`, an `Amount`. See `values.typed`.

        It stays as it is in `data` where the contract, as it is now, declares nothing of it. Raises `HansaError` as
        `schema` does.
        """
        declared = self.schema(event.contract, least=event.version)
        return values.event_data(declared, event.name, event.data)

    # Proof

    def receipt(self, seq: int, *, k: Several = None, least: int | None = None) -> Receipt:
        """The receipt for an entry, verified, with the bytes it is about. Raises `HansaError` if it proves nothing.

        With `k`, by nodes of so many members, all under the same head; `default` is f + 1 of those that have nodes. The
        node that is asked asks the others, and gives what there is after some seconds: fewer will do down to `least`,
        which is `k` by itself. Raises `receipt.members` with who signed if they are too few, `receipt.split` with who
        signed what where receipts show different histories.
        """
        return self._run(proofs.receipt(self._session, seq, k, least))

    def checkpoint(self) -> Head:
        """The newest checkpoint: its signature is good, and it continues the last one that this client has seen.

        Raises `HansaError` `ledger.forked` or `ledger.shrunken` if it does not; then the old one stays remembered.
        """
        return self._run(proofs.checkpoint(self._session))

    def compare(self, kept: Mapping[str, bytes] | None = None) -> Comparison:
        """Compares the newest checkpoints of all nodes of this client with each other, and with what it remembers.

        `kept` are further checkpoints, as COSE messages by names of your own: what somebody else was shown. A node that
        does not answer, or shows nothing, is told in `unproven`; nothing is raised for it unless no node answers.
        Nothing is remembered from this.
        """
        return self._run(comparing.compare(self._session, kept or {}))

    # The node

    def status(self) -> Status:
        """How the node is."""
        return self._run(status(self._session))

    def not_after(self) -> int | None:
        """Until when (ms) a transaction made now is valid, by the node's clock where the ledger's time is told.

        None elsewhere: then this machine's clock serves.
        """
        return self._run(submission.limit(self._session))

    def tell_time(self, time: int) -> None:
        """Puts the node's clock forward to `time` (ms), where the ledger's time is told, for demonstrations only.

        What is due on the way is taken when it is due; this goes on until the clock is there, however long that takes.
        Raises `HansaError` `clock.real` elsewhere, `clock.backward`, `clock.moving` while another puts it forward.
        """
        self._run(tell(self._session, time))

    def ledger(self) -> bytes:
        """The id of the ledger: what transactions are signed for."""
        return self._run(submission.ledger(self._session))

    def get(self, path: str, **query: str | int) -> Any:
        """What a route of the API answers, as JSON."""
        return self._run(ask(self._session, path, json_of, query=query))

    def get_bytes(self, path: str, accept: str = "*/*", **query: str | int) -> bytes:
        """What a route of the API answers, as bytes."""
        return self._run(ask(self._session, path, bytes_of, query=query, accept=accept))

    def post(self, path: str, value: Mapping[str, Any], **query: str | int) -> Any:
        """What a route of the API answers to a JSON object: of a view, a trial or a plan, which change nothing."""
        return self._run(ask(self._session, path, json_of, query=query, body=jsonform.dumps(value)))

    def trial(self, contract: str, source: str, after: str | None = None) -> Any:
        """Tries a next version of a contract on live records, those behind `after`: the `next` of an answer before."""
        return self.post(f"/app/contracts/{segment(contract)}/trial", {"source": source, "after": after})

    # Driving

    def _run(self, operation: Operation[_Result]) -> _Result:
        operation = readers.reading(self._session, operation)
        try:
            step = next(operation)
            while True:
                if isinstance(step, Request):
                    step = operation.send(carry(self._transport, step))
                else:
                    time.sleep(step.seconds)
                    step = operation.send(None)
        except StopIteration as done:
            return done.value

    def _each(self, asked: Asked | None) -> Iterator[Row]:
        while asked is not None:
            page = self._run(records.page(self._session, asked))
            yield from page.rows
            asked = asked.after(page)
