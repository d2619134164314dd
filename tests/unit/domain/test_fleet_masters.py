"""A fleet shrinks by no more than its idle nodes, while a node of it hosts an application master."""

import random
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.scenes import CLUSTER, NOW, minutes, yarn

from emr_autoscaler.adapters.evidence import dump_evidence, load_evidence
from emr_autoscaler.domain.cluster import ClusterState, GroupState, Market, Role
from emr_autoscaler.domain.decision import Action, DecisionKind, Reason
from emr_autoscaler.domain.fleet_masters import sure_units
from emr_autoscaler.domain.fleet_steps import side_id
from emr_autoscaler.domain.fleets import FleetTarget, FleetType, InstanceFleet
from emr_autoscaler.domain.memory import TaskMemory, WantedCapacity
from emr_autoscaler.domain.policy import TaskPolicy
from emr_autoscaler.domain.snapshot import NodeLoad, NodeState
from emr_autoscaler.domain.task_capacity import decide_task_capacity
from emr_autoscaler.domain.task_scene import TaskEvidence

SPOT, ON_DEMAND = side_id("if-task", Market.SPOT), side_id("if-task", Market.ON_DEMAND)
SIZES = {"m5.xlarge": 1, "m5.2xlarge": 2, "m5.4xlarge": 4}


def fleet(on_demand: int = 0, spot: int = 0, *, sizes: tuple[int, ...] = (1,), **changes: Any) -> InstanceFleet:
    values: dict[str, Any] = {
        "fleet_id": "if-task",
        "role": Role.TASK,
        "state": GroupState.RUNNING,
        "target_on_demand_units": on_demand,
        "target_spot_units": spot,
        "provisioned_on_demand_units": on_demand,
        "provisioned_spot_units": spot,
        "types": tuple(FleetType(instance_type=t, units=u) for t, u in SIZES.items() if u in sizes),
    }
    return InstanceFleet(**values | changes)


def node(name: str, containers: int = 0, *, masters: int = 0, leaves: bool = False) -> NodeLoad:
    state = NodeState.DECOMMISSIONING if leaves else NodeState.RUNNING
    return NodeLoad(ec2_instance_id=name, state=state, containers=containers, application_masters=masters)


def evidence(task: InstanceFleet, *nodes: NodeLoad, side: str = SPOT, **changes: Any) -> TaskEvidence:
    """A cluster that needs none of its task units."""
    core = fleet(2, fleet_id="if-core", role=Role.CORE)
    values: dict[str, Any] = {
        "now": NOW,
        "cluster_id": CLUSTER,
        "state": ClusterState.RUNNING,
        "uses_fleets": True,
        "groups": (),
        "fleets": (core, task),
        "metrics": yarn(allocated_mib=0),
        "policy": TaskPolicy(max_nodes=16, expected_task_seconds=600),
        "nodes": nodes,
        "node_groups": {each.ec2_instance_id: side for each in nodes},
    }
    return TaskEvidence(**values | changes)


def units(seen: TaskEvidence) -> tuple[int, int] | None:
    (target,) = decide_task_capacity(seen).decision.targets or (None,)
    assert target is None or isinstance(target, FleetTarget)
    return None if target is None else (target.on_demand_units, target.spot_units)


HOST, BUSY, IDLE = node("i-host", 1, masters=1), node("i-busy", 3), node("i-idle")


def test_without_a_master_on_its_nodes_a_fleet_gives_back_what_is_too_much() -> None:
    assert units(evidence(fleet(spot=3), BUSY, IDLE, node("i-2", 1))) == (0, 0)


def test_beside_a_master_only_idle_nodes_go() -> None:
    assert units(evidence(fleet(spot=3), HOST, BUSY, IDLE)) == (0, 2)


def test_a_node_with_a_master_and_nothing_else_is_not_idle() -> None:
    assert units(evidence(fleet(spot=2), node("i-host", 0, masters=1), IDLE)) == (0, 1)


