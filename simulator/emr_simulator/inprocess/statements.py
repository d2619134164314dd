"""Finance's files in memory: the rows and statements as they were handed over."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from emr_autoscaler.domain.focus import FocusRow
from emr_autoscaler.domain.statement import Statement


class MemoryStatements:
    """Implements ``ports.Statements``."""

    def __init__(self) -> None:
        self.days: dict[tuple[str, str, date], tuple[FocusRow, ...]] = {}
        self._written_at: dict[tuple[str, str, date], datetime] = {}
        self.statements: dict[tuple[str, str, str], Statement] = {}
        self._issued: set[tuple[str, str]] = set()

    def put_focus_day(
        self, account_id: str, region: str, day: date, rows: Iterable[FocusRow], *, written_at: datetime
    ) -> str:
        """Keep the export of one UTC day."""
        self.days[account_id, region, day] = tuple(rows)
        self._written_at[account_id, region, day] = written_at
        return f"memory://focus/{account_id}/{region}/{day}"

    def focus_day_written_at(self, account_id: str, region: str, day: date) -> datetime | None:
        """Return as of when the export of a day was kept, or None where it was not."""
        return self._written_at.get((account_id, region, day))

    def put_statement(self, statement: Statement) -> str:
        """Keep a statement."""
        self.statements[statement.account_id, statement.month, statement.cost_centre] = statement
        return f"memory://statements/{statement.account_id}/{statement.month}/{statement.cost_centre}"

    def put_index(self, account_id: str, month: str, statements: Sequence[Statement]) -> str:
        """Mark a month as issued."""
        del statements
        self._issued.add((account_id, month))
        return f"memory://statements/{account_id}/{month}"

    def is_issued(self, account_id: str, month: str) -> bool:
        """Return whether a month is marked as issued."""
        return (account_id, month) in self._issued
