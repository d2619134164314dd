"""How many core nodes a cluster should have. Core nodes hold HDFS blocks: out in time, in with great care."""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from emr_autoscaler.domain import core_fleet
from emr_autoscaler.domain.cluster import InstanceGroup, Role
from emr_autoscaler.domain.core_scene import (
    CoreEvidence,
    block_trouble,
    low_for_long,
    numbers,
    used_fraction,
    yarn_trouble,
)
from emr_autoscaler.domain.decision import Action, Decision, DecisionKind, GroupTarget, Reason
from emr_autoscaler.domain.memory import CoreMemory
from emr_autoscaler.domain.operator_change import OperatorChange, standing_change

ASSUMED_REPLICATION = 3
"""Taken where no configuration states dfs.replication: EMR's largest default, so never too low."""

SOON = timedelta(minutes=1)
LATER = timedelta(minutes=5)


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
    used = used_fraction(evidence)
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
    """Decide as on a group, with the steps of the core fleet in its nodes' place."""
    verdict = _decide_core_group(core_fleet.in_steps(evidence))
    decision, memory = core_fleet.in_units(evidence, verdict.decision, verdict.memory)
    return CoreVerdict(decision=decision, memory=memory)


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
    used = used_fraction(evidence)
    if isinstance(used, Reason) or used <= evidence.policy.hdfs_high:
        return _hold(evidence, Reason.RESIZING, after=SOON)
    wanted = max(group.running_count, _wanted(evidence, replace(group, requested_count=group.running_count), used))
    count = min(wanted, evidence.policy.max_nodes)
    if count <= group.requested_count:
        return _hold(evidence, Reason.AT_MAXIMUM, after=LATER, used=used)
    return _order(evidence, group, count, Reason.HDFS_ABOVE_HIGH, used)


def _guard(evidence: CoreEvidence, group: InstanceGroup | None) -> Reason | None:
    guard = evidence.find_guard(enabled=evidence.policy.enabled)
    if guard is not None:
        return guard
    unavailable = group is None or not group.state.may_be_resized
    checks = (
        (group is not None and group.has_own_scaling, Reason.MANAGED_ELSEWHERE),
        (unavailable, Reason.GROUPS_UNAVAILABLE),
        (_standing_change(evidence) is not None, Reason.OPERATOR_RESIZED),
        (group is not None and group.is_resizing, Reason.RESIZING),
    )
    return next((reason for applies, reason in checks if applies), None)


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
    blocks, yarn = block_trouble(evidence), yarn_trouble(evidence)
    checks = (
        (count < policy.min_nodes, Reason.AT_MINIMUM, None),
        (count < floor, Reason.REPLICATION_FLOOR, None),
        (bool(evidence.unseen) and not policy.trust_yarn, Reason.WORK_NOT_VISIBLE_TO_YARN, None),
        (grown_up_at > evidence.now, Reason.TOO_YOUNG, grown_up_at - evidence.now),
        (used * group.requested_count >= policy.hdfs_target * count, Reason.HDFS_WOULD_FILL, LATER),
        (blocks is not None, blocks, LATER),
        (not low_for_long(evidence), Reason.HDFS_IN_RANGE, LATER),
        (yarn is not None, yarn, LATER),
        (ready_at is not None, Reason.COOLDOWN, ready_at - evidence.now if ready_at else None),
    )
    for applies, reason, after in checks:
        if applies and reason is not None:
            return _hold(evidence, reason, after=after, used=used)
    return _order(evidence, group, count, Reason.HDFS_BELOW_LOW, used)


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
        detail="" if used is None else numbers(evidence, reason, used),
        next_evaluation_at=next_at,
    )
    return CoreVerdict(decision=decision, memory=replace(evidence.memory, next_evaluation_at=next_at))
