"""A policy watched every minute, or oftener: nodes, containers and what the money was for. It changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from emr_simulator.clusters import Node
from emr_simulator.descriptions import GroupSpec
from emr_simulator.experiment import PolicyDriver, Setup
from emr_simulator.words import InstanceState, Role
from emr_simulator.world import World

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One minute, or other period of watching, from its end.

    Attributes:
        at: When it was taken.
        ordered: Task nodes that the policy has asked for.
        billed: Task nodes that are paid for, as a sum of the next five:
        booting: Launched and not useful yet.
        working: Node-equivalents of memory that containers use.
        idle: Node-equivalents that wait for work.
        draining: Node-equivalents of leaving nodes that nothing uses.
        running: Containers.
        pending: Containers that wait.
        served: Container-seconds served so far.
    """

    at: datetime
    ordered: int
    billed: int
    booting: float
    working: float
    idle: float
    draining: float
    running: int
    pending: int
    served: int


class Watched:
    """Passes everything on to a policy, and samples its cluster, as a rule on every whole minute.

    Args:
        policy: The one that acts.
        every: Between two samples.
    """

    def __init__(self, policy: PolicyDriver, *, every: timedelta = MINUTE) -> None:
        self._policy = policy
        self._every = every
        self._cluster_id = ""
        self._next: datetime | None = None
        self.samples: list[Sample] = []

    @property
    def name(self) -> str:
        """That of the policy."""
        return self._policy.name

    def prepare(self, setup: Setup) -> tuple[tuple[GroupSpec, ...], dict[str, str]]:
        """Let the policy prepare."""
        return self._policy.prepare(setup)

    def start(self, world: World, cluster_id: str) -> None:
        """Let the policy start, and begin to watch."""
        self._cluster_id = cluster_id
        self._next = world.now + self._every
        self._policy.start(world, cluster_id)

    def next_tick(self) -> datetime | None:
        """Return what comes first: the policy's time or the next sample's."""
        due = self._policy.next_tick()
        return due if self._next is None or (due is not None and due < self._next) else self._next

    def on_tick(self, world: World) -> None:
        """Sample, then let the policy act, each when its time has come."""
        if self._next is not None and world.now >= self._next:
            self._next = world.now + self._every
            self.samples.append(self._sample(world))
        due = self._policy.next_tick()
        if due is not None and world.now >= due:
            self._policy.on_tick(world)

    def on_events(self, world: World, events: Sequence[dict[str, Any]]) -> None:
        """Hand the events on."""
        self._policy.on_events(world, events)

    def began_at(self, world: World, first_submit_seconds: int) -> datetime:
        """Return when the workload began: its first job's submission less its offset."""
        yarn = world.yarn(self._cluster_id)
        first = min((app.submitted_at for app in [*yarn.ended, *yarn.live]), default=0)
        return datetime.fromtimestamp(first - first_submit_seconds, world.now.tzinfo)

    @property
    def cluster_id(self) -> str:
        """The cluster that is watched."""
        return self._cluster_id

    def _sample(self, world: World) -> Sample:
        cluster = world.inside(self._cluster_id)
        booting = working = idle = draining = 0.0
        billed = ordered = 0
        for group in cluster.groups.values():
            if group.spec.role is not Role.TASK:
                continue
            ordered += group.requested
            for node in group.nodes:
                if node.launched_at is None:
                    continue
                billed += 1
                used = _used(node)
                if used is None:
                    booting += 1
                    continue
                working += used
                if node.draining or node.warned:
                    draining += 1 - used
                else:
                    idle += 1 - used
        return Sample(
            at=world.now,
            ordered=ordered,
            billed=billed,
            booting=booting,
            working=working,
            idle=idle,
            draining=draining,
            running=cluster.yarn.running,
            pending=cluster.yarn.pending,
            served=cluster.yarn.served_now,
        )


def _used(node: Node) -> float | None:
    """Return the share (0-1) of a node's memory in use; None while it is not useful."""
    if node.state is not InstanceState.RUNNING or node.yarn is None:
        return None
    return 1 - node.yarn.free_mib / node.yarn.total_mib
