"""Scenes that pictures of the rule show: one cluster and the decisions on it; nothing of AWS is simulated."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from emr_autoscaler.domain.cluster import ClusterState, GroupState, InstanceGroup, Market, Role
from emr_autoscaler.domain.decision import Decision
from emr_autoscaler.domain.memory import TaskMemory
from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName, MetricPoint
from emr_autoscaler.domain.policy import Objective, TaskPolicy
from emr_autoscaler.domain.task_capacity import decide_task_capacity
from emr_autoscaler.domain.task_scene import TaskEvidence

NODE_MIB = 12288
"""YARN memory of an m5.xlarge."""

CONTAINER_MIB = 2048
CORE_NODES = 2
MOST_TASK_NODES = 60
BEGIN = datetime(2026, 10, 5, 13, 0, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a decision is made on.

    Attributes:
        minute: Since the scene began.
        task_nodes: Up and ordered.
        running: Containers.
        waiting: Containers.
    """

    minute: int = 0
    task_nodes: int
    running: int
    waiting: int


def decide(look: Look, objective: Objective, memory: TaskMemory | None = None) -> tuple[Decision, int, TaskMemory]:
    """Return the decision on one look, the nodes ordered after it, and what is remembered."""
    now = BEGIN + look.minute * _MINUTE
    verdict = decide_task_capacity(
        TaskEvidence(
            now=now,
            cluster_id="j-PICTURE",
            state=ClusterState.RUNNING,
            groups=(_group("core", Role.CORE, CORE_NODES), _group("task", Role.TASK, look.task_nodes)),
            metrics=_metrics(look, now),
            policy=TaskPolicy(max_nodes=MOST_TASK_NODES, objective=objective),
            memory=memory or TaskMemory(),
            groups_are_fresh=True,
        )
    )
    ordered = next((target.count for target in verdict.decision.targets), look.task_nodes)
    return verdict.decision, ordered, verdict.memory


def _group(group_id: str, role: Role, count: int) -> InstanceGroup:
    return InstanceGroup(
        group_id=group_id,
        role=role,
        market=Market.ON_DEMAND,
        instance_type="m5.xlarge",
        requested_count=count,
        running_count=count,
        state=GroupState.RUNNING,
    )


def _metrics(look: Look, at: datetime) -> ClusterMetrics:
    values = {
        MetricName.MEMORY_TOTAL_MIB: (CORE_NODES + look.task_nodes) * NODE_MIB,
        MetricName.MEMORY_ALLOCATED_MIB: look.running * CONTAINER_MIB,
        MetricName.CONTAINER_ALLOCATED: look.running,
        MetricName.CONTAINER_PENDING: look.waiting,
    }
    series = {name: (MetricPoint(at=at, value=value),) for name, value in values.items()}
    return ClusterMetrics(cluster_id="j-PICTURE", series=series)
