"""Pieces of SVG over a time axis: scales, ticks, steps, areas; what is charted is charts.py's."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

WIDTH = 1120
LEFT = 104
RIGHT = 20
_MOST_HOUR_LABELS = 13
_MOST_TICKS = 5
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeAxis:
    """Where a time lies from left to right."""

    start: datetime
    end: datetime

    def x(self, at: datetime) -> float:
        """Return the position of a time."""
        share = (at - self.start) / (self.end - self.start)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def hours(self) -> tuple[datetime, ...]:
        """Return the whole hours to be labelled: every one, or every second, third ... of a long day."""
        count = (self.end - self.start) // _HOUR
        every = next(n for n in (1, 2, 3, 4, 6, 12, 24) if count // n < _MOST_HOUR_LABELS)
        first = self.start.replace(minute=0, second=0)
        return tuple(at for n in range(0, count + 2, every) if self.start <= (at := first + n * _HOUR) <= self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueAxis:
    """Where a value lies from bottom to top: 0 at ``bottom``, ``top_value`` at ``top``."""

    top: float
    bottom: float
    top_value: float
    step: float

    @classmethod
    def over(cls, highest: float, *, top: float, bottom: float) -> "ValueAxis":
        """Return an axis from 0 to a round number not below ``highest``."""
        step = nice_step(max(highest, 1e-9) / _MOST_TICKS)
        return cls(top=top, bottom=bottom, top_value=math.ceil(max(highest, 1e-9) / step) * step, step=step)

    def y(self, value: float) -> float:
        """Return the position of a value."""
        return self.bottom - (self.bottom - self.top) * value / self.top_value

    def ticks(self) -> tuple[float, ...]:
        """Return the values to be labelled, 0 first."""
        return tuple(n * self.step for n in range(round(self.top_value / self.step) + 1))


def nice_step(least: float) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that is not below ``least``."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def frame(time: TimeAxis, value: ValueAxis, unit: str) -> str:
    """Return grid, labels and unit of a chart."""
    parts = []
    for tick in value.ticks():
        y = value.y(tick)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for hour in time.hours():
        x = time.x(hour)
        parts.append(f'<line class="grid faint" x1="{x:.1f}" x2="{x:.1f}" y1="{value.top}" y2="{value.bottom}"/>')
        parts.append(
            f'<text class="tick" x="{x:.1f}" y="{value.bottom + 17:.1f}" text-anchor="middle">{hour:%H:%M}</text>'
        )
    middle = (value.top + value.bottom) / 2
    parts.append(f'<text class="unit" transform="translate(30 {middle:.1f}) rotate(-90)">{escape(unit)}</text>')
    return "".join(parts)


def step_points(time: TimeAxis, value: ValueAxis, times: Sequence[datetime], values: Sequence[float]) -> str:
    """Return the points of a line that keeps each value until the next; unchanged values are left out."""
    points: list[str] = []
    previous: float | None = None
    for at, number in zip(times, values, strict=True):
        if number == previous:
            continue
        x = time.x(at)
        if previous is not None:
            points.append(f"{x:.1f},{value.y(previous):.1f}")
        points.append(f"{x:.1f},{value.y(number):.1f}")
        previous = number
    if previous is not None:
        points.append(f"{time.x(times[-1]):.1f},{value.y(previous):.1f}")
    return " ".join(points)


def line(points: str, name: str) -> str:
    """Return a line of the class ``name``."""
    return f'<polyline class="line {name}" points="{points}"/>'


def area(upper: str, lower: str, name: str) -> str:
    """Return the area between two lines of points."""
    back = " ".join(reversed(lower.split(" ")))
    return f'<polygon class="area {name}" points="{upper} {back}"/>'


def mark(x: float, y: float, shape: str, name: str, tip: str) -> str:
    """Return a mark that says ``tip`` when it is pointed at or focused."""
    shapes = {
        "up": "M0 -6 L6 5 L-6 5 Z",
        "down": "M0 6 L6 -5 L-6 -5 Z",
        "cross": "M-5 -5 L5 5 M5 -5 L-5 5",
        "diamond": "M0 -6 L6 0 L0 6 L-6 0 Z",
        "bolt": "M1 -7 L-5 1 L-1 1 L-2 7 L5 -2 L1 -2 Z",
    }
    text = escape(tip)
    return (
        f'<g class="mark {name}" tabindex="0" role="img" aria-label="{text}" data-tip="{text}" '
        f'transform="translate({x:.1f} {y:.1f})"><circle class="target" r="8"/><path d="{shapes[shape]}"/></g>'
    )
