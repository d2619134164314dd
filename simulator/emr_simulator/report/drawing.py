"""Pieces of SVG: frames, lines, areas, marks and labels; what they mean is the charts'."""

from collections.abc import Iterable, Sequence
from html import escape

from emr_simulator.report.axes import Axis
from emr_simulator.report.labels import Box, Label

Points = Sequence[tuple[float, float]]


def svg(width: float, height: float, parts: Sequence[str], *, title: str) -> str:
    """Return a drawing that scales with its place."""
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def number(value: float) -> str:
    """Return a number for a tick: no more digits than it needs."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:g}"  # noqa: PLR2004 (thousands get a comma)


def frame(
    x: Axis,
    y: Axis,
    *,
    x_unit: str,
    y_unit: str,
    x_labels: Sequence[str] | None = None,
    gaps: tuple[float, float] = (7, 16),
) -> list[str]:
    """Return grid, tick labels and units.

    Args:
        x: The level axis.
        y: The upright axis.
        x_unit: Below the labels; empty for none.
        y_unit: Left of the labels; empty for none.
        x_labels: Of the ticks; the numbers themselves where None.
        gaps: From the left edge to the end of labels, and from the lower edge to their base line.
    """
    parts = []
    left, right, bottom, top = x.start, x.end, y.start, y.end
    for tick in y.ticks:
        at = y.at(tick)
        parts.append(f'<line class="grid" x1="{left:.1f}" x2="{right:.1f}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(text(left - gaps[0], at + 4, number(tick), "tick end"))
    for index, tick in enumerate(x.ticks):
        at = x.at(tick)
        parts.append(f'<line class="grid faint" x1="{at:.1f}" x2="{at:.1f}" y1="{top:.1f}" y2="{bottom:.1f}"/>')
        label = number(tick) if x_labels is None else x_labels[index]
        if label:
            parts.append(text(at, bottom + gaps[1], label, "tick middle"))
    if x_unit:
        parts.append(text((left + right) / 2, bottom + 36, x_unit, "unit middle"))
    if y_unit:
        parts.append(upright(left - 56, (top + bottom) / 2, y_unit))
    return parts


def text(x: float, y: float, content: str, style: str) -> str:
    """Return a line of text of the classes ``style``."""
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}">{escape(content)}</text>'


def upright(x: float, y: float, content: str) -> str:
    """Return a unit beside an upright axis."""
    at = f"translate({x:.1f} {y:.1f}) rotate(-90)"
    return f'<text class="unit middle" transform="{at}">{escape(content)}</text>'


def stair(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return points so that each value holds until the next other one, and the last to the end."""
    (at, level), *others = points
    corners = [(at, level)]
    for at, value in others:
        if value != level:
            corners += [(at, level), (at, value)]
            level = value
    return [*corners, (at, level)]


def line(points: Points, style: str) -> str:
    """Return a line through points."""
    return f'<polyline class="line {style}" points="{_joined(points)}"/>'


def area(points: Points, style: str) -> str:
    """Return a closed area."""
    return f'<polygon class="area {style}" points="{_joined(points)}"/>'


def band(x: Axis, y: Axis, edges: Sequence[tuple[float, float, float]], style: str) -> str:
    """Return the area between two rows of values: (place, lower, upper)."""
    above = [(x.at(at), y.at(upper)) for at, _lower, upper in edges]
    below = [(x.at(at), y.at(lower)) for at, lower, _upper in edges]
    return area([*above, *reversed(below)], style)


def bar(box: Box, style: str, tip: str) -> str:
    """Return a bar that says ``tip`` when it is pointed at."""
    return (
        f'<rect class="area {style}" x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.1f}" data-tip="{escape(tip)}"/>'
    )


_SHAPES = {
    "circle": "M-5 0 A5 5 0 1 0 5 0 A5 5 0 1 0 -5 0 Z",
    "diamond": "M0 -6 L6 0 L0 6 L-6 0 Z",
    "square": "M-4.5 -4.5 H4.5 V4.5 H-4.5 Z",
    "triangle": "M0 -6 L6 5 L-6 5 Z",
    "down": "M0 6 L6 -5 L-6 -5 Z",
    "cross": "M-5 -5 L5 5 M5 -5 L-5 5",
    "bolt": "M1 -7 L-5 1 L-1 1 L-2 7 L5 -2 L1 -2 Z",
    "star": "M0 -8 L2.4 -2.6 L8 -2.4 L3.6 1.3 L5 7 L0 3.8 L-5 7 L-3.6 1.3 L-8 -2.4 L-2.4 -2.6 Z",
}


def mark(x: float, y: float, shape: str, style: str, tip: str, *, reach: float = 10) -> str:
    """Return a mark that says ``tip`` when it is pointed at, within ``reach`` of it, or focused."""
    said = escape(tip)
    return (
        f'<g class="mark {style}" tabindex="0" role="img" aria-label="{said}" data-tip="{said}" '
        f'transform="translate({x:.1f} {y:.1f})"><circle class="target" r="{reach:g}"/>'
        f'<path d="{_SHAPES[shape]}"/></g>'
    )


def label(placed: Label, style: str) -> str:
    """Return a placed label, with a line to its anchor where it is far."""
    box, (x, y) = placed.box, placed.anchor
    parts = []
    if placed.is_far:
        near_x = min(max(x, box.x), box.x + box.width)
        near_y = box.y if y < box.y else box.y + box.height
        parts.append(f'<line class="leader" x1="{x:.1f}" y1="{y:.1f}" x2="{near_x:.1f}" y2="{near_y:.1f}"/>')
    parts.append(text(box.x, box.y + box.height - 4, placed.text, f"name {style}"))
    return "".join(parts)


def _joined(points: Points) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
