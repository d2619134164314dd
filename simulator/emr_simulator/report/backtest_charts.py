"""The charts of a backtest: task nodes, memory and waiting work over time, recorded beside replayed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from emr_simulator.report.axes import Axis
from emr_simulator.report.drawing import area, frame, line, mark, stair, svg, upright

Entry = Mapping[str, Any]
MIB_PER_GIB = 1024

_WIDTH, _HEIGHT = 1120.0, 250.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 66.0, 14.0, 12.0, 30.0
_STEPS_HOURS = (1, 2, 3, 6, 12, 24, 48, 72, 168)
_MOST_TICKS = 13
_MOST_MARKS = 400


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a chart: its class, and its value in an entry of the series."""

    style: str
    value: Callable[[Entry], float]
    is_area: bool = False


def nodes_chart(document: Mapping[str, Any]) -> str:
    """Return task nodes over time, with a mark at every order of the policy."""
    curves = (
        Curve("grey", lambda e: float(e["recorded"]["task_nodes"])),
        Curve("own", lambda e: float(e["replayed"]["task_nodes"])),
    )
    most = max(curve.value(entry) for curve in curves for entry in document["series"])
    orders = [d for d in document["decisions"] if d["nodes_after"] != d["nodes_before"]]
    most = max([most, *(float(order["nodes_after"]) for order in orders)])
    x, y = _axes(document["series"], most)
    marks = []
    if len(orders) <= _MOST_MARKS:
        for order in orders:
            out = order["nodes_after"] > order["nodes_before"]
            tip = (
                f"{_clock(order['at'])}  {order['nodes_before']} -> {order['nodes_after']} "
                f"{document['counted_in']}\n"
                f"{order['reason']}\n{order['detail']}"
            )
            style = "orange" if out else "blue"
            at = x.at_time(_moment(order["at"]))
            marks.append(mark(at, y.at(order["nodes_after"]), "triangle" if out else "circle", style, tip))
    return _chart(document, (x, y), curves, f"task {document['counted_in']}", marks, steps=True)


def memory_chart(document: Mapping[str, Any]) -> str:
    """Return memory: work offered as an area, capacity of both sides as lines."""
    curves = (
        Curve("idle", lambda e: (e["offered_mib"] or 0.0) / MIB_PER_GIB, is_area=True),
        Curve("grey", lambda e: e["recorded"]["total_mib"] / MIB_PER_GIB),
        Curve("own", lambda e: e["replayed"]["total_mib"] / MIB_PER_GIB),
    )
    return _plain(document, curves, "YARN memory, GiB", steps=True)


def waiting_chart(document: Mapping[str, Any]) -> str:
    """Return the memory of waiting containers on both sides."""
    curves = (
        Curve("grey", lambda e: e["recorded"]["pending_mib"] / MIB_PER_GIB),
        Curve("own", lambda e: e["replayed"]["pending_mib"] / MIB_PER_GIB),
    )
    return _plain(document, curves, "waiting, GiB")


def _plain(document: Mapping[str, Any], curves: Sequence[Curve], unit: str, *, steps: bool = False) -> str:
    most = max(curve.value(entry) for curve in curves for entry in document["series"])
    return _chart(document, _axes(document["series"], max(most, 1.0)), curves, unit, steps=steps)


def _axes(series: Sequence[Entry], most: float) -> tuple[Axis, Axis]:
    first, last = _moment(series[0]["at"]), _moment(series[-1]["at"])
    hours = (last - first).total_seconds() / 3600
    step = timedelta(hours=next((s for s in _STEPS_HOURS if hours / s <= _MOST_TICKS), _STEPS_HOURS[-1]))
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    ticks = []
    tick = midnight
    while tick <= last:
        if tick >= first:
            ticks.append(tick.timestamp())
        tick += step
    x = Axis(low=first.timestamp(), high=last.timestamp(), start=_LEFT, end=_WIDTH - _RIGHT, ticks=tuple(ticks))
    return x, Axis.linear(most, start=_HEIGHT - _BOTTOM, end=_TOP, most_ticks=4)


def _chart(
    document: Mapping[str, Any],
    axes: tuple[Axis, Axis],
    curves: Sequence[Curve],
    unit: str,
    marks: Sequence[str] = (),
    *,
    steps: bool = False,
) -> str:
    x, y = axes
    series = document["series"]
    parts = []
    for gap in document["gaps"]:
        left, right = (x.at_time(_moment(gap[end])) for end in ("from", "to"))
        parts.append(area([(left, y.end), (right, y.end), (right, y.start), (left, y.start)], "gap"))
    labels = [_tick_label(tick, x) for tick in x.ticks]
    parts += frame(x, y, x_unit="", y_unit="", x_labels=labels)
    parts.append(upright(14, (y.start + y.end) / 2, unit))
    for curve in curves:
        for part in _unbroken(series):
            at = [x.at_time(_moment(entry["at"])) for entry in part]
            points = list(zip(at, (y.at(curve.value(entry)) for entry in part), strict=True))
            points = stair(points) if steps or curve.is_area else points
            if curve.is_area:
                parts.append(area([(points[0][0], y.start), *points, (points[-1][0], y.start)], curve.style))
            else:
                parts.append(line(points, curve.style))
    return svg(_WIDTH, _HEIGHT, [*parts, *marks], title=f"{unit} over time")


def _unbroken(series: Sequence[Entry]) -> list[list[Entry]]:
    """Return the parts of the series between gaps."""
    parts: list[list[Entry]] = [[]]
    for entry in series:
        parts[-1].append(entry)
        if entry["gap_follows"]:
            parts.append([])
    return [part for part in parts if part]


def _tick_label(tick: float, x: Axis) -> str:
    """Name a tick: the hour, and the day where it begins or where ticks are days."""
    at = datetime.fromtimestamp(tick, _moment("1970-01-01T00:00:00Z").tzinfo)
    day = f"{at.day} {at:%b}"
    return day if at.hour == 0 and (x.high - x.low) > 2 * 86400 else f"{at:%H:%M}"


def _clock(text: str) -> str:
    return f"{_moment(text):%d %b %H:%M}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
