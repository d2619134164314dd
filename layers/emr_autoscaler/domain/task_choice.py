"""Which counts the wants of a cluster lead to, and why; orders are made of them in task_capacity.py.

Nodes are bought when the present ones would need longer than the objective allows. They are given
back when everything that runs or waits fits on fewer; a few of many only once that has lasted.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from emr_autoscaler.domain.decision import Reason
from emr_autoscaler.domain.demand import Demand
from emr_autoscaler.domain.leaving_nodes import (
    PlacementBounds,
    are_hosts_untold,
    master_hosts,
    place_fewer_keeping,
)
from emr_autoscaler.domain.memory import TaskMemory, WantedCapacity
from emr_autoscaler.domain.placement import capacity_mib, place_more, why_no_more
from emr_autoscaler.domain.resuming import draining_nodes, resume_draining
from emr_autoscaler.domain.spot_exchange import EXCHANGE_RESTS, keeps_leaving
from emr_autoscaler.domain.task_scene import Scene
from emr_autoscaler.domain.tuning import LARGE_SURPLUS, LARGER_THAN_A_NODE, LEAST_GROWTH, tuning_of
from emr_autoscaler.domain.want import Want


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Counts by group, and why.

    Attributes:
        reason: Exactly one.
        counts: By group id; the scene's base where nothing changes.
        retry_at: When what stands in the way is over.
        told: What else is to be said of it, in words.
    """

    reason: Reason
    counts: Mapping[str, int]
    retry_at: datetime | None = None
    told: str = ""


def choose_without_demand(scene: Scene, reason: Reason) -> Choice:
    """Choose where nothing is known of the work: only the minimum is filled."""
    return _reach_minimum(scene) or Choice(reason=reason, counts=scene.base)


def choose(scene: Scene, demand: Demand, want: Want) -> Choice:
    """Choose where the work is known."""
    return _scale_out(scene, want) or _scale_in(scene, demand, want)


def remember_need(scene: Scene, demand: Demand, want: Want) -> tuple[WantedCapacity, ...]:
    """Return the recent needs with this look's, at most what stands: more was not needed, but wanted."""
    seen = WantedCapacity(at=demand.at, mib=min(want.needed_mib, capacity_mib(scene.slots, scene.base)))
    unhurried = tuning_of(scene.evidence.policy)
    longest = max(unhurried.surplus_waits, unhurried.hold)
    recent = [
        w
        for w in scene.memory.wanted
        if w.at != demand.at and demand.at - longest <= w.at <= scene.evidence.now and w.mib > seen.mib
    ]
    return (*recent, seen)


def fewest_nodes(scene: Scene, keep_mib: float = 0.0, *, keep_masters: bool = False) -> int:
    """Return how few nodes could be left with this memory, hosts of application masters kept or not."""
    return sum(_place_fewer(scene, keep_mib, keep_masters=keep_masters).values())


def _place_more(scene: Scene, wanted_mib: float, max_nodes: int) -> dict[str, int]:
    leaving = keeps_leaving(scene)
    found = draining_nodes(scene.usable, scene.evidence.memory.lost)
    draining = {group_id: 0 if group_id in leaving else count for group_id, count in found.items()}
    slots = resume_draining(
        scene.slots,
        draining,
        wanted_mib=wanted_mib,
        min_nodes=scene.min_nodes,
        max_nodes=max_nodes,
        limits=scene.limits,
    )
    return place_more(
        slots,
        wanted_mib=wanted_mib,
        min_nodes=scene.min_nodes,
        max_nodes=max_nodes,
        on_demand_min_nodes=scene.evidence.policy.on_demand_min_nodes,
        limits=scene.limits,
    )


def _place_fewer(scene: Scene, keep_mib: float, *, keep_masters: bool = True) -> dict[str, int]:
    evidence = scene.evidence
    if keep_masters and are_hosts_untold(evidence.nodes, evidence.memory.pushed, evidence.now):
        return scene.base
    bounds = PlacementBounds(
        wanted_mib=keep_mib,
        min_nodes=scene.min_nodes,
        max_nodes=scene.max_nodes,
        on_demand_min_nodes=evidence.policy.on_demand_min_nodes,
        limits=scene.limits,
    )
    hosts = master_hosts(evidence.nodes, evidence.node_groups) if keep_masters else {}
    return place_fewer_keeping(scene.slots, hosts, bounds)


def _reach_minimum(scene: Scene) -> Choice | None:
    """Fill the minimum, which needs no metrics."""
    counts = _place_more(scene, 0.0, scene.room_nodes)
    if sum(counts.values()) <= scene.nodes:
        return None
    scheduled = scene.scheduled_nodes > scene.evidence.policy.min_nodes
    return Choice(reason=Reason.SCHEDULED_MINIMUM if scheduled else Reason.BELOW_MINIMUM, counts=counts)


