"""The charts of a benchmark: cost against waiting, nodes over the day, where the money went."""

from collections.abc import Mapping, Sequence
from typing import Any

from emr_simulator.report.axes import Axis
from emr_simulator.report.drawing import band, bar, frame, line, svg, text, upright
from emr_simulator.report.entries import Entry, value
from emr_simulator.report.labels import Box
from emr_simulator.report.scatter import scatter

_WIDTH, _HEIGHT = 560.0, 440.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 72.0, 14.0, 12.0, 48.0
_BIN_HOURS = 5 / 60
MONEY = ("working", "idle", "booting", "draining")


def cost_against(trace: Mapping[str, Any], figure: str, unit: str) -> str:
    """Return cost against one figure of waiting, both logarithmic, with what no plan can reach shaded.

    Args:
        trace: Of the document.
        figure: ``delay_seconds`` or ``bsld_p95``.
        unit: Of the upright axis.
    """
    room = Box(x=_LEFT, y=_TOP, width=_WIDTH - _LEFT - _RIGHT, height=_HEIGHT - _TOP - _BOTTOM)
    parts = scatter(trace, figure, room, units=("task nodes, USD (logarithmic)", unit))
    return svg(_WIDTH, _HEIGHT, parts, title=f"cost against {unit}")


def nodes_over_the_day(entry: Entry, demand: Sequence[float], *, most: float, last_hour: float) -> str:
    """Return one small chart: paid nodes by what they do, and the demand, cut off at the top.

    Args:
        entry: The policy.
        demand: Nodes that work would fill if it never waited.
        most: Nodes at the top.
        last_hour: Where the time axis ends, the same for all charts that stand together.
    """
    width, height = 540.0, 168.0
    day: Mapping[str, Sequence[float]] = entry["timeline"]
    steps = len(day["billed"])
    hours = [index * _BIN_HOURS for index in range(steps)]
    ticks = tuple(float(hour) for hour in range(0, int(last_hour) + 1, _hour_step(last_hour)))
    x = Axis(low=0.0, high=last_hour, start=46, end=width - 20, ticks=ticks)
    y = Axis.linear_to(most, start=height - 24, end=8)
    parts = frame(x, y, x_unit="", y_unit="", x_labels=[f"{tick:g} h" for tick in ticks])
    below = [0.0] * steps
    for name in MONEY:
        above = [low + part for low, part in zip(below, day[name], strict=True)]
        parts.append(band(x, y, list(zip(hours, below, above, strict=True)), name))
        below = above
    wanted = [(x.at(index * _BIN_HOURS), y.at(nodes)) for index, nodes in enumerate(demand[:steps])]
    parts.append(line(wanted, "demand thin"))
    parts.append(upright(10, (height - 16) / 2, "nodes"))
    return svg(width, height, parts, title=f"nodes of {entry['policy']} over the day")


def _hour_step(hours: float) -> int:
    most = 9
    return next(step for step in (1, 2, 3, 4, 6, 12, 24, 48) if hours / step < most)


def where_the_money_went(entries: Sequence[Entry], least_usd: float) -> str:
    """Return one bar for each policy, split by what its nodes did, and the cost of the optimum as a line."""
    row, left, right = 30.0, 190.0, 84.0
    width, height = 1120.0, len(entries) * row + 52
    x = Axis.linear(max(value(e, "cost_usd") for e in entries), start=left, end=width - right)
    y = Axis(low=0, high=1, start=height - 46, end=4, ticks=())
    parts = frame(x, y, x_unit="task nodes, USD", y_unit="")
    labels = []
    for index, entry in enumerate(entries):
        top = 8 + index * row
        at = 0.0
        parts.append(text(left - 10, top + 15, entry["policy"], "plain end"))
        for name in MONEY:
            usd = float(entry["money"][name])
            tip = f"{entry['policy']}\n{name}: {usd:.1f} USD"
            parts.append(bar(Box(x=x.at(at), y=top, width=x.at(at + usd) - x.at(at), height=row - 9), name, tip))
            at += usd
        total = value(entry, "cost_usd")
        labels.append(text(x.at(total) + 8, top + 15, f"{total:.1f} USD", "strong said"))
    floor = x.at(least_usd)
    parts.append(line([(floor, 2), (floor, height - 46)], "frontier dashed"))
    return svg(width, height, [*parts, *labels], title="where the money went")
