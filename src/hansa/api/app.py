"""The routes: what can be read of a ledger and of its node, each with its problem document when it cannot.

Conventions of CCF: `/app/...` for the ledger's contents, `/node/...` for the node. Submitting transactions is not here
but in `api.submit`, on the same port. Handlers run on the node's event loop and never wait, so no read spans a block;
who asks for an entry to be there first waits before the handler begins.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

import hansa
from hansa.api import answers, openapi
from hansa.api.governance import GovernanceRoutes
from hansa.api.governance_operations import ALL
from hansa.api.guard import READER, SECURED, Guard, is_stranger
from hansa.api.operations import (
    CBOR,
    CONSISTENCIES,
    COSE,
    ENGINE_ROUTES,
    EVENT_STREAM,
    JSON,
    ORDERS,
    RECEIPTS,
    REPLICA_OPERATIONS,
    SESSION_OPERATIONS,
    Operation,
)
from hansa.api.readers import LIFE_S, Readers
from hansa.api.replicas import ReplicaRoutes
from hansa.api.requests import (
    BODY_BYTES_MAX,
    SECURITY,
    boolean,
    check_loopback,
    check_type,
    choice,
    integer,
    json_body,
    json_response,
    members_asked,
    number,
    read_body,
    row_count,
)
from hansa.api.session_routes import SessionRoutes
from hansa.api.streams import EventStream
from hansa.api.submit import STREAMS, echo
from hansa.client.arguments import from_json
from hansa.client.governance import API_VERSION
from hansa.contracts import execution
from hansa.contracts.prices import INSTANT_MAX
from hansa.contracts.program import Program
from hansa.contracts.schema import arguments_schema, contract_schema
from hansa.contracts.source import SOURCE_BYTES_MAX
from hansa.governance import genesis as governance_genesis
from hansa.merkle import receipt, receipts
from hansa.node import metrics
from hansa.node.cosigning import Cosigners
from hansa.node.events import Place, Wanted
from hansa.node.node import Node
from hansa.node.reading import Asked
from hansa.wire import names, trust
from hansa.wire.problems import KINDS, HansaError

if TYPE_CHECKING:
    from hansa.api.sessions import Sessions

Handler = Callable[[Request], Awaitable[Response]]
_Handled = Callable[[Request, Exception], Awaitable[Response]]

AT_LEAST_S: Final = 10.0
"""How long an answer waits for an entry that is yet to come."""
_HTTP_CODES: Final = {404: "request.path", 405: "request.method"}


def make_app(
    node: Node,
    hosts: frozenset[str],
    sessions: "Sessions | None" = None,
    cosigners: Cosigners | None = None,
    guard: Guard | None = None,
) -> Starlette:
    """The application over one node, which answers requests for these values of Host only.

    With `sessions` people of the node's member can sign in. `cosigners` has receipts signed by several members;
    without them the node asks nobody, and answers with its own. `guard` knows who reads from other machines; without it
    nobody comes from there.
    """
    routes = _Routes(node, sessions, cosigners or Cosigners(node), None if guard is None else guard.readers)

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        # A page of another site may reach loopback under a name of its own (DNS rebinding); it must read nothing.
        if scope["type"] == "http":
            named = echo(scope["headers"])

            async def answer(message: Any) -> None:
                if message["type"] == "http.response.start":
                    known = () if is_stranger(scope) else _as_of(node)
                    message = {**message, "headers": [*message["headers"], *named, *known]}
                await send(message)

            try:
                _admit(scope, hosts, guard)
            except HansaError as error:
                node.tally.refuse(error.code)
                await _problem(error)(scope, receive, answer)
                return
            await app(scope, receive, answer)
            return
        await app(scope, receive, send)

    app = Starlette(
        routes=routes.all(),
        exception_handlers={
            HansaError: _counted(node, _handle_problem),
            HTTPException: _counted(node, _handle_http),
            Exception: _counted(node, _handle_defect),
        },
    )
    app.router.redirect_slashes = False  # a path has one spelling
    outer = Starlette()
    outer.router = guarded  # type: ignore[assignment]
    return outer


class _Routes:
    """The handlers, each a thin shell around one reading."""

    def __init__(self, node: Node, sessions: "Sessions | None", cosigners: Cosigners, readers: Readers | None) -> None:
        self._node = node
        self._readers = readers
        self._cosigners = cosigners
        self._sessions = sessions
        self._reading = node.reading

    def all(self) -> list[BaseRoute]:
        governance, people = GovernanceRoutes(self._node), SessionRoutes(self._node, self._sessions)
        replicas = ReplicaRoutes(self._node)

        def of(operation: Operation) -> Handler:
            if operation.path.startswith("/gov/"):
                return getattr(governance, operation.name)
            if operation in REPLICA_OPERATIONS:
                return getattr(replicas, operation.name)
            return getattr(people if operation in SESSION_OPERATIONS else self, operation.name)

        return [Route(_spelled(o), _checked(self._node, o, of(o)), methods=[o.method]) for o in ALL]

    async def submit(self, request: Request) -> Response:
        # `api.submit` answers the path as it is written in the table; here its other methods get their refusal, and
        # a POST only comes under another spelling of it.
        raise HansaError("request.path")

    # The ledger

    async def transaction(self, request: Request) -> Response:
        id = names.digest_from_hex(request.path_params["id"], "transaction id")
        not_after = integer(request, "not_after", None)
        seq = self._reading.find(id)
        if seq is not None:
            found = self._reading.at(seq)
            return json_response({"status": "committed", **answers.found_fields(found)})
        if self._node.is_pending(id):
            return json_response({"status": "pending", "id": id})
        tip = self._reading.tip
        passed = not_after is not None and tip.time > not_after
        status = "never" if passed else "not_found"
        return json_response({"status": status, "id": id, "entries": tip.size, "time": tip.time})

    async def entry(self, request: Request) -> Response:
        return json_response(answers.found_fields(self._reading.at(_seq(request))))

    async def entry_part(self, request: Request) -> Response:
        found = self._reading.at(_seq(request))
        parts = {
            "entry": found.entry,
            "envelope": lambda: found.envelope,
            "outcome": lambda: found.outcome,
            "writes": lambda: found.writes,
        }
        part = parts.get(request.path_params["part"])
        if part is None:
            raise HansaError("request.part", parts=list(parts))
        return Response(part(), media_type=CBOR, headers=SECURITY)

    async def receipt(self, request: Request) -> Response:
        if "k" in request.query_params:
            return await self._receipts(request)
        self._node.sign_checkpoint()
        return Response(self._reading.receipt(_seq(request)), media_type=COSE, headers=SECURITY)

    async def _receipts(self, request: Request) -> Response:
        k = self._cosigners.wanted(members_asked(request.query_params["k"]))
        (found,) = await self._cosigners.receipts([_seq(request)], k)
        named = {"members": found.members, "missing": found.missing, "split": found.split}
        headers = {f"hansa-{name}": ", ".join(members) for name, members in named.items() if members}
        headers |= {**SECURITY, "hansa-k": str(found.k)}
        return Response(receipts.encode(found.receipts), media_type=RECEIPTS, headers=headers)

    async def latest_checkpoint(self, request: Request) -> Response:
        return await self.checkpoint(request)

    async def checkpoint(self, request: Request) -> Response:
        self._node.sign_checkpoint()
        size = request.path_params.get("size")
        head = self._reading.checkpoint() if size is None else self._node.checkpoint_at(number(size, "size"))
        if request.headers.get("accept") == COSE:
            return Response(receipt.bare(head), media_type=COSE, headers=SECURITY)
        return json_response(head)

    async def consistency(self, request: Request) -> Response:
        first, second = (number(request.query_params[name], name) for name in ("first", "second"))
        return Response(self._reading.consistency(first, second), media_type=COSE, headers=SECURITY)

    async def events(self, request: Request) -> Response:
        query, events = request.query_params, self._node.events
        wanted = Wanted(query.get("contract"), query.get("name"))
        if wanted.contract is not None:
            self._reading.program(wanted.contract)
        after = request.headers.get("last-event-id", query.get("after"))
        place = events.end() if after is None else events.behind(after)
        follow = boolean(request, "follow", True)
        if request.method == "HEAD":
            return Response(media_type=EVENT_STREAM, headers=SECURITY)
        return EventStream(events, place, wanted, follow=follow, ledger=self._node.ledger.hex(), headers=SECURITY)

    # Contracts and their records

    async def contracts(self, request: Request) -> Response:
        programs = self._node.directory.programs
        listed = [
            {
                "name": name,
                "version": programs[name].manifest.version,
                "digest": programs[name].digest,
                "description": programs[name].manifest.doc,
            }
            for name in sorted(programs)
        ]
        return json_response({"contracts": listed})

    async def contract(self, request: Request) -> Response:
        return json_response(contract_schema(self._program(request).manifest))

    async def versions(self, request: Request) -> Response:
        found = self._node.directory.versions(self._program(request).manifest.name)
        fields = [{"version": p.manifest.version, "digest": p.digest, "since": since} for since, p in found]
        return json_response({"versions": fields})

    async def trial(self, request: Request) -> Response:
        body = await json_body(request, _TRIED)
        return json_response(self._reading.trial(request.path_params["contract"], body.source, body.after))

    async def source(self, request: Request) -> Response:
        name = self._program(request).manifest.name
        if name == governance_genesis.CONTRACT:
            source = self._node.parsed_genesis.members_contract
        elif name == governance_genesis.CONSTITUTION:
            digest = self._node.directory.constitution.hex()
            source = self._reading.record(governance_genesis.CONTRACT, "ConstitutionText", digest).value["source"]
        else:
            version = self._program(request).manifest.version
            source = self._reading.record(governance_genesis.CONTRACT, "Version", f"{name}@{version}").value["source"]
        return Response(source, media_type="text/x-python", headers=SECURITY)

    async def page(self, request: Request) -> Response:
        query, rows = request.query_params, row_count(request)
        contract, record = request.path_params["contract"], request.path_params["record"]
        asked = Asked(
            index=query.get("index"),
            value=query.get("value"),
            least=query.get("least"),
            most=query.get("most"),
            descending=choice(request, "order", ORDERS) != ORDERS[0],
        )
        return json_response(answers.page_fields(self._reading.page(contract, record, query.get("after"), rows, asked)))

    async def record(self, request: Request) -> Response:
        path, key = request.path_params, request.query_params["key"]
        return json_response(answers.row_fields(self._reading.record(path["contract"], path["record"], key)))

    async def history(self, request: Request) -> Response:
        path, key = request.path_params, request.query_params["key"]
        rows, before = row_count(request), integer(request, "before", None)
        page = self._reading.history(path["contract"], path["record"], key, before, rows)
        return json_response(answers.page_fields(page))

    async def view(self, request: Request) -> Response:
        body = await json_body(request, _ARGUMENTS)
        path = request.path_params
        program = self._program(request)
        procedure = program.views.get(path["view"])
        if procedure is not None:
            body = from_json(arguments_schema(procedure.action, program.manifest), body)
        time = self._node.ledger_time()
        ran = self._reading.view(path["contract"], path["view"], body, time)
        if ran.code != execution.OK:
            raise HansaError("view.refused", outcome=ran.code, result=ran.result, steps=ran.steps)
        told = {"result": ran.result, "steps": ran.steps, "entries": self._reading.tip.size, "time": time}
        return json_response(told)

    # The node

    async def status(self, request: Request) -> Response:
        return json_response(self._node.status())

    async def tell_time(self, request: Request) -> Response:
        # Nobody signs this, so a page of another site must not be able to send it: what it can send without being
        # asked for leave is no JSON (Fetch standard, CORS-safelisted request headers).
        check_type(request, JSON)
        own = f"http://{request.headers['host']}".lower()
        if request.headers.get("origin", own).lower() != own:
            raise HansaError("request.origin")
        check_loopback(request)
        body = await json_body(request, _TIME)
        await self._node.tell_time(body.time, request.scope.get("extensions", {}).get(STREAMS, {}).get("is_gone", _no))
        status = self._node.status()
        return json_response({"now": status.now, "entries": status.entries})

    async def health(self, request: Request) -> Response:
        status = self._node.status()
        reasons = [*([] if status.healthy else status.reasons), *status.warnings]
        if is_stranger(request.scope):
            reasons = []
        return json_response({"healthy": status.healthy, "reasons": reasons}, 200 if status.healthy else 503)

    async def ready(self, request: Request) -> Response:
        status = self._node.status()
        return json_response({"ready": status.ready, "reasons": status.reasons}, 200 if status.ready else 503)

    async def engine(self, request: Request) -> Response:
        route = request.path_params["route"]
        if route not in ENGINE_ROUTES:
            raise HansaError("request.path")
        if request.scope["scheme"] == SECURED and request.scope["extensions"][READER].kid not in self._peers():
            raise HansaError("reader.node")
        query = {name: number(text, name) for name, text in request.query_params.items()}
        return Response(await self._node.ask_engine(route, query), media_type=JSON, headers=SECURITY)

    def _peers(self) -> Collection[bytes]:
        """The kids of the node keys that count."""
        return self._node.directory.peer_keys().keys()

    async def metrics(self, request: Request) -> Response:
        text = metrics.text(self._node.tally, self._node.gauges())
        return Response(text, headers={**SECURITY, "content-type": metrics.CONTENT_TYPE})

    async def version(self, request: Request) -> Response:
        return json_response({"version": hansa.__version__})

    async def genesis(self, request: Request) -> Response:
        return Response(self._node.genesis, media_type=CBOR, headers=SECURITY)

    async def trust(self, request: Request) -> Response:
        self._node.sign_checkpoint()
        return Response(trust.encode(self._node.trust()), media_type=CBOR, headers=SECURITY)

    async def challenge(self, request: Request) -> Response:
        readers, own = self._known(), self._node.own_key()
        if own is None:
            raise HansaError("key.node")
        challenge = readers.challenge(_address(request))
        return json_response({"challenge": challenge, "ledger": self._node.ledger, "node": own.kid})

    async def token(self, request: Request) -> Response:
        check_type(request, COSE)
        body = await read_body(request, BODY_BYTES_MAX)
        return json_response({"token": self._known().enter(body, _address(request)), "seconds": LIFE_S})

    def _known(self) -> Readers:
        if self._readers is None:
            raise HansaError("reader.off")
        return self._readers

    async def openapi(self, request: Request) -> Response:
        programs = self._node.directory.programs
        return json_response(openapi.document([programs[name].manifest for name in sorted(programs)]))

    async def problem(self, request: Request) -> Response:
        code = request.path_params["code"]
        kind = KINDS.get(code)
        if kind is None:
            raise HansaError("request.path")
        return json_response({"code": code, "title": kind.title, "status": kind.status, "remedy": kind.remedy})

    def _program(self, request: Request) -> Program:
        return self._reading.program(request.path_params["contract"])


class _Part(Convertor[str]):
    """A part of a path before a verb such as `:withdraw`."""

    regex = "[^/:]+"

    def convert(self, value: str) -> str:
        """See `Convertor`."""
        return value

    def to_string(self, value: str) -> str:
        """See `Convertor`."""
        return value


register_url_convertor("part", _Part())


def _spelled(operation: Operation) -> str:
    """An operation's path as routes spell it: under `/gov` a verb is no part of the name before it."""
    return operation.path.replace("}", ":part}") if operation.path.startswith("/gov/") else operation.path


