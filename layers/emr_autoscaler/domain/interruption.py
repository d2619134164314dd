"""What to do when EC2 takes an instance back: order exactly what is lost elsewhere, and cool the pool."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from emr_autoscaler.domain.capacity import yarn_mib_of
from emr_autoscaler.domain.cluster import InstanceGroup, Market, Role
from emr_autoscaler.domain.decision import Action, Decision, DecisionKind, GroupTarget, Reason
from emr_autoscaler.domain.fleet_pools import task_nodes_in_size_of
from emr_autoscaler.domain.fleets import InstanceFleet
from emr_autoscaler.domain.limits import cost_of, limits_of, node_usd, units_of
from emr_autoscaler.domain.market import with_interruption
from emr_autoscaler.domain.memory import LostInstance, PoolHealth, TaskMemory
from emr_autoscaler.domain.node_prices import NO_PRICES, MarketPrices
from emr_autoscaler.domain.placement import place_more, why_no_more
from emr_autoscaler.domain.policy import TaskPolicy
from emr_autoscaler.domain.pool_trouble import is_storm, with_warning
from emr_autoscaler.domain.pools import cool_pool, rank
from emr_autoscaler.domain.resuming import draining_nodes, resume_draining
from emr_autoscaler.domain.slots import Slot

NOTICE = timedelta(minutes=2)
"""EC2's notice before it takes a spot instance."""

SETTLE_AFTER = timedelta(seconds=30)
"""How long after the notice the instance is surely gone from EMR's count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptionEvidence:
    """Everything the decision sees.

    Attributes:
        now: The time of the decision.
        warned_at: When EC2 gave notice.
        cluster_id: j-...
        ec2_instance_id: The warned instance.
        role: Its role in the cluster.
        group_id: Its instance group.
        is_paused: The cluster is suspended by its tag.
        has_managed_scaling: EMR's own managed scaling is on.
        uses_fleets: The cluster has fleets, not groups.
        was_warned: This instance's warning has been answered before.
        groups: All instance groups as last seen.
        fleets: All instance fleets as last seen, where the cluster has them.
        policy: The task section of the policy.
        memory: What earlier decisions left behind.
        pool: Health of the warned instance's own pool.
        pools: Health of the pool of each spot group, by group id.
        prices: What a node of each group costs.
        free_addresses: Free addresses of the cluster's subnet; None where nobody looked.
    """

    now: datetime
    warned_at: datetime
    cluster_id: str
    ec2_instance_id: str
    role: Role
    group_id: str
    is_paused: bool = False
    has_managed_scaling: bool = False
    uses_fleets: bool = False
    was_warned: bool = False
    groups: tuple[InstanceGroup, ...]
    fleets: tuple[InstanceFleet, ...] = ()
    policy: TaskPolicy
    memory: TaskMemory
    pool: PoolHealth
    pools: Mapping[str, PoolHealth] = field(default_factory=dict)
    prices: MarketPrices = NO_PRICES
    free_addresses: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptionVerdict:
    """The decision, what to remember, and the pool's new health."""

    decision: Decision
    memory: TaskMemory
    pool: PoolHealth


def decide_replacement(evidence: InterruptionEvidence) -> InterruptionVerdict:
    """Decide what to order for one warned instance."""
    told_again = bool(evidence.fleets) and evidence.was_warned  # nothing of a fleet is remembered as lost
    if told_again or any(lost.ec2_instance_id == evidence.ec2_instance_id for lost in evidence.memory.lost):
        return _verdict(evidence, Action.HOLD, Reason.ALREADY_REPLACED, pool=evidence.pool)
    cooled = with_interruption(cool_pool(evidence.pool, evidence.now), evidence.now)
    if evidence.role is Role.MASTER:
        return _verdict(evidence, Action.ALERT, Reason.MASTER_INTERRUPTED, pool=cooled)
    if evidence.role is Role.CORE:
        return _verdict(evidence, Action.ALERT, Reason.CORE_INTERRUPTED, pool=cooled)
    guard = _guard(evidence)
    if guard is not None:
        return _verdict(evidence, Action.HOLD, guard, pool=cooled)
    if evidence.fleets:
        # EMR buys the lost units anew among all types of the fleet; what it cannot get is seen by the next look.
        nodes = task_nodes_in_size_of(evidence.fleets, evidence.pool.key.instance_type)
        memory = with_warning(evidence.memory, warned_at=evidence.warned_at, now=evidence.now, task_nodes=nodes)
        memory = replace(memory, next_evaluation_at=_look_again_at(evidence))
        return _verdict(evidence, Action.HOLD, Reason.FLEET_REPLACES, pool=cooled, memory=memory)
    return _replace(evidence, cooled)


def _look_again_at(evidence: InterruptionEvidence) -> datetime:
    """Return when the instance is surely gone; it, or a look due before, is ahead of now all the same."""
    gone_by = evidence.warned_at + NOTICE + SETTLE_AFTER
    return max(min(evidence.memory.next_evaluation_at or gone_by, gone_by), evidence.now + SETTLE_AFTER)


def _guard(evidence: InterruptionEvidence) -> Reason | None:
    checks = (
        (not evidence.policy.enabled, Reason.DISABLED),
        (evidence.is_paused, Reason.PAUSED),
        (evidence.has_managed_scaling, Reason.MANAGED_ELSEWHERE),
        (evidence.uses_fleets and not evidence.fleets, Reason.USES_FLEETS),
    )
    return next((reason for applies, reason in checks if applies), None)


