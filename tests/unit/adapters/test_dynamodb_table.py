"""How one table answers when DynamoDB throttles, refuses, leaves work undone or would lose digits."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from emr_autoscaler.adapters.dynamodb_table import Table, sortable
from emr_autoscaler.domain.errors import ConflictError, RefusedError, UnavailableError


class ScriptedDynamo:
    """Answers every call with the next of the given answers; an exception is raised."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[dict[str, Any]] = []

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            self.requests.append(request)
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def refusal(code: str, *reasons: str, status: int = 400) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": "said AWS"},
        "ResponseMetadata": {"HTTPStatusCode": status},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    return ClientError(response, "Operation")


def table(*answers: Any) -> tuple[Table, ScriptedDynamo]:
    client = ScriptedDynamo(*answers)
    return Table(client, "state"), client


ITEM = {"PK": "a", "SK": "b"}
ACTIONS = [{"Put": {"TableName": "state", "Item": {}}}]


@pytest.mark.parametrize(
    "error",
    [
        refusal("ProvisionedThroughputExceededException"),
        refusal("ThrottlingException"),
        refusal("InternalServerError", status=500),
        ConnectTimeoutError(endpoint_url="https://dynamodb"),
    ],
)
def test_throttles_and_failures_are_unavailable(error):
    state, _ = table(error)

    with pytest.raises(UnavailableError):
        state.get("a", "b")


def test_a_denied_call_is_refused():
    state, _ = table(refusal("AccessDeniedException"))

    with pytest.raises(RefusedError, match="AccessDeniedException"):
        state.put(ITEM)


def test_a_failed_condition_is_a_conflict_that_names_the_item():
    state, _ = table(refusal("ConditionalCheckFailedException"))

    with pytest.raises(ConflictError, match="a b was changed by somebody else"):
        state.put(ITEM, condition="attribute_not_exists(PK)")


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        (("None", "ConditionalCheckFailed"), ConflictError),
        (("TransactionConflict", "ConditionalCheckFailed"), ConflictError),
        (("TransactionConflict", "None"), UnavailableError),
        (("None", "ThrottlingError"), UnavailableError),
        (("ValidationError", "None"), RefusedError),
    ],
)
def test_a_cancelled_transaction_says_why(reasons, expected):
    state, _ = table(refusal("TransactionCanceledException", *reasons))

    with pytest.raises(expected):
        state.transact(ACTIONS, subject="the hour")


def test_what_a_batch_read_leaves_is_asked_for_again():
    first, second = ({"PK": {"S": name}, "SK": {"S": "s"}} for name in "ab")
    state, client = table(
        {"Responses": {"state": [first]}, "UnprocessedKeys": {"state": {"Keys": [second]}}},
        {"Responses": {"state": [second]}, "UnprocessedKeys": {}},
    )

    found = state.get_many([("a", "s"), ("b", "s"), ("a", "s")])

    assert set(found) == {("a", "s"), ("b", "s")}
    assert len(client.requests[0]["RequestItems"]["state"]["Keys"]) == 2
    assert client.requests[1]["RequestItems"]["state"]["Keys"] == [second]


def test_a_batch_read_that_never_ends_is_unavailable():
    key = {"PK": {"S": "a"}, "SK": {"S": "s"}}
    state, _ = table(*[{"Responses": {}, "UnprocessedKeys": {"state": {"Keys": [key]}}}] * 5)

    with pytest.raises(UnavailableError, match="leaves reads unprocessed"):
        state.get_many([("a", "s")])


def test_what_a_batch_write_leaves_is_written_again():
    left = [{"PutRequest": {"Item": {"PK": {"S": "a"}, "SK": {"S": "b"}}}}]
    state, client = table({"UnprocessedItems": {"state": left}}, {"UnprocessedItems": {}})

    state.put_many([ITEM])

    assert client.requests[1]["RequestItems"] == {"state": left}


def test_a_batch_write_that_never_ends_is_unavailable():
    left = {"UnprocessedItems": {"state": [{"PutRequest": {"Item": {}}}]}}
    state, _ = table(*[left] * 5)

    with pytest.raises(UnavailableError, match="leaves writes unprocessed"):
        state.put_many([ITEM])


def test_a_number_that_would_lose_digits_is_refused():
    state, _ = table()

    with pytest.raises(ValueError, match="more than 38 digits"):
        state.put({**ITEM, "usd": Decimal("1." + "1" * 38)})


def test_a_query_stops_reading_when_its_caller_stops():
    page = {"Items": [{"PK": {"S": "a"}, "SK": {"S": "s"}}], "LastEvaluatedKey": {"PK": {"S": "a"}}}
    state, client = table(page, page, page)

    next(state.query("PK = :pk", {":pk": "a"}))

    assert len(client.requests) == 1


def test_times_sort_as_text():
    early = datetime(2026, 10, 5, 13, 0, tzinfo=UTC)
    times = [early, early + timedelta(microseconds=1), early + timedelta(seconds=1)]

    assert sorted(map(sortable, times)) == [
        "2026-10-05T13:00:00.000000Z",
        "2026-10-05T13:00:00.000001Z",
        "2026-10-05T13:00:01.000000Z",
    ]
    assert sortable(early.astimezone(timezone(timedelta(hours=2)))) == sortable(early)


def test_a_naive_time_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        sortable(datetime(2026, 10, 5))  # noqa: DTZ001  the point
