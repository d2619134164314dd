"""Dry requests, fallback, storms, and the way back to spot: decisions by example."""

from dataclasses import replace
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
    prices,
    task_evidence,
    task_group,
    yarn,
)

from emr_autoscaler.domain.decision import Action, Reason
from emr_autoscaler.domain.memory import PoolHealth, PoolKey, TaskMemory, WantedCapacity
from emr_autoscaler.domain.pool_trouble import is_storm, with_warning
from emr_autoscaler.domain.task_capacity import TaskVerdict, decide_task_capacity

BUSY = yarn(allocated_mib=2 * NODE_MIB, containers=12, pending=50_000)
USD = {"ig-A": "0.07", "ig-B": "0.08", "ig-C": "0.09", "ig-D": "0.192"}


def pool(group_id: str) -> PoolHealth:
    return PoolHealth(key=PoolKey(instance_type=f"of {group_id}", availability_zone=ZONE))


HEALTHY = {group_id: pool(group_id) for group_id in ("ig-A", "ig-B", "ig-C")}


def look(*groups: Any, **changes: Any) -> TaskVerdict:
    return decide_task_capacity(task_evidence(*groups, **{"pools": HEALTHY, "prices": prices(USD), **changes}))


def waiting(since: float, **changes: Any) -> TaskMemory:
    return TaskMemory(unfulfilled_since={"ig-A": NOW - minutes(since)}, **changes)


SHORT = (task_group("ig-A", 4, running=1), task_group("ig-B"), on_demand_group())


def test_a_request_that_ec2_has_not_met_for_three_minutes_goes_to_the_next_pool_and_cools_its_own() -> None:
    verdict = look(*SHORT, metrics=BUSY, memory=waiting(3), launched={"ig-A": 1}, max_nodes=4)
    assert counts(verdict.decision) == {"ig-A": 1, "ig-B": 3}
    (cooled,) = verdict.pools
    assert cooled.key == HEALTHY["ig-A"].key
    assert cooled.cooling_until == NOW + minutes(10)


def test_nodes_that_boot_are_no_dry_pool() -> None:
    verdict = look(*SHORT, metrics=BUSY, memory=waiting(9), launched={"ig-A": 4}, max_nodes=4)
    assert (counts(verdict.decision), verdict.pools) == ({}, ())


def test_only_what_ec2_has_not_launched_is_given_up() -> None:
    verdict = look(*SHORT, metrics=BUSY, memory=waiting(4), launched={"ig-A": 3}, max_nodes=4)
    assert counts(verdict.decision) == {"ig-A": 3, "ig-B": 1}


def test_after_five_minutes_without_spot_on_demand_is_ordered_although_pools_are_open() -> None:
    verdict = look(*SHORT, metrics=BUSY, memory=waiting(5), launched={"ig-A": 1}, max_nodes=4)
    assert counts(verdict.decision) == {"ig-A": 1, "ig-D": 3}


def test_five_minutes_count_over_the_pools_that_were_tried() -> None:
    groups = (task_group("ig-A", 1), task_group("ig-B", 3, running=0), task_group("ig-C"), on_demand_group())
    memory = TaskMemory(unfulfilled_since={"ig-B": NOW - minutes(2)}, spot_short_since=NOW - minutes(5))
    verdict = look(*groups, metrics=BUSY, memory=memory, launched={"ig-B": 0}, max_nodes=4)
    assert counts(verdict.decision) == {"ig-B": 0, "ig-D": 3}


def test_a_strict_policy_goes_to_on_demand_with_the_first_dry_pool() -> None:
    memory = waiting(3)
    verdict = look(
        *SHORT, metrics=BUSY, memory=memory, launched={"ig-A": 1}, max_nodes=4, fallback_after=minutes(0)
    )
    assert counts(verdict.decision) == {"ig-A": 1, "ig-D": 3}


