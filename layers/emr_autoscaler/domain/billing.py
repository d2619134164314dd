"""What a cluster-hour costs, computed whole from instances and prices (docs/costs.md gives the rules)."""

import calendar
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext

from emr_autoscaler.domain.cluster import Market, Volume
from emr_autoscaler.domain.costs import BilledInstance, Component, CostLine, Price, PriceKey
from emr_autoscaler.domain.policy import CostPolicy
from emr_autoscaler.domain.price_book import PriceBook

MINIMUM = timedelta(seconds=60)
"""EMR and EC2 bill every instance for a minute at least; it may spill into the next hour."""

FREE_WHEN_INTERRUPTED_WITHIN = timedelta(hours=1)
"""EC2 charges nothing for a spot instance that AWS takes back in its first hour."""

SCALE = Decimal("1e-12")
"""Quantities and amounts are kept to a millionth of a millionth; they are rounded only when shown."""

GP3_FREE_IOPS = 3000
GP3_FREE_MIBPS = 125
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    """Seconds of one instance at one price, on their way into a line."""

    instance: BilledInstance
    component: Component
    item: str
    seconds: Decimal
    units: Decimal
    unit_seconds: Decimal
    price: Price
    list_price: Price


def needed_prices(instances: Iterable[BilledInstance], region: str) -> tuple[PriceKey, ...]:
    """Return every price these instances need, sorted; spot ones need the on-demand price as well."""
    keys: set[PriceKey] = set()
    for instance in instances:
        keys.add(PriceKey(component=Component.EMR_FEE, region=region, item=instance.instance_type))
        keys.add(_on_demand_key(instance, region))
        if instance.market is Market.SPOT:
            keys.add(_spot_key(instance, region))
        for volume in instance.volumes:
            keys.update(key for key, _units in _volume_units(volume, region))
    return tuple(sorted(keys, key=lambda k: (k.component, k.item, k.availability_zone)))


def bill_hour(
    hour: datetime,
    instances: Sequence[BilledInstance],
    prices: PriceBook,
    *,
    region: str,
    policy: CostPolicy,
) -> tuple[CostLine, ...]:
    """Compute the lines of the hour [hour, hour + 1 h).

    Args:
        hour: Start of the hour, UTC.
        instances: Every instance of the cluster that may have lived in it.
        prices: The price book; steps are followed to the second.
        region: AWS region, part of every price key.
        policy: Assumptions AWS does not state.

    Returns:
        One line per group, component, item and price, sorted; none for an hour without instances.

    Raises:
        PriceMissingError: A price is unknown.
    """
    uses = [use for i in instances for use in _uses(hour, i, prices, region, policy)]
    lines: dict[tuple[str, ...], list[_Use]] = {}
    for use in uses:
        key = (use.instance.group_id, use.component, use.item, str(use.price.usd), use.price.source)
        lines.setdefault(key, []).append(use)
    return tuple(_line(lines[key]) for key in sorted(lines))


def _uses(
    hour: datetime, instance: BilledInstance, prices: PriceBook, region: str, policy: CostPolicy
) -> Iterator[_Use]:
    end = hour + HOUR
    free = _is_free(instance)
    # AWS bills whole seconds: fractions are dropped from the life, or each hour would drop its own.
    started_at = instance.started_at.replace(microsecond=0)
    ended_at = end if instance.ended_at is None else instance.ended_at.replace(microsecond=0)
    billed_until = end if instance.ended_at is None else max(ended_at, started_at + MINIMUM)
    start, stop = max(hour, started_at), min(end, billed_until)
    if start < stop:
        if policy.first_hour_fee or not free:
            fee = PriceKey(component=Component.EMR_FEE, region=region, item=instance.instance_type)
            yield from _hours(instance, fee, prices, start, stop, list_key=fee)
        if not free:
            on_demand = _on_demand_key(instance, region)
            spot = instance.market is Market.SPOT
            own = _spot_key(instance, region) if spot else on_demand
            yield from _hours(instance, own, prices, start, stop, list_key=on_demand)
    lived_until = min(end, ended_at)
    if start < lived_until:
        yield from _months(instance, prices, start, lived_until, region)