def test_where_every_node_is_busy_the_fleet_is_held_and_no_cooldown_starts() -> None:
    verdict = decide_task_capacity(evidence(fleet(spot=3), HOST, BUSY, node("i-2", 1)))
    assert (verdict.decision.action, verdict.decision.reason) == (Action.HOLD, Reason.HOSTS_APPLICATION_MASTERS)
    assert verdict.decision.targets == ()
    assert verdict.memory.last_scale_in_at is None
    assert verdict.memory.next_evaluation_at is not None


def test_the_other_market_gives_back_its_units() -> None:
    two = (HOST, node("i-spot", 2))
    seen = evidence(fleet(1, 1), *two, node_groups={"i-host": ON_DEMAND, "i-spot": SPOT})
    assert units(seen) == (1, 0)


def test_a_node_that_drains_already_does_not_count_twice() -> None:
    task = fleet(spot=2, provisioned_spot_units=3, state=GroupState.RESIZING)
    assert units(evidence(task, HOST, BUSY, node("i-gone", 0, leaves=True))) is None
    assert units(evidence(task, HOST, IDLE, node("i-gone", 0, leaves=True))) == (0, 1)


def test_a_master_on_a_node_that_leaves_anyway_holds_nothing_back() -> None:
    task = fleet(spot=2, provisioned_spot_units=3, state=GroupState.RESIZING)
    assert units(evidence(task, BUSY, node("i-2", 1), node("i-gone", 1, masters=1, leaves=True))) == (0, 0)


def test_idle_nodes_of_several_sizes_go_only_where_no_other_could_be_taken_for_them() -> None:
    mixed = fleet(spot=6, sizes=(1, 2))
    weighed = {"i-host": 2, "i-busy": 1, "i-small": 1, "i-large": 2}
    nodes = (HOST, BUSY, node("i-small"), node("i-large"))
    assert units(evidence(mixed, *nodes, node_units=weighed)) == (0, 3)
    needs_four = TaskPolicy(max_nodes=16, min_nodes=4, expected_task_seconds=600)
    seen = evidence(mixed, *nodes, node_units=weighed, policy=needs_four)
    assert units(seen) == (0, 5)  # two units might be the small idle node and the busy one


def test_once_ec2_was_asked_a_host_it_does_not_know_may_be_any() -> None:
    seen = evidence(fleet(spot=3), HOST, BUSY, node("i-2", 1), node_groups={"i-busy": SPOT, "i-2": SPOT})
    assert units(seen) == (0, 0)
    assert units(replace(seen, groups_are_fresh=True)) is None


def test_units_on_demand_that_host_masters_do_not_go_back_to_spot() -> None:
    wanted = 16 * 12288
    memory = TaskMemory(
        on_demand_since=NOW - minutes(40), wanted=(WantedCapacity(at=NOW - minutes(5), mib=wanted),)
    )
    busy = {"metrics": yarn(allocated_mib=wanted + 24576, containers=100), "memory": memory, "side": ON_DEMAND}
    policy = TaskPolicy(max_nodes=16, expected_task_seconds=1)
    hosts = tuple(node(f"i-{number}", 6, masters=1) for number in range(8))
    assert units(evidence(fleet(8, 8), *hosts, policy=policy, **busy)) is None
    others = tuple(node(f"i-{number}", 6) for number in range(8))
    assert units(evidence(fleet(8, 8), *others, policy=policy, **busy)) == (7, 9)


def test_a_decision_on_hosts_is_the_same_from_its_stored_evidence() -> None:
    seen = evidence(fleet(spot=4, sizes=(1, 2)), HOST, BUSY, IDLE, node_units={"i-host": 2})
    stored = load_evidence(DecisionKind.TASK, dump_evidence(DecisionKind.TASK, seen))
    assert isinstance(stored, TaskEvidence)
    assert decide_task_capacity(stored) == decide_task_capacity(seen)


@pytest.mark.parametrize(
    ("idle", "most", "sure"),
    [
        ((), 3, 0),
        ((1, 1, 1), 2, 2),
        ((2, 2), 3, 2),
        ((1, 2), 3, 3),
        ((1, 2), 2, 1),
        ((1, 1, 2), 2, 2),
        ((4, 4, 8), 12, 8),
        ((4, 8, 8), 12, 12),
        ((4, 8), 8, 4),
        ((1, 2, 2), 9, 5),
    ],
)
def test_units_that_idle_nodes_are_sure_to_give(idle: tuple[int, ...], most: int, sure: int) -> None:
    assert sure_units(idle, most) == sure


