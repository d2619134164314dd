"""How many core nodes a cluster should have. Core nodes hold HDFS blocks: out in time, in with great care."""

import math
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from emr_autoscaler.domain.cluster import ClusterState, InstanceGroup, Role
from emr_autoscaler.domain.decision import Action, Decision, DecisionKind, GroupTarget, Reason
from emr_autoscaler.domain.fleet_steps import core_order_of, core_policy_in_steps, fleet_of, in_words, whole_of
from emr_autoscaler.domain.fleets import InstanceFleet
from emr_autoscaler.domain.memory import CoreMemory
from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName, MetricPoint
from emr_autoscaler.domain.operator_change import OperatorChange, standing_change
from emr_autoscaler.domain.policy import CorePolicy

ASSUMED_REPLICATION = 3
"""Taken where no configuration states dfs.replication: EMR's largest default, so never too low."""

LOW_SAMPLES = 3
"""A shrink needs this many samples in a row below the low mark, and YARN quiet in as many."""

YARN_METRICS = (MetricName.CONTAINER_PENDING, MetricName.YARN_MEMORY_AVAILABLE_PERCENTAGE)
"""What tells whether the containers of a core node are needed."""

BLOCK_METRICS = (
    MetricName.MISSING_BLOCKS,
    MetricName.CORRUPT_BLOCKS,
    MetricName.UNDER_REPLICATED_BLOCKS,
)

