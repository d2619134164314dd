"""The one JSON document of a benchmark, from the documents of its cells; the page is drawn from it alone."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from emr_simulator.benchmark.cells import MONEY, Cell, Variant, demand_timeline
from emr_simulator.benchmark.equal_p95 import GOALS, Setting, at_equal_p95
from emr_simulator.benchmark.frontier import Frontier
from emr_simulator.benchmark.results import code_digest
from emr_simulator.benchmark.runner import Outcomes
from emr_simulator.benchmark.statistics import median_interval, paired_ratio, pareto_front
from emr_simulator.benchmark.sweep import REFERENCE
from emr_simulator.experiment import Setup
from emr_simulator.workloads.long_tasks import is_of_long_tasks
from emr_simulator.workloads.model import Workload

SHOWN = {
    "cost_usd": ("cost_usd",),
    "node_hours": ("node_hours",),
    "bsld_mean": ("bsld", "mean"),
    "bsld_p50": ("bsld", "p50"),
    "bsld_p95": ("bsld", "p95"),
    "bsld_p99": ("bsld", "p99"),
    "delay_seconds": ("work_weighted_delay_seconds",),
    "deadline_misses": ("deadline_misses",),
    "resize_requests": ("resize_requests",),
    "nodes_started": ("nodes_started",),
    "killed_container_seconds": ("killed_container_seconds",),
    "theta_u": ("elasticity", "theta_u"),
    "theta_o": ("elasticity", "theta_o"),
    "tau_u": ("elasticity", "tau_u"),
    "tau_o": ("elasticity", "tau_o"),
    "instability": ("elasticity", "instability"),
}
"""The figures of the tables, by where they lie in the document of a run."""

COMPARED = ("cost_usd", "bsld_p95", "delay_seconds")
P95_TARGETS = (10.0, 12.5, 15.0, 20.0, 30.0, 60.0)
CLAIRVOYANT = "clairvoyant"
"""Knows the future: shown, never counted among those that win or lose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One trace of a benchmark and what was run on it."""

    trace: str
    workload: Workload
    frontier: Frontier
    cells: Mapping[Variant, Sequence[Cell]]


def document_of(played: Sequence[Played], outcomes: Outcomes, setup: Setup, seeds: int) -> dict[str, Any]:
    """Return the document.

    Args:
        played: The traces.
        outcomes: Of all their cells.
        setup: Of every run.
        seeds: How many each policy was run with.
    """
    traces = [_trace(one, outcomes, setup) for one in played]
    return {
        "kind": "benchmark",
        "code": code_digest()[:16],
        "seeds": seeds,
        "reference": REFERENCE,
        "setup": {
            **asdict(setup),
            "containers_per_node": setup.containers_per_node,
            "varied": list(setup.varied),
        },
        "traces": traces,
        "against_reference": _against(played, outcomes, seeds),
    }


def figure(document: Mapping[str, Any], name: str) -> float:
    """Return one figure of a run's document."""
    value: Any = document["figures"]
    for key in SHOWN[name]:
        value = value[key]
    return float(value)


def _trace(one: Played, outcomes: Outcomes, setup: Setup) -> dict[str, Any]:
    entries = [_entry(variant, cells, outcomes, one.frontier) for variant, cells in one.cells.items()]
    for axis, key in (("delay_seconds", "pareto_delay"), ("bsld_p95", "pareto_p95")):
        real = [entry for entry in entries if not entry["policy"].startswith(CLAIRVOYANT)]
        points = [(_value(entry, "cost_usd"), _value(entry, axis)) for entry in real]
        best = {id(real[index]) for index in pareto_front(points)}
        for entry in entries:
            entry[key] = id(entry) in best
    for entry in entries:
        entry["best_static"] = best_static(entries, _value(entry, "bsld_p95"))
    return {
        "trace": one.trace,
        "jobs": len(one.workload.jobs),
        "hours": round(one.workload.seconds / 3600, 2),
        "optimum": one.frontier.to_json(),
        "demand_nodes": demand_timeline(one.workload, setup.containers_per_node),
        "policies": entries,
        "cheapest_at_p95": [cheapest_at(entries, target) for target in P95_TARGETS],
        "loses_to": loses_to(entries),
        "equal_p95": at_equal_p95(
            [_setting(variant, cells, outcomes) for variant, cells in one.cells.items()],
            goals={} if is_of_long_tasks(one.workload) else GOALS,
        ),
    }


