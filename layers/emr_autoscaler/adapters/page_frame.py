"""What finance's pages share: a self-contained HTML document that reads in light and dark, and prints on paper."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from html import escape

CENT = Decimal("0.01")
CENT_PLACES = 2

_STYLE = """
@page { size: A4; margin: 16mm 14mm 18mm; @bottom-right { content: counter(page) " / " counter(pages);
  font: 9px system-ui, sans-serif; color: #526071; } }
:root { color-scheme: light dark; --text: #1c2430; --quiet: #526071; --line: #e4e8ee; --rule: #8694a6;
  --edge: #d5dbe3; --page: #fff; --due: #eef4fb; --due-edge: #9dbbe0; --bar: #3b6fb0; --wrong: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --text: #e3e8ef; --quiet: #9aa7b8; --line: #2b3440; --rule: #6b7a8d;
  --edge: #3a4553; --page: #12171e; --due: #182739; --due-edge: #3d618f; --bar: #6ea3e0; --wrong: #ff8a80; } }
@media print { :root { font-size: 11px; color-scheme: light; --text: #1c2430; --quiet: #526071; --line: #e4e8ee;
  --rule: #8694a6; --edge: #d5dbe3; --page: #fff; --due: #eef4fb; --due-edge: #9dbbe0; --bar: #3b6fb0;
  --wrong: #b3261e; } }
* { box-sizing: border-box; }
body { font: 14px/1.45 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; color: var(--text);
  background: var(--page); max-width: 60rem; margin: 2rem auto; padding: 0 1.2rem; }
a { color: var(--bar); }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2rem 0 .4rem; }
.period { color: var(--quiet); margin: .2rem 0 1.4rem; }
.figures { display: grid; grid-template-columns: repeat(4, 1fr); gap: .7rem; margin: 0 0 .8rem; }
.figures div { border: 1px solid var(--edge); border-radius: 6px; padding: .6rem .8rem; }
.figures dt { color: var(--quiet); font-size: .8rem; } .figures dd { margin: 0; font-size: 1.15rem;
  font-weight: 600; }
.figures .due { background: var(--due); border-color: var(--due-edge); }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .3rem .5rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child, th.text, td.text { text-align: left; white-space: normal; overflow-wrap:
  anywhere; }
thead th { border-bottom: 2px solid var(--rule); font-weight: 600; font-size: .85rem; }
tr.total td { font-weight: 600; border-top: 2px solid var(--rule); border-bottom: 0; }
td { font-variant-numeric: tabular-nums; } .quiet { color: var(--quiet); font-size: .85rem; }
.wrong { border: 2px solid var(--wrong); padding: .6rem .8rem; border-radius: 6px; }
svg { width: 100%; height: auto; display: block; } svg text { font-size: 9px; fill: var(--quiet); }
svg rect { fill: var(--bar); }
@media print { body { margin: 0; padding: 0; max-width: none; font-size: 1rem; print-color-adjust: exact;
  -webkit-print-color-adjust: exact; } thead { display: table-header-group; }
  tr, .figures, .figures div, svg, .wrong { break-inside: avoid; } h2 { break-after: avoid; }
  tr.total { break-before: avoid; } .figures dd { font-size: 1rem; } a { color: inherit; } }
@media (max-width: 40rem) { .figures { grid-template-columns: repeat(2, 1fr); } .table { overflow-x: auto; } }
"""


def document(title: str, parts: Sequence[str]) -> str:
    """Return a page of parts that are HTML already; empty ones are left out."""
    body = "\n".join(part for part in parts if part)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def usd(amount: Decimal) -> str:
    """Write an amount in cents."""
    return f"{amount.quantize(CENT, rounding=ROUND_HALF_EVEN):,f}"


def moment(at: datetime) -> str:
    """Write a time to the minute, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
