"""The price book on the cost table: every price with its date of effect and its source."""

from collections.abc import Sequence
from datetime import datetime

from emr_autoscaler.adapters.cost_items import price_item, price_of, price_pk
from emr_autoscaler.adapters.dynamodb_table import Table, sortable
from emr_autoscaler.domain.price_book import Price, PriceKey

_PAGE_SIZE = 25  # an hour has few price steps; the history behind them is not read


class PriceBook:
    """The prices of the cost table; its permissions are declared with the store that holds it."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def put(self, prices: Sequence[Price]) -> None:
        """Add prices; the same key and date replaces."""
        self._table.put_many([price_item(price) for price in prices])

    def in_force(self, keys: Sequence[PriceKey], *, start: datetime, end: datetime) -> tuple[Price, ...]:
        """Return the prices of each key in force in [start, end), in the order of keys, oldest first."""
        if start >= end:
            return ()
        return tuple(price for key in dict.fromkeys(keys) for price in self._of_key(key, start, end))

    def _of_key(self, key: PriceKey, start: datetime, end: datetime) -> list[Price]:
        items = self._table.query(
            "PK = :pk AND SK < :end",
            {":pk": price_pk(key), ":end": sortable(end)},
            newest_first=True,
            page_size=_PAGE_SIZE,
        )
        prices: list[Price] = []
        for item in items:
            prices.append(price_of(key, item))
            if prices[-1].effective_from <= start:
                break
        return prices[::-1]
