"""A contract as an object: its actions and views are methods with keyword arguments, as its schema declares them."""

import inspect
from collections.abc import Callable
from typing import Any

from hansa.client.arguments import Schema, described
from hansa.client.schemas import takeable
from hansa.client.words import hint


class Contract:
    """See `Client.contract`. Whether a method is awaited is the client's: what it returns is passed on."""

    def __init__(self, declared: Schema, call: Callable[..., Any], view: Callable[..., Any]) -> None:
        self._declared = declared
        self._call = call
        self._view = view

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):  # asked for by pickle, copy and their like
            raise AttributeError(name)
        declared = self._declared
        if name in declared["actions"]:
            take, schema = self._call, declared["actions"][name]["arguments"]
        elif name in declared["views"]:
            take, schema = self._view, declared["views"][name]["arguments"]
        else:
            known = [*takeable(declared), *declared["views"]]
            told = f"{declared['contract']} has no action or view {name!a}; {hint(name, known)}"
            raise AttributeError(told, name=name, obj=self)

        def method(**arguments: Any) -> Any:
            return take(declared["contract"], name, arguments)

        method.__name__ = name
        method.__qualname__ = f"{declared['contract']}.{name}"
        method.__doc__ = _doc(schema, declared["$defs"])
        method.__signature__ = _signature(schema)  # pyright: ignore[reportFunctionMemberAccess]  # what help() shows
        return method

    def __dir__(self) -> list[str]:
        return sorted([*self._declared["actions"], *self._declared["views"]])

    def __repr__(self) -> str:
        return f"<contract {self._declared['contract']} {self._declared['version']}>"


def _signature(schema: Schema) -> inspect.Signature:
    """Keyword arguments; one that may be left out is then None."""
    defaults = dict.fromkeys(schema["required"], inspect.Parameter.empty)
    made = [inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=defaults.get(n)) for n in schema["properties"]]
    return inspect.Signature(made)


def _doc(schema: Schema, defined: Schema) -> str:
    lines = [f"{name}: {described(kind, defined)}" for name, kind in schema["properties"].items()]
    return "\n".join([schema.get("description", ""), *([""] if lines else []), *lines])
