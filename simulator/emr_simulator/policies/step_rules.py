"""step-rules: a scaler in use in the field with two rules, three nodes out or one in.

Source: the scaler described in this project's protocol (docs/benchmark.md). Every 180 s, on means of 600 s:

    memory > 95 % or cpu > 70 %   -> +3
    memory < 90 % and cpu < 50 %  -> -1

The simulator has no CPU, so memory decides alone (cpu counts as below 50 %): the reading most in its favour,
because a busy CPU only ever buys more.

It sees CloudWatch's metrics, when they are published.
"""

from datetime import timedelta

from emr_simulator.policies.task_group import TaskGroupPolicy
from emr_simulator.world import World

MOST_USED, LEAST_USED = 0.95, 0.90
OUT, IN = 3, 1
WINDOW = timedelta(seconds=600)


class StepRules(TaskGroupPolicy):
    """Three out, one in, with no memory of what it did before."""

    period = timedelta(seconds=180)

    @property
    def name(self) -> str:
        """step-rules."""
        return "step-rules"

    def look(self, world: World) -> int | None:
        """Judge the mean of the last 600 s that are published."""
        free = self.samples(world, "YARNMemoryAvailablePercentage")
        if not free:
            return None
        last = free[-1][0]
        recent = [1 - value / 100 for at, value in free if at > last - WINDOW]
        used = sum(recent) / len(recent)
        if used > MOST_USED:
            return self.bounded(self.ordered + OUT)
        if used < LEAST_USED:
            return self.bounded(self.ordered - IN)
        return None
