"""The finance export: cost hours and corrections as rows of FOCUS 1.2; writing files is the adapters' part."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext

from emr_autoscaler.domain.cost_history import Correction, take_back
from emr_autoscaler.domain.costs import Component, CostLine, HourRecord, exact_sum

FOCUS_VERSION = "1.2"
PROVIDER = "AWS"
_IDLE_SCALE = Decimal("1e-12")

_SERVICES = {
    Component.EMR_FEE: ("Amazon EMR", "Analytics", "Analytics Platforms", "Standard"),
    Component.EC2_ON_DEMAND: ("Amazon EC2", "Compute", "Virtual Machines", "Standard"),
    Component.EC2_SPOT: ("Amazon EC2", "Compute", "Virtual Machines", "Dynamic"),
    Component.EBS: ("Amazon EBS", "Storage", "Block Storage", "Standard"),
}
"""Service, category, subcategory and pricing category of each component."""

_WORDS = {
    Component.EMR_FEE: "EMR fee",
    Component.EC2_ON_DEMAND: "EC2 on demand",
    Component.EC2_SPOT: "EC2 spot",
    Component.EBS: "EBS volumes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FocusRow:
    """One row. Fields are the columns of FOCUS in snake case; those from x_cluster_id on are our own."""

    availability_zone: str | None = None
    billed_cost: Decimal
    billing_account_id: str
    billing_account_name: str
    billing_account_type: str
    billing_currency: str
    billing_period_end: datetime
    billing_period_start: datetime
    charge_category: str
    charge_class: str | None
    charge_description: str
    charge_frequency: str
    charge_period_end: datetime
    charge_period_start: datetime
    consumed_quantity: Decimal | None
    consumed_unit: str | None
    contracted_cost: Decimal
    contracted_unit_price: Decimal
    effective_cost: Decimal
    invoice_id: str | None = None
    invoice_issuer_name: str
    list_cost: Decimal
    list_unit_price: Decimal
    pricing_category: str
    pricing_currency: str
    pricing_quantity: Decimal
    pricing_unit: str
    provider_name: str
    publisher_name: str
    region_id: str
    region_name: str
    resource_id: str | None
    resource_name: str | None
    resource_type: str | None
    service_category: str
    service_name: str
    service_subcategory: str
    sku_id: str
    sku_meter: str
    sku_price_id: str
    sub_account_id: str
    sub_account_name: str
    sub_account_type: str
    tags: str
    x_emr_cluster_id: str
    x_emr_cluster_name: str
    x_instance_group_id: str
    x_instance_group_role: str
    x_instances: int
    x_cost_centre: str
    x_record_status: str
    x_revision: int
    x_idle_cost: Decimal | None
    x_effective_unit_price: Decimal
    x_price_source: str
    x_assumptions: str


def rows_of_hour(record: HourRecord) -> Iterator[FocusRow]:
    """Yield one row for each line of an hour; each cost is its unit price times the quantity."""
    idle = idle_shares(record)
    for line, idle_cost in zip(record.lines, idle, strict=True):
        yield _row(record, line, _period(record.hour), charge_class=None, idle_cost=idle_cost)


def rows_of_correction(correction: Correction) -> Iterator[FocusRow]:
    """Yield what is taken back (below zero) and what holds instead, in the month they are booked in."""
    year, month = (int(part) for part in correction.month.split("-"))
    period = _period(datetime(year, month, 1, tzinfo=UTC))
    lines = (*map(take_back, correction.reversed_lines), *correction.added_lines)
    for line in lines:
        yield _row(correction.record, line, period, charge_class="Correction", idle_cost=None)


def idle_shares(record: HourRecord) -> list[Decimal | None]:
    """Return the idle cost of each line; they add up to the hour's to the last digit."""
    if record.idle is None:
        return [None] * len(record.lines)
    with localcontext(prec=60):
        parts = [(line.effective_cost_usd * record.idle.share).quantize(_IDLE_SCALE) for line in record.lines[:-1]]
    last = exact_sum([record.idle.cost_usd, *(part.copy_negate() for part in parts)])
    return [*parts, last]


