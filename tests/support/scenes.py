"""Evidence for decisions: plain scenes; drawn ones are in drawn_scenes.py."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from emr_autoscaler.domain.cluster import ClusterState, GroupState, InstanceGroup, Market, Role
from emr_autoscaler.domain.decision import Decision, GroupTarget
from emr_autoscaler.domain.memory import PoolHealth, PoolKey
from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName, MetricPoint
from emr_autoscaler.domain.node_prices import MarketPrices, NodePrice
from emr_autoscaler.domain.policy import TaskPolicy
from emr_autoscaler.domain.task_capacity import TaskVerdict, decide_task_capacity
from emr_autoscaler.domain.task_scene import TaskEvidence

NOW = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
CLUSTER = "j-SCENE"
ZONE = "us-east-1a"
NODE_MIB = 12288
"""YARN memory of m5.xlarge, the type of these scenes."""

CORE_FULL_MIB = 2 * NODE_MIB
"""What the two core nodes of a plain scene hold."""

SAMPLED = NOW - timedelta(minutes=2)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def task_group(
    group_id: str = "ig-A", count: int = 0, *, running: int | None = None, **changes: Any
) -> InstanceGroup:
    values: dict[str, Any] = {
        "role": Role.TASK,
        "market": Market.SPOT,
        "instance_type": "m5.xlarge",
        "state": GroupState.RUNNING,
    }
    return InstanceGroup(
        group_id=group_id,
        requested_count=count,
        running_count=count if running is None else running,
        **values | changes,
    )


def on_demand_group(group_id: str = "ig-D", count: int = 0, **changes: Any) -> InstanceGroup:
    return task_group(group_id, count, market=Market.ON_DEMAND, **changes)


def core_group(count: int = 2, **changes: Any) -> InstanceGroup:
    return task_group("ig-core", count, role=Role.CORE, market=Market.ON_DEMAND, **changes)


def series(**points: Iterable[tuple[datetime, float]]) -> ClusterMetrics:
    """Metrics by the names of MetricName's members."""
    return ClusterMetrics(
        cluster_id=CLUSTER,
        series={
            MetricName[name]: tuple(MetricPoint(at=at, value=value) for at, value in values)
            for name, values in points.items()
        },
    )


def yarn(
    *,
    allocated_mib: float = 0,
    containers: float | None = None,
    pending: float = 0,
    total_mib: float | None = None,
    at: datetime = SAMPLED,
) -> ClusterMetrics:
    """One whole sample of YARN: containers of 2048 MiB, and what two nodes and the work have, where not given."""
    count = allocated_mib / 2048 if containers is None else containers
    return series(
        MEMORY_TOTAL_MIB=[(at, max(2 * NODE_MIB, allocated_mib) if total_mib is None else total_mib)],
        MEMORY_ALLOCATED_MIB=[(at, allocated_mib)],
        CONTAINER_ALLOCATED=[(at, count)],
        CONTAINER_PENDING=[(at, pending)],
    )


def task_evidence(*groups: InstanceGroup, metrics: ClusterMetrics | None = None, **changes: Any) -> TaskEvidence:
    """A ready cluster with two core nodes and these task groups, looked at now."""
    policy = {name: changes.pop(name) for name in tuple(changes) if name in TaskPolicy.__dataclass_fields__}
    values: dict[str, Any] = {
        "now": NOW,
        "cluster_id": CLUSTER,
        "state": ClusterState.RUNNING,
        "groups": (core_group(), *groups),
        "metrics": metrics or yarn(),
        "policy": TaskPolicy(**{"max_nodes": 10, **policy}),
    }
    return TaskEvidence(**values | changes)


def cooling(group_id: str, *, until: datetime = NOW + timedelta(minutes=10)) -> PoolHealth:
    key = PoolKey(instance_type=f"of {group_id}", availability_zone=ZONE)
    return PoolHealth(key=key, cooling_until=until, cooling_for=timedelta(minutes=10), last_trouble_at=NOW)


def prices(usd: Mapping[str, str], *, fee: str = "0.048", confirmed_at: datetime = NOW) -> MarketPrices:
    """EC2 prices by group id, each with the same EMR fee."""
    by_group = {group_id: NodePrice(ec2_usd=Decimal(ec2), emr_usd=Decimal(fee)) for group_id, ec2 in usd.items()}
    return MarketPrices(by_group=by_group, confirmed_at=confirmed_at)


def ordered(groups: Sequence[InstanceGroup], targets: Sequence[GroupTarget]) -> tuple[InstanceGroup, ...]:
    """The groups right after EMR accepted the order."""
    counts = {target.group_id: target.count for target in targets}
    return tuple(
        replace(g, requested_count=counts[g.group_id], state=GroupState.RESIZING) if g.group_id in counts else g
        for g in groups
    )


def task_nodes(groups: Sequence[InstanceGroup]) -> int:
    return sum(g.requested_count for g in groups if g.role is Role.TASK)


def touchable(group: InstanceGroup) -> bool:
    return group.role is Role.TASK and not group.has_own_scaling and group.state.may_be_resized


def after(evidence: TaskEvidence, verdict: TaskVerdict) -> tuple[InstanceGroup, ...]:
    """The groups right after EMR accepted what was decided."""
    return ordered(evidence.groups, verdict.decision.targets)


def decide(evidence: TaskEvidence) -> Decision:
    return decide_task_capacity(evidence).decision


def counts(decision: Decision) -> dict[str, int]:
    return {target.group_id: target.count for target in decision.targets}


BUSY = yarn(allocated_mib=CORE_FULL_MIB, containers=12, pending=5000)
"""Core is full and 5000 containers of 2 GiB wait: more than any maximum here serves in time."""
