"""drain-time: the plain rule that any real decision must beat, ten lines long.

Source: this project's protocol (docs/benchmark.md). Every 10 s:

    wanted = ceil((allocated / 2 + pending MiB) x 30 s / (MiB per node x TAU)) - core nodes
    out to ``wanted`` at once; in towards the largest ``wanted`` of the last HOLD seconds, a third of the way
    at a time, once 120 s have passed since the last order

Half of what is allocated is taken as still to be done; 30 s is what a task takes on average. The protocol's one
sentence says nothing of a third or of 120 s: of all readings tried this one reproduces the reference values;
docs/benchmark.md shows the others.

It sees YARN's own memory figures, live.
"""

import math
from datetime import datetime, timedelta

from emr_simulator.policies.managed_scaling import RecentTargets
from emr_simulator.policies.task_group import TaskGroupPolicy
from emr_simulator.world import World

TASK_SECONDS = 30
BEFORE_SCALE_IN = timedelta(seconds=120)
GIVEN_BACK = 1 / 3
"""Of the nodes above the largest recent want, at each scale-in; one at least."""


class DrainTime(TaskGroupPolicy):
    """Buys what drains the present work in time.

    Args:
        tau_seconds: Time to drain the work in.
        hold_seconds: How long a wanted count holds back a scale-in.
    """

    period = timedelta(seconds=10)

    def __init__(self, tau_seconds: int = 240, hold_seconds: int = 180) -> None:
        super().__init__()
        self._tau, self._hold = tau_seconds, hold_seconds
        self._recent = RecentTargets(timedelta(seconds=hold_seconds))
        self._ordered_at: datetime | None = None

    @property
    def name(self) -> str:
        """drain-time:TAU,HOLD."""
        return f"drain-time:{self._tau},{self._hold}"

    def look(self, world: World) -> int | None:
        """Return the nodes that drain the present work within TAU, scaled in late."""
        yarn = self.yarn(world)
        left_mib = yarn.allocated_mib / 2 + yarn.pending_mib
        draining = math.ceil(left_mib * TASK_SECONDS / (self.mib_per_node(world) * self._tau))
        wanted = self.bounded(draining - self.core_count)
        held = self._recent.largest(world.now, wanted)
        if wanted >= self.ordered:
            return wanted
        rested = self._ordered_at is None or world.now - self._ordered_at >= BEFORE_SCALE_IN
        surplus = self.ordered - held
        return self.ordered - math.ceil(surplus * GIVEN_BACK) if rested and surplus > 0 else None

    def order(self, world: World, count: int) -> None:
        """Order, and begin the rest before a scale-in."""
        super().order(world, count)
        self._ordered_at = world.now
