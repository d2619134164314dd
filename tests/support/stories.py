"""A whole system in this process: the deployed use cases on a World, driven by its events and schedules."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.support.worlds import calm_world, cluster

from emr_autoscaler.domain.cluster import InstanceGroup, Role
from emr_autoscaler.domain.decision import Action, DecisionKind
from emr_autoscaler.domain.policy import CorePolicy, IdlePolicy, Mode, Policy, TaskPolicy
from emr_autoscaler.domain.record import DecisionRecord
from emr_autoscaler.messages.policy import parse_policy
from emr_simulator.inprocess.deployment import InProcessDeployment
from emr_simulator.inprocess.policies import MemoryPolicies
from emr_simulator.inprocess.ports import WorldPorts
from emr_simulator.workloads.model import Job, Stage
from emr_simulator.world import World

OPTED_IN = {"emr-autoscaler:policy": "default"}

Mangle = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


def live(**sections: Any) -> Policy:
    """A policy that acts; tasks up to 10 nodes where nothing else is said."""
    return Policy(**{"name": "default", "mode": Mode.LIVE, "task": TaskPolicy(max_nodes=10), **sections})


def full_disks() -> tuple["Story", str]:
    """A cluster of four core nodes that has more on HDFS than its policy lets stand."""
    story = Story(
        calm_world(),
        live(task=TaskPolicy(enabled=False), core=CorePolicy(max_nodes=9), idle=IdlePolicy(enabled=False)),
    )
    cluster_id = story.start(
        cluster(core=4, tags=OPTED_IN), prepare=lambda new: story.world.set_hdfs_used_gib(new, 130)
    )
    story.world.set_hdfs_used_gib(cluster_id, 220)
    story.world.run_for(timedelta(minutes=7))
    return story, cluster_id


def announced_as_idle() -> tuple["Story", str]:
    """A cluster that was announced, and is to be ended by the next look."""
    story = Story(calm_world())
    cluster_id = story.start(cluster(core=2, tags=OPTED_IN))
    while story.ports.registry.get(cluster_id).idle.announced_at is None:
        story.run(timedelta(minutes=1))
    story.world.run_for(timedelta(minutes=16))
    return story, cluster_id


def job(*, tasks: int, seconds: int = 60, mib: int = 2048) -> Job:
    return Job(
        name="work", submit_after_seconds=0, stages=(Stage(tasks=tasks, seconds=seconds, container_mib=mib),)
    )


class Story:
    """One World, one deployment, and what is asked of them.

    Args:
        world: The world.
        policy: The policy named default.
        mangle: What becomes of each second's events on their way: lost, doubled, reordered.

    Attributes:
        watch: Called after each step.
        snapshots: Events of a probe that a test has kept back.
    """

    def __init__(self, world: World, policy: Policy | None = None, *, mangle: Mangle | None = None) -> None:
        self.world = world
        self.policies = MemoryPolicies(policy or live(), parse=parse_policy)
        self.ports = WorldPorts(world, self.policies)
        self.system = InProcessDeployment(self.ports)
        self._mangle = mangle
        self.watch: Callable[[], None] | None = None
        self.snapshots: list[dict[str, Any]] = []

    def run(self, until: datetime | timedelta) -> None:
        """Let time pass, answering everything as it comes."""
        end = self.world.now + until if isinstance(until, timedelta) else until
        while self.world.now < end:
            self.world.run_until(min(end, self.system.next_at()), stop_at_events=True)
            events = self.world.take_events()
            for event in self._mangle(events) if self._mangle else events:
                self.system.deliver(event)
            self.system.run_due()
            if self.watch is not None:
                self.watch()

    def start(self, spec: Any, *, prepare: Callable[[str], object] = str) -> str:
        """Run a cluster until it is ready and enrolled; return its id.

        Args:
            spec: The cluster.
            prepare: Called with its id before it is up.
        """
        cluster_id = self.world.emr.run_job_flow(spec)
        prepare(cluster_id)
        self.run(timedelta(minutes=20))
        return str(cluster_id)

    def groups(self, cluster_id: str) -> dict[str, InstanceGroup]:
        """The groups by name, looked at without a call."""
        return {g.spec.name: g for g in self.world.inside(cluster_id).groups.values()}

    def ordered(self, cluster_id: str, role: Role = Role.TASK) -> int:
        return sum(g.requested for g in self.world.inside(cluster_id).groups.values() if g.spec.role == role)

    def decisions(self, cluster_id: str, kind: DecisionKind | None = None) -> list[DecisionRecord]:
        """What was decided, oldest first."""
        found = self.ports.decisions.of_cluster(cluster_id, limit=10_000)[::-1]
        return [record for record in found if kind is None or record.decision.kind is kind]

    def actions(self, cluster_id: str, kind: DecisionKind | None = None) -> list[Action]:
        """What was done, in order, holds left out."""
        made = (record.decision.action for record in self.decisions(cluster_id, kind))
        return [action for action in made if action is not Action.HOLD]


def lossy(seed: int, *, lost: float = 0.0, doubled: float = 0.0) -> Mangle:
    """Lose, double and reorder the events of a second."""
    chance = random.Random(seed)

    def mangle(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        kept = [event for event in events if chance.random() >= lost]
        kept += [event for event in kept if chance.random() < doubled]
        chance.shuffle(kept)
        return kept

    return mangle
