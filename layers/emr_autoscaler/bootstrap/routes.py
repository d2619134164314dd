"""Which use case answers which event, one route for each function. The in-process simulator uses them, too."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from emr_autoscaler.bootstrap.use_cases import UseCases
from emr_autoscaler.domain.record import DecisionRecord
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
from emr_autoscaler.messages.evaluations import EvaluationRequest
from emr_autoscaler.messages.events import Event
from emr_autoscaler.messages.operator_events import AutoScalingPolicyChange, EmrCall, ManagedScalingAction
from emr_autoscaler.messages.probe_events import YarnSnapshot
from emr_autoscaler.usecases.follow_groups import Resize

Report = dict[str, Any]
Route = Callable[[Event, UseCases, str], Report]
MessageRoute = Callable[[EvaluationRequest, UseCases, str], Report]

FULL_SWEEP_EVERY_MINUTES = 5

PRICES_AT = (3, 20)
"""Hour and minute, UTC: published prices change rarely; a missing one is looked up when it is needed."""

WAIT_FOR_LEASE = timedelta(seconds=4)
"""Task and core evaluations of one cluster are often queued together, in two queues: the later one waits for
the other rather than fail and come again after the visibility timeout. A batch of ten fits in a timeout."""


def enroll_cluster(event: Event, use_cases: UseCases, trigger: str) -> Report:
    """Cluster, instance group and instance fleet changes, and what others do to either."""
    del trigger
    match event.detail:
        case ClusterStateChange(cluster_id=cluster_id, state=state):
            entry = use_cases.enroll_cluster(cluster_id)
            return {"cluster_id": cluster_id, "state": state, "enrolled": entry is not None}
        case InstanceGroupStateChange() | InstanceFleetStateChange() as change:
            known = _note_capacity_state(event, change, use_cases)
            return {"cluster_id": change.cluster_id, "state": change.state, "enrolled": known}
        case StepStatusChange(cluster_id=cluster_id, step_id=step_id, state=state):
            known = use_cases.follow_steps(cluster_id, step_id, state, at=event.time)
            return {"cluster_id": cluster_id, "step": step_id, "state": state, "enrolled": known}
        case AutoScalingPolicyChange(cluster_id=cluster_id) as policy:
            attached = policy.is_attached
            known = use_cases.follow_groups.note_own_scaling(cluster_id, policy.group_id, attached=attached)
            return {"cluster_id": cluster_id, "state": policy.state, "enrolled": known}
        case ManagedScalingAction(cluster_id=cluster_id):
            known = use_cases.follow_groups.note_managed_scaling(cluster_id)
            if known:
                use_cases.enroll_cluster(cluster_id)  # EMR has the last word, and the alarms go
            return {"cluster_id": cluster_id, "enrolled": known}
    return _note_call(event.detail, use_cases) if isinstance(event.detail, EmrCall) else _not_for_us(event)


def _note_call(call: EmrCall, use_cases: UseCases) -> Report:
    """Somebody's call to EMR: what this system calls itself, and what EMR refused, is nobody else's doing."""
    ours = call.identity.role_name in use_cases.ports.own_role_names
    if ours or call.has_failed:
        return {"ours": ours, "ignored": call.name}
    if call.is_resize:
        resizes = [Resize(group_id=group_id, count=count) for group_id, count in call.resizes]
        noted = [
            use_cases.follow_groups.note_resizes(cluster_id, resizes, by=call.identity.who, at=call.called_at)
            for cluster_id in call.cluster_ids or ("",)
            if resizes
        ]
        return {"call": call.name, "enrolled": any(noted)}
    seen = [cluster_id for cluster_id in call.cluster_ids if _concerns_us(call, cluster_id, use_cases)]
    for cluster_id in seen:
        use_cases.enroll_cluster(cluster_id)
    return {"call": call.name, "enrolled": bool(seen)}


def _concerns_us(call: EmrCall, cluster_id: str, use_cases: UseCases) -> bool:
    return call.touches_own_tags or use_cases.ports.registry.get(cluster_id) is not None


def _note_capacity_state(
    event: Event, change: InstanceGroupStateChange | InstanceFleetStateChange, use_cases: UseCases
) -> bool:
    follow, cluster_id = use_cases.follow_groups, change.cluster_id
    if isinstance(change, InstanceGroupStateChange):
        return follow.note_group(cluster_id, change.to_group(), at=event.time)
    told = follow.note_fleet(cluster_id, change.fleet_id, change.apply_to, at=event.time)
    return use_cases.enroll_cluster(cluster_id) is not None if told is None else told


def scale_task_groups(event: Event, use_cases: UseCases, trigger: str) -> Report:
    """Alarms on a cluster's YARN metrics, and snapshots of YARN that its probe pushed."""
    match event.detail:
        case YarnSnapshot(cluster_id=cluster_id) as told:
            answer = use_cases.answer_snapshot(cluster_id, told.to_snapshot(), trigger=trigger)
            made = _told([answer.record], repeated=answer.repeated)
            return {"cluster_id": cluster_id, "snapshot": str(answer.heed), **made}
        case AlarmStateChange(cluster_id=cluster_id):
            record = use_cases.scale_task_groups.now_or_queued(cluster_id, trigger=trigger)
            return {"cluster_id": cluster_id, **_told([record])}
    return _not_for_us(event)


