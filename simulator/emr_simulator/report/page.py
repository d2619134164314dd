"""The shell of a page: style, script, sections, tables; the charts in it are drawn elsewhere."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

Cells = Sequence[str]


def page(title: str, body: Sequence[str], *, style: str | None = None, script: str = "") -> str:
    """Return a whole page; nothing in it is fetched from anywhere.

    Args:
        title: Of the window.
        body: HTML.
        style: CSS in place of that of reports.
        script: What runs after the script that shows the tips of marks.
    """
    style = asset("chart.css") + asset("page.css") if style is None else style
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head>"
        f'<body><main>{"".join(body)}</main><div id="tip" role="tooltip" hidden></div>'
        f"<script>{asset('page.js')}{script}</script></body></html>\n"
    )


def section(title: str, note: str, content: Sequence[str], *, legend: str = "") -> str:
    """Return a part of the page with its heading; ``note`` says how to read it."""
    return (
        f'<section><div class="head"><div><h2>{escape(title)}</h2><p class="note">{escape(note)}</p></div>{legend}'
        f"</div>{''.join(content)}</section>"
    )


def cards(entries: Sequence[tuple[str, str]]) -> str:
    """Return large values with what they are."""
    items = "".join(
        f'<div class="card"><b>{escape(v)}</b><span>{escape(what)}</span></div>' for v, what in entries
    )
    return f'<div class="cards">{items}</div>'


def legend(entries: Sequence[tuple[str, str]]) -> str:
    """Return a list of (class, name)."""
    items = "".join(f'<li class="{style}"><i></i>{escape(name)}</li>' for style, name in entries)
    return f'<ul class="legend">{items}</ul>'


def table(columns: Sequence[str], rows: Sequence[tuple[str, Cells]], *, text_columns: int = 1) -> str:
    """Return a table.

    Args:
        columns: Headings.
        rows: The class of each row, and its cells as HTML.
        text_columns: How many of the first columns hold text; the rest are numbers.
    """

    def style(index: int) -> str:
        return "" if index < text_columns else ' class="num"'

    head = "".join(f"<th{style(index)}>{escape(name)}</th>" for index, name in enumerate(columns))
    body = "".join(
        f'<tr class="{row_style}">{"".join(f"<td{style(i)}>{cell}</td>" for i, cell in enumerate(cells))}</tr>'
        for row_style, cells in rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def asset(name: str) -> str:
    """Return the text of a file beside this one."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
