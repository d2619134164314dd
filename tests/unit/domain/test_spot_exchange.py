"""The way back to spot where a limit leaves no room for new nodes: decisions by example."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.support.scenes import (
    NODE_MIB,
    NOW,
    ZONE,
    cooling,
    minutes,
    on_demand_group,
    ordered,
    prices,
    task_evidence,
    task_group,
    yarn,
)

from emr_autoscaler.domain.cluster import InstanceGroup
from emr_autoscaler.domain.decision import Action, Decision, Reason
from emr_autoscaler.domain.memory import LostInstance, PoolHealth, PoolKey, TaskMemory
from emr_autoscaler.domain.policy import CapacityUnit
from emr_autoscaler.domain.snapshot import NodeLoad
from emr_autoscaler.domain.step_queue import StepQueue
from emr_autoscaler.domain.task_capacity import TaskVerdict, decide_task_capacity
from emr_autoscaler.domain.task_scene import TaskEvidence

BUSY = yarn(allocated_mib=6 * NODE_MIB, pending=5000)
"""Two core and four task nodes are full, and more waits than any bound allows nodes for."""

USD = {"ig-A": "0.07", "ig-B": "0.08", "ig-D": "0.192"}
STOOD = TaskMemory(on_demand_since=NOW - minutes(30))
FOUR = (task_group("ig-A"), task_group("ig-B"), on_demand_group(count=4))


LATER = NOW + minutes(1)


def scene(*groups: InstanceGroup, **changes: Any) -> TaskEvidence:
    values: dict[str, Any] = {"metrics": BUSY, "memory": STOOD, "max_nodes": 4, "prices": prices(USD)}
    return task_evidence(*(groups or FOUR), **values | changes)


def look(*groups: InstanceGroup, **changes: Any) -> TaskVerdict:
    return decide_task_capacity(scene(*groups, **changes))


def counts(decision: Decision) -> dict[str, int]:
    return {target.group_id: target.count for target in decision.targets}


def troubled(ago: float) -> dict[str, PoolHealth]:
    key = PoolKey(instance_type="m5.xlarge", availability_zone=ZONE)
    return {i: PoolHealth(key=key, last_trouble_at=NOW - minutes(ago)) for i in ("ig-A", "ig-B")}


def test_at_the_maximum_one_node_is_exchanged_in_one_order() -> None:
    verdict = look()
    decision = verdict.decision
    assert (decision.action, decision.reason) == (Action.REBALANCE, Reason.BACK_TO_SPOT)
    assert counts(decision) == {"ig-A": 1, "ig-D": 3}
    assert next(t for t in decision.targets if t.group_id == "ig-D").decommission_timeout is not None
    assert "1 on demand go for as many on spot" in decision.detail
    assert verdict.memory.last_scale_in_at == NOW


def test_of_a_large_cluster_a_tenth_is_exchanged_at_once() -> None:
    many = (task_group("ig-A", 12), task_group("ig-B", 12), on_demand_group(count=16))
    full = yarn(allocated_mib=42 * NODE_MIB, pending=50_000)
    assert counts(look(*many, max_nodes=40, metrics=full).decision)["ig-D"] == 12
    assert counts(look(*many, max_nodes=40, metrics=full, max_step_nodes=2).decision)["ig-D"] == 14


def test_at_a_bound_in_units_as_well() -> None:
    bound = {"max_nodes": 40, "unit": CapacityUnit.YARN_MIB, "max_units": 4 * NODE_MIB}
    assert counts(look(**bound).decision) == {"ig-A": 1, "ig-D": 3}


@pytest.mark.parametrize(
    "limit",
    [{"max_usd_per_hour": Decimal("1.0")}, {"free_addresses": 0, "groups_are_fresh": True}],
)
def test_where_both_cannot_be_paid_or_addressed_one_drains_first_and_stays_away(limit: dict[str, Any]) -> None:
    evidence = scene(max_nodes=40, **limit)
    verdict = decide_task_capacity(evidence)
    assert (verdict.decision.reason, counts(verdict.decision)) == (Reason.BACK_TO_SPOT, {"ig-D": 3})
    draining = replace(
        evidence,
        groups=ordered(evidence.groups, verdict.decision.targets),
        memory=verdict.memory,
        now=NOW + minutes(3),
    )
    held = decide_task_capacity(draining)
    assert held.decision.targets == ()
    assert held.memory.owed_mib == NODE_MIB


def owing(**changes: Any) -> TaskVerdict:
    groups = (task_group("ig-A"), task_group("ig-B"), on_demand_group(count=3))
    memory = replace(STOOD, owed_mib=float(NODE_MIB), last_scale_in_at=NOW - minutes(10))
    return look(*groups, **{"memory": memory, "max_nodes": 40, "max_usd_per_hour": Decimal("1.0"), **changes})


def test_once_it_is_gone_spot_takes_its_place() -> None:
    verdict = owing()
    assert counts(verdict.decision)["ig-A"] >= 1
    assert "ig-D" not in counts(verdict.decision)
    assert verdict.memory.owed_mib == 0


def test_where_spot_cannot_be_had_then_on_demand_stays_for_half_an_hour_again() -> None:
    closed = {"ig-A": cooling("ig-A"), "ig-B": cooling("ig-B")}
    verdict = owing(pools=closed, metrics=yarn(allocated_mib=5 * NODE_MIB))
    assert (verdict.memory.owed_mib, verdict.memory.on_demand_since) == (0.0, NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"memory": replace(STOOD, on_demand_since=NOW - minutes(29))},
        {"memory": replace(STOOD, last_scale_out_at=NOW - minutes(1))},
        {"memory": replace(STOOD, storm_until=NOW + minutes(1))},
        {"memory": replace(STOOD, lost=(LostInstance(ec2_instance_id="i-1", group_id="ig-A", gone_by=LATER),))},
        {"pools": troubled(29)},
        {"prices": prices({**USD, "ig-A": "0.15", "ig-B": "0.15"})},
        {"prices": prices({"ig-D": "0.192"})},
        {"on_demand_min_nodes": 4},
        {"spot_share": 0.0},
        {"steps": StepQueue(started_at=NOW - minutes(1))},
        {"min_nodes": 4, "max_usd_per_hour": Decimal("0.97")},
    ],
)
def test_nothing_is_exchanged_too_early_for_sick_or_dear_pools_or_before_a_step(changes: dict[str, Any]) -> None:
    assert "ig-D" not in counts(look(**changes).decision)


def test_a_pool_that_was_well_for_half_an_hour_is_healthy() -> None:
    assert counts(look(pools=troubled(31)).decision)["ig-D"] == 3


def test_the_emptiest_node_goes_and_hosts_of_application_masters_never() -> None:
    names = {f"i-{n}": "ig-D" for n in range(4)}
    nodes = tuple(NodeLoad(ec2_instance_id=name, containers=9 - n) for n, name in enumerate(names))
    (first, *others, last) = nodes
    hosting = (first, *others, replace(last, application_masters=1))
    decision = look(nodes=hosting, node_groups=names).decision
    order = next(t for t in decision.targets if t.group_id == "ig-D")
    assert (order.leave_first, order.protected) == (("i-2",), ("i-3",))
    all_hosts = tuple(replace(node, application_masters=1) for node in nodes)
    assert look(nodes=all_hosts, node_groups=names).decision.targets == ()


def test_smaller_nodes_do_not_take_the_place_of_larger_ones_at_a_maximum_of_nodes() -> None:
    small = (task_group("ig-A", instance_type="c5.xlarge"), on_demand_group(count=4))
    cheap = prices({"ig-A": "0.02", "ig-D": "0.192"}, fee="0.01")
    assert look(*small, prices=cheap).decision.targets == ()


def test_nodes_that_came_on_spot_and_are_needed_are_kept_beside_those_on_demand() -> None:
    groups = (task_group("ig-A", 2), task_group("ig-B", 2), on_demand_group(count=4))
    full = yarn(allocated_mib=10 * NODE_MIB)
    memory = replace(STOOD, returning_mib=4.0 * NODE_MIB)
    assert look(*groups, metrics=full, memory=memory, max_nodes=20).decision.targets == ()


def test_of_on_demand_nodes_as_many_go_as_nobody_needs_and_the_rest_later() -> None:
    groups = (task_group("ig-A", 2), task_group("ig-B", 2), on_demand_group(count=4))
    memory = replace(STOOD, returning_mib=4.0 * NODE_MIB)
    verdict = look(*groups, metrics=yarn(allocated_mib=9 * NODE_MIB), memory=memory, max_nodes=20)
    assert counts(verdict.decision) == {"ig-D": 3}
    assert verdict.memory.returning_mib == 3 * NODE_MIB


def test_an_order_back_to_spot_keeps_to_the_step() -> None:
    decision = look(max_nodes=20, max_step_nodes=1, metrics=yarn(allocated_mib=6 * NODE_MIB)).decision
    assert (decision.reason, counts(decision)) == (Reason.BACK_TO_SPOT, {"ig-A": 1})
