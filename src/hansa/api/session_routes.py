"""The routes of signing in: requests for sessions, and what a node signs for people who hold no key."""

# ruff: noqa: D102
# The table says what each handler does.

from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hansa.api import answers
from hansa.api.operations import COSE, JSON
from hansa.api.requests import BODY_BYTES_MAX, check_type, json_body, json_response, read_body
from hansa.client.arguments import from_json
from hansa.contracts.schema import arguments_schema
from hansa.node.node import Node
from hansa.wire.problems import HansaError
from hansa.wire.session import TOKEN_BYTES_MAX

if TYPE_CHECKING:
    from hansa.api.sessions import Sessions


class SessionRoutes:
    """The handlers, by the names that the table gives them. Without `sessions` the node signs nobody in."""

    def __init__(self, node: Node, sessions: "Sessions | None") -> None:
        self._node = node
        self._sessions = sessions

    async def register_session(self, request: Request) -> Response:
        check_type(request, COSE)
        sessions = self._there()
        return json_response(await sessions.register(await read_body(request, BODY_BYTES_MAX)))

    async def begin_asserted(self, request: Request) -> Response:
        check_type(request, JSON)
        sessions = self._there()
        await json_body(request, _NOTHING)
        secret, nonce = sessions.begin()
        return json_response({"session": secret, "nonce": nonce})

    async def assert_token(self, request: Request) -> Response:
        check_type(request, JSON)
        sessions = self._there()
        body = await json_body(request, _SHOWN)
        return json_response(await sessions.assert_token(body.session, body.token))

    async def assert_action(self, request: Request) -> Response:
        check_type(request, JSON)
        sessions = self._there()
        body = await json_body(request, _WISHED)
        arguments = body.arguments
        program = self._node.reading.program(body.contract)
        procedure = program.actions.get(body.action)
        if procedure is not None:
            arguments = from_json(arguments_schema(procedure.action, program.manifest), arguments)
        answer = await sessions.assert_action(body.session, body.contract, body.action, arguments)
        return json_response(answers.answer_fields(answer, None))

    def _there(self) -> "Sessions":
        if self._sessions is None:
            raise HansaError("session.off")
        return self._sessions


class _Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A body that says nothing."""


_Secret = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class _Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token for a session that was begun."""

    session: _Secret
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=TOKEN_BYTES_MAX)]


class _Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An action that the node is to sign."""

    session: _Secret
    contract: str
    action: str
    arguments: dict[str, Any]


def _refuse(text: str) -> Any:
    raise ValueError(text)


_NOTHING: Final = msgspec.json.Decoder(_Nothing)
_SHOWN: Final = msgspec.json.Decoder(_Shown)
_WISHED: Final = msgspec.json.Decoder(_Wish, float_hook=_refuse)