def evaluate_task_groups(request: EvaluationRequest, use_cases: UseCases, trigger: str) -> Report:
    """Evaluations of task capacity that were asked for."""
    answer = use_cases.scale_task_groups.answer(request.cluster_id, trigger=trigger, wait=WAIT_FOR_LEASE)
    made = _told([answer.record], repeated=answer.repeated)
    return {"cluster_id": request.cluster_id, "cause": request.cause, **made}


def resize_core_group(event: Event, use_cases: UseCases, trigger: str) -> Report:
    """Alarms on a cluster's HDFS metrics."""
    match event.detail:
        case AlarmStateChange(cluster_id=cluster_id):
            record = use_cases.resize_core_group.now_or_queued(cluster_id, trigger=trigger)
            return {"cluster_id": cluster_id, **_told([record])}
    return _not_for_us(event)


def evaluate_core_group(request: EvaluationRequest, use_cases: UseCases, trigger: str) -> Report:
    """Evaluations of core capacity that were asked for."""
    answer = use_cases.resize_core_group.answer(request.cluster_id, trigger=trigger, wait=WAIT_FOR_LEASE)
    made = _told([answer.record], repeated=answer.repeated)
    return {"cluster_id": request.cluster_id, "cause": request.cause, **made}


def handle_interruption(event: Event, use_cases: UseCases, trigger: str) -> Report:
    """Warnings, recommendations, dry pools and maintenance."""
    answer = use_cases.handle_interruption
    match event.detail:
        case SpotWarning(ec2_instance_id=instance_id):
            record = answer.answer_warning(instance_id, warned_at=event.time, trigger=trigger)
            return {"ec2_instance_id": instance_id, "ours": record is not None, **_told([record])}
        case RebalanceRecommendation(ec2_instance_id=instance_id):
            return {"ec2_instance_id": instance_id, "ours": answer.note_rebalance(instance_id)}
        case InstanceGroupCapacity() | InstanceFleetCapacity() as told:
            return _note_capacity(told, use_cases, trigger)
        case HealthEvent(service="EC2", category="scheduledChange") as health:
            return {"alerted": answer.note_maintenance(health.ec2_instance_ids, trigger=trigger)}
    return _not_for_us(event)


