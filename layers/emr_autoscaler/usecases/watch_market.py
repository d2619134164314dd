"""Watch the market the enrolled clusters buy in: what a node of each group costs, what pools were seen to do."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from emr_autoscaler.domain.cluster import Market, Role
from emr_autoscaler.domain.errors import PriceMissingError, UnavailableError
from emr_autoscaler.domain.fleet_pools import has_spot_units
from emr_autoscaler.domain.instance_types import interruption_bucket
from emr_autoscaler.domain.market import with_node_hours
from emr_autoscaler.domain.memory import PoolHealth, PoolKey, RegistryEntry
from emr_autoscaler.domain.node_prices import MarketPrices
from emr_autoscaler.domain.price_book import Component, Price, PriceKey
from emr_autoscaler.domain.rates import needed_prices
from emr_autoscaler.ports import Clock, Compute, Costs, Pools, Registry
from emr_autoscaler.usecases.billed_instances import planned_instances
from emr_autoscaler.usecases.node_pricing import NodePricing, TaskSide, task_side
from emr_autoscaler.usecases.pool_updates import pool_of, pools_of_types, update_pool
from emr_autoscaler.usecases.refresh_prices import RefreshPrices
from emr_autoscaler.usecases.registry_updates import update_entry

CONFIRMED_EVERY = timedelta(minutes=30)
"""Prices that did not move are written again this often, so that a decision knows them to be current."""

LONGEST_GAP = timedelta(minutes=10)
"""Node-hours are counted over no longer time at once: nobody saw what was between."""

_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchMarket:
    """Keeps the prices of every active cluster's task groups, and the experience with their pools."""

    clock: Clock
    registry: Registry
    pools: Pools
    compute: Compute
    costs: Costs
    refresh_prices: RefreshPrices

    def __call__(self) -> int:
        """Look at the market once; return how many clusters have prices that moved, or are new."""
        now = self.clock.now()
        of_tasks = (task_side(entry) for entry in self.registry.all() if entry.is_active)
        sides = [side for side in of_tasks if side.groups or side.fleets]
        self._count_node_hours(sides, now)
        pricing = NodePricing(self._prices(sides, now))
        moved = 0
        for side in sides:
            entry, found = side.entry, pricing.of_cluster(side)
            fresh = MarketPrices(by_group=found, confirmed_at=now)
            since = entry.prices.confirmed_at
            changed = found != entry.prices.by_group
            if changed or since is None or now - since >= CONFIRMED_EVERY:
                update_entry(self.registry, entry.cluster_id, _with_prices(fresh))
            moved += changed
        return moved

    def _prices(self, sides: Sequence[TaskSide], now: datetime) -> Mapping[PriceKey, Price]:
        """Return every price in force that can be known; a missing one leaves its groups without."""
        keys: set[PriceKey] = set()
        for entry in {_equipment(side): side.entry for side in sides}.values():
            planned = [i for i in planned_instances(entry) if i.role is Role.TASK]
            keys.update(needed_prices(planned, entry.cluster.region))
        fixed = sorted((k for k in keys if k.component is not Component.EC2_SPOT), key=_by_name)
        found = self._in_force(fixed, now)
        missing = [key for key in fixed if key not in found]
        for key in missing:
            try:
                self.refresh_prices.look_up([key])
            except PriceMissingError:
                continue  # nothing is guessed: under a cap its groups are not ordered
        if missing:
            found = self._in_force(fixed, now)
        return {**found, **self._spot_prices([key for key in keys if key not in fixed], now)}

    def _in_force(self, keys: Sequence[PriceKey], now: datetime) -> dict[PriceKey, Price]:
        prices = self.costs.prices(keys, start=now, end=now + _MOMENT)
        return {price.key: price for price in prices if price.effective_from <= now}

    def _spot_prices(self, keys: Sequence[PriceKey], now: datetime) -> dict[PriceKey, Price]:
        """Return the spot prices in force, those that are new written to the price book first."""
        types: dict[str, list[str]] = defaultdict(list)
        for key in sorted(keys, key=_by_name):
            types[key.availability_zone].append(key.item)
        steps = [
            price
            for zone, names in types.items()
            for price in self.compute.spot_prices(names, zone, start=now, end=now + _MOMENT)
        ]
        found = {price.key: price for price in sorted(steps, key=lambda price: price.effective_from)}
        known = self._in_force(list(found), now)
        new = [price for key, price in found.items() if known.get(key) != price]
        if new:
            self.costs.put_prices(new)
        return found

    def _count_node_hours(self, sides: Sequence[TaskSide], now: datetime) -> None:
        running: dict[PoolKey, int] = defaultdict(int)
        for side in sides:
            for group in side.groups:
                if group.market is Market.SPOT:
                    running[pool_of(side.entry, group)] += group.running_count
            for key, nodes in self._nodes_of_fleets(side).items():
                running[key] += nodes

        for key, nodes in running.items():

            def change(health: PoolHealth, nodes: int = nodes) -> PoolHealth:
                bucket = interruption_bucket(health.key.instance_type)
                if bucket is not None and health.bucket is None:
                    health = replace(health, bucket=bucket)
                if not nodes:
                    return health
                since = max(health.observed_at or now, now - LONGEST_GAP)
                return replace(with_node_hours(health, nodes, since=since, now=now), observed_at=now)

            update_pool(self.pools, key, change)

    def _nodes_of_fleets(self, side: TaskSide) -> Mapping[PoolKey, int]:
        """Return the spot nodes of a task fleet by the pool they are of; EMR tells units only, EC2 the types.

        While EC2 does not answer nothing is counted: prices must not wait for it.
        """
        pools = (key for fleet in side.fleets for key in pools_of_types(side.entry, fleet))
        nodes = Counter(dict.fromkeys(pools, 0))
        if not any(map(has_spot_units, side.fleets)):
            return nodes
        with suppress(UnavailableError):
            nodes.update(
                PoolKey(instance_type=i.instance_type, availability_zone=i.availability_zone)
                for i in self.compute.find_cluster_instances(side.entry.cluster_id)
                if i.role is Role.TASK and i.market is Market.SPOT and i.is_running
            )
        return nodes


def _with_prices(prices: MarketPrices) -> Callable[[RegistryEntry], RegistryEntry]:
    return lambda entry: replace(entry, prices=prices)


def _equipment(side: TaskSide) -> tuple[object, ...]:
    """Return what decides which prices a cluster's task nodes need: many clusters are equipped alike."""
    cluster = side.entry.cluster
    groups = {(group.instance_type, group.market, group.volumes) for group in side.groups}
    types = {(t.instance_type, t.volumes) for fleet in side.fleets for t in fleet.types}
    return (cluster.region, cluster.availability_zone, cluster.root_volume, frozenset(groups), frozenset(types))


def _by_name(key: PriceKey) -> tuple[str, str, str]:
    return (key.component, key.item, key.availability_zone)
