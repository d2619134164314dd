"""The port PriceList on the World's price list; its documents are read by the adapter's own reader."""

from collections.abc import Sequence

from emr_autoscaler.adapters.price_list import product_search, single_price
from emr_autoscaler.domain.price_book import Price, PriceKey
from emr_simulator.inprocess.refusals import domain_errors
from emr_simulator.world import World


class WorldPriceList:
    """PriceList on the World."""

    def __init__(self, world: World) -> None:
        self._pricing = world.pricing

    def look_up(self, keys: Sequence[PriceKey]) -> tuple[Price, ...]:
        """Return one price per key. Raises PriceMissingError where none or more than one is left."""
        prices = {key: self._price(key) for key in dict.fromkeys(keys)}
        return tuple(prices[key] for key in keys)

    def _price(self, key: PriceKey) -> Price:
        service, attributes = product_search(key)
        with domain_errors("GetProducts"):
            documents = self._pricing.get_products(service, attributes)
        return single_price(key, documents)
