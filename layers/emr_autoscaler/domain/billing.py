"""What a cluster-hour costs, computed whole from instances and prices (docs/costs.md gives the rules)."""

import calendar
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal, localcontext

from emr_autoscaler.domain.cluster import Market
from emr_autoscaler.domain.cost_history import Charge, HourBill, InstanceCharges
from emr_autoscaler.domain.costs import BilledInstance, CostLine
from emr_autoscaler.domain.policy import CostPolicy
from emr_autoscaler.domain.price_book import Component, Price, PriceBook, PriceKey
from emr_autoscaler.domain.rates import on_demand_key, rates_of, spot_key, volume_units

MINIMUM = timedelta(seconds=60)
"""EMR and EC2 bill every instance for a minute at least; it may spill into the next hour."""

FREE_WHEN_INTERRUPTED_WITHIN = timedelta(hours=1)
"""EC2 charges nothing for a spot instance that AWS takes back in its first hour."""

SCALE = Decimal("1e-12")
"""Quantities and amounts are kept to a millionth of a millionth; they are rounded only when shown."""

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    """Seconds of one instance at one price, on their way into a line."""

    instance: BilledInstance
    component: Component
    item: str
    seconds: int
    used_seconds: int
    units: Decimal
    unit_seconds: Decimal
    price: Price
    list_price: Price
    volume: int | None = None


