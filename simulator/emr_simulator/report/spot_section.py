"""The part of a benchmark's page on spot: what it saved against on demand, and where the money went."""

from collections.abc import Mapping
from html import escape
from typing import Any

from emr_simulator.report.benchmark_charts import where_the_money_went
from emr_simulator.report.page import cards, legend, section, table

_MONEY = ("working", "idle", "booting", "draining")

Row = Mapping[str, Any]


def spot_section(spot: Mapping[str, Any], reference: str) -> list[str]:
    """Return the section's parts as HTML.

    Args:
        spot: Of the document.
        reference: The policy the charts are drawn of; the first where it was not run.
    """
    goal, rows = spot["goal"], spot["rows"]
    policy = reference if any(row["policy"] == reference for row in rows) else rows[0]["policy"]
    own = [row for row in rows if row["policy"] == policy]
    pairs = max(row["pairs"] for row in rows)
    about = (
        f"The same work with the same seeds, on demand ({spot['on_demand']}) and on spot pools of "
        f"{', '.join(spot['pools'])} beside that group: {pairs} pair{'s' * (pairs > 1)}. Aimed for: at most "
        f"{goal['cost']:g} of the cost, {goal['run_again']:.0%} of the work again, {goal['p95']:g} of the p95."
    )
    usd = {row["market"]: row["usd"] for row in own}
    bars = [_bar("on demand", own[0]["on_demand_usd"]), *(_bar(market, money) for market, money in usd.items())]
    aimed = goal["cost"] * sum(own[0]["on_demand_usd"].values())
    kinds = legend([(name, name) for name in _MONEY])
    return [
        section("On spot", about, [cards([_card(row) for row in own]), _table(rows, policy)]),
        section(
            "On spot: where the money went",
            f"{policy}, mean USD of a run's task nodes by what they did. The dashed line is what was aimed for, "
            f"{aimed:.1f} USD. What ran twice is part of working.",
            [f'<div class="wide">{where_the_money_went(bars, aimed)}</div>'],
            legend=kinds,
        ),
    ]


def _card(row: Row) -> tuple[str, str]:
    again = row["run_again"]["value"]
    return (
        f"{row['cost']['value']:.2f} of the cost",
        f"{row['policy']}, {row['market']}: {again:.1%} run again, p95 x {row['p95']['value']:.2f}",
    )


def _bar(name: str, money: Mapping[str, float]) -> dict[str, Any]:
    return {"policy": name, "money": money, "figures": {"cost_usd": {"value": sum(money.values())}}}


def _table(rows: list[Row], policy: str) -> str:
    columns = ("policy", "pools with", "USD", "run again", "p95", "node-hours", "delay", "on spot", "spot price")
    lines = []
    for row in rows:
        price = row["spot_price"]
        cells = [
            escape(row["policy"]),
            escape(row["market"]),
            _judged(row, "cost", 3),
            _judged(row, "run_again", 1, percent=True),
            _judged(row, "p95", 2),
            _interval(row["node_hours"], 2),
            _interval(row["delay"], 2),
            f"{row['spot_share']['value']:.0%}",
            "-" if price is None else f"{price:.3f}",
        ]
        lines.append(("mine" if row["policy"] == policy else "", cells))
    note = (
        '<p class="note">USD, p95, node-hours and delay are over on demand: geometric means and their paired 95 % '
        "bootstrap intervals. On spot: part of the node-hours. Spot price: of a spot node-hour over one on "
        "demand, the EMR fee included. Bold is what was aimed for.</p>"
    )
    return table(columns, lines, text_columns=2) + note


def _judged(row: Row, name: str, digits: int, *, percent: bool = False) -> str:
    shown = _interval(row[name], digits, percent=percent)
    middle, small, rest = shown.partition("<small>")
    return f"<b>{middle}</b>{small}{rest}" if row["meets"][name] else shown


def _interval(interval: Mapping[str, float], digits: int, *, percent: bool = False) -> str:
    kind = "%" if percent else "f"
    middle, low, high = (format(interval[name], f".{digits}{kind}") for name in ("value", "low", "high"))
    return middle if low == high else f"{middle}<small>{low} - {high}</small>"
