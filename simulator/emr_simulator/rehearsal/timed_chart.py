"""Charts over the time of a rehearsal, with their numbers for the cursor; what is charted is charts.py's."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from emr_simulator.report.axes import Axis
from emr_simulator.report.drawing import Points, area, frame, line, stair, upright

WIDTH = 1120
LEFT = 104
RIGHT = 20
_MOST_HOUR_LABELS = 13
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One row of numbers over time.

    Attributes:
        name: For people.
        style: Class of its colour.
    """

    name: str
    style: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart, ready to stand in a page.

    Attributes:
        legend: (name, style, kind: area or line) in the order they are stacked, uppermost first.
    """

    title: str
    note: str
    svg: str
    legend: tuple[tuple[str, str, str], ...]


def time_axis(start: datetime, end: datetime) -> Axis:
    """Return the level axis, with a tick at every whole hour, or every second, third ... of a long day."""
    count = (end - start) // _HOUR
    every = next(n for n in (1, 2, 3, 4, 6, 12, 24) if count // n < _MOST_HOUR_LABELS)
    first = start.replace(minute=0, second=0)
    hours = (first + n * _HOUR for n in range(0, count + 2, every))
    ticks = tuple(at.timestamp() for at in hours if start <= at <= end)
    return Axis(low=start.timestamp(), high=end.timestamp(), start=LEFT, end=WIDTH - RIGHT, ticks=ticks)


def value_axis(highest: float, *, top: float, bottom: float) -> Axis:
    """Return the upright axis, from 0 to a round number not below ``highest``."""
    return Axis.linear(highest, start=bottom, end=top)


def framed(time: Axis, value: Axis, unit: str) -> list[str]:
    """Return grid, hours, ticks and unit."""
    hours = [f"{datetime.fromtimestamp(tick, UTC):%H:%M}" for tick in time.ticks]
    parts = frame(time, value, x_unit="", y_unit="", x_labels=hours, gaps=(8, 17))
    return [*parts, upright(30, (value.start + value.end) / 2, unit)]


def course(time: Axis, value: Axis, times: Sequence[datetime], values: Sequence[float]) -> Points:
    """Return the points of a row of numbers, each of which holds until the next other one."""
    return stair((time.at_time(at), value.at(number)) for at, number in zip(times, values, strict=True))


def stack_chart(
    *,
    title: str,
    note: str,
    unit: str,
    times: Sequence[datetime],
    stacked: Sequence[Series],
    over: Sequence[Series],
    top: float,
    height: float,
    extra: Sequence[str] = (),
) -> Chart:
    """Return a chart of areas upon each other, with lines over them.

    Args:
        title: Of the chart.
        note: How to read it.
        unit: Of the upright axis.
        times: Of the numbers in each series.
        stacked: The areas, the lowest first.
        over: The lines.
        top: Where the upright axis ends; what is above is for ``extra``.
        height: Of the drawing.
        extra: Further pieces.
    """
    totals = [sum(column) for column in zip(*(s.values for s in stacked), strict=True)]
    highest = max((*totals, *(v for s in over for v in s.values)), default=0.0)
    time, value = time_axis(times[0], times[-1]), value_axis(highest * 1.04, top=top, bottom=height - 30)
    below = [0.0] * len(times)
    parts = framed(time, value, unit)
    for series in stacked:
        above = [low + own for low, own in zip(below, series.values, strict=True)]
        upper, lower = course(time, value, times, above), course(time, value, times, below)
        parts.append(area([*upper, *reversed(lower)], series.style))
        below = above
    parts += [line(course(time, value, times, s.values), s.style) for s in over]
    return Chart(
        title=title,
        note=note,
        svg=read_off([*parts, *extra], height, times, (*stacked, *over), bottom=height - 30, unit=unit),
        legend=(
            *((s.name, s.style, "line") for s in over),
            *((s.name, s.style, "area") for s in reversed(stacked)),
        ),
    )


def read_off(
    parts: Sequence[str],
    height: float,
    times: Sequence[datetime],
    series: Sequence[Series],
    *,
    bottom: float,
    unit: str,
) -> str:
    """Return the drawing with its numbers beside it, for the cursor that reads them off."""
    data = {
        "times": [f"{at:%H:%M}" for at in times],
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "unit": unit,
        "series": [{"name": s.name, "values": [round(v, 1) for v in s.values]} for s in series],
    }
    text = json.dumps(data, separators=(",", ":")).replace("</", "<\\/")
    cursor = f'<line class="cursor" y1="12" y2="{bottom}" x1="-9" x2="-9"/>'
    return (
        f'<svg class="timed" viewBox="0 0 {WIDTH} {height:g}" role="img">{"".join(parts)}{cursor}</svg>'
        f'<script type="application/json">{text}</script>'
    )
