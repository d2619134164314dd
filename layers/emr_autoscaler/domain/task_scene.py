"""What a task decision stands on: its evidence, and the groups it may act on with what is left of them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from emr_autoscaler.domain import schedules
from emr_autoscaler.domain.capacity import yarn_mib_of
from emr_autoscaler.domain.capacity_evidence import CapacityEvidence
from emr_autoscaler.domain.cluster import InstanceGroup, Market, Role
from emr_autoscaler.domain.decision import Reason
from emr_autoscaler.domain.limits import cost_of, limits_of, node_usd, units_of
from emr_autoscaler.domain.memory import PoolHealth, TaskMemory
from emr_autoscaler.domain.metrics import MetricName
from emr_autoscaler.domain.node_prices import NO_PRICES, MarketPrices
from emr_autoscaler.domain.policy import TaskPolicy
from emr_autoscaler.domain.pool_trouble import Shortage, cooled_pools, find_shortage, is_storm, patience
from emr_autoscaler.domain.pools import FIRST_COOLING, rank
from emr_autoscaler.domain.slots import Limits, Slot, capacity_units, usd_per_hour
from emr_autoscaler.domain.snapshot import NodeLoad
from emr_autoscaler.domain.step_queue import StepQueue

MOST_NODES = 100_000
"""More nodes than any cluster has: a metric that says so is broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEvidence(CapacityEvidence):
    """Everything the decision sees: what every decision on capacity does, and this.

    Attributes:
        policy: The task section of the policy.
        memory: What earlier decisions left behind.
        pools: Health of the pool of each spot group, by group id; of a task fleet's spot side, by its id.
        groups_are_fresh: True where ``groups`` were read from EMR for this very decision.
        prices: What a node of each group costs.
        free_addresses: Free addresses of the cluster's subnet; None where nobody looked.
        launched: Instances EC2 has launched, by id of the groups that were looked at.
        nodes: What runs on each node, of the snapshot that ``metrics`` end with; empty where nobody told.
        node_groups: EC2 id to group id of ``nodes``, or to the market of a fleet, as far as it is known.
        node_units: EC2 id to units of those of them that are of a task fleet of several sizes.
        steps: Steps of the cluster that wait or have just begun.
    """

    policy: TaskPolicy
    memory: TaskMemory = field(default_factory=TaskMemory)
    pools: Mapping[str, PoolHealth] = field(default_factory=dict)
    groups_are_fresh: bool = False
    prices: MarketPrices = NO_PRICES
    free_addresses: int | None = None
    launched: Mapping[str, int] = field(default_factory=dict)
    nodes: tuple[NodeLoad, ...] = ()
    node_groups: Mapping[str, str] = field(default_factory=dict)
    node_units: Mapping[str, int] = field(default_factory=dict)
    steps: StepQueue = field(default_factory=StepQueue)

    @property
    def is_work_unseen(self) -> bool:
        """Whether nodes may work although YARN sees nothing there, so that none is given back for that."""
        return bool(self.unseen) and not self.policy.trust_yarn


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the decision stands on once the guards have passed.

    ``slots`` are the groups that may be resized, with the counts that will be left of what was
    ordered (``base``): without warned instances and without requests that never come.

    Attributes:
        evidence: What the decision sees.
        usable: The groups that may be resized.
        slots: The same groups as placement sees them.
        memory: Memory brought up to date with what is seen.
        min_nodes: Minimum left for these groups, schedules included.
        max_nodes: Maximum left for these groups.
        scheduled_nodes: Minimum of the schedule windows open now.
        elsewhere_mib: YARN memory of core nodes and of task groups that may not be touched.
        warned: Warned instances by group, as far as its order includes them. They stay ordered until
            they are gone: lowering the count earlier could take a healthy neighbour instead.
        limits: What is left for these groups of units, money and addresses.
        cooled: Pools that are cooled because their requests stay unmet.
        unmet: Those requests, by group.
    """

    evidence: TaskEvidence
    usable: tuple[InstanceGroup, ...]
    slots: tuple[Slot, ...]
    memory: TaskMemory
    min_nodes: int
    max_nodes: int
    scheduled_nodes: int
    elsewhere_mib: float
    warned: Mapping[str, int]
    limits: Limits
    cooled: tuple[PoolHealth, ...] = ()
    unmet: Mapping[str, int] = field(default_factory=dict)

    @property
    def base(self) -> dict[str, int]:
        """Nodes by group, before anything is changed."""
        return {slot.group_id: slot.count for slot in self.slots}

    @property
    def nodes(self) -> int:
        """Nodes of all slots, before anything is changed."""
        return sum(slot.count for slot in self.slots)

    @property
    def room_nodes(self) -> int:
        """The most nodes the slots may hold so that, with the warned ones, no order passes the maximum."""
        return self.max_nodes - sum(self.warned.values())

    @property
    def is_settled(self) -> bool:
        """Whether every node that was ordered runs, and none is leaving."""
        return all(group.requested_count == group.running_count for group in self.usable)

    @property
    def is_above_cap(self) -> bool:
        """Whether what is ordered costs more than the cap at current prices."""
        cap = self.limits.max_usd_per_hour
        return cap is not None and self.limits.has_cap and usd_per_hour(self.slots, self.base) > cap

    @property
    def is_above_maximum(self) -> bool:
        """Whether more is ordered than the bounds allow."""
        return self.nodes > self.max_nodes or capacity_units(self.slots, self.base) > self.limits.max_units

    def without_lowering(self) -> "Scene":
        """Return the scene with everything ordered left standing, for a look without data."""
        ordered = {g.group_id: g.requested_count - self.warned[g.group_id] for g in self.usable}
        return replace(self, slots=tuple(replace(s, count=max(s.count, ordered[s.group_id])) for s in self.slots))


def set_scene(evidence: TaskEvidence) -> Scene | Reason:
    """Find the groups that may be acted on and the bounds left for them, or why there is none."""
    groups = tuple(g for g in evidence.groups if g.role is Role.TASK)
    own = tuple(g for g in groups if not g.has_own_scaling)
    usable = tuple(g for g in own if g.state.may_be_resized)
    if not usable:
        return Reason.MANAGED_ELSEWHERE if groups and not own else Reason.GROUPS_UNAVAILABLE
    memory = _remember(evidence, usable)
    shortage = _find_shortage(evidence, usable, memory)
    if shortage.since != memory.spot_short_since:
        memory = replace(memory, spot_short_since=shortage.since)
    slots = tuple(slot for g in usable if (slot := _slot(evidence, g, memory, shortage)) is not None)
    if not slots:
        return Reason.NO_CAPACITY_KNOWN
    policy, placed = evidence.policy, {slot.group_id for slot in slots}
    scheduled = schedules.scheduled_min_nodes(policy.schedules, evidence.now)
    others = [g for g in groups if g.group_id not in placed]
    other_nodes = sum(max(g.requested_count, g.running_count) for g in others)
    serving = [g for g in evidence.groups if g.role is Role.CORE] + others
    mine = tuple(g for g in usable if g.group_id in placed)
    warned = {g.group_id: min(_warned(evidence, g), g.requested_count) for g in mine}
    if any(shortage.unmet.values()):
        memory = replace(memory, owed_mib=0.0)  # what was to take the place of on-demand did not come
    return Scene(
        evidence=evidence,
        usable=mine,
        slots=slots,
        memory=memory,
        min_nodes=max(0, min(max(policy.min_nodes, scheduled), policy.max_nodes) - other_nodes),
        max_nodes=max(0, policy.max_nodes - other_nodes),
        scheduled_nodes=scheduled,
        elsewhere_mib=sum((yarn_mib_of(g, learned=memory.node_mib) or 0) * g.running_count for g in serving),
        warned=warned,
        limits=limits_of(
            policy,
            groups,
            mine={slot.group_id: slot.units for slot in slots},
            warned=warned,
            prices=evidence.prices,
            free_addresses=evidence.free_addresses,
            now=evidence.now,
            spot_is_given_up=shortage.is_given_up,
        ),
        unmet=shortage.unmet,
        cooled=cooled_pools(shortage, evidence.pools, memory, evidence.now),
    )


def _remember(evidence: TaskEvidence, usable: tuple[InstanceGroup, ...]) -> TaskMemory:
    """Bring the memory up to date with what is seen: node size, and since when requests are unmet."""
    now, old = evidence.now, evidence.memory
    stalled_since = now - patience(evidence.policy.fallback_after)
    unmet = {
        g.group_id: max(old.unfulfilled_since.get(g.group_id, now), stalled_since)
        for g in usable
        if g.requested_count > g.running_count
    }
    # A stalled request that was lowered leaves its group closed for a while, or it is ordered again at once.
    resting = {
        g.group_id: since
        for g in usable
        if g.group_id not in unmet
        and (since := old.unfulfilled_since.get(g.group_id)) is not None
        and stalled_since - FIRST_COOLING < since <= stalled_since
    }
    unfulfilled, node_mib = {**unmet, **resting}, learn_node_mib(evidence)
    if (unfulfilled, node_mib) == (old.unfulfilled_since, old.node_mib):
        return old  # most looks: a memory is large, and this is done every ten seconds
    return replace(old, unfulfilled_since=unfulfilled, node_mib=node_mib)


def learn_node_mib(evidence: TaskEvidence) -> float | None:
    """Return the YARN memory per node that one whole sample shows, or what was known before."""
    now, limit = evidence.now, evidence.policy.metrics_max_age
    names = (MetricName.MEMORY_TOTAL_MIB, MetricName.CORE_NODES_RUNNING, MetricName.TASK_NODES_RUNNING)
    points = [evidence.metrics.latest(name, now=now, max_age=limit) for name in names]
    sample = [point for point in points if point is not None]
    believable = all(math.isfinite(point.value) and point.value >= 0 for point in sample)
    if len(sample) < len(names) or len({point.at for point in sample}) > 1 or not believable:
        return evidence.memory.node_mib
    total, core, task = (point.value for point in sample)
    return total / (core + task) if total >= 1 and 1 <= core + task <= MOST_NODES else evidence.memory.node_mib


def _find_shortage(evidence: TaskEvidence, usable: tuple[InstanceGroup, ...], memory: TaskMemory) -> Shortage:
    return find_shortage(
        usable,
        now=evidence.now,
        memory=memory,
        pools=evidence.pools,
        launched=evidence.launched,
        fallback_after=evidence.policy.fallback_after,
    )


def _slot(evidence: TaskEvidence, group: InstanceGroup, memory: TaskMemory, shortage: Shortage) -> Slot | None:
    node_mib = yarn_mib_of(group, learned=memory.node_mib)
    if node_mib is None:
        return None
    health, unmet = evidence.pools.get(group.group_id), shortage.unmet.get(group.group_id, 0)
    closed = bool(unmet) or (health is not None and health.is_cooling(evidence.now))
    if group.market is Market.SPOT:
        closed = closed or _is_resting(evidence, group, memory) or is_storm(memory, evidence.now)
    ordered = group.requested_count - unmet
    return Slot(
        group_id=group.group_id,
        market=group.market,
        node_mib=node_mib,
        count=max(0, ordered - _leaving(evidence, group, stalled=bool(unmet))),
        open=not closed,
        rank=rank(health, evidence.now) if health else 0,
        cost=cost_of(evidence.prices, group, node_mib=node_mib, health=health, now=evidence.now),
        usd_per_hour=node_usd(evidence.prices, group, evidence.now),
        units=units_of(evidence.policy, group.instance_type, node_mib),
        # What the limits count as warned is not counted here: warned nodes, as far as the order includes them.
        billed=max(0, group.running_count - min(_warned(evidence, group), group.requested_count)),
    )


def _is_resting(evidence: TaskEvidence, group: InstanceGroup, memory: TaskMemory) -> bool:
    """Whether a request was stalled here a while ago, where no pool's health remembers it."""
    since = memory.unfulfilled_since.get(group.group_id)
    unmet = group.requested_count > group.running_count and group.group_id in evidence.launched
    return not unmet and since is not None and evidence.now - since >= patience(evidence.policy.fallback_after)


def _leaving(evidence: TaskEvidence, group: InstanceGroup, *, stalled: bool) -> int:
    """Count the warned instances that the group's order still includes.

    Once EMR itself was asked, an instance that is gone shows as a request unmet; where none is unmet
    EMR has already replaced it in the same group, and what is too much leaves as any surplus does.
    """
    lost = [entry for entry in evidence.memory.lost if entry.group_id == group.group_id]
    gone = sum(entry.gone_by <= evidence.now for entry in lost)
    if evidence.groups_are_fresh:
        unmet = 0 if stalled else max(0, group.requested_count - group.running_count)
        gone = min(gone, unmet)
    return gone + _warned(evidence, group)


def _warned(evidence: TaskEvidence, group: InstanceGroup) -> int:
    """Count the group's instances that were warned and are not gone yet."""
    lost = evidence.memory.lost
    return sum(entry.group_id == group.group_id and entry.gone_by > evidence.now for entry in lost)
