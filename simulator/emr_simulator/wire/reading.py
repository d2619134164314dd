"""Request bodies to parameters, by the service model: JSON, CBOR and the two query forms.

What cannot be converted is left as it came: whether it fits is for checking to say.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from botocore.model import ListShape, MapShape, Shape, StructureShape


def read_json(shape: Shape | None, body: bytes) -> Any:  # noqa: ANN401 - whatever the body says
    """Read a JSON body.

    Raises:
        ValueError: It is not JSON.
    """
    raw = json.loads(body or b"{}")
    return raw if shape is None else _from_json(shape, raw)


def _from_json(shape: Shape, raw: Any) -> Any:  # noqa: ANN401 - whatever the body says
    if isinstance(shape, StructureShape) and isinstance(raw, dict):
        by_wire_name = {
            member.serialization.get("name", name): (name, member) for name, member in shape.members.items()
        }
        result = {}
        for wire_name, item in raw.items():
            if item is not None:
                name, member = by_wire_name.get(wire_name, (wire_name, None))
                result[name] = item if member is None else _from_json(member, item)
        return result
    if isinstance(shape, ListShape) and isinstance(raw, list):
        return [_from_json(shape.member, item) for item in raw]
    if isinstance(shape, MapShape) and isinstance(raw, dict):
        return {key: _from_json(shape.value, item) for key, item in raw.items()}
    if shape.type_name == "timestamp":
        return _moment(raw)
    if shape.type_name == "blob" and isinstance(raw, str):
        return _blob(raw)
    return raw


def _moment(raw: Any) -> Any:  # noqa: ANN401 - left as it came where it is no time
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return datetime.fromtimestamp(raw, UTC)
    if isinstance(raw, str):
        try:
            moment = datetime.fromisoformat(raw)
        except ValueError:
            return raw
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return raw


def _blob(raw: str) -> Any:  # noqa: ANN401 - left as it came where it is no base64
    try:
        return base64.b64decode(raw, validate=True)
    except binascii.Error:
        return raw


class FormReader:
    """Reads the flat names of a query form: Filter.1.Value.2, or Dimensions.member.1.Name.

    Attributes:
        unread: Names that no member of the shape asked for.
    """

    def __init__(self, form: Mapping[str, str], *, ec2: bool) -> None:
        self._form = form
        self._ec2 = ec2
        self._prefixes = {
            ".".join(name.split(".")[:length]) for name in form for length in range(1, name.count(".") + 2)
        }
        self.unread = set(form) - {"Action", "Version"}

    def read(self, shape: Shape | None) -> dict[str, Any]:
        """Read the whole form as the members of ``shape``."""
        if shape is None:
            return {}
        return self._structure(cast("StructureShape", shape), "")

    def _structure(self, shape: StructureShape, prefix: str) -> dict[str, Any]:
        result = {}
        for name, member in shape.members.items():
            path = self._member_path(prefix, member, name)
            if path in self._prefixes:
                result[name] = self._value(member, path)
        return result

    def _member_path(self, prefix: str, member: Shape, name: str) -> str:
        serialized = member.serialization
        if self._ec2:
            own: str = serialized.get("queryName") or serialized.get("name") or name
            own = own[0].upper() + own[1:]
        else:
            own = serialized.get("name") or name
        return f"{prefix}.{own}" if prefix else own

    def _value(self, shape: Shape, path: str) -> Any:  # noqa: ANN401 - whatever the form says
        if isinstance(shape, StructureShape):
            return self._structure(shape, path)
        if isinstance(shape, ListShape):
            return self._list(shape, path)
        if isinstance(shape, MapShape):
            return self._map(shape, path)
        self.unread.discard(path)
        return _from_text(shape.type_name, self._form.get(path, ""))

    def _list(self, shape: ListShape, path: str) -> list[Any]:
        self.unread.discard(path)  # an empty list is the bare name
        if not self._ec2 and not shape.serialization.get("flattened"):
            path = f"{path}.{shape.member.serialization.get('name', 'member')}"
        items = []
        number = 1
        while f"{path}.{number}" in self._prefixes:
            items.append(self._value(shape.member, f"{path}.{number}"))
            number += 1
        return items

    def _map(self, shape: MapShape, path: str) -> dict[str, Any]:
        if not shape.serialization.get("flattened"):
            path = f"{path}.entry"
        result = {}
        number = 1
        while f"{path}.{number}" in self._prefixes:
            key = self._value(shape.key, f"{path}.{number}.{shape.key.serialization.get('name', 'key')}")
            value_name = shape.value.serialization.get("name", "value")
            result[key] = self._value(shape.value, f"{path}.{number}.{value_name}")
            number += 1
        return result


def _from_text(type_name: str, text: str) -> Any:  # noqa: ANN401 - left as it came where it does not fit
    converters: dict[str, Callable[[str], Any]] = {
        "integer": int,
        "long": int,
        "float": float,
        "double": float,
        "boolean": lambda word: {"true": True, "false": False}.get(word.lower(), word),
        "timestamp": _moment,
        "blob": _blob,
    }
    try:
        return converters.get(type_name, str)(text)
    except ValueError:
        return text
