"""What the log lines and embedded metrics of a deployed function count when the same is delivered twice."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord
from tests.support.sample_events import load
from tests.support.stories import OPTED_IN, Story, job, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.bootstrap import invocation, routes
from emr_autoscaler.domain.policy import IdlePolicy


class MemoryEvents(BasePersistenceLayer):  # type: ignore[misc]  # Powertools leaves it untyped
    """Powertools' store of handled events, in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, DataRecord] = {}

    def _get_record(self, idempotency_key: str) -> DataRecord:
        if idempotency_key not in self.records:
            raise IdempotencyItemNotFoundError
        return self.records[idempotency_key]

    def _put_record(self, data_record: DataRecord) -> None:
        if data_record.idempotency_key in self.records:
            raise IdempotencyItemAlreadyExistsError
        self.records[data_record.idempotency_key] = data_record

    def _update_record(self, data_record: DataRecord) -> None:
        self.records[data_record.idempotency_key] = data_record

    def _delete_record(self, data_record: DataRecord) -> None:
        del self.records[data_record.idempotency_key]


class Context:
    function_name = "scale"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:scale"
    aws_request_id = "request-1"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 30_000


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Story, str]]:
    """A deployed function in this process; its cluster wants more nodes."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "EmrAutoscaler")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "test")
    story = Story(calm_world(), live(idle=IdlePolicy(enabled=False)))
    cluster_id = story.start(cluster(core=2, spot=1, tags=OPTED_IN))
    story.world.submit_job(cluster_id, job(tasks=40_000))
    story.world.run_for(timedelta(minutes=7))
    events = MemoryEvents()
    monkeypatch.setattr(invocation, "_use_cases", lambda: story.system.use_cases)
    monkeypatch.setattr(invocation, "_event_store", lambda: events)
    for cached in (invocation._logger, invocation._metrics):
        cached.cache_clear()
    yield story, cluster_id
    for cached in (invocation._logger, invocation._metrics):
        cached.cache_clear()


def counted(printed: str) -> Counter[tuple[str, str]]:
    """Return how often each metric was counted for each reason."""
    found: Counter[tuple[str, str]] = Counter()
    for line in printed.splitlines():
        record: dict[str, Any] = json.loads(line)
        for group in record.get("_aws", {}).get("CloudWatchMetrics", ()):
            for metric in group["Metrics"]:
                found[metric["Name"], record["reason"]] += 1
    return found


def test_an_evaluation_that_is_delivered_twice_is_counted_once_and_once_as_repeated(
    busy: tuple[Story, str], capsys: pytest.CaptureFixture[str]
) -> None:
    story, cluster_id = busy
    body = {"cluster_id": cluster_id, "kind": "TASK", "requested_at": story.world.now.isoformat(), "cause": "due"}
    record = {"messageId": "message-1", "body": json.dumps(body), "eventSource": "aws:sqs", "attributes": {}}
    for _ in range(2):
        answer = invocation.answer_messages({"Records": [record]}, Context(), routes.evaluate_task_groups)  # type: ignore[arg-type]
        assert answer == {"batchItemFailures": []}
    reason = "DEMAND_ABOVE_CAPACITY"
    assert counted(capsys.readouterr().out) == {
        ("EvaluationAnswered", reason): 1,
        ("EvaluationRepeated", reason): 1,
    }


def test_an_event_that_is_delivered_twice_is_counted_once_and_once_as_repeated(
    busy: tuple[Story, str], capsys: pytest.CaptureFixture[str]
) -> None:
    _story, cluster_id = busy
    event = json.loads(json.dumps(load("task-alarm")).replace("j-1YONHTCP3YZKC", cluster_id))
    answers = [invocation.answer_event(event, Context(), routes.scale_task_groups) for _ in range(2)]  # type: ignore[arg-type]
    assert answers[0] == answers[1]
    reason = "DEMAND_ABOVE_CAPACITY"
    assert counted(capsys.readouterr().out) == {("EventAnswered", reason): 1, ("EventRepeated", reason): 1}
