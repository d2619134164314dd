"""Who is cheaper than whom, as the tables and lists of a benchmark's page."""

from collections.abc import Mapping
from html import escape
from typing import Any

from emr_simulator.report.page import table


def equal_p95(trace: Mapping[str, Any]) -> str:
    """Return this system's cost over that of each other setting at its p95, as a table."""
    rows = trace["equal_p95"]
    if not rows or not rows[0]["own"]:
        return "<p>Nothing to compare.</p>"
    cells = [
        (
            "",
            [
                escape(row["policy"]),
                f"{row['bsld_p95']:.1f}",
                f"{row['cost_usd']:.1f}",
                *(_compared(compared) for compared in row["own"].values()),
            ],
        )
        for row in rows
    ]
    return table(["policy", "p95", "task USD", *(f"over it, {metrics}" for metrics in rows[0]["own"])], cells)


def _compared(compared: Mapping[str, Any]) -> str:
    """Return one ratio as a cell; a dash where no setting is as quick."""
    ratio = compared["ratio"]
    if ratio is None:
        return "-"
    middle = f"<b>{ratio['value']:.2f}</b>" if compared["met"] else f"{ratio['value']:.2f}"
    goal = f"; {compared['goal']:.2f} aimed for" if compared["goal"] else ""
    return f"{middle}<small>{ratio['low']:.2f} - {ratio['high']:.2f}{goal}</small>"


def cheapest(trace: Mapping[str, Any]) -> str:
    """Return the cheapest setting of each family for each bound on p95, as a table."""
    targets = trace["cheapest_at_p95"]
    families = list(targets[0]["families"])
    rows = []
    for family in families:
        cells = [escape(family)]
        for target in targets:
            found = target["families"][family]
            others = [
                f["cost_usd"] for name, f in target["families"].items() if f and not name.startswith("clairvoyant")
            ]
            cells.append(_cheapest_cell(found, min(others, default=0.0)))
        rows.append(("mine" if family.startswith("emr-autoscaler") else "", cells))
    return table(["policy", *(f"p95 up to {target['bsld_p95']:g}" for target in targets)], rows)


def _cheapest_cell(found: Mapping[str, Any] | None, best: float) -> str:
    if found is None:
        return "-"
    usd = f"{found['cost_usd']:.1f}"
    knob = found["policy"].partition(":")[2].partition("@")[0]
    return (f"<b>{usd}</b>" if found["cost_usd"] <= best else usd) + (
        f"<small>{escape(knob)}</small>" if knob else ""
    )


def losses(trace: Mapping[str, Any]) -> str:
    """Return which settings of this system lose to which others, as a list."""
    by_policy: dict[str, list[str]] = {}
    for loss in trace["loses_to"]:
        by_policy.setdefault(loss["policy"], []).append(loss["to"])
    if not by_policy:
        return "<p>Nowhere on this trace.</p>"
    items = "".join(
        f"<li><b>{escape(policy)}</b> to {escape(', '.join(others))}</li>" for policy, others in by_policy.items()
    )
    return f'<ul class="plain">{items}</ul>'
