"""A statement as a page: the same figures as its CSV, in cents that add up; its frame is page_frame.py's."""

from collections.abc import Sequence
from decimal import Decimal
from html import escape

from emr_autoscaler.adapters.page_frame import CENT, CENT_PLACES, document, moment, usd
from emr_autoscaler.domain.costs import exact_sum
from emr_autoscaler.domain.fair_rounding import rounded
from emr_autoscaler.domain.statement import Statement, StatementRow

_COMPONENTS = {
    "EMR_FEE": "EMR fee",
    "EC2_ON_DEMAND": "EC2 on demand",
    "EC2_SPOT": "EC2 spot",
    "EBS": "EBS volumes",
}


def statement_page(statement: Statement) -> str:
    """Return the page of a statement."""
    title = f"EMR cost statement: {statement.cost_centre}, {statement.month}"
    parts = [
        f"<h1>{escape(statement.cost_centre)}</h1>",
        (
            f'<p class="period">EMR cost statement for {statement.month}, calendar month in UTC. Account '
            f"{escape(statement.account_id)}. Issued {moment(statement.issued_at)}. All amounts in USD.</p>"
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
    return document(title, parts)


def index_page(account_id: str, month: str, statements: Sequence[Statement], pages: Sequence[str]) -> str:
    """Return the page that lists the statements of a month."""
    cents = [(own, booked, own + booked) for own, booked in map(_in_cents, statements)]
    rows = [
        f'<tr><td><a href="{escape(page)}">{escape(s.cost_centre)}</a></td><td class="text">{s.status}</td>'
        f"<td>{s.total.cluster_hours:,}</td>{''.join(f'<td>{usd(amount)}</td>' for amount in shown)}</tr>"
        for s, page, shown in zip(statements, pages, cents, strict=True)
    ]
    if rows:
        totals = "".join(f"<td>{usd(exact_sum(column))}</td>" for column in zip(*cents, strict=True))
        hours = sum(s.total.cluster_hours for s in statements)
        rows.append(f'<tr class="total"><td>Total</td><td></td><td>{hours:,}</td>{totals}</tr>')
    parts = [
        f"<h1>EMR cost statements of {month}</h1>",
        f'<p class="period">Account {escape(account_id)}, calendar month in UTC, amounts in USD.</p>',
        '<div class="table"><table><thead><tr><th>Cost centre</th><th class="text">Status</th>',
        "<th>Cluster-hours</th><th>Month</th><th>Corrections</th><th>Due</th></tr></thead><tbody>",
        *(rows or ['<tr><td colspan="6">No cluster-hour was recorded in this month.</td></tr>']),
        "</tbody></table></div>",
    ]
    return document(f"EMR cost statements of {month}", parts)


def _figures(statement: Statement) -> str:
    total = statement.total
    known = f" (known for {statement.hours_with_idle:,} of {total.cluster_hours:,} cluster-hours)"
    own, corrections = _in_cents(statement)
    figures = [
        ("Due", statement.due_usd, "due"),
        ("Month's own hours", own, ""),
        ("Corrections of closed months", corrections, ""),
        ("At contracted rates", total.contracted_cost_usd, ""),
        ("At list, on demand", total.list_cost_usd, ""),
        ("Saved by spot", total.spot_saving_usd, ""),
        ("Saved by scaling (estimate)", statement.scaling_saving_usd, ""),
        ("Saved by ending idle clusters (estimate)", statement.reaping_saving_usd, ""),
    ]
    if statement.hours_with_idle:
        figures.append((f"Idle capacity{known}", statement.idle_cost_usd, ""))
    cells = [f'<div class="{css}"><dt>{name}</dt><dd>{usd(amount)}</dd></div>' for name, amount, css in figures]
    if not statement.hours_with_idle:
        cells.append("<div><dt>Idle capacity</dt><dd>not known</dd></div>")
    cells.append(f"<div><dt>Replaced spot instances</dt><dd>{statement.instances_replaced}</dd></div>")
    cells.append(f"<div><dt>Status</dt><dd>{statement.status}</dd></div>")
    return f'<dl class="figures">{"".join(cells)}</dl>'


def _in_cents(statement: Statement) -> tuple[Decimal, Decimal]:
    """Return the month's own hours and the corrections in cents; they add up to what is due in cents."""
    own, due = statement.total.effective_cost_usd.quantize(CENT), statement.due_usd.quantize(CENT)
    return own, due - own


def _basis(statement: Statement) -> str:
    proven = f"{statement.hours_reconciled} of {statement.total.cluster_hours} cluster-hours"
    told = {
        "ESTIMATED": "Computed from instances and published prices; not yet compared with the bill.",
        "RECONCILED": "Every cluster-hour was compared with the billing export.",
        "MIXED": f"{proven} were compared with the billing export, the others are computed from instances "
        "and published prices.",
    }[statement.status]
    assumed = "".join(f" Assumed: {escape(text)}." for text in statement.assumptions)
    return (
        f'<p class="quiet">{told}{assumed} Amounts are shown in cents, rounded so that the rows of each table add '
        "up to its total: a row may be off by less than a cent. The CSV beside this page is exact.</p>"
        '<p class="quiet">What scaling saved is estimated against task nodes kept at the dearest hour of the last '
        "day, what ending idle clusters saved as the cost of their last full hour for as long again as they had "
        "been idle, a day at most. Neither holds a part of the other, or of what spot saved.</p>"
    )


def _check(statement: Statement) -> str:
    if statement.rollup_usd == statement.total.effective_cost_usd:
        return ""
    return (
        '<p class="wrong">The hours add up to '
        f"{usd(statement.total.effective_cost_usd)}, the month's rollup says {usd(statement.rollup_usd)}. "
        "This statement has to be looked at before it is used.</p>"
    )


def _table(
    what: str, rows: Sequence[StatementRow], total: StatementRow, words: dict[str, str], *, hours: bool
) -> str:
    """Draw a table whose cents add up to its last row: the rows that lost most by rounding are lifted."""
    heads = [what, *(["Cluster-hours"] if hours else []), "List", "Contracted", "Spot saving", "Effective"]
    head = "".join(f"<th>{name}</th>" for name in heads)
    columns = [rounded([_amounts(row)[n] for row in rows], CENT_PLACES) for n in range(len(_amounts(total)))]
    shown = list(zip(*columns, strict=True)) if rows else []
    body = "".join(
        f"<tr>{_cells(row, amounts, words, hours=hours)}</tr>" for row, amounts in zip(rows, shown, strict=True)
    )
    foot = _cells(total, _amounts(total), {"total": "Total"}, hours=hours)
    # The total is the last row of the body, for a foot would be printed below the rows of every page.
    return (
        f'<div class="table"><table><thead><tr>{head}</tr></thead><tbody>{body}'
        f'<tr class="total">{foot}</tr></tbody></table></div>'
    )


def _amounts(row: StatementRow) -> tuple[Decimal, ...]:
    return (row.list_cost_usd, row.contracted_cost_usd, row.spot_saving_usd, row.effective_cost_usd)


def _cells(row: StatementRow, amounts: Sequence[Decimal], words: dict[str, str], *, hours: bool) -> str:
    name = escape(words.get(row.key, row.key))
    label = f'<br><span class="quiet">{escape(row.label)}</span>' if row.label else ""
    counted = f"<td>{row.cluster_hours:,}</td>" if hours else ""
    return f"<td>{name}{label}</td>{counted}" + "".join(f"<td>{usd(amount)}</td>" for amount in amounts)


def _chart(days: Sequence[StatementRow]) -> str:
    """Draw the days as bars, the highest as high as the chart; the table of days has the figures."""
    highest = max((day.effective_cost_usd for day in days), default=Decimal(0))
    if highest <= 0:
        return '<p class="quiet">Nothing was charged.</p>'
    width, height = 22, 110
    bars = []
    for number, day in enumerate(days):
        tall = max(Decimal(0), day.effective_cost_usd / highest * height).quantize(CENT)
        title = f"<title>{day.key}: {usd(day.effective_cost_usd)}</title>"
        x = number * width
        bars.append(
            f'<rect x="{x + 2}" y="{height - tall + 12}" width="{width - 4}" height="{tall}">'
            f"{title}</rect>"
            f'<text x="{x + width // 2}" y="{height + 24}" text-anchor="middle">{day.key[-2:]}</text>'
        )
    label = f"Cost of each day, the highest {usd(highest)} USD"
    top = f'<text x="2" y="9">{usd(highest)}</text>'
    return (
        f'<svg viewBox="0 0 {max(len(days), 12) * width} {height + 28}" role="img" aria-label="{label}">'
        f"{top}{''.join(bars)}</svg>"
    )


def _corrections(statement: Statement) -> str:
    if not statement.corrections:
        return ""
    _, booked = _in_cents(statement)
    differences = rounded([c.effective_cost_usd for c in statement.corrections], CENT_PLACES)
    largest = max(range(len(differences)), key=lambda n: abs(differences[n]))
    differences[largest] += booked - exact_sum(differences)  # a cent at most
    rows = "".join(
        f"<tr><td>{c.record.hour:%Y-%m-%d %H:00}</td><td class='text'>{escape(c.record.cluster_id)}</td>"
        f"<td>{c.record.revision}</td><td>{moment(c.record.recorded_at)}</td>"
        f"<td>{usd(difference)}</td></tr>"
        for c, difference in zip(statement.corrections, differences, strict=True)
    )
    return (
        "<h2>Corrections of closed months</h2><div class='table'><table><thead><tr><th>Hour (UTC)</th>"
        "<th class='text'>Cluster</th><th>Revision</th><th>Known since</th><th>Difference</th></tr></thead>"
        f"<tbody>{rows}<tr class='total'><td>Total</td><td></td><td></td><td></td>"
        f"<td>{usd(booked)}</td></tr></tbody></table></div>"
    )
