"""The tables of docs/benchmark.md as Markdown, from the documents of benchmarks; no runs and no pages."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from emr_simulator.benchmark.reference import FAR, JOBS, REFERENCE_VALUES

Document = Mapping[str, Any]

_COMPARED = (
    ("cost_usd", "task USD", 1),
    ("bsld_p50", "BSLD p50", 1),
    ("bsld_p95", "p95", 1),
    ("bsld_p99", "p99", 1),
    ("delay_seconds", "delay s", 0),
    ("resize_requests", "resizes", 0),
    ("nodes_started", "starts", 0),
)
_STATIC_SHOWN = frozenset({"static:36", "static:60", "static:84", "static:96", "static:100"})
_ELASTICITY = (
    ("theta_u", "theta_U"),
    ("theta_o", "theta_O"),
    ("tau_u", "tau_U"),
    ("tau_o", "tau_O"),
    ("instability", "instability"),
)


def tables_of(documents: Sequence[Document]) -> str:
    """Return the tables of the first benchmark, and where there are more, how they differ from it.

    Args:
        documents: As benchmark.json holds them; the first is the one that the others vary.
    """
    parts: list[str] = []
    if len(documents) == 1:
        for trace in documents[0]["traces"]:
            parts += _tables(trace, documents[0])
        parts.append(_on_spot(documents[0]))
    else:
        parts.append(_sensitivity(documents))
    return "\n\n".join(part for part in parts if part) + "\n"


def _tables(trace: Mapping[str, Any], document: Document) -> Iterator[str]:
    seeds, about = document["seeds"], ", ".join(document["setup"]["varied"]) or "reference set-up"
    yield f"## {trace['trace']}: medians of {seeds} seed{'s' if seeds > 1 else ''}, {about}"
    if not document["setup"]["varied"] and trace["jobs"] == JOBS:
        yield _against_reference(trace)
    yield "### Results\n\n" + _results(trace, document)
    yield _judged(trace)
    yield _saving(trace, document)
    yield "### Cost at equal p95\n\n" + _equal_p95(trace)
    yield "### Where this system loses\n\n" + _losses(trace)
    yield "### Elasticity\n\n" + _elasticity(trace)


def _against_reference(trace: Mapping[str, Any]) -> str:
    rows = []
    for entry in trace["policies"]:
        reference = REFERENCE_VALUES.get(entry["policy"])
        if reference is None:
            continue
        cells = [f"`{entry['policy']}`"]
        for name, _title, digits in _COMPARED:
            own, other = _value(entry, name), reference[name]
            shown = f"{own:.{digits}f}"
            if other is not None:
                far = abs(own - other) > FAR * other if other else own != other
                shown += f" ({other:g}){' †' if far else ''}"
            cells.append(shown)
        rows.append(cells)
    if not rows:
        return ""
    heads = ["policy", *(title for _name, title, _digits in _COMPARED)]
    return "### Against the reference values\n\n" + _table(heads, rows)


def _results(trace: Mapping[str, Any], document: Document) -> str:
    against = {row["policy"]: row["cost_usd"] for row in document["against_reference"]}
    rows = []
    for entry in trace["policies"]:
        if entry["family"] == "static" and entry["policy"] not in _STATIC_SHOWN:
            continue
        ratio = against.get(entry["policy"])
        optimum = entry["over_optimum"]
        rows.append(
            [
                f"`{entry['policy']}`",
                _interval(entry["figures"]["cost_usd"], 1),
                f"{_value(entry, 'bsld_p50'):.1f}",
                _interval(entry["figures"]["bsld_p95"], 1),
                f"{_value(entry, 'bsld_p99'):.1f}",
                f"{_value(entry, 'delay_seconds'):.0f}",
                f"{_value(entry, 'resize_requests'):.0f}",
                f"{optimum['value']:.2f}" if optimum else "",
                _interval(ratio, 2) if ratio else "1" if against else "",
            ]
        )
    heads = ["policy", "task USD", "p50", "p95", "p99", "delay s", "resizes", "over optimum", "cost / reference"]
    return _table(heads, rows)


def _judged(trace: Mapping[str, Any]) -> str:
    runs = sum(entry["runs"] for entry in trace["policies"])
    passed = {entry["policy"]: entry["below_optimum"] for entry in trace["policies"] if entry["below_optimum"]}
    if not passed:
        return f"None of the {runs} runs lies below the optimum."
    named = ", ".join(f"`{policy}` ({count})" for policy, count in passed.items())
    return f"**Of {runs} runs these lie below the optimum: {named}.**"


def _saving(trace: Mapping[str, Any], document: Document) -> str:
    own = next((entry for entry in trace["policies"] if entry["policy"] == document["reference"]), None)
    if own is None or own["best_static"] is None:
        return ""
    static = own["best_static"]
    saved = 1 - _value(own, "cost_usd") / static["cost_usd"]
    return (
        f"Against a fixed size `{own['policy']}` saves {saved:.0%}: the cheapest size with its p95 of "
        f"{_value(own, 'bsld_p95'):.1f} is `{static['policy']}` at {static['cost_usd']:.1f} USD."
    )


def _equal_p95(trace: Mapping[str, Any]) -> str:
    """Return this system's cost over that of each other setting at its p95, by what tells it of the cluster."""
    rows = [
        [
            f"`{row['policy']}`",
            f"{row['bsld_p95']:.1f}",
            f"{row['cost_usd']:.1f}",
            *(_compared(compared) for compared in row["own"].values()),
        ]
        for row in trace["equal_p95"]
    ]
    if not rows or not trace["equal_p95"][0]["own"]:
        return "Nothing to compare."
    return _table(
        ["policy", "p95", "task USD", *(f"`@{metrics}`" for metrics in trace["equal_p95"][0]["own"])], rows
    )


