"""The page of a backtest, drawn from its document alone."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from html import escape
from typing import Any

from emr_simulator.report.backtest_charts import MIB_PER_GIB, memory_chart, nodes_chart, waiting_chart
from emr_simulator.report.page import cards, legend, page, section, table

_BOTH = (("grey", "recorded"), ("own", "this policy"))


def backtest_page(document: Mapping[str, Any]) -> str:
    """Return the page as HTML.

    Args:
        document: As backtest.json holds it.
    """
    policy, model, counted = document["policy"], document["model"], document["counted_in"]
    title = f"Backtest of policy {policy['name']} on {document['cluster_id']}"
    objective = f" (objective {policy['objective']})" if policy["objective"] else ""
    about = (
        f"{_time(document['from'])} to {_time(document['to'])} UTC, {document['samples']} samples. Waiting "
        f"work may take {policy['drain_within_seconds']:g} s{objective}, {policy['min_nodes']} to "
        f"{policy['max_nodes']} task {counted}; orders take effect after {model['provisioning_seconds'] / 60:g} "
        f"min; containers run {model['task_seconds']:g} s ({_SOURCES[model['task_seconds_from']]})."
    )
    gap = (("gap", "samples missing"),) if document["gaps"] else ()
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="sub">{escape(about)}</p>',
        cards(_headline(document)),
        _notes(document),
        section(
            f"Task {counted} over time",
            f"{counted.capitalize()} in the cluster. Each mark is an order, at the count it asks for: a triangle "
            "for more, a circle for fewer; point at it for the reason.",
            [f'<div class="wide">{nodes_chart(document)}</div>'],
            legend=legend([*_BOTH, ("orange", "ordered out"), ("blue", "ordered in"), *gap]),
        ),
        section(
            "Work and capacity",
            "The area is the work that came in each period, as memory in use if nothing ever waited. Lines "
            "are the memory of core and task nodes.",
            [f'<div class="wide">{memory_chart(document)}</div>'],
            legend=legend([("idle", "work offered"), *_BOTH, *gap]),
        ),
        section(
            "Unmet demand",
            f"Memory of the containers that wait: the price of fewer {counted}.",
            [f'<div class="wide">{waiting_chart(document)}</div>'],
            legend=legend([*_BOTH, *gap]),
        ),
        section("Side by side", "Gaps are left out of every sum on both sides.", [_sides(document)]),
        section(
            "What was ordered, and why",
            "Every decision that changes a count, with its arithmetic.",
            [_orders(document["decisions"], counted)],
        ),
        section(
            "Every decision",
            "Looks in a row that held for the same reason stand in one line.",
            [f"<details><summary>{len(document['decisions'])} decisions</summary>{_all(document)}</details>"],
        ),
        f"<footer>{escape(_footer(document))}</footer>",
    ]
    return page(title, body)


_SOURCES = {
    "given": "as given",
    "recording": "as draining backlogs of the recording show",
    "policy": "as the policy expects",
}


def _headline(document: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    recorded, replayed, counted = document["recorded"], document["replayed"], document["counted_in"]
    before, after = Decimal(recorded["cost_usd"]), Decimal(replayed["cost_usd"])
    change = f"{(after - before) / before:+.0%}" if before else "-"
    return (
        (f"{after:,.2f} USD", f"task {counted} under this policy; {before:,.2f} USD recorded ({change})"),
        (
            f"{replayed['node_hours']:,.1f} h",
            f"task {counted[:-1]}-hours, {recorded['node_hours']:,.1f} recorded",
        ),
        (
            f"{_gib_hours(replayed):,.0f} GiB h",
            f"waiting beyond capacity, {_gib_hours(recorded):,.0f} recorded",
        ),
        (
            f"{replayed['hours_with_pending']:,.1f} h",
            f"with work waiting, {recorded['hours_with_pending']:,.1f} recorded",
        ),
        (
            f"{replayed['scale_outs']} out, {replayed['scale_ins']} in",
            f"orders in {replayed['decisions']:,} decisions",
        ),
    )


def _notes(document: Mapping[str, Any]) -> str:
    """Say what a reader should know before believing the figures."""
    policy, model = document["policy"], document["model"]
    notes = []
    expected, seen = policy["expected_task_seconds"], model["task_seconds"]
    if model["task_seconds_from"] == "recording" and not expected / 2 <= seen <= expected * 2:
        notes.append(
            f"The policy expects containers of {expected} s (task.expected_task_seconds); the recording shows "
            f"about {seen:g} s. Nodes are bought for the work the policy expects."
        )
    if document["gaps"]:
        count = len(document["gaps"])
        where = "one gap" if count == 1 else f"{count} gaps"
        notes.append(
            f"Samples are missing for {document['gap_hours']:g} h, in {where}: they count on neither side."
        )
    if policy["mode"] == "dry_run":
        notes.append("The policy's mode is dry_run: deployed as it is, it would decide this and change nothing.")
    return f'<ul class="plain">{"".join(f"<li>{escape(note)}</li>" for note in notes)}</ul><br>' if notes else ""


def _sides(document: Mapping[str, Any]) -> str:
    def row(what: str, show: Callable[[Mapping[str, Any]], str]) -> tuple[str, list[str]]:
        return "", [escape(what), show(document["recorded"]), show(document["replayed"])]

    one = document["counted_in"][:-1]
    body = [
        row(f"task {one}s, USD", lambda side: f"{Decimal(side['cost_usd']):,.2f}"),
        row(f"task {one}-hours", lambda side: f"{side['node_hours']:,.1f}"),
        row(f"most task {one}s", lambda side: f"{side['most_nodes']:g}"),
        row("waiting beyond capacity, GiB h", lambda side: f"{_gib_hours(side):,.1f}"),
        row("hours with work waiting", lambda side: f"{side['hours_with_pending']:,.2f}"),
        row("most waiting, GiB", lambda side: f"{side['most_pending_mib'] / MIB_PER_GIB:,.1f}"),
    ]
    core = f"{Decimal(document['core']['cost_usd']):,.2f}"
    body.append(("", ["core nodes, USD (not replayed)", core, core]))
    return table(["", "recorded", "this policy"], body)


def _orders(decisions: Sequence[Mapping[str, Any]], counted: str) -> str:
    rows = []
    for decision in decisions:
        if decision["targets"]:
            nodes = f"{decision['nodes_before']} &rarr; {decision['nodes_after']}"
            detail = f'<small class="wrap">{escape(decision["detail"])}</small>'
            rows.append(("", [_time(decision["at"]), nodes, f"<b>{escape(decision['reason'])}</b>{detail}"]))
    if not rows:
        return '<p class="note">None: every look held.</p>'
    return table(["time, UTC", f"task {counted}", "reason and arithmetic"], rows, text_columns=3)


def _all(document: Mapping[str, Any]) -> str:
    """Return all decisions, holds in a row for one reason as one line."""
    rows: list[tuple[str, list[str]]] = []
    run: list[Mapping[str, Any]] = []
    for decision in [*document["decisions"], None]:
        if run and (decision is None or decision["targets"] or _kind(decision) != _kind(run[-1])):
            rows.append(("", _run_cells(run)))
            run = []
        if decision is not None:
            run.append(decision)
            if decision["targets"]:
                rows.append(("", _run_cells(run)))
                run = []
    return table(["from", "to", "looks", "decision", "reason", document["counted_in"]], rows, text_columns=6)


def _kind(decision: Mapping[str, Any]) -> tuple[str, str]:
    return decision["action"], decision["reason"]


def _run_cells(run: Sequence[Mapping[str, Any]]) -> list[str]:
    first, last = run[0], run[-1]
    nodes = str(last["nodes_after"])
    if last["nodes_after"] != first["nodes_before"]:
        nodes = f"{first['nodes_before']} &rarr; {nodes}"
    until = _time(last["at"]) if len(run) > 1 else ""
    return [_time(first["at"]), until, str(len(run)), escape(first["action"]), escape(first["reason"]), nodes]


def _footer(document: Mapping[str, Any]) -> str:
    prices = "; ".join(
        f"{price['instance_type']} {price['usd_per_node_hour']} USD a node-hour ({price['source']})"
        for price in document["prices"]
    )
    return (
        f"Prices: {prices}. The work is reconstructed from memory in use and waiting, and replayed as a fluid "
        "that packs perfectly; the decisions are those of the deployed function. docs/backtest.md has the "
        "method and its limits."
    )


def _gib_hours(side: Mapping[str, Any]) -> float:
    return float(side["unmet_mib_hours"]) / MIB_PER_GIB


def _time(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}"
