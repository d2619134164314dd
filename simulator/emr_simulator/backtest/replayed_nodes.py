"""The task nodes of a replay: ordered, booting, running, draining, and billed for each second of it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from emr_autoscaler.domain.cluster import GroupState, InstanceGroup, Market, Role

LAUNCH_LAG = timedelta(seconds=60)
"""From an order to EC2's launch, which is when billing starts (as in the simulator)."""


@dataclass(slots=True)
class _Batch:
    """Nodes that change together.

    Attributes:
        at: When they are ready, or gone.
        billed_from: When EC2 launched them.
    """

    count: int
    at: datetime
    billed_from: datetime


@dataclass(slots=True, kw_only=True)
class ReplayedGroup:
    """One task group.

    Attributes:
        node_mib: YARN memory of one node.
        boot: From an order to a useful node.
        drain: How long a node that leaves still works off its containers.
        running: Nodes that take work.
        node_seconds: Billed so far.
    """

    group_id: str
    market: Market
    instance_type: str
    node_mib: float
    boot: timedelta
    drain: timedelta
    running: int = 0
    node_seconds: int = 0
    _booting: list[_Batch] = field(default_factory=list)
    _draining: list[_Batch] = field(default_factory=list)

    @property
    def requested(self) -> int:
        """Nodes that were asked for."""
        return self.running + sum(batch.count for batch in self._booting)

    @property
    def present(self) -> int:
        """Nodes EMR reports as running: those that drain are still there."""
        return self.running + sum(batch.count for batch in self._draining)

    def billed(self, now: datetime) -> int:
        """Return the nodes that are paid for."""
        return self.present + sum(batch.count for batch in self._booting if batch.billed_from <= now)

    def advance(self, now: datetime) -> None:
        """Let nodes come that are ready, and go that are done."""
        self.running += sum(batch.count for batch in self._booting if batch.at <= now)
        self._booting = [batch for batch in self._booting if batch.at > now]
        self._draining = [batch for batch in self._draining if batch.at > now]

    def order(self, count: int, now: datetime) -> None:
        """Ask for a number of nodes."""
        change = count - self.requested
        if change > 0:
            change -= self._recall(change)
        if change > 0:
            ready_at = now + self.boot
            self._booting.append(_Batch(change, ready_at, min(now + LAUNCH_LAG, ready_at)))
        elif change < 0:
            leaving = -change - self._cancel(-change)
            if leaving:
                self.running -= leaving
                self._draining.append(_Batch(leaving, now + self.drain, now))

    def describe(self) -> InstanceGroup:
        """Return the group as EMR would describe it."""
        settled = self.requested == self.present
        return InstanceGroup(
            group_id=self.group_id,
            role=Role.TASK,
            market=self.market,
            instance_type=self.instance_type,
            requested_count=self.requested,
            running_count=self.present,
            state=GroupState.RUNNING if settled else GroupState.RESIZING,
        )

    def _recall(self, count: int) -> int:
        """Take back nodes that drain, the last first, as YARN recommissions them."""
        recalled = _take(self._draining, count)
        self.running += recalled
        return recalled

    def _cancel(self, count: int) -> int:
        """Give up nodes that have not come yet, the last first."""
        return _take(self._booting, count)


def _take(batches: list[_Batch], count: int) -> int:
    taken = 0
    while batches and taken < count:
        part = min(count - taken, batches[-1].count)
        batches[-1].count -= part
        taken += part
        if not batches[-1].count:
            batches.pop()
    return taken
