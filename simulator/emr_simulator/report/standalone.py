"""Drawings that stand alone, as images of documents: with a paper, a title, a legend and both schemes' colours."""

from collections.abc import Sequence
from html import escape

from emr_simulator.report.drawing import line, text
from emr_simulator.report.labels import Box
from emr_simulator.report.page import asset

WIDTH = 900.0
"""Of a picture, in pixels: about the width of a document on GitHub, so that type keeps its size."""

LEFT = 16.0
_TYPE_WIDTH = 6.6
_SWATCH = 12.0


def standalone(height: float, parts: Sequence[str], *, title: str, note: str) -> str:
    """Return a whole SVG file.

    Args:
        height: In pixels.
        parts: What is drawn below the title and the note.
        title: One line.
        note: One line below it: how to read the picture.
    """
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" width="{WIDTH:g}" '
        f'height="{height:g}" role="img"><title>{escape(title)}</title><desc>{escape(note)}</desc>'
        f"<style>{asset('chart.css')}</style>"
        f'<rect class="paper" x="0.5" y="0.5" width="{WIDTH - 1:g}" height="{height - 1:g}" rx="10"/>'
        f"{text(LEFT, 27, title, 'title')}{text(LEFT, 46, note, 'tick')}{''.join(parts)}</svg>\n"
    )


def legend_row(y: float, entries: Sequence[tuple[str, str]], *, x: float = LEFT) -> list[str]:
    """Return names with their colours in one line.

    Args:
        y: Of the type's base line.
        entries: (classes, name); classes that begin with ``line`` are shown as lines, others as areas.
        x: Where it begins.
    """
    parts = []
    for style, name in entries:
        kind, _, rest = style.partition(" ")
        if kind == "line":
            parts.append(line([(x, y - 4), (x + _SWATCH + 6, y - 4)], rest))
            at = x + _SWATCH + 12
        else:
            box = Box(x=x, y=y - 10, width=_SWATCH, height=_SWATCH)
            parts.append(block(box, style))
            at = x + _SWATCH + 6
        parts.append(text(at, y, name, "plain"))
        x = at + len(name) * _TYPE_WIDTH + 18
    return parts


def block(box: Box, style: str) -> str:
    """Return a filled rectangle."""
    return (
        f'<rect class="area {style}" x="{box.x:.1f}" y="{box.y:.1f}" '
        f'width="{box.width:.1f}" height="{box.height:.1f}"/>'
    )


def span(x: float, end: float, y: float, said: str) -> str:
    """Return a length between two places, with what it is to the right of it."""
    bar = f"M{x:.1f} {y - 4:.1f}v8M{x:.1f} {y:.1f}H{end:.1f}M{end:.1f} {y - 4:.1f}v8"
    return f'<path class="arrow" d="{bar}"/>{text(end + 6, y + 4, said, "said")}'


def pointer(x: float, y: float, at: tuple[float, float], said: Sequence[str], *, style: str = "") -> str:
    """Return lines of text with a line from their beginning to what they speak of.

    Args:
        x: Of the text's left edge (its right one in the style ``end``).
        y: Of the first base line.
        at: What is spoken of.
        said: One or more lines.
        style: Further classes of the text.
    """
    near = y - 13 if at[1] < y else y + 15 * (len(said) - 1) + 5
    leader = f'<line class="arrow" x1="{x:.1f}" y1="{near:.1f}" x2="{at[0]:.1f}" y2="{at[1]:.1f}"/>'
    lines = (text(x, y + 15 * number, words, f"said {style}".strip()) for number, words in enumerate(said))
    return leader + "".join(lines)
