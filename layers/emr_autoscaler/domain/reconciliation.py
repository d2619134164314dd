"""Estimates against the bill: which cluster-hours it proves, and what differs, line by line."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from emr_autoscaler.domain.cluster import Market, Role
from emr_autoscaler.domain.costs import CostLine, HourRecord, RecordStatus, exact_sum
from emr_autoscaler.domain.price_book import Component

ADJUSTMENT = "reconciliation"
"""The item of the lines that carry the difference to the bill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledAmount:
    """What AWS's bill says of one component of one cluster in one hour.

    Attributes:
        effective_usd: Sum of the effective cost of the bill's lines.
        line_items: How many lines.
        source: The file they came from.
    """

    effective_usd: Decimal
    line_items: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BillKey:
    """One component of one cluster in one hour."""

    cluster_id: str
    hour: datetime
    component: Component


class Outcome(StrEnum):
    """What comparing an hour with the bill led to."""

    PROVEN = "PROVEN"
    DIFFERS = "DIFFERS"
    INCOMPLETE = "INCOMPLETE"
    NOT_BILLED = "NOT_BILLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One hour against the bill.

    Attributes:
        outcome: PROVEN (equal), DIFFERS, INCOMPLETE (a component that costs is not in the bill), or
            NOT_BILLED (nothing of the hour is).
        record: The hour as it should be recorded; as it was where the bill does not suffice.
        differences: Bill less estimate of each component in the bill.
        missing: Components that were estimated to cost and are not in the bill.
    """

    outcome: Outcome
    record: HourRecord
    differences: Mapping[Component, Decimal]
    missing: tuple[Component, ...] = ()


def compare_with_bill(record: HourRecord, bill: Mapping[Component, BilledAmount]) -> Comparison:
    """Compare an hour with what the bill says of it.

    The estimated lines stay; the difference of a component is a line of its own that names the bill,
    so that the hour's sum is the bill's to the last digit and everybody sees what was off.
    """
    lines = tuple(line for line in record.lines if line.item != ADJUSTMENT)
    estimated: dict[Component, Decimal] = {}
    for line in lines:
        estimated[line.component] = exact_sum((estimated.get(line.component, Decimal(0)), line.effective_cost_usd))
    if not bill:
        return Comparison(outcome=Outcome.NOT_BILLED, record=record, differences={})
    missing = tuple(c for c, cost in estimated.items() if cost > 0 and c not in bill)
    differences = {
        component: exact_sum((amount.effective_usd, estimated.get(component, Decimal(0)).copy_negate()))
        for component, amount in sorted(bill.items())
    }
    if missing:
        return Comparison(outcome=Outcome.INCOMPLETE, record=record, differences=differences, missing=missing)
    adjustments = tuple(
        _adjustment(component, difference, bill[component])
        for component, difference in differences.items()
        if difference
    )
    reconciled = replace(record, lines=(*lines, *adjustments), status=RecordStatus.RECONCILED)
    if record.idle is not None:
        cost = (reconciled.effective_cost_usd * record.idle.share).quantize(Decimal("1e-12"))
        reconciled = replace(reconciled, idle=replace(record.idle, cost_usd=cost))
    outcome = Outcome.DIFFERS if adjustments else Outcome.PROVEN
    return Comparison(outcome=outcome, record=reconciled, differences=differences)


def _adjustment(component: Component, difference: Decimal, billed: BilledAmount) -> CostLine:
    zero = Decimal(0)
    return CostLine(
        group_id="",
        role=Role.MASTER,
        market=Market.SPOT if component is Component.EC2_SPOT else Market.ON_DEMAND,
        component=component,
        item=ADJUSTMENT,
        quantity=Decimal(1),
        measured_quantity=zero,
        unit="Adjustments",
        unit_price_usd=difference,
        list_unit_price_usd=zero,
        contracted_unit_price_usd=zero,
        effective_unit_price_usd=difference,
        list_cost_usd=zero,
        contracted_cost_usd=zero,
        effective_cost_usd=difference,
        price_source=f"billing export, {billed.line_items} line items: {billed.source}",
        instances=0,
    )
