"""How long a decision takes on the largest cluster there is: pytest-benchmark prints it, nobody judges it."""

import random
from decimal import Decimal
from typing import Any

import pytest
from tests.support.scenes import (
    NOW,
    ZONE,
    minutes,
    on_demand_group,
    prices,
    task_evidence,
    task_group,
    yarn,
)

from emr_autoscaler.domain.memory import PoolHealth, PoolKey
from emr_autoscaler.domain.task_capacity import decide_task_capacity
from emr_autoscaler.domain.task_scene import TaskEvidence

TASK_GROUPS = 48
NODES = 2000
CORE_MIB = 2 * 12288


def largest_cluster(nodes: int, **metrics: Any) -> TaskEvidence:
    chance = random.Random(1)
    types = ("m5.xlarge", "m5.2xlarge", "r5.xlarge", "c5.4xlarge")
    spot = [
        task_group(f"ig-{n:02d}", nodes // (TASK_GROUPS - 1), instance_type=chance.choice(types))
        for n in range(TASK_GROUPS - 1)
    ]
    groups = (*spot, on_demand_group("ig-od"))
    pools = {
        g.group_id: PoolHealth(
            key=PoolKey(instance_type=g.instance_type, availability_zone=ZONE),
            interruptions=3.0,
            node_hours=100.0,
            experience_at=NOW - minutes(60),
        )
        for g in groups
    }
    return task_evidence(
        *groups,
        metrics=yarn(**{"total_mib": 1e9, **metrics}),
        max_nodes=NODES,
        prices=prices({g.group_id: f"{chance.uniform(0.05, 0.2):.4f}" for g in groups}),
        pools=pools,
        max_usd_per_hour=Decimal(1000),
        max_units=10**9,
        free_addresses=4000,
    )


@pytest.mark.parametrize(
    ("nodes", "metrics"),
    [
        pytest.param(
            0, {"allocated_mib": 2 * 12288, "pending": 10**6, "total_mib": 2 * 12288}, id="from nothing to 2,000"
        ),
        pytest.param(NODES, {"allocated_mib": 800 * 12288, "pending": 100}, id="from 2,000 to fewer"),
        pytest.param(NODES, {"allocated_mib": 0}, id="from 2,000 to nothing"),
    ],
)
def test_a_decision_for_48_groups_and_2000_nodes(benchmark: Any, nodes: int, metrics: dict[str, Any]) -> None:
    evidence = largest_cluster(nodes, **metrics)
    verdict = benchmark(decide_task_capacity, evidence)
    assert verdict.decision.targets
