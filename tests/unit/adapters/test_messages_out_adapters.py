"""What SNS and SQS are sent: subjects they accept, keys that group and deduplicate."""

from datetime import timedelta
from typing import Any

import pytest
from tests.support.samples import T0

from emr_autoscaler.adapters.evaluation_queue import SqsEvaluationQueue
from emr_autoscaler.adapters.notifier import SnsNotifier
from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.ports import Notification


class Recorder:
    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []

    def publish(self, **request: Any) -> dict[str, str]:
        self.requests.append(request)
        return {"MessageId": f"message-{len(self.requests)}"}

    send_message = publish


@pytest.mark.parametrize(
    ("subject", "published"),
    [
        ("short", "short"),
        ("x" * 101, "x" * 100),
        ("two\nlines\tand tabs", "two lines and tabs"),
        ("Käse für 5 €", "K?se f?r 5 ?"),
    ],
)
def test_a_subject_is_made_fit_for_sns(subject, published):
    client = Recorder()

    SnsNotifier(client, "arn:topic").notify(Notification(subject=subject, body="Käse\n€"))

    assert client.requests[0]["Subject"] == published
    assert client.requests[0]["Message"] == "Käse\n€"


def test_attributes_become_string_attributes_and_empty_ones_are_left_out():
    client = Recorder()

    SnsNotifier(client, "arn:topic").notify(
        Notification(subject="s", body="b", attributes={"kind": "IDLE", "policy": ""})
    )

    assert client.requests[0]["MessageAttributes"] == {"kind": {"DataType": "String", "StringValue": "IDLE"}}


def test_an_evaluation_request_is_grouped_by_cluster_and_deduplicated_by_minute():
    client = Recorder()
    queue = SqsEvaluationQueue(client, {DecisionKind.TASK: "https://task"})

    queue.request("j-1", DecisionKind.TASK, now=T0 + timedelta(seconds=42), cause="sweep")

    assert client.requests == [
        {
            "QueueUrl": "https://task",
            "MessageBody": '{"cluster_id": "j-1", "kind": "TASK", '
            '"requested_at": "2026-10-05T13:00:42Z", "cause": "sweep"}',
            "MessageGroupId": "j-1",
            "MessageDeduplicationId": "j-1-TASK-20261005T1300Z",
        }
    ]
