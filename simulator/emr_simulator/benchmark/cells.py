"""One cell of a benchmark: a policy on a trace with a seed, played and reduced to plain JSON values."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from emr_simulator.benchmark.spot_market import SpotMarket
from emr_simulator.benchmark.watching import MINUTE as EACH_MINUTE
from emr_simulator.benchmark.watching import Sample, Watched
from emr_simulator.benchmark.work import Work
from emr_simulator.clusters import Cluster
from emr_simulator.experiment import START, MetricsMode, Setup, run_experiment
from emr_simulator.optimum import MINUTE, zero_wait_rate
from emr_simulator.policies.registry import policy_of
from emr_simulator.words import Role
from emr_simulator.workloads.model import Workload
from emr_simulator.world import World

BIN_MINUTES = 5
MONEY = ("working", "idle", "booting", "draining")
"""What a billed node does, in the order in which it is shown."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Variant:
    """A policy with its knobs and the metrics it is given.

    Attributes:
        policy: Name in the registry.
        metrics: How fresh its metrics are.
    """

    policy: str
    metrics: MetricsMode = MetricsMode.FIVE_MINUTES

    @classmethod
    def from_label(cls, label: str) -> "Variant":
        """Read ``policy`` or ``policy@metrics``. Raises ValueError for other metrics."""
        policy, _, metrics = label.partition("@")
        return cls(policy=policy, metrics=MetricsMode(metrics) if metrics else MetricsMode.FIVE_MINUTES)

    @property
    def label(self) -> str:
        """What it is called in tables."""
        plain = self.metrics is MetricsMode.FIVE_MINUTES
        return self.policy if plain else f"{self.policy}@{self.metrics}"

    @property
    def family(self) -> str:
        """The policy without its knobs, with its metrics: what a Pareto curve is drawn of."""
        kind = self.policy.partition(":")[0]
        return kind if self.metrics is MetricsMode.FIVE_MINUTES else f"{kind}@{self.metrics}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One run to be made; on demand where it names no market."""

    variant: Variant
    trace: Work
    seed: int
    spot: SpotMarket | None = None

    def setup_in(self, setup: Setup) -> Setup:
        """Return the set-up of the run: with its own metrics, and its pools."""
        setup = replace(setup, metrics=self.variant.metrics)
        return setup if self.spot is None else self.spot.setup_in(setup)


def play(cell: Cell, workload: Workload, setup: Setup) -> dict[str, Any]:
    """Run a cell and return its document: figures, money, and the day in steps of five minutes."""
    setup = cell.setup_in(setup)
    settings = None if cell.spot is None else cell.spot.settings_in(setup)
    watched = WatchedWork(cell.variant.policy, workload)
    figures = run_experiment(policy=watched, workload=workload, seed=cell.seed, setup=setup, settings=settings)
    samples = watched.samples_of_work()
    return {
        "figures": figures.to_json(),
        "money": _money(samples, float(figures.cost_usd)),
        "wait_within_minutes": wait_within_minutes(samples, workload),
        "boot_seconds": watched.boot_seconds(),
        "timeline": timeline(samples),
    }


class WatchedWork(Watched):
    """A policy watched on a workload.

    Args:
        policy: Its name in the registry.
        workload: What it will run on.
        every: Between two samples.
    """

    def __init__(self, policy: str, workload: Workload, *, every: timedelta = EACH_MINUTE) -> None:
        super().__init__(policy_of(policy, workload), every=every)
        self._first = workload.jobs[0].submit_after_seconds if workload.jobs else 0
        self._world: World | None = None

    def start(self, world: World, cluster_id: str) -> None:
        """Let the policy start, and remember the world."""
        self._world = world
        super().start(world, cluster_id)

    @property
    def work_began_at(self) -> datetime:
        """When the workload began; the start of the world before that."""
        return START if self._world is None else self.began_at(self._world, self._first)

    def samples_of_work(self) -> list[Sample]:
        """Return the samples since the workload began."""
        began_at = self.work_began_at
        return [sample for sample in self.samples if sample.at > began_at]

    def boot_seconds(self) -> float | None:
        """Return the mean boot of its task nodes; None where none came."""
        return None if self._world is None else mean_boot_seconds(self._world.inside(self.cluster_id))


def mean_boot_seconds(cluster: Cluster) -> float | None:
    """Return how long task nodes were paid for before they were useful, on average; None where none came."""
    boots = [
        node.ready_at - node.launched_at
        for node in cluster.nodes()
        if node.group.spec.role is Role.TASK and node.ready_at is not None and node.launched_at is not None
    ]
    return round(sum(boots) / len(boots), 2) if boots else None


def _money(samples: Sequence[Sample], cost_usd: float) -> dict[str, float]:
    """Return the USD of task nodes by what they did."""
    totals = {name: sum(getattr(sample, name) for sample in samples) for name in MONEY}
    total = sum(totals.values())
    return {name: round(cost_usd * value / total, 4) if total else 0.0 for name, value in totals.items()}


def wait_within_minutes(samples: Sequence[Sample], workload: Workload) -> int:
    """Return the least L such that, at every minute, all work demanded L minutes before has been served."""
    demand = np.cumsum(zero_wait_rate(workload, 0))[MINUTE - 1 :: MINUTE]
    served = np.array([sample.served for sample in samples], dtype=np.float64)
    # For each minute's demand, the first minute by whose end so much was served.
    reached = np.searchsorted(served, demand - 1e-6)
    waits = reached - np.arange(len(demand))
    return max(0, int(np.max(waits))) if len(demand) else 0


def timeline(samples: Sequence[Sample]) -> dict[str, list[float]]:
    """Return means over steps of five minutes: billed and working nodes, running and pending containers."""
    names = ("billed", "booting", "working", "idle", "draining", "running", "pending")
    bins = [samples[first : first + BIN_MINUTES] for first in range(0, len(samples), BIN_MINUTES)]
    return {name: [round(sum(getattr(s, name) for s in part) / len(part), 2) for part in bins] for name in names}


def demand_timeline(workload: Workload, containers_per_node: int) -> list[float]:
    """Return the nodes that zero waiting would keep busy: means over steps of five minutes."""
    rate = zero_wait_rate(workload, 0)
    step = BIN_MINUTES * MINUTE
    length = math.ceil(len(rate) / step) * step
    padded = np.concatenate([rate, np.zeros(length - len(rate))])
    means = padded.reshape(-1, step).mean(axis=1) / containers_per_node
    return [round(float(mean), 2) for mean in means]
