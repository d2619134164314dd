"""emr-autoscaler as a policy of experiments: the deployed use cases, driven event by event in this process."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from emr_autoscaler.domain.enrolment import POLICY_TAG
from emr_autoscaler.domain.policy import CorePolicy, IdlePolicy, Mode, Objective, Policy, TaskPolicy
from emr_simulator.descriptions import GroupSpec
from emr_simulator.experiment import Setup
from emr_simulator.inprocess.deployment import InProcessDeployment
from emr_simulator.inprocess.policies import MemoryPolicies
from emr_simulator.inprocess.ports import WorldPorts
from emr_simulator.words import Market, Role
from emr_simulator.world import World

NAME = "emr-autoscaler"
KNOB = f"{'|'.join(Objective)}|[1-9][0-9]{{1,4}}"
"""How the knob between cost and waiting is written: an objective, or the drain time in seconds."""

_POLICY = "experiment"


def task_policy(knob: str, *, max_nodes: int) -> TaskPolicy:
    """Return a policy with this knob (see KNOB), whose other fields have their defaults."""
    if knob in set(Objective):
        return TaskPolicy(max_nodes=max_nodes, objective=Objective(knob))
    return TaskPolicy(max_nodes=max_nodes, drain_within=timedelta(seconds=int(knob)))


class AutoscalerPolicy:
    """Runs the system on the experiment's cluster: a task group that starts at zero.

    Its policy is live, keeps 0 to the set-up's maximum of task nodes, and leaves core and idleness
    alone, because the experiment's core is fixed and its cluster must live. Everything else is default.
    It learns of the cluster as a real deployment does: from events, alarms and published metrics.

    Args:
        knob: Of the policy, as KNOB writes it.
    """

    def __init__(self, knob: str = Objective.BALANCED) -> None:
        self._knob = knob
        self._policies = MemoryPolicies()
        self.deployment: InProcessDeployment | None = None

    @property
    def name(self) -> str:
        """emr-autoscaler, with the knob where it is not the default."""
        return NAME if self._knob == Objective.BALANCED else f"{NAME}:{self._knob}"

    def prepare(self, setup: Setup) -> tuple[tuple[GroupSpec, ...], dict[str, str]]:
        """Return the task groups, and the tag that opts the cluster in; beside spot there is one on demand."""
        task = task_policy(self._knob, max_nodes=setup.maximum_task_count)
        self._policies.put(
            Policy(
                name=_POLICY,
                mode=Mode.LIVE,
                task=task,
                core=CorePolicy(enabled=False),
                idle=IdlePolicy(enabled=False),
            )
        )
        names = {(Market.ON_DEMAND, setup.instance_type): "task-on-demand"} | {
            (setup.market, setup.instance_type): "task"
        }
        if setup.spot_pools:
            names = {(Market.SPOT, pool): f"task-{pool}" for pool in setup.spot_pools}
            names[Market.ON_DEMAND, setup.instance_type] = "task-on-demand"
        groups = tuple(
            GroupSpec(role=Role.TASK, market=market, instance_type=instance_type, count=0, name=name)
            for (market, instance_type), name in names.items()
        )
        return groups, {POLICY_TAG: _POLICY}

    def start(self, world: World, cluster_id: str) -> None:
        """Deploy the system into the world; the cluster makes itself known by its events."""
        del cluster_id
        self.deployment = InProcessDeployment(WorldPorts(world, self._policies))

    def next_tick(self) -> datetime | None:
        """Return when a schedule fires, a message is delivered or a failure is tried again."""
        return None if self.deployment is None else self.deployment.next_at()

    def on_tick(self, world: World) -> None:
        """Run what is due."""
        del world
        if self.deployment is not None:
            self.deployment.run_due()

    def on_events(self, world: World, events: Sequence[dict[str, Any]]) -> None:
        """Hand the events of the bus to the functions whose rules match."""
        del world
        if self.deployment is not None:
            for event in events:
                self.deployment.deliver(event)
