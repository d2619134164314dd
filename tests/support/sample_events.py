"""The samples in events/, which functions each reaches, and events that only just miss a rule."""

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.template import PROJECT

REACHES: Mapping[str, frozenset[str]] = {
    "emr-cluster-state-change": frozenset({"enroll_cluster"}),
    "emr-cluster-terminated": frozenset({"enroll_cluster", "record_costs"}),
    "emr-instance-group-state-change": frozenset({"enroll_cluster"}),
    "emr-instance-fleet-state-change": frozenset({"enroll_cluster"}),
    "emr-instance-fleet-provisioning": frozenset({"handle_interruption"}),
    "emr-instance-fleet-resize": frozenset({"handle_interruption"}),
    "emr-step-status-change": frozenset({"enroll_cluster"}),
    "emr-auto-scaling-policy": frozenset({"enroll_cluster"}),
    "emr-managed-scaling-action": frozenset({"enroll_cluster"}),
    "emr-operator-call": frozenset({"enroll_cluster"}),
    "emr-instance-group-provisioning": frozenset({"handle_interruption"}),
    "emr-instance-group-resize": frozenset({"handle_interruption"}),
    "ec2-spot-interruption-warning": frozenset({"handle_interruption"}),
    "ec2-rebalance-recommendation": frozenset({"handle_interruption"}),
    "health-event": frozenset({"handle_interruption"}),
    "task-alarm": frozenset({"scale_task_groups"}),
    "yarn-snapshot": frozenset({"scale_task_groups"}),
    "core-alarm": frozenset({"resize_core_group"}),
    "idle-alarm": frozenset({"reap_idle_clusters"}),
}
"""By sample: folders of the functions whose rules match it. Schedules and queue messages have no pattern."""

QUEUE_SAMPLES = ("task-evaluation", "core-evaluation")


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """A sample with one thing changed, so that a rule no longer matches.

    Attributes:
        sample: Name of the sample.
        rule: Name of the rule that must not match any more, without the stack's prefix.
        path: Where the change is made.
        value: What stands there instead.
    """

    sample: str
    rule: str
    path: Sequence[str]
    value: Any

    def event(self) -> dict[str, Any]:
        """Return the changed event."""
        event = load(self.sample)
        part = event
        for key in self.path[:-1]:
            part = part[key]
        part[self.path[-1]] = self.value
        return event

    def __str__(self) -> str:
        """Name the case."""
        return f"{self.rule}: {'.'.join(self.path)}={self.value}"


_ALARM = ("detail", "alarmName")
_STATE = ("detail", "state", "value")

NEAR_MISSES = (
    NearMiss(
        sample="emr-cluster-state-change",
        rule="cluster-state-change",
        path=("source",),
        value="aws.elasticmapreduce",
    ),
    NearMiss(
        sample="emr-cluster-state-change",
        rule="cluster-state-change",
        path=("detail-type",),
        value="EMR Cluster State Notification",
    ),
    NearMiss(
        sample="emr-instance-group-state-change",
        rule="instance-group-state-change",
        path=("detail-type",),
        value="EMR Instance Group Status Notification",
    ),
    NearMiss(
        sample="emr-step-status-change",
        rule="step-status-change",
        path=("detail-type",),
        value="EMR Step Status Notification",
    ),
    NearMiss(
        sample="emr-auto-scaling-policy",
        rule="scaling-by-emr",
        path=("detail-type",),
        value="EMR Configuration Error",
    ),
    NearMiss(
        sample="emr-operator-call", rule="operator-call", path=("detail", "eventName"), value="ListInstanceGroups"
    ),
    NearMiss(
        sample="emr-operator-call",
        rule="operator-call",
        path=("detail", "eventSource"),
        value="emr-serverless.amazonaws.com",
    ),
    NearMiss(sample="emr-cluster-terminated", rule="cluster-ended", path=("detail", "state"), value="TERMINATING"),
    NearMiss(
        sample="emr-instance-group-provisioning",
        rule="provisioning-trouble",
        path=("detail-type",),
        value="EMR Instance Group Termination",
    ),
    NearMiss(
        sample="ec2-spot-interruption-warning",
        rule="spot-warning",
        path=("detail-type",),
        value="EC2 Instance State-change Notification",
    ),
    NearMiss(sample="health-event", rule="scheduled-maintenance", path=("detail", "service"), value="RDS"),
    NearMiss(
        sample="health-event",
        rule="scheduled-maintenance",
        path=("detail", "eventTypeCategory"),
        value="accountNotification",
    ),
    NearMiss(sample="task-alarm", rule="task-alarm", path=_STATE, value="INSUFFICIENT_DATA"),
    NearMiss(sample="task-alarm", rule="task-alarm", path=_ALARM, value="emr-autoscaler.errors.sweep-fleet"),
    NearMiss(sample="task-alarm", rule="task-alarm", path=_ALARM, value="other-task-j-1YONHTCP3YZKC-pending"),
    NearMiss(sample="yarn-snapshot", rule="yarn-snapshot", path=("source",), value="aws.emr"),
    NearMiss(sample="yarn-snapshot", rule="yarn-snapshot", path=("detail-type",), value="HDFS Snapshot"),
    NearMiss(sample="core-alarm", rule="core-alarm", path=_STATE, value="INSUFFICIENT_DATA"),
    NearMiss(sample="idle-alarm", rule="idle-alarm", path=_STATE, value="OK"),
)


def load(name: str, *, malformed: bool = False) -> dict[str, Any]:
    """Return a sample event."""
    path = PROJECT / "events" / f"{name}{'.malformed' if malformed else ''}.json"
    event: dict[str, Any] = json.loads(path.read_text())
    return copy.deepcopy(event)