@cache
def leaves_a_rest(idle: tuple[int, ...], left: int) -> bool:
    """Whether nodes taken in some order, while they fit, may leave something that none of the rest fits into."""
    fitting = [index for index, size in enumerate(idle) if size <= left]
    if not fitting:
        return left > 0
    return any(leaves_a_rest(idle[:i] + idle[i + 1 :], left - idle[i]) for i in fitting)


@settings(max_examples=60)
@given(st.lists(st.sampled_from((1, 2, 3, 4, 8)), max_size=6).map(sorted).map(tuple), st.integers(0, 30))
def test_units_are_sure_exactly_where_no_order_leaves_a_rest(idle: tuple[int, ...], most: int) -> None:
    by_trying = max(units for units in range(most + 1) if not leaves_a_rest(idle, units))
    assert sure_units(idle, most) == by_trying


def test_two_thousand_idle_nodes_of_many_sizes_are_no_trouble() -> None:
    idle = [1 + number % 30 for number in range(2000)]
    assert sure_units(idle, sum(idle)) == sum(idle)
    assert 0 < sure_units(idle, sum(idle) // 2) < sum(idle) // 2


def taken_by_emr(chance: random.Random, seen: TaskEvidence, market: Market, target: int) -> set[str]:
    """What EMR takes of one market: the fewest tasks first, equals in any order, each while it fits."""
    side = side_id("if-task", market)
    working = [
        n for n in seen.nodes if n.state is NodeState.RUNNING and seen.node_groups[n.ec2_instance_id] == side
    ]
    surplus = sum(seen.node_units[n.ec2_instance_id] for n in working) - target
    chance.shuffle(working)
    gone = set()
    for each in sorted(working, key=lambda n: max(n.containers, n.application_masters)):
        if seen.node_units[each.ec2_instance_id] <= surplus:
            surplus -= seen.node_units[each.ec2_instance_id]
            gone.add(each.ec2_instance_id)
    return gone


@settings(max_examples=80)
@given(st.integers(0, 2**40))
def test_whatever_emr_takes_for_an_order_it_is_no_host_of_a_master(number: int) -> None:
    chance = random.Random(number)
    sizes = chance.choice(((1,), (1, 2), (1, 2, 4), (2, 4)))
    nodes, groups, weighed = [], {}, {}
    for index in range(chance.randint(1, 12)):
        name, masters = f"i-{index}", int(chance.random() < 0.2)
        nodes.append(
            node(name, chance.choice((0, 0, masters, 1, 5)), masters=masters, leaves=chance.random() < 0.1)
        )
        groups[name] = chance.choice((SPOT, SPOT, ON_DEMAND))
        weighed[name] = chance.choice(sizes)
    there = {
        side: sum(units for name, units in weighed.items() if groups[name] == side) for side in (SPOT, ON_DEMAND)
    }
    staying = {
        side: there[side]
        - sum(
            weighed[n.ec2_instance_id]
            for n in nodes
            if n.state is not NodeState.RUNNING and groups[n.ec2_instance_id] == side
        )
        for side in there
    }
    task = fleet(
        staying[ON_DEMAND],
        staying[SPOT],
        sizes=sizes,
        provisioned_on_demand_units=there[ON_DEMAND],
        provisioned_spot_units=there[SPOT],
        state=GroupState.RUNNING if staying == there else GroupState.RESIZING,
    )
    policy = TaskPolicy(max_nodes=64, min_nodes=chance.randint(0, 8), expected_task_seconds=60)
    seen = evidence(task, *nodes, node_groups=groups, node_units=weighed, policy=policy, groups_are_fresh=True)
    ordered = units(seen)
    if ordered is None:
        return
    for market, target in ((Market.ON_DEMAND, ordered[0]), (Market.SPOT, ordered[1])):
        gone = taken_by_emr(chance, seen, market, target)
        assert not any(n.application_masters for n in nodes if n.ec2_instance_id in gone)
