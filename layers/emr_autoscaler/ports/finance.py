"""What finance keeps and reads: cost records, budgets, statements, the billing export."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from emr_autoscaler.domain.budgets import Budget
from emr_autoscaler.domain.cost_history import Correction, HourRevision, InstanceCharges, MonthClose
from emr_autoscaler.domain.costs import HourRecord, MonthTotal
from emr_autoscaler.domain.focus import FocusRow
from emr_autoscaler.domain.price_book import Price, PriceKey
from emr_autoscaler.domain.reconciliation import BilledAmount, BillKey
from emr_autoscaler.domain.statement import Statement


class Costs(Protocol):
    """Cost records. Retained; finance reads them."""

    def get_hour(self, account_id: str, region: str, cluster_id: str, hour: datetime) -> HourRecord | None:
        """Return the latest revision of a cluster-hour, corrections included."""
        ...

    def put_hour(self, record: HourRecord, instances: Sequence[InstanceCharges] = ()) -> HourRecord:
        """Write an hour with its history and move its rollup by the difference, in one transaction.

        Writing what is already stored changes nothing. An hour of a closed month stays as it is: the
        difference is booked as a correction in the month of ``recorded_at``. Returns the record as
        stored, with its revision. Raises ConflictError where somebody wrote the hour in between.
        """
        ...

    def revisions(
        self, account_id: str, region: str, cluster_id: str, hour: datetime, *, latest_only: bool = False
    ) -> tuple[HourRevision, ...]:
        """Return every revision of an hour with its instances, or the latest one only, oldest first."""
        ...

    def close_month(self, close: MonthClose) -> MonthClose:
        """Close a month of an account, or return how it was closed before: once closed it stays."""
        ...

    def month_close(self, account_id: str, month: str) -> MonthClose | None:
        """Return when a month (2026-10) of an account was closed, or None while it is open."""
        ...

    def corrections_of_cost_centre(self, cost_centre: str, month: str) -> tuple[Correction, ...]:
        """Return the corrections booked for a cost centre in a month (2026-11), by corrected hour."""
        ...

    def corrections_of_account(self, account_id: str, month: str) -> tuple[Correction, ...]:
        """Return the corrections booked in an account and month (2026-11), by corrected hour."""
        ...

    def hours_of_cluster(
        self,
        account_id: str,
        region: str,
        cluster_id: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> tuple[HourRecord, ...]:
        """Return a cluster's hours in [start, end) as they were booked, oldest first."""
        ...

    def hours_of_cost_centre(
        self, cost_centre: str, month: str, *, start: datetime | None = None, end: datetime | None = None
    ) -> tuple[HourRecord, ...]:
        """Return the hours of a cost centre in a month (2026-10) and in [start, end), oldest first."""
        ...

    def hours_of_account(
        self, account_id: str, month: str, *, start: datetime | None = None, end: datetime | None = None
    ) -> tuple[HourRecord, ...]:
        """Return the hours of an account in a month (2026-10) and in [start, end), oldest first."""
        ...

    def month_totals(self, month: str) -> tuple[MonthTotal, ...]:
        """Return the rollups of every cost centre in a month (2026-10), by name."""
        ...

    def month_total(self, cost_centre: str, month: str) -> MonthTotal | None:
        """Return the rollup of a cost centre and month (2026-10), or None."""
        ...

    def put_prices(self, prices: Sequence[Price]) -> None:
        """Add prices to the price book; the same key and date replaces."""
        ...

    def prices(self, keys: Sequence[PriceKey], *, start: datetime, end: datetime) -> tuple[Price, ...]:
        """Return every price of ``keys`` in force at some time in [start, end)."""
        ...


class BillingExport(Protocol):
    """AWS's own bill, as its export tells it."""

    def days(self, month: str) -> Iterator[tuple[date, Mapping[BillKey, BilledAmount]]]:
        """Yield what a month (2026-10) was billed by cluster, hour and component, a UTC day at a time, in order.

        Days without lines are left out; without an export there are none. The month is never held in memory.

        Raises:
            InvalidInputError: The export lacks a column that is needed; names it.
        """
        ...


class Budgets(Protocol):
    """Budgets of cost centres, and what people were told of them."""

    def all(self) -> tuple[Budget, ...]:
        """Return every budget. Raises InvalidPolicyError where the document cannot be used."""
        ...

    def told(self, cost_centre: str, month: str) -> frozenset[str]:
        """Return the thresholds that people were told of."""
        ...

    def note_told(self, cost_centre: str, month: str, thresholds: frozenset[str]) -> None:
        """Note the thresholds that people were told of."""
        ...


class Statements(Protocol):
    """Files for finance: the FOCUS export and the monthly statements. Writing one again replaces it."""

    def put_focus_day(
        self, account_id: str, region: str, day: date, rows: Iterable[FocusRow], *, written_at: datetime
    ) -> str:
        """Write the export of one UTC day as it was known at ``written_at``; return where it lies."""
        ...

    def focus_day_written_at(self, account_id: str, region: str, day: date) -> datetime | None:
        """Return as of when the export of a day was written, or None where it was not."""
        ...

    def put_statement(self, statement: Statement) -> str:
        """Write a statement as CSV and as a page that prints; return where the page lies."""
        ...

    def put_index(self, account_id: str, month: str, statements: Sequence[Statement]) -> str:
        """Write the page that lists a month's statements, last of all: it marks the month as issued."""
        ...

    def is_issued(self, account_id: str, month: str) -> bool:
        """Return whether the index of a month has been written."""
        ...
