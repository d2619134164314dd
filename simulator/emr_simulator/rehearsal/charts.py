"""The charts of the page: nodes, memory, HDFS, core nodes, cost; how SVG is drawn is svg.py's."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from html import escape

from emr_simulator.rehearsal.summary import Summary
from emr_simulator.rehearsal.svg import (
    LEFT,
    RIGHT,
    WIDTH,
    TimeAxis,
    ValueAxis,
    area,
    frame,
    line,
    mark,
    step_points,
)
from emr_simulator.rehearsal.timeline import Moment

_LANES = ("task resizes", "core resizes", "interruptions", "reaper", "incidents")
_LANE_HEIGHT = 22
_COMPONENTS = (
    ("EMR_FEE", "EMR fee", "emr-fee"),
    ("EC2_ON_DEMAND", "EC2 on demand", "on-demand"),
    ("EC2_SPOT", "EC2 spot", "spot1"),
    ("EBS", "EBS", "ebs"),
)
_LANE_OF_KIND = {
    "TASK": ("task resizes", "resizes"),
    "CORE": ("core resizes", "core"),
    "INTERRUPTION": ("interruptions", "interruptions"),
    "IDLE": ("reaper", "reaper"),
}
"""Lane and style of the marks of each kind of decision."""
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


def nodes_chart(moments: Sequence[Moment], summary: Summary, cluster: str) -> Chart:
    """Return running core and task nodes by group, stacked, what was wanted, and the events above."""
    times = [moment.at for moment in moments]
    groups = {
        group.label: group.group_id
        for group in moments[-1].clusters[cluster].groups
        if group.role in {"CORE", "TASK"}
    }
    stacked = tuple(
        Series(name=label, style=_style_of(label, number), values=_running(moments, cluster, group_id))
        for number, (label, group_id) in enumerate(groups.items())
    )
    wanted = tuple(float(m.clusters[cluster].wanted("CORE") + m.clusters[cluster].wanted("TASK")) for m in moments)
    top = 12.0 + len(_LANES) * _LANE_HEIGHT
    return _stack_chart(
        title=f"Nodes of {cluster}",
        note="Running core and task nodes by instance group; the dashed line is what was ordered.",
        unit="nodes",
        times=times,
        stacked=stacked,
        over=(Series(name="ordered", style="ink dashed", values=wanted),),
        top=top,
        height=top + 240,
        extra=_lanes(summary, TimeAxis(start=times[0], end=times[-1])),
    )


def memory_chart(moments: Sequence[Moment], cluster: str) -> Chart:
    """Return the memory in use and waited for, under the memory there is."""
    seen = [moment.clusters[cluster] for moment in moments]
    return _stack_chart(
        title="Demand",
        note="YARN memory in use, and memory that containers wait for; the line is what the nodes offer.",
        unit="GiB of memory",
        times=[moment.at for moment in moments],
        stacked=(
            Series(name="in use", style="core", values=tuple(s.allocated_gib for s in seen)),
            Series(name="waiting", style="waiting", values=tuple(s.pending_gib for s in seen)),
        ),
        over=(Series(name="offered", style="ink", values=tuple(s.total_gib for s in seen)),),
        top=12,
        height=220,
    )


def hdfs_chart(moments: Sequence[Moment], cluster: str, *, high: float, low: float) -> Chart:
    """Return how full HDFS is, with the marks at which core nodes come and go (fractions 0-1)."""
    times = [moment.at for moment in moments]
    full = tuple(moment.clusters[cluster].hdfs_used_percent for moment in moments)
    time, value = TimeAxis(start=times[0], end=times[-1]), ValueAxis(top=12, bottom=150, top_value=100, step=25)
    limits = _limit(value, high, "high") + _limit(value, low, "low")
    series = (Series(name="used", style="core", values=full),)
    body = frame(time, value, "% of HDFS") + limits + line(step_points(time, value, times, full), "core")
    return Chart(
        title="HDFS",
        note="Used share of the core nodes' disks.",
        svg=_svg(body, 180, times, series, bottom=150, unit="%"),
        legend=(
            ("used", "core", "line"),
            (f"core nodes are added above {high:.0%}", "high dotted", "line"),
            (f"one core node may go below {low:.0%}", "low dotted", "line"),
        ),
    )


def core_chart(moments: Sequence[Moment], cluster: str) -> Chart:
    """Return core nodes running and ordered."""
    seen = [moment.clusters[cluster] for moment in moments]
    return _stack_chart(
        title="Core nodes",
        note="They hold HDFS: out in time, in by one when every block is safe.",
        unit="nodes",
        times=[moment.at for moment in moments],
        stacked=(Series(name="running", style="core", values=tuple(float(s.running("CORE")) for s in seen)),),
        over=(Series(name="ordered", style="ink dashed", values=tuple(float(s.wanted("CORE")) for s in seen)),),
        top=12,
        height=140,
    )


def cost_chart(costs: Mapping[tuple[datetime, str], Decimal], start: datetime, end: datetime) -> Chart:
    """Return the cost of each hour by component, over the same time axis."""
    hours = sorted({hour for hour, _ in costs})
    sums = {hour: sum((costs.get((hour, c), Decimal(0)) for c, _, _ in _COMPONENTS), Decimal(0)) for hour in hours}
    time = TimeAxis(start=start, end=end)
    value = ValueAxis.over(float(max(sums.values(), default=Decimal(0))) * 1.1, top=12, bottom=200)
    bars = []
    for hour in hours:
        left, right = time.x(hour) + 3, time.x(min(hour + _HOUR, end)) - 3
        below = Decimal(0)
        for component, name, style in _COMPONENTS:
            usd = costs.get((hour, component), Decimal(0))
            y, base = value.y(float(below + usd)), value.y(float(below))
            tip = escape(f"{hour:%H:%M} to {hour + _HOUR:%H:%M}: {name} {usd:.4f} USD")
            bars.append(
                f'<rect class="area {style}" x="{left:.1f}" y="{y:.1f}" width="{right - left:.1f}" '
                f'height="{base - y:.1f}" data-tip="{tip}"/>'
            )
            below += usd
        bars.append(
            f'<text class="bar-label" x="{(left + right) / 2:.1f}" y="{value.y(float(below)) - 5:.1f}" '
            f'text-anchor="middle">{below:.2f}</text>'
        )
    return Chart(
        title="Cost",
        note="Of all enrolled clusters, hour by hour, as queried from the cost table.",
        svg=f'<svg viewBox="0 0 {WIDTH} 230" role="img">{frame(time, value, "USD per hour")}{"".join(bars)}</svg>',
        legend=tuple((name, style, "area") for _, name, style in reversed(_COMPONENTS)),
    )


def _limit(value: ValueAxis, fraction: float, name: str) -> str:
    y = value.y(fraction * 100)
    return f'<line class="line dotted {name}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'


def _running(moments: Sequence[Moment], cluster: str, group_id: str) -> tuple[float, ...]:
    return tuple(
        float(next((g.running for g in moment.clusters[cluster].groups if g.group_id == group_id), 0))
        for moment in moments
    )


def _style_of(label: str, number: int) -> str:
    if label == "core":
        return "core"
    return f"spot{number}" if "spot" in label else "on-demand"


def _stack_chart(
    *,
    title: str,
    note: str,
    unit: str,
    times: Sequence[datetime],
    stacked: Sequence[Series],
    over: Sequence[Series],
    top: float,
    height: float,
    extra: str = "",
) -> Chart:
    totals = [sum(column) for column in zip(*(s.values for s in stacked), strict=True)]
    highest = max((*totals, *(v for s in over for v in s.values)), default=0.0)
    time = TimeAxis(start=times[0], end=times[-1])
    value = ValueAxis.over(highest * 1.04, top=top, bottom=height - 30)
    below = [0.0] * len(times)
    shapes = []
    for series in stacked:
        above = [low + own for low, own in zip(below, series.values, strict=True)]
        shapes.append(
            area(step_points(time, value, times, above), step_points(time, value, times, below), series.style)
        )
        below = above
    shapes += [line(step_points(time, value, times, s.values), s.style) for s in over]
    body = frame(time, value, unit) + "".join(shapes) + extra
    return Chart(
        title=title,
        note=note,
        svg=_svg(body, height, times, (*stacked, *over), bottom=height - 30, unit=unit),
        legend=(
            *((s.name, s.style, "line") for s in over),
            *((s.name, s.style, "area") for s in reversed(stacked)),
        ),
    )


def _svg(
    body: str, height: float, times: Sequence[datetime], series: Sequence[Series], *, bottom: float, unit: str
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
        f'<svg class="timed" viewBox="0 0 {WIDTH} {height:g}" role="img">{body}{cursor}</svg>'
        f'<script type="application/json">{text}</script>'
    )


def _lanes(summary: Summary, time: TimeAxis) -> str:
    """Return one lane of marks for each kind of event."""
    rows = {lane: 14 + number * _LANE_HEIGHT for number, lane in enumerate(_LANES)}
    parts = [
        f'<text class="lane" x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{lane}</text>'
        f'<line class="grid faint" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        for lane, y in rows.items()
    ]
    for deed in (deed for deed in summary.deeds if deed.kind in _LANE_OF_KIND):
        lane, style = _LANE_OF_KIND[deed.kind]
        shape = {"interruptions": "bolt", "reaper": "cross"}.get(lane) or _arrow(deed.change)
        orders = f" {deed.orders}." if deed.orders else ""
        tip = f"{deed.at:%H:%M} {deed.cluster}: {deed.action}, {deed.reason}.{orders} {deed.detail}"
        parts.append(mark(time.x(min(deed.at, time.end)), rows[lane], shape, style, tip))
    for happened in summary.marks:
        tip = f"{happened.at:%H:%M} {happened.text}"
        parts.append(mark(time.x(happened.at), rows["incidents"], "diamond", "incidents", tip))
    return "".join(parts)


def _arrow(change: int) -> str:
    return "up" if change > 0 else "down" if change < 0 else "diamond"
