"""managed-scaling: a stand-in for EMR managed scaling, whose real demand formula AWS has not published.

Source: Amazon EMR Management Guide, "Using managed scaling in Amazon EMR": it reads YARN's pending and
allocated memory on the cluster every 5 to 10 s, scales core nodes to their limit, then task nodes, and
removes task nodes before core nodes, gracefully. The stand-in, every 10 s:

    target = clamp(ceil((allocated + pending MiB) / MiB per node), min, max)

Core is at its limit here, so all that moves is the task group. Followed to the letter this flaps, which the
real one surely does not: ``managed-scaling:300`` takes nodes away only down to the largest target of the last
300 s. The better of the two is the one to compare with.

It sees YARN's own memory figures, live.
"""

import math
from collections import deque
from datetime import datetime, timedelta

from emr_simulator.policies.task_group import TaskGroupPolicy
from emr_simulator.world import World


class ManagedScaling(TaskGroupPolicy):
    """Follows the demand for memory.

    Args:
        hold_seconds: How long a target holds back a scale-in; 0 follows every target.
    """

    period = timedelta(seconds=10)

    def __init__(self, hold_seconds: int = 0) -> None:
        super().__init__()
        self._hold_seconds = hold_seconds
        self._recent = RecentTargets(timedelta(seconds=hold_seconds))

    @property
    def name(self) -> str:
        """managed-scaling, with the hold where there is one."""
        return f"managed-scaling:{self._hold_seconds}" if self._hold_seconds else "managed-scaling"

    def look(self, world: World) -> int:
        """Return what holds all allocated and pending memory, less the core nodes."""
        yarn = self.yarn(world)
        nodes = math.ceil((yarn.allocated_mib + yarn.pending_mib) / self.mib_per_node(world))
        target = self.bounded(nodes - self.core_count)
        return max(target, min(self.ordered, self._recent.largest(world.now, target)))


class RecentTargets:
    """The largest target of the recent past."""

    def __init__(self, kept: timedelta) -> None:
        self._kept = kept
        self._falling: deque[tuple[datetime, int]] = deque()

    def largest(self, now: datetime, target: int) -> int:
        """Add the target of ``now`` and return the largest of those kept."""
        while self._falling and self._falling[-1][1] <= target:
            self._falling.pop()
        self._falling.append((now, target))
        while self._falling[0][0] <= now - self._kept and len(self._falling) > 1:
            self._falling.popleft()
        return self._falling[0][1]
