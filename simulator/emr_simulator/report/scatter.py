"""Cost against waiting, a curve for each family of policies; which page or picture shows it is elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emr_simulator.report.axes import Axis
from emr_simulator.report.drawing import area, frame, label, line, mark
from emr_simulator.report.entries import Entry, tip_of, value
from emr_simulator.report.families import look_of
from emr_simulator.report.labels import Box, Point, place


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """What stands beside the marks.

    Attributes:
        family: The name of a family's curve.
        knob: What stands at a single mark; empty for nothing.
        edge: What stands at the line that no policy passes; empty for nothing.
    """

    family: Callable[[str], str] = str
    knob: Callable[[Entry], str] = lambda _entry: ""
    edge: str = ""


def scatter(
    trace: Mapping[str, Any],
    figure: str,
    room: Box,
    *,
    units: tuple[str, str],
    entries: Sequence[Entry] | None = None,
    naming: Naming | None = None,
) -> list[str]:
    """Return cost against one figure of waiting, both logarithmic, with what no plan can reach shaded.

    Args:
        trace: Of the document.
        figure: ``delay_seconds`` or ``bsld_p95``.
        room: Where marks and curves lie; ticks and units stand to the left and below.
        units: Of the level and the upright axis.
        entries: The policies to show; all of the trace where None.
        naming: What stands beside the marks; None names the families.
    """
    naming = naming or Naming()
    entries = _within(trace["policies"] if entries is None else entries, figure)
    frontier = trace["optimum"]["frontier"]
    least = min(point["cost_usd"] for point in frontier)
    right, bottom = room.x + room.width, room.y + room.height
    x = Axis.log([least, *(value(e, "cost_usd") for e in entries)], start=room.x, end=right)
    waits = [value(e, figure) for e in entries]
    if figure == "delay_seconds":
        waits.append(min(point["delay_seconds"] for point in frontier))
    y = Axis.log(waits, start=bottom, end=room.y)
    edge = _edge(x, y, frontier, figure)
    parts = [_unreachable(x, y, edge), *frame(x, y, x_unit=units[0], y_unit=units[1])]
    colours: dict[Point, str] = {}
    lines: list[list[Point]] = [edge]
    names: list[tuple[str, list[Point]]] = []
    knobs: list[tuple[str, list[Point]]] = []
    for family in dict.fromkeys(entry["family"] for entry in entries):
        own = sorted((e for e in entries if e["family"] == family), key=lambda e: value(e, "cost_usd"))
        points = [(x.at(value(e, "cost_usd")), y.at(value(e, figure))) for e in own]
        look = look_of(family)
        if len(points) > 1:
            parts.append(line(points, f"knob {look.colour}"))
        for point, entry in zip(points, own, strict=True):
            parts.append(mark(*point, look.shape, look.mark_style, tip_of(entry)))
            colours.setdefault(point, look.colour)
            if naming.knob(entry):
                knobs.append((naming.knob(entry), [point]))
        lines.append(points)
        names.append((naming.family(family), [points[-1], points[0], *points[1:-1]]))
    if naming.edge:
        names.append((naming.edge, [(edge[0][0], y.end + 40), (edge[0][0], y.start - 40)]))
    free = Box(x=x.start + 2, y=y.end + 2, width=x.end - x.start - 4, height=y.start - y.end - 4)
    placed = place([*names, *knobs], list(colours), free, lines)
    is_knob = {text for text, _points in knobs}
    for one in placed:
        light = " light" if one.text in is_knob else ""
        parts.append(label(one, colours.get(one.anchor, "ink") + light))
    return parts


def _within(entries: Sequence[Entry], figure: str) -> list[Entry]:
    """Leave out what is off any useful scale, static sizes and patient plans: it would squeeze all the rest."""
    others = [e for e in entries if e["family"] not in {"static", "clairvoyant"}] or list(entries)
    most_cost = 1.6 * max(value(e, "cost_usd") for e in others)
    most_waiting = 1.3 * max(value(e, figure) for e in others)
    return [e for e in entries if value(e, "cost_usd") <= most_cost and value(e, figure) <= most_waiting]


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
