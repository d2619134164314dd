"""The page of a rehearsal: one HTML file with drawings, style and script inside; the charts are charts.py's."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from pathlib import Path

from emr_simulator.rehearsal.charts import core_chart, cost_chart, hdfs_chart, memory_chart, nodes_chart
from emr_simulator.rehearsal.summary import Summary, to_cents
from emr_simulator.rehearsal.timed_chart import Chart
from emr_simulator.rehearsal.timeline import Moment
from emr_simulator.report.page import cards, page


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What the page is about.

    Attributes:
        title: What was played.
        scaled: The cluster whose groups are charted.
        hdfs_high: Fraction (0-1) of HDFS above which core nodes are added.
        hdfs_low: Fraction (0-1) below which one may go.
        missing: One line for each thing that was not seen.
    """

    title: str
    scaled: str
    hdfs_high: float
    hdfs_low: float
    missing: Sequence[str] = ()


def render_page(story: Story, summary: Summary, moments: Sequence[Moment]) -> str:
    """Return the whole page as HTML."""
    charts = (
        nodes_chart(moments, summary, story.scaled),
        memory_chart(moments, story.scaled),
        hdfs_chart(moments, story.scaled, high=story.hdfs_high, low=story.hdfs_low),
        core_chart(moments, story.scaled),
        cost_chart(summary.component_costs, moments[0].at, moments[-1].at),
    )
    title = "EMR Autoscaler: rehearsal"
    body = (
        f'<h1>{title}</h1><p class="sub">{escape(story.title)}, {moments[0].at:%A %d %B %Y %H:%M} to '
        f"{moments[-1].at:%H:%M} UTC, virtual time</p>"
        f"{_verdict(story.missing)}{_figures(summary)}"
        f"{''.join(_section(chart) for chart in charts)}"
        f"{_interruptions(summary)}{_reaped(summary)}{_bills(summary)}{_deeds(summary)}"
        "<footer>Point at a mark for its reason; move over a chart to read all of them at that time. "
        "Every decision and cost on this page was written by the deployed functions and read back from "
        "DynamoDB.</footer>"
    )
    return page(title, [body], style=_asset("page.css"), script=_asset("cursor.js"))


def _asset(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _verdict(missing: Sequence[str]) -> str:
    if not missing:
        return (
            '<p class="verdict">Everything was seen: task groups out and in, core resized, warnings answered, '
            "an idle cluster reaped, a busy one kept, one not opted in left alone, costs equal to the bill.</p>"
        )
    items = "".join(f"<li>{escape(item)}</li>" for item in missing)
    return f'<div class="verdict bad">Not everything was seen:<ul>{items}</ul></div>'


def _figures(summary: Summary) -> str:
    saved = summary.static_usd - summary.recorded_usd
    share = saved / summary.static_usd if summary.static_usd else Decimal(0)
    total_hours = sum(summary.node_hours.values(), Decimal(0))
    replaced = sum(bool(entry.replacement) for entry in summary.interruptions)
    rate = sum((entry.usd_per_hour for entry in summary.reaped), Decimal(0))
    equal = all(bill.agrees for bill in summary.bills if bill.recorded_usd is not None)
    agreement = "equal to the simulated bill, to the cent" if equal else "differs from the simulated bill"
    figures = (
        (f"{to_cents(summary.recorded_usd)} USD", f"recorded, {agreement}"),
        (f"{share:.0%} less", f"than {to_cents(summary.static_usd)} USD, a static cluster at the maximum"),
        (f"{total_hours:.1f} h", f"of nodes, {summary.spot_share:.0%} of them spot"),
        (f"{replaced} of {len(summary.interruptions)}", "interrupted instances replaced"),
        (f"{to_cents(rate)} USD/h", f"saved by reaping {_counted(len(summary.reaped), 'idle cluster')}"),
    )
    return cards(figures)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def _section(chart: Chart) -> str:
    legend = "".join(
        f'<li><i class="{escape(style)} {kind}"></i>{escape(name)}</li>' for name, style, kind in chart.legend
    )
    return (
        f'<section><div class="head"><div><h2>{escape(chart.title)}</h2>'
        f'<p class="note">{escape(chart.note)}</p></div>'
        f'<ul class="legend">{legend}</ul></div>{chart.svg}<p class="readout"></p></section>'
    )


def _table(
    title: str, note: str, heads: Sequence[tuple[str, str]], rows: Iterable[Sequence[str]], last: str = ""
) -> str:
    head = "".join(f'<th class="{style}">{escape(name)}</th>' for name, style in heads)
    body = "".join(
        "<tr>"
        + "".join(f'<td class="{style}">{cell}</td>' for cell, (_, style) in zip(row, heads, strict=True))
        + "</tr>"
        for row in rows
    )
    return (
        f'<section><h2>{escape(title)}</h2><p class="note">{escape(note)}</p>'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}{last}</tbody></table></section>"
    )


