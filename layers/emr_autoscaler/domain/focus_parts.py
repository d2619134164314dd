"""A cost line taken apart into the instances and volumes it was for; the parts add up to the last digit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from emr_autoscaler.domain.cost_history import Charge, InstanceCharges
from emr_autoscaler.domain.costs import BilledInstance, CostLine
from emr_autoscaler.domain.fair_rounding import shares
from emr_autoscaler.domain.price_book import Component

_SCALE = Decimal("1e-12")
"""Quantities of lines are kept to this grid, and so are those of their parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePart:
    """The part of one resource in a line.

    Attributes:
        line: The line with the quantity and the costs of this part; unit prices are those of the line.
        instance: Whose it is; None for a part that stands for a whole instance group or for no instance.
        volume: Position of the volume among the instance's, the root volume first; None for an instance, and for
            records that do not tell volumes apart.
    """

    line: CostLine
    instance: BilledInstance | None = None
    volume: int | None = None


_Resource = tuple[str, int | None]


LineCharges = Sequence[tuple[BilledInstance, Charge]]
"""What instances have to do with one line."""


def charges_by_line(instances: Iterable[InstanceCharges]) -> Mapping[int, LineCharges]:
    """Return the charges of an hour by the position of their line."""
    found: dict[int, list[tuple[BilledInstance, Charge]]] = {}
    for part in instances:
        for charge in part.charges:
            found.setdefault(charge.line, []).append((part.instance, charge))
    return found


def parts_of_line(line: CostLine, charges: LineCharges) -> tuple[LinePart, ...]:
    """Take a line apart.

    The EMR fee stays whole: AWS bills it to the cluster, not to an instance. So does a line that no instance has
    a part in, as the difference to the bill is.

    Args:
        line: The line.
        charges: Its charges.
    """
    if line.component is Component.EMR_FEE:
        return (LinePart(line=line),)
    billed: dict[_Resource, Decimal] = {}
    used: dict[_Resource, Decimal] = {}
    known: dict[str, BilledInstance] = {}
    for instance, charge in charges:
        resource = (instance.ec2_instance_id, charge.volume)
        known[instance.ec2_instance_id] = instance
        in_use = charge.seconds if charge.used_seconds is None else charge.used_seconds
        billed[resource] = billed.get(resource, Decimal(0)) + charge.seconds * charge.units
        used[resource] = used.get(resource, Decimal(0)) + in_use * charge.units
    if not billed:
        return (LinePart(line=line),)
    quantities = shares(line.quantity, list(billed.values()), _SCALE)
    measured = shares(line.measured_quantity, list(used.values()), _SCALE)
    return tuple(
        LinePart(line=_part(line, quantity, in_use), instance=known[instance_id], volume=volume)
        for (instance_id, volume), quantity, in_use in zip(billed, quantities, measured, strict=True)
    )


def _part(line: CostLine, quantity: Decimal, measured: Decimal) -> CostLine:
    return replace(
        line,
        quantity=quantity,
        measured_quantity=measured,
        list_cost_usd=quantity * line.list_unit_price_usd,
        contracted_cost_usd=quantity * line.contracted_unit_price_usd,
        effective_cost_usd=quantity * line.effective_unit_price_usd,
        instances=1,
    )
