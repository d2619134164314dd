"""Placing labels so that none lies on another, on a mark or outside of the chart."""

from collections.abc import Sequence
from dataclasses import dataclass

CHARACTER_WIDTH, HEIGHT = 8.0, 16.0
"""Of the bold 12 px type of charts, in the widest of the fonts that systems bring."""

_NEAR = 18.0


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
    wanted: Sequence[tuple[str, Sequence[tuple[float, float]]]], marks: Sequence[tuple[float, float]], room: Box
) -> tuple[Label, ...]:
    """Place one label for each text, near one of its anchors.

    Args:
        wanted: Texts, the most important first, each with the points that it may stand at.
        marks: Points that labels must not cover.
        room: Where labels must lie.
    """
    radius = 6.0
    taken = [Box(x=x - radius, y=y - radius, width=2 * radius, height=2 * radius) for x, y in marks]
    placed = []
    for text, anchors in wanted:
        label = _first_free(text, anchors, taken, room)
        if label is not None:
            taken.append(label.box)
            placed.append(label)
    return tuple(placed)


def _first_free(
    text: str, anchors: Sequence[tuple[float, float]], taken: Sequence[Box], room: Box
) -> Label | None:
    width = len(text) * CHARACTER_WIDTH
    for distance in (10.0, _NEAR, 30.0, 46.0, 66.0, 90.0, 120.0):
        for anchor in anchors:
            for box in _around(anchor, width, distance):
                if box.lies_within(room) and not any(box.overlaps(other) for other in taken):
                    return Label(text=text, box=box, anchor=anchor, is_far=distance > _NEAR)
    return None


def _around(anchor: tuple[float, float], width: float, distance: float) -> tuple[Box, ...]:
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
