"""clairvoyant: plays the offline optimum with real nodes: what knowing the future would be worth in practice.

Source: this project's protocol (docs/benchmark.md). It is told the whole workload, solves the linear program of
optimum.py for a mean delay, and in each minute orders

    ceil(max of the plan's nodes over the next LEAD minutes + what it is behind the plan / CATCH_UP) - core

so that nodes are useful when the plan wants them. It is not a policy that anyone could run: it separates what
is lost by not knowing the future from what is lost by whole nodes, random provisioning delays and draining.
"""

import math
from datetime import datetime, timedelta

from emr_simulator.descriptions import GroupSpec
from emr_simulator.engine import to_moment
from emr_simulator.experiment import Setup
from emr_simulator.policies.task_group import TaskGroupPolicy
from emr_simulator.workloads.model import Workload
from emr_simulator.world import World

LEAD_MINUTES = 7
CATCH_UP = timedelta(minutes=10)
DELAY_SECONDS = 600
SHORTEST_DELAY_USD_PER_CONTAINER_HOUR = 1000.0
"""A price of waiting at which the plan buys every node that shortens it."""


class Clairvoyant(TaskGroupPolicy):
    """Orders ahead what the optimum would have.

    Args:
        workload: All that will be submitted.
        delay_seconds: Work-weighted delay of the plan; the shortest possible where that is longer.
    """

    period = timedelta(minutes=1)

    def __init__(self, workload: Workload, delay_seconds: int = DELAY_SECONDS) -> None:
        super().__init__()
        self._workload = workload
        self._delay_seconds = delay_seconds
        self._setup = Setup()
        self._plan: tuple[tuple[float, ...], tuple[float, ...]] | None = None
        self._began_at: datetime | None = None

    @property
    def name(self) -> str:
        """clairvoyant:SECONDS."""
        return f"clairvoyant:{self._delay_seconds}"

    def prepare(self, setup: Setup) -> tuple[tuple[GroupSpec, ...], dict[str, str]]:
        """Return the task group."""
        self._setup = setup
        return super().prepare(setup)

    def look(self, world: World) -> int | None:
        """Order what the plan wants within the lead, once the workload has begun."""
        began_at = self._beginning(world)
        if began_at is None:
            return None
        nodes, served = self._solved()
        minute = min((world.now - began_at) // timedelta(minutes=1), len(nodes) - 1)
        soon = max(nodes[minute : minute + LEAD_MINUTES])
        behind = max(0.0, served[max(0, minute - 1)] - self.yarn(world).served_now)
        per_node = self.mib_per_node(world) // self.container_mib * CATCH_UP.total_seconds()
        return self.bounded(math.ceil(soon + behind / per_node - 0.01) - self.core_count)

    def _solved(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        if self._plan is None:
            # SciPy is needed only here: every other policy runs without it.
            from emr_simulator.optimum import NoOptimumError, optimum_of  # noqa: PLC0415

            program = optimum_of(self._workload, self._setup, usd_per_node_hour=1.0)
            try:
                plan = program.at_delay(self._delay_seconds)
            except NoOptimumError:
                plan = program.at_price(SHORTEST_DELAY_USD_PER_CONTAINER_HOUR)
            self._plan = plan.nodes, plan.served
        return self._plan

    def _beginning(self, world: World) -> datetime | None:
        yarn = self.yarn(world)
        if self._began_at is None and yarn.submitted:
            first = min([*yarn.ended, *yarn.live], key=lambda app: app.number)
            offset = timedelta(seconds=first.job.submit_after_seconds)
            self._began_at = to_moment(first.submitted_at) - offset
        return self._began_at
