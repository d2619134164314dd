"""The way back to spot where a limit leaves no room for new nodes: decisions by example."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.support.scenes import (
    NODE_MIB,
    NOW,
    SAMPLED,
    ZONE,
    cooling,
    counts,
    minutes,
    on_demand_group,
    ordered,
    prices,
    task_evidence,
    task_group,
    yarn,
)

from emr_autoscaler.domain.cluster import InstanceGroup
from emr_autoscaler.domain.decision import Action, Reason
from emr_autoscaler.domain.memory import LostInstance, PoolHealth, PoolKey, TaskMemory, WantedCapacity
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


CAME = (task_group("ig-A", 2), task_group("ig-B", 2), on_demand_group(count=4))
AMID = replace(STOOD, returning_mib=4.0 * NODE_MIB)


def test_once_spot_has_come_the_capacity_before_it_is_kept_and_not_all_that_waits() -> None:
    waits = yarn(allocated_mib=10 * NODE_MIB, pending=20)
    verdict = look(*CAME, metrics=waits, memory=AMID, max_nodes=20)
    assert counts(verdict.decision) == {"ig-D": 0}
    assert verdict.memory.returning_mib == 0


def test_what_is_wanted_is_kept_on_demand_as_well_and_goes_later() -> None:
    headroom = {"metrics": yarn(allocated_mib=8 * NODE_MIB), "headroom_percent": 12}
    verdict = look(*CAME, memory=AMID, max_nodes=20, **headroom)
    assert counts(verdict.decision) == {"ig-D": 3}
    assert verdict.memory.returning_mib == 3 * NODE_MIB


def test_the_last_part_of_an_exchange_goes_down_to_what_stood_before_it_and_no_further() -> None:
    memory = replace(STOOD, returning_mib=1.0 * NODE_MIB)
    verdict = look(*CAME, metrics=yarn(allocated_mib=10 * NODE_MIB), memory=memory, max_nodes=20)
    assert counts(verdict.decision) == {"ig-D": 3}


def test_of_a_surplus_that_waits_the_exchanged_nodes_go_at_once_with_little_work_as_with_much() -> None:
    wanted = WantedCapacity(at=SAMPLED - minutes(1), mib=7.0 * NODE_MIB)
    for used in (7, 8, 9, 10):
        memory = replace(AMID, wanted=(wanted,))
        decision = look(*CAME, metrics=yarn(allocated_mib=used * NODE_MIB), memory=memory, max_nodes=20).decision
        assert (decision.reason, counts(decision)) == (Reason.BACK_TO_SPOT, {"ig-D": 0})


def test_a_warned_node_stands_in_for_nothing() -> None:
    memory = replace(AMID, lost=(LostInstance(ec2_instance_id="i-1", group_id="ig-A", gone_by=LATER),))
    assert (
        look(*CAME, metrics=yarn(allocated_mib=10 * NODE_MIB), memory=memory, max_nodes=20).decision.targets == ()
    )


def test_on_demand_stays_in_the_place_of_spot_that_was_lost_amid_the_exchange() -> None:
    gone = LostInstance(ec2_instance_id="i-1", group_id="ig-A", gone_by=NOW - minutes(1))
    lost = (task_group("ig-A", 2, running=1), *CAME[1:])
    memory = replace(AMID, lost=(gone,))
    full = yarn(allocated_mib=9 * NODE_MIB, pending=20)
    verdict = look(*lost, metrics=full, memory=memory, max_nodes=20, groups_are_fresh=True)
    assert counts(verdict.decision) == {"ig-A": 1}
    assert verdict.memory.returning_mib == 3 * NODE_MIB


def test_a_scale_out_waits_a_minute_after_a_step_back_even_without_a_cooldown() -> None:
    memory = replace(STOOD, exchanged_at=NOW - timedelta(seconds=59), on_demand_since=None)
    at_once = {"max_nodes": 20, "scale_out_cooldown": minutes(0)}
    held = look(memory=memory, **at_once).decision
    assert (held.reason, held.next_evaluation_at) == (Reason.COOLDOWN, NOW + timedelta(seconds=1))
    memory = replace(memory, exchanged_at=NOW - minutes(1))
    assert look(memory=memory, **at_once).decision.reason is Reason.DEMAND_ABOVE_CAPACITY


def test_an_order_back_to_spot_keeps_to_the_step() -> None:
    decision = look(max_nodes=20, max_step_nodes=1, metrics=yarn(allocated_mib=6 * NODE_MIB)).decision
    assert (decision.reason, counts(decision)) == (Reason.BACK_TO_SPOT, {"ig-A": 1})
