"""What a node costs an hour in a backtest: as the user says, or by the built-in list; never guessed."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from emr_autoscaler.domain.errors import PriceMissingError
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
