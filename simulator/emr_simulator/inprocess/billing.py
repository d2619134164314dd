"""AWS's bill and the budgets in memory, as a test or an experiment puts them there."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date

from emr_autoscaler.domain.budgets import Budget
from emr_autoscaler.domain.reconciliation import BilledAmount, BillKey


class MemoryBillingExport:
    """Implements ``ports.BillingExport``."""

    def __init__(self) -> None:
        self.months: dict[str, dict[BillKey, BilledAmount]] = {}

    def days(self, month: str) -> Iterator[tuple[date, Mapping[BillKey, BilledAmount]]]:
        """Yield what was put in for a month, day by day."""
        by_day: dict[date, dict[BillKey, BilledAmount]] = {}
        for key, amount in self.months.get(month, {}).items():
            by_day.setdefault(key.hour.astimezone(UTC).date(), {})[key] = amount
        yield from sorted(by_day.items())


class MemoryBudgets:
    """Implements ``ports.Budgets``."""

    def __init__(self) -> None:
        self.budgets: tuple[Budget, ...] = ()
        self._told: dict[tuple[str, str], frozenset[str]] = {}

    def all(self) -> tuple[Budget, ...]:
        """Return every budget."""
        return self.budgets

    def told(self, cost_centre: str, month: str) -> frozenset[str]:
        """Return the thresholds that people were told of."""
        return self._told.get((cost_centre, month), frozenset())

    def note_told(self, cost_centre: str, month: str, thresholds: frozenset[str]) -> None:
        """Note the thresholds that people were told of."""
        self._told[cost_centre, month] = thresholds
