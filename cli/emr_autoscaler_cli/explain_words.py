"""Decisions in words that a tired operator understands: what was done, to which nodes, and what comes next."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from emr_autoscaler.domain.cluster import InstanceGroup, Role
from emr_autoscaler.domain.core_scene import BLOCK_METRICS, YARN_METRICS, CoreEvidence
from emr_autoscaler.domain.decision import Action, Decision, DecisionKind, GroupTarget, Reason, order_in_words
from emr_autoscaler.domain.demand import NEEDED
from emr_autoscaler.domain.fleets import FleetTarget
from emr_autoscaler.domain.interruption import InterruptionEvidence
from emr_autoscaler.domain.metrics import MetricName
from emr_autoscaler.domain.operator_change import standing_change
from emr_autoscaler.domain.record import DecisionRecord, Outcome
from emr_autoscaler.domain.task_scene import TaskEvidence
from emr_autoscaler_cli.output import moment

WHAT: Mapping[Action, str] = {
    Action.HOLD: "nothing was changed",
    Action.SCALE_OUT: "more {nodes} were ordered",
    Action.SCALE_IN: "{nodes} were given back",
    Action.REBALANCE: "{nodes} were moved between groups",
    Action.REPLACE: "a replacement was ordered",
    Action.ALERT: "people were told",
    Action.ANNOUNCE: "the end of the cluster was announced",
    Action.TERMINATE: "the cluster was ended",
    Action.ADD_GROUPS: "task groups, or a task fleet, were created",
}
"""What each action did, where it was carried out."""

BECAME: Mapping[Outcome, str] = {
    Outcome.HELD: "",
    Outcome.INTENDED: "begun; its end is not recorded yet, and the next look finishes it",
    Outcome.DONE: "EMR took the order",
    Outcome.DRY_RUN: "dry run: nothing was ordered, this is what would have been",
    Outcome.FAILED: "EMR refused, nothing was changed, and it is tried again",
    Outcome.UNKNOWN: "not known whether EMR took the order",
}

CAUSES: Mapping[str, str] = {
    "due": "a look was due",
    "enrolled": "the cluster was enrolled, its policy changed, or a pause ended",
    "enrolment": "the cluster was enrolled, or its policy changed",
    "resumed": "emr-autoscaler resume",
    "lost intent": "an order whose end nobody recorded",
    "changed by others": "somebody else resized a group, or a group runs again",
    "automatic scaling policy": "a group got or lost an automatic scaling policy",
    "policy": "the policy was read",
}

NODES: Mapping[DecisionKind, str] = {DecisionKind.TASK: "task nodes", DecisionKind.CORE: "core nodes"}

MEANINGS: Mapping[MetricName, str] = {
    MetricName.IS_IDLE: "1: nothing ran when sampled",
    MetricName.APPS_RUNNING: "applications that run",
    MetricName.APPS_PENDING: "applications that wait",
    MetricName.CONTAINER_ALLOCATED: "containers that run",
    MetricName.CONTAINER_PENDING: "containers that wait for memory",
    MetricName.MEMORY_TOTAL_MIB: "YARN memory, MiB",
    MetricName.MEMORY_ALLOCATED_MIB: "of it in use, MiB",
    MetricName.MEMORY_AVAILABLE_MIB: "of it free, MiB",
    MetricName.YARN_MEMORY_AVAILABLE_PERCENTAGE: "of it free, percent",
    MetricName.CORE_NODES_RUNNING: "core nodes that run",
    MetricName.TASK_NODES_RUNNING: "task nodes that run",
    MetricName.HDFS_UTILIZATION_PERCENT: "HDFS in use, percent",
    MetricName.MISSING_BLOCKS: "HDFS blocks without any copy",
    MetricName.CORRUPT_BLOCKS: "HDFS blocks whose copies are all corrupt",
    MetricName.UNDER_REPLICATED_BLOCKS: "HDFS blocks with too few copies",
}
"""What a metric says, in few words."""

NAMES_SHOWN = 6


def what_was_done(record: DecisionRecord) -> str:
    """Return what was done in a few words, and what became of it where that is not the same."""
    decision = record.decision
    done = WHAT[decision.action].format(nodes=NODES.get(decision.kind, "nodes"))
    if record.outcome is Outcome.FAILED:
        return f"{done} (refused by EMR)" if record.error else f"{done} (not really: the order never went out)"
    remarks = {Outcome.DRY_RUN: " (dry run: not really)", Outcome.UNKNOWN: " (or not: that is not known)"}
    return f"{done}{remarks.get(record.outcome, '')}"


def what_became(record: DecisionRecord) -> str:
    """Return what became of a decision, EMR's own words included, and how that is known where it is not plain."""
    words = BECAME[record.outcome]
    if record.outcome is Outcome.FAILED and not record.error:
        words = "nothing was changed"
    if record.outcome is Outcome.DONE and not record.decision.changes_something:
        words = "recorded" if record.decision.action is not Action.ADD_GROUPS else "EMR created them"
    parts = (words, record.error, record.note)
    return f"{record.outcome}: {': '.join(part for part in parts if part)}" if words else ""


