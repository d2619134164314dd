"""emr-default-rules: EMR automatic scaling with the default rules of its console.

Source: Amazon EMR Management Guide, "Using automatic scaling with a custom policy for instance groups":
the default rules of the console, which are also those of its examples.

    YARNMemoryAvailablePercentage < 15 -> +1      ContainerPendingRatio > 0.75 -> +1
    YARNMemoryAvailablePercentage > 75 -> -1      average of 300 s, cooldown 300 s between two activities

It sees CloudWatch's metrics (whatever their period), when they are published.
"""

from datetime import datetime, timedelta

from emr_simulator.policies.task_group import TaskGroupPolicy
from emr_simulator.world import World

LEAST_FREE_PERCENT, MOST_FREE_PERCENT, MOST_PENDING_RATIO = 15, 75, 0.75
COOLDOWN = timedelta(seconds=300)


class EmrDefaultRules(TaskGroupPolicy):
    """One node out, or one in, for each new sample, once the cooldown is over."""

    period = timedelta(minutes=1)

    def __init__(self) -> None:
        super().__init__()
        self._judged: datetime | None = None
        self._cooled_at: datetime | None = None

    @property
    def name(self) -> str:
        """emr-default-rules."""
        return "emr-default-rules"

    def look(self, world: World) -> int | None:
        """Judge the newest sample, once."""
        if self._cooled_at is not None and world.now < self._cooled_at:
            return None
        free = self.samples(world, "YARNMemoryAvailablePercentage")
        pending = self.samples(world, "ContainerPendingRatio")
        if not free or not pending or free[-1][0] == self._judged:
            return None
        self._judged, free_percent = free[-1]
        if free_percent < LEAST_FREE_PERCENT or pending[-1][1] > MOST_PENDING_RATIO:
            return self.bounded(self.ordered + 1)
        if free_percent > MOST_FREE_PERCENT:
            return self.bounded(self.ordered - 1)
        return None

    def order(self, world: World, count: int) -> None:
        """Order, and begin the cooldown."""
        super().order(world, count)
        self._cooled_at = world.now + COOLDOWN
