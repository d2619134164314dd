"""Keep the price book: published prices of every type in use, with their date and source."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from emr_autoscaler.domain.price_book import Component, Price, PriceKey
from emr_autoscaler.domain.rates import needed_prices
from emr_autoscaler.ports import Clock, Costs, PriceList, Registry
from emr_autoscaler.usecases.billed_instances import planned_instances

LOOK_BACK = timedelta(days=400)
"""A price published longer ago than this is looked up again although it may not have changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshPrices:
    """Looks published prices up and adds what changed to the price book."""

    clock: Clock
    registry: Registry
    costs: Costs
    price_list: PriceList

    def __call__(self) -> tuple[Price, ...]:
        """Look up every price the enrolled clusters need; return those that are new or changed."""
        keys: set[PriceKey] = set()
        for entry in self.registry.all():
            keys.update(needed_prices(planned_instances(entry), entry.cluster.region))
        return self.look_up([key for key in keys if key.component is not Component.EC2_SPOT])

    def look_up(self, keys: Sequence[PriceKey]) -> tuple[Price, ...]:
        """Look up ``keys`` and store those whose price differs from the one in force.

        Raises:
            PriceMissingError: The price list has none, or more than one, for a key.
        """
        if not keys:
            return ()
        now = self.clock.now()
        ordered = sorted(keys, key=lambda key: (key.component, key.item))
        published = self.price_list.look_up(ordered)
        known: dict[PriceKey, Price] = {}
        for price in self.costs.prices(ordered, start=now - LOOK_BACK, end=now):
            if price.key not in known or known[price.key].effective_from < price.effective_from:
                known[price.key] = price
        changed = [p for p in published if p.key not in known or known[p.key].usd != p.usd]
        if changed:
            self.costs.put_prices(changed)
        return tuple(changed)
