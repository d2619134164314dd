"""What of an hour's cost was for idle capacity, measured from YARN's memory; nothing is guessed here."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal, localcontext

from emr_autoscaler.domain.costs import BilledInstance, CostLine, IdleFigure, exact_sum
from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName, MetricPoint

HOUR = timedelta(hours=1)
SHARE_SCALE = Decimal("1e-9")
COST_SCALE = Decimal("1e-12")

LEAST_COVERED = Decimal("0.5")
"""Samples must speak for half of the time the cluster had instances in the hour; less is no basis."""


def idle_figure(
    hour: datetime,
    lines: Sequence[CostLine],
    instances: Sequence[BilledInstance],
    metrics: ClusterMetrics | None,
) -> IdleFigure | None:
    """Return the idle cost of an hour, or None where the metrics do not carry it.

    Args:
        hour: Its start.
        lines: The hour's cost lines.
        instances: The instances billed in it: they bound the time that samples have to speak for.
        metrics: MemoryTotalMB and MemoryAllocatedMB of at least this hour.
    """
    if metrics is None or not lines:
        return None
    pairs = _pairs(hour, metrics)
    lived_seconds = _lived_seconds(hour, instances)
    spoken_seconds = len(pairs) * int(metrics.period.total_seconds())
    if not pairs or spoken_seconds < LEAST_COVERED * lived_seconds:
        return None
    total = sum(total for total, _ in pairs)
    idle = sum(max(0, total - allocated) for total, allocated in pairs)
    with localcontext(prec=60):
        share = (Decimal(idle) / Decimal(total)).quantize(SHARE_SCALE)
        cost = (exact_sum(line.effective_cost_usd for line in lines) * share).quantize(COST_SCALE)
    basis = f"YARN memory not allocated, mean of {len(pairs)} samples"
    return IdleFigure(share=share, cost_usd=cost, basis=basis)


def _pairs(hour: datetime, metrics: ClusterMetrics) -> list[tuple[int, int]]:
    """Return total and allocated MiB of the samples in the hour that have both, and some memory."""
    total = _whole_mib(metrics.series.get(MetricName.MEMORY_TOTAL_MIB, ()), hour)
    allocated = _whole_mib(metrics.series.get(MetricName.MEMORY_ALLOCATED_MIB, ()), hour)
    return [(total[at], allocated[at]) for at in sorted(total) if at in allocated and total[at] > 0]


def _whole_mib(points: Sequence[MetricPoint], hour: datetime) -> dict[datetime, int]:
    """Return samples in whole MiB: this is where measurements end and money begins."""
    return {point.at: round(point.value) for point in points if hour <= point.at < hour + HOUR}


def _lived_seconds(hour: datetime, instances: Sequence[BilledInstance]) -> int:
    starts = [max(hour, i.started_at) for i in instances]
    ends = [hour + HOUR if i.ended_at is None else min(hour + HOUR, i.ended_at) for i in instances]
    if not starts:
        return 0
    return max(0, (max(ends) - min(starts)) // timedelta(seconds=1))
