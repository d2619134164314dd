"""On spot against on demand: what each policy saves on the same work, and what it pays for that."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emr_simulator.benchmark.cells import MONEY, Cell, Variant
from emr_simulator.benchmark.runner import Outcomes
from emr_simulator.benchmark.spot_market import SpotMarket
from emr_simulator.benchmark.statistics import mean_interval, paired_ratio
from emr_simulator.inprocess.autoscaler import NAME as AUTOSCALER
from emr_simulator.workloads.model import Workload

GOAL = {"cost": 0.45, "run_again": 0.02, "p95": 1.10}
"""What was aimed for on tasks of 5 to 30 minutes: at most so much of on demand, of the work, of its slowdown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One run on spot and its twin on demand: the same policy, work and seed."""

    spot: Cell
    on_demand: Cell
    workload: Workload


def knows_markets(variant: Variant) -> bool:
    """Return whether a policy can buy in several markets; the others have one group and no notion of price."""
    return variant.policy.partition(":")[0] == AUTOSCALER


def spot_row(market: SpotMarket, variant: Variant, pairs: Sequence[Pair], outcomes: Outcomes) -> dict[str, Any]:
    """Return the figures of a policy on a market, over those on demand.

    The cost ratio is the ratio of node-hours times that of their mean price. The price of a spot node-hour is
    over that of an on-demand one of the same runs.
    """
    spot = [outcomes[pair.spot]["figures"] for pair in pairs]
    other = [outcomes[pair.on_demand]["figures"] for pair in pairs]
    work = [sum(job.work_seconds for job in pair.workload.jobs) for pair in pairs]
    again = [run["killed_container_seconds"] / total for run, total in zip(spot, work, strict=True)]
    cost = paired_ratio(_of(spot, "cost_usd"), _of(other, "cost_usd"))
    p95 = paired_ratio([run["bsld"]["p95"] for run in spot], [run["bsld"]["p95"] for run in other])
    run_again = mean_interval(again)
    share = mean_interval([run["spot_share"] for run in spot])
    hours = paired_ratio(_of(spot, "node_hours"), _of(other, "node_hours"))
    price = cost.value / hours.value
    return {
        "policy": variant.label,
        "market": market.label,
        "pairs": len(pairs),
        "cost": cost.to_json(),
        "p95": p95.to_json(),
        "run_again": run_again.to_json(),
        "spot_share": share.to_json(),
        "node_hours": hours.to_json(),
        "spot_price": round((price - (1 - share.value)) / share.value, 4) if share.value else None,
        "delay": paired_ratio(
            _of(spot, "work_weighted_delay_seconds"), _of(other, "work_weighted_delay_seconds")
        ).to_json(),
        "resizes": mean_interval([run["resize_requests"] for run in spot]).to_json(),
        "meets": {
            "cost": cost.value <= GOAL["cost"],
            "run_again": run_again.value <= GOAL["run_again"],
            "p95": p95.value <= GOAL["p95"],
        },
        "usd": _mean_money([pair.spot for pair in pairs], outcomes),
        "on_demand_usd": _mean_money([pair.on_demand for pair in pairs], outcomes),
    }


def _of(runs: Sequence[dict[str, Any]], name: str) -> list[float]:
    """Return one figure of each run; never 0, for ratios are taken of it."""
    return [max(1e-9, float(run[name])) for run in runs]


def _mean_money(cells: Sequence[Cell], outcomes: Outcomes) -> dict[str, float]:
    """Return the mean USD of a run's task nodes by what they did."""
    return {name: round(sum(outcomes[cell]["money"][name] for cell in cells) / len(cells), 3) for name in MONEY}
