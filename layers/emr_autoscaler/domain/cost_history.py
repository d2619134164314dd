"""How an hour came to its figures: what each instance was billed, every revision, corrections of closed months."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from emr_autoscaler.domain.costs import BilledInstance, CostLine, HourRecord, exact_sum


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """The part of one instance in one line.

    Attributes:
        line: Position of the line in the hour's lines, from 0: component, price and source are there.
        seconds: Billed seconds.
        units: What each second counts for: 1 for hours, GiB (or IOPS, MiB/s) for volumes.
        volume: Position of the volume among the instance's, the root volume first; None for an instance's hours.
        used_seconds: Seconds of use, where the minimum of a minute made them fewer than were billed.
    """

    line: int
    seconds: int
    units: Decimal
    volume: int | None = None
    used_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceCharges:
    """One instance in one hour: the facts it was billed from, and its part in each line."""

    instance: BilledInstance
    charges: tuple[Charge, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HourBill:
    """An hour computed from facts.

    Attributes:
        lines: As they are recorded.
        instances: What each instance has to do with them; those that cost nothing are named as well.
    """

    lines: tuple[CostLine, ...]
    instances: tuple[InstanceCharges, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HourRevision:
    """One revision of an hour, as it was written, with the facts it was computed from."""

    record: HourRecord
    instances: tuple[InstanceCharges, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthClose:
    """A month of an account that finance has been told as final: nothing in it moves any more."""

    account_id: str
    month: str
    closed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What later facts changed of an hour whose month was closed; it is booked in a later month.

    Attributes:
        record: The hour as it is known now.
        month: The open month in which the difference is booked: 2026-11.
        reversed_lines: Lines that no longer hold; their costs are taken back.
        added_lines: Lines that hold instead.
    """

    record: HourRecord
    month: str
    reversed_lines: tuple[CostLine, ...]
    added_lines: tuple[CostLine, ...]

    @property
    def effective_cost_usd(self) -> Decimal:
        """What is booked, exact: it may be below zero."""
        return exact_sum(
            [
                *(line.effective_cost_usd for line in self.added_lines),
                *(line.effective_cost_usd.copy_negate() for line in self.reversed_lines),
            ]
        )


def next_revision(latest: HourRecord | None, record: HourRecord, *, closed: bool) -> HourRecord:
    """Return ``record`` with the number that follows what is stored; in a closed month its payer stays."""
    if latest is None:
        return replace(record, revision=1)
    cost_centre = latest.cost_centre if closed else record.cost_centre
    return replace(record, revision=latest.revision + 1, cost_centre=cost_centre)


def says_the_same(stored: HourRecord, record: HourRecord) -> bool:
    """Whether writing ``record`` over ``stored`` would change nothing but its number and date."""
    return stored == replace(record, revision=stored.revision, recorded_at=stored.recorded_at)


def correct(before: HourRecord | None, record: HourRecord, month: str) -> Correction:
    """Return what has to be booked in ``month`` so that a closed hour says what ``record`` says."""
    old, new = () if before is None else before.lines, record.lines
    return Correction(
        record=record, month=month, reversed_lines=_without(old, new), added_lines=_without(new, old)
    )


def take_back(line: CostLine) -> CostLine:
    """Return a line that cancels another: quantity and costs below zero at the same prices."""
    return replace(
        line,
        quantity=line.quantity.copy_negate(),
        list_cost_usd=line.list_cost_usd.copy_negate(),
        contracted_cost_usd=line.contracted_cost_usd.copy_negate(),
        effective_cost_usd=line.effective_cost_usd.copy_negate(),
    )


def _without(lines: Iterable[CostLine], others: Iterable[CostLine]) -> tuple[CostLine, ...]:
    """Return the lines that are not among the others, counting repetitions."""
    left = Counter(others)
    kept = []
    for line in lines:
        if left[line] > 0:
            left[line] -= 1
        else:
            kept.append(line)
    return tuple(kept)