def _setting(variant: Variant, cells: Sequence[Cell], outcomes: Outcomes) -> Setting:
    runs = [outcomes[cell] for cell in cells]
    return Setting(
        variant=variant,
        costs_usd=[figure(run, "cost_usd") for run in runs],
        p95s=[figure(run, "bsld_p95") for run in runs],
    )


def _entry(variant: Variant, cells: Sequence[Cell], outcomes: Outcomes, frontier: Frontier) -> dict[str, Any]:
    runs = [outcomes[cell] for cell in cells]
    least = [frontier.least_cost_usd(figure(run, "delay_seconds")) for run in runs]
    costs = [figure(run, "cost_usd") for run in runs]
    passed = sum(
        frontier.is_impossible(
            cost_usd=cost,
            delay_seconds=figure(run, "delay_seconds"),
            wait_within_minutes=run["wait_within_minutes"],
            boot_seconds=run["boot_seconds"],
        )
        for cost, run in zip(costs, runs, strict=True)
    )
    middle = sorted(runs, key=lambda run: figure(run, "cost_usd"))[len(runs) // 2]
    return {
        "policy": variant.label,
        "family": variant.family,
        "runs": len(runs),
        "figures": {name: median_interval([figure(run, name) for run in runs]).to_json() for name in SHOWN},
        "over_optimum": _over(costs, least),
        "below_optimum": passed,
        "money": {name: round(median(run["money"][name] for run in runs), 3) for name in MONEY},
        "timeline": middle["timeline"],
    }


def _over(costs: Sequence[float], least: Sequence[float]) -> dict[str, float] | None:
    """Return costs over the least possible ones; None where the free nodes could have done all the work."""
    if min(least) <= 0:
        return None
    return median_interval([cost / bound for cost, bound in zip(costs, least, strict=True)]).to_json()


def _value(entry: Mapping[str, Any], name: str) -> float:
    return float(entry["figures"][name]["value"])


def best_static(entries: Sequence[Mapping[str, Any]], p95: float) -> dict[str, Any] | None:
    """Return the cheapest static size that meets a p95; every size is tried, for p95 need not fall with size."""
    static = [e for e in entries if e["family"] == "static" and _value(e, "bsld_p95") <= p95]
    if not static:
        return None
    best = min(static, key=lambda entry: _value(entry, "cost_usd"))
    return {"policy": best["policy"], "cost_usd": _value(best, "cost_usd")}


def cheapest_at(entries: Sequence[Mapping[str, Any]], target: float) -> dict[str, Any]:
    """Return the cheapest setting of each family whose median p95 meets ``target``; None where none does."""
    families: dict[str, dict[str, Any] | None] = {}
    for entry in entries:
        family = entry["family"]
        best = families.setdefault(family, None)
        cost = _value(entry, "cost_usd")
        if _value(entry, "bsld_p95") <= target and (best is None or cost < best["cost_usd"]):
            families[family] = {"policy": entry["policy"], "cost_usd": cost}
    return {"bsld_p95": target, "families": families}


def loses_to(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return where this system loses: a setting of it, and another policy that costs and waits less (p95)."""
    losses = []
    for own in entries:
        if not own["policy"].startswith(REFERENCE):
            continue
        for other in entries:
            if other["policy"].startswith((REFERENCE, CLAIRVOYANT)):
                continue
            cheaper = _value(other, "cost_usd") <= _value(own, "cost_usd")
            if cheaper and _value(other, "bsld_p95") <= _value(own, "bsld_p95"):
                losses.append({"policy": own["policy"], "to": other["policy"]})
    return losses


def _against(played: Sequence[Played], outcomes: Outcomes, seeds: int) -> list[dict[str, Any]]:
    """Return each policy's figures over the reference's, paired by trace and seed."""
    reference = Variant(policy=REFERENCE)
    variants = [v for v in played[0].cells if v != reference] if played else []
    if not played or any(reference not in one.cells for one in played):
        return []
    rows = []
    for variant in variants:
        row: dict[str, Any] = {"policy": variant.label}
        for name in COMPARED:
            own, other = [], []
            for one in played:
                runs = [outcomes[cell] for cell in one.cells[variant]]
                base = [outcomes[cell] for cell in one.cells[reference]]
                for number in range(seeds):
                    own.append(max(1e-9, figure(runs[number % len(runs)], name)))
                    other.append(max(1e-9, figure(base[number], name)))
            row[name] = paired_ratio(own, other).to_json()
        rows.append(row)
    return rows
