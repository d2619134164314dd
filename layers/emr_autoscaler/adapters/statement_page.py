"""A statement as a page: self-contained HTML that prints on paper; the same figures as its CSV."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from html import escape

from emr_autoscaler.domain.statement import Statement, StatementRow

_STYLE = """
@page { size: A4; margin: 16mm 14mm; }
* { box-sizing: border-box; }
body { font: 14px/1.45 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; color: #1c2430;
  max-width: 60rem; margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2rem 0 .4rem; }
.period { color: #526071; margin: .2rem 0 1.4rem; }
.figures { display: grid; grid-template-columns: repeat(4, 1fr); gap: .7rem; margin: 0; }
.figures div { border: 1px solid #d5dbe3; border-radius: 6px; padding: .6rem .8rem; }
.figures dt { color: #526071; font-size: .8rem; } .figures dd { margin: 0; font-size: 1.15rem; font-weight:
  600; }
.figures .due { background: #eef4fb; border-color: #9dbbe0; }
table { width: 100%; border-collapse: collapse; } caption { text-align: left; color: #526071; font-size: .85rem;
  padding-bottom: .3rem; }
th, td { padding: .3rem .5rem; border-bottom: 1px solid #e4e8ee; text-align: right; white-space: nowrap; }
th:first-child, td:first-child, th.text, td.text { text-align: left; white-space: normal; overflow-wrap:
  anywhere; }
thead th { border-bottom: 2px solid #8694a6; font-weight: 600; font-size: .85rem; }
tfoot td { font-weight: 600; border-top: 2px solid #8694a6; border-bottom: 0; }
td { font-variant-numeric: tabular-nums; } .quiet { color: #526071; font-size: .85rem; }
.wrong { border: 2px solid #b3261e; padding: .6rem .8rem; border-radius: 6px; }
svg { width: 100%; height: auto; display: block; } svg text { font-size: 9px; fill: #526071; }
@media print { body { margin: 0; padding: 0; max-width: none; font-size: 11px; } thead { display:
  table-header-group; }
  tr, .figures, svg { break-inside: avoid; } h2 { break-after: avoid; } .figures dd { font-size: 1rem; } }
@media (max-width: 40rem) { .figures { grid-template-columns: repeat(2, 1fr); } .table { overflow-x: auto; } }
"""

_COMPONENTS = {
    "EMR_FEE": "EMR fee",
    "EC2_ON_DEMAND": "EC2 on demand",
    "EC2_SPOT": "EC2 spot",
    "EBS": "EBS volumes",
}
_CENT = Decimal("0.01")


def statement_page(statement: Statement) -> str:
    """Return the page of a statement."""
    title = f"EMR cost statement: {statement.cost_centre}, {statement.month}"
    parts = [
        f"<h1>{escape(statement.cost_centre)}</h1>",
        (
            f'<p class="period">EMR cost statement for {statement.month}, calendar month in UTC. Account '
            f"{escape(statement.account_id)}. Issued {_moment(statement.issued_at)}. All amounts in USD.</p>"
        ),
        _check(statement),
        _figures(statement),
        _basis(statement),
        "<h2>By component</h2>",
        _table("Component", statement.by_component, statement.total, _COMPONENTS, hours=False),
        "<h2>By day</h2>",
        _chart(statement.by_day),
        "<h2>By cluster</h2>",
        _table("Cluster", statement.by_cluster, statement.total, {}, hours=True),
        _corrections(statement),
        "<h2>Days in figures</h2>",
        _table("Day", statement.by_day, statement.total, {}, hours=True),
    ]
    return _document(title, parts)


def index_page(account_id: str, month: str, statements: Sequence[Statement], pages: Sequence[str]) -> str:
    """Return the page that lists the statements of a month."""
    rows = [
        f'<tr><td><a href="{escape(page)}">{escape(s.cost_centre)}</a></td><td class="text">{s.status}</td>'
        f"<td>{s.total.cluster_hours}</td><td>{_usd(s.total.effective_cost_usd)}</td>"
        f"<td>{_usd(s.correction_usd)}</td><td>{_usd(s.due_usd)}</td></tr>"
        for s, page in zip(statements, pages, strict=True)
    ]
    parts = [
        f"<h1>EMR cost statements of {month}</h1>",
        f'<p class="period">Account {escape(account_id)}, calendar month in UTC, amounts in USD.</p>',
        '<div class="table"><table><thead><tr><th>Cost centre</th><th class="text">Status</th>',
        "<th>Cluster-hours</th><th>Month</th><th>Corrections</th><th>Due</th></tr></thead><tbody>",
        *(rows or ['<tr><td colspan="6">No cluster-hour was recorded in this month.</td></tr>']),
        "</tbody></table></div>",
    ]
    return _document(f"EMR cost statements of {month}", parts)


def _figures(statement: Statement) -> str:
    total = statement.total
    known = f" (known for {statement.hours_with_idle} of {total.cluster_hours} cluster-hours)"
    figures = [
        ("Due", statement.due_usd, "due"),
        ("Month's own hours", total.effective_cost_usd, ""),
        ("Corrections of closed months", statement.correction_usd, ""),
        ("At contracted rates", total.contracted_cost_usd, ""),
        ("At list, on demand", total.list_cost_usd, ""),
        ("Saved by spot", total.spot_saving_usd, ""),
        (f"Idle capacity{known}", statement.idle_cost_usd, ""),
    ]
    cells = [f'<div class="{css}"><dt>{name}</dt><dd>{_usd(amount)}</dd></div>' for name, amount, css in figures]
    cells.append(f"<div><dt>Status</dt><dd>{statement.status}</dd></div>")
    return f'<dl class="figures">{"".join(cells)}</dl>'


def _basis(statement: Statement) -> str:
    proven = f"{statement.hours_reconciled} of {statement.total.cluster_hours} cluster-hours"
    told = {
        "ESTIMATED": "Computed from instances and published prices; not yet compared with the bill.",
        "RECONCILED": "Every cluster-hour was compared with the billing export.",
        "MIXED": f"{proven} were compared with the billing export, the others are computed from instances "
        "and published prices.",
    }[statement.status]
    assumed = "".join(f" Assumed: {escape(text)}." for text in statement.assumptions)
    return f'<p class="quiet">{told}{assumed} Shown amounts are rounded; the CSV beside this page is exact.</p>'


def _check(statement: Statement) -> str:
    if statement.rollup_usd == statement.total.effective_cost_usd:
        return ""
    return (
        '<p class="wrong">The hours add up to '
        f"{_usd(statement.total.effective_cost_usd)}, the month's rollup says {_usd(statement.rollup_usd)}. "
        "This statement has to be looked at before it is used.</p>"
    )


def _table(
    what: str, rows: Sequence[StatementRow], total: StatementRow, words: dict[str, str], *, hours: bool
) -> str:
    heads = [what, *(["Cluster-hours"] if hours else []), "List", "Contracted", "Spot saving", "Effective"]
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "".join(f"<tr>{_cells(row, words, hours=hours)}</tr>" for row in rows)
    foot = _cells(total, {"total": "Total"}, hours=hours)
    return (
        f'<div class="table"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody>'
        f"<tfoot><tr>{foot}</tr></tfoot></table></div>"
    )


def _cells(row: StatementRow, words: dict[str, str], *, hours: bool) -> str:
    name = escape(words.get(row.key, row.key))
    label = f'<br><span class="quiet">{escape(row.label)}</span>' if row.label else ""
    counted = f"<td>{row.cluster_hours}</td>" if hours else ""
    amounts = (row.list_cost_usd, row.contracted_cost_usd, row.spot_saving_usd, row.effective_cost_usd)
    return f"<td>{name}{label}</td>{counted}" + "".join(f"<td>{_usd(amount)}</td>" for amount in amounts)


def _chart(days: Sequence[StatementRow]) -> str:
    """Draw the days as bars, the highest as high as the chart; the table of days has the figures."""
    highest = max((day.effective_cost_usd for day in days), default=Decimal(0))
    if highest <= 0:
        return '<p class="quiet">Nothing was charged.</p>'
    width, height = 22, 110
    bars = []
    for number, day in enumerate(days):
        tall = max(Decimal(0), day.effective_cost_usd / highest * height).quantize(_CENT)
        title = f"<title>{day.key}: {_usd(day.effective_cost_usd)}</title>"
        x = number * width
        bars.append(
            f'<rect x="{x + 2}" y="{height - tall + 12}" width="{width - 4}" height="{tall}" fill="#3b6fb0">'
            f"{title}</rect>"
            f'<text x="{x + width // 2}" y="{height + 24}" text-anchor="middle">{day.key[-2:]}</text>'
        )
    label = f"Cost of each day, the highest {_usd(highest)} USD"
    top = f'<text x="2" y="9">{_usd(highest)}</text>'
    return (
        f'<svg viewBox="0 0 {max(len(days), 12) * width} {height + 28}" role="img" aria-label="{label}">'
        f"{top}{''.join(bars)}</svg>"
    )


def _corrections(statement: Statement) -> str:
    if not statement.corrections:
        return ""
    rows = "".join(
        f"<tr><td>{c.record.hour:%Y-%m-%d %H:00}</td><td class='text'>{escape(c.record.cluster_id)}</td>"
        f"<td>{c.record.revision}</td><td>{_moment(c.record.recorded_at)}</td>"
        f"<td>{_usd(c.effective_cost_usd)}</td></tr>"
        for c in statement.corrections
    )
    return (
        "<h2>Corrections of closed months</h2><div class='table'><table><thead><tr><th>Hour (UTC)</th>"
        "<th class='text'>Cluster</th><th>Revision</th><th>Known since</th><th>Difference</th></tr></thead>"
        f"<tbody>{rows}</tbody><tfoot><tr><td>Total</td><td></td><td></td><td></td>"
        f"<td>{_usd(statement.correction_usd)}</td></tr></tfoot></table></div>"
    )


def _document(title: str, parts: Sequence[str]) -> str:
    body = "\n".join(part for part in parts if part)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _usd(amount: Decimal) -> str:
    return f"{amount.quantize(_CENT, rounding=ROUND_HALF_EVEN):,f}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
