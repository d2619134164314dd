"""Whether an hour that is recorded is still made of the same facts; what facts cost is in billing.py."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from emr_autoscaler.domain.billing import HOUR, instances_in, what_decides
from emr_autoscaler.domain.cost_history import HourRevision
from emr_autoscaler.domain.costs import BilledInstance, CostLine
from emr_autoscaler.domain.price_book import Component, PriceBook, PriceKey


def has_same_facts(recorded: HourRevision, instances: Sequence[BilledInstance], prices: PriceBook) -> bool:
    """Whether instances and prices as they are known now make the hour that was recorded.

    What an instance does in a later hour is no fact of this one, and neither is what a policy assumes.

    Args:
        recorded: The latest revision of the hour.
        instances: Every instance of the cluster that may have lived in it.
        prices: The prices of the hour.
    """
    hour = recorded.record.hour
    known = _lives(hour, instances)
    if known != _lives(hour, (part.instance for part in recorded.instances)):
        return False
    zones = {instance.availability_zone for instance in instances}
    return len(zones) == 1 and _are_paid(recorded.record.lines, prices, hour, recorded.record.region, zones.pop())


def _lives(hour: datetime, instances: Iterable[BilledInstance]) -> dict[str, tuple[object, ...]]:
    return {i.ec2_instance_id: what_decides(hour, i) for i in instances_in(hour, instances)}


def _are_paid(lines: Iterable[CostLine], prices: PriceBook, hour: datetime, region: str, zone: str) -> bool:
    """Whether lines name every price that was in force in the hour for what they charge, and no other."""
    paid: dict[PriceKey, set[tuple[Decimal, str]]] = defaultdict(set)
    listed: dict[PriceKey, set[Decimal]] = defaultdict(set)
    for line in lines:
        spot = line.component is Component.EC2_SPOT
        key = PriceKey(
            component=line.component, region=region, item=line.item, availability_zone=zone if spot else ""
        )
        paid[key].add((line.unit_price_usd, line.price_source))
        if spot:
            on_demand = PriceKey(component=Component.EC2_ON_DEMAND, region=region, item=line.item)
            listed[on_demand].add(line.list_unit_price_usd)
    end = hour + HOUR
    return all(
        {(price.usd, price.source) for price in prices.during(key, hour, end)} == found
        for key, found in paid.items()
    ) and all({price.usd for price in prices.during(key, hour, end)} == found for key, found in listed.items())
