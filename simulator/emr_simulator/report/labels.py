"""Placing labels so that none lies on another, on a mark or outside of the chart."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

CHARACTER_WIDTH, HEIGHT = 8.0, 16.0
"""Of the bold 12 px type of charts, in the widest of the fonts that systems bring."""

_NEAR = 18.0

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle, its top left corner first."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: "Box") -> bool:
        """Return whether the two share an area."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )

    def lies_within(self, other: "Box") -> bool:
        """Return whether no part of it is outside of ``other``."""
        return (
            other.x <= self.x
            and self.x + self.width <= other.x + other.width
            and other.y <= self.y
            and self.y + self.height <= other.y + other.height
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A placed label.

    Attributes:
        box: Where it lies.
        anchor: What it names.
        is_far: Whether it needs a line to its anchor.
    """

    text: str
    box: Box
    anchor: tuple[float, float]
    is_far: bool


def place(
    wanted: Sequence[tuple[str, Sequence[Point]]],
    marks: Sequence[Point],
    room: Box,
    lines: Sequence[Sequence[Point]] = (),
) -> tuple[Label, ...]:
    """Place one label for each text, near one of its anchors.

    Args:
        wanted: Texts, the most important first, each with the points that it may stand at.
        marks: Points that labels must not cover.
        room: Where labels must lie.
        lines: Lines that labels cross only where there is no other place.
    """
    taken = [_square(point, 6.0) for point in marks]
    crossed = [_square(point, 2.0) for line in lines for point in _along(line)]
    placed = []
    for text, anchors in wanted:
        label = _first_free(text, anchors, [*taken, *crossed], room) or _first_free(text, anchors, taken, room)
        if label is not None:
            taken.append(label.box)
            placed.append(label)
    return tuple(placed)


def _square(point: Point, radius: float) -> Box:
    return Box(x=point[0] - radius, y=point[1] - radius, width=2 * radius, height=2 * radius)


def _along(line: Sequence[Point]) -> Iterator[Point]:
    """Yield points of a line, so close to each other that no label fits between two."""
    for (x, y), (end_x, end_y) in pairwise(line):
        steps = max(1, math.ceil(math.hypot(end_x - x, end_y - y) / (HEIGHT / 2)))
        for step in range(steps + 1):
            share = step / steps
            yield x + share * (end_x - x), y + share * (end_y - y)


def _first_free(text: str, anchors: Sequence[Point], taken: Sequence[Box], room: Box) -> Label | None:
    width = len(text) * CHARACTER_WIDTH
    for distance in (10.0, _NEAR, 30.0, 46.0, 66.0, 90.0, 120.0):
        for anchor in anchors:
            for box in _around(anchor, width, distance):
                if box.lies_within(room) and not any(box.overlaps(other) for other in taken):
                    return Label(text=text, box=box, anchor=anchor, is_far=distance > _NEAR)
    return None


def _around(anchor: Point, width: float, distance: float) -> tuple[Box, ...]:
    x, y = anchor
    slant = distance * 0.75
    corners = (
        (x + distance, y - HEIGHT / 2),
        (x - distance - width, y - HEIGHT / 2),
        (x - width / 2, y - distance - HEIGHT),
        (x - width / 2, y + distance),
        (x + slant, y - slant - HEIGHT),
        (x + slant, y + slant),
        (x - slant - width, y - slant - HEIGHT),
        (x - slant - width, y + slant),
    )
    return tuple(Box(x=left, y=top, width=width, height=HEIGHT) for left, top in corners)
