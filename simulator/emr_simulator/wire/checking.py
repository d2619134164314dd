"""Whether a value fits a shape of botocore's service model; what follows is decided elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

_LISTED = 20  # values named in a message: EC2 has more than a thousand instance types


class Fault(StrEnum):
    """In which way a value does not fit."""

    UNKNOWN = "UNKNOWN"
    MISSING = "MISSING"
    TYPE = "TYPE"
    VALUE = "VALUE"


@dataclass(frozen=True, slots=True)
class Problem:
    """One place where a value does not fit its shape."""

    fault: Fault
    path: str
    message: str

    def __str__(self) -> str:
        return f"Value at '{self.path}' failed to satisfy constraint: {self.message}"


def problems(shape: Shape | None, value: Any, path: str = "") -> Iterator[Problem]:  # noqa: ANN401 - any value
    """Yield everything that is wrong with ``value``; nothing where it fits.

    Unknown and missing members, types, enumerations, lengths and ranges are checked, patterns are not
    (the model writes them for another language).
    """
    if shape is None:
        if value:
            yield Problem(Fault.UNKNOWN, path or "/", "The operation takes and returns nothing")
        return
    if not _has_type(shape.type_name, value):
        yield Problem(Fault.TYPE, path or "/", f"Member must be a {shape.type_name}, not {value!r}")
        return
    if isinstance(shape, StructureShape):
        yield from _structure(shape, value, path)
    elif isinstance(shape, ListShape):
        yield from _size(shape, len(value), path, "length")
        for number, item in enumerate(value):
            yield from problems(shape.member, item, f"{path}[{number}]")
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            yield from problems(shape.key, key, f"{path} (key)")
            yield from problems(shape.value, item, f"{path}.{key}")
    elif isinstance(shape, StringShape):
        allowed = shape.enum
        if allowed and value not in allowed:
            listed = ", ".join(allowed[:_LISTED]) + (", ..." if len(allowed) > _LISTED else "")
            yield Problem(Fault.VALUE, path, f"Member must be one of [{listed}], not {value!r}")
        yield from _size(shape, len(value), path, "length")
    elif shape.type_name in {"integer", "long", "float", "double"}:
        yield from _size(shape, value, path, "value")


def _structure(shape: StructureShape, value: dict[str, Any], path: str) -> Iterator[Problem]:
    members = shape.members
    for name in shape.required_members:
        if value.get(name) is None:
            yield Problem(Fault.MISSING, _join(path, name), "Member must not be null")
    for name, item in value.items():
        if name not in members:
            yield Problem(Fault.UNKNOWN, _join(path, name), f"{shape.name} has no member of this name")
        elif item is None:
            yield Problem(Fault.TYPE, _join(path, name), "A member that is not set is left out, not null")
        else:
            yield from problems(members[name], item, _join(path, name))


def _size(shape: Shape, size: float, path: str, what: str) -> Iterator[Problem]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        yield Problem(Fault.VALUE, path, f"Member must have {what} greater than or equal to {low}")
    if high is not None and size > high:
        yield Problem(Fault.VALUE, path, f"Member must have {what} less than or equal to {high}")


def _has_type(type_name: str, value: Any) -> bool:  # noqa: ANN401 - any value
    if type_name in {"integer", "long"}:
        return isinstance(value, int) and not isinstance(value, bool)
    if type_name in {"float", "double"}:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if type_name == "timestamp":
        return isinstance(value, datetime) and value.tzinfo is not None
    kinds: dict[str, type] = {
        "structure": dict,
        "map": dict,
        "list": list,
        "string": str,
        "character": str,
        "boolean": bool,
        "blob": bytes,
    }
    return isinstance(value, kinds[type_name])


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
