"""What a node costs an hour in a backtest: as the user says, or by the built-in list; never guessed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from emr_autoscaler.domain.errors import PriceMissingError
from emr_autoscaler.domain.fleets import FleetType
from emr_simulator.catalogue import TYPES

ANY_TYPE = ""
"""Key of a price that holds for every type that has none of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePrice:
    """What one node of a type costs.

    Attributes:
        usd_per_hour: EC2 and EMR fee.
        source: Where it comes from, in words.
    """

    instance_type: str
    usd_per_hour: Decimal
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBook:
    """Prices of every type of a backtest.

    Attributes:
        by_type: By instance type.
    """

    by_type: Mapping[str, NodePrice]

    def node_usd(self, instance_types: Sequence[str]) -> Decimal:
        """Return the mean price of nodes of these types, which metrics do not tell apart; 0 of none."""
        return sum((self.by_type[t].usd_per_hour for t in instance_types), Decimal(0)) / max(
            1, len(instance_types)
        )

    def unit_usd(self, kinds: Sequence[FleetType]) -> Decimal:
        """Return the mean price of a unit over the types of a fleet: which of them EMR buys is not known."""
        usd = sum((self.by_type[kind.instance_type].usd_per_hour / kind.units for kind in kinds), Decimal(0))
        return usd / max(1, len(kinds))


def price_of(instance_type: str, given: Mapping[str, Decimal]) -> NodePrice:
    """Return the price of a node.

    Args:
        instance_type: For instance m5.xlarge.
        given: Prices the user named, by type or ANY_TYPE.

    Raises:
        PriceMissingError: Neither the user nor the built-in list has one.
    """
    own = given.get(instance_type, given.get(ANY_TYPE))
    if own is not None:
        return NodePrice(instance_type=instance_type, usd_per_hour=own, source="given by --price-per-node-hour")
    kind = TYPES.get(instance_type)
    if kind is None:
        msg = f"no price is known for {instance_type}: give it with --price-per-node-hour {instance_type}=USD"
        raise PriceMissingError(msg)
    source = f"built-in list: on demand {kind.on_demand_usd} + EMR fee {kind.emr_fee_usd} (us-east-1)"
    return NodePrice(
        instance_type=instance_type, usd_per_hour=kind.on_demand_usd + kind.emr_fee_usd, source=source
    )
