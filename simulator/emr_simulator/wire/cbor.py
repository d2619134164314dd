"""CBOR (RFC 8949) as far as Smithy's RPC v2 protocol uses it; nothing here knows a service model."""

import struct
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

_EPOCH_TAG = 1
_BREAK = object()
_INDEFINITE = 31
_SIMPLE: Mapping[int, Any] = {20: False, 21: True, 22: None, 23: None}


class CborError(ValueError):
    """Bytes that are not CBOR, or a kind of CBOR that the protocol does not use."""


def decode(data: bytes) -> Any:  # noqa: ANN401 - whatever the bytes say
    """Decode one data item; tag 1 becomes an aware UTC datetime.

    Raises:
        CborError: The bytes are cut short, go on after the item, or use what the protocol does not.
    """
    reader = _Reader(data)
    value = reader.item()
    if reader.position != len(data):
        msg = f"{len(data) - reader.position} bytes follow the data item"
        raise CborError(msg)
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def _take(self, length: int) -> bytes:
        end = self.position + length
        if end > len(self._data):
            msg = f"cut short at byte {len(self._data)}"
            raise CborError(msg)
        taken = self._data[self.position : end]
        self.position = end
        return taken

    def item(self) -> Any:  # noqa: ANN401 - whatever the bytes say
        value = self._item_or_break()
        if value is _BREAK:
            msg = "a break outside of anything of indefinite length"
            raise CborError(msg)
        return value

    def _item_or_break(self) -> Any:  # noqa: ANN401 - whatever the bytes say
        initial = self._take(1)[0]
        major, info = initial >> 5, initial & 0b11111
        if major == 7:  # noqa: PLR2004 - RFC 8949, major type 7
            return self._simple(info)
        argument = self._argument(info)
        readers: dict[int, Callable[[int | None], Any]] = {
            0: _definite,
            1: lambda number: -1 - _definite(number),
            2: lambda length: self._chunks(length, b"".join),
            3: lambda length: self._chunks(length, b"".join).decode("utf-8"),
            4: self._array,
            5: self._map,
            6: self._tagged,
        }
        return readers[major](argument)

    def _argument(self, info: int) -> int | None:
        if info < 24:  # noqa: PLR2004 - RFC 8949, section 3
            return info
        if info <= 27:  # noqa: PLR2004 - RFC 8949, section 3
            return int.from_bytes(self._take(1 << (info - 24)), "big")
        if info == _INDEFINITE:
            return None
        msg = f"additional information {info}"
        raise CborError(msg)

    def _simple(self, info: int) -> Any:  # noqa: ANN401 - whatever the bytes say
        if info in _SIMPLE:
            return _SIMPLE[info]
        if info == _INDEFINITE:
            return _BREAK
        formats = {25: (">e", 2), 26: (">f", 4), 27: (">d", 8)}
        if info not in formats:
            msg = f"simple value {info}"
            raise CborError(msg)
        layout, length = formats[info]
        return struct.unpack(layout, self._take(length))[0]

    def _chunks(self, length: int | None, join: Callable[[list[bytes]], bytes]) -> bytes:
        if length is not None:
            return self._take(length)
        chunks: list[bytes] = []
        while (chunk := self._item_or_break()) is not _BREAK:
            chunks.append(chunk if isinstance(chunk, bytes) else str(chunk).encode("utf-8"))
        return join(chunks)

    def _array(self, length: int | None) -> list[Any]:
        if length is not None:
            return [self.item() for _ in range(length)]
        items: list[Any] = []
        while (item := self._item_or_break()) is not _BREAK:
            items.append(item)
        return items

    def _map(self, length: int | None) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        while length is None or len(result) < length:
            key = self._item_or_break() if length is None else self.item()
            if key is _BREAK:
                break
            result[key] = self.item()
        return result

    def _tagged(self, tag: int | None) -> datetime:
        value = self.item()
        if tag != _EPOCH_TAG or isinstance(value, bool) or not isinstance(value, int | float):
            msg = f"tag {tag}"
            raise CborError(msg)
        return datetime.fromtimestamp(value, UTC)


def _definite(number: int | None) -> int:
    if number is None:
        msg = "a number of indefinite length"
        raise CborError(msg)
    return number


def encode(value: Any) -> bytes:  # noqa: ANN401 - whatever the protocol can say
    """Encode a value; aware datetimes become tag 1 with a double."""
    out = bytearray()
    _write(out, value)
    return bytes(out)


def _write(out: bytearray, value: Any) -> None:  # noqa: ANN401, PLR0911 - one branch per type
    if value is None or isinstance(value, bool):
        out.append({None: 0xF6, False: 0xF4, True: 0xF5}[value])
        return
    if isinstance(value, int):
        _head(out, *((0, value) if value >= 0 else (1, -1 - value)))
        return
    if isinstance(value, float):
        out += b"\xfb" + struct.pack(">d", value)
        return
    if isinstance(value, datetime):
        _head(out, 6, _EPOCH_TAG)
        _write(out, value.timestamp())
        return
    if isinstance(value, bytes):
        _head(out, 2, len(value))
        out += value
        return
    if isinstance(value, str):
        encoded = value.encode("utf-8")
        _head(out, 3, len(encoded))
        out += encoded
        return
    if isinstance(value, list | tuple):
        _head(out, 4, len(value))
        for item in value:
            _write(out, item)
        return
    if isinstance(value, Mapping):
        _head(out, 5, len(value))
        for key, item in value.items():
            _write(out, key)
            _write(out, item)
        return
    msg = f"{type(value).__name__} has no CBOR form here"
    raise CborError(msg)


def _head(out: bytearray, major: int, argument: int) -> None:
    if argument < 24:  # noqa: PLR2004 - RFC 8949, section 3
        out.append(major << 5 | argument)
        return
    for info, length in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << (8 * length):
            out.append(major << 5 | info)
            out += argument.to_bytes(length, "big")
            return
    msg = f"{argument} needs more than 8 bytes"
    raise CborError(msg)
