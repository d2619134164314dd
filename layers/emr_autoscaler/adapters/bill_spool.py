"""Amounts of a bill added up by day on disk, so that a month of them is never held in memory."""

import csv
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from emr_autoscaler.domain.costs import exact_sum
from emr_autoscaler.domain.price_book import Component
from emr_autoscaler.domain.reconciliation import BilledAmount, BillKey

KEYS_IN_MEMORY = 20_000
"""Amounts of so many cluster-hours and components are added up before they go to disk: about 20 MB."""


class BillSpool:
    """Takes amounts in any order and gives them back day by day, added up; use it in a ``with`` block.

    Args:
        keys_in_memory: How many amounts are held before they are written.
    """

    def __init__(self, *, keys_in_memory: int = KEYS_IN_MEMORY) -> None:
        self._limit = keys_in_memory
        self._held: dict[BillKey, BilledAmount] = {}
        self._resources = ExitStack()
        self._folder: Path | None = None
        self._files: dict[date, TextIO] = {}

    def __enter__(self) -> Self:
        """Make the folder."""
        self._folder = Path(self._resources.enter_context(tempfile.TemporaryDirectory(prefix="bill-")))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove it."""
        self._resources.close()

    def add(self, key: BillKey, usd: Decimal, source: str) -> None:
        """Add one line's amount; a key keeps the first source that named it."""
        _add(self._held, key, BilledAmount(effective_usd=usd, line_items=1, source=source))
        if len(self._held) >= self._limit:
            self._write()

    def days(self) -> Iterator[tuple[date, Mapping[BillKey, BilledAmount]]]:
        """Yield every day that has amounts, in order."""
        self._write()
        for day, file in sorted(self._files.items()):
            file.seek(0)
            amounts: dict[BillKey, BilledAmount] = {}
            for cluster_id, hour, component, usd, line_items, source in csv.reader(file):
                key = BillKey(
                    cluster_id=cluster_id, hour=datetime.fromisoformat(hour), component=Component(component)
                )
                amount = BilledAmount(effective_usd=Decimal(usd), line_items=int(line_items), source=source)
                _add(amounts, key, amount)
            yield day, amounts

    def _write(self) -> None:
        for key, amount in self._held.items():
            row = (key.cluster_id, key.hour.isoformat(), key.component.value)
            csv.writer(self._file(key.hour.astimezone(UTC).date())).writerow(
                (*row, amount.effective_usd, amount.line_items, amount.source)
            )
        self._held.clear()

    def _file(self, day: date) -> TextIO:
        if day not in self._files:
            if self._folder is None:
                msg = "the spool is used outside of its with block"
                raise RuntimeError(msg)
            path = self._folder / f"{day}.csv"
            self._files[day] = self._resources.enter_context(path.open("w+", newline="", encoding="utf-8"))
        return self._files[day]


def _add(amounts: dict[BillKey, BilledAmount], key: BillKey, more: BilledAmount) -> None:
    known = amounts.get(key)
    amounts[key] = (
        more
        if known is None
        else BilledAmount(
            effective_usd=exact_sum((known.effective_usd, more.effective_usd)),
            line_items=known.line_items + more.line_items,
            source=known.source,
        )
    )