def bill_hour(
    hour: datetime,
    instances: Sequence[BilledInstance],
    prices: PriceBook,
    *,
    region: str,
    policy: CostPolicy,
) -> HourBill:
    """Compute the lines of the hour [hour, hour + 1 h), with the part of each instance in each line.

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
    present = instances_in(hour, instances)
    # Instances of one kind that were there for the same part of the hour cost the same: of 2,000 that ran
    # through it, only one for each group is computed.
    numbers: dict[tuple[object, ...], int] = {}
    kind_of = [numbers.setdefault(what_decides(hour, i), len(numbers)) for i in present]
    counts = Counter(kind_of)
    by_line: dict[tuple[str, ...], list[tuple[int, _Use]]] = {}
    examples: dict[int, BilledInstance] = {}
    for kind, instance in zip(kind_of, present, strict=True):
        examples.setdefault(kind, instance)
    for kind, instance in examples.items():
        for use in _uses(hour, instance, prices, region, policy):
            by_line.setdefault(_line_key(use), []).append((kind, use))
    lines, charges = [], dict[int, list[Charge]]()
    for number, key in enumerate(sorted(by_line)):
        lines.append(_line(by_line[key], counts, policy))
        for kind, use in by_line[key]:
            fewer = use.used_seconds if use.used_seconds != use.seconds else None
            charge = Charge(
                line=number, seconds=use.seconds, units=use.units, volume=use.volume, used_seconds=fewer
            )
            charges.setdefault(kind, []).append(charge)
    shared = {kind: tuple(found) for kind, found in charges.items()}
    return HourBill(
        lines=tuple(lines),
        instances=tuple(
            InstanceCharges(instance=instance, charges=shared.get(kind, ()))
            for instance, kind in zip(present, kind_of, strict=True)
        ),
    )


def instances_in(hour: datetime, instances: Iterable[BilledInstance]) -> list[BilledInstance]:
    """Return the instances that have to do with an hour, their lives in whole seconds."""
    end = hour + HOUR
    lives = (_in_whole_seconds(instance) for instance in instances)
    return [i for i in lives if i.started_at < end and _billed_until(i, end) > hour]


def what_decides(hour: datetime, instance: BilledInstance) -> tuple[object, ...]:
    """Return everything that decides what an instance costs in this hour."""
    end = hour + HOUR
    ended_at = end if instance.ended_at is None else min(end, instance.ended_at)
    return (
        instance.group_id,
        instance.role,
        instance.market,
        instance.instance_type,
        instance.availability_zone,
        instance.volumes,
        max(hour, instance.started_at),
        ended_at,
        min(end, _billed_until(instance, end)),
        _is_free(instance),
    )


def _in_whole_seconds(instance: BilledInstance) -> BilledInstance:
    """Drop fractions of seconds from a life, as AWS bills it, or each of its hours would drop its own."""
    if not instance.started_at.microsecond and (instance.ended_at is None or not instance.ended_at.microsecond):
        return instance
    ended_at = None if instance.ended_at is None else instance.ended_at.replace(microsecond=0)
    return replace(instance, started_at=instance.started_at.replace(microsecond=0), ended_at=ended_at)


def _line_key(use: _Use) -> tuple[str, ...]:
    prices = (str(use.price.usd), use.price.source, str(use.list_price.usd))
    # A fleet has instances of both markets, and their fees and volumes cost the same.
    return (use.instance.group_id, use.component, use.item, use.instance.market, *prices)


def _billed_until(instance: BilledInstance, end: datetime) -> datetime:
    return end if instance.ended_at is None else max(instance.ended_at, instance.started_at + MINIMUM)


def _uses(
    hour: datetime, instance: BilledInstance, prices: PriceBook, region: str, policy: CostPolicy
) -> Iterator[_Use]:
    end = hour + HOUR
    free = _is_free(instance)
    start, stop = max(hour, instance.started_at), min(end, _billed_until(instance, end))
    if start < stop:
        if policy.first_hour_fee or not free:
            fee = PriceKey(component=Component.EMR_FEE, region=region, item=instance.instance_type)
            yield from _hours(instance, fee, prices, start, stop, list_key=fee)
        if not free:
            on_demand = on_demand_key(instance, region)
            spot = instance.market is Market.SPOT
            own = spot_key(instance, region) if spot else on_demand
            yield from _hours(instance, own, prices, start, stop, list_key=on_demand)
    lived_until = end if instance.ended_at is None else min(end, instance.ended_at)
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
    ended = stop if instance.ended_at is None else instance.ended_at
    for since, until, price in prices.over(key, start, stop):
        yield _Use(
            instance=instance,
            component=key.component,
            item=key.item,
            seconds=_seconds(until - since),
            used_seconds=max(0, _seconds(min(until, ended) - since)),
            units=Decimal(1),
            unit_seconds=Decimal(3600),
            price=price,
            list_price=price if list_key == key else prices.at(list_key, since),
        )


def _months(
    instance: BilledInstance, prices: PriceBook, start: datetime, stop: datetime, region: str
) -> Iterator[_Use]:
    days = calendar.monthrange(start.year, start.month)[1]
    for number, volume in enumerate(instance.volumes):
        for key, units in volume_units(volume, region):
            for since, until, price in prices.over(key, start, stop):
                yield _Use(
                    instance=instance,
                    component=Component.EBS,
                    item=key.item,
                    seconds=_seconds(until - since),
                    used_seconds=_seconds(until - since),
                    units=units,
                    unit_seconds=Decimal(days * 86400),
                    price=price,
                    list_price=price,
                    volume=number,
                )


def _line(parts: Sequence[tuple[int, _Use]], counts: Mapping[int, int], policy: CostPolicy) -> CostLine:
    """Add up what shares group, component, item and prices."""
    first = parts[0][1]
    with localcontext(prec=60):
        unit_seconds = sum((counts[k] * u.seconds * u.units for k, u in parts), Decimal(0))
        quantity = (unit_seconds / first.unit_seconds).quantize(SCALE)
        used = sum((counts[k] * u.used_seconds * u.units for k, u in parts), Decimal(0)) / first.unit_seconds
        at_list = first.list_price.usd
        contracted, effective = (
            rate.quantize(SCALE) for rate in rates_of(first.component, first.price.usd, policy)
        )
        return CostLine(
            group_id=first.instance.group_id,
            role=first.instance.role,
            market=first.instance.market,
            component=first.component,
            item=first.item,
            quantity=quantity,
            measured_quantity=used.quantize(SCALE),
            unit=first.price.unit,
            unit_price_usd=first.price.usd,
            list_unit_price_usd=at_list,
            contracted_unit_price_usd=contracted,
            effective_unit_price_usd=effective,
            list_cost_usd=quantity * at_list,
            contracted_cost_usd=quantity * contracted,
            effective_cost_usd=quantity * effective,
            price_source=first.price.source,
            instances=sum(counts[kind] for kind in {kind for kind, _ in parts}),
        )


def _seconds(length: timedelta) -> int:
    """Return a length in whole seconds; AWS bills whole seconds."""
    return length // timedelta(seconds=1)
