"""Interruptions: exactly what is lost, in another group, never past the maximum; and how pools cool."""

import math
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from tests.support.drawn_scenes import draw_pools, draw_task_groups, draw_task_memory, draw_task_policy
from tests.support.scenes import (
    CLUSTER,
    NOW,
    ZONE,
    cooling,
    core_group,
    minutes,
    on_demand_group,
    ordered,
    task_group,
    task_nodes,
)

from emr_autoscaler.adapters.evidence import dump_evidence, load_evidence
from emr_autoscaler.domain.capacity import yarn_mib_per_node
from emr_autoscaler.domain.cluster import GroupState, Market, Role
from emr_autoscaler.domain.decision import Action, DecisionKind, Reason
from emr_autoscaler.domain.fleets import InstanceFleet
from emr_autoscaler.domain.interruption import InterruptionEvidence, InterruptionVerdict, decide_replacement
from emr_autoscaler.domain.memory import PoolHealth, PoolKey, TaskMemory
from emr_autoscaler.domain.policy import TaskPolicy
from emr_autoscaler.domain.pools import cool_pool, note_rebalance, rank

POOL = PoolHealth(key=PoolKey(instance_type="m5.xlarge", availability_zone=ZONE))


def warned(*groups: Any, **changes: Any) -> InterruptionEvidence:
    policy = {name: changes.pop(name) for name in tuple(changes) if name in TaskPolicy.__dataclass_fields__}
    values: dict[str, Any] = {
        "now": NOW,
        "warned_at": NOW - timedelta(seconds=5),
        "cluster_id": CLUSTER,
        "ec2_instance_id": "i-warned",
        "role": Role.TASK,
        "group_id": "ig-A",
        "groups": (core_group(), *groups),
        "policy": TaskPolicy(**{"max_nodes": 10, **policy}),
        "memory": TaskMemory(),
        "pool": POOL,
    }
    return InterruptionEvidence(**values | changes)


def counts(verdict: InterruptionVerdict) -> dict[str, int]:
    return {target.group_id: target.count for target in verdict.decision.targets}


def test_the_lost_node_is_ordered_in_another_group() -> None:
    verdict = decide_replacement(warned(task_group("ig-A", 3), task_group("ig-B", 1), on_demand_group()))
    assert (verdict.decision.action, verdict.decision.reason) == (Action.REPLACE, Reason.TASK_INTERRUPTED)
    assert counts(verdict) == {"ig-B": 2}


def test_the_lost_instance_is_remembered_until_the_notice_has_passed() -> None:
    verdict = decide_replacement(warned(task_group("ig-A", 3), task_group("ig-B")))
    (lost,) = verdict.memory.lost
    assert (lost.ec2_instance_id, lost.group_id) == ("i-warned", "ig-A")
    assert lost.gone_by == NOW + timedelta(seconds=145)
    assert verdict.memory.next_evaluation_at == lost.gone_by


def test_a_large_node_is_replaced_by_as_many_small_ones_as_it_takes() -> None:
    big = task_group("ig-A", 2, instance_type="m5.4xlarge")
    verdict = decide_replacement(warned(big, task_group("ig-B"), task_group("ig-C")))
    assert sum(counts(verdict).values()) == math.ceil(57344 / 12288)


def test_a_replacement_ends_at_the_maximum() -> None:
    big = task_group("ig-A", 2, instance_type="m5.4xlarge")
    assert counts(decide_replacement(warned(big, task_group("ig-B"), max_nodes=4))) == {"ig-B": 2}
    full = decide_replacement(warned(task_group("ig-A", 9), task_group("ig-B", 1)))
    assert (counts(full), full.decision.reason) == ({}, Reason.NO_ROOM_FOR_REPLACEMENT)
    assert len(full.memory.lost) == 1


def test_cooling_pools_are_left_out_and_on_demand_is_the_fallback() -> None:
    groups = (task_group("ig-A", 3), task_group("ig-B"), on_demand_group())
    assert counts(decide_replacement(warned(*groups, pools={"ig-B": cooling("ig-B")}))) == {"ig-D": 1}


def test_another_group_of_the_same_pool_is_left_out() -> None:
    groups = (task_group("ig-A", 3), task_group("ig-B"), on_demand_group())
    assert counts(decide_replacement(warned(*groups, pools={"ig-B": POOL}))) == {"ig-D": 1}


