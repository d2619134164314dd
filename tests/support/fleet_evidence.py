"""Evidence of clusters with a task fleet, in units, and what is ordered of it."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.support.scenes import CLUSTER, NOW, minutes, yarn

from emr_autoscaler.domain.cluster import ClusterState, GroupState, Market, Role
from emr_autoscaler.domain.decision import Decision
from emr_autoscaler.domain.fleet_steps import side_id
from emr_autoscaler.domain.fleets import FleetTarget, FleetType, InstanceFleet
from emr_autoscaler.domain.memory import TaskMemory, WantedCapacity
from emr_autoscaler.domain.metrics import ClusterMetrics
from emr_autoscaler.domain.node_prices import MarketPrices, NodePrice
from emr_autoscaler.domain.policy import TaskPolicy
from emr_autoscaler.domain.task_scene import TaskEvidence

TASK = "if-task"
SPOT, ON_DEMAND = side_id(TASK, Market.SPOT), side_id(TASK, Market.ON_DEMAND)
BUSY = yarn(allocated_mib=600_000, containers=300, pending=5000)
"""Wants far more than any of these fleets may have."""

CALM = yarn(allocated_mib=0)


def fleet(
    on_demand: int = 0,
    spot: int = 0,
    *,
    there: tuple[int, int] | None = None,
    types: Mapping[str, int] | None = None,
    **changes: Any,
) -> InstanceFleet:
    """A task fleet of m5.xlarge with one unit each; ``there`` are the units provisioned."""
    provisioned = (on_demand, spot) if there is None else there
    values: dict[str, Any] = {
        "fleet_id": TASK,
        "role": Role.TASK,
        "state": GroupState.RUNNING,
        "target_on_demand_units": on_demand,
        "target_spot_units": spot,
        "provisioned_on_demand_units": provisioned[0],
        "provisioned_spot_units": provisioned[1],
        "types": tuple(FleetType(instance_type=t, units=u) for t, u in (types or {"m5.xlarge": 1}).items()),
    }
    return InstanceFleet(**values | changes)


def core_fleet(units: int = 2) -> InstanceFleet:
    return fleet(units, fleet_id="if-core", role=Role.CORE)


def evidence(task: InstanceFleet | None, metrics: ClusterMetrics = BUSY, **changes: Any) -> TaskEvidence:
    policy = {name: changes.pop(name) for name in tuple(changes) if name in TaskPolicy.__dataclass_fields__}
    values: dict[str, Any] = {
        "now": NOW,
        "cluster_id": CLUSTER,
        "state": ClusterState.RUNNING,
        "uses_fleets": True,
        "groups": (),
        "fleets": (core_fleet(), *([task] if task else [])),
        "metrics": metrics,
        "policy": TaskPolicy(**{"max_nodes": 16, "expected_task_seconds": 600, **policy}),
    }
    return TaskEvidence(**values | changes)


def units(decision: Decision) -> tuple[int, int] | None:
    """What is ordered: on-demand and spot units."""
    (target,) = decision.targets or (None,)
    assert target is None or isinstance(target, FleetTarget)
    return None if target is None else (target.on_demand_units, target.spot_units)


def at_rest(task: InstanceFleet, *, since: timedelta, **changes: Any) -> TaskEvidence:
    """A fleet whose units are all in use and that wants no more."""
    wanted = task.target_units * 12288
    return evidence(
        task,
        yarn(allocated_mib=wanted + 24576, containers=100),
        memory=TaskMemory(on_demand_since=NOW - since, wanted=(WantedCapacity(at=NOW - minutes(5), mib=wanted),)),
        expected_task_seconds=1,
        **changes,
    )


def priced(spot: str, on_demand: str) -> MarketPrices:
    """What a step costs on each side."""
    usd = {SPOT: Decimal(spot), ON_DEMAND: Decimal(on_demand)}
    return MarketPrices(
        by_group={side: NodePrice(ec2_usd=price, emr_usd=Decimal(0)) for side, price in usd.items()},
        confirmed_at=NOW,
    )
