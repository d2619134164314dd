"""One DynamoDB table: its calls with AWS errors translated, and times as sort keys; items are the stores'."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Inexact, Rounded
from typing import TYPE_CHECKING, Any, Final

from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from emr_autoscaler.adapters.aws_errors import code_of, domain_errors
from emr_autoscaler.domain.errors import ConflictError, UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

PK: Final = "PK"
SK: Final = "SK"

_WRITES_PER_BATCH = 25  # BatchWriteItem's limit
_READS_PER_BATCH = 100  # BatchGetItem's limit
_BATCH_ATTEMPTS = 5

_CONDITION_FAILED = frozenset({"ConditionalCheckFailedException", "ConditionalCheckFailed"})
_CANCELLED_FOR_NOW = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})

Item = Mapping[str, Any]
"""An item in Python values: str, Decimal, bool, bytes, None, list, dict."""


class Table:
    """A table whose keys are the strings PK and SK."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self.name = name
        self._client = client
        self._serializer = TypeSerializer()
        self._deserializer = TypeDeserializer()

    def get(self, pk: str, sk: str) -> Item | None:
        """Read one item, strongly consistent."""
        with domain_errors():
            answer = self._client.get_item(
                TableName=self.name, Key=self.dump({PK: pk, SK: sk}), ConsistentRead=True
            )
        return self._load(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Item]:
        """Read items by (PK, SK), strongly consistent; those that do not exist are left out.

        Raises:
            UnavailableError: DynamoDB keeps leaving keys unread.
        """
        found: dict[tuple[str, str], Item] = {}
        unique = list(dict.fromkeys(keys))
        for first in range(0, len(unique), _READS_PER_BATCH):
            pending: Any = [self.dump({PK: pk, SK: sk}) for pk, sk in unique[first : first + _READS_PER_BATCH]]
            for _ in range(_BATCH_ATTEMPTS):
                with domain_errors():
                    answer = self._client.batch_get_item(
                        RequestItems={self.name: {"Keys": pending, "ConsistentRead": True}}
                    )
                for raw in answer["Responses"].get(self.name, ()):
                    item = self._load(raw)
                    found[item[PK], item[SK]] = item
                unread = answer["UnprocessedKeys"]
                if self.name not in unread:
                    break
                pending = unread[self.name]["Keys"]
            else:
                msg = f"table {self.name} leaves reads unprocessed; repeat the invocation"
                raise UnavailableError(msg)
        return found

    def put(self, item: Item, *, condition: str = "", values: Mapping[str, Any] | None = None) -> None:
        """Write a whole item.

        Args:
            item: With PK and SK.
            condition: A condition expression that must hold on what is stored.
            values: The condition's placeholders (``:name``).

        Raises:
            ConflictError: The condition does not hold.
        """
        with _conditional(f"{item[PK]} {item[SK]}"):
            self._client.put_item(**self._put(item, condition, values))

    def put_action(
        self, item: Item, *, condition: str = "", values: Mapping[str, Any] | None = None
    ) -> "TransactWriteItemTypeDef":
        """Build what ``put`` does as one action of a transaction."""
        return {"Put": self._put(item, condition, values)}

    def check_action(self, pk: str, sk: str, *, condition: str) -> "TransactWriteItemTypeDef":
        """Build a condition on an item that a transaction does not write."""
        return {
            "ConditionCheck": {
                "TableName": self.name,
                "Key": self.dump({PK: pk, SK: sk}),
                "ConditionExpression": condition,
            }
        }

    def put_many(self, items: Sequence[Item]) -> None:
        """Write items without conditions; of two with the same key the later wins.

        Raises:
            UnavailableError: DynamoDB keeps leaving items unwritten.
        """
        unique = list({(item[PK], item[SK]): item for item in items}.values())
        for first in range(0, len(unique), _WRITES_PER_BATCH):
            batch = unique[first : first + _WRITES_PER_BATCH]
            pending: Any = [{"PutRequest": {"Item": self.dump(i)}} for i in batch]
            for _ in range(_BATCH_ATTEMPTS):
                with domain_errors():
                    answer = self._client.batch_write_item(RequestItems={self.name: pending})
                unwritten = answer["UnprocessedItems"]
                if self.name not in unwritten:
                    break
                pending = unwritten[self.name]
            else:
                msg = f"table {self.name} leaves writes unprocessed; repeat the invocation"
                raise UnavailableError(msg)

    def delete(self, pk: str, sk: str, *, condition: str, values: Mapping[str, Any]) -> None:
        """Delete one item. Raises ConflictError where the condition does not hold."""
        with _conditional(f"{pk} {sk}"):
            self._client.delete_item(
                TableName=self.name,
                Key=self.dump({PK: pk, SK: sk}),
                ConditionExpression=condition,
                ExpressionAttributeValues=self.dump(values),
            )

    def query(
        self,
        condition: str,
        values: Mapping[str, Any],
        *,
        index: str = "",
        newest_first: bool = False,
        page_size: int | None = None,
    ) -> Iterator[Item]:
        """Read the items of one partition in the order of the sort key, page by page as they are taken.

        Args:
            condition: Key condition expression.
            values: Its placeholders.
            index: A secondary index; without it the read is strongly consistent.
            newest_first: Descending order.
            page_size: Items per call, where the caller stops early.
        """
        request: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": self.dump(values),
            "ScanIndexForward": not newest_first,
        }
        request |= {"IndexName": index} if index else {"ConsistentRead": True}
        if page_size is not None:
            request["Limit"] = page_size
        while True:
            with domain_errors():
                answer = self._client.query(**request)
            for raw in answer["Items"]:
                yield self._load(raw)
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def transact(self, actions: "Sequence[TransactWriteItemTypeDef]", *, subject: str) -> None:
        """Write several items or none.

        Args:
            actions: As TransactWriteItems takes them.
            subject: What is written, for messages.

        Raises:
            ConflictError: A condition does not hold.
            UnavailableError: Another transaction touches one of the items right now.
        """
        with _conditional(subject):
            self._client.transact_write_items(TransactItems=actions)

    def _put(self, item: Item, condition: str, values: Mapping[str, Any] | None) -> Any:  # noqa: ANN401
        request: dict[str, Any] = {"TableName": self.name, "Item": self.dump(item)}
        if condition:
            request["ConditionExpression"] = condition
        if values:
            request["ExpressionAttributeValues"] = self.dump(values)
        return request

    def dump(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Turn Python values into DynamoDB's.

        Raises:
            ValueError: A number has more than the 38 digits DynamoDB keeps: it is never rounded.
        """
        try:
            return {name: self._serializer.serialize(value) for name, value in values.items()}
        except (Inexact, Rounded) as error:
            msg = f"a number among {sorted(values)} has more than 38 digits; DynamoDB would lose some"
            raise ValueError(msg) from error

    def _load(self, raw: Mapping[str, Any]) -> Item:
        values: dict[str, Any] = {name: self._deserializer.deserialize(value) for name, value in raw.items()}
        return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:  # noqa: ANN401  any value of an item
    return value.value if isinstance(value, Binary) else value  # type: ignore[attr-defined]  # not in the stubs


def sortable(at: datetime) -> str:
    """Write a time so that text order is time order, to the microsecond.

    Raises:
        ValueError: The time is naive.
    """
    if at.tzinfo is None:
        msg = f"{at.isoformat()} has no time zone; times are aware UTC"
        raise ValueError(msg)
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@contextmanager
def _conditional(subject: str) -> Iterator[None]:
    """Translate what a failed condition says, alone or in a transaction; the rest is everybody's."""
    with domain_errors():
        try:
            yield
        except ClientError as error:
            response: Any = error.response
            codes = {reason.get("Code") for reason in response.get("CancellationReasons", ())}
            codes.add(code_of(error))
            if codes & _CONDITION_FAILED:
                msg = f"{subject} was changed by somebody else; read it again"
                raise ConflictError(msg) from error
            if codes & _CANCELLED_FOR_NOW:
                msg = f"{subject} is being written by somebody else, or throttled; repeat the invocation"
                raise UnavailableError(msg) from error
            raise
