"""Which event is read by which model: the one place to add an event."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from emr_autoscaler.domain.errors import InvalidEventError
from emr_autoscaler.messages.alarm_events import AlarmStateChange, ScheduledTick
from emr_autoscaler.messages.ec2_events import HealthEvent, RebalanceRecommendation, SpotWarning
from emr_autoscaler.messages.emr_events import (
    ClusterStateChange,
    InstanceFleetCapacity,
    InstanceFleetStateChange,
    InstanceGroupCapacity,
    InstanceGroupStateChange,
    StepStatusChange,
)
from emr_autoscaler.messages.envelope import Detail, Envelope
from emr_autoscaler.messages.operator_events import AutoScalingPolicyChange, EmrCall, ManagedScalingAction
from emr_autoscaler.messages.probe_events import YarnSnapshot

PROBE = "emr-autoscaler.probe"
"""Source of what the probe on a cluster sends; the cluster's role may put events of this source."""

MODELS: Mapping[tuple[str, str], type[Detail]] = MappingProxyType(
    {
        ("aws.emr", "EMR Cluster State Change"): ClusterStateChange,
        ("aws.emr", "EMR Instance Group State Change"): InstanceGroupStateChange,
        ("aws.emr", "EMR Instance Fleet State Change"): InstanceFleetStateChange,
        ("aws.emr", "EMR Instance Fleet Provisioning"): InstanceFleetCapacity,
        ("aws.emr", "EMR Instance Fleet Resize"): InstanceFleetCapacity,
        ("aws.emr", "EMR Instance Group Provisioning"): InstanceGroupCapacity,
        ("aws.emr", "EMR Instance Group Resize"): InstanceGroupCapacity,
        ("aws.emr", "EMR Step Status Change"): StepStatusChange,
        ("aws.emr", "EMR Auto Scaling Policy State Change"): AutoScalingPolicyChange,
        ("aws.emr", "EMR Managed Scaling Action"): ManagedScalingAction,
        ("aws.elasticmapreduce", "AWS API Call via CloudTrail"): EmrCall,
        ("aws.ec2", "EC2 Spot Instance Interruption Warning"): SpotWarning,
        ("aws.ec2", "EC2 Instance Rebalance Recommendation"): RebalanceRecommendation,
        ("aws.health", "AWS Health Event"): HealthEvent,
        ("aws.cloudwatch", "CloudWatch Alarm State Change"): AlarmStateChange,
        ("aws.events", "Scheduled Event"): ScheduledTick,
        (PROBE, "YARN Snapshot"): YarnSnapshot,
    }
)
"""Each has a sample in events/ of the same meaning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event that was understood.

    Attributes:
        id: EventBridge's id; the same event delivered again has the same.
        time: When it happened.
        detail: What happened.
    """

    id: str
    time: datetime
    detail: Detail


def read_event(raw: Mapping[str, Any]) -> Event | None:
    """Read an event.

    Returns:
        The event; None for one of a kind that nobody here asked for: count it and go on.

    Raises:
        InvalidEventError: The kind is known and the event cannot be read; names the field.
    """
    model = MODELS.get((str(raw.get("source")), str(raw.get("detail-type"))))
    if model is None:
        return None
    try:
        envelope = Envelope.model_validate(raw)
        detail = model.model_validate(envelope.detail)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(step) for step in problem['loc']) or 'event'}: {problem['msg']}"
            for problem in error.errors()
        )
        msg = f"malformed {raw.get('detail-type')} event {raw.get('id')}: {problems}"
        raise InvalidEventError(msg) from error
    return Event(id=envelope.id, time=envelope.time, detail=detail)
