"""The charts of the page: nodes, memory, HDFS, core nodes, cost; how they run over time is timed_chart.py's."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from emr_simulator.rehearsal.summary import Summary
from emr_simulator.rehearsal.timed_chart import (
    LEFT,
    RIGHT,
    WIDTH,
    Chart,
    Series,
    course,
    framed,
    read_off,
    stack_chart,
    time_axis,
    value_axis,
)
from emr_simulator.rehearsal.timeline import Moment
from emr_simulator.report.axes import Axis
from emr_simulator.report.drawing import bar, line, mark, svg, text
from emr_simulator.report.labels import Box

_LANES = ("task resizes", "core resizes", "interruptions", "reaper", "incidents")
_LANE_HEIGHT = 22
_REACH = 8  # marks of neighbouring lanes do not catch each other's pointer
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
    return stack_chart(
        title=f"Nodes of {cluster}",
        note="Running core and task nodes by instance group; the dashed line is what was ordered.",
        unit="nodes",
        times=times,
        stacked=stacked,
        over=(Series(name="ordered", style="ink dashed", values=wanted),),
        top=top,
        height=top + 240,
        extra=_lanes(summary, time_axis(times[0], times[-1])),
    )


def memory_chart(moments: Sequence[Moment], cluster: str) -> Chart:
    """Return the memory in use and waited for, under the memory there is."""
    seen = [moment.clusters[cluster] for moment in moments]
    return stack_chart(
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
    time = time_axis(times[0], times[-1])
    value = Axis(low=0, high=100, start=150, end=12, ticks=(0, 25, 50, 75, 100))
    limits = (_limit(value, high, "high"), _limit(value, low, "low"))
    series = (Series(name="used", style="core", values=full),)
    parts = [*framed(time, value, "% of HDFS"), *limits, line(course(time, value, times, full), "core")]
    return Chart(
        title="HDFS",
        note="Used share of the core nodes' disks.",
        svg=read_off(parts, 180, times, series, bottom=150, unit="%"),
        legend=(
            ("used", "core", "line"),
            (f"core nodes are added above {high:.0%}", "high dotted", "line"),
            (f"one core node may go below {low:.0%}", "low dotted", "line"),
        ),
    )


def core_chart(moments: Sequence[Moment], cluster: str) -> Chart:
    """Return core nodes running and ordered."""
    seen = [moment.clusters[cluster] for moment in moments]
    return stack_chart(
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
    time = time_axis(start, end)
    value = value_axis(float(max(sums.values(), default=Decimal(0))) * 1.1, top=12, bottom=200)
    parts = framed(time, value, "USD per hour")
    for hour in hours:
        left, right = time.at_time(hour) + 3, time.at_time(min(hour + _HOUR, end)) - 3
        below = Decimal(0)
        for component, name, style in _COMPONENTS:
            usd = costs.get((hour, component), Decimal(0))
            y, base = value.at(float(below + usd)), value.at(float(below))
            tip = f"{hour:%H:%M} to {hour + _HOUR:%H:%M}: {name} {usd:.4f} USD"
            parts.append(bar(Box(x=left, y=y, width=right - left, height=base - y), style, tip))
            below += usd
        parts.append(text((left + right) / 2, value.at(float(below)) - 5, f"{below:.2f}", "bar-label middle"))
    return Chart(
        title="Cost",
        note="Of all enrolled clusters, hour by hour, as queried from the cost table.",
        svg=svg(WIDTH, 230, parts, title="Cost of each hour"),
        legend=tuple((name, style, "area") for _, name, style in reversed(_COMPONENTS)),
    )


def _limit(value: Axis, fraction: float, name: str) -> str:
    y = value.at(fraction * 100)
    return line([(LEFT, y), (WIDTH - RIGHT, y)], f"dotted {name}")


def _running(moments: Sequence[Moment], cluster: str, group_id: str) -> tuple[float, ...]:
    return tuple(
        float(next((g.running for g in moment.clusters[cluster].groups if g.group_id == group_id), 0))
        for moment in moments
    )


def _style_of(label: str, number: int) -> str:
    if label == "core":
        return "core"
    return f"spot{number}" if "spot" in label else "on-demand"


def _lanes(summary: Summary, time: Axis) -> list[str]:
    """Return one lane of marks for each kind of event."""
    rows = {lane: 14 + number * _LANE_HEIGHT for number, lane in enumerate(_LANES)}
    parts = []
    for lane, y in rows.items():
        parts.append(text(LEFT - 8, y + 4, lane, "lane end"))
        parts.append(f'<line class="grid faint" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
    for deed in (deed for deed in summary.deeds if deed.kind in _LANE_OF_KIND):
        lane, style = _LANE_OF_KIND[deed.kind]
        shape = {"interruptions": "bolt", "reaper": "cross"}.get(lane) or _arrow(deed.change)
        orders = f" {deed.orders}." if deed.orders else ""
        tip = f"{deed.at:%H:%M} {deed.cluster}: {deed.action}, {deed.reason}.{orders} {deed.detail}"
        parts.append(mark(time.at_time(deed.at), rows[lane], shape, style, tip, reach=_REACH))
    for happened in summary.marks:
        tip = f"{happened.at:%H:%M} {happened.text}"
        parts.append(mark(time.at_time(happened.at), rows["incidents"], "diamond", "incidents", tip, reach=_REACH))
    return parts


def _arrow(change: int) -> str:
    return "triangle" if change > 0 else "down" if change < 0 else "diamond"
