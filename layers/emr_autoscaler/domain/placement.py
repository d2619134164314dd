"""Where task nodes stand: a wanted amount of memory spread over the cluster's task groups.

What a group costs is said in market.py, what bounds the spread in slots.py, how it is found in ladder.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from emr_autoscaler.domain.cluster import Market
from emr_autoscaler.domain.decision import Reason
from emr_autoscaler.domain.ladder import Bounds, Ladder, Wants
from emr_autoscaler.domain.slots import NO_LIMITS, Limits, Slot, capacity_mib, capacity_units, usd_per_hour

__all__ = ["NO_LIMITS", "Limits", "Slot", "capacity_mib", "has_room", "place_fewer", "place_more", "why_no_more"]

_ALMOST = 1 - 1e-9
"""Sums of memory differ in their last digits by the order they are added in."""


def place_more(
    slots: Sequence[Slot],
    *,
    wanted_mib: float,
    min_nodes: int,
    max_nodes: int,
    on_demand_min_nodes: int,
    limits: Limits = NO_LIMITS,
) -> dict[str, int]:
    """Add nodes until ``wanted_mib``, the minimums and the on-demand floor are met; never take one away.

    The on-demand floor is filled first. Then open spot groups, the cheapest useful hour first, none
    beyond its share; on-demand groups get what ``spot_share`` leaves them, and everything while no
    spot group is open.

    Returns:
        Counts by group id. They stay below the want where a limit or closed pools end it.
    """
    counts = {slot.group_id: slot.count for slot in slots}
    if limits.max_usd_per_hour is not None and limits.prices_missing:
        return counts
    wants = Wants(mib=wanted_mib, nodes=min_nodes, units=limits.min_units)
    if not on_demand_min_nodes and wants.are_met(counts, slots):
        return counts
    payable = limits.max_usd_per_hour is None
    usable = [s for s in slots if s.open and (payable or s.usd_per_hour is not None)]
    return _fill(
        slots,
        usable=usable,
        counts=counts,
        most={},
        wants=wants,
        max_nodes=max_nodes,
        on_demand_min_nodes=on_demand_min_nodes,
        limits=limits,
    )


def place_fewer(
    slots: Sequence[Slot],
    *,
    wanted_mib: float,
    min_nodes: int,
    max_nodes: int,
    on_demand_min_nodes: int,
    limits: Limits = NO_LIMITS,
) -> dict[str, int]:
    """Keep what ``place_more`` would order for ``wanted_mib`` of the nodes there are; never add one.

    So on-demand nodes above their part go first, because they cost most, and spot nodes from the
    costliest or the largest pools. Above the maximum or the cap nodes go even where the want is not met.
    """
    wants = Wants(mib=wanted_mib, nodes=min_nodes, units=limits.min_units)
    none = {slot.group_id: 0 for slot in slots}
    present = {slot.group_id: slot.count for slot in slots}
    if not any(present.values()):
        return none
    if limits.on_demand_max_nodes is not None:  # a bound on what is bought, no reason to give back
        limits = replace(limits, on_demand_max_nodes=None)
    if not _can_spare_one(slots, present, wants) and Bounds(slots, max_nodes, limits, with_billed=False).keep(
        present
    ):
        return present  # most looks end here: there is nothing to climb for
    return _fill(
        slots,
        usable=slots,
        counts=none,
        most=present,
        wants=wants,
        max_nodes=max_nodes,
        on_demand_min_nodes=on_demand_min_nodes,
        limits=limits,
    )


def _can_spare_one(slots: Sequence[Slot], present: Mapping[str, int], wants: Wants) -> bool:
    """Whether the wants may be met without one of the nodes there are: the one that carries least."""
    standing = [slot for slot in slots if slot.count]
    smallest_mib, smallest_units = min(s.node_mib for s in standing), min(s.units for s in standing)
    return (
        sum(present.values()) > wants.nodes
        and capacity_mib(slots, present) - smallest_mib >= wants.mib * _ALMOST
        and capacity_units(slots, present) - smallest_units >= wants.units * _ALMOST
    )


def has_room(slots: Sequence[Slot], *, max_nodes: float, limits: Limits) -> bool:
    """Whether one node more may be ordered in any open group: quickly, because placing takes long."""
    counts = {slot.group_id: slot.count for slot in slots}
    cap, addresses = limits.max_usd_per_hour, limits.free_addresses
    if sum(counts.values()) >= max_nodes or (cap is not None and limits.prices_missing):
        return False
    paid = sum((s.usd_per_hour or Decimal(0)) * max(s.count, s.billed) for s in slots)
    left_units = limits.max_units - capacity_units(slots, counts)
    held = sum(max(0, slot.count - slot.billed) for slot in slots)

    def fits(slot: Slot) -> bool:
        is_new = slot.count >= slot.billed  # a node that drains is paid for and has its address already
        payable = cap is None or (slot.usd_per_hour is not None and paid + slot.usd_per_hour * is_new <= cap)
        return slot.units <= left_units and payable and (addresses is None or held + is_new <= addresses)

    return any(slot.open and fits(slot) for slot in slots)


def why_no_more(slots: Sequence[Slot], *, max_nodes: int, limits: Limits = NO_LIMITS) -> Reason:
    """Return what keeps ``place_more`` from adding another node to what the slots have."""
    counts = {slot.group_id: slot.count for slot in slots}
    cap = limits.max_usd_per_hour
    usable = [slot for slot in slots if slot.open]
    priced = [slot for slot in usable if cap is None or slot.usd_per_hour is not None]
    spent, units = usd_per_hour(slots, counts), capacity_units(slots, counts)
    on_demand = sum(slot.count for slot in slots if slot.market is Market.ON_DEMAND)
    addresses = sum(max(0, slot.count - slot.billed) for slot in slots)
    bounded = limits.on_demand_max_nodes is not None and on_demand >= limits.on_demand_max_nodes
    checks = (
        (cap is not None and (limits.prices_missing or (bool(usable) and not priced)), Reason.PRICES_MISSING),
        (sum(counts.values()) >= max_nodes, Reason.AT_MAXIMUM),
        (limits.free_addresses is not None and addresses >= limits.free_addresses, Reason.NO_FREE_ADDRESSES),
        (not usable, Reason.POOL_DRY),
        (all(bounded and slot.market is Market.ON_DEMAND for slot in usable), Reason.AT_MAXIMUM),
        (cap is not None and all(spent + (s.usd_per_hour or 0) > cap for s in priced), Reason.AT_MONEY_CAP),
        (any(units + slot.units > limits.max_units for slot in usable), Reason.AT_MAXIMUM),
    )
    return next((reason for applies, reason in checks if applies), Reason.POOL_DRY)


def _fill(
    slots: Sequence[Slot],
    *,
    usable: Sequence[Slot],
    counts: Mapping[str, int],
    most: Mapping[str, int],
    wants: Wants,
    max_nodes: int,
    on_demand_min_nodes: int,
    limits: Limits,
) -> dict[str, int]:
    """Climb to the lowest level that meets ``wants``, or the highest within the limits: the floor first."""
    bounds = Bounds(slots, max_nodes, limits, with_billed=not most)
    on_demand = [s for s in usable if s.market is Market.ON_DEMAND]
    missing = on_demand_min_nodes - sum(counts[s.group_id] for s in slots if s.market is Market.ON_DEMAND)
    floor = dict(counts)
    if missing > 0 and on_demand:
        wanted = Wants(nodes=sum(counts[s.group_id] for s in on_demand) + missing)
        floor = Ladder(on_demand, counts, most, limits, floor_nodes=0).climb(bounds, wanted, of=on_demand)
        floor = {**counts, **floor}
    if not bounds.keep(floor) or wants.are_met(floor, slots):
        return floor  # most looks end here: there is nothing to climb for
    return Ladder(usable, floor, most, limits, floor_nodes=on_demand_min_nodes).climb(bounds, wants, of=slots)
