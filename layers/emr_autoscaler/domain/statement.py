"""What one cost centre is charged for one month, added up for people: by cluster, component and day."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from emr_autoscaler.domain.cost_history import Correction
from emr_autoscaler.domain.costs import CostLine, HourRecord, RecordStatus, exact_sum


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """One row of one table of a statement; amounts are exact.

    Attributes:
        key: What the row stands for.
        label: The same for people; empty where the key says it all.
        cluster_hours: How many cluster-hours have a part in it.
    """

    key: str
    label: str = ""
    cluster_hours: int
    effective_cost_usd: Decimal
    contracted_cost_usd: Decimal
    list_cost_usd: Decimal
    spot_saving_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A month of a cost centre. Every table adds up to ``total``; ``due_usd`` adds the corrections.

    Attributes:
        cost_centre: Who is charged.
        month: 2026-10, UTC.
        account_id: AWS account.
        issued_at: When it was made.
        total: Of the month's own hours.
        by_cluster: Sorted by cost, dearest first.
        by_component: By name.
        by_day: In order.
        idle_cost_usd: Of the hours whose idle cost is known.
        hours_with_idle: How many those are.
        scaling_saving_usd: Of the month's own hours; an estimate.
        reaping_saving_usd: Of the month's own hours; an estimate.
        instances_replaced: Task instances that AWS took back and that were ordered anew.
        hours_reconciled: How many hours the bill has proven.
        corrections: Booked in this month for hours of closed months.
        assumptions: Everything configured rather than known that touched a figure.
        rollup_usd: What the table's rollup says of the month's own hours: it must equal the total.
    """

    cost_centre: str
    month: str
    account_id: str
    issued_at: datetime
    total: StatementRow
    by_cluster: tuple[StatementRow, ...]
    by_component: tuple[StatementRow, ...]
    by_day: tuple[StatementRow, ...]
    idle_cost_usd: Decimal
    hours_with_idle: int
    scaling_saving_usd: Decimal
    reaping_saving_usd: Decimal
    instances_replaced: int
    hours_reconciled: int
    corrections: tuple[Correction, ...]
    assumptions: tuple[str, ...]
    rollup_usd: Decimal

    @property
    def correction_usd(self) -> Decimal:
        """Sum of the corrections, exact."""
        return exact_sum(correction.effective_cost_usd for correction in self.corrections)

    @property
    def due_usd(self) -> Decimal:
        """What the cost centre is charged, exact."""
        return exact_sum((self.total.effective_cost_usd, self.correction_usd))

    @property
    def status(self) -> str:
        """ESTIMATED, RECONCILED, or MIXED where only some hours are proven."""
        if self.hours_reconciled == 0:
            return RecordStatus.ESTIMATED.value
        return RecordStatus.RECONCILED.value if self.hours_reconciled == self.total.cluster_hours else "MIXED"


@dataclass(slots=True)
class _Sum:
    label: str = ""
    cluster_hours: int = 0
    amounts: tuple[Decimal, Decimal, Decimal, Decimal] = (Decimal(0), Decimal(0), Decimal(0), Decimal(0))

    def add(self, lines: Iterable[CostLine], saving: Decimal, label: str) -> None:
        lines = tuple(lines)
        self.label = label
        self.cluster_hours += 1
        effective, contracted, at_list, saved = self.amounts
        self.amounts = (
            exact_sum((effective, *(line.effective_cost_usd for line in lines))),
            exact_sum((contracted, *(line.contracted_cost_usd for line in lines))),
            exact_sum((at_list, *(line.list_cost_usd for line in lines))),
            exact_sum((saved, saving)),
        )

    def row(self, key: str) -> StatementRow:
        effective, contracted, at_list, saved = self.amounts
        return StatementRow(
            key=key,
            label=self.label,
            cluster_hours=self.cluster_hours,
            effective_cost_usd=effective,
            contracted_cost_usd=contracted,
            list_cost_usd=at_list,
            spot_saving_usd=saved,
        )


@dataclass(slots=True)
class StatementSums:
    """Adds hours up one by one, so that a month never has to be held in memory."""

    _total: _Sum = field(default_factory=_Sum)
    _clusters: dict[str, _Sum] = field(default_factory=dict)
    _components: dict[str, _Sum] = field(default_factory=dict)
    _days: dict[str, _Sum] = field(default_factory=dict)
    _idle_usd: Decimal = Decimal(0)
    _hours_with_idle: int = 0
    _scaling_usd: Decimal = Decimal(0)
    _reaping_usd: Decimal = Decimal(0)
    _replaced: int = 0
    _hours_reconciled: int = 0
    _assumptions: set[str] = field(default_factory=set)

    def add(self, record: HourRecord) -> None:
        """Add one hour."""
        saving = record.spot_saving_usd
        self._total.add(record.lines, saving, "")
        self._clusters.setdefault(record.cluster_id, _Sum()).add(record.lines, saving, record.cluster_name)
        self._days.setdefault(f"{record.hour:%Y-%m-%d}", _Sum()).add(record.lines, saving, "")
        by_component: dict[str, list[CostLine]] = {}
        for line in record.lines:
            by_component.setdefault(line.component.value, []).append(line)
        for component, lines in by_component.items():
            part = saving if component == "EC2_SPOT" else Decimal(0)
            self._components.setdefault(component, _Sum()).add(lines, part, "")
        if record.idle is not None:
            self._idle_usd = exact_sum((self._idle_usd, record.idle.cost_usd))
            self._hours_with_idle += 1
        self._scaling_usd = exact_sum((self._scaling_usd, record.scaling_saving_usd))
        self._reaping_usd = exact_sum((self._reaping_usd, record.reaping_saving_usd))
        self._replaced += record.instances_replaced
        self._hours_reconciled += record.status is RecordStatus.RECONCILED
        self._assumptions.update(record.assumptions)

    def statement(
        self,
        cost_centre: str,
        month: str,
        *,
        account_id: str,
        issued_at: datetime,
        corrections: tuple[Correction, ...],
        rollup_usd: Decimal,
    ) -> Statement:
        """Return the statement of what was added."""
        dearest_first = sorted(_rows(self._clusters), key=lambda row: (-row.effective_cost_usd, row.key))
        return Statement(
            cost_centre=cost_centre,
            month=month,
            account_id=account_id,
            issued_at=issued_at,
            total=self._total.row("total"),
            by_cluster=tuple(dearest_first),
            by_component=_rows(self._components),
            by_day=_rows(self._days),
            idle_cost_usd=self._idle_usd,
            hours_with_idle=self._hours_with_idle,
            scaling_saving_usd=self._scaling_usd,
            reaping_saving_usd=self._reaping_usd,
            instances_replaced=self._replaced,
            hours_reconciled=self._hours_reconciled,
            corrections=corrections,
            assumptions=tuple(sorted(self._assumptions)),
            rollup_usd=rollup_usd,
        )


def _rows(sums: Mapping[str, _Sum]) -> tuple[StatementRow, ...]:
    return tuple(sums[key].row(key) for key in sorted(sums))
