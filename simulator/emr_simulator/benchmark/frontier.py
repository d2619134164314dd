"""The frontier of cost and delay that no policy can pass, and who seems to have passed it.

It is kept as points with their slopes: cost is convex in delay, so each tangent is a lower bound everywhere,
and the largest of them is one that needs no program to be solved for each run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emr_simulator.optimum import NoOptimumError, Optimum

DEADLINES_MINUTES = (60, 15, 5)
_LONGEST_SECONDS, _STEPS, _FACTOR = 3600.0, 30, 0.86
_DEAR_USD_PER_CONTAINER_HOUR = 100.0
"""A price of waiting that buys nearly the shortest delay there can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontierPoint:
    """The least cost at one work-weighted delay; ``usd_per_second`` is the slope there."""

    delay_seconds: float
    cost_usd: float
    usd_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """The frontier of one workload.

    Attributes:
        work_floor_node_hours: Of the work itself.
        boot_minutes: P of the program.
        points: By growing delay; the first is close to the shortest delay that is possible.
        deadlines: Cost in USD where each task starts within so many minutes, any number of nodes allowed.
    """

    work_floor_node_hours: float
    boot_minutes: float
    points: tuple[FrontierPoint, ...]
    deadlines: dict[int, float]

    def least_cost_usd(self, delay_seconds: float) -> float:
        """Return what no policy with that work-weighted delay can stay below."""
        costs = (p.cost_usd + p.usd_per_second * (delay_seconds - p.delay_seconds) for p in self.points)
        return max(0.0, *costs)

    def is_passed_by(self, *, cost_usd: float, delay_seconds: float) -> bool:
        """Return whether a run is cheaper than possible: an error of the simulator, or a cheat."""
        return cost_usd < self.least_cost_usd(delay_seconds) * (1 - 1e-6)

    def is_impossible(
        self, *, cost_usd: float, delay_seconds: float, wait_within_minutes: int, boot_seconds: float | None
    ) -> bool:
        """Return whether a run cannot be, by any of the optimum's forms.

        Args:
            cost_usd: Of the run.
            delay_seconds: Its work-weighted delay.
            wait_within_minutes: By how many minutes its work was late at the most.
            boot_seconds: What its nodes paid before they were useful, on average: with less than the program's
                own boot a run could pass the optimum, and with this world's delays no honest run has less.
        """
        past_deadline = any(
            wait_within_minutes <= limit and cost_usd < least * (1 - 1e-6)
            for limit, least in self.deadlines.items()
        )
        instant = boot_seconds is not None and boot_seconds < self.boot_minutes * 60
        return past_deadline or instant or self.is_passed_by(cost_usd=cost_usd, delay_seconds=delay_seconds)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "work_floor_node_hours": round(self.work_floor_node_hours, 2),
            "boot_minutes": self.boot_minutes,
            "within_deadline_minutes": {str(limit): round(cost, 3) for limit, cost in self.deadlines.items()},
            "frontier": [
                {"delay_seconds": round(p.delay_seconds, 1), "cost_usd": round(p.cost_usd, 3)} for p in self.points
            ],
        }


def frontier_of(bounded: Optimum, unbounded: Optimum) -> Frontier:
    """Solve the frontier of a workload.

    Args:
        bounded: The program with the set-up's most nodes: the curve.
        unbounded: The same with any number of nodes: the deadlines, which bursts make impossible otherwise.
    """
    return Frontier(
        work_floor_node_hours=bounded.work_floor_node_hours,
        boot_minutes=bounded.boot_minutes,
        points=_points(bounded),
        deadlines={limit: unbounded.within_deadline(limit).cost_usd for limit in DEADLINES_MINUTES},
    )


def _points(program: Optimum) -> tuple[FrontierPoint, ...]:
    points = []
    for delay in _delays():
        try:
            plan = program.at_delay(delay)
        except NoOptimumError:
            break
        points.append(
            FrontierPoint(delay_seconds=delay, cost_usd=plan.cost_usd, usd_per_second=plan.usd_per_second)
        )
    dear = program.at_price(_DEAR_USD_PER_CONTAINER_HOUR)
    slope = -_DEAR_USD_PER_CONTAINER_HOUR / 3600 * program.work_seconds
    points.append(FrontierPoint(delay_seconds=dear.delay_seconds, cost_usd=dear.cost_usd, usd_per_second=slope))
    return tuple(sorted(points, key=lambda point: point.delay_seconds))


def _delays() -> Sequence[float]:
    return [_LONGEST_SECONDS * _FACTOR**step for step in range(_STEPS)]