SOON = timedelta(minutes=1)
LATER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreEvidence:
    """Everything the decision sees.

    Attributes:
        now: The time of the decision.
        cluster_id: j-...
        state: State of the cluster.
        is_paused: Suspended by its tag.
        has_managed_scaling: EMR's own managed scaling is on.
        uses_fleets: The cluster has fleets, not groups.
        groups: All instance groups as last seen.
        fleets: All instance fleets as last seen, where the cluster has them.
        dfs_replication: Where a configuration states it.
        metrics: Recent HDFS metrics.
        policy: The core section of the policy.
        memory: What earlier decisions left behind.
        operator_changes: Resizes of the cluster's groups that somebody else ordered lately.
        created_at: When the cluster was made; None in evidence of older releases, which did not ask.
    """

    now: datetime
    cluster_id: str
    state: ClusterState
    is_paused: bool = False
    has_managed_scaling: bool = False
    uses_fleets: bool = False
    groups: tuple[InstanceGroup, ...]
    fleets: tuple[InstanceFleet, ...] = ()
    dfs_replication: int | None = None
    metrics: ClusterMetrics
    policy: CorePolicy
    memory: CoreMemory = field(default_factory=CoreMemory)
    created_at: datetime | None = None
    operator_changes: tuple[OperatorChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreVerdict:
    """The decision, and what to remember once it is carried out (or held)."""

    decision: Decision
    memory: CoreMemory


def decide_core_capacity(evidence: CoreEvidence) -> CoreVerdict:
    """Decide the count of a cluster's core group, or the units of its core fleet."""
    return _decide_core_fleet(evidence) if evidence.fleets else _decide_core_group(evidence)


def _decide_core_group(evidence: CoreEvidence) -> CoreVerdict:
    group = next((g for g in evidence.groups if g.role is Role.CORE), None)
    guard = _guard(evidence, group)
    if group is None or guard is not None:
        return _guarded(evidence, group, guard or Reason.GROUPS_UNAVAILABLE)
    used = _used_fraction(evidence)
    least = evidence.policy.min_nodes
    if group.requested_count < least and (isinstance(used, Reason) or _wanted(evidence, group, used) <= least):
        # The minimum needs no metrics: adding nodes endangers no block.
        return _order(evidence, group, least, Reason.BELOW_MINIMUM, None if isinstance(used, Reason) else used)
    if isinstance(used, Reason):
        return _hold(evidence, used, after=LATER)
    if used > evidence.policy.hdfs_high:
        return _scale_out(evidence, group, used)
    if used < evidence.policy.hdfs_low:
        return _scale_in(evidence, group, used)
    return _hold(evidence, Reason.HDFS_IN_RANGE, after=None, used=used)


def _decide_core_fleet(evidence: CoreEvidence) -> CoreVerdict:
    """Decide as on a group, a step of the fleet in a node's place.

    A shrink takes one instance, and nobody can say which: where instances count differently, one
    order might take several, so such a fleet only grows.
    """
    fleet = fleet_of(evidence.fleets, Role.CORE)
    step = 1 if fleet is None else fleet.step_units
    seen = replace(
        evidence,
        uses_fleets=False,
        fleets=(),
        groups=() if fleet is None else (whole_of(fleet),),
        policy=core_policy_in_steps(evidence.policy, step),
    )
    verdict = _decide_core_group(seen)
    decision = verdict.decision
    if fleet is None or not decision.targets:
        return verdict
    if decision.action is Action.SCALE_IN and not fleet.has_one_size:
        used = _used_fraction(evidence)
        return _hold(
            evidence, Reason.FLEET_ONLY_GROWS, after=LATER, used=None if isinstance(used, Reason) else used
        )
    order = core_order_of(fleet, decision.targets[0].count)
    detail = f"{decision.detail} ({in_words(fleet)})"
    return replace(verdict, decision=replace(decision, targets=(order,), detail=detail))


def _standing_change(evidence: CoreEvidence) -> OperatorChange | None:
    hold = evidence.policy.operator_hold
    return standing_change(evidence.operator_changes, Role.CORE, now=evidence.now, hold=hold)


def _hold_for_operator(evidence: CoreEvidence, change: OperatorChange) -> CoreVerdict:
    """Leave the count as somebody else ordered it, whatever HDFS and the bounds say."""
    until = change.at + evidence.policy.operator_hold
    verdict = _hold(evidence, Reason.OPERATOR_RESIZED, after=until - evidence.now)
    detail = f"{change.told()}; it stands until {until:%H:%M} UTC"
    return replace(verdict, decision=replace(verdict.decision, detail=detail))


def _guarded(evidence: CoreEvidence, group: InstanceGroup | None, guard: Reason) -> CoreVerdict:
    change = _standing_change(evidence)
    if guard is Reason.OPERATOR_RESIZED and change is not None:
        return _hold_for_operator(evidence, change)
    if guard is Reason.RESIZING and group is not None and group.requested_count < group.running_count:
        return _recall(evidence, group)
    return _hold(evidence, guard, after={Reason.GROUPS_UNAVAILABLE: LATER, Reason.RESIZING: SOON}.get(guard))


def _recall(evidence: CoreEvidence, group: InstanceGroup) -> CoreVerdict:
    """Let a shrink go on, or take it back where HDFS has filled up since: it might take hours, or never end."""
    used = _used_fraction(evidence)
    if isinstance(used, Reason) or used <= evidence.policy.hdfs_high:
        return _hold(evidence, Reason.RESIZING, after=SOON)
    wanted = max(group.running_count, _wanted(evidence, replace(group, requested_count=group.running_count), used))
    count = min(wanted, evidence.policy.max_nodes)
    if count <= group.requested_count:
        return _hold(evidence, Reason.AT_MAXIMUM, after=LATER, used=used)
    return _order(evidence, group, count, Reason.HDFS_ABOVE_HIGH, used)


def _guard(evidence: CoreEvidence, group: InstanceGroup | None) -> Reason | None:
    unavailable = group is None or not group.state.may_be_resized
    checks = (
        (not evidence.policy.enabled, Reason.DISABLED),
        (evidence.is_paused, Reason.PAUSED),
        (not evidence.state.is_ready, Reason.CLUSTER_NOT_READY),
        (evidence.has_managed_scaling, Reason.MANAGED_ELSEWHERE),
        (evidence.uses_fleets, Reason.USES_FLEETS),
        (group is not None and group.has_own_scaling, Reason.MANAGED_ELSEWHERE),
        (unavailable, Reason.GROUPS_UNAVAILABLE),
        (_standing_change(evidence) is not None, Reason.OPERATOR_RESIZED),
        (group is not None and group.is_resizing, Reason.RESIZING),
    )
    return next((reason for applies, reason in checks if applies), None)


def _used_fraction(evidence: CoreEvidence) -> float | Reason:
    point = evidence.metrics.latest(
        MetricName.HDFS_UTILIZATION_PERCENT, now=evidence.now, max_age=evidence.policy.metrics_max_age
    )
    if point is None:
        return Reason.METRICS_STALE
    if not math.isfinite(point.value) or not 0 <= point.value <= 100:  # noqa: PLR2004 (a percentage)
        return Reason.METRICS_ABSURD
    return point.value / 100


def _scale_out(evidence: CoreEvidence, group: InstanceGroup, used: float) -> CoreVerdict:
    """Add as many nodes as bring HDFS back to its target, within the bounds."""
    count = min(max(_wanted(evidence, group, used), group.requested_count + 1), evidence.policy.max_nodes)
    if count <= group.requested_count:
        return _hold(evidence, Reason.AT_MAXIMUM, after=LATER, used=used)
    ready_at = _cooled_at(evidence)
    if ready_at is not None:
        return _hold(evidence, Reason.COOLDOWN, after=ready_at - evidence.now, used=used)
    return _order(evidence, group, count, Reason.HDFS_ABOVE_HIGH, used)


def _wanted(evidence: CoreEvidence, group: InstanceGroup, used: float) -> int:
    """Return the nodes that bring HDFS back to its target; none more where it is not above its high mark."""
    if used <= evidence.policy.hdfs_high:
        return group.requested_count
    return math.ceil(group.requested_count * used / evidence.policy.hdfs_target)


def _scale_in(evidence: CoreEvidence, group: InstanceGroup, used: float) -> CoreVerdict:
    """Take one node away where every rule that protects the data allows it."""
    policy, count = evidence.policy, group.requested_count - 1
    floor = evidence.dfs_replication or ASSUMED_REPLICATION
    ready_at = _cooled_at(evidence)
    grown_up_at = evidence.now if evidence.created_at is None else evidence.created_at + policy.min_age
    blocks, yarn = _block_trouble(evidence), _yarn_trouble(evidence)
    checks = (
        (count < policy.min_nodes, Reason.AT_MINIMUM, None),
        (count < floor, Reason.REPLICATION_FLOOR, None),
        (grown_up_at > evidence.now, Reason.TOO_YOUNG, grown_up_at - evidence.now),
        (used * group.requested_count >= policy.hdfs_target * count, Reason.HDFS_WOULD_FILL, LATER),
        (blocks is not None, blocks, LATER),
        (not _low_for_long(evidence), Reason.HDFS_IN_RANGE, LATER),
        (yarn is not None, yarn, LATER),
        (ready_at is not None, Reason.COOLDOWN, ready_at - evidence.now if ready_at else None),
    )
    for applies, reason, after in checks:
        if applies and reason is not None:
            return _hold(evidence, reason, after=after, used=used)
    return _order(evidence, group, count, Reason.HDFS_BELOW_LOW, used)


def _block_trouble(evidence: CoreEvidence) -> Reason | None:
    """Return why blocks forbid a shrink: any that are missing, corrupt or under-replicated, or unknown."""
    for name in BLOCK_METRICS:
        point = evidence.metrics.latest(name, now=evidence.now, max_age=evidence.policy.metrics_max_age)
        if point is None:
            return Reason.METRICS_STALE
        if point.value != 0:
            return Reason.HDFS_UNHEALTHY
    return None


def _yarn_trouble(evidence: CoreEvidence) -> Reason | None:
    """Return why YARN forbids a shrink: its containers need the node, or nobody knows.

    A cluster where nothing is published of YARN is not known to be quiet.
    """
    for name in YARN_METRICS:
        if evidence.metrics.latest(name, now=evidence.now, max_age=evidence.policy.metrics_max_age) is None:
            return Reason.METRICS_STALE
    pending, free = (_newest(evidence, name) for name in YARN_METRICS)
    quiet = all(p.value == 0 for p in pending) and all(p.value >= evidence.policy.yarn_free_percent for p in free)
    return None if quiet else Reason.YARN_BUSY


def _low_for_long(evidence: CoreEvidence) -> bool:
    newest = _newest(evidence, MetricName.HDFS_UTILIZATION_PERCENT)
    return len(newest) == LOW_SAMPLES and all(p.value / 100 < evidence.policy.hdfs_low for p in newest)


def _newest(evidence: CoreEvidence, name: MetricName) -> tuple[MetricPoint, ...]:
    """Return the newest samples of a metric that a shrink is judged by, at most LOW_SAMPLES."""
    window = evidence.policy.metrics_max_age + LOW_SAMPLES * evidence.metrics.period
    return evidence.metrics.since(name, evidence.now - window)[-LOW_SAMPLES:]


def _cooled_at(evidence: CoreEvidence) -> datetime | None:
    """Return when the cooldown ends, or None where it has."""
    last = evidence.memory.last_resize_at
    ready_at = None if last is None else last + evidence.policy.cooldown
    return ready_at if ready_at is not None and ready_at > evidence.now else None


def _order(
    evidence: CoreEvidence, group: InstanceGroup, count: int, reason: Reason, used: float | None
) -> CoreVerdict:
    shrinks = count < group.requested_count
    full = "unknown how" if used is None else f"{used:.0%}"
    target = GroupTarget(
        group_id=group.group_id,
        count=count,
        previous_count=group.requested_count,
        decommission_timeout=evidence.policy.decommission_timeout if shrinks else None,
    )
    decision = Decision(
        kind=DecisionKind.CORE,
        cluster_id=evidence.cluster_id,
        decided_at=evidence.now,
        action=Action.SCALE_IN if shrinks else Action.SCALE_OUT,
        reason=reason,
        targets=(target,),
        detail=f"HDFS {full} full on {group.requested_count} core nodes -> {count}",
        next_evaluation_at=evidence.now + LATER,
    )
    memory = replace(evidence.memory, last_resize_at=evidence.now, next_evaluation_at=decision.next_evaluation_at)
    return CoreVerdict(decision=decision, memory=memory)


def _hold(
    evidence: CoreEvidence, reason: Reason, *, after: timedelta | None, used: float | None = None
) -> CoreVerdict:
    next_at = None if after is None else evidence.now + max(after, SOON)
    decision = Decision(
        kind=DecisionKind.CORE,
        cluster_id=evidence.cluster_id,
        decided_at=evidence.now,
        action=Action.HOLD,
        reason=reason,
        detail="" if used is None else f"HDFS {used:.0%} full",
        next_evaluation_at=next_at,
    )
    return CoreVerdict(decision=decision, memory=replace(evidence.memory, next_evaluation_at=next_at))
