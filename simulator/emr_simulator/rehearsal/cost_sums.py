"""Sums over cost records: by hour, group, component and market, and what a static cluster would have cost."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from emr_autoscaler.domain.cluster import Role
from emr_autoscaler.domain.costs import CostLine, HourRecord, exact_sum
from emr_autoscaler.domain.price_book import Component
from emr_simulator.rehearsal.timeline import ClusterMoment


def total(hours: Iterable[HourRecord]) -> Decimal:
    """Return what hours cost together, exact."""
    return exact_sum(record.effective_cost_usd for record in hours)


def usd_per_hour(hours: Sequence[HourRecord], moment: ClusterMoment) -> Decimal:
    """Return what the running nodes cost in an hour, each at its group's recorded cost per node-hour."""
    lines = [line for record in hours for line in record.lines]
    return sum((usd_per_node_hour(lines, group.group_id) * group.running for group in moment.groups), Decimal(0))


def usd_per_node_hour(lines: Sequence[CostLine], group_id: str) -> Decimal:
    """Return what a node of a group cost in an hour, all components together; 0 where it never ran."""
    own = [line for line in lines if line.group_id == group_id]
    node_hours = sum((line.quantity for line in own if line.component is Component.EMR_FEE), Decimal(0))
    return exact_sum(line.effective_cost_usd for line in own) / node_hours if node_hours else Decimal(0)


def static_usd(recorded: Decimal, scaled: Sequence[HourRecord], maximum: int) -> Decimal:
    """Return the cost with the task nodes at their maximum all along.

    Task nodes are replaced by as many of the master's kind, on demand, for as long as the master ran:
    its own lines say what a node-hour costs.
    """
    lines = [line for record in scaled for line in record.lines]
    masters = [line for line in lines if line.role is Role.MASTER]
    if not masters:
        return recorded
    task = exact_sum(line.effective_cost_usd for line in lines if line.role is Role.TASK)
    return recorded - task + maximum * exact_sum(line.effective_cost_usd for line in masters)


def node_hours(records: Iterable[HourRecord]) -> dict[str, Decimal]:
    """Return node-hours by market: every node pays the EMR fee for as long as it is there."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for record in records:
        for line in record.lines:
            if line.component is Component.EMR_FEE:
                sums[line.market.value] += line.quantity
    return dict(sums)


def group_costs(
    hours: Mapping[str, Sequence[HourRecord]], labels: Mapping[str, str]
) -> dict[tuple[str, str, datetime], Decimal]:
    """Return USD by (cluster, group in words, hour)."""
    sums: defaultdict[tuple[str, str, datetime], Decimal] = defaultdict(Decimal)
    for cluster, records in hours.items():
        for record in records:
            for line in record.lines:
                label = labels.get(line.group_id, line.group_id)
                sums[cluster, label, record.hour] += line.effective_cost_usd
    return dict(sums)


def component_costs(records: Iterable[HourRecord]) -> dict[tuple[datetime, str], Decimal]:
    """Return USD by (hour, component), all clusters together."""
    sums: defaultdict[tuple[datetime, str], Decimal] = defaultdict(Decimal)
    for record in records:
        for line in record.lines:
            sums[record.hour, line.component.value] += line.effective_cost_usd
    return dict(sums)