def _compared(compared: Mapping[str, Any]) -> str:
    if compared["ratio"] is None:
        return "no setting is as quick"
    goal = f", aimed for {compared['goal']:.2f}" if compared["goal"] else ""
    return _met(_interval(compared["ratio"], 2), met=compared["met"]) + goal


def _losses(trace: Mapping[str, Any]) -> str:
    by_policy: dict[str, list[str]] = {}
    for loss in trace["loses_to"]:
        by_policy.setdefault(loss["policy"], []).append(f"`{loss['to']}`")
    lines = [f"- `{policy}` loses to {', '.join(others)}" for policy, others in by_policy.items()]
    return "\n".join(lines) or "Nowhere on this trace."


def _elasticity(trace: Mapping[str, Any]) -> str:
    rows = [
        [f"`{entry['policy']}`", *(f"{_value(entry, name):.2f}" for name, _title in _ELASTICITY)]
        for entry in trace["policies"]
        if entry["family"] != "static" or entry["policy"] in _STATIC_SHOWN
    ]
    return _table(["policy", *(title for _name, title in _ELASTICITY)], rows)


def _on_spot(document: Document) -> str:
    """Return each policy on spot over itself on demand; nothing where no market was asked for."""
    spot = document.get("spot")
    if not spot:
        return ""
    goal, pairs = spot["goal"], max(row["pairs"] for row in spot["rows"])
    rows = []
    for row in spot["rows"]:
        price = row["spot_price"]
        rows.append(
            [
                f"`{row['policy']}`",
                row["market"],
                _met(_interval(row["cost"], 3), met=row["meets"]["cost"]),
                _met(_share(row["run_again"]), met=row["meets"]["run_again"]),
                _met(_interval(row["p95"], 2), met=row["meets"]["p95"]),
                _interval(row["node_hours"], 2),
                f"{row['spot_share']['value']:.0%}",
                "" if price is None else f"{price:.3f}",
                f"{row['resizes']['value']:.0f}",
            ]
        )
    heads = ["policy", "pools with", "cost", "run again", "p95", "node-hours", "on spot", "spot price", "resizes"]
    about = (
        f"Pools {', '.join(spot['pools'])}, on-demand group {spot['on_demand']}. Cost, p95 and node-hours over "
        f"the same policy's on demand: geometric means of {pairs} pairs of work and seed, with their paired 95 % "
        f"bootstrap intervals. Spot price: a spot node-hour over one on demand. Aimed for: cost {goal['cost']:g}, "
        f"run again {goal['run_again']:.0%}, p95 {goal['p95']:g}; bold is met."
    )
    return f"## On spot\n\n{about}\n\n{_table(heads, rows)}"


def _met(shown: str, *, met: bool) -> str:
    return f"**{shown}**" if met else shown


def _share(interval: Mapping[str, float]) -> str:
    middle, low, high = (f"{interval[name]:.1%}" for name in ("value", "low", "high"))
    return middle if low == high else f"{middle} ({low}-{high})"


def _sensitivity(documents: Sequence[Document]) -> str:
    """Return what becomes of each policy in each variation, and its cost over that in the first benchmark."""
    heads = ["varied", "policy", "task USD", "over the first", "p95", "delay s", "resizes"]
    first: dict[tuple[str, str], float] = {}
    rows = []
    for document in documents:
        about = ", ".join(document["setup"]["varied"]) or "nothing"
        for trace in document["traces"]:
            for entry in trace["policies"]:
                cost = _value(entry, "cost_usd")
                before = first.setdefault((trace["trace"], entry["policy"]), cost)
                rows.append(
                    [
                        about,
                        f"`{entry['policy']}`",
                        _interval(entry["figures"]["cost_usd"], 1),
                        f"{cost / before:.2f}" if before else "",
                        _interval(entry["figures"]["bsld_p95"], 1),
                        f"{_value(entry, 'delay_seconds'):.0f}",
                        f"{_value(entry, 'resize_requests'):.0f}",
                    ]
                )
    return _table(heads, rows)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (heads, *rows)]
    lines.insert(1, "|" + "---|" * len(heads))
    return "\n".join(lines)


def _value(entry: Mapping[str, Any], name: str) -> float:
    return float(entry["figures"][name]["value"])


def _interval(interval: Mapping[str, float], digits: int) -> str:
    middle, low, high = (f"{interval[name]:.{digits}f}" for name in ("value", "low", "high"))
    return middle if low == high else f"{middle} ({low}-{high})"
