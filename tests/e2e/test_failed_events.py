"""Malformed events end whole where somebody sees them, and hold up nobody else."""

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.support.rehearsal import Rehearsal
from tests.support.sample_events import load

from emr_autoscaler.domain.decision import DecisionKind
from emr_simulator.local_aws import count_messages, drain_queues, take_messages

FIFO = {"TASK": "TaskEvaluationQueueUrl", "CORE": "CoreEvaluationQueueUrl"}
MALFORMED = {
    "enroll_cluster": "emr-cluster-state-change",
    "scale_task_groups": "task-alarm",
    "handle_interruption": "ec2-spot-interruption-warning",
    "sweep_fleet": "scheduled-event",
}
"""One malformed sample for each kind of source; the unit tests refuse all the others."""

DEAD = {"TASK": "TaskEvaluationDeadLetterQueueUrl", "CORE": "CoreEvaluationDeadLetterQueueUrl"}


def alarms_on(rehearsal: Rehearsal, output: str) -> list[dict[str, Any]]:
    """Return the alarms that watch a queue."""
    queue = rehearsal.stack.outputs[output].rpartition("/")[2]
    found = rehearsal.stack.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return [a for a in found if {"Name": "QueueName", "Value": queue} in a["Dimensions"]]


def test_malformed_events_lie_whole_in_the_queue_of_failed_events(rehearsal: Rehearsal) -> None:
    function = rehearsal.stack.function_name
    sent = {function(verb): load(sample, malformed=True) for verb, sample in MALFORMED.items()}
    for name, event in sent.items():
        rehearsal.driver.invoke(name, event, wait=False)
    messages = take_messages(rehearsal.stack, "FailedEventsQueueUrl", at_least=len(sent), timeout_seconds=90)
    letters = {
        letter["requestContext"]["functionArn"].rpartition(":")[2]: letter
        for letter in (json.loads(message["Body"]) for message in messages)
    }
    assert {name: letter["requestPayload"] for name, letter in letters.items()} == sent
    assert all("malformed" in letter["responsePayload"]["errorMessage"] for letter in letters.values())


@pytest.mark.parametrize("output", ["FailedEventsQueueUrl", "UndeliveredEventsQueueUrl", *DEAD.values()])
def test_an_alarm_stands_on_every_queue_of_dead_letters(rehearsal: Rehearsal, output: str) -> None:
    (alarm,) = alarms_on(rehearsal, output)
    assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert alarm["AlarmActions"] == [rehearsal.stack.outputs["NotificationTopicArn"]]


@pytest.mark.parametrize("queue", ["TASK", "CORE"])
def test_a_malformed_evaluation_is_redelivered_then_kept_and_holds_up_no_other_cluster(
    rehearsal: Rehearsal, queue: str
) -> None:
    cluster_id = rehearsal.run_cluster(task=1)
    drain_queues(rehearsal.stack)
    rehearsal.pass_time(timedelta(minutes=1))  # evaluations of one minute are one
    kind = DecisionKind(queue)
    before = len(rehearsal.decisions(cluster_id, kind))
    body = json.dumps({"kind": queue, "cause": "a body that names no cluster"})
    rehearsal.stack.aws.client("sqs").send_message(
        QueueUrl=rehearsal.stack.outputs[FIFO[queue]],
        MessageBody=body,
        MessageGroupId="nobody",
        MessageDeduplicationId=f"nobody-{queue}-{cluster_id}",
    )
    rehearsal.request_evaluation(cluster_id, kind, cause="a test")
    (letter,) = take_messages(rehearsal.stack, DEAD[queue])
    drain_queues(rehearsal.stack)
    assert letter["Body"] == body
    assert int(letter["Attributes"]["ApproximateReceiveCount"]) > 5
    assert len(rehearsal.decisions(cluster_id, kind)) == before + 1
    assert count_messages(rehearsal.stack, "FailedEventsQueueUrl") == 0