def _replace(evidence: InterruptionEvidence, cooled: PoolHealth) -> InterruptionVerdict:
    """Order the lost memory in the best other group, in whole nodes and never past the maximum."""
    gone_by = evidence.warned_at + NOTICE + SETTLE_AFTER
    lost = LostInstance(
        ec2_instance_id=evidence.ec2_instance_id, group_id=evidence.group_id, gone_by=gone_by, replaced=False
    )
    ordered = sum(g.requested_count for g in evidence.groups if g.role is Role.TASK)
    memory = with_warning(
        evidence.memory,
        warned_at=evidence.warned_at,
        now=evidence.now,
        task_nodes=max(1, ordered),
        pool=cooled.key.instance_type,
        open_pools=_open_pools(evidence, cooled),
    )
    memory = replace(memory, lost=(*memory.lost, lost), next_evaluation_at=_look_again_at(evidence))
    own = next((g for g in evidence.groups if g.group_id == evidence.group_id), None)
    lost_mib = yarn_mib_of(own, learned=memory.node_mib) if own else None
    slots = _slots(evidence, cooled, in_storm=is_storm(memory, evidence.now))
    if lost_mib is None or not slots:
        reason = Reason.GROUPS_UNAVAILABLE if lost_mib is not None else Reason.NO_CAPACITY_KNOWN
        return _verdict(evidence, Action.HOLD, reason, pool=cooled, memory=memory)
    room = evidence.policy.max_nodes - ordered
    if room <= 0:
        return _verdict(evidence, Action.HOLD, Reason.NO_ROOM_FOR_REPLACEMENT, pool=cooled, memory=memory)
    limits = limits_of(
        evidence.policy,
        [g for g in evidence.groups if g.role is Role.TASK],
        mine={slot.group_id: slot.units for slot in slots},
        warned={},
        prices=evidence.prices,
        free_addresses=evidence.free_addresses,
        now=evidence.now,
    )
    limits = replace(limits, spot_share=1.0, min_units=0.0)
    wanted_mib = sum(slot.node_mib * slot.count for slot in slots) + lost_mib
    most = math.ceil(lost_mib / min(slot.node_mib for slot in slots))
    limit = sum(slot.count for slot in slots) + min(room, most)
    draining = draining_nodes(evidence.groups, memory.lost)
    elsewhere = {slot.group_id: draining.get(slot.group_id, 0) for slot in slots if slot.open}
    counts = place_more(
        resume_draining(slots, elsewhere, wanted_mib=wanted_mib, min_nodes=0, max_nodes=limit, limits=limits),
        wanted_mib=wanted_mib,
        min_nodes=0,
        max_nodes=limit,
        on_demand_min_nodes=0,
        limits=limits,
    )
    targets = tuple(
        GroupTarget(group_id=slot.group_id, count=counts[slot.group_id], previous_count=slot.count)
        for slot in slots
        if counts[slot.group_id] > slot.count
    )
    if not targets:
        reason = why_no_more(slots, max_nodes=limit, limits=limits)
        return _verdict(evidence, Action.HOLD, reason, pool=cooled, memory=memory)
    memory = replace(memory, lost=(*evidence.memory.lost, replace(lost, replaced=True)))
    return _verdict(evidence, Action.REPLACE, Reason.TASK_INTERRUPTED, pool=cooled, memory=memory, targets=targets)


def _open_pools(evidence: InterruptionEvidence, cooled: PoolHealth) -> int:
    """Count the spot pools beside the warned instance's own that do not cool."""
    spot = (g for g in evidence.groups if g.role is Role.TASK and g.market is Market.SPOT)
    usable = (g for g in spot if g.state.may_be_resized and not g.has_own_scaling)
    known = {h.key: h for g in usable if (h := evidence.pools.get(g.group_id)) is not None}
    return sum(not h.is_cooling(evidence.now) for key, h in known.items() if key != cooled.key)


def _slots(evidence: InterruptionEvidence, cooled: PoolHealth, *, in_storm: bool) -> tuple[Slot, ...]:
    """Return the groups that may take the replacement: not the warned pool's, and in a storm no spot group."""
    slots = []
    for group in evidence.groups:
        usable = group.role is Role.TASK and group.state.may_be_resized and not group.has_own_scaling
        node_mib = yarn_mib_of(group, learned=evidence.memory.node_mib)
        if not usable or node_mib is None:
            continue
        health = evidence.pools.get(group.group_id)
        same_pool = group.group_id == evidence.group_id or (health is not None and health.key == cooled.key)
        cooling = health is not None and health.is_cooling(evidence.now)
        slots.append(
            Slot(
                group_id=group.group_id,
                market=group.market,
                node_mib=node_mib,
                count=group.requested_count,
                open=group.market is Market.ON_DEMAND or not (same_pool or cooling or in_storm),
                rank=rank(health, evidence.now) if health else 0,
                cost=cost_of(evidence.prices, group, node_mib=node_mib, health=health, now=evidence.now),
                usd_per_hour=node_usd(evidence.prices, group, evidence.now),
                units=units_of(evidence.policy, group.instance_type, node_mib),
                billed=group.running_count,
            )
        )
    return tuple(slots)


def _verdict(
    evidence: InterruptionEvidence,
    action: Action,
    reason: Reason,
    *,
    pool: PoolHealth,
    memory: TaskMemory | None = None,
    targets: tuple[GroupTarget, ...] = (),
) -> InterruptionVerdict:
    memory = memory or evidence.memory
    decision = Decision(
        kind=DecisionKind.INTERRUPTION,
        cluster_id=evidence.cluster_id,
        decided_at=evidence.now,
        action=action,
        reason=reason,
        targets=targets,
        detail=f"{evidence.role} instance {evidence.ec2_instance_id} of group {evidence.group_id} "
        f"was warned at {evidence.warned_at.isoformat()}",
        next_evaluation_at=memory.next_evaluation_at,
    )
    return InterruptionVerdict(decision=decision, memory=memory, pool=pool)