def cluster_arn(record: HourRecord) -> str:
    """Return the cluster's ARN; the partition follows from the region."""
    partition = "aws-cn" if record.region.startswith("cn-") else "aws"
    partition = "aws-us-gov" if record.region.startswith("us-gov-") else partition
    return f"arn:{partition}:elasticmapreduce:{record.region}:{record.account_id}:cluster/{record.cluster_id}"


def _row(
    record: HourRecord,
    line: CostLine,
    period: tuple[datetime, datetime],
    *,
    charge_class: str | None,
    idle_cost: Decimal | None,
) -> FocusRow:
    service, category, subcategory, pricing = _SERVICES[line.component]
    return FocusRow(
        billed_cost=line.effective_cost_usd,
        billing_account_id=record.account_id,
        billing_account_name=record.account_id,
        billing_account_type="Account",
        billing_currency="USD",
        billing_period_start=period[0],
        billing_period_end=period[1],
        charge_category="Usage",
        charge_class=charge_class,
        charge_description=(
            f"{_WORDS[line.component]} {line.item}, {line.role.lower()} {_owner(line)} of cluster "
            f"{record.cluster_id}"
        ),
        charge_frequency="Usage-Based",
        charge_period_start=record.hour,
        charge_period_end=record.hour + timedelta(hours=1),
        # A correction of the past consumes nothing now.
        consumed_quantity=line.measured_quantity if charge_class is None else None,
        consumed_unit=line.unit if charge_class is None else None,
        contracted_cost=line.contracted_cost_usd,
        contracted_unit_price=line.contracted_unit_price_usd,
        effective_cost=line.effective_cost_usd,
        invoice_issuer_name=PROVIDER,
        list_cost=line.list_cost_usd,
        list_unit_price=line.list_unit_price_usd,
        pricing_category=pricing,
        pricing_currency="USD",
        pricing_quantity=line.quantity,
        pricing_unit=line.unit,
        provider_name=PROVIDER,
        publisher_name=PROVIDER,
        region_id=record.region,
        region_name=record.region,
        # A line is a whole instance group's; single instances are in the trace of the hour.
        resource_id=cluster_arn(record),
        resource_name=record.cluster_name or record.cluster_id,
        resource_type="EMR cluster",
        service_category=category,
        service_name=service,
        service_subcategory=subcategory,
        sku_id=f"{line.component.value}/{record.region}/{line.item}",
        sku_meter=f"{_WORDS[line.component]} {line.unit}",
        sku_price_id=f"{line.component.value}/{record.region}/{line.item}/{line.unit_price_usd:f}",
        sub_account_id=record.account_id,
        sub_account_name=record.account_id,
        sub_account_type="Account",
        tags="{}",
        x_emr_cluster_id=record.cluster_id,
        x_emr_cluster_name=record.cluster_name,
        x_instance_group_id=line.group_id,
        x_instance_group_role=line.role.value,
        x_instances=line.instances,
        x_cost_centre=record.cost_centre,
        x_record_status=record.status.value,
        x_revision=record.revision,
        x_idle_cost=idle_cost,
        x_effective_unit_price=line.effective_unit_price_usd,
        x_price_source=line.price_source,
        x_assumptions="; ".join(record.assumptions),
    )


def _period(hour: datetime) -> tuple[datetime, datetime]:
    """Return the calendar month around an hour, UTC, half-open."""
    first = hour.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first, (first + timedelta(days=32)).replace(day=1)


def rows_of(records: Iterable[HourRecord]) -> Iterator[FocusRow]:
    """Yield the rows of many hours."""
    for record in records:
        yield from rows_of_hour(record)


def _owner(line: CostLine) -> str:
    return f"{'fleet' if line.group_id.startswith('if-') else 'group'} {line.group_id}"
