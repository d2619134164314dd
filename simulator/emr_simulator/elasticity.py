"""Elasticity figures of the SPEC Research Group: how well the supply of nodes followed the demand for them.

Sources: Herbst et al., "Ready for Rain? A View from SPEC Research on the Future of Cloud Metrics" (2016), for
accuracy and time share; Bauer et al., "Chameleon" (2018), for instability. Over T instants of equal spacing, with
demand d and supply s:

    theta_U = mean(max(d - s, 0) / d)      tau_U = share of instants with s < d
    theta_O = mean(max(s - d, 0) / d)      tau_O = share of instants with s > d
    instability = share of steps with sgn(s_t - s_t-1) != sgn(d_t - d_t-1)

Demand is what zero waiting would fill, in whole nodes, cut off at what a policy may have; so it is the same for
every policy. Supply is nodes in service, draining ones included.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

from emr_simulator.workloads.model import Workload

STEP_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Elasticity:
    """The five figures.

    Attributes:
        theta_u: Missing nodes over demand, mean (0-1).
        theta_o: Surplus nodes over demand, mean (0 and more).
        tau_u: Part of the time (0-1) with too few nodes.
        tau_o: Part of the time (0-1) with too many.
        instability: Part of the time (0-1) in which supply and demand did not change in the same direction.
    """

    theta_u: float
    theta_o: float
    tau_u: float
    tau_o: float
    instability: float

    def to_json(self) -> dict[str, float]:
        """Return the figures, rounded."""
        return {
            "theta_u": round(self.theta_u, 4),
            "theta_o": round(self.theta_o, 4),
            "tau_u": round(self.tau_u, 4),
            "tau_o": round(self.tau_o, 4),
            "instability": round(self.instability, 4),
        }


def elasticity_of(demand: Sequence[int], supply: Sequence[int]) -> Elasticity:
    """Compare two curves sampled at the same instants.

    Args:
        demand: Nodes wanted at each instant; at least 1.
        supply: Nodes there.
    """
    count = len(demand)
    if not count:
        return Elasticity(theta_u=0.0, theta_o=0.0, tau_u=0.0, tau_o=0.0, instability=0.0)
    pairs = list(zip(demand, supply, strict=True))
    unlike = sum(_sign(s1 - s0) != _sign(d1 - d0) for (d0, s0), (d1, s1) in pairwise(pairs))
    return Elasticity(
        theta_u=sum(max(d - s, 0) / d for d, s in pairs) / count,
        theta_o=sum(max(s - d, 0) / d for d, s in pairs) / count,
        tau_u=sum(s < d for d, s in pairs) / count,
        tau_o=sum(s > d for d, s in pairs) / count,
        instability=unlike / (count - 1) if count > 1 else 0.0,
    )


def demand_curve(
    workload: Workload, *, seconds: int, containers_per_node: int, least: int, most: int
) -> list[int]:
    """Return the nodes that zero waiting would fill, on every whole minute of a run.

    Args:
        workload: The work.
        seconds: Length of the run.
        containers_per_node: How many fit.
        least: Nodes that are always there; at least 1 is returned.
        most: The most nodes there may be.
    """
    changes: list[tuple[int, int]] = []
    for job in workload.jobs:
        ends: list[int] = []
        for stage in job.stages:
            start = max((ends[parent] for parent in stage.parents), default=job.submit_after_seconds)
            ends.append(start + stage.seconds)
            changes += ((start, stage.tasks), (start + stage.seconds, -stage.tasks))
    running = _levels(changes, seconds)
    return [max(1, least, min(most, ceil(containers / containers_per_node))) for containers in running]


def supply_curve(lives: Iterable[tuple[int, int | None]], *, seconds: int) -> list[int]:
    """Return the nodes in service on every whole minute of a run.

    Args:
        lives: (first second of service, end or None) of each node, counted from the run's start.
        seconds: Length of the run.
    """
    changes: list[tuple[int, int]] = []
    for begin, end in lives:
        changes.append((begin, 1))
        if end is not None:
            changes.append((end, -1))
    return _levels(changes, seconds)


def _levels(changes: list[tuple[int, int]], seconds: int) -> list[int]:
    """Return the sum of the changes up to and including each whole minute of [0, seconds)."""
    changes.sort()
    levels, level, number = [], 0, 0
    for at in range(0, seconds, STEP_SECONDS):
        while number < len(changes) and changes[number][0] <= at:
            level += changes[number][1]
            number += 1
        levels.append(level)
    return levels


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)
