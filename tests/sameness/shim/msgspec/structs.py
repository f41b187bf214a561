"""`msgspec.structs`, as far as contracts use it."""

import dataclasses

replace = dataclasses.replace


def asdict(struct):
    """The fields by name."""
    return {name: getattr(struct, name) for name in struct.__struct_fields__}
