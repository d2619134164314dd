"""Axes of charts: where a value lies and which ticks are labelled. What is drawn on them is elsewhere."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

_NICE = (1, 2, 5, 10)
_LOG_STEPS = ((1, 2, 5), (1, 1.5, 2, 3, 5, 7), (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9))
_FEWEST_TICKS, _MOST_TICKS = 4, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A linear or logarithmic axis from ``low`` (at ``start``) to ``high`` (at ``end``).

    Attributes:
        start: Position of ``low``, in the units of the drawing.
        end: Position of ``high``.
        ticks: The values to be labelled.
        logarithmic: Equal distances are equal factors.
    """

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    logarithmic: bool = False

    @classmethod
    def linear(cls, high: float, *, start: float, end: float, most_ticks: int = 5) -> "Axis":
        """Return an axis from 0 to a round number not below ``high``."""
        least = max(high, 1e-9) / most_ticks
        power = 10.0 ** math.floor(math.log10(least))
        step = next(factor * power for factor in _NICE if factor * power >= least * (1 - 1e-9))
        count = math.ceil(max(high, 1e-9) / step - 1e-9)
        ticks = tuple(number * step for number in range(count + 1))
        return cls(low=0.0, high=ticks[-1], start=start, end=end, ticks=ticks)

    @classmethod
    def linear_to(cls, high: float, *, start: float, end: float) -> "Axis":
        """Return an axis from 0 to exactly ``high``, with a tick at each quarter of the round number below."""
        power = 10.0 ** math.floor(math.log10(max(high, 1e-9)))
        top = max(factor * power for factor in _NICE if factor * power <= high * (1 + 1e-9))
        return cls(low=0.0, high=high, start=start, end=end, ticks=tuple(top * n / 4 for n in range(5)))

    @classmethod
    def log(cls, values: Sequence[float], *, start: float, end: float, margin: float = 1.12) -> "Axis":
        """Return an axis over values, with some room at both ends; a thousandth of the largest is the least."""
        high = max(*values, 1e-6) * margin
        low = max(min(values), high / 1000) / margin
        ticks: tuple[float, ...] = ()
        for steps in _LOG_STEPS:
            ticks = _log_ticks(low, high, steps)
            if len(ticks) >= _FEWEST_TICKS:
                break
        while len(ticks) > 2 * _MOST_TICKS:
            ticks = ticks[::2]
        return cls(low=low, high=high, start=start, end=end, ticks=ticks, logarithmic=True)

    def at(self, value: float) -> float:
        """Return the position of a value; values beyond the axis lie on its end."""
        value = min(max(value, self.low), self.high)
        if self.logarithmic:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def at_time(self, moment: datetime) -> float:
        """Return the position of a time, on an axis whose values are seconds since 1970."""
        return self.at(moment.timestamp())


def _log_ticks(low: float, high: float, steps: Sequence[float]) -> tuple[float, ...]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return tuple(tick for power in powers for step in steps if low <= (tick := step * 10.0**power) <= high)