def _note_capacity(
    told: InstanceGroupCapacity | InstanceFleetCapacity, use_cases: UseCases, trigger: str
) -> Report:
    """Capacity that could not be had; anything else EMR tells of provisioning is ignored."""
    answer, report = use_cases.cool_pools, {"cluster_id": told.cluster_id}
    if told.is_spot_quota:
        return {**report, "ours": answer.note_spot_quota(told.cluster_id, trigger=trigger)}
    if not told.is_insufficient_capacity:
        return {**report, "ignored": told.event_code}
    if isinstance(told, InstanceFleetCapacity):
        ours = answer.note_fleet_shortage(told.cluster_id, told.fleet_id, trigger=trigger)
    else:
        ours = answer.note_insufficient_capacity(told.cluster_id, told.group_id, trigger=trigger)
    return {**report, "ours": ours}


def reap_idle_clusters(event: Event, use_cases: UseCases, trigger: str) -> Report:
    """The schedule looks at all clusters, an alarm at its own."""
    match event.detail:
        case AlarmStateChange(cluster_id=cluster_id):
            records = use_cases.reap_idle_clusters([cluster_id], trigger=trigger)
            return {"cluster_id": cluster_id, **_told(records)}
        case ScheduledTick():
            return _told(use_cases.reap_idle_clusters(trigger=trigger))
    return _not_for_us(event)


def record_costs(event: Event, use_cases: UseCases, trigger: str) -> Report:
    """The schedule records all clusters, an ended cluster its last hours."""
    del trigger
    match event.detail:
        case ClusterStateChange(cluster_id=cluster_id):
            use_cases.enroll_cluster(cluster_id)  # the end may be news here before it is there
            return {"cluster_id": cluster_id, "hours": len(use_cases.record_costs([cluster_id]))}
        case ScheduledTick():
            try:
                hours = len(use_cases.record_costs())
            finally:  # one cluster's trouble is no reason to stop watching budgets
                budgets = use_cases.check_budgets()
            return {"hours": hours, "budgets_reached": sum(bool(state.reached) for state in budgets)}
    return _not_for_us(event)


def refresh_prices(event: Event, use_cases: UseCases, trigger: str) -> Report:
    """The schedule: the market every five minutes, every published price once a day."""
    del trigger
    if isinstance(event.detail, ScheduledTick):
        daily = (event.time.hour, event.time.minute) == PRICES_AT
        changed = len(use_cases.refresh_prices()) if daily else 0
        return {"changed": changed, "watched": use_cases.watch_market()}
    return _not_for_us(event)


def publish_statements(event: Event, use_cases: UseCases, trigger: str) -> Report:
    """The schedule: what the bill proves first, then the export and the statements."""
    del trigger
    if isinstance(event.detail, ScheduledTick):
        reconciled = use_cases.reconcile_costs()
        published = use_cases.publish_statements()
        return {
            "reconciled": reconciled.hours,
            "files": len(published.files),
            "closed_month": published.closed_month,
            "statements": published.statements,
        }
    return _not_for_us(event)


def sweep_fleet(event: Event, use_cases: UseCases, trigger: str) -> Report:
    """The schedule: what is due every minute, everything every five."""
    del trigger
    if isinstance(event.detail, ScheduledTick):
        report = use_cases.sweep_fleet(full=event.time.minute % FULL_SWEEP_EVERY_MINUTES == 0)
        return {name: getattr(report, name) for name in report.__slots__}
    return _not_for_us(event)


def _told(records: Iterable[DecisionRecord | None], *, repeated: bool = False) -> Report:
    """Say what was decided, in words that are the same everywhere.

    Args:
        records: What was decided.
        repeated: Whether that was said before, of an earlier delivery of the same message.
    """
    made = [record for record in records if record is not None]
    again = {"repeated": True} if repeated else {}
    if not made:
        return {"decided": 0, **again}
    last = made[-1]
    return {
        "decided": len(made),
        "action": str(last.decision.action),
        "reason": str(last.decision.reason),
        "outcome": str(last.outcome),
        **again,
    }


def _not_for_us(event: Event) -> Report:
    return {"ignored": type(event.detail).__name__}