def _no() -> bool:
    """Stands in where nobody knows whether the asker has gone."""
    return False


def _problem(error: HansaError) -> Response:
    status, media, body, extra = answers.problem(error)
    response = Response(body, status, media_type=media.decode(), headers=SECURITY)
    response.raw_headers += extra
    return response


def _counted(node: Node, handler: _Handled) -> _Handled:
    """The handler, which counts the refusal that it answers with."""

    async def counted(request: Request, error: Exception) -> Response:
        node.tally.refuse(_code_of(error))
        return await handler(request, error)

    return counted


def _code_of(error: Exception) -> str:
    if isinstance(error, HansaError):
        return error.code
    return _HTTP_CODES.get(error.status_code, "request.form") if isinstance(error, HTTPException) else "node.defect"


async def _handle_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, HansaError)
    return _problem(error)


async def _handle_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = _problem(HansaError(_code_of(error)))
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response


async def _handle_defect(_: Request, __: Exception) -> Response:
    return _problem(HansaError("node.defect"))


def _refuse(text: str) -> Any:
    raise ValueError(text)


_ARGUMENTS: Final = msgspec.json.Decoder(dict[str, Any], float_hook=_refuse)
"""Arguments by name; neither fractions nor halves of surrogate pairs, which no signed message can hold."""


