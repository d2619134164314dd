"""The charts of a benchmark: cost against waiting, nodes over the day, where the money went."""

from collections.abc import Mapping, Sequence
from typing import Any

from emr_simulator.report.axes import Axis
from emr_simulator.report.drawing import area, band, bar, frame, label, line, mark, svg, text, upright
from emr_simulator.report.families import look_of
from emr_simulator.report.labels import Box, Point, place

Entry = Mapping[str, Any]

_WIDTH, _HEIGHT = 560.0, 440.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 72.0, 14.0, 12.0, 48.0
_BIN_HOURS = 5 / 60
MONEY = ("working", "idle", "booting", "draining")


def value(entry: Entry, name: str) -> float:
    """Return the median of a figure."""
    return float(entry["figures"][name]["value"])


def tip_of(entry: Entry) -> str:
    """Return what is said of a policy's mark."""
    return (
        f"{entry['policy']}\n"
        f"{value(entry, 'cost_usd'):.1f} USD, {over(entry)} the optimum\n"
        f"slowdown p50 {value(entry, 'bsld_p50'):.1f}, p95 {value(entry, 'bsld_p95'):.1f}, "
        f"p99 {value(entry, 'bsld_p99'):.1f}\ndelay {value(entry, 'delay_seconds'):.0f} s"
    )


def over(entry: Entry) -> str:
    """Return how many times the optimum's cost a policy costs, or a dash."""
    ratio = entry["over_optimum"]
    return f"{ratio['value']:.2f} x" if ratio else "-"


def cost_against(trace: Mapping[str, Any], figure: str, unit: str) -> str:
    """Return cost against one figure of waiting, both logarithmic, with what no plan can reach shaded.

    Args:
        trace: Of the document.
        figure: ``delay_seconds`` or ``bsld_p95``.
        unit: Of the upright axis.
    """
    entries = _within(trace["policies"], figure)
    frontier = trace["optimum"]["frontier"]
    least = min(point["cost_usd"] for point in frontier)
    x = Axis.log([least, *(value(e, "cost_usd") for e in entries)], start=_LEFT, end=_WIDTH - _RIGHT)
    waits = [value(e, figure) for e in entries]
    if figure == "delay_seconds":
        waits.append(min(point["delay_seconds"] for point in frontier))
    y = Axis.log(waits, start=_HEIGHT - _BOTTOM, end=_TOP)
    edge = _edge(x, y, frontier, figure)
    parts = [_unreachable(x, y, edge)]
    parts += frame(x, y, x_unit="task nodes, USD (logarithmic)", y_unit=unit)
    marks: list[Point] = []
    lines: list[list[Point]] = [edge]
    names: list[tuple[str, list[Point]]] = []
    for family in _families(entries):
        own = sorted((e for e in entries if e["family"] == family), key=lambda e: value(e, "cost_usd"))
        points = [(x.at(value(e, "cost_usd")), y.at(value(e, figure))) for e in own]
        look = look_of(family)
        if len(points) > 1:
            parts.append(line(points, f"knob {look.colour}"))
        parts += [
            mark(*point, look.shape, look.mark_style, tip_of(entry))
            for point, entry in zip(points, own, strict=True)
        ]
        marks += points
        lines.append(points)
        names.append((family, [points[-1], points[0], *points[1:-1]]))
    room = Box(x=x.start + 2, y=y.end + 2, width=x.end - x.start - 4, height=y.start - y.end - 4)
    for placed in place(names, marks, room, lines):
        parts.append(label(placed, look_of(placed.text).colour))
    return svg(_WIDTH, _HEIGHT, parts, title=f"cost against {unit}")


def _within(entries: Sequence[Entry], figure: str) -> list[Entry]:
    """Leave out what is off any useful scale, static sizes and patient plans: it would squeeze all the rest."""
    others = [e for e in entries if e["family"] not in {"static", "clairvoyant"}] or list(entries)
    most_cost = 1.6 * max(value(e, "cost_usd") for e in others)
    most_waiting = 1.3 * max(value(e, figure) for e in others)
    return [e for e in entries if value(e, "cost_usd") <= most_cost and value(e, figure) <= most_waiting]


def _families(entries: Sequence[Entry]) -> list[str]:
    return list(dict.fromkeys(entry["family"] for entry in entries))


def _edge(x: Axis, y: Axis, frontier: Sequence[Mapping[str, float]], figure: str) -> list[Point]:
    """Return the line that no policy passes: by delay the frontier, by slowdown the optimum's least cost."""
    if figure != "delay_seconds":
        at = x.at(min(point["cost_usd"] for point in frontier))
        return [(at, y.start), (at, y.end)]
    curve = [(x.at(point["cost_usd"]), y.at(point["delay_seconds"])) for point in frontier]
    # From the shortest delay there is on, more money buys nothing.
    return [(x.end, curve[0][1]), *curve, (curve[-1][0], y.end)]


def _unreachable(x: Axis, y: Axis, edge: Sequence[Point]) -> str:
    """Draw the edge, and shade what lies beyond it."""
    corners = [(x.start, y.end), (x.start, y.start)]
    if edge[0][0] == x.end:
        corners.append((x.end, y.start))
    return area([*edge, *corners], "shade") + line(edge, "frontier")


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
        parts.append(text(x.at(total) + 8, top + 15, f"{total:.1f} USD", "strong"))
    floor = x.at(least_usd)
    parts.append(line([(floor, 2), (floor, height - 46)], "frontier dashed"))
    return svg(width, height, parts, title="where the money went")