def test_the_fallback_keeps_its_bound() -> None:
    verdict = look(
        *SHORT, metrics=BUSY, memory=waiting(5), launched={"ig-A": 1}, max_nodes=4, on_demand_max_nodes=1
    )
    assert counts(verdict.decision)["ig-D"] == 1


@pytest.mark.parametrize(
    ("earlier", "nodes", "storm"), [(2, 40, True), (1, 40, False), (1, 8, True), (1, 9, False), (0, 1, False)]
)
def test_three_warnings_in_ten_minutes_or_a_quarter_of_the_nodes_are_a_storm(
    earlier: int, nodes: int, storm: bool
) -> None:
    memory = TaskMemory(warned_at=(NOW - minutes(11), *(NOW - minutes(9),) * earlier))
    after = with_warning(memory, warned_at=NOW, now=NOW, task_nodes=nodes)
    assert is_storm(after, NOW) is storm
    assert len(after.warned_at) == earlier + 1
    assert not is_storm(after, NOW + minutes(10))


@pytest.mark.parametrize(
    ("pools", "open_pools", "storm"),
    [
        (("a", "a", "a"), 2, False),
        (("a", "a", "a"), 1, True),
        (("a", "b", "a"), 3, True),
        (("", "a", "a"), 3, True),
    ],
    ids=["one of many", "one of two", "two", "not all known"],
)
def test_many_warnings_of_one_pool_are_no_storm_while_two_others_are_open(
    pools: tuple[str, ...], open_pools: int, storm: bool
) -> None:
    memory = TaskMemory()
    for pool in pools:
        memory = with_warning(memory, warned_at=NOW, now=NOW, task_nodes=40, pool=pool, open_pools=open_pools)
    assert is_storm(memory, NOW) is storm
    assert memory.warned_in == pools


def test_a_memory_of_an_older_release_knows_no_pools_and_counts_as_before() -> None:
    memory = TaskMemory(warned_at=(NOW - minutes(11), NOW - minutes(1), NOW - minutes(1)))
    after = with_warning(memory, warned_at=NOW, now=NOW, task_nodes=40, pool="a", open_pools=3)
    assert is_storm(after, NOW)
    assert after.warned_in == ("", "", "a")


def test_in_a_storm_nothing_is_ordered_on_spot() -> None:
    memory = TaskMemory(storm_until=NOW + minutes(4))
    groups = (task_group("ig-A"), task_group("ig-B"), on_demand_group())
    verdict = look(*groups, metrics=BUSY, memory=memory, max_nodes=4)
    assert counts(verdict.decision) == {"ig-D": 4}
    assert sum(counts(look(*groups, metrics=BUSY, max_nodes=4).decision).values()) == 4


ON_DEMAND = (task_group("ig-A"), task_group("ig-B"), on_demand_group(count=4))
FULL = yarn(allocated_mib=6 * NODE_MIB, containers=36)
"""Two core and four task nodes, all in use."""

STOOD = TaskMemory(
    on_demand_since=NOW - minutes(30), wanted=(WantedCapacity(at=SAMPLED - minutes(1), mib=4 * NODE_MIB),)
)


def test_after_half_an_hour_on_demand_new_spot_nodes_are_ordered_first() -> None:
    verdict = look(*ON_DEMAND, metrics=FULL, memory=STOOD)
    assert (verdict.decision.action, verdict.decision.reason) == (Action.REBALANCE, Reason.BACK_TO_SPOT)
    assert counts(verdict.decision) == {"ig-A": 2, "ig-B": 2}
    assert verdict.memory.returning_mib == 4 * NODE_MIB


def test_once_they_run_the_on_demand_nodes_drain() -> None:
    groups = (task_group("ig-A", 2), task_group("ig-B", 2), on_demand_group(count=4))
    memory = replace(STOOD, returning_mib=4.0 * NODE_MIB)
    verdict = look(*groups, metrics=FULL, memory=memory)
    assert counts(verdict.decision) == {"ig-D": 0}
    assert verdict.decision.targets[0].decommission_timeout is not None
    assert verdict.memory.returning_mib == 0


