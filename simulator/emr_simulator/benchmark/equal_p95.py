"""What this system costs where it is as quick as another policy: the headline of a benchmark.

Its settings are points of a curve, and between two of them cost and p95 are interpolated on their logarithms.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emr_simulator.benchmark.cells import Variant
from emr_simulator.benchmark.statistics import pareto_front, resampled_medians, spread_of
from emr_simulator.benchmark.sweep import REFERENCE
from emr_simulator.experiment import MetricsMode

GOALS = {
    (MetricsMode.PUSH, "managed-scaling"): 0.52,
    (MetricsMode.PUSH, "dataproc"): 0.70,
    (MetricsMode.PUSH, "drain-time"): 0.90,
    (MetricsMode.FIVE_MINUTES, "emr-default-rules"): 0.55,
    (MetricsMode.FIVE_MINUTES, "twenty-percent"): 0.55,
    (MetricsMode.FIVE_MINUTES, "step-rules"): 0.55,
    (MetricsMode.FIVE_MINUTES, "managed-scaling"): 0.85,
}
"""What was aimed for on the Facebook day: cost over that of a family, whatever its knob, at no longer a p95."""

Goals = Mapping[tuple[MetricsMode, str], float]

_LEAST_USD = 0.01
"""A day on which nothing was bought counts as this much, so that there is a ratio."""

_NOT_COMPARED = frozenset({"static", "clairvoyant"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The runs of one policy with one knob, by seed: their cost, and the p95 of their bounded slowdowns."""

    variant: Variant
    costs_usd: Sequence[float]
    p95s: Sequence[float]


class Curve:
    """The best settings of one family: what it costs to be as quick as wanted."""

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        """Take (cost in USD above 0, p95) of each setting; those that another beats in both are left out."""
        best = sorted((points[index] for index in pareto_front(points)), key=lambda point: point[1])
        self._p95s = [math.log(p95) for _cost, p95 in best]
        self._costs = [math.log(cost) for cost, _p95 in best]

    def cost_usd(self, p95: float) -> float | None:
        """Return the cost at a p95; the cheapest where no setting is as slow, None where none is as quick."""
        wanted = math.log(p95)
        if wanted < self._p95s[0]:
            return None
        if wanted >= self._p95s[-1]:
            return math.exp(self._costs[-1])
        after = bisect_left(self._p95s, wanted)
        if self._p95s[after] == wanted:
            return math.exp(self._costs[after])
        before = after - 1
        part = (wanted - self._p95s[before]) / (self._p95s[after] - self._p95s[before])
        return math.exp(self._costs[before] + part * (self._costs[after] - self._costs[before]))


def at_equal_p95(settings: Sequence[Setting], *, goals: Goals = GOALS) -> list[dict[str, Any]]:
    """Return one row for each other setting, with this system's cost at its p95 by what tells it of the cluster.

    Medians over the seeds; the interval of a ratio is the 95 % bootstrap interval over seeds, the same draws for
    both, among the draws in which this system had a setting as quick. Sizes that stand still and policies that
    know the future are not compared.

    Args:
        settings: Of this system and of others, on one trace.
        goals: What was aimed for on such work.
    """
    own = [setting for setting in settings if setting.variant.policy.partition(":")[0] == REFERENCE]
    curves = {
        metrics: _Curves([setting for setting in own if setting.variant.metrics is metrics])
        for metrics in dict.fromkeys(setting.variant.metrics for setting in own)
    }
    return [
        {
            "policy": other.variant.label,
            "cost_usd": round(float(np.median(other.costs_usd)), 4),
            "bsld_p95": round(float(np.median(other.p95s)), 4),
            "own": {
                metrics.value: _compared(curve, other, goals.get((metrics, other.variant.family)))
                for metrics, curve in curves.items()
            },
        }
        for other in settings
        if other not in own and other.variant.family not in _NOT_COMPARED
    ]


class _Curves:
    """The curve of one family's medians, and those of its bootstrap samples."""

    def __init__(self, settings: Sequence[Setting]) -> None:
        self.median = Curve([_median_point(setting) for setting in settings])
        self.drawn = [Curve(points) for points in zip(*map(_drawn_points, settings), strict=True)]


def _compared(own: _Curves, other: Setting, goal: float | None) -> dict[str, Any]:
    cost, p95 = _median_point(other)
    reached = own.median.cost_usd(p95)
    if reached is None:
        return {"cost_usd": None, "ratio": None, "goal": goal, "met": False}
    drawn = [
        found / drawn_cost
        for curve, (drawn_cost, drawn_p95) in zip(own.drawn, _drawn_points(other), strict=True)
        if (found := curve.cost_usd(drawn_p95)) is not None
    ]
    ratio = reached / cost
    return {
        "cost_usd": round(reached, 4),
        "ratio": spread_of(ratio, drawn or [ratio]).to_json(),
        "goal": goal,
        "met": goal is not None and ratio <= goal,
    }


def _median_point(setting: Setting) -> tuple[float, float]:
    return max(_LEAST_USD, float(np.median(setting.costs_usd))), float(np.median(setting.p95s))


def _drawn_points(setting: Setting) -> list[tuple[float, float]]:
    costs = np.maximum(_LEAST_USD, resampled_medians(setting.costs_usd))
    return list(zip(costs.tolist(), resampled_medians(setting.p95s).tolist(), strict=True))
