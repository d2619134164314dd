"""Prices as step functions of time: which one was in force when, and where it came from."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime

from emr_autoscaler.domain.costs import Price, PriceKey
from emr_autoscaler.domain.errors import PriceMissingError


class PriceBook:
    """The prices of one calculation.

    Args:
        prices: Any number of prices for any number of keys, in any order.
    """

    def __init__(self, prices: Iterable[Price]) -> None:
        by_key: dict[PriceKey, dict[datetime, Price]] = {}
        for price in prices:
            by_key.setdefault(price.key, {})[price.effective_from] = price
        self._steps = {key: [steps[t] for t in sorted(steps)] for key, steps in by_key.items()}
        self._times = {key: [p.effective_from for p in steps] for key, steps in self._steps.items()}

    def at(self, key: PriceKey, moment: datetime) -> Price:
        """Return the price in force at ``moment``.

        Raises:
            PriceMissingError: None was in force: a price nobody can trace is never invented.
        """
        index = bisect_right(self._times.get(key, []), moment) - 1
        if index < 0:
            place = f" in {key.availability_zone}" if key.availability_zone else ""
            msg = (
                f"no {key.component} price for {key.item} ({key.region}{place}) in force at "
                f"{moment.isoformat()}; refresh_prices looks it up"
            )
            raise PriceMissingError(msg)
        return self._steps[key][index]

    def over(self, key: PriceKey, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, Price]]:
        """Yield (from, to, price) covering [start, end) without a gap.

        Raises:
            PriceMissingError: No price was in force at ``start``.
        """
        moment = start
        while moment < end:
            price = self.at(key, moment)
            index = bisect_right(self._times[key], moment)
            until = min(end, self._times[key][index]) if index < len(self._times[key]) else end
            yield moment, until, price
            moment = until
