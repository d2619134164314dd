"""What is left for a cluster's task groups of its policy's bounds in units, its cap in money, its subnet."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from emr_autoscaler.domain.cluster import InstanceGroup, Market
from emr_autoscaler.domain.market import useful_gib_hour_usd
from emr_autoscaler.domain.memory import PoolHealth
from emr_autoscaler.domain.node_prices import MarketPrices
from emr_autoscaler.domain.policy import CapacityUnit, TaskPolicy
from emr_autoscaler.domain.slots import Limits


def units_of(policy: TaskPolicy, instance_type: str, node_mib: float) -> float:
    """Return what one node counts in the policy's unit."""
    if policy.unit is CapacityUnit.UNITS:
        return float(policy.weights.get(instance_type, 1))
    return node_mib


def node_usd(prices: MarketPrices, group: InstanceGroup, now: datetime) -> Decimal | None:
    """Return what one node of a group costs an hour now; None where no believable price is known."""
    price = prices.of(group, now)
    return None if price is None else price.usd_per_hour


def cost_of(
    prices: MarketPrices, group: InstanceGroup, *, node_mib: float, health: PoolHealth | None, now: datetime
) -> Decimal | None:
    """Return the risk-adjusted USD of a useful GiB-hour; None where no believable price is known."""
    price = prices.of(group, now)
    if price is None:
        return None
    return useful_gib_hour_usd(price, market=Market(group.market), node_mib=node_mib, health=health, now=now)


def limits_of(
    policy: TaskPolicy,
    groups: Sequence[InstanceGroup],
    *,
    mine: Mapping[str, float],
    warned: Mapping[str, int],
    prices: MarketPrices,
    free_addresses: int | None,
    now: datetime,
    spot_is_given_up: bool = False,
) -> Limits:
    """Return what is left for the groups that may be resized.

    Args:
        policy: The bounds.
        groups: Every task group of the cluster.
        mine: Units of one node of each group that may be resized, by group id.
        warned: Nodes that are leaving and still ordered, by group id: they count until they are gone.
        prices: Of the groups.
        free_addresses: Of the cluster's subnet; None where nobody looked.
        now: Judges the age of prices.
        spot_is_given_up: Nobody waits for spot any more.
    """
    spent, units, missing, requested = Decimal(0), 0.0, False, 0
    for group in groups:
        standing = max(group.requested_count, group.running_count)
        nodes = warned.get(group.group_id, 0) if group.group_id in mine else standing
        usd = node_usd(prices, group, now)
        missing = missing or (usd is None and standing > 0)
        spent += (usd or Decimal(0)) * nodes
        units += nodes * mine.get(group.group_id, 0.0)
        requested += 0 if group.group_id in mine else max(0, group.requested_count - group.running_count)
    cap = policy.max_usd_per_hour
    return Limits(
        min_units=max(0.0, policy.min_units - units),
        max_units=math.inf if policy.max_units is None else max(0.0, policy.max_units - units),
        max_usd_per_hour=None if cap is None else max(Decimal(0), cap - spent),
        prices_missing=missing,
        free_addresses=None if free_addresses is None else max(0, free_addresses - requested),
        on_demand_max_nodes=policy.on_demand_max_nodes,
        spot_share=policy.spot_share,
        spot_is_given_up=spot_is_given_up,
    )
