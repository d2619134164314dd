"""What the compared policies share: one task group, a look at it every so often, and orders.

What each policy sees and wants is in its own file.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from emr_simulator.clusters import Group
from emr_simulator.descriptions import GroupResize, GroupSpec, MetricQuery
from emr_simulator.experiment import Setup
from emr_simulator.words import GroupState, Role
from emr_simulator.world import World
from emr_simulator.yarn import Yarn

_LOOKING_BACK = timedelta(hours=2)


class TaskGroupPolicy(ABC):
    """Looks at the cluster every ``period`` and orders the count it wants, if that is another one.

    Attributes:
        period: Between two looks.
        minimum: The fewest task nodes it keeps; the group begins with them.
        core_count: Core nodes of the cluster.
        maximum: The most task nodes.
        container_mib: Of the set-up.
        ordered: The count last asked for.
    """

    period: timedelta = timedelta(minutes=1)
    minimum: int = 0

    def __init__(self) -> None:
        self.core_count = 0
        self.maximum = 0
        self.container_mib = 0
        self.ordered = self.minimum
        self._cluster_id = ""
        self._next_look: datetime | None = None

    @property
    @abstractmethod
    def name(self) -> str:
        """The name in the registry, knobs included."""

    @abstractmethod
    def look(self, world: World) -> int | None:
        """Return the task nodes wanted now; None leaves the group as it is."""

    def prepare(self, setup: Setup) -> tuple[tuple[GroupSpec, ...], dict[str, str]]:
        """Return one task group with the fewest nodes."""
        self.core_count = setup.core_count
        self.maximum = setup.maximum_task_count
        self.container_mib = setup.container_mib
        group = GroupSpec(
            role=Role.TASK,
            market=setup.market,
            instance_type=setup.instance_type,
            count=self.minimum,
            name="task",
        )
        return (group,), {}

    def start(self, world: World, cluster_id: str) -> None:
        """Begin to look."""
        self._cluster_id = cluster_id
        self._next_look = world.now + self.period

    def next_tick(self) -> datetime | None:
        """Return when the next look is due."""
        return self._next_look

    def on_tick(self, world: World) -> None:
        """Look, and order what is wanted."""
        self._next_look = world.now + self.period
        if not world.inside(self._cluster_id).is_up:
            return
        wanted = self.look(world)
        if wanted is not None and wanted != self.ordered:
            self.order(world, wanted)

    def on_events(self, world: World, events: Sequence[dict[str, Any]]) -> None:
        """Ignore events: none of these policies listens to any."""
        del world, events

    # ------------------------------------------------------------------ for the policies

    def order(self, world: World, count: int) -> None:
        """Ask for an absolute count of task nodes; a scale-in is graceful, an hour at most."""
        order = GroupResize(group_id=self._group(world).group_id, count=count)
        world.emr.modify_instance_groups(self._cluster_id, [order])
        self.ordered = count

    def bounded(self, count: int) -> int:
        """Return the nearest count within the bounds."""
        return max(self.minimum, min(self.maximum, count))

    def is_resizing(self, world: World) -> bool:
        """Return whether the last order is still being carried out (nodes come or drain)."""
        return self._group(world).state is GroupState.RESIZING

    def yarn(self, world: World) -> Yarn:
        """Return the resource manager's own figures, as its REST API shows them, of this second."""
        return world.yarn(self._cluster_id)

    def mib_per_node(self, world: World) -> int:
        """Return the YARN memory of one node."""
        return self._group(world).yarn_mib(dict(world.settings.extra_yarn_mib))

    def samples(self, world: World, metric: str) -> tuple[tuple[datetime, float], ...]:
        """Return what CloudWatch shows of a metric of the last hours, oldest first."""
        query = MetricQuery(
            query_id="m",
            metric=metric,
            cluster_id=self._cluster_id,
            period_seconds=world.settings.metric_period_seconds,
        )
        answer = world.cloudwatch.get_metric_data([query], start=world.now - _LOOKING_BACK, end=world.now)
        return answer[0].points

    def _group(self, world: World) -> Group:
        groups = world.inside(self._cluster_id).groups.values()
        return next(group for group in groups if group.spec.role is Role.TASK)
