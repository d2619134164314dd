"""What use cases may rely on of notifications and evaluation requests, in memory and on SNS and SQS."""

from datetime import timedelta

import pytest
from tests.support.samples import T0

from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.ports import Notification
from emr_simulator.inprocess.messages_out import EvaluationRequest


def test_a_notification_arrives_whole(backend):
    notification = Notification(
        subject="Cluster j-1: IDLE_ANNOUNCED",
        body="It has been idle for an hour.\nTag it to keep it.",
        attributes={"kind": "IDLE", "reason": "IDLE_ANNOUNCED", "cluster_id": "j-1"},
    )

    told_as = [backend.notifier.notify(notification) for _ in range(2)]

    assert backend.sent() == [notification] * 2
    assert all(told_as)
    assert len(set(told_as)) == 2


def test_an_evaluation_request_arrives_in_the_queue_of_its_kind(backend):
    backend.queue.request("j-1", DecisionKind.TASK, now=T0, cause="sweep")

    assert backend.queued(DecisionKind.TASK) == [
        EvaluationRequest(cluster_id="j-1", kind=DecisionKind.TASK, requested_at=T0, cause="sweep")
    ]
    assert backend.queued(DecisionKind.CORE) == []


def test_requests_of_one_minute_are_one(backend):
    for seconds in (0, 1, 59):
        backend.queue.request("j-1", DecisionKind.CORE, now=T0 + timedelta(seconds=seconds), cause="alarm")

    assert len(backend.queued(DecisionKind.CORE)) == 1


def test_requests_of_other_minutes_clusters_and_kinds_stand_for_themselves(backend):
    backend.queue.request("j-1", DecisionKind.TASK, now=T0, cause="alarm")
    backend.queue.request("j-1", DecisionKind.TASK, now=T0 + timedelta(minutes=1), cause="alarm")
    backend.queue.request("j-2", DecisionKind.TASK, now=T0, cause="alarm")
    backend.queue.request("j-1", DecisionKind.CORE, now=T0, cause="alarm")

    requests = [(r.cluster_id, r.requested_at) for r in backend.queued(DecisionKind.TASK)]
    assert sorted(requests) == [("j-1", T0), ("j-1", T0 + timedelta(minutes=1)), ("j-2", T0)]


def test_only_capacity_can_be_asked_for(backend):
    with pytest.raises(ValueError, match="no evaluation queue takes"):
        backend.queue.request("j-1", DecisionKind.IDLE, now=T0, cause="sweep")
