"""What the operations of every service share: the table of them, pages, and members that are left out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from emr_simulator.errors import ApiError

Parameters = Mapping[str, Any]
"""Parameters of a call, shaped as botocore shapes them."""

Result = dict[str, Any]
"""Result of a call, shaped as botocore shapes it."""

_Item = TypeVar("_Item")


class OperationTable:
    """The operations of one service, by AWS's names."""

    def __init__(self, operations: Mapping[str, Callable[[Parameters], Result]]) -> None:
        self._operations = operations

    @property
    def names(self) -> frozenset[str]:
        """The simulated operations."""
        return frozenset(self._operations)

    def knows(self, operation: str) -> bool:
        """Return whether the operation is simulated."""
        return operation in self._operations

    def call(self, operation: str, parameters: Parameters) -> Result:
        """Run an operation.

        Raises:
            ApiError: AWS would refuse the call.
        """
        return self._operations[operation](parameters)


def page(
    items: Sequence[_Item],
    *,
    name: Callable[[_Item], str],
    after: str | None,
    size: int,
    refusal: Callable[[str], ApiError],
) -> tuple[Sequence[_Item], str | None]:
    """Return one page, and the token of the next one or None.

    The token is the name of the last item seen, so that items that come or go between two calls
    neither repeat nor hide others.

    Raises:
        ApiError: ``after`` is no token; made by ``refusal``.
    """
    start = 0
    if after is not None:
        start = next((number for number, item in enumerate(items, 1) if name(item) == after), 0)
        if start == 0:
            raise refusal(after)
    chosen = items[start : start + size]
    more = start + size < len(items)
    return chosen, name(chosen[-1]) if more else None


def present(**members: Any) -> Result:  # noqa: ANN401 - members of any shape
    """Return the members that are set: AWS leaves out what has no value."""
    return {name: value for name, value in members.items() if value is not None}


def tag_list(tags: Mapping[str, str]) -> list[Result]:
    """Return tags as AWS lists them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tag_map(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return listed tags as a mapping."""
    return {tag["Key"]: tag.get("Value", "") for tag in tags if "Key" in tag}
