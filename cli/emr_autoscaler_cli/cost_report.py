"""Adds cost lines up by what finance asks for: exact, and rounded only when shown, so that rows add up."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from emr_autoscaler.domain.costs import CostLine, HourRecord, RecordStatus, exact_sum, spot_saving

HOUR = timedelta(hours=1)


class By(StrEnum):
    """What a row stands for."""

    CLUSTER = "cluster"
    GROUP = "group"
    COMPONENT = "component"
    COST_CENTRE = "cost-centre"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


Key = tuple[str, ...]

COLUMNS: Mapping[By, Key] = {
    By.CLUSTER: ("cluster_id", "cluster_name", "cost_centre"),
    By.GROUP: ("cluster_id", "group_id", "role", "market"),
    By.COMPONENT: ("component", "item"),
    By.COST_CENTRE: ("cost_centre",),
    By.HOUR: ("hour",),
    By.DAY: ("day",),
    By.MONTH: ("month", "cost_centre"),
}
"""Names of the parts of a row's key."""

_KEYS: Mapping[By, Callable[[HourRecord, CostLine], Key]] = {
    By.CLUSTER: lambda record, _line: (record.cluster_id, record.cluster_name, record.cost_centre),
    By.GROUP: lambda record, line: (record.cluster_id, line.group_id, line.role.value, line.market.value),
    By.COMPONENT: lambda _record, line: (line.component.value, line.item),
    By.COST_CENTRE: lambda record, _line: (record.cost_centre,),
    By.HOUR: lambda record, _line: (f"{record.hour.astimezone(UTC):%Y-%m-%dT%HZ}",),
    By.DAY: lambda record, _line: (f"{record.hour.astimezone(UTC):%Y-%m-%d}",),
    By.MONTH: lambda record, _line: (f"{record.hour.astimezone(UTC):%Y-%m}", record.cost_centre),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row.

    Attributes:
        key: As ``COLUMNS`` names its parts.
        effective_cost_usd: What is expected to be paid, exact.
        contracted_cost_usd: After configured discounts, exact.
        list_cost_usd: The same at on-demand rates, exact.
        spot_saving_usd: List less effective of spot instances, exact.
        scaling_saving_usd: Estimate of what task nodes that did not run would have cost; None where a row is only
            a part of its hours, for it was saved by the whole of them.
        reaping_saving_usd: Estimate of what ended idle clusters would have gone on costing; None likewise.
        status: ESTIMATED, RECONCILED, or MIXED.
    """

    key: Key
    effective_cost_usd: Decimal
    contracted_cost_usd: Decimal
    list_cost_usd: Decimal
    spot_saving_usd: Decimal
    scaling_saving_usd: Decimal | None
    reaping_saving_usd: Decimal | None
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is shown.

    Attributes:
        by: What a row stands for.
        start: Begin of the window, UTC, included.
        end: End of the window, UTC, not included.
        rows: Sorted by key.
        total: Of all rows; its key is empty.
        cluster_hours: How many records were added up.
    """

    by: By
    start: datetime
    end: datetime
    rows: tuple[Row, ...]
    total: Row
    cluster_hours: int


def add_up(records: Iterable[HourRecord], by: By, start: datetime, end: datetime) -> Report:
    """Add up the hours that begin in [start, end)."""
    within = [record for record in records if start <= record.hour < end]
    parts: dict[Key, list[tuple[HourRecord, CostLine]]] = {}
    for record in within:
        for line in record.lines:
            parts.setdefault(_KEYS[by](record, line), []).append((record, line))
    whole = by not in {By.GROUP, By.COMPONENT}
    rows = tuple(_row(key, parts[key], whole_hours=whole) for key in sorted(parts))
    everything = [part for lines in parts.values() for part in lines]
    return Report(
        by=by,
        start=start,
        end=end,
        rows=rows,
        total=_row((), everything, whole_hours=True),
        cluster_hours=len(within),
    )


def months(start: datetime, end: datetime) -> Iterator[str]:
    """Yield the months (2026-10) that [start, end) touches, in UTC."""
    moment = start.astimezone(UTC)
    while moment < end:
        yield f"{moment:%Y-%m}"
        first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        moment = (first + timedelta(days=32)).replace(day=1)


def _row(key: Key, parts: Sequence[tuple[HourRecord, CostLine]], *, whole_hours: bool) -> Row:
    hours = {id(record): record for record, _line in parts}.values()
    statuses = {record.status for record, _line in parts} or {RecordStatus.ESTIMATED}
    return Row(
        key=key,
        effective_cost_usd=exact_sum(line.effective_cost_usd for _record, line in parts),
        contracted_cost_usd=exact_sum(line.contracted_cost_usd for _record, line in parts),
        list_cost_usd=exact_sum(line.list_cost_usd for _record, line in parts),
        spot_saving_usd=spot_saving(line for _record, line in parts),
        scaling_saving_usd=exact_sum(r.scaling_saving_usd for r in hours) if whole_hours else None,
        reaping_saving_usd=exact_sum(r.reaping_saving_usd for r in hours) if whole_hours else None,
        status=statuses.pop().value if len(statuses) == 1 else "MIXED",
    )