def test_without_another_pool_the_replacement_holds_as_dry() -> None:
    verdict = decide_replacement(warned(task_group("ig-A", 3)))
    assert (verdict.decision.action, verdict.decision.reason) == (Action.HOLD, Reason.POOL_DRY)


def test_a_second_warning_for_one_instance_changes_nothing() -> None:
    groups = (task_group("ig-A", 3), task_group("ig-B"))
    first = decide_replacement(warned(*groups))
    again = decide_replacement(warned(*groups, memory=first.memory, pool=first.pool))
    assert (again.decision.action, again.decision.reason) == (Action.HOLD, Reason.ALREADY_REPLACED)
    assert (again.memory, again.pool) == (first.memory, first.pool)


@pytest.mark.parametrize(
    ("role", "reason"), [(Role.CORE, Reason.CORE_INTERRUPTED), (Role.MASTER, Reason.MASTER_INTERRUPTED)]
)
def test_warned_core_and_master_nodes_are_alerted_and_nothing_is_ordered(role: Role, reason: Reason) -> None:
    verdict = decide_replacement(warned(task_group("ig-A", 3), task_group("ig-B"), role=role))
    assert (verdict.decision.action, verdict.decision.reason, counts(verdict)) == (Action.ALERT, reason, {})
    assert verdict.memory.lost == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"enabled": False}, Reason.DISABLED),
        ({"is_paused": True}, Reason.PAUSED),
        ({"has_managed_scaling": True}, Reason.MANAGED_ELSEWHERE),
        ({"uses_fleets": True}, Reason.USES_FLEETS),
    ],
)
def test_guards_hold_but_the_pool_cools(changes: dict[str, Any], reason: Reason) -> None:
    verdict = decide_replacement(warned(task_group("ig-A", 3), task_group("ig-B"), **changes))
    assert (verdict.decision.action, verdict.decision.reason) == (Action.HOLD, reason)
    assert verdict.pool.is_cooling(NOW)


@pytest.mark.parametrize("state", [GroupState.SUSPENDED, GroupState.ARRESTED, GroupState.RECONFIGURING])
def test_groups_that_may_not_be_resized_take_no_replacement(state: GroupState) -> None:
    groups = (task_group("ig-A", 3), task_group("ig-B", state=state), task_group("ig-C", has_own_scaling=True))
    assert counts(decide_replacement(warned(*groups, on_demand_group()))) == {"ig-D": 1}


def test_a_warning_that_arrives_late_is_looked_at_in_the_future_all_the_same() -> None:
    evidence = warned(task_group("ig-A", 3), task_group("ig-B"), warned_at=NOW - minutes(10))
    next_at = decide_replacement(evidence).memory.next_evaluation_at
    assert next_at is not None
    assert next_at > NOW


def test_an_overdue_look_is_not_carried_along() -> None:
    memory = TaskMemory(next_evaluation_at=NOW - minutes(3))
    verdict = decide_replacement(warned(task_group("ig-A", 3), task_group("ig-B"), memory=memory))
    assert verdict.decision.next_evaluation_at is not None
    assert verdict.decision.next_evaluation_at > NOW


def draw_interruption(number: int) -> InterruptionEvidence:
    chance = random.Random(number)
    groups = draw_task_groups(chance)
    return InterruptionEvidence(
        now=NOW,
        warned_at=NOW - minutes(chance.choice((0, 0, 1, 10))),
        cluster_id=CLUSTER,
        ec2_instance_id=chance.choice(("i-0", "i-new")),
        role=chance.choice((Role.TASK,) * 6 + tuple(Role)),
        group_id=chance.choice([g.group_id for g in groups] + [""]),
        is_paused=chance.random() < 0.05,
        groups=groups,
        policy=draw_task_policy(chance),
        memory=draw_task_memory(chance),
        pool=chance.choice((POOL, cooling("ig-A"))),
        pools=draw_pools(chance),
    )


