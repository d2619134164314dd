"""The finance export: cost hours and corrections as rows of FOCUS 1.2; writing files is the adapters' part."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext

from emr_autoscaler.domain.cluster import owner_in_words
from emr_autoscaler.domain.cost_history import Correction, HourRevision, take_back
from emr_autoscaler.domain.costs import CostLine, HourRecord, exact_sum
from emr_autoscaler.domain.focus_parts import LinePart, charges_by_line, parts_of_line
from emr_autoscaler.domain.price_book import Component

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
    x_scaling_saving: Decimal | None
    x_reaping_saving: Decimal | None
    x_effective_unit_price: Decimal
    x_price_source: str
    x_assumptions: str


def rows_of_hour(revision: HourRevision) -> Iterator[FocusRow]:
    """Yield the rows of an hour: one for each instance and each volume, one for the EMR fee of each group.

    Each cost is its unit price times the quantity, and the rows of a line add up to it to the last digit. What
    the hour saved stands in its first row.
    """
    record = revision.record
    charges = charges_by_line(revision.instances)
    parts = [
        part for number, line in enumerate(record.lines) for part in parts_of_line(line, charges.get(number, ()))
    ]
    period = _period(record.hour)
    saved: HourRecord | None = record
    for part, idle_cost in zip(parts, idle_shares(record, parts), strict=True):
        yield _row(record, part, period, charge_class=None, idle_cost=idle_cost, saved=saved)
        saved = None


def rows_of_correction(
    correction: Correction, before: HourRevision | None = None, after: HourRevision | None = None
) -> Iterator[FocusRow]:
    """Yield what is taken back (below zero) and what holds instead, in the month they are booked in.

    Args:
        correction: What is booked.
        before: The revision that is corrected, with its instances; without it lines stay whole.
        after: The revision that holds instead.
    """
    year, month = (int(part) for part in correction.month.split("-"))
    period = _period(datetime(year, month, 1, tzinfo=UTC))
    taken_back = [replace(part, line=take_back(part.line)) for part in _parts(correction.reversed_lines, before)]
    for part in (*taken_back, *_parts(correction.added_lines, after)):
        yield _row(correction.record, part, period, charge_class="Correction", idle_cost=None, saved=None)


def _parts(lines: Iterable[CostLine], revision: HourRevision | None) -> Iterator[LinePart]:
    """Take lines apart by the instances of the revision they stand in."""
    charges = charges_by_line(() if revision is None else revision.instances)
    numbers: dict[CostLine, list[int]] = {}
    for number, line in enumerate(() if revision is None else revision.record.lines):
        numbers.setdefault(line, []).append(number)
    for line in lines:
        found = numbers.get(line)
        yield from parts_of_line(line, charges.get(found.pop(0), ()) if found else ())


def idle_shares(record: HourRecord, parts: Sequence[LinePart]) -> list[Decimal | None]:
    """Return the idle cost of each part; they add up to the hour's to the last digit."""
    if record.idle is None or not parts:
        return [None] * len(parts)
    share = record.idle.share
    with localcontext(prec=60):
        costs = [(part.line.effective_cost_usd * share).quantize(_IDLE_SCALE) for part in parts[:-1]]
    last = exact_sum([record.idle.cost_usd, *(cost.copy_negate() for cost in costs)])
    return [*costs, last]


def cluster_arn(record: HourRecord) -> str:
    """Return the cluster's ARN; the partition follows from the region."""
    partition = "aws-cn" if record.region.startswith("cn-") else "aws"
    partition = "aws-us-gov" if record.region.startswith("us-gov-") else partition
    return f"arn:{partition}:elasticmapreduce:{record.region}:{record.account_id}:cluster/{record.cluster_id}"


def _resource(record: HourRecord, part: LinePart) -> tuple[str, str | None, str]:
    """Return id, name and type of what a row is for."""
    if part.instance is None:
        return cluster_arn(record), record.cluster_name or record.cluster_id, "EMR cluster"
    instance_id = part.instance.ec2_instance_id
    if part.volume is None:
        return instance_id, None, "EC2 instance"
    ids = part.instance.volume_ids
    # Volumes of an instance that nobody saw in EC2 have no known id: they are told apart all the same.
    known = part.volume < len(ids)
    return ids[part.volume] if known else f"{instance_id}/volume-{part.volume}", None, "EBS volume"


def _row(
    record: HourRecord,
    part: LinePart,
    period: tuple[datetime, datetime],
    *,
    charge_class: str | None,
    idle_cost: Decimal | None,
    saved: HourRecord | None,
) -> FocusRow:
    line = part.line
    resource_id, resource_name, resource_type = _resource(record, part)
    service, category, subcategory, pricing = _SERVICES[line.component]
    return FocusRow(
        availability_zone=None if part.instance is None else part.instance.availability_zone or None,
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
            f"{_WORDS[line.component]} {line.item}, {line.role.lower()} {owner_in_words(line.group_id)} "
            f"of cluster {record.cluster_id}"
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
        resource_id=resource_id,
        resource_name=resource_name,
        resource_type=resource_type,
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
        x_scaling_saving=None if saved is None else saved.scaling_saving_usd,
        x_reaping_saving=None if saved is None else saved.reaping_saving_usd,
        x_effective_unit_price=line.effective_unit_price_usd,
        x_price_source=line.price_source,
        x_assumptions="; ".join(record.assumptions),
    )


def _period(hour: datetime) -> tuple[datetime, datetime]:
    """Return the calendar month around an hour, UTC, half-open."""
    first = hour.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first, (first + timedelta(days=32)).replace(day=1)