def cause(trigger: str) -> str:
    """Return why the cluster was looked at just then."""
    for beginning, words in CAUSES.items():
        if trigger == beginning or trigger.startswith(f"{beginning} "):
            return words
    return f"an event, an alarm or a schedule ({trigger})" if trigger else ""


def next_look(decision: Decision) -> str:
    """Return when the cluster is looked at again."""
    at = decision.next_evaluation_at
    if at is None:
        return "with the next alarm or event; nothing is due"
    return f"{moment(at)}, {_length(at - decision.decided_at)} later, or with the next alarm or event"


def orders(record: DecisionRecord) -> Iterator[str]:
    """Yield each order with what it says of single nodes."""
    names = {group.group_id: group_name(group) for group in groups_of(record)}
    for target in record.decision.targets:
        if isinstance(target, FleetTarget):
            yield order_in_words(target)
            continue
        name = names.get(target.group_id, target.group_id)
        yield f"{name}: {target.previous_count} -> {target.count} nodes{_nodes(target)}"


def _nodes(target: GroupTarget) -> str:
    parts = []
    if target.decommission_timeout is not None and target.count < target.previous_count:
        parts.append(f"they drain for up to {_length(target.decommission_timeout)}")
    if target.leave_first:
        parts.append(f"emptiest first: {_list(target.leave_first)}")
    if target.protected:
        parts.append(f"not touched, for they host application masters: {_list(target.protected)}")
    return "".join(f"; {part}" for part in parts)


def groups_of(record: DecisionRecord) -> tuple[InstanceGroup, ...]:
    """Return the groups that a decision saw."""
    evidence = record.evidence
    if isinstance(evidence, TaskEvidence | CoreEvidence | InterruptionEvidence):
        return evidence.groups
    return ()


def group_name(group: InstanceGroup) -> str:
    """Return a group as people tell it from others."""
    market = "on demand" if group.market == "ON_DEMAND" else "spot"
    return f"{group.role} {market} {group.instance_type} ({group.group_id})"


def standing_hold(record: DecisionRecord) -> str:
    """Return whose resize stood when the decision was made, and until when, where the arithmetic does not say."""
    evidence = record.evidence
    told = record.decision.reason is Reason.OPERATOR_RESIZED
    if told or not isinstance(evidence, TaskEvidence | CoreEvidence):
        return ""
    role = Role.TASK if isinstance(evidence, TaskEvidence) else Role.CORE
    hold = evidence.policy.operator_hold
    change = standing_change(evidence.operator_changes, role, now=evidence.now, hold=hold)
    return "" if change is None else f"{change.told()}; it stands until {moment(change.at + hold)}"


def hosts(evidence: TaskEvidence) -> str:
    """Return the task nodes that host application masters, where a probe told of them."""
    known = [
        node.ec2_instance_id
        for node in evidence.nodes
        if node.application_masters and node.ec2_instance_id in evidence.node_groups
    ]
    return _list(tuple(sorted(known)))


def missing_metrics(record: DecisionRecord) -> str:
    """Return which metrics a decision lacked, where it held for that."""
    evidence = record.evidence
    if record.decision.reason is not Reason.METRICS_STALE:
        return ""
    if not isinstance(evidence, TaskEvidence | CoreEvidence):
        return ""
    needed = NEEDED if isinstance(evidence, TaskEvidence) else _CORE_NEEDS
    limit = evidence.policy.metrics_max_age
    found = {name: evidence.metrics.latest(name, now=evidence.now, max_age=limit) for name in needed}
    lacking = [name.value for name, point in found.items() if point is None]
    if not lacking:
        return "none is missing, but they are not of one sample"
    return f"{', '.join(lacking)}: none younger than {_length(limit)}"


_CORE_NEEDS = (MetricName.HDFS_UTILIZATION_PERCENT, *BLOCK_METRICS, *YARN_METRICS)


def last_resizes(evidence: TaskEvidence | CoreEvidence) -> str:
    """Return when the groups were resized last, which cooldowns count from."""
    if isinstance(evidence, CoreEvidence):
        return _ago(evidence.memory.last_resize_at, evidence.now)
    out, back = evidence.memory.last_scale_out_at, evidence.memory.last_scale_in_at
    return "; ".join(f"{word} {_ago(at, evidence.now)}" for word, at in (("out", out), ("in", back)) if at)


def unseen(evidence: TaskEvidence | CoreEvidence) -> str:
    """Return which applications work on nodes unseen by YARN, and whether nodes go all the same."""
    trusted = "; trust_yarn gives nodes back all the same" if evidence.policy.trust_yarn else ""
    return ", ".join(evidence.unseen) + trusted if evidence.unseen else ""


def _ago(at: datetime | None, now: datetime) -> str:
    return "" if at is None else f"{moment(at)} ({_length(now - at)} before)"


def _length(duration: timedelta) -> str:
    seconds = round(duration.total_seconds())
    minute, hour = 60, 3600
    if seconds < 2 * minute:
        return f"{seconds} s"
    if seconds < 2 * hour:
        return f"{round(seconds / minute)} min"
    return f"{seconds / hour:.1f} h"


def _list(ids: tuple[str, ...]) -> str:
    more = len(ids) - NAMES_SHOWN
    return ", ".join(ids[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
