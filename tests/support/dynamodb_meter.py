"""Counts what calls to DynamoDB cost, by its published rules on item sizes; it stands before a client.

Sizes: names and texts in UTF-8, a number half a byte for each digit and one or two more, lists and maps three
bytes and one for each element. A write takes a unit for each KiB, twice in a transaction, and one for each KiB of
each index that holds the item; a consistent read takes a unit for each 4 KiB, others half.
"""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

READ_STEP = 4096
WRITE_STEP = 1024


def item_bytes(item: Mapping[str, Any]) -> int:
    """Return the size of an item in DynamoDB's own form."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(typed: Mapping[str, Any]) -> int:
    ((kind, value),) = typed.items()
    match kind:
        case "S":
            return len(value.encode())
        case "N":
            digits = value.replace("-", "").replace(".", "").strip("0")
            return math.ceil(len(digits) / 2) + 1 + value.startswith("-")
        case "B":
            return len(bytes(value))
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_bytes(part) for name, part in value.items())
        case "L":
            return 3 + sum(1 + _value_bytes(part) for part in value)
        case _:
            return 1


class MeteredDynamoDB:
    """A client of one table whose calls are counted.

    Attributes:
        calls: By operation.
        read_units: So far.
        write_units: So far, of the table itself.
        index_units: Write units of its indexes so far.
        stored_bytes: Written so far, indexes left out.
        largest_item_bytes: Of any item written.
    """

    def __init__(self, client: Any, definition: Mapping[str, Any]) -> None:
        self._client = client
        indexes = definition.get("GlobalSecondaryIndexes", ())
        self._index_keys = [{key["AttributeName"] for key in index["KeySchema"]} for index in indexes]
        self.reset()

    def reset(self) -> None:
        """Count from nothing."""
        self.calls: Counter[str] = Counter()
        self.read_units = self.write_units = self.index_units = 0.0
        self.stored_bytes = self.largest_item_bytes = 0

    def __getattr__(self, operation: str) -> Any:
        method = getattr(self._client, operation)

        def call(**request: Any) -> Any:
            self.calls[operation] += 1
            answer = method(**request)
            getattr(self, f"_count_{operation}")(request, answer)
            return answer

        return call

    def _count_get_item(self, _request: Any, answer: Any) -> None:
        self.read_units += max(1, math.ceil(item_bytes(answer.get("Item", {})) / READ_STEP))

    def _count_query(self, request: Any, answer: Any) -> None:
        units = max(1, math.ceil(sum(map(item_bytes, answer["Items"])) / READ_STEP))
        self.read_units += units if request.get("ConsistentRead") else units / 2

    def _count_put_item(self, request: Any, _answer: Any) -> None:
        self._written(request["Item"], times=1)

    def _count_batch_write_item(self, request: Any, _answer: Any) -> None:
        for writes in request["RequestItems"].values():
            for write in writes:
                self._written(write["PutRequest"]["Item"], times=1)

    def _count_transact_write_items(self, request: Any, _answer: Any) -> None:
        for action in request["TransactItems"]:
            if "Put" in action:
                self._written(action["Put"]["Item"], times=2)
            else:
                self.write_units += 2

    def _written(self, item: Mapping[str, Any], *, times: int) -> None:
        size = item_bytes(item)
        self.stored_bytes += size
        self.largest_item_bytes = max(self.largest_item_bytes, size)
        units = math.ceil(size / WRITE_STEP)
        self.write_units += times * units
        self.index_units += sum(units for keys in self._index_keys if keys <= item.keys())
