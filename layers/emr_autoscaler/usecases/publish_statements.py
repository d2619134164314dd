"""Publish what finance reads: the daily FOCUS export, and each month's statements once the month is closed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from emr_autoscaler.domain.cost_history import MonthClose
from emr_autoscaler.domain.costs import MonthTotal
from emr_autoscaler.domain.focus import FocusRow, rows_of_hour
from emr_autoscaler.domain.statement import Statement, StatementSums
from emr_autoscaler.ports import Clock, Costs, Notification, Notifier, Statements
from emr_autoscaler.usecases.hour_history import correction_rows, with_instances

RESTATED_DAYS = 3
"""Each export covers the last days again: hours are restated within hours, seldom within days."""

CLOSES_ON_DAY = 3
"""A month is closed on this day of the next one: every restatement known in the ordinary way is in by then."""

_DAY = timedelta(days=1)
_LISTED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What one run wrote.

    Attributes:
        files: Where the exports that had to be written lie, oldest day first.
        closed_month: The month whose statements were issued; None on most days.
        statements: How many.
    """

    files: tuple[str, ...]
    closed_month: str | None = None
    statements: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishStatements:
    """Writes the exports of the last days, and closes and issues the last month when it is time."""

    clock: Clock
    costs: Costs
    statements: Statements
    notifier: Notifier
    account_id: str
    region: str

    def __call__(self) -> Published:
        """Publish everything that is due; repeating it replaces files with the same content."""
        today = self.clock.now().astimezone(UTC).date()
        month = (today.replace(day=1) - _DAY).strftime("%Y-%m")
        due = today.day >= CLOSES_ON_DAY and self._has_to_be_issued(month)
        days = _days_of(month) if due else []
        days += [today - n * _DAY for n in range(RESTATED_DAYS, 0, -1)]
        if due:  # before anything is written: what is told afterwards cannot move any more
            closing = MonthClose(account_id=self.account_id, month=month, closed_at=self.clock.now())
            self.costs.close_month(closing)
        files = tuple(place for day in sorted(set(days)) if (place := self._export(day)) is not None)
        issued = self._issue(month) if due else []
        return Published(files=files, closed_month=month if due else None, statements=len(issued))

    def _has_to_be_issued(self, month: str) -> bool:
        """Whether anything was recorded in a month and its statements are not complete yet."""
        if self.statements.is_issued(self.account_id, month):
            return False
        return bool(self.costs.month_totals(month))

    def _export(self, day: date) -> str | None:
        """Write the export of a day, unless nothing was recorded or booked since it was written."""
        written_at = self.statements.focus_day_written_at(self.account_id, self.region, day)
        if written_at is not None and not self._moved_since(day, written_at):
            return None
        return self.statements.put_focus_day(
            self.account_id, self.region, day, self._rows(day), written_at=self.clock.now()
        )

    def _moved_since(self, day: date, written_at: datetime) -> bool:
        if written_at.astimezone(UTC).date() <= day:
            return True  # written before the day was over
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return any(
            record.recorded_at >= written_at
            for number in range(24)
            for record in self.costs.hours_of_account(
                self.account_id,
                f"{start:%Y-%m}",
                start=start + timedelta(hours=number),
                end=start + timedelta(hours=number + 1),
            )
        )

    def _rows(self, day: date) -> Iterator[FocusRow]:
        """Yield the rows of a day hour by hour, then the corrections booked on it."""
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        month = f"{start:%Y-%m}"
        for number in range(24):
            hour = start + timedelta(hours=number)
            end = hour + timedelta(hours=1)
            for record in self.costs.hours_of_account(self.account_id, month, start=hour, end=end):
                yield from rows_of_hour(with_instances(self.costs, record))
        for correction in self.costs.corrections_of_account(self.account_id, month):
            if correction.record.recorded_at.astimezone(UTC).date() == day:
                yield from correction_rows(self.costs, correction)

    def _issue(self, month: str) -> list[Statement]:
        totals = self.costs.month_totals(month)
        issued, places = [], []
        for total in totals:
            statement = self._statement(total)
            places.append(self.statements.put_statement(statement))
            issued.append(statement)
        self._announce(month, issued, places)
        self.statements.put_index(self.account_id, month, issued)
        return issued

    def _statement(self, total: MonthTotal) -> Statement:
        sums = StatementSums()
        for day in _days_of(total.month):
            start = datetime(day.year, day.month, day.day, tzinfo=UTC)
            hours = self.costs.hours_of_cost_centre(total.cost_centre, total.month, start=start, end=start + _DAY)
            for record in hours:
                sums.add(record)
        return sums.statement(
            total.cost_centre,
            total.month,
            account_id=self.account_id,
            issued_at=self.clock.now(),
            corrections=self.costs.corrections_of_cost_centre(total.cost_centre, total.month),
            rollup_usd=total.effective_cost_usd,
        )

    def _announce(self, month: str, issued: list[Statement], places: list[str]) -> None:
        """Tell people before the month is marked as issued: told twice at worst, never not at all."""
        lines = [
            f"{statement.cost_centre}: {_shown(statement.due_usd)} USD, {statement.status.lower()}, {place}"
            for statement, place in list(zip(issued, places, strict=True))[:_LISTED]
        ]
        if len(issued) > _LISTED:
            lines.append(f"and {len(issued) - _LISTED} more cost centres")
        wrong = [s.cost_centre for s in issued if s.rollup_usd != s.total.effective_cost_usd]
        if wrong:
            lines.append(f"Does not equal its rollup and has to be looked at: {', '.join(wrong)}.")
        if issued:
            self.notifier.notify(
                Notification(
                    subject=f"EMR cost statements of {month}",
                    body="\n".join(
                        [
                            f"The month {month} (UTC) of account {self.account_id} is closed; its statements:",
                            *lines,
                            "Later facts are booked as corrections in the month they become known.",
                        ]
                    ),
                    attributes={"kind": "STATEMENT", "severity": "warning" if wrong else "info"},
                )
            )


def _days_of(month: str) -> list[date]:
    year, number = (int(part) for part in month.split("-"))
    first = date(year, number, 1)
    following = (first + timedelta(days=32)).replace(day=1)
    return [first + n * _DAY for n in range((following - first).days)]


def _shown(amount: Decimal) -> str:
    return f"{amount.quantize(Decimal('0.01')):,f}"
