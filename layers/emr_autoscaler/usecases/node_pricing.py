"""What a node of each task group costs by the prices of one moment. How prices are found is in watch_market.py."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from emr_autoscaler.domain.cluster import InstanceGroup, Market, Role, Volume
from emr_autoscaler.domain.fleet_steps import side_id, step_price
from emr_autoscaler.domain.fleets import InstanceFleet
from emr_autoscaler.domain.market import HOURS_PER_MONTH
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.node_prices import NodePrice
from emr_autoscaler.domain.planned_groups import with_planned, with_planned_fleets
from emr_autoscaler.domain.price_book import Component, Price, PriceKey
from emr_autoscaler.domain.rates import volume_units


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSide:
    """What of a cluster is bought for tasks, with what a dry run decides with as if it were there."""

    entry: RegistryEntry
    groups: tuple[InstanceGroup, ...]
    fleets: tuple[InstanceFleet, ...]


def task_side(entry: RegistryEntry) -> TaskSide:
    """Return the task groups and the task fleet of a cluster."""
    groups = with_planned(entry.groups, entry.planned)
    fleets = with_planned_fleets(entry.fleets, entry.planned_fleets)
    return TaskSide(
        entry=entry,
        groups=tuple(group for group in groups if group.role is Role.TASK),
        fleets=tuple(fleet for fleet in fleets if fleet.role is Role.TASK),
    )


class NodePricing:
    """Prices nodes of many clusters; those of one kind are priced once.

    Args:
        known: The prices in force.
    """

    def __init__(self, known: Mapping[PriceKey, Price]) -> None:
        self._known = known
        self._priced: dict[tuple[object, ...], NodePrice | None] = {}

    def of_cluster(self, side: TaskSide) -> dict[str, NodePrice]:
        """Return the price of a node of each group and of a step of each side of a fleet, where it is known."""
        prices = {
            group.group_id: self._price(side.entry, group.instance_type, group.market, group.volumes)
            for group in side.groups
        }
        for fleet in side.fleets:
            for market in Market:
                of_types = [self._price(side.entry, t.instance_type, market, t.volumes) for t in fleet.types]
                prices[side_id(fleet.fleet_id, market)] = step_price(fleet, of_types)
        return {group_id: price for group_id, price in prices.items() if price is not None}

    def _price(
        self, entry: RegistryEntry, instance_type: str, market: Market, volumes: tuple[Volume, ...]
    ) -> NodePrice | None:
        """Return what one instance costs; None where EC2's or EMR's price is not known."""
        cluster = entry.cluster
        place = (cluster.region, cluster.availability_zone)
        kind = (*place, instance_type, market, cluster.root_volume, volumes)
        if kind not in self._priced:
            self._priced[kind] = self._looked_up(*place, instance_type, market, (cluster.root_volume, *volumes))
        return self._priced[kind]

    def _looked_up(
        self, region: str, zone: str, instance_type: str, market: Market, volumes: tuple[Volume, ...]
    ) -> NodePrice | None:
        known = self._known
        if market is Market.SPOT:
            ec2 = PriceKey(component=Component.EC2_SPOT, region=region, item=instance_type, availability_zone=zone)
        else:
            ec2 = PriceKey(component=Component.EC2_ON_DEMAND, region=region, item=instance_type)
        fee = PriceKey(component=Component.EMR_FEE, region=region, item=instance_type)
        if ec2 not in known or fee not in known:
            return None
        return NodePrice(
            ec2_usd=known[ec2].usd,
            emr_usd=known[fee].usd,
            volumes_usd=self._volumes_usd(region, volumes),
            source=known[ec2].source,
            effective_from=known[ec2].effective_from,
        )

    def _volumes_usd(self, region: str, volumes: tuple[Volume, ...]) -> Decimal | None:
        """Return what volumes cost an hour of an average month; None where a price is not known."""
        charged = [part for volume in volumes for part in volume_units(volume, region)]
        if any(key not in self._known for key, _units in charged):
            return None
        monthly = sum((self._known[key].usd * units for key, units in charged), Decimal(0))
        return (monthly / HOURS_PER_MONTH).quantize(Decimal("0.000001"))