@settings(max_examples=60)
@given(first=st.integers(0, 2**40))
def test_a_replacement_is_never_past_the_maximum_nor_more_than_what_is_lost(first: int) -> None:
    for number in range(first, first + 25):
        note(f"scene {number}")
        evidence = draw_interruption(number)
        verdict = decide_replacement(evidence)
        assert verdict.decision.next_evaluation_at == verdict.memory.next_evaluation_at
        if not verdict.decision.targets:
            continue
        sizes = {
            g.group_id: yarn_mib_per_node(g.instance_type, learned=evidence.memory.node_mib) or 0
            for g in evidence.groups
        }
        after = task_nodes(ordered(evidence.groups, verdict.decision.targets))
        assert after <= evidence.policy.max_nodes
        added = [(sizes[t.group_id], t.count - t.previous_count) for t in verdict.decision.targets]
        assert all(count > 0 for _size, count in added)
        gained, lost = sum(size * count for size, count in added), sizes[evidence.group_id]
        assert gained - lost < max(size for size, _count in added)
        markets = {g.group_id: g.market for g in evidence.groups}
        assert all(
            t.group_id != evidence.group_id or markets[t.group_id] is Market.ON_DEMAND
            for t in verdict.decision.targets
        )


@settings(max_examples=40)
@given(number=st.integers(0, 2**40))
def test_an_interruption_can_be_replayed(number: int) -> None:
    evidence = draw_interruption(number)
    replayed = load_evidence(DecisionKind.INTERRUPTION, dump_evidence(DecisionKind.INTERRUPTION, evidence))
    assert isinstance(replayed, InterruptionEvidence)
    assert decide_replacement(replayed) == decide_replacement(evidence)


# --------------------------------------------------------------------------- pools


def test_the_first_trouble_cools_a_pool_for_ten_minutes() -> None:
    cooled = cool_pool(POOL, NOW)
    assert cooled.cooling_until == NOW + minutes(10)
    assert cooled.is_cooling(NOW + minutes(9.9))
    assert not cooled.is_cooling(NOW + minutes(10))


def test_trouble_during_a_cooling_belongs_to_the_same_outage() -> None:
    cooled = cool_pool(POOL, NOW)
    assert cool_pool(cooled, NOW + minutes(3)).cooling_until == cooled.cooling_until


def test_trouble_after_each_cooling_doubles_it_to_an_hour_at_most() -> None:
    health, now, lengths = POOL, NOW, []
    for _ in range(5):
        health = cool_pool(health, now)
        lengths.append(health.cooling_for)
        now += health.cooling_for + minutes(1)
    assert lengths == [minutes(10), minutes(20), minutes(40), minutes(60), minutes(60)]


def test_an_hour_of_health_starts_over() -> None:
    tired = replace(POOL, cooling_until=NOW - minutes(60), cooling_for=minutes(40))
    assert cool_pool(tired, NOW).cooling_for == minutes(10)
    assert cool_pool(replace(tired, cooling_until=NOW - minutes(59)), NOW).cooling_for == minutes(60)


def test_a_rebalance_recommendation_lowers_the_rank_for_an_hour_and_nothing_more() -> None:
    noted = note_rebalance(POOL, NOW)
    assert not noted.is_cooling(NOW)
    assert (rank(POOL, NOW), rank(noted, NOW), rank(noted, NOW + minutes(60))) == (0, 1, 0)


def a_task_fleet() -> InstanceFleet:
    return InstanceFleet(
        fleet_id="if-task",
        role=Role.TASK,
        state=GroupState.RUNNING,
        target_on_demand_units=0,
        target_spot_units=4,
        provisioned_on_demand_units=0,
        provisioned_spot_units=4,
    )


def test_a_warned_instance_of_a_fleet_is_left_to_emr_and_looked_after_when_it_is_gone() -> None:
    verdict = decide_replacement(warned(uses_fleets=True, fleets=(a_task_fleet(),), group_id="if-task"))
    assert (verdict.decision.action, verdict.decision.reason) == (Action.HOLD, Reason.FLEET_REPLACES)
    assert verdict.decision.targets == ()
    assert verdict.memory.lost == ()
    assert verdict.memory.next_evaluation_at is not None
    assert minutes(2) < verdict.memory.next_evaluation_at - NOW < minutes(3)
    assert verdict.pool.is_cooling(NOW)


def test_a_warned_core_instance_of_a_fleet_is_alerted_of() -> None:
    verdict = decide_replacement(warned(uses_fleets=True, fleets=(a_task_fleet(),), role=Role.CORE))
    assert verdict.decision.reason is Reason.CORE_INTERRUPTED