def _scale_out(scene: Scene, want: Want) -> Choice | None:
    """Choose more nodes, or hold where more are wanted and may not be had; None where none are wanted."""
    policy, now = scene.evidence.policy, scene.evidence.now
    wanted, present = want.wanted_mib, capacity_mib(scene.slots, scene.base)
    limit = scene.room_nodes
    if policy.max_step_nodes is not None:
        limit = min(limit, max(scene.nodes + policy.max_step_nodes, scene.min_nodes))
    counts = _place_more(scene, wanted, limit)
    if sum(counts.values()) > scene.nodes:
        minimum = _reach_minimum(scene)
        if minimum is not None and sum(minimum.counts.values()) >= sum(counts.values()):
            return minimum
        if wanted < present * (1 + LEAST_GROWTH) and not want.is_everything:
            return minimum or Choice(reason=Reason.CHANGE_TOO_SMALL, counts=scene.base)
        ready_at = _ready_to_grow(scene)
        if ready_at is not None and ready_at > now:
            return minimum or Choice(reason=Reason.COOLDOWN, counts=scene.base, retry_at=ready_at)
        return Choice(reason=Reason.DEMAND_ABOVE_CAPACITY, counts=counts)
    if present >= wanted or scene.is_above_maximum or scene.is_above_cap:
        return None
    reason = why_no_more(scene.slots, max_nodes=scene.room_nodes, limits=scene.limits)
    return Choice(reason=reason, counts=scene.base)


def _scale_in(scene: Scene, demand: Demand, want: Want) -> Choice:
    """Choose fewer nodes, or hold and say why."""
    policy, now = scene.evidence.policy, scene.evidence.now
    hold, surplus_waits = want.tuning.hold, want.tuning.surplus_waits
    above = scene.is_above_maximum or scene.is_above_cap
    why_above = Reason.ABOVE_MAXIMUM if scene.is_above_maximum else Reason.ABOVE_MONEY_CAP
    needed = _needed_since(scene, want, demand.at - hold)
    counts = _place_fewer(scene, needed)
    if scene.nodes - sum(counts.values()) < LARGE_SURPLUS * scene.nodes:
        lasting = _needed_since(scene, want, demand.at - max(hold, surplus_waits))
        counts = counts if lasting == needed else _place_fewer(scene, lasting)
    if sum(counts.values()) >= scene.nodes:
        return Choice(reason=_why_held(scene, demand, want), counts=scene.base)
    if scene.evidence.is_work_unseen:
        # Only the bounds, which hold whatever works where, are a reason to end work that nobody counts.
        counts = _place_fewer(scene, math.inf) if above else scene.base
        return Choice(reason=why_above if above else Reason.WORK_NOT_VISIBLE_TO_YARN, counts=counts)
    expected_until = None if above else scene.evidence.steps.held_until(now)
    if expected_until is not None:
        return Choice(reason=Reason.STEP_EXPECTED, counts=scene.base, retry_at=expected_until)
    ready_at = _cooled(_last_resize(scene.memory), policy.scale_in_cooldown)
    if ready_at is None or ready_at <= now:
        return Choice(reason=why_above if above else Reason.DEMAND_BELOW_CAPACITY, counts=counts)
    if above:
        # Nothing is a reason to stay above the maximum, only not to go further than it.
        return Choice(reason=why_above, counts=_place_fewer(scene, math.inf))
    return Choice(reason=Reason.COOLDOWN, counts=scene.base, retry_at=ready_at)


def _needed_since(scene: Scene, want: Want, since: datetime) -> float:
    return max([want.needed_mib, *(w.mib for w in scene.memory.wanted if w.at >= since)])


def _why_held(scene: Scene, demand: Demand, want: Want) -> Reason:
    if demand.pending_containers > 0:
        return Reason.CONTAINERS_LARGER_THAN_NODES if _fits_no_node(scene, demand) else Reason.DRAINS_BEFORE_HELP
    lasting = _needed_since(scene, want, demand.at - max(want.tuning.hold, want.tuning.surplus_waits))
    if _keeps_hosts(scene) and sum(_place_fewer(scene, lasting, keep_masters=False).values()) < scene.nodes:
        return Reason.HOSTS_APPLICATION_MASTERS
    if sum(_place_fewer(scene, want.needed_mib).values()) < scene.nodes:
        return Reason.RECENT_DEMAND
    return Reason.AT_MINIMUM if scene.nodes <= scene.min_nodes else Reason.DEMAND_MET


def _fits_no_node(scene: Scene, demand: Demand) -> bool:
    """Whether a container that waits is on average larger than any task node, whatever is not known of these."""
    if any(group.fleet_id for group in scene.usable):
        return False  # a slot of a fleet is a step of it, and no node
    largest_mib = max(slot.node_mib for slot in scene.slots)
    return demand.pending_mib > LARGER_THAN_A_NODE * largest_mib * demand.pending_containers


def _keeps_hosts(scene: Scene) -> bool:
    """Whether a node may have to stay for what runs on it, and not for its memory."""
    evidence = scene.evidence
    untold = are_hosts_untold(evidence.nodes, evidence.memory.pushed, evidence.now)
    return untold or bool(master_hosts(evidence.nodes, evidence.node_groups))


def _last_resize(memory: TaskMemory) -> datetime | None:
    return max(filter(None, (memory.last_scale_out_at, memory.last_scale_in_at)), default=None)


def _ready_to_grow(scene: Scene) -> datetime | None:
    """Return when more may be bought: an exchange is not undone by the next look, even without a cooldown."""
    memory = scene.memory
    waits = (
        _cooled(_last_resize(memory), scene.evidence.policy.scale_out_cooldown),
        _cooled(memory.exchanged_at, EXCHANGE_RESTS),
    )
    return max(filter(None, waits), default=None)


def _cooled(last: datetime | None, cooldown: timedelta) -> datetime | None:
    return None if last is None else last + cooldown
