"""Recorded spot markets: when one pool had no capacity and what it cost; replayed by spot.py."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby, pairwise
from pathlib import Path
from statistics import fmean, median

from emr_simulator.errors import TraceError

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """How long capacity was there and gone, in seconds."""

    mean_up_seconds: float
    median_up_seconds: float
    mean_down_seconds: float
    median_down_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotTrace:
    """One pool as it was recorded; past its end it begins again. Times are seconds from its start.

    Attributes:
        name: Of the recording.
        seconds: Its length.
        outages: [start, end) without capacity, in order, apart from each other.
        prices: (start, USD per hour) of each step, the first at 0.
        on_demand_usd: On-demand price of the recorded type, which scales prices to other types; where None, the
            mean recorded price is taken as the world's ``spot_discount``.
    """

    name: str
    seconds: int
    outages: tuple[Span, ...]
    prices: tuple[tuple[int, Decimal], ...]
    on_demand_usd: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse recordings that cannot be replayed."""
        if self.seconds < 1 or not self.prices or self.prices[0][0] != 0:
            msg = f"spot trace {self.name}: it needs a length, and a price from its first second on"
            raise ValueError(msg)
        edges = [edge for outage in self.outages for edge in outage]
        ordered = all(first < second for first, second in pairwise(edges))
        if not ordered or (edges and not 0 <= edges[0] < edges[-1] <= self.seconds):
            msg = f"spot trace {self.name}: outages must follow each other within the trace"
            raise ValueError(msg)

    def outages_from(self, second: int) -> Iterator[Span]:
        """Yield the outages that end after ``second``, without end where there are any."""
        turn = second // self.seconds
        while self.outages:
            for start, end in self.outages:
                if turn * self.seconds + end > second:
                    yield turn * self.seconds + start, turn * self.seconds + end
            turn += 1

    def prices_from(self, second: int) -> Iterator[tuple[int, Decimal]]:
        """Yield the price steps, that in force at ``second`` first, without end."""
        turn = second // self.seconds
        ends = [*(start for start, _ in self.prices[1:]), self.seconds]
        while True:
            for (start, usd), end in zip(self.prices, ends, strict=True):
                if turn * self.seconds + end > second:
                    yield turn * self.seconds + start, usd
            turn += 1

    def beginning_at(self, second: int) -> "SpotTrace":
        """Return the recording as it goes on from ``second`` (0 to its length), what came before at its end."""
        if second % self.seconds == 0:
            return self
        moved: list[Span] = []
        for start, end in self.outages_from(second):
            if start >= second + self.seconds:
                break
            moved.append((max(0, start - second), min(end - second, self.seconds)))
        prices: list[tuple[int, Decimal]] = []
        for start, usd in self.prices_from(second):
            if start >= second + self.seconds:
                break
            prices.append((max(0, start - second), usd))
        return replace(self, outages=tuple(moved), prices=tuple(prices))

    @property
    def mean_usd(self) -> Decimal:
        """Mean price over the time of the trace."""
        ends = [*(start for start, _ in self.prices[1:]), self.seconds]
        spent = sum(usd * (end - start) for (start, usd), end in zip(self.prices, ends, strict=True))
        return Decimal(spent) / self.seconds

    def availability(self) -> Availability:
        """Return how long capacity was there and gone, whole spells and those cut off by the ends alike.

        Raises:
            ValueError: It was never gone, or never there.
        """
        downs = [end - start for start, end in self.outages]
        edges = [0, *(edge for outage in self.outages for edge in outage), self.seconds]
        ups = [end - start for start, end in zip(edges[::2], edges[1::2], strict=True) if end > start]
        if not downs or not ups:
            msg = f"spot trace {self.name}: its pool was always or never there"
            raise ValueError(msg)
        return Availability(
            mean_up_seconds=fmean(ups),
            median_up_seconds=median(ups),
            mean_down_seconds=fmean(downs),
            median_down_seconds=median(downs),
        )


def read_spot_trace(path: Path, *, on_demand_usd: Decimal | None = None) -> SpotTrace:
    """Read a recording in the format of SkyPilot's spot traces.

    It is one JSON object: ``metadata.gap_seconds``, ``data`` (1 up, 0 no capacity) and ``prices`` (USD per hour),
    one value of each for every gap.

    Args:
        path: The file.
        on_demand_usd: Of the recorded type; see SpotTrace.

    Raises:
        TraceError: It is no such file; the field is named.
        OSError: It cannot be opened.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except ValueError as error:
        raise TraceError(path=str(path), line=1, field="", problem=f"not JSON: {error}") from error

    def refuse(field: str, problem: str) -> TraceError:
        return TraceError(path=str(path), line=1, field=field, problem=problem)

    if not isinstance(document, dict):
        raise refuse("", "a JSON object expected")
    metadata = document.get("metadata")
    gap = metadata.get("gap_seconds") if isinstance(metadata, dict) else None
    if not isinstance(gap, int) or isinstance(gap, bool) or gap < 1:
        raise refuse("metadata.gap_seconds", "a whole number of at least 1 expected")
    states, prices = document.get("data"), document.get("prices")
    if not isinstance(states, list) or not states or any(state not in (0, 1) for state in states):
        raise refuse("data", "a list of 0 and 1 expected")
    if (
        not isinstance(prices, list)
        or len(prices) != len(states)
        or not all(isinstance(usd, Decimal | int) and not isinstance(usd, bool) and usd > 0 for usd in prices)
    ):
        raise refuse("prices", "one price above 0 for each value of data expected")
    return SpotTrace(
        name=path.name,
        seconds=gap * len(states),
        outages=tuple((start, end) for state, start, end in _spells(states, gap) if state == 0),
        prices=tuple((start, Decimal(usd)) for usd, start, _end in _spells(prices, gap)),
        on_demand_usd=on_demand_usd,
    )


def _spells(values: Sequence[int | Decimal], gap: int) -> Iterator[tuple[int | Decimal, int, int]]:
    """Yield each run of equal values with its start and end in seconds."""
    at = 0
    for value, run in groupby(values):
        start, at = at, at + gap * sum(1 for _ in run)
        yield value, start, at
