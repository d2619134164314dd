"""Which nodes of a group leave: the emptiest, never a host of an application master, and draining ones return."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from tests.support.drawn_scenes import draw_task_evidence
from tests.support.scenes import BUSY, NOW, decide, on_demand_group, task_evidence, task_group, yarn

from emr_autoscaler.adapters.evidence import dump_evidence, load_evidence
from emr_autoscaler.domain.cluster import GroupState, Market
from emr_autoscaler.domain.decision import DecisionKind, Reason
from emr_autoscaler.domain.leaving_nodes import (
    PlacementBounds,
    are_hosts_untold,
    master_hosts,
    name_leaving,
    place_fewer_keeping,
)
from emr_autoscaler.domain.load import Load
from emr_autoscaler.domain.memory import TaskMemory
from emr_autoscaler.domain.placement import Slot
from emr_autoscaler.domain.resuming import draining_nodes, resume_draining
from emr_autoscaler.domain.snapshot import NodeLoad, NodeState, Snapshot
from emr_autoscaler.domain.task_capacity import decide_task_capacity
from emr_autoscaler.domain.task_scene import TaskEvidence


def node(name: str, containers: int = 0, *, masters: int = 0, draining: bool = False) -> NodeLoad:
    return NodeLoad(
        ec2_instance_id=name,
        state=NodeState.DECOMMISSIONING if draining else NodeState.RUNNING,
        containers=containers,
        application_masters=masters,
        used_mib=containers * 2048.0,
    )


def in_group(*nodes: NodeLoad, group_id: str = "ig-A") -> dict[str, str]:
    return {n.ec2_instance_id: group_id for n in nodes}


def slot(group_id: str, count: int, market: Market = Market.SPOT) -> Slot:
    return Slot(group_id=group_id, market=market, node_mib=12288, count=count)


NOTHING_TO_KEEP = PlacementBounds(wanted_mib=0, min_nodes=0, max_nodes=99, on_demand_min_nodes=0)


def snapshot(*nodes: NodeLoad) -> Snapshot:
    return Snapshot(
        at=NOW,
        active_nodes=3,
        total_mib=36864,
        allocated_mib=0,
        available_mib=36864,
        pending_mib=0,
        containers_allocated=0,
        containers_pending=0,
        apps_running=0,
        apps_pending=0,
        nodes=nodes,
    )


def test_the_emptiest_nodes_are_named_and_hosts_of_masters_protected() -> None:
    nodes = (node("i-3", 3), node("i-0", masters=1), node("i-1", 1), node("i-9", draining=True))
    leaving = name_leaving(task_group("ig-A", 3, running=4), 1, nodes, in_group(*nodes))
    assert leaving.first == ("i-1", "i-3")
    assert leaving.protected == ("i-0",)


def test_requests_that_have_not_come_are_given_up_before_any_node() -> None:
    nodes = (node("i-1"), node("i-2"))
    group = task_group("ig-A", 8, running=2, state=GroupState.RESIZING)
    assert name_leaving(group, 3, nodes, in_group(*nodes)).first == ()
    assert name_leaving(group, 1, nodes, in_group(*nodes)).first == ("i-1",)


def test_nodes_of_other_groups_and_nodes_nobody_knows_are_not_named() -> None:
    nodes = (node("i-1"), node("i-2"), node("i-3"))
    groups = {"i-1": "ig-A", "i-2": "ig-B"}
    assert name_leaving(task_group("ig-A", 2), 0, nodes, groups).first == ("i-1",)


def test_a_draining_host_is_leaving_already_and_keeps_nothing() -> None:
    nodes = (node("i-1", 1, masters=1), node("i-2", 1, masters=2, draining=True), node("i-3", 1))
    assert master_hosts(nodes, in_group(*nodes)) == {"ig-A": 1}


def test_other_groups_shrink_where_one_hosts_masters_only() -> None:
    slots = (slot("ig-A", 3), slot("ig-B", 2))
    assert place_fewer_keeping(slots, {"ig-A": 3}, NOTHING_TO_KEEP) == {"ig-A": 3, "ig-B": 0}


def test_what_hosts_keep_counts_towards_what_has_to_be_kept() -> None:
    slots = (slot("ig-A", 3), slot("ig-B", 2))
    bounds = replace(NOTHING_TO_KEEP, wanted_mib=4 * 12288, min_nodes=4)
    assert sum(place_fewer_keeping(slots, {"ig-A": 2}, bounds).values()) == 4


def test_more_hosts_than_nodes_keep_the_nodes_there_are() -> None:
    assert place_fewer_keeping((slot("ig-A", 1),), {"ig-A": 5}, NOTHING_TO_KEEP) == {"ig-A": 1}


def test_fewer_nodes_go_rather_than_a_host() -> None:
    nodes = (node("i-1", masters=1), node("i-2", masters=1), node("i-3"))
    evidence = task_evidence(task_group("ig-A", 3), nodes=nodes, node_groups=in_group(*nodes))
    decision = decide_task_capacity(evidence).decision
    (target,) = decision.targets
    assert (target.count, target.leave_first, target.protected) == (2, ("i-3",), ("i-1", "i-2"))


def test_a_group_of_hosts_alone_is_held_with_the_reason() -> None:
    nodes = (node("i-1", masters=1),)
    evidence = task_evidence(task_group("ig-A", 1), nodes=nodes, node_groups=in_group(*nodes))
    verdict = decide_task_capacity(evidence)
    assert (verdict.decision.reason, verdict.decision.targets) == (Reason.HOSTS_APPLICATION_MASTERS, ())
    assert verdict.decision.next_evaluation_at is not None
    assert verdict.memory.last_scale_in_at is None


def test_a_look_that_a_probe_told_nothing_of_nodes_waits_for_its_next_word() -> None:
    pushed = snapshot(node("i-1")).without_nodes()
    assert are_hosts_untold((), (pushed,), NOW)
    assert not are_hosts_untold((node("i-1"),), (pushed,), NOW)
    assert not are_hosts_untold((), (snapshot().without_nodes(),), NOW)
    evidence = task_evidence(task_group("ig-A", 3), memory=TaskMemory(pushed=(pushed,)))
    assert decide_task_capacity(evidence).decision.reason is Reason.HOSTS_APPLICATION_MASTERS


# --------------------------------------------------------------------------- called back


def test_draining_nodes_are_those_that_run_and_are_not_asked_for() -> None:
    groups = (task_group("ig-A", 2, running=5), task_group("ig-B", 4, running=1), on_demand_group("ig-D", 1))
    assert draining_nodes(groups, ()) == {"ig-A": 3, "ig-B": 0, "ig-D": 0}


def test_only_as_many_are_called_back_as_are_wanted_and_allowed() -> None:
    slots = (slot("ig-A", 2), slot("ig-B", 0))
    draining = {"ig-A": 3}

    def counts(**bounds: float) -> list[int]:
        given = {"wanted_mib": 0.0, "min_nodes": 0, "max_nodes": 99} | bounds
        return [s.count for s in resume_draining(slots, draining, **given)]  # type: ignore[arg-type]

    assert counts(wanted_mib=4 * 12288) == [4, 0]
    assert counts(wanted_mib=99 * 12288) == [5, 0]
    assert counts(min_nodes=3) == [3, 0]
    assert counts(wanted_mib=99 * 12288, max_nodes=3) == [3, 0]


def test_a_drain_is_cancelled_before_another_group_is_asked() -> None:
    groups = (
        task_group("ig-A", 1, running=4, state=GroupState.RESIZING, market=Market.ON_DEMAND),
        task_group("ig-B", 0),
    )
    # 240 s of work for five nodes, two of them the core's
    busy = yarn(allocated_mib=0, containers=0, pending=6 * 5 * 4)
    evidence = task_evidence(*groups, metrics=busy, memory=TaskMemory(container_mib=2048 * 2))
    targets = {t.group_id: t.count for t in decide_task_capacity(evidence).decision.targets}
    assert targets == {"ig-A": 3}


@settings(max_examples=60)
@given(first=st.integers(0, 2**40))
def test_no_order_ever_leaves_a_group_fewer_nodes_than_it_has_hosts(first: int) -> None:
    for number in range(first, first + 20):
        note(f"scene {number}")
        evidence = with_drawn_nodes(number)
        verdict = decide_task_capacity(evidence)
        hosts = master_hosts(evidence.nodes, evidence.node_groups)
        masters = {n.ec2_instance_id for n in evidence.nodes if n.application_masters}
        for target in verdict.decision.targets:
            assert not masters & set(target.leave_first)
            if target.count < target.previous_count:
                assert set(target.protected) <= masters
                assert len(target.protected) == hosts.get(target.group_id, 0)
        replayed = load_evidence(DecisionKind.TASK, dump_evidence(DecisionKind.TASK, evidence))
        assert decide_task_capacity(replayed) == verdict  # type: ignore[arg-type]
        if verdict.decision.reason is Reason.DEMAND_BELOW_CAPACITY:
            for target in verdict.decision.targets:
                assert target.count >= min(hosts.get(target.group_id, 0), target.previous_count)


def with_drawn_nodes(number: int) -> TaskEvidence:
    chance = random.Random(number)
    evidence = draw_task_evidence(number)
    nodes, groups = [], {}
    for group in evidence.groups:
        for index in range(group.running_count):
            name = f"i-{group.group_id}-{index}"
            masters, draining = chance.choice((0, 0, 0, 1)), chance.random() < 0.1
            nodes.append(node(name, chance.randint(0, 6), masters=masters, draining=draining))
            if chance.random() < 0.9:
                groups[name] = group.group_id
    memory = replace(evidence.memory, lost=())
    return replace(evidence, nodes=tuple(nodes), node_groups=groups, memory=memory)


@pytest.mark.parametrize(
    ("ended", "minutes_allowed"), [(0.5, 60), (40, 149), (400, 60)], ids=["hardly any", "long ones", "short ones"]
)
def test_leaving_nodes_have_twice_the_length_of_those_that_ended_or_the_timeout(
    ended: float, minutes_allowed: int
) -> None:
    # 200,000 s of 40 containers are 5,000 s for each; five more count as if they had not run
    memory = TaskMemory(load=Load(seen_seconds=200_000, seen_containers=ended))
    (target,) = decide(task_evidence(task_group(count=6), memory=memory)).targets
    assert target.decommission_timeout == timedelta(minutes=minutes_allowed)


def test_what_is_above_a_bound_has_the_timeout_and_no_more() -> None:
    memory = TaskMemory(load=Load(seen_seconds=200_000, seen_containers=40))
    decision = decide(task_evidence(task_group(count=12), metrics=BUSY, memory=memory))
    assert decision.reason is Reason.ABOVE_MAXIMUM
    assert decision.targets[0].decommission_timeout == timedelta(hours=1)


def test_leaving_nodes_have_a_day_at_most() -> None:
    memory = TaskMemory(load=Load(seen_seconds=1e9, seen_containers=40))
    (target,) = decide(task_evidence(task_group(count=6), memory=memory)).targets
    assert target.decommission_timeout == timedelta(days=1)
