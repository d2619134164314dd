"""dataproc: the autoscaling of Google Cloud Dataproc, its published formula on EMR's nodes.

Source: Google Cloud, "Dataproc: Autoscale clusters" and "AutoscalingPolicy" (cooldownPeriod 2 min is both
default and least; the YARN memory metrics are averaged over the cooldown). Every cooldown, counted from the
end of the last update:

    need  = average over the window of ceil((pending + allocated MiB) / MiB per worker)
    delta = need - workers
    delta > 0: + ceil(delta x scaleUpFactor)      delta < 0: - floor(-delta x scaleDownFactor)

Documented settings: scaleUpFactor 0.05 (its guide's advice for MapReduce and for Spark with dynamic
allocation) or 1.0, scaleDownFactor 1.0, graceful decommission 1 h.

It sees YARN's own memory figures, here every 10 s.
"""

import math
from collections import deque
from datetime import datetime, timedelta

from emr_simulator.policies.task_group import TaskGroupPolicy
from emr_simulator.world import World

COOLDOWN = timedelta(minutes=2)


class Dataproc(TaskGroupPolicy):
    """Corrects a share of the difference, then waits for the update to end and cools down.

    Args:
        scale_up_factor: Share (0-1) of a lack of workers that is ordered.
        scale_down_factor: Share (0-1) of a surplus that is given up.
    """

    period = timedelta(seconds=10)

    def __init__(self, scale_up_factor: float = 0.05, scale_down_factor: float = 1.0) -> None:
        super().__init__()
        self._up, self._down = scale_up_factor, scale_down_factor
        self._window: deque[int] = deque(maxlen=COOLDOWN // self.period)
        self._cooled_since: datetime | None = None

    @property
    def name(self) -> str:
        """dataproc:UP or dataproc:UP,DOWN."""
        return f"dataproc:{self._up:g}" + ("" if self._down == 1 else f",{self._down:g}")

    def look(self, world: World) -> int | None:
        """Sample; once the cooldown is over, correct."""
        yarn = self.yarn(world)
        self._window.append(math.ceil((yarn.allocated_mib + yarn.pending_mib) / self.mib_per_node(world)))
        if self.is_resizing(world) or self._cooled_since is None:
            self._cooled_since = world.now
            return None
        if world.now - self._cooled_since < COOLDOWN:
            return None
        self._cooled_since = world.now
        delta = sum(self._window) / len(self._window) - (self.core_count + self.ordered)
        change = math.ceil(delta * self._up) if delta > 0 else -math.floor(-delta * self._down)
        return self.bounded(self.ordered + change)