def _is_free(instance: BilledInstance) -> bool:
    return (
        instance.interrupted
        and instance.market is Market.SPOT
        and instance.ended_at is not None
        and instance.ended_at - instance.started_at < FREE_WHEN_INTERRUPTED_WITHIN
    )


def _hours(
    instance: BilledInstance,
    key: PriceKey,
    prices: PriceBook,
    start: datetime,
    stop: datetime,
    *,
    list_key: PriceKey,
) -> Iterator[_Use]:
    for since, until, price in prices.over(key, start, stop):
        yield _Use(
            instance=instance,
            component=key.component,
            item=key.item,
            seconds=_seconds(until - since),
            units=Decimal(1),
            unit_seconds=Decimal(3600),
            price=price,
            list_price=prices.at(list_key, since),
        )


def _months(
    instance: BilledInstance, prices: PriceBook, start: datetime, stop: datetime, region: str
) -> Iterator[_Use]:
    days = calendar.monthrange(start.year, start.month)[1]
    for volume in instance.volumes:
        for key, units in _volume_units(volume, region):
            for since, until, price in prices.over(key, start, stop):
                yield _Use(
                    instance=instance,
                    component=Component.EBS,
                    item=key.item,
                    seconds=_seconds(until - since),
                    units=units,
                    unit_seconds=Decimal(days * 86400),
                    price=price,
                    list_price=price,
                )


def _volume_units(volume: Volume, region: str) -> Iterator[tuple[PriceKey, Decimal]]:
    """Yield what is charged per month for one volume: its GiB, and what it has beyond the free part."""
    kind = volume.volume_type
    yield PriceKey(component=Component.EBS, region=region, item=kind), Decimal(volume.size_gib)
    free_iops = GP3_FREE_IOPS if kind == "gp3" else 0
    if kind in {"gp3", "io1", "io2"} and (volume.iops or 0) > free_iops:
        extra = Decimal((volume.iops or 0) - free_iops)
        yield PriceKey(component=Component.EBS, region=region, item=f"{kind}:iops"), extra
    if kind == "gp3" and (volume.throughput_mibps or 0) > GP3_FREE_MIBPS:
        extra = Decimal((volume.throughput_mibps or 0) - GP3_FREE_MIBPS)
        yield PriceKey(component=Component.EBS, region=region, item="gp3:throughput"), extra


def _line(uses: Sequence[_Use]) -> CostLine:
    """Add up what shares group, component, item and price."""
    first = uses[0]
    with localcontext(prec=60):
        quantity = sum((u.seconds * u.units for u in uses), Decimal(0)) / first.unit_seconds
        at_list = sum((u.seconds * u.units * u.list_price.usd for u in uses), Decimal(0)) / first.unit_seconds
        return CostLine(
            group_id=first.instance.group_id,
            role=first.instance.role,
            market=first.instance.market,
            component=first.component,
            item=first.item,
            quantity=quantity.quantize(SCALE),
            unit=first.price.unit,
            unit_price_usd=first.price.usd,
            list_cost_usd=at_list.quantize(SCALE),
            effective_cost_usd=(quantity * first.price.usd).quantize(SCALE),
            price_source=first.price.source,
            instances=len({u.instance.ec2_instance_id for u in uses}),
        )


def _on_demand_key(instance: BilledInstance, region: str) -> PriceKey:
    return PriceKey(component=Component.EC2_ON_DEMAND, region=region, item=instance.instance_type)


def _spot_key(instance: BilledInstance, region: str) -> PriceKey:
    return PriceKey(
        component=Component.EC2_SPOT,
        region=region,
        item=instance.instance_type,
        availability_zone=instance.availability_zone,
    )


def _seconds(length: timedelta) -> Decimal:
    """Return a length in whole seconds, exactly; AWS bills whole seconds."""
    return Decimal(length // timedelta(seconds=1))