class _Tried(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A version of a contract to be tried, and the cursor to go on behind."""

    source: Annotated[str, msgspec.Meta(min_length=1, max_length=SOURCE_BYTES_MAX)]
    after: str | None = None


_TRIED: Final = msgspec.json.Decoder(_Tried)


class _Time(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The time, in ms since 1970 UTC, to which a told clock is put: one that contracts can hold."""

    time: Annotated[int, msgspec.Meta(ge=0, le=INSTANT_MAX)]


_TIME: Final = msgspec.json.Decoder(_Time)


def _admit(scope: Any, hosts: frozenset[str], guard: Guard | None) -> None:
    """Finds out who asks from another machine. Raises `HansaError`: `request.host`, `reader.token`."""
    if guard is None or scope["scheme"] != SECURED:
        host = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1").lower()
        if host not in hosts:
            raise HansaError("request.host", f"{host[:100]!a}")
        return
    reader = guard.admit(scope)
    scope["extensions"][READER] = reader
    scope["extensions"][STREAMS]["is_over"] = lambda: guard.is_over(reader)


def _address(request: Request) -> str:
    """Where a request comes from, for what one address may have."""
    return "" if request.client is None else request.client.host


def _as_of(node: Node) -> list[tuple[bytes, bytes]]:
    """The headers that say as of what an answer is: how many entries the node has, and its newest checkpoint."""
    found = [(b"hansa-entries", b"%d" % node.reading.tip.size)]
    last = node.reading.last_checkpoint()
    if last is not None:
        found.append((b"hansa-checkpoint", b"%d %s" % (last.size, last.root.hex().encode())))
    return found


async def _await_entry(node: Node, seq: int) -> None:
    """Waits until there is an entry with this seq. Raises `HansaError` `read.behind` if it does not come soon."""
    end = asyncio.get_running_loop().time() + AT_LEAST_S
    while (size := node.reading.tip.size) <= seq:
        left = end - asyncio.get_running_loop().time()
        if left <= 0 or node.events.is_closed:
            raise HansaError("read.behind", f"{size} entries are here", entries=size, retry_after=1)
        await node.events.wait(Place(size), left)


def _checked(node: Node, operation: Operation, handler: Handler) -> Handler:
    """The handler behind a check of the query: a misspelt, repeated or missing name must not be ignored."""

    async def checked(request: Request) -> Response:
        if not operation.is_open and is_stranger(request.scope):
            raise HansaError("reader.token")
        pairs = request.query_params.multi_items()
        given = [name for name, _ in pairs]
        if "api-version" in operation.query and request.query_params.get("api-version") != API_VERSION:
            told = f"this route needs api-version={API_VERSION}"
            raise HansaError("request.api_version", told, versions=[API_VERSION])
        if len(set(given)) != len(given) or not set(given) <= set(operation.query):
            allowed = sorted(operation.query)
            raise HansaError("request.query", f"this route takes {allowed}, each once", allowed=allowed)
        missing = [name for name in operation.required if name not in given]
        if missing:
            raise HansaError("request.query", f"this route needs {missing}", missing=missing)
        if choice(request, "consistency", CONSISTENCIES) != CONSISTENCIES[0]:
            await node.barriers.wait()
        if "at_least" in given:
            await _await_entry(node, number(request.query_params["at_least"], "at_least"))
        return await handler(request)

    return checked


def _seq(request: Request) -> int:
    return number(request.path_params["seq"], "seq")
