"""twenty-percent: a schedule-driven Lambda scaler in use in the field, which moves by a fifth at a time.

Source: the scaler described in this project's protocol (docs/benchmark.md). Every 5 min, on n core and task
nodes:

    any container pending in the last 5 min                                    -> n + ceil(0.2 n)
    mean memory use of the last hour <= 0.6, and not Monday-Friday 7-18 h UTC  -> n - ceil(0.2 n)

All of the step is taken in task nodes. A step past a bound is refused, not clamped, and nothing happens while
a resize runs.

It sees CloudWatch's metrics, when they are published.
"""

import math
from datetime import timedelta

from emr_simulator.policies.task_group import TaskGroupPolicy
from emr_simulator.world import World

STEP = 0.2
MOST_USE_FOR_SCALE_IN = 0.6
PENDING_WINDOW, USE_WINDOW = timedelta(minutes=5), timedelta(hours=1)
FIRST_HOUR, LAST_HOUR, SATURDAY = 7, 18, 5


class TwentyPercent(TaskGroupPolicy):
    """Moves by a fifth, and keeps everything in office hours."""

    period = timedelta(minutes=5)

    @property
    def name(self) -> str:
        """twenty-percent."""
        return "twenty-percent"

    def look(self, world: World) -> int | None:
        """Judge the last 5 min, then the last hour."""
        if self.is_resizing(world):
            return None
        step = math.ceil(STEP * (self.core_count + self.ordered))
        wanted = self.ordered
        if self._was_pending(world):
            wanted += step
        elif self._was_slack(world) and not self._in_office_hours(world):
            wanted -= step
        return wanted if wanted == self.bounded(wanted) else None

    def _was_pending(self, world: World) -> bool:
        pending = self.samples(world, "ContainerPending")
        recent = [value for at, value in pending if at > world.now - PENDING_WINDOW] or [
            value for _at, value in pending[-1:]
        ]
        return any(value > 0 for value in recent)

    def _was_slack(self, world: World) -> bool:
        free = self.samples(world, "YARNMemoryAvailablePercentage")
        recent = [1 - value / 100 for at, value in free if at > world.now - USE_WINDOW]
        return bool(recent) and sum(recent) / len(recent) <= MOST_USE_FOR_SCALE_IN

    def _in_office_hours(self, world: World) -> bool:
        return world.now.weekday() < SATURDAY and FIRST_HOUR <= world.now.hour < LAST_HOUR
