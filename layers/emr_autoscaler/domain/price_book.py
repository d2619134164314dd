"""Prices with their source, as step functions of time: what each is for, and which one was in force when."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from emr_autoscaler.domain.errors import PriceMissingError


class Component(StrEnum):
    """What is paid for."""

    EMR_FEE = "EMR_FEE"
    EC2_ON_DEMAND = "EC2_ON_DEMAND"
    EC2_SPOT = "EC2_SPOT"
    EBS = "EBS"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceKey:
    """What a price is for.

    Attributes:
        component: The component it prices.
        region: AWS region.
        item: Instance type; for EBS the volume type (gp3), or its extra (gp3:iops, gp3:throughput).
        availability_zone: For spot only; empty otherwise.
    """

    component: Component
    region: str
    item: str
    availability_zone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """One price and where it comes from.

    Attributes:
        key: What it is for.
        usd: USD per unit.
        unit: Hours or GB-Months (IOPS-Months, MiBps-Months for EBS extras).
        effective_from: In force from then on, until a later price of the same key.
        source: Enough to find it again: service, SKU and publication, or the spot history call.
    """

    key: PriceKey
    usd: Decimal
    unit: str
    effective_from: datetime
    source: str


class PriceBook:
    """The prices of one calculation.

    Args:
        prices: Any number of prices for any number of keys, in any order.
    """

    def __init__(self, prices: Iterable[Price]) -> None:
        by_key: dict[PriceKey, dict[datetime, Price]] = {}
        for price in prices:
            by_key.setdefault(price.key, {})[price.effective_from] = price
        self._history = {
            key: (sorted(steps), [steps[at] for at in sorted(steps)]) for key, steps in by_key.items()
        }

    def at(self, key: PriceKey, moment: datetime) -> Price:
        """Return the price in force at ``moment``.

        Raises:
            PriceMissingError: None was in force: a price nobody can trace is never invented.
        """
        times, steps = self._history.get(key, _NEVER)
        return steps[_index(key, times, moment)]

    def over(self, key: PriceKey, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, Price]]:
        """Yield (from, to, price) covering [start, end) without a gap.

        Raises:
            PriceMissingError: No price was in force at ``start``.
        """
        if start >= end:
            return
        times, steps = self._history.get(key, _NEVER)
        first = _index(key, times, start)
        last = bisect_left(times, end, lo=first) - 1
        for index in range(first, last + 1):
            since = start if index == first else times[index]
            yield since, end if index == last else times[index + 1], steps[index]

    def during(self, key: PriceKey, start: datetime, end: datetime) -> Sequence[Price]:
        """Return the prices known to be in force at some time of [start, end), oldest first."""
        times, steps = self._history.get(key, _NEVER)
        return steps[max(0, bisect_right(times, start) - 1) : bisect_left(times, end)]


_NEVER: tuple[list[datetime], list[Price]] = ([], [])


def _index(key: PriceKey, times: Sequence[datetime], moment: datetime) -> int:
    """Return which of the prices that came into force at ``times`` was in force at ``moment``."""
    index = bisect_right(times, moment) - 1
    if index < 0:
        place = f" in {key.availability_zone}" if key.availability_zone else ""
        msg = (
            f"no {key.component} price for {key.item} ({key.region}{place}) in force at "
            f"{moment.isoformat()}; refresh_prices looks it up"
        )
        raise PriceMissingError(msg)
    return index


PRICE_ASSUMED = "price of "
"""How the label of an assumed price begins, among the assumptions of an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssumedPrice:
    """The earliest known price, taken for the time before its date of effect as well.

    Attributes:
        price: As it is taken: in force from the start of the hours it is needed for, its source saying so.
        known_from: Its own date of effect.
    """

    price: Price
    known_from: datetime

    @property
    def label(self) -> str:
        """What finance reads among the assumptions of an hour."""
        key = self.price.key
        place = f" in {key.availability_zone}" if key.availability_zone else ""
        since = f"{self.known_from:%Y-%m-%dT%H:%MZ}"
        return (
            f"{PRICE_ASSUMED}{key.component} {key.item}{place} is known from {since} on only, and assumed before"
        )


def assume_before_known(
    keys: Iterable[PriceKey], prices: Iterable[Price], start: datetime
) -> tuple[AssumedPrice, ...]:
    """Return an assumed price for every key whose earliest price came into force after ``start``.

    AWS tells the price of today and since when; of one that was changed or published since then, the earlier is
    not to be had. Waiting would never end, so the earliest one known stands in, and says so.
    """
    earliest: dict[PriceKey, Price] = {}
    for price in prices:
        known = earliest.get(price.key)
        if known is None or price.effective_from < known.effective_from:
            earliest[price.key] = price
    late = [earliest[key] for key in keys if key in earliest and earliest[key].effective_from > start]
    return tuple(
        AssumedPrice(price=_before_known(price, start), known_from=price.effective_from) for price in late
    )


def _before_known(price: Price, start: datetime) -> Price:
    since = f"{price.effective_from:%Y-%m-%dT%H:%MZ}"
    return replace(
        price, effective_from=start, source=f"{price.source}; assumed before {since}, its date of effect"
    )