def test_while_they_boot_nothing_drains() -> None:
    groups = (task_group("ig-A", 2, running=0), task_group("ig-B", 2), on_demand_group(count=4))
    memory = replace(STOOD, returning_mib=4.0 * NODE_MIB)
    verdict = look(*groups, metrics=FULL, memory=memory)
    assert counts(verdict.decision) == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"memory": replace(STOOD, on_demand_since=NOW - minutes(29))},
        {"pools": {"ig-A": cooling("ig-A"), "ig-B": cooling("ig-B")}},
        {"prices": prices({**USD, "ig-A": "0.15", "ig-B": "0.15"})},
        {"prices": prices({"ig-D": "0.192"})},
        {"on_demand_min_nodes": 4},
        {"spot_share": 0.0},
        {"memory": replace(STOOD, storm_until=NOW + minutes(1))},
    ],
)
def test_there_is_no_way_back_too_early_to_sick_or_dear_pools_or_past_a_limit(changes: dict[str, Any]) -> None:
    verdict = look(*ON_DEMAND, **{"metrics": FULL, "memory": STOOD, **changes})
    assert verdict.decision.reason is not Reason.BACK_TO_SPOT


def test_on_demand_beyond_the_floor_is_noted_since_when() -> None:
    verdict = look(*ON_DEMAND, metrics=FULL)
    assert verdict.memory.on_demand_since == NOW
    assert verdict.decision.next_evaluation_at is not None


def test_a_cluster_without_a_spot_group_has_nowhere_to_return_to() -> None:
    memory = TaskMemory(returning_mib=4.0 * NODE_MIB, on_demand_since=NOW - minutes(40))
    verdict = look(on_demand_group("ig-D", 4), metrics=FULL, memory=memory)
    assert (verdict.memory.on_demand_since, verdict.memory.returning_mib) == (None, 0.0)


def test_only_spot_requests_are_looked_at_to_see_whether_their_pool_is_dry() -> None:
    late, memory = yarn(at=NOW), TaskMemory(unfulfilled_since={"ig-A": NOW - minutes(1)})
    on_demand = look(on_demand_group("ig-A", 4, running=1), metrics=late, memory=memory)
    spot = look(task_group("ig-A", 4, running=1), metrics=late, memory=memory)
    assert spot.memory.next_evaluation_at == NOW + minutes(2)
    assert on_demand.memory.next_evaluation_at == NOW + minutes(4)


def test_prices_that_rise_above_the_cap_give_nodes_back_gracefully() -> None:
    groups = (task_group("ig-A", 4), task_group("ig-B", 4))
    verdict = look(*groups, metrics=FULL, max_usd_per_hour=Decimal("0.60"))
    assert (verdict.decision.action, verdict.decision.reason) == (Action.SCALE_IN, Reason.ABOVE_MONEY_CAP)
    left = {"ig-A": 4, "ig-B": 4} | counts(verdict.decision)
    assert left["ig-A"] * Decimal("0.118") + left["ig-B"] * Decimal("0.128") <= Decimal("0.60")
    assert all(target.decommission_timeout for target in verdict.decision.targets)


def test_an_unknown_price_under_a_cap_holds_and_says_so() -> None:
    groups = (task_group("ig-A", 1), task_group("ig-X", 1))
    verdict = look(*groups, metrics=BUSY, max_usd_per_hour=Decimal(5))
    assert (verdict.decision.action, verdict.decision.reason) == (Action.HOLD, Reason.PRICES_MISSING)


def test_a_cap_is_looked_at_again_although_nothing_happens() -> None:
    verdict = look(task_group("ig-A", 2), metrics=yarn(), min_nodes=2, max_usd_per_hour=Decimal(5))
    assert verdict.decision.next_evaluation_at is not None
