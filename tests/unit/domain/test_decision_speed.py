"""How long a decision takes on the largest cluster there is: pytest-benchmark prints it, nobody judges it."""

import random
from dataclasses import replace
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
    task_nodes,
    yarn,
)

from emr_autoscaler.domain.decision import Reason
from emr_autoscaler.domain.memory import PoolHealth, PoolKey, TaskMemory
from emr_autoscaler.domain.task_capacity import decide_task_capacity
from emr_autoscaler.domain.task_scene import TaskEvidence

TASK_GROUPS = 48
NODES = 2000


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


@pytest.mark.parametrize(
    "cap", [pytest.param(None, id="at the maximum"), pytest.param(Decimal("0.02"), id="at the cap")]
)
def test_an_exchange_of_48_groups_and_2000_nodes(benchmark: Any, cap: Decimal | None) -> None:
    full = largest_cluster(NODES * 3 // 5, allocated_mib=12288 * NODES, pending=100_000)
    groups = tuple(
        replace(g, requested_count=NODES * 2 // 5, running_count=NODES * 2 // 5) if g.group_id == "ig-od" else g
        for g in full.groups
    )
    usd = prices({g.group_id: "0.192" if g.group_id == "ig-od" else "0.05" for g in groups})
    task = [g for g in groups if g.group_id != "ig-core"]
    paid = sum((p.usd_per_hour * g.requested_count for g in task if (p := usd.of(g, NOW))), Decimal(0))
    evidence = replace(
        full,
        groups=groups,
        prices=usd,
        pools={},
        policy=replace(
            full.policy,
            max_nodes=task_nodes(groups) if cap is None else 2 * NODES,
            max_usd_per_hour=None if cap is None else paid + cap,
        ),
        memory=TaskMemory(on_demand_since=NOW - minutes(60)),
    )
    verdict = benchmark(decide_task_capacity, evidence)
    assert verdict.decision.reason is Reason.BACK_TO_SPOT
