"""The page of a benchmark, drawn from its document alone."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from emr_simulator.report.benchmark_charts import cost_against, nodes_over_the_day, where_the_money_went
from emr_simulator.report.comparisons import cheapest, equal_p95, losses
from emr_simulator.report.entries import Entry, over, value
from emr_simulator.report.page import cards, legend, page, section, table
from emr_simulator.report.spot_section import spot_section

_MONEY_LEGEND = (
    ("working", "working"),
    ("idle", "idle"),
    ("booting", "booting"),
    ("draining", "draining"),
)
_FIGURES = (
    ("cost_usd", "task USD", 1),
    ("bsld_p50", "p50", 1),
    ("bsld_p95", "p95", 1),
    ("bsld_p99", "p99", 1),
    ("delay_seconds", "delay s", 0),
    ("deadline_misses", "misses", 0),
    ("resize_requests", "resizes", 0),
    ("nodes_started", "starts", 0),
)

_ELASTICITY = {
    "theta_u": "missing nodes / demand (theta U)",
    "theta_o": "surplus nodes / demand (theta O)",
    "tau_u": "time with too few (tau U)",
    "tau_o": "time with too many (tau O)",
    "instability": "instability",
}


def benchmark_page(document: Mapping[str, Any]) -> str:
    """Return the page as HTML.

    Args:
        document: As benchmark.json holds it.
    """
    setup = document["setup"]
    seeds = document["seeds"]
    about = (
        f"{seeds} seed{'s' if seeds > 1 else ''} of each policy, medians; "
        f"0 to {setup['maximum_task_count']} task nodes of {setup['instance_type']} beside "
        f"{setup['core_count']} core nodes, {setup['containers_per_node']} containers a node"
        + "".join(f"; {words}" for words in setup["varied"])
    )
    body = ["<h1>EMR Autoscaler: benchmark</h1>", f'<p class="sub">{escape(about)}</p>']
    if document.get("spot"):
        body += spot_section(document["spot"], document["reference"])
    for trace in document["traces"]:
        body += _trace(trace, document)
    body.append(
        "<footer>Slowdown is a job's response over its ideal response (60 s at least); delay is the mean wait "
        "of a container-second of work. Everything runs in virtual time with the decision code that is deployed. "
        f"Point at a mark for its figures. Code {escape(document['code'])}.</footer>"
    )
    return page("EMR Autoscaler: benchmark", body)


def _trace(trace: Mapping[str, Any], document: Mapping[str, Any]) -> list[str]:
    entries = trace["policies"]
    faces = representatives(entries, document["reference"])
    optimum = trace["optimum"]
    least = min(point["cost_usd"] for point in optimum["frontier"])
    most = document["setup"]["maximum_task_count"] + document["setup"]["core_count"]
    last_hour = max(len(entry["timeline"]["billed"]) for entry in faces) * 5 / 60
    scatter = (
        ("bsld_p95", "slowdown p95 (logarithmic)", "Cost against slowdown of the slowest twentieth"),
        ("delay_seconds", "delay, s (logarithmic)", "Cost against delay of the work"),
    )
    charts = [
        f"<figure><h3>{title}</h3>{cost_against(trace, figure, unit)}</figure>" for figure, unit, title in scatter
    ]
    days = [
        f"<figure><figcaption><h3>{escape(entry['policy'])}</h3><span>{value(entry, 'cost_usd'):.0f} USD, p95 "
        f"{value(entry, 'bsld_p95'):.1f}, delay {value(entry, 'delay_seconds'):.0f} s</span></figcaption>"
        f"{nodes_over_the_day(entry, trace['demand_nodes'], most=most, last_hour=last_hour)}</figure>"
        for entry in faces
    ]
    by_cost = sorted(faces, key=lambda entry: value(entry, "cost_usd"))
    about = (
        f": {trace['jobs']:,} jobs in {trace['hours']:g} h, "
        f"{optimum['work_floor_node_hours']:.0f} node-hours of work"
    )
    return [
        f'<p class="sub"><b>{escape(trace["trace"])}</b>{escape(about)}</p>',
        _headline(trace, document),
        section(
            "How many dollars for how much waiting",
            "Down and to the left is better. Each line is one policy with its knob turned. The shaded side of the "
            "dark line is out of reach for anyone, even knowing the future.",
            [f'<div class="grid2">{"".join(charts)}</div>'],
        ),
        section(
            "Nodes over the day",
            "Task nodes that are paid for, by what they do, in steps of five minutes. The line is the demand: "
            f"the nodes that work would fill if it never waited, cut off at {most}. One setting of each policy, "
            "the run of middle cost.",
            [f'<div class="grid2">{"".join(days)}</div>'],
            legend=legend([*_MONEY_LEGEND, ("demand", "demand")]),
        ),
        section(
            "Where the money went",
            f"The dashed line is the cheapest plan there is, {least:.1f} USD: it lets work wait for an hour.",
            [f'<div class="wide">{where_the_money_went(by_cost, least)}</div>'],
            legend=legend(_MONEY_LEGEND),
        ),
        section(
            "Cost at equal p95",
            "What this system costs where it is as quick as each other setting, over that setting's cost; between "
            "two settings of its own on the logarithms of cost and p95. By what tells it of the cluster: "
            "CloudWatch's samples every five minutes or every minute, or a probe. Below are 95 % bootstrap "
            "intervals, and what was aimed for on the Facebook day; bold is met.",
            [equal_p95(trace)],
        ),
        section(
            "The cheapest setting at equal p95",
            "For each bound on the slowdown's 95th percentile: the cheapest setting of each policy whose median "
            "meets it, in USD. A dash: no setting does.",
            [cheapest(trace)],
        ),
        section(
            "Where this system loses",
            "Other settings that cost no more and whose p95 is no longer.",
            [losses(trace)],
        ),
        section(
            "All figures",
            "Medians, and below them 95 % bootstrap intervals. Over the optimum: cost over the least cost at the "
            f"same delay. Over the reference, {document['reference']}: geometric means over pairs of the same "
            "trace and seed. p50, p95 and p99 are slowdowns, misses are missed deadlines.",
            [_figures(entries, document)],
        ),
        section(
            "Elasticity",
            "How the supply of nodes followed the demand, sampled every minute (SPEC RG). Demand is what zero "
            f"waiting would fill, {document['setup']['core_count']} to {most} nodes. Medians; less is better, and "
            "none says how much work had to wait.",
            [_elasticity(entries, document)],
        ),
    ]


def representatives(entries: Sequence[Entry], reference: str) -> list[Entry]:
    """Return one setting of each family: the reference itself, and the static size that is as quick as it.

    Of the other families it is the one with the least product of cost and p95.
    """
    own = next((entry for entry in entries if entry["policy"] == reference), None)
    static = own["best_static"]["policy"] if own is not None and own["best_static"] else reference
    faces = []
    for family in dict.fromkeys(entry["family"] for entry in entries):
        same = [entry for entry in entries if entry["family"] == family]
        first = [entry for entry in same if entry["policy"].partition("@")[0] in {reference, static}]
        rest = sorted(same, key=lambda entry: value(entry, "cost_usd") * value(entry, "bsld_p95"))
        faces.append([*first, *rest][0])
    return faces


def _headline(trace: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    own = next((entry for entry in trace["policies"] if entry["policy"] == document["reference"]), None)
    deadlines = trace["optimum"]["within_deadline_minutes"]
    entries = []
    if own is not None:
        static = own["best_static"]
        entries = [
            (f"{value(own, 'cost_usd'):.1f} USD", f"{own['policy']}, p95 {value(own, 'bsld_p95'):.1f}"),
            (over(own), "its cost over the optimum's at the same delay"),
        ]
        if static is not None:
            saved = 1 - value(own, "cost_usd") / static["cost_usd"]
            entries.append((f"{saved:.0%} saved", f"against {static['policy']}, the cheapest size with that p95"))
    entries.append((f"{deadlines['15']:.1f} USD", "the optimum, every task started within 15 min"))
    return cards(entries)


def _figures(entries: Sequence[Entry], document: Mapping[str, Any]) -> str:
    against = {row["policy"]: row for row in document["against_reference"]}
    rows = []
    for entry in entries:
        cells = [escape(entry["policy"])]
        for name, _title, digits in _FIGURES:
            cells.append(_interval(entry["figures"][name], digits))
        ratio = entry["over_optimum"]
        cells.append((_interval(ratio, 2) if ratio else "-") + _passed(entry))
        row = against.get(entry["policy"])
        cells += [_interval(row[name], 2) if row else "1" for name in ("cost_usd", "bsld_p95")]
        rows.append(("mine" if entry["policy"].startswith(document["reference"]) else "", cells))
    columns = ["policy", *(title for _name, title, _digits in _FIGURES)]
    return table([*columns, "/ optimum", "USD / ref.", "p95 / ref."], rows)


def _elasticity(entries: Sequence[Entry], document: Mapping[str, Any]) -> str:
    rows = [
        (
            "mine" if entry["policy"].startswith(document["reference"]) else "",
            [escape(entry["policy"]), *(_elastic_cell(name, value(entry, name)) for name in _ELASTICITY)],
        )
        for entry in entries
    ]
    return table(["policy", *_ELASTICITY.values()], rows)


def _elastic_cell(name: str, share: float) -> str:
    return f"{share:.1f}" if name == "theta_o" else f"{share:.1%}"


def _passed(entry: Entry) -> str:
    return f'<small class="bad">{entry["below_optimum"]} below it</small>' if entry["below_optimum"] else ""


def _interval(interval: Mapping[str, float], digits: int) -> str:
    middle = f"{interval['value']:,.{digits}f}"
    low, high = f"{interval['low']:,.{digits}f}", f"{interval['high']:,.{digits}f}"
    return middle if low == high else f"{middle}<small>{low} - {high}</small>"