def _orders(told: str) -> str:
    """Return orders as HTML, each in one piece: lines break between two of them."""
    return ", ".join(f'<span class="piece">{escape(order)}</span>' for order in told.split(", "))


def _interruptions(summary: Summary) -> str:
    heads = (
        ("time", "tight"),
        ("instance", "tight"),
        ("group", "tight"),
        ("answer", "tight"),
        ("ordered for it", ""),
        ("EC2 charge", "tight"),
    )
    rows = (
        (
            f"{entry.at:%H:%M}",
            f"<code>{escape(entry.ec2_instance_id)}</code>",
            escape(entry.group),
            escape(entry.answer or "none"),
            _orders(entry.replacement or "nothing"),
            "none, in its first hour" if entry.is_free else "until it went",
        )
        for entry in summary.interruptions
    )
    return _table("Interruptions", "Instances that EC2 took back, with two minutes' notice.", heads, rows)


def _reaped(summary: Summary) -> str:
    heads = (("cluster", ""), ("announced", ""), ("ended", ""), ("reason", ""), ("saves, USD per hour", "num"))
    rows = (
        (
            escape(entry.cluster),
            f"{entry.announced_at:%H:%M}" if entry.announced_at else "never",
            f"{entry.ended_at:%H:%M}",
            escape(entry.reason),
            f"{to_cents(entry.usd_per_hour)}",
        )
        for entry in summary.reaped
    )
    return _table("Reaped", "Idle clusters that were announced, checked again and ended.", heads, rows)


def _bills(summary: Summary) -> str:
    heads = (("cluster", ""), ("recorded, USD", "num"), ("bill, USD", "num"), ("", ""))
    rows = (
        (
            escape(bill.cluster),
            "" if bill.recorded_usd is None else f"{to_cents(bill.recorded_usd)}",
            f"{to_cents(bill.ledger_usd)}",
            "not opted in, not recorded"
            if bill.recorded_usd is None
            else "equal to the cent"
            if bill.agrees
            else "different",
        )
        for bill in summary.bills
    )
    last = (
        f'<tr class="sum"><td>recorded clusters</td><td class="num">{to_cents(summary.recorded_usd)}</td>'
        f'<td class="num">{to_cents(summary.ledger_usd)}</td><td></td></tr>'
    )
    return _table("The bill", "Cost lines in DynamoDB, and the simulated AWS's own ledger.", heads, rows, last)


def _deeds(summary: Summary) -> str:
    heads = (
        ("time", "tight"),
        ("cluster", "tight"),
        ("decision", "tight"),
        ("reason", "tight"),
        ("ordered", ""),
        ("evidence", "detail"),
    )
    rows = (
        (
            f"{deed.at:%H:%M}",
            escape(deed.cluster),
            escape(f"{deed.kind} {deed.action}" + ("" if deed.done else " (failed)")),
            f"<code>{escape(deed.reason)}</code>",
            _orders(deed.orders),
            escape(deed.detail),
        )
        for deed in summary.deeds
    )
    return _table("Decisions", "All that were more than a hold, as recorded in the state table.", heads, rows)
