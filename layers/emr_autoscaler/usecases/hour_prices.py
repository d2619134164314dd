"""The prices that some hours of a cluster need: the price book's, looked up where it has none; spot from EC2."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from emr_autoscaler.domain.costs import BilledInstance
from emr_autoscaler.domain.price_book import (
    AssumedPrice,
    Component,
    Price,
    PriceBook,
    PriceKey,
    assume_before_known,
)
from emr_autoscaler.domain.rates import needed_prices
from emr_autoscaler.ports import Clock, Compute, Costs
from emr_autoscaler.usecases.refresh_prices import RefreshPrices

A_YEAR = timedelta(days=366)
"""A price that is published already, in force some day, is known: nothing earlier is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HourPrices:
    """Prices of some hours.

    Attributes:
        book: Every price that is known, with its date and source.
        assumed: Prices that had to stand in for the time before they are known.
    """

    book: PriceBook
    assumed: tuple[AssumedPrice, ...]

    def assumptions(self, hour: datetime, sources: set[str]) -> tuple[str, ...]:
        """Return the labels of the assumed prices that an hour's lines name as their source."""
        return tuple(
            each.label for each in self.assumed if hour < each.known_from and each.price.source in sources
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FindPrices:
    """Finds prices during one run of the recorder; clusters of one zone share a look at its spot prices."""

    clock: Clock
    costs: Costs
    compute: Compute
    refresh_prices: RefreshPrices
    spot_steps: dict[tuple[str, str, datetime, datetime], tuple[Price, ...]] = field(default_factory=dict)

    def __call__(
        self, instances: Sequence[BilledInstance], region: str, start: datetime, end: datetime
    ) -> HourPrices:
        """Find the prices in force over [start, end).

        Raises:
            PriceMissingError: AWS publishes none, or more than one, for a key.
        """
        keys = needed_prices(instances, region)
        fixed = [key for key in keys if key.component is not Component.EC2_SPOT]
        known = self.costs.prices(fixed, start=start, end=end)
        in_force = {p.key for p in known if p.effective_from <= start}
        missing = [key for key in fixed if key not in in_force]
        if missing:
            self.refresh_prices.look_up(missing)
            known = self.costs.prices(fixed, start=start, end=max(end, self.clock.now() + A_YEAR))
        prices = (*known, *self._spot(keys, start, end))
        assumed = assume_before_known(keys, prices, start)
        return HourPrices(book=PriceBook((*prices, *(each.price for each in assumed))), assumed=assumed)

    def _spot(self, keys: Sequence[PriceKey], start: datetime, end: datetime) -> list[Price]:
        by_zone: dict[str, list[str]] = {}
        for key in keys:
            if key.component is Component.EC2_SPOT:
                by_zone.setdefault(key.availability_zone, []).append(key.item)
        prices: list[Price] = []
        for zone, types in by_zone.items():
            unknown = [name for name in types if (zone, name, start, end) not in self.spot_steps]
            if unknown:
                steps = self.compute.spot_prices(unknown, zone, start=start, end=end)
                for name in unknown:
                    of_type = tuple(step for step in steps if step.key.item == name)
                    self.spot_steps[zone, name, start, end] = of_type
                if steps:
                    self.costs.put_prices(steps)
            for name in types:
                prices += self.spot_steps[zone, name, start, end]
        return prices
