"""The little of msgspec that contracts use, in plain Python: for versions of Python that have no wheel of it here.

Structs are dataclasses. It checks no types and converts nothing; what is missing fails loudly where it is used.
`test_versions.py` shows that programs run on it natively give what they give on msgspec.
"""

import dataclasses
import inspect
import types
from typing import dataclass_transform

from msgspec import structs

__all__ = ["Meta", "Struct", "ValidationError", "structs", "to_builtins"]


class ValidationError(Exception):
    """Never raised here."""


class Meta:
    """Bounds of an annotated type, which nothing looks at here."""

    def __init__(self, **bounds):
        self.bounds = bounds


@dataclass_transform(frozen_default=True)
class Struct:
    """What subclasses of it become: a dataclass that knows its fields and its tag."""

    def __init_subclass__(
        cls,
        *,
        frozen=False,
        tag=None,
        kw_only=False,
        gc=True,
        array_like=False,
        forbid_unknown_fields=False,
        eq=True,
        weakref=False,
    ):
        super().__init_subclass__()
        for name in inspect.get_annotations(cls):
            default = cls.__dict__.get(name)
            if default in ([], {}):  # which msgspec makes anew for each struct
                setattr(cls, name, dataclasses.field(default_factory=type(default)))
        dataclasses.dataclass(frozen=frozen, kw_only=kw_only, eq=eq)(cls)
        cls.__struct_fields__ = tuple(field.name for field in dataclasses.fields(cls))
        cls.__struct_config__ = types.SimpleNamespace(tag=tag)


def to_builtins(value, *, builtin_types=()):
    """The plain form of structs of plain values: maps of their fields, the tag first."""
    if isinstance(value, Struct):
        tag = value.__struct_config__.tag
        tagged = {} if tag is None else {"type": tag}
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        return tagged | {name: to_builtins(field, builtin_types=builtin_types) for name, field in fields.items()}
    if isinstance(value, dict):
        return {key: to_builtins(item, builtin_types=builtin_types) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_builtins(item, builtin_types=builtin_types) for item in value]
    if value is None or isinstance(value, (str, int, *builtin_types)):
        return value
    raise TypeError(f"{type(value).__name__} has no plain form here")
